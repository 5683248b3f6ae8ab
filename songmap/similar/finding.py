"""What every answer is made of: the answer itself, songs found by what people call them, and what is said of a song."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from songmap.core.errors import AudioError, QueryError
from songmap.core.serialise import to_json
from songmap.core.streams import quiet_decoders
from songmap.core.tables import format_table
from songmap.core.text import shorten
from songmap.features.analysis import analyse_file
from songmap.library.keys import NO_KEY, camelot, estimate_keys
from songmap.library.library import Library
from songmap.library.names import Names, normalise
from songmap.library.recordings import recordings

IDENTITY = ("song_name", "artist", "genre", "title", "album", "year", "duration", "tempo_bpm")
MAX_NAME = 60

Row = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """``records`` for programs; ``sentences`` and ``tables``, each a title and its rows, for people."""

    records: list[Row]
    tables: list[tuple[str, list[Row]]]
    sentences: tuple[str, ...] = ()

    def text(self, as_json: bool = False) -> str:
        """One JSON document, or the sentences and tables."""
        if as_json:
            return to_json(self.records)
        said = ["\n".join(self.sentences)] if self.sentences else []
        return "\n\n".join([*said, *(format_table(rows, title) for title, rows in self.tables)])

    def csv(self) -> str:
        """The records as CSV under a line of names; a list or mapping in a record is JSON in its cell."""
        rows = [
            {name: to_json(value) if isinstance(value, Mapping | list) else value for name, value in record.items()}
            for record in self.records
        ]
        return pd.DataFrame(rows, dtype=object).to_csv(index=False, lineterminator="\n") if rows else ""


@dataclass(frozen=True)
class Found:
    """A song asked for: its ``row``, None outside the library, its ``embedding (641,)`` and its record."""

    row: int | None
    embedding: np.ndarray
    record: Mapping[str, Any]

    @property
    def label(self) -> str:
        """Name and genre, for a title."""
        return f"{shorten(self.record['song_name'], MAX_NAME)} [{self.record['genre']}]"

    @property
    def key(self) -> int:
        """The estimated key, as ``core.keys`` numbers them."""
        return int(estimate_keys(self.embedding[None])[0][0])


class Finder:
    """The songs of a library by name, number or path. Raises QueryError if the library is empty.

    ``last`` are the rows of the last ranked answer: a song called 1 … len(last) is one of these.
    """

    def __init__(self, library: Library) -> None:
        if not len(library):
            raise QueryError("the library holds no song; add music and run 01_feature_extraction.py")
        self.library = library
        self.last: list[int] = []
        self._heard: dict[tuple[str, int, int], Found] = {}  # files outside the library, as they were when heard

    @cached_property
    def names(self) -> Names:
        return Names(self.library.songs)

    @cached_property
    def recordings(self) -> np.ndarray:
        """For every song the row of the first file with the same recording, int64 ``(n_songs,)``."""
        return recordings(self.library.songs)

    @cached_property
    def keys(self) -> np.ndarray:
        """Estimated keys int ``(n_songs,)``, as ``core.keys`` numbers them."""
        return estimate_keys(self.library.embeddings)[0]

    def find(self, song: str) -> Found:
        """The song that is meant; a file outside the library is heard. Raises QueryError or AudioError."""
        if song.strip().isdecimal() and 1 <= int(song) <= len(self.last):
            return self.found(self.last[int(song) - 1])
        file = _existing_file(song)
        if file is None or self.names.row_of(str(file)) is not None:
            return self.found(self.names.find(song if file is None else str(file)))
        state = file.stat()
        version = str(file), state.st_mtime_ns, state.st_size
        if version not in self._heard:
            try:
                with quiet_decoders():
                    analysis = analyse_file(file)
            except AudioError as error:
                raise AudioError(f"{file}: {error}") from error
            self._heard[version] = Found(None, analysis.embedding, analysis.record)
        return self._heard[version]

    def found(self, row: int) -> Found:
        """A song of the library."""
        return Found(int(row), self.library.embeddings[row], self.library.songs.iloc[row])

    def rows(self, songs: Sequence[str]) -> list[int]:
        """Rows of songs of the library. Raises QueryError for a file outside it, which has no place in an order."""
        found = [self.find(song) for song in songs]
        for song, one in zip(songs, found, strict=True):
            if one.row is None:
                raise QueryError(f"{song} is not in the library; add it to the music and run 01_feature_extraction.py")
        return [one.row for one in found if one.row is not None]

    def label(self, row: int) -> str:
        """Name and genre of a song, for a title."""
        return self.found(row).label

    def identity_of(self, row: int) -> Row:
        """What every answer says of a song."""
        return self._identity({name: values[row] for name, values in self._columns.items()}, self.keys[row])

    def identity(self, found: Found) -> Row:
        """The same of a song that may be outside the library."""
        return self._identity(found.record, found.key)

    def numbered(self, rows: Iterable[int], extra: Sequence[Row] | None = None) -> list[Row]:
        """Ranked records of songs with what is ``extra`` to say of each; their numbers now name these songs."""
        self.last = [int(row) for row in rows]
        records = []
        for rank, row in enumerate(self.last, start=1):
            song = self.identity_of(row)
            names = {name: song.pop(name) for name in ("song_name", "artist", "genre")}
            records.append({"rank": rank} | names | (extra[rank - 1] if extra else {}) | song)
        return records

    def copies_of(self, row: int) -> list[int]:
        """The other files of a recording."""
        same = np.flatnonzero(self.recordings == self.recordings[row])
        return same[same != row].tolist()

    def find_genre(self, query: str) -> str:
        """The genre of the library that is meant, case and accents aside. Raises QueryError."""
        names = sorted(set(self.library.genres))
        if query in names:
            return query
        same = [name for name in names if normalise(name) == normalise(query)]
        if len(same) == 1:
            return same[0]
        raise QueryError(f"no genre {query!r}; there are {shorten(', '.join(names), 400)}")

    @cached_property
    def _columns(self) -> dict[str, list[Any]]:
        return {name: self.library.songs[name].tolist() for name in (*IDENTITY, "file_path")}

    @staticmethod
    def _identity(record: Mapping[str, Any], key: int) -> Row:
        year = float(record.get("year", np.nan))
        return {name: record.get(name, "") for name in IDENTITY} | {
            "year": int(year) if np.isfinite(year) else None,
            "key_estimate": "" if key == NO_KEY else camelot(int(key)),
            "file_path": record["file_path"],
        }


def _existing_file(text: str) -> Path | None:
    """The file that ``text`` is the path of, resolved as the library's paths are."""
    try:
        path = Path(text).expanduser()
        return path.resolve() if path.is_file() else None
    except (OSError, RuntimeError, ValueError):  # no path, or none that may be looked at: then it is a name
        return None
