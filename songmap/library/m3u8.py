"""Playlists as files: M3U8 written so that players find the songs, M3U and M3U8 of others read.

Conventions: a playlist is UTF-8 text, one entry a line, each after ``#EXTINF:seconds,Artist - Title``. An entry
is a path, relative to the playlist's folder or absolute, or a ``file://`` address. Paths of songs may hold any
byte, as ``str`` with the surrogates of ``os.fsdecode``. A line cannot hold every path: one with a line break,
space at its end, bytes that are not UTF-8 or control characters is written as a ``file://`` address, whose bytes are percent-encoded;
one that would be read as a comment or an address gets ``./`` in front.
"""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from songmap.core.errors import UsageError
from songmap.core.files import write_atomically
from songmap.core.text import one_line, readable

SUFFIXES = (".m3u8", ".m3u")
MAX_BYTES = 64 * 2**20  # a playlist of half a million songs; more is not a playlist


class Listed(Protocol):
    """What a playlist says of a song; ``duration`` in seconds, negative where unknown."""

    @property
    def duration(self) -> float: ...
    @property
    def artist(self) -> str: ...
    @property
    def display_title(self) -> str: ...
    @property
    def file_path(self) -> str: ...


@dataclass(frozen=True, slots=True)
class FileEntry:
    """An entry of a playlist file: its line (1 …), its text, the absolute ``paths`` that may be meant, likeliest first, and
    what ``#EXTINF`` calls the song, empty without it."""

    line: int
    text: str
    paths: tuple[str, ...]
    name: str


def is_playlist(text: str) -> bool:
    """Whether a name or path is that of a playlist file."""
    return text.lower().endswith(SUFFIXES)


def write_playlist(file: Path, songs: Iterable[Listed], absolute: bool = False) -> None:
    """Write ``songs`` in playing order as an M3U8 file, atomically.

    Paths are relative to the folder of ``file``, so that both can move together; absolute on request, and for a
    song that shares no folder with ``file`` but the root, or lies on another drive. Raises UsageError.
    """
    lines = ["#EXTM3U"]
    for song in songs:
        seconds = round(song.duration) if song.duration >= 0 else -1  # -1 is unknown
        name = " - ".join(part for part in (song.artist, song.display_title) if part)
        lines += [f"#EXTINF:{seconds},{one_line(name)}", _entry(song.file_path, file, absolute)]
    try:
        write_atomically(file, "".join(f"{line}\n" for line in lines).encode())
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}; choose another --m3u8 FILE") from error


def read_playlist(file: Path, paths: Sequence[str]) -> tuple[list[int], dict[int, str]]:
    """Rows of the songs that an M3U or M3U8 file lists, in its order, and by line the entries that are not.

    ``paths (n_songs,)`` are the library's, absolute. A song is recognised by its path, also through links. Text is
    UTF-8; a line that is not is read as a path in the system's bytes, then as Windows-1252, as
    ``.m3u`` files are. Raises UsageError where the file cannot be read or is not text.
    """
    entries = list(file_entries(file))
    found = rows_of_paths([entry.paths for entry in entries], paths)
    rows = [row for row in found if row is not None]
    unknown = {entry.line: entry.text for row, entry in zip(found, entries, strict=True) if row is None}
    return rows, unknown


def rows_of_paths(candidates: Sequence[Sequence[str]], paths: Sequence[str]) -> list[int | None]:
    """For each entry, whose ``candidates`` are absolute paths, likeliest first, the row of ``paths (n_songs,)``, also through links.

    None where no song of the library is there.
    """
    row_of = {os.path.normcase(path): row for row, path in reversed(list(enumerate(paths)))}
    found = [_row(row_of, own) for own in candidates]
    linked = [place for place, own in enumerate(candidates) if found[place] is None and any(map(os.path.exists, own))]
    if linked:  # only then is every path of the library looked up on the disk
        row_of = {os.path.normcase(os.path.realpath(path)): row for path, row in row_of.items()}
        for place in linked:
            possible = [path for path in candidates[place] if "\0" not in path]  # which no file's name has
            found[place] = _row(row_of, [os.path.realpath(path) for path in possible])
    return found


def _entry(path: str, file: Path, absolute: bool) -> str:
    """The line of the song at ``path``."""
    text = path if absolute else _relative(path, file.absolute().parent)
    if not Path(text).is_absolute():
        text = text.replace(os.sep, "/")
        if text[0] == "#" or text[0].isspace() or ":" in text.split("/")[0]:
            text = f"./{text}"
    if text.splitlines() != [text] or text != text.strip() or text != readable(text):
        return Path(path).as_uri()
    return text


def _relative(path: str, folder: Path) -> str:
    """``path`` from ``folder``; as it is where the way would lead over the root or to another drive."""
    try:
        below = os.path.relpath(path, folder)
        if not below.startswith(os.pardir):
            return below
        # ".." leads to where a folder really is, not to where a link to it is
        real, start = Path(os.path.realpath(Path(path).parent), Path(path).name), os.path.realpath(folder)
        if os.path.commonpath([real, start]) == Path(start).anchor:
            return path
        return os.path.relpath(real, start)
    except ValueError:  # Windows: another drive
        return path


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise UsageError(f"{file} does not exist; give the path of an .m3u8 or .m3u file") from None
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error
    if b"\0" in content or len(content) > MAX_BYTES:
        raise UsageError(f"{file} is not a playlist; give an .m3u8 or .m3u file, which is text")
    return content


def file_entries(file: Path) -> Iterator[FileEntry]:
    """All entries of an M3U or M3U8 file. Text is as for ``read_playlist``. Raises UsageError."""
    folder, name = file.absolute().parent, ""
    content = _read(file).removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    for number, line in enumerate(content.split(b"\n"), start=1):
        line = line.strip()
        if line.upper().startswith(b"#EXTINF:"):
            name = _texts(line)[-1].partition(",")[2].strip()
        if not line or line.startswith(b"#"):
            continue
        texts = _texts(line)
        if os.sep == "/" and b"\\" in line:  # made on Windows
            texts += [text.replace("\\", "/") for text in texts]
        paths = [path for text in texts if (path := path_of_address(text)) is not None]
        yield FileEntry(number, texts[0], tuple(os.path.normpath(folder / path) for path in paths), name)
        name = ""


def _texts(line: bytes) -> list[str]:
    """A line as UTF-8, with the surrogates of ``os.fsdecode``, then, where it is not, as Windows-1252."""
    texts = [line.decode("utf-8", "surrogateescape")]
    if texts[0] != line.decode("utf-8", "replace"):
        texts.append(line.decode("cp1252", "replace"))
    return texts


def path_of_address(text: str) -> str | None:
    """The path that an entry means; None if it is an address of something other than a file."""
    if not re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/", text):
        return text
    if not text.lower().startswith("file:"):
        return None
    try:
        address = urlsplit(text.replace("#", "%23").replace("?", "%3F"))  # these are part of a file's name
    except ValueError:
        return None
    path = unquote(address.path, errors="surrogateescape")
    if os.name == "nt":
        path = f"//{address.netloc}{path}" if address.netloc not in ("", "localhost") else path.removeprefix("/")
    return path


def _row(row_of: dict[str, int], paths: Sequence[str]) -> int | None:
    return next((row_of[path] for path in map(os.path.normcase, paths) if path in row_of), None)
