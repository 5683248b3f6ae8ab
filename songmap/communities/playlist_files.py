"""Playlists of a folder: M3U and M3U8, XSPF, CSV, and slices of the Million Playlist Dataset.

Conventions: a broken file never ends a read; it is reported, with the reason, and what could be read of it is kept. Text is
UTF-8, with or without a byte order mark; where it is not, it is Windows-1252, which has all of Latin-1's letters.
Limits bound what files from anybody can cost: bytes of a file, and entries of all files together.

References
----------
XSPF version 1, xspf.org/spec. Chen, Lamere, Schedl & Zamani 2018, RecSys Challenge 2018: Automatic music playlist
continuation, for the Million Playlist Dataset.
"""

import csv
import io
import json
import os
import re
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from songmap.communities.graph_results import Entry, Playlist, ReadReport, UnreadFile, UnreadReason
from songmap.core.errors import UsageError
from songmap.core.files import open_regular
from songmap.core.progress import OnProgress
from songmap.core.text import shown_path
from songmap.library import m3u8

MAX_ENTRIES = 3_000_000  # of all files; 0.2 GB of 200,000 songs, 1.4 GB where all differ and each is a playlist
MAX_BYTES = {".m3u": m3u8.MAX_BYTES, ".m3u8": m3u8.MAX_BYTES, ".xspf": 32 << 20, ".csv": 256 << 20, ".json": 48 << 20}
MAX_LINE = 1 << 20  # characters of a line of a CSV file, which can be a cell each
_COLUMNS = {  # normalised headings of CSV files, of exports of streaming services too
    "playlist": ("playlist", "playlist name"),
    "title": ("song", "title", "track", "track name", "song name"),
    "artist": ("artist", "artist name", "artist name(s)", "artists"),
    "path": ("path", "file", "file path", "location"),
}


class _Entries:
    """Makes entries; equal ones, and equal artists, are held once."""

    def __init__(self) -> None:
        self._entries: dict[Entry, Entry] = {}
        self._artists: dict[str, str] = {}

    def __call__(self, paths: tuple[str, ...], artist: str, title: str) -> Entry:
        one = Entry(paths, self._artists.setdefault(artist, artist), title)
        return self._entries.setdefault(one, one)


class _Unread(Exception):
    """Ends the reading of a file; what was read of it before is kept."""

    def __init__(self, reason: UnreadReason, detail: object = "") -> None:
        super().__init__(reason, detail)
        self.reason, self.detail = reason, str(detail)


def unread_line(one: UnreadFile) -> str:
    """What is wrong with a file, and where."""
    why = {
        UnreadReason.UNREADABLE: f"cannot be read: {one.detail}",
        UnreadReason.EMPTY: "has no entries",
        UnreadReason.NOT_TEXT: "is not text",
        UnreadReason.BROKEN: f"is broken: {one.detail}",
        UnreadReason.ENTITIES: "declares XML entities, which can grow without limit: refused",
        UnreadReason.NOT_PLAYLISTS: "has no playlists: no list of tracks, or no column of songs",
        UnreadReason.TOO_LARGE: f"is larger than {one.detail} bytes",
        UnreadReason.TOO_MANY_ENTRIES: f"was not read to its end: {one.detail} entries are the limit for all playlists",
    }
    return f"{shown_path(one.file)} {why[one.reason]}"


def read_playlists(source: Path, on_progress: OnProgress | None = None) -> tuple[list[Playlist], ReadReport]:
    """Read all playlists of a folder and those below it, or of one file.

    Parameters
    ----------
    source : Path
        Files with the suffixes of ``MAX_BYTES`` count, hidden ones do not.
    on_progress : callable, optional
        Called with files read and all files.

    Returns
    -------
    playlists : list of Playlist
        In order of the files' paths, then as in the file.
    report : ReadReport

    Raises
    ------
    UsageError
        If the source does not exist or holds no file of such a suffix.
    """
    files, playlists, unread = _files(source), list[Playlist](), list[UnreadFile]()
    entry, n_files, n_left = _Entries(), 0, MAX_ENTRIES
    for done, file in enumerate(files, start=1):
        before = len(playlists)
        try:
            for name, entries in _read(file, entry):
                if len(entries) > n_left:
                    raise _Unread(UnreadReason.TOO_MANY_ENTRIES, MAX_ENTRIES)
                n_left -= len(entries)
                if entries:
                    playlists.append(Playlist(name, file, tuple(entries)))
            if len(playlists) == before:
                raise _Unread(UnreadReason.EMPTY)
        except _Unread as error:
            unread.append(UnreadFile(file, error.reason, error.detail))
        n_files += len(playlists) > before
        if on_progress:
            on_progress(done, len(files))
    return playlists, ReadReport(n_files, len(playlists), MAX_ENTRIES - n_left, tuple(unread))


