"""The songs of a library by name, number or path, and what is known of each; files outside it are analysed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from os import sep
from pathlib import Path
from typing import Any

import numpy as np

from songmap.core.errors import AudioError, QueryError
from songmap.core.streams import quiet_decoders
from songmap.core.text import count_of_songs, normalise, shorten
from songmap.features.analysis import analyse_file
from songmap.library.keys import NO_KEY, camelot, keys_of
from songmap.library.library import Library, song_table
from songmap.library.names import EXACTLY, Names
from songmap.library.recordings import recordings
from songmap.library.schema import AudioConfig
from songmap.library.tempos import TAG, tempos_of
from songmap.library.traits import Trait, qualities, traits
from songmap.similar.song import Song
from songmap.similar.transitions import NO_ARTIST, artist_codes

_TEXTS = ("song_name", "artist", "genre", "title", "album")
_COLUMNS = (*_TEXTS, "year", "duration", "file_path")


@dataclass(frozen=True)
class FoundSong:
    """A song of a request: its ``row``, None outside the library, ``embedding (641,)``, key and whole ``record``."""

    row: int | None
    embedding: np.ndarray
    record: Mapping[str, Any]
    key: int
    song: Song


class Lookup:
    """The songs of a library. Raises QueryError if there are none.

    ``tempo``, one of ``songmap.library.tempos.TEMPO_SOURCES``, decides whether tags' tempos count.
    """

    def __init__(self, library: Library, tempo: str = TAG) -> None:
        if not len(library):
            raise QueryError("the library is empty; add music and run 01_feature_extraction.py")
        self.library, self._tempo = library, tempo
        self._analysed: dict[tuple[str, int, int], FoundSong] = {}  # by path, time and size of the file

    @cached_property
    def names(self) -> Names:
        return Names(self.library.songs)

    @cached_property
    def recordings(self) -> np.ndarray:
        """For every song the row of the first file with the same recording, int64 ``(n_songs,)``."""
        return recordings(self.library.songs)

    @cached_property
    def firsts(self) -> np.ndarray:
        """Rows of the first file of each recording, ascending."""
        return np.unique(self.recordings)

    @property
    def keys(self) -> np.ndarray:
        """Keys that count int ``(n_songs,)``, as ``songmap.library.keys`` numbers them."""
        return self._keys[0]

    @property
    def tempos_bpm(self) -> np.ndarray:
        """Tempos that count, float64 ``(n_songs,)``, 0 where unknown."""
        return self._tempos[0]

    @cached_property
    def _keys(self) -> tuple[np.ndarray, np.ndarray]:
        return keys_of(self.library.songs["key"].tolist(), self.library.embeddings)

    @cached_property
    def _tempos(self) -> tuple[np.ndarray, np.ndarray]:
        return tempos_of(self.library.songs, self._tempo)

    @cached_property
    def qualities(self) -> np.ndarray:
        """What traits are made of, float64 ``(n_songs, 7)``, see ``songmap.library.traits``."""
        return qualities(self.library.embeddings, self.tempos_bpm)

    def traits(self, found: FoundSong) -> tuple[Trait, ...]:
        """What a song is like among those of the library."""
        own = qualities(found.embedding[None], np.array([found.song.tempo_bpm]))[0]
        return traits(own, self.qualities)

    @cached_property
    def artists(self) -> np.ndarray:
        """A number per artist, int64 ``(n_songs,)``, see ``artist_codes``."""
        return artist_codes(self.library.songs["artist"].tolist())

    @cached_property
    def artist_groups(self) -> np.ndarray:
        """The same from 0, a recording whose artist is unknown being by an artist of its own, int64 ``(n_songs,)``."""
        alone = self.artists.max(initial=0) + 1 + self.recordings
        return np.unique(np.where(self.artists == NO_ARTIST, alone, self.artists), return_inverse=True)[1]

    @cached_property
    def _columns(self) -> dict[str, list[Any]]:
        return {name: self.library.songs[name].tolist() for name in _COLUMNS}

    def find(self, name: str, last: Sequence[str] = ()) -> FoundSong:
        """The song of a name, of a path, or of a number of the ``last`` paths, counted from 1.

        Raises QueryError or AudioError.
        """
        number = _number(name)
        if number is not None and 1 <= number <= len(last):
            name = last[number - 1]
        elif number is not None and last and self.names.grade(name) < EXACTLY:
            raise QueryError(f"{number} is not a number of the last answer, which has {count_of_songs(len(last))}")
        row = self.names.row_of(name)
        if row is not None:
            return self.found(row)
        if sep in name and _is(name, Path.is_dir):
            raise QueryError(f"{name} is a folder; give one of its files, or run 01 with --music {name}")
        file = Path(name).expanduser().resolve() if _is(name, Path.is_file) else None
        if file is None or self.names.row_of(str(file)) is not None:
            return self.found(self.names.find(name if file is None else str(file)))
        state = file.stat()
        version = str(file), state.st_mtime_ns, state.st_size
        if version not in self._analysed:
            self._analysed[version] = _analysed(file, self._tempo, self.library.config)
        return self._analysed[version]

    def grade(self, name: str, last: Sequence[str] = ()) -> int:
        """How well ``name`` names a song, as ``Names.grade``; a number of the ``last`` paths and a file do exactly."""
        number = _number(name)
        numbered = number is not None and 1 <= number <= len(last)
        return EXACTLY if numbered or _is(name, Path.is_file) else self.names.grade(name)

    def find_all(self, names: Sequence[str], last: Sequence[str] = ()) -> list[FoundSong]:
        """The songs of several names, as ``find``."""
        return [self.find(name, last) for name in names]

    def found(self, row: int) -> FoundSong:
        """A song of the library."""
        record = self.library.songs.iloc[row].to_dict()
        return FoundSong(int(row), self.library.embeddings[row], record, int(self.keys[row]), self.song(int(row)))

    def rows(self, names: Sequence[str], last: Sequence[str] = ()) -> list[int]:
        """Rows of songs of the library. Raises QueryError for a file outside it."""
        rows = []
        for name, found in zip(names, self.find_all(names, last), strict=True):
            if found.row is None:
                raise QueryError(f"{name} is not in the library; add it to the music and run 01_feature_extraction.py")
            rows.append(found.row)
        return rows

    def song(self, row: int) -> Song:
        """What every result holds of a song of the library."""
        values = {name: column[row] for name, column in self._columns.items()}
        return _song(values, *(pair[row] for pair in (*self._tempos, *self._keys)))

    def songs(self, rows: Sequence[int] | np.ndarray) -> tuple[Song, ...]:
        return tuple(self.song(int(row)) for row in rows)

    def copies_of(self, row: int) -> list[int]:
        """The other files of a recording."""
        same = np.flatnonzero(self.recordings == self.recordings[row])
        return same[same != row].tolist()

    def others(self, named: Sequence[FoundSong], copies: bool = False) -> np.ndarray:
        """Songs that can be in a result, bool ``(n_songs,)``: none of ``named``; one file of each recording, or all."""
        rows = [found.row for found in named if found.row is not None]
        allowed = np.full(len(self.library), copies) | (self.recordings == np.arange(len(self.library)))
        allowed[rows] = False
        if not copies:
            allowed[self.recordings[rows]] = False
        return allowed

    def genre(self, name: str) -> str:
        """The genre of the library with that name, case and accents aside. Raises QueryError."""
        names = sorted(set(self.library.genres))
        if name in names:
            return name
        same = [genre for genre in names if normalise(genre) == normalise(name)]
        if len(same) == 1:
            return same[0]
        raise QueryError(f"no genre {name!r}; there are {shorten(', '.join(names), 400)}")


def _song(values: Mapping[str, Any], tempo_bpm: float, tempo_source: str, key: int, key_source: str) -> Song:
    """A song from a row of the song table, and what counts of its tempo and key."""
    year = float(values["year"])
    return Song(
        **{name: values[name] for name in _TEXTS},
        year=int(year) if np.isfinite(year) else None,
        duration=values["duration"],
        tempo_bpm=float(tempo_bpm),
        tempo_source=tempo_source,
        key="" if key == NO_KEY else camelot(key),
        key_source=key_source,
        file_path=values["file_path"],
    )


def _analysed(file: Path, tempo: str, config: AudioConfig) -> FoundSong:
    try:
        with quiet_decoders():
            analysis = analyse_file(file, config)
    except AudioError as error:
        raise AudioError(f"{file}: {error}") from error
    alone = Lookup(Library(analysis.embedding[None], song_table([analysis.record])), tempo)
    return FoundSong(None, analysis.embedding, analysis.record, int(alone.keys[0]), alone.song(0))


def _number(text: str) -> int | None:
    return int(text) if text.strip().isdecimal() else None


def _is(text: str, kind: Any) -> bool:
    try:
        return bool(kind(Path(text).expanduser()))
    except (OSError, RuntimeError, ValueError):  # not a path, or one that cannot be looked at: then it is a name
        return False
