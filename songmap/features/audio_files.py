"""Which files below a folder are audio files.

The name's ending decides which files are listed, the content later which can be used: whatever has the name of
an audio file is listed, pipes and broken links included, so that it ends as a song or with a reason.
Links are followed. No file is opened and no status is read, so 100,000 files take about a second.
"""

import bisect
import logging
import os
import posixpath
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from songmap.core.errors import UsageError
from songmap.core.text import readable
from songmap.features.decode import AUDIO_SUFFIXES

_log = logging.getLogger(__name__)

IGNORE_FILE = ".songmapignore"
_SUFFIXES = tuple(AUDIO_SUFFIXES)
# what systems, not people, put among music; hidden names (.DS_Store, ._song.mp3) are left out too
_SYSTEM_FOLDERS = frozenset({
    "__macosx", "$recycle.bin", "recycler", "system volume information", "lost+found",
    "@eadir", "#recycle", "@recycle",
})  # fmt: skip


def audio_files(folder: Path, exclude: Sequence[str] = ()) -> list[Path]:
    """List all files with the name of an audio file below a folder.

    A file that several links lead to is listed under its own path if that lies below ``folder``, else under
    the first; hard links are files of their own. A folder with the name of an audio file is searched too, and listed
    itself if it holds no song. What cannot be read is logged and left out.

    Parameters
    ----------
    folder : Path
    exclude : sequence of str
        Patterns of files and folders to leave out, besides those in the folder's ``.songmapignore``, see
        ``is_excluded``.

    Returns
    -------
    list of Path, (n_files,)
        Absolute, sorted by their text, each file once.

    Raises
    ------
    UsageError
        If ``.songmapignore`` is there and cannot be read.
    """
    root = str(folder.resolve())
    songs: dict[str, str] = {}  # real path: path it is listed under
    folders: dict[str, str] = {}
    broken = []
    patterns = [*exclude, *ignored_patterns(folder)]

    def excluded(path: str) -> bool:
        return is_excluded(os.path.relpath(path, root), patterns)

    links = _walk(root, root, songs, folders, excluded)
    while links:  # round by round, so that a path without links comes first
        further = []
        for link in sorted(links):
            real = os.path.realpath(link)
            if os.path.isdir(real):  # noqa: PTH112 - Path.is_dir raises for names too long
                further += _walk(link, real, songs, folders, excluded)
            elif _has_audio_name(link):
                songs.setdefault(real, link)
            elif not os.path.lexists(real):
                broken.append(link)
        links = further
    if broken:
        _log.warning("%d broken links skipped, the first is %s", len(broken), broken[0])
    paths = sorted(songs.values())
    named = [path for path in folders.values() if path != root and _is_listed_folder(path, paths)]
    paths = sorted(paths + named)
    return [Path(path) for path in paths]


def _walk(
    path: str, real: str, songs: dict[str, str], folders: dict[str, str], excluded: Callable[[str], bool]
) -> list[str]:
    """Add songs and folders below ``path`` that are not known yet; return the links, not followed."""
    links = []
    todo = [(path, real)]
    while todo:
        path, real = todo.pop()
        if real in folders:
            continue
        folders[real] = path
        inside = real.rstrip(os.sep) + os.sep
        try:
            with os.scandir(path) as entries:
                for entry in entries:
                    if entry.name.startswith(".") or entry.name.casefold() in _SYSTEM_FOLDERS:
                        continue
                    if excluded(entry.path):
                        continue
                    if entry.is_symlink():
                        links.append(entry.path)
                    elif entry.is_dir(follow_symlinks=False):
                        todo.append((entry.path, inside + entry.name))
                    elif _has_audio_name(entry.name):
                        songs.setdefault(inside + entry.name, entry.path)
        except OSError as error:
            _log.warning("%s cannot be read (%s): left out", path, error.strerror)
    return links


def _has_audio_name(path: str) -> bool:
    return path.lower().endswith(_SUFFIXES)


def _is_listed_folder(folder: str, paths: list[str]) -> bool:
    """Whether a folder has the name of an audio file and none of the sorted ``paths`` lies in it."""
    if not _has_audio_name(folder):
        return False
    inside = folder + os.sep
    at = bisect.bisect_left(paths, inside)
    return at == len(paths) or not paths[at].startswith(inside)


def ignored_patterns(folder: Path) -> list[str]:
    """The patterns in a folder's ``.songmapignore``: one a line, blank lines and ``#`` comments left out.

    Raises
    ------
    UsageError
        If the file is there and cannot be read.
    """
    file = folder / IGNORE_FILE
    try:
        lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    except OSError as error:
        raise UsageError(f"{file} cannot be read ({error.strerror}); change the permissions of its folder") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} cannot be read ({error}); write it as UTF-8 text, one pattern a line") from error
    return [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]


def is_excluded(path: str, patterns: Sequence[str]) -> bool:
    """Whether a pattern fits a path below the music folder, or the name of the file or of a folder of it.

    ``*`` matches any characters, ``?`` one, ``[…]`` one of some; case does not matter.

    Examples
    --------
    >>> is_excluded("Live/2019/encore.mp3", ["live"]), is_excluded("Live/2019/encore.mp3", ["*/2019/*"])
    (True, True)
    >>> is_excluded("Studio/Alive.mp3", ["live"])
    False
    """
    whole = posixpath.normpath(readable(path).replace("\\", "/")).casefold()
    names = [whole, *whole.split("/")]
    folded = [pattern.casefold().rstrip("/") for pattern in patterns]
    return any(fnmatchcase(name, pattern) for pattern in folded for name in names)
