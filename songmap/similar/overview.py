"""What is asked of a library as a whole: what it holds, how genres compare, what stands out, which space does best."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np

from songmap.core.defaults import DEFAULT_SEED
from songmap.core.errors import QueryError, SchemaError
from songmap.core.progress import progress
from songmap.core.text import format_duration
from songmap.core.workspace import Workspace
from songmap.library.genre_model import GenreModel, load_model
from songmap.library.library import Library, library_fingerprint
from songmap.library.names import normalise
from songmap.library.recordings import DuplicateGroup, coordinates, duplicate_rows
from songmap.library.schema import UNKNOWN_GENRE
from songmap.library.search import Search, open_search
from songmap.library.spaces import SPACES, Space, build_space
from songmap.similar import quality
from songmap.similar.filters import TEMPO_FACTORS
from songmap.similar.finding import Answer, Finder, Found, Row
from songmap.similar.genres import genre_similarity

MAX_MATRIX = 12  # genres whose table of pairs still fits a terminal
_TOLD_PROGRESS = 20_000  # songs from which on what compares all of them shows how far it is


class Overview(Finder):
    """A library in one space. Raises QueryError if the library is empty.

    ``weights`` say how much a family counts in balanced and scaled, ``correct_hubs`` is explained in ``Search``.
    ``workspace`` is where the genre model of the classifier space and the index of a large library are.
    """

    def __init__(
        self,
        library: Library,
        workspace: Workspace | None = None,
        space: str = SPACES[0],
        weights: Mapping[str, float] | None = None,
        correct_hubs: bool = False,
    ) -> None:
        super().__init__(library)
        self._workspace, self._space_name, self._weights, self._correct_hubs = workspace, space, weights, correct_hubs

    @cached_property
    def space(self) -> Space:
        """Where songs are compared. Raises QueryError if there is but one."""
        return self._space(self._space_name, self._weights)

    @cached_property
    def search(self) -> Search:
        """What finds the nearest songs."""
        return self._open(self.space, self._correct_hubs)

    def listing(self, genre: str | None = None) -> Answer:
        """All songs, or those of one genre, in path order."""
        genre = None if genre is None else self.find_genre(genre)
        rows = np.arange(len(self.library)) if genre is None else np.flatnonzero(self.library.genres == genre)
        records = self.numbered(rows)
        table = [shown(record, ()) | {"duration": format_duration(record["duration"])} for record in records]
        return Answer(records, [(f"{len(records):,} songs" + (f" of {genre}" if genre else ""), table)])

    def genres(self) -> Answer:
        """Mean similarity within each genre and between genres."""
        result = genre_similarity(self.search, self.library.genres)
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
        rows = [{name: decimals(record[name]) for name in record if name != "between"} for record in records]
        title = f"Mean similarity within genres {result.within:.3f}, between genres {result.between:.3f}"
        tables = [(title.replace("nan", "—"), rows)]
        if 1 < len(result.genres) <= MAX_MATRIX:
            pairs = zip(result.genres, result.means, strict=True)
            table = [
                {"": genre} | {name: decimals(mean) for name, mean in zip(result.genres, means, strict=True)}
                for genre, means in pairs
            ]
            tables.append(("Between genres", table))
        return self._noted(Answer(records, tables))

    def duplicates(self) -> Answer:
        """Files of one recording in groups, the file that stands for it first; similarities are those of copies."""
        groups = []
        rows, counts = np.unique(self.recordings, return_counts=True)
        for first in rows[counts > 1]:
            members = np.flatnonzero(self.recordings == first)
            points = coordinates(self.library.embeddings[members]).astype(np.float64)
            groups.append(DuplicateGroup(members, 1 / (1 + np.linalg.norm(points - points[0], axis=1))))
        self.last = [int(row) for group in groups for row in group.rows]
        records = [{"rank": rank} | one for rank, one in enumerate(duplicate_rows(groups, self.library.songs), start=1)]
        table = [
            record | {"duration": format_duration(record["duration"]), "similarity": decimals(record["similarity"])}
            for record in records
        ]
        title = "Recordings in several files"
        if groups:
            title = f"{len(groups):,} {title.lower()}; similarity to the first: 1 is the same sound, 0.5 the limit of a copy"
        return Answer(records, [(title, table)])

    def outliers(self, number: int) -> Answer:
        """The ``number`` songs least like any other: with the lowest mean similarity to their ``NEAREST`` nearest."""
        firsts = np.unique(self.recordings)
        _, similarities = self.neighbours(quality.NEAREST)
        means = np.nanmean(similarities[firsts], axis=1) if len(firsts) > 1 else np.zeros(0)
        order = np.argsort(means, kind="stable")[:number]
        records = self.numbered(firsts[order], [{"similarity": float(mean)} for mean in means[order]])
        title = f"Songs farthest from all others, by their mean similarity to their {quality.NEAREST} nearest"
        title += f"; the library's median is {np.median(means):.3f}" if len(means) else ""
        title += self._measure
        return self._noted(Answer(records, [(title, [shown(record) for record in records])]))

    def hubs(self, number: int) -> Answer:
        """The ``number`` songs that are among the ``NEAREST`` nearest of most others, and how uneven that is."""
        firsts = np.unique(self.recordings)
        occurrence = quality.k_occurrence(self.neighbours(quality.NEAREST)[0][firsts], len(self.library))[firsts]
        order = np.argsort(-occurrence, kind="stable")[:number]
        records = self.numbered(firsts[order], [{"k_occurrence": int(count)} for count in occurrence[order]])
        title = (
            f"Songs that are among the {quality.NEAREST} nearest of most others (N{quality.NEAREST}): the mean is "
            f"{occurrence.mean():.1f}, {(occurrence == 0).sum():,} of {len(firsts):,} are among none; "
            f"skewness {quality.skewness(occurrence):.2f}, 0 is even"
        )
        return self._noted(Answer(records, [(title, [shown(record, ("k_occurrence",)) for record in records])]))

    def evaluate(self, seed: int = DEFAULT_SEED) -> Answer:
        """How well each space, with and without correction of hubs, finds songs of one genre, artist and album."""
        songs = self.library.songs
        whose = songs["album_artist"].where(songs["album_artist"] != "", songs["artist"]).map(normalise)
        albums = [
            (album, artist) if album else "" for album, artist in zip(songs["album"].map(normalise), whose, strict=True)
        ]
        labels = {
            "genre": quality.label_codes(self.library.genres, UNKNOWN_GENRE),
            "artist": quality.label_codes(songs["artist"].map(normalise), ""),
            "album": quality.label_codes(albums, ""),
        }
        spaces = {name: self._space(name, None) for name in SPACES if name != "classifier"}
        if self._weights:
            spaces[f"{self._space_name}, weighted"] = self.space
        notes = quality.notes(len(np.unique(self.recordings)))
        try:
            spaces["classifier"] = self._space("classifier", None)
            notes.append(f"The classifier space {self._model_note}: its figures flatter it.")
        except SchemaError as error:
            notes.append(f"The classifier space is left out: {error}.")
        records = []
        for name, corrected in product(spaces, (False, True)):
            search = self._open(spaces[name], corrected)
            with self._progress(f"{name} space") as told:
                scores = quality.scores(search, self.recordings, labels, seed, told)
            records.append({"space": name, "hubs_corrected": corrected} | scores)
        return Answer(
            records,
            quality.tables(records),
            (*notes, *quality.best([one for one in records if one["space"] != "classifier"])),
        )

    def neighbours(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows and similarities, both ``(n_songs, number)``, of the nearest other recordings of every song."""
        if number not in self._neighbours:
            with self._progress("neighbours") as told:
                self._neighbours[number] = self.search.neighbours(number, self.recordings, told)
        return self._neighbours[number]

    @cached_property
    def _neighbours(self) -> dict[int, tuple[np.ndarray, np.ndarray]]:
        return {}

    def _space(self, name: str, weights: Mapping[str, float] | None) -> Space:
        if len(self.library) == 1:
            raise QueryError("no other song to compare: the library holds one; add music and run 01 again")
        model = self._model[0] if name == "classifier" else None
        return build_space(self.library.embeddings, name, weights, model)

    def _open(self, space: Space, correct_hubs: bool) -> Search:
        with self._progress("search") as told:
            return open_search(self.library, space, self._workspace, told, correct_hubs=correct_hubs)

    @contextmanager
    def _progress(self, label: str) -> Iterator[Any]:
        if len(self.library) < _TOLD_PROGRESS:
            yield None
        else:
            with progress(label) as told:
                yield told

    @cached_property
    def _model(self) -> tuple[GenreModel, dict[str, Any]]:
        if self._workspace is None:
            raise SchemaError("the classifier space needs a workspace with a model; run 03_genre_classifier.py first")
        return load_model(self._workspace)

    @cached_property
    def _model_note(self) -> str:
        """What the classifier space rests on."""
        model, card = self._model
        of_this = card.get("data") == library_fingerprint(self.library)
        whose = (
            "has learned from these very songs"
            if of_this
            else "learned from another state of this library, or another one"
        )
        return f"rests on the genre model {model.name}, which {whose}"

    @property
    def _measure(self) -> str:
        """What a ranked answer's title adds on its similarities, where they are not those of the default."""
        told = "" if self._space_name == SPACES[0] else f"; in the {self._space_name} space"
        if self._weights:
            told += f"; {', '.join(f'{family} counts {times:g}' for family, times in self._weights.items())}"
        return told + ("; similarity is mutual proximity, 0 to 1, which corrects hubs" if self._correct_hubs else "")

    def _noted(self, answer: Answer) -> Answer:
        """The answer with what its space rests on, where that is a model."""
        if self._space_name != "classifier":
            return answer
        return replace(answer, sentences=(*answer.sentences, f"The classifier space {self._model_note}."))

    def _unit(self, found: Found) -> np.ndarray:
        return self.search.units([found.row])[0] if found.row is not None else self.search.unit(found.embedding)

    def _others(self, named: Sequence[Found], copies: bool) -> np.ndarray:
        """Songs that can be an answer, bool ``(n_songs,)``: none that is ``named``, one file of each recording or all."""
        rows = [found.row for found in named if found.row is not None]
        allowed = np.full(len(self.library), copies) | (self.recordings == np.arange(len(self.library)))
        allowed[rows] = False
        if not copies:
            allowed[self.recordings[rows]] = False
        return allowed


def shown(record: Row, figures: Sequence[str] = ("similarity",)) -> Row:
    """A ranked record for people: ``figures`` between who it is and what a DJ asks first."""
    tempo = f"{record['tempo_bpm']:.1f}"
    taken = record.get("tempo_taken", "as it is")
    if taken != "as it is":
        tempo += f" ({taken}: {record['tempo_bpm'] * TEMPO_FACTORS[taken]:.1f})"
    return (
        {name: record[name] for name in ("rank", "song_name", "artist", "genre")}
        | {name: decimals(record[name]) for name in figures}
        | {"tempo_bpm": round(record["tempo_bpm"], 1) if taken == "as it is" else tempo}
        | {"key_estimate": record["key_estimate"]}
    )


def decimals(value: Any) -> Any:
    """Three decimals of a float, aligned with a minus sign, nothing for NaN; other values as they are."""
    if not isinstance(value, float):
        return value
    return "" if np.isnan(value) else f"{value:6.3f}"