def _files(source: Path) -> list[Path]:
    known = ", ".join(MAX_BYTES)
    if source.exists() and not source.is_dir():
        if source.suffix.lower() not in MAX_BYTES:
            raise UsageError(f"{source} is not a playlist; give a folder, or a file that ends in {known}")
        return [source]
    if not source.is_dir():
        raise UsageError(f"{source} does not exist; give a folder of playlists ({known}), or one of them")
    files = [
        path
        for path in sorted(source.rglob("*"))
        if path.suffix.lower() in MAX_BYTES
        and not path.is_dir()  # links that lead nowhere, devices and pipes are reported
        and not any(part.startswith(".") for part in path.relative_to(source).parts)
    ]
    if not files:
        raise UsageError(f"{source} holds no playlist; add files that end in {known}")
    return files


def _read(file: Path, entry: _Entries) -> Iterator[tuple[str, list[Entry]]]:
    """Name and entries of each playlist of a file. Raises _Unread."""
    suffix = file.suffix.lower()
    try:
        with open_regular(file) as stream:
            size = os.fstat(stream.fileno()).st_size
            if size > MAX_BYTES[suffix]:
                raise _Unread(UnreadReason.TOO_LARGE, MAX_BYTES[suffix])
            if not size:
                raise _Unread(UnreadReason.EMPTY)
            if b"\0" in stream.read(4096):
                raise _Unread(UnreadReason.NOT_TEXT)
        yield from _READERS[suffix](file, entry)
    except OSError as error:
        raise _Unread(UnreadReason.UNREADABLE, error.strerror) from error


def _read_m3u(file: Path, entry: _Entries) -> Iterator[tuple[str, list[Entry]]]:
    try:
        named = list(islice(m3u8.file_entries(file), MAX_ENTRIES + 1))
    except UsageError as error:  # no other is possible now: it exists, can be read and is not too large
        raise _Unread(UnreadReason.NOT_TEXT) from error
    yield file.stem, [entry(one.paths, *_artist_and_title(one.name)) for one in named]


def _artist_and_title(name: str) -> tuple[str, str]:
    """Of "Artist - Title", as ``#EXTINF`` has it, or a title alone."""
    artist, separator, title = name.partition(" - ")
    return (artist.strip(), title.strip()) if separator else ("", name)


def _read_xspf(file: Path, entry: _Entries) -> Iterator[tuple[str, list[Entry]]]:
    from xml.etree.ElementTree import ParseError

    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import parse

    try:
        root = parse(file).getroot()
    except DefusedXmlException as error:
        raise _Unread(UnreadReason.ENTITIES) from error
    except (ParseError, ValueError, LookupError) as error:  # the last two: of its encoding
        raise _Unread(UnreadReason.BROKEN, error) from error
    if _tag(root) != "playlist":
        raise _Unread(UnreadReason.NOT_PLAYLISTS)
    texts = {_tag(child): child.text or "" for child in root}
    tracks = [track for child in root if _tag(child) == "tracklist" for track in child if _tag(track) == "track"]
    yield texts.get("title", "").strip() or file.stem, [entry(*_xspf_entry(file, track)) for track in tracks]


def _tag(element: Any) -> str:
    """Its name without the namespace, which not every program writes."""
    return str(element.tag).rsplit("}", 1)[-1].lower()


def _xspf_entry(file: Path, track: Any) -> tuple[tuple[str, ...], str, str]:
    """Paths, artist and title of a track."""
    from urllib.parse import unquote

    locations = [(child.text or "").strip() for child in track if _tag(child) == "location"]
    texts = {_tag(child): (child.text or "").strip() for child in track}
    paths = [path for text in filter(None, locations) if (path := m3u8.path_of_address(text)) is not None]
    # a relative location is an address too, though some programs write it as a path
    paths += [unquote(path, errors="surrogateescape") for path in paths if "%" in path]
    return (_absolute(file, paths), texts.get("creator", ""), texts.get("title", ""))


