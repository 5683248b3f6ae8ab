"""A library answers: which songs are like this one, why are two alike, how do genres compare.

Each answer holds records, the content of ``--json``, and tables, what people read. A song is named as
``songmap.core.names.find_song`` understands it, or is the path of any audio file: one outside the library
is heard and placed in the library's space.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from songmap.core.artifacts import Library
from songmap.core.cli import quiet_decoders
from songmap.core.duplicates import recordings
from songmap.core.errors import AudioError, QueryError
from songmap.core.names import find_song, normalise
from songmap.core.nearest import Space, build_space, most_similar
from songmap.core.schema import COLUMN_UNIT, FAMILIES, column_index, family_indices
from songmap.core.style import shorten
from songmap.core.tables import format_duration, format_table, to_json
from songmap.extract.hear import embed_file
from songmap.similar.search import family_contributions, genre_similarity, maximal_marginal_relevance

FACTS = (
    "tempo_bpm", "pulse_clarity", "onset_strength_mean", "rms_mean", "harmonic_rms_mean", "percussive_rms_mean",
    "centroid_mean", "rolloff_mean", "bandwidth_mean", "zero_crossing_rate_mean",
)  # fmt: skip
MAX_MATRIX = 12  # genres whose table of pairs still fits a terminal
MAX_NAME = 60

Row = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """``records`` for programs; ``tables``, each a title and its rows, for people."""

    records: list[Row]
    tables: list[tuple[str, list[Row]]]

    def text(self, as_json: bool) -> str:
        """One JSON document, or the tables."""
        if as_json:
            return to_json(self.records)
        return "\n\n".join(format_table(rows, title) for title, rows in self.tables)


@dataclass(frozen=True)
class Found:
    """A song asked for: its ``row``, None outside the library, its ``embedding (641,)`` and its record."""

    row: int | None
    embedding: np.ndarray
    record: Mapping[str, Any]

    @property
    def label(self) -> str:
        return f"{shorten(self.record['song_name'], MAX_NAME)} [{self.record['genre']}]"


class Answers:
    """Answers about one library in one space. Raises QueryError if the library is empty."""

    def __init__(self, library: Library, space: str = "balanced") -> None:
        if not len(library):
            raise QueryError("the library holds no song; add music and run 01_feature_extraction.py")
        self.library = library
        self._space_name = space

    @cached_property
    def space(self) -> Space:
        if len(self.library) == 1:
            raise QueryError("no other song to compare: the library holds one; add music and run 01 again")
        return build_space(self.library.embeddings, self._space_name)

    @cached_property
    def units(self) -> np.ndarray:
        """Unit vectors of all songs, float32 ``(n_songs, 641)``."""
        return self.space.units(self.library.embeddings)

    @cached_property
    def recordings(self) -> np.ndarray:
        """For every song the row of the first file with the same recording, int64 ``(n_songs,)``."""
        return recordings(self.library.songs)

    def similar(self, song: str, number: int, copies: bool = False) -> Answer:
        """The ``number`` songs most similar to ``song``, nearest first; copies of a recording only if ``copies``."""
        found = self._find(song)
        choice = most_similar(self.units, self._unit(found), number, self._skip(found, copies))
        return self._ranked(found, f"Like {found.label}", choice, copies)

    def diverse(self, song: str, number: int, diversity: float, copies: bool = False) -> Answer:
        """``number`` songs similar to ``song`` but not to each other, in the order of choice; copies as above."""
        found = self._find(song)
        skip = self._skip(found, copies)
        choice = maximal_marginal_relevance(self.units, self._unit(found), number, diversity, skip)
        title = f"Like {found.label}, unlike each other (diversity {diversity:g})"
        return self._ranked(found, title, choice, copies)

    def compare(self, first: str, second: str) -> Answer:
        """How similar two songs are, what each family adds to it, and what they are like in real units."""
        pair = self._find(first), self._find(second)
        contributions = family_contributions(*(self._unit(found) for found in pair))
        similarity = min(1.0, max(-1.0, sum(contributions.values())))  # of a song with itself it may round above
        facts = [{name: float(found.embedding[column_index(name)]) for name in FACTS} for found in pair]
        records = [
            _identity(found.record) | {"similarity": similarity, "contributions": contributions, "facts": own}
            for found, own in zip(pair, facts, strict=True)
        ]
        shares = [
            {"family": family, "columns": len(family_indices(family)), "contribution": _decimals(contributions[family])}
            for family in FAMILIES
        ]
        shares.append({"family": "all", "columns": len(COLUMN_UNIT), "contribution": _decimals(similarity)})
        rows = [{"fact": "duration", "unit": "s"} | {"A": pair[0].record["duration"], "B": pair[1].record["duration"]}]
        rows += [
            {"fact": name, "unit": COLUMN_UNIT[column_index(name)], "A": facts[0][name], "B": facts[1][name]}
            for name in FACTS
        ]
        return Answer(
            records,
            [
                (f"Similarity {similarity:.3f}, and what each family adds to it", shares),
                (f"A: {pair[0].label}   B: {pair[1].label}", rows),
            ],
        )

    def listing(self, genre: str | None = None) -> Answer:
        """All songs, or those of one genre, in path order."""
        songs = self.library.songs
        genre = None if genre is None else self._find_genre(genre)
        rows = np.arange(len(songs)) if genre is None else np.flatnonzero(self.library.genres == genre)
        records = [self.identity_of(row) for row in rows]
        shown = [
            {name: record[name] for name in ("song_name", "artist", "genre")}
            | {"tempo_bpm": round(record["tempo_bpm"], 1), "duration": format_duration(record["duration"])}
            for record in records
        ]
        return Answer(records, [(f"{len(records):,} songs" + (f" of {genre}" if genre else ""), shown)])

    def genres(self) -> Answer:
        """Mean similarity within each genre and between genres."""
        result = genre_similarity(self.units, self.library.genres)
        records = []
        for index, genre in enumerate(result.genres):
            others = {
                name: mean for name, mean in zip(result.genres, result.means[index], strict=True) if name != genre
            }
            nearest = max(others, key=others.__getitem__, default=None)
            records.append(
                {
                    "genre": genre,
                    "songs": int(result.counts[index]),
                    "within": result.means[index, index],
                    "to_others": result.to_others[index],
                    "nearest_genre": nearest,
                    "nearest_similarity": others.get(nearest, float("nan")),
                    "between": others,
                }
            )
        shown = [{name: _shown(record[name]) for name in record if name != "between"} for record in records]
        title = f"Mean similarity within genres {result.within:.3f}, between genres {result.between:.3f}"
        tables = [(title.replace("nan", "—"), shown)]
        if 1 < len(result.genres) <= MAX_MATRIX:
            tables.append(
                (
                    "Between genres",
                    [
                        {"": genre} | {name: _decimals(mean) for name, mean in zip(result.genres, means, strict=True)}
                        for genre, means in zip(result.genres, result.means, strict=True)
                    ],
                )
            )
        return Answer(records, tables)

    def _find(self, song: str) -> Found:
        file = _existing_file(song)
        if file is None or str(file) in set(self.library.songs["file_path"]):
            row = find_song(self.library.songs, song if file is None else str(file))
            return Found(row, self.library.embeddings[row], self.library.songs.iloc[row])
        try:
            with quiet_decoders():
                embedding, record = embed_file(file)
        except AudioError as error:
            raise AudioError(f"{file}: {error}") from error
        return Found(None, embedding, record)

    def _unit(self, found: Found) -> np.ndarray:
        return self.units[found.row] if found.row is not None else self.space.units(found.embedding[None])[0]

    def _skip(self, found: Found, copies: bool) -> np.ndarray:
        """Rows that are no answer: the song asked for and, without ``copies``, all but one file of each recording."""
        own = np.arange(len(self.library)) == (-1 if found.row is None else found.row)
        if not copies:
            own |= self.recordings != np.arange(len(self.library))
            if found.row is not None:
                own[self.recordings[found.row]] = True
        return np.flatnonzero(own)

    def _find_genre(self, query: str) -> str:
        names = sorted(set(self.library.genres))
        if query in names:
            return query
        same = [name for name in names if normalise(name) == normalise(query)]
        if len(same) == 1:
            return same[0]
        raise QueryError(f"no genre {query!r}; there are {shorten(', '.join(names), 400)}")

    def rows(self, songs: Sequence[str]) -> list[int]:
        """Rows of songs of the library. Raises QueryError for a file outside it, which has no place in an order."""
        found = [self._find(song) for song in songs]
        for song, one in zip(songs, found, strict=True):
            if one.row is None:
                raise QueryError(f"{song} is not in the library; add it to the music and run 01_feature_extraction.py")
        return [one.row for one in found if one.row is not None]

    def label(self, row: int) -> str:
        """Name and genre of a song, for a title."""
        return Found(row, self.library.embeddings[row], self.library.songs.iloc[row]).label

    def identity_of(self, row: int) -> Row:
        """What every answer says of a song."""
        return _identity(self.library.songs.iloc[row])

    def _ranked(self, found: Found, title: str, choice: tuple[np.ndarray, np.ndarray], copies: bool) -> Answer:
        records = []
        for rank, (row, similarity) in enumerate(zip(*choice, strict=True), start=1):
            song = self.identity_of(row)
            names = {name: song.pop(name) for name in ("song_name", "artist", "genre")}
            records.append(
                {"rank": rank} | names | {"similarity": float(similarity)} | song
                | {"query_file_path": found.record["file_path"]}
            )  # fmt: skip
        shown = [
            {
                "rank": record["rank"],
                "song_name": record["song_name"],
                "artist": record["artist"],
                "genre": record["genre"],
                "similarity": _decimals(record["similarity"]),
                "tempo_bpm": round(record["tempo_bpm"], 1),
            }
            for record in records
        ]
        named = [*choice[0], *([] if found.row is None else [found.row])]
        left_out = int(np.isin(self.recordings, self.recordings[named]).sum()) - len(named)
        if left_out and not copies:
            title += f"; {left_out:,} {'copy' if left_out == 1 else 'copies'} of these left out (--copies lists them)"
        return Answer(records, [(title, shown)])


def _identity(record: Mapping[str, Any]) -> Row:
    return {
        name: record[name] for name in ("song_name", "artist", "genre", "title", "tempo_bpm", "duration", "file_path")
    }


def _existing_file(text: str) -> Path | None:
    """The file that ``text`` is the path of, resolved as the library's paths are."""
    try:
        path = Path(text).expanduser()
        return path.resolve() if path.is_file() else None
    except (OSError, RuntimeError):  # no path, or none that may be looked at (too long, ~nobody): then it is a name
        return None


def _decimals(value: float) -> str:
    """Three decimals, aligned with a minus sign; nothing for NaN."""
    return "" if np.isnan(value) else f"{value:6.3f}"


def _shown(value: Any) -> Any:
    return _decimals(value) if isinstance(value, float) else value
