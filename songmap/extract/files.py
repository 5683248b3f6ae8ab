"""The songs of a music folder, and what is known of each before it is opened."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from songmap.core.errors import UsageError
from songmap.features.audio_files import audio_files, ignored_patterns
from songmap.features.decode import AUDIO_SUFFIXES


@dataclass(frozen=True)
class SongFile:
    """A file to extract, its genre (empty: the file's own tag decides), and what else is known besides its tags.

    ``labels`` win over the file's tags, ``defaults`` only fill what the tags leave empty. ``by_tag`` is the same song
    labelled by its tags, its folders being artist and album.
    """

    path: Path
    genre: str
    labels: dict[str, str | float] = field(default_factory=dict)
    defaults: dict[str, str] = field(default_factory=dict)
    by_tag: "SongFile | None" = field(default=None, compare=False)


def find_songs(music: Path, exclude: Sequence[str] = ()) -> list[Path]:
    """List the songs of a music folder, see ``songmap.features.audio_files.audio_files``.

    Parameters
    ----------
    music : Path
        A folder, or a single file.
    exclude : sequence of str
        Patterns of files and folders to leave out, besides those in the folder's ``.songmapignore``.

    Returns
    -------
    list of Path, (n_files,)
        Absolute, sorted by their text, each file once.

    Raises
    ------
    UsageError
        If there is no song, or ``music`` itself cannot be read.
    """
    try:
        is_folder = music.is_dir()
        if is_folder:
            os.scandir(music).close()
        else:
            music.stat()
    except PermissionError as error:
        raise UsageError(
            f"the music folder {music} cannot be read ({error.strerror}); change its permissions, "
            "or name another with --music DIR"
        ) from error
    except OSError as error:
        raise UsageError(
            f"there is no music folder {music} ({error.strerror}); put music there as GENRE/song.mp3, "
            "or name another with --music DIR"
        ) from error
    if not is_folder:
        return [music_root(music) / music.name]
    paths = audio_files(music, exclude)
    if not paths:
        kinds = " ".join(sorted(suffix.lstrip(".") for suffix in AUDIO_SUFFIXES))
        patterns = [*exclude, *ignored_patterns(music)]
        left = " and nothing that no pattern leaves out" if patterns else ""
        raise UsageError(
            f"there is no music in {music}: looked for {kinds}{left}; name another folder with --music DIR"
        )
    return paths


def music_root(music: Path) -> Path:
    """The folder, absolute and without links, that paths of songs are relative to; of a single file, its own."""
    return music.resolve() if music.is_dir() else music.parent.resolve()
