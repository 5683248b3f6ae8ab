"""Which row of a table of labels is about which song: by path, by the end of a path, by number."""

import os
import posixpath
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from songmap.core.errors import UsageError
from songmap.core.text import readable
from songmap.features.decode import AUDIO_SUFFIXES


def match_rows(
    paths: Sequence[Path], root: Path, file: Path, keys: Sequence[str], genres: Sequence[str]
) -> tuple[dict[Path, int], list[int]]:
    """The row of every song that has one, and the rows that name no song.

    As a row is written decides; rows that name no song so are read once more without regard to case. Raises
    UsageError where a row means several songs, and where a song has two genres.
    """
    row_of: dict[Path, int] = {}
    remaining = [(row, _spelled(key)) for row, key in enumerate(keys) if key]
    for fold in (str, str.casefold):
        if not remaining:
            break
        files = _Files(paths, root, file, fold)
        missed, labelled = [], set(row_of)
        for row, key in remaining:
            songs = files.named(fold(key)) or files.named(fold(_without_links(key)))
            if len(songs) > 1:
                raise UsageError(
                    f"{file}: {keys[row]!r} is the name of {len(songs)} songs, {songs[0]} and {songs[1]}; "
                    "give their folders in the file"
                )
            if not songs or songs[0] in labelled:
                missed.append((row, key))
            elif genres[row_of.setdefault(songs[0], row)] != genres[row]:
                first = row_of[songs[0]]
                raise UsageError(
                    f"{file} gives {songs[0]} two genres: {genres[first]} as {keys[first]!r}, "
                    f"{genres[row]} as {keys[row]!r}; keep one row"
                )
        remaining = missed
    return row_of, [row for row, key in remaining]


def _spelled(path: str) -> str:
    """One spelling of a path: composed letters, slashes, no ``./`` in front."""
    return posixpath.normpath(unicodedata.normalize("NFC", readable(path)).replace("\\", "/"))


def _without_links(path: str) -> str:
    """An absolute path with links resolved, as the music folder's is; others as they are."""
    return _spelled(os.path.realpath(path)) if posixpath.isabs(path) else path


class _Files:
    """Songs by the names that rows may have: path, end of a path, both also without the suffix, number (FMA)."""

    def __init__(self, paths: Sequence[Path], root: Path, file: Path, fold: Callable[[str], str]) -> None:
        self._root, self._beside = (fold(_spelled(str(place))) for place in (root, file.parent.resolve()))
        self._whole, self._bare = _Names(), _Names()
        self._numbers: dict[str, list[Path]] = defaultdict(list)
        for path in paths:
            whole = fold(_spelled(str(path)))
            bare = posixpath.splitext(whole)[0]
            self._whole.add(whole, path)
            self._bare.add(bare, path)
            if _is_number(posixpath.basename(bare)):
                self._numbers[posixpath.basename(bare).lstrip("0")].append(path)

    def named(self, key: str) -> list[Path]:
        """Songs that ``key`` names as it is: by path, else by the end of the path, else by number."""
        for names, name in self._readings(key):
            for place in (self._root, self._beside):
                if songs := names.by_path.get(posixpath.normpath(posixpath.join(place, name))):
                    return songs
            ends = names.by_end.get(_last_parts(name, 2), ())
            if songs := [path for text, path in ends if text.endswith(f"/{name}")]:
                return songs
        return self._numbers.get(key.lstrip("0"), []) if _is_number(key) else []

    def _readings(self, key: str) -> Iterator[tuple["_Names", str]]:
        """With its ending, without one, with that of another format, as GTZAN's ``.au``."""
        yield self._whole, key
        yield self._bare, key
        bare, suffix = posixpath.splitext(key)
        if suffix.lower() in AUDIO_SUFFIXES:
            yield self._bare, bare


class _Names:
    """Songs by one spelling of their paths: whole, by its last part and by its last two."""

    def __init__(self) -> None:
        self.by_path: dict[str, list[Path]] = defaultdict(list)
        self.by_end: dict[str, list[tuple[str, Path]]] = defaultdict(list)

    def add(self, text: str, path: Path) -> None:
        self.by_path[text].append(path)
        for count in (1, 2):  # by two, or thousands of 01.mp3 would be compared with each other
            self.by_end[_last_parts(text, count)].append((text, path))


def _last_parts(path: str, count: int) -> str:
    return "/".join(path.split("/")[-count:])


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()