def _absolute(file: Path, paths: list[str]) -> tuple[str, ...]:
    return tuple(os.path.normpath(file.absolute().parent / path) for path in dict.fromkeys(paths))


def _read_csv(file: Path, entry: _Entries) -> Iterator[tuple[str, list[Entry]]]:
    """A row per entry, in any order; without a column of playlists the file is one. Rows of a playlist need not follow each other."""
    entries: dict[str, list[Entry]] = {}
    with io.TextIOWrapper(open_regular(file), encoding=_encoding(file), errors="replace", newline="") as stream:
        lines = _lines(stream)
        try:
            first = next(lines, "")
            delimiter = max(",;\t", key=first.count)
            places = _places(next(csv.reader([first], delimiter=delimiter), []))
            if "title" not in places and "path" not in places:
                raise _Unread(UnreadReason.NOT_PLAYLISTS)
            for row in islice(csv.reader(lines, delimiter=delimiter), MAX_ENTRIES + 1):
                cells = {name: row[place].strip() for name, place in places.items() if place < len(row)}
                path, title = cells.get("path", ""), cells.get("title", "")
                if path or title:
                    paths = _absolute(file, [path] if path else _as_paths(title))
                    entries.setdefault(cells.get("playlist", file.stem), []).append(
                        entry(paths, cells.get("artist", ""), title)
                    )
        except csv.Error as error:
            yield from _taken(entries)
            raise _Unread(UnreadReason.BROKEN, error) from error
    yield from _taken(entries)


def _taken(entries: dict[str, list[Entry]]) -> Iterator[tuple[str, list[Entry]]]:
    """The items in their order; millions are in memory once, since none stays in the dictionary."""
    for name in list(entries):
        yield name, entries.pop(name)


def _lines(stream: TextIO) -> Iterator[str]:
    """Lines of a CSV file. Raises csv.Error for one that is too long."""
    while line := stream.readline(MAX_LINE + 1):
        if len(line) > MAX_LINE:
            raise csv.Error(f"a line has more than {MAX_LINE:,} characters")
        yield line


def _encoding(file: Path) -> str:
    """UTF-8 if all of a file is, else Windows-1252."""
    try:
        with file.open(encoding="utf-8") as stream:
            while stream.read(1 << 20):
                pass
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"


def _places(headings: list[str]) -> dict[str, int]:
    """Where in a row playlist, title, artist and path are."""
    names = [re.sub(r"[_\s]+", " ", heading).strip().lower() for heading in headings]
    places = {
        role: next((names.index(name) for name in known if name in names), -1) for role, known in _COLUMNS.items()
    }
    return {role: place for role, place in places.items() if place >= 0}


def _as_paths(title: str) -> list[str]:
    """The cell of a song can hold its path."""
    return [title] if "/" in title or "\\" in title or re.search(r"\.\w{2,4}$", title) else []


def _read_json(file: Path, entry: _Entries) -> Iterator[tuple[str, list[Entry]]]:
    try:
        document = json.loads(file.read_bytes())
    except (ValueError, RecursionError) as error:
        raise _Unread(UnreadReason.BROKEN, error) from error
    slices = document.get("playlists") if isinstance(document, dict) else None
    if not isinstance(slices, list):
        raise _Unread(UnreadReason.NOT_PLAYLISTS)
    for number, playlist in enumerate(slices):
        tracks = playlist.get("tracks") if isinstance(playlist, dict) else None
        if not isinstance(tracks, list):
            raise _Unread(UnreadReason.NOT_PLAYLISTS)
        texts = ([_text(track, name) for name in ("artist_name", "track_name")] for track in tracks)
        name = _text(playlist, "name").strip() or f"{file.stem} {number}"
        yield name, [entry((), artist, title) for artist, title in texts if title]


def _text(record: Any, name: str) -> str:
    value = record.get(name) if isinstance(record, dict) else None
    return value if isinstance(value, str) else ""


_READERS: dict[str, Callable[[Path, _Entries], Iterator[tuple[str, list[Entry]]]]] = {
    ".m3u": _read_m3u, ".m3u8": _read_m3u, ".xspf": _read_xspf, ".csv": _read_csv, ".json": _read_json
}  # fmt: skip
