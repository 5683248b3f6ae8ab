"""A library answers: which songs are like this one, why two are alike, what stands out, how genres compare.

Each answer holds records, the content of ``--json``, and tables, what people read. A song is named as
``songmap.core.names`` understands it, is the number of one in the last ranked answer, or is the path of any audio
file: one outside the library is heard and placed in the library's space.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from songmap.core.artifacts import Library, library_fingerprint, load_model
from songmap.core.classifier import GenreModel
from songmap.core.cli import progress
from songmap.core.config import DEFAULT_SEED, UNKNOWN_GENRE, Workspace
from songmap.core.duplicates import DuplicateGroup, coordinates, duplicate_rows
from songmap.core.errors import QueryError, SchemaError
from songmap.core.keys import NO_KEY, estimate_keys, key_name
from songmap.core.names import normalise
from songmap.core.nearest import SPACES, Search, Space, build_space, cosines, open_search
from songmap.core.schema import COLUMN_UNIT, column_index, family_indices
from songmap.core.style import draw
from songmap.core.tables import format_duration
from songmap.similar import quality, reasons
from songmap.similar.filters import TEMPO_FACTORS, Filters, allowed_by, held_filters, tempo_factors
from songmap.similar.finding import Answer, Finder, Found, Row
from songmap.similar.search import genre_similarity
from songmap.similar.transitions import NO_ARTIST, artist_codes

DIVERSE_POOL = 500  # songs nearest to the query that a diverse choice of n considers: this many, or 2 n if that is more
AWAY = 0.5  # how much songs to steer away from count against those to be like
MAX_MATRIX = 12  # genres whose table of pairs still fits a terminal
_TOLD_PROGRESS = 20_000  # songs from which on what compares all of them shows how far it is


class Answers(Finder):
    """Answers about one library in one space. Raises QueryError if the library is empty.

    ``weights`` say how much a family counts in balanced and scaled, ``correct_hubs`` is explained in ``open_search``.
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

    @property
    def units(self) -> np.ndarray:
        """Unit vectors of all songs, float32 ``(n_songs, d)``."""
        return self.search.units(np.arange(len(self.library)))

    def similar(self, songs: Sequence[str], away: Sequence[str], number: int, filters: Filters) -> Answer:
        """The ``number`` songs most similar to all of ``songs`` and unlike those of ``away``, nearest first.

        The query is the sum of the songs' unit vectors at length 1, less ``AWAY`` times the same of ``away``.
        """
        return self._alike(songs, away, number, 0.0, filters)

    def diverse(
        self, songs: Sequence[str], away: Sequence[str], number: int, diversity: float, filters: Filters
    ) -> Answer:
        """``number`` songs similar to the same query but not to each other, in the order of choice.

        Each choice is the song i with the largest ``(1 - diversity) * sim(query, i) - diversity * max sim(i, j)``
        over the songs j chosen so far (Carbonell & Goldstein 1998, their λ is 1 - diversity), from the
        ``max(DIVERSE_POOL, 2 * number)`` nearest. Ties go to the song nearer to the query, then to row order.
        """
        if not 0 <= diversity <= 1:
            raise QueryError(f"a diversity of {diversity} is out of range, give 0 to 1")
        return self._alike(songs, away, number, diversity, filters)

    def compare(self, first: str, second: str) -> Answer:
        """How similar two songs are, what each family adds to it, and what they are like in real units."""
        pair = self.find(first), self.find(second)
        similarity, products = reasons.split(*(self._unit(found) for found in pair))
        contributions = reasons.by_family(products) if self.space.by_family else {}
        facts = [{name: float(found.embedding[column_index(name)]) for name in reasons.FACTS} for found in pair]
        records = [
            self.identity(found) | {"similarity": similarity, "contributions": contributions, "facts": own}
            for found, own in zip(pair, facts, strict=True)
        ]
        shares = [
            {"family": family, "columns": len(family_indices(family)), "contribution": _decimals(share)}
            for family, share in contributions.items()
        ]
        shares.append({"family": "all", "columns": len(COLUMN_UNIT), "contribution": _decimals(similarity)})
        rows = [
            {"fact": "duration", "unit": ""} | _sides(format_duration(found.record["duration"]) for found in pair),
            {"fact": "key, estimated", "unit": ""} | _sides(key_name(found.key) for found in pair),
        ]
        rows += [
            {"fact": name, "unit": COLUMN_UNIT[column_index(name)]}
            | _sides(reasons.quantity(own[name]) for own in facts)
            for name in reasons.FACTS
        ]
        title = f"Similarity {similarity:.3f}" + (", and what each family adds to it" if contributions else "")
        return self._noted(Answer(records, [(title, shares), (f"A: {pair[0].label}   B: {pair[1].label}", rows)]))

    def why(self, first: str, second: str, picture: Path | None = None) -> Answer:
        """What each family adds to the similarity of two songs, and the measures behind it; also drawn on request.

        The contributions of the seven families add up to the similarity, which is the record of family "all".
        Raises QueryError in a space that has no families.
        """
        if not self.space.by_family:
            raise QueryError(
                f"in the {self.space.name} space a similarity does not split into families of columns; "
                "ask why with --space balanced or scaled"
            )
        found = self.find(first), self.find(second)
        sides = [reasons.Side(one.label, one.record["genre"], one.embedding, self._unit(one), one.key) for one in found]
        reason = reasons.explain(sides[0], sides[1], self.library.embeddings, self.library.genres, self._place(*found))
        paths = {"first_file_path": found[0].record["file_path"], "second_file_path": found[1].record["file_path"]}
        if picture is not None:
            draw(reasons.why_picture, picture, reason)
        return Answer([record | paths for record in reason.records], reason.tables(), tuple(reason.sentences))

    def info(self, song: str) -> Answer:
        """Everything known of one song, and where it stands in the library."""
        found = self.find(song)
        keys, correlations = estimate_keys(found.embedding[None])
        copies = [] if found.row is None else self.copies_of(found.row)
        near = self._nearest_song(found)
        measures = [reasons.standing(name, found.embedding, self.library.embeddings) for name in reasons.FACTS]
        record = self.identity(found)
        record |= {name: value for name, value in found.record.items() if name not in (*record, "key", "duplicate_of")}
        record |= {
            "key_correlation": float(correlations[0]) if keys[0] != NO_KEY else None,
            "key_tag": found.record.get("key", ""),
            "copies": [self.library.songs["file_path"].iloc[row] for row in copies],
            "nearest": near,
            "measures": measures,
        }
        about = dict(record) | {
            "duration": format_duration(record["duration"]),
            "year": str(record["year"] or ""),
            "tempo_bpm": f"{record['tempo_bpm']:.1f}" if record["tempo_bpm"] > 0 else "none found",
            "key_estimate": key_name(int(keys[0])) or "none",
            "key_correlation": f"{correlations[0]:.2f} with the profile of the key" if keys[0] != NO_KEY else "",
            "copies": "\n".join(record["copies"]),
            "nearest": near and f"{near['song_name']} [{near['genre']}], similarity {near['similarity']:.3f}",
        }
        shown = [
            {"of the song": name.replace("_", " "), "": value}
            for name, value in about.items()
            if name not in ("song_name", "measures") and value not in ("", None) and value == value
        ]
        table = [
            one | {"value": reasons.quantity(one["value"]), "percentile": f"{one['percentile']:.0f}"}
            for one in measures
        ]
        return self._noted(Answer([record], [(found.label, shown), ("Among all songs of the library", table)]))

    def listing(self, genre: str | None = None) -> Answer:
        """All songs, or those of one genre, in path order."""
        genre = None if genre is None else self.find_genre(genre)
        rows = np.arange(len(self.library)) if genre is None else np.flatnonzero(self.library.genres == genre)
        records = self.numbered(rows)
        shown = [_shown(record, ()) | {"duration": format_duration(record["duration"])} for record in records]
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
        shown = [{name: _decimals(record[name]) for name in record if name != "between"} for record in records]
        title = f"Mean similarity within genres {result.within:.3f}, between genres {result.between:.3f}"
        tables = [(title.replace("nan", "—"), shown)]
        if 1 < len(result.genres) <= MAX_MATRIX:
            pairs = zip(result.genres, result.means, strict=True)
            table = [
                {"": genre} | {name: _decimals(mean) for name, mean in zip(result.genres, means, strict=True)}
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
        shown = [
            record | {"duration": format_duration(record["duration"]), "similarity": _decimals(record["similarity"])}
            for record in records
        ]
        title = f"{len(groups):,} recordings in several files" if groups else "Recordings in several files"
        return Answer(
            records, [(title + "; similarity to the first, 1 for equal sound, at least 0.5" * bool(groups), shown)]
        )

    def outliers(self, number: int) -> Answer:
        """The ``number`` songs least like any other: with the lowest mean similarity to their ``NEAREST`` nearest."""
        firsts = np.unique(self.recordings)
        _, similarities = self.neighbours(quality.NEAREST)
        means = np.nanmean(similarities[firsts], axis=1) if len(firsts) > 1 else np.zeros(0)
        order = np.argsort(means, kind="stable")[:number]
        records = self.numbered(firsts[order], [{"similarity": float(mean)} for mean in means[order]])
        title = f"Songs farthest from all others, by their mean similarity to their {quality.NEAREST} nearest"
        title += f"; the library's median is {np.median(means):.3f}" if len(means) else ""
        return self._noted(Answer(records, [(title, [_shown(record) for record in records])]))

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
        return self._noted(Answer(records, [(title, [_shown(record, ("k_occurrence",)) for record in records])]))

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
        notes = quality.notes(len(np.unique(self.recordings)))
        if self._workspace is not None and self._workspace.model.exists():
            spaces["classifier"] = self._space("classifier", None)
            notes.append(f"The classifier space {self._model_note}: its figures flatter it.")
        else:
            notes.append("The classifier space needs a model: run 03_genre_classifier.py.")
        records = [
            {"space": name, "hubs_corrected": corrected}
            | quality.scores(self._open(space, corrected), self.recordings, labels, seed)
            for name, space in spaces.items()
            for corrected in (False, True)
        ]
        return Answer(records, quality.tables(records), tuple(notes))

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

    def _noted(self, answer: Answer) -> Answer:
        """The answer with what its space rests on, where that is a model."""
        if self._space_name != "classifier":
            return answer
        return replace(answer, sentences=(*answer.sentences, f"The classifier space {self._model_note}."))

    def _unit(self, found: Found) -> np.ndarray:
        return self.search.units([found.row])[0] if found.row is not None else self.search.unit(found.embedding)

    def _query(self, songs: Sequence[Found], away: Sequence[Found]) -> np.ndarray:
        if len(songs) == 1 and not away:
            return self._unit(songs[0])
        towards, from_ = (
            np.sum([self._unit(found) for found in group], axis=0, dtype=np.float64)
            if group
            else np.zeros(self.space.size)
            for group in (songs, away)
        )
        query = _normalised(towards) - AWAY * _normalised(from_)
        if songs and not np.linalg.norm(query) > 1e-6 and any(self._unit(found).any() for found in songs):
            raise QueryError("these songs cancel each other out: together they have no direction; leave one out")
        return _normalised(query).astype(np.float32)

    def _others(self, named: Sequence[Found], copies: bool) -> np.ndarray:
        """Songs that can be an answer, bool ``(n_songs,)``: none that is ``named``, one file of each recording or all."""
        rows = [found.row for found in named if found.row is not None]
        allowed = np.full(len(self.library), copies) | (self.recordings == np.arange(len(self.library)))
        allowed[rows] = False
        if not copies:
            allowed[self.recordings[rows]] = False
        return allowed

    def _alike(
        self, songs: Sequence[str], away: Sequence[str], number: int, diversity: float, filters: Filters
    ) -> Answer:
        asked, avoided = [self.find(song) for song in songs], [self.find(song) for song in away]
        query = self._query(asked, avoided)
        filters = replace(filters, genres=tuple(self.find_genre(genre) for genre in filters.genres))
        asked_genres, asked_keys = [found.record["genre"] for found in asked], [found.key for found in asked]
        held = held_filters(filters, self.library, self.keys, asked_genres, asked_keys)
        allowed = allowed_by(held, self._others([*asked, *avoided], filters.copies))
        rows, similarities, full_artists = self._chosen(query, number, diversity, allowed, filters.max_per_artist)
        extra: list[Row] = [{"similarity": float(similarity)} for similarity in similarities]
        if filters.bpm is not None:
            factors = tempo_factors(self.library.songs["tempo_bpm"].to_numpy(dtype=np.float64)[rows], filters.bpm)
            told = {factor: name for name, factor in TEMPO_FACTORS.items()}
            for one, factor in zip(extra, factors, strict=True):
                one["tempo_taken"] = told[float(factor)]
        paths = {"query_file_path": " + ".join(str(found.record["file_path"]) for found in asked)}
        if avoided:
            paths["away_file_path"] = " + ".join(str(found.record["file_path"]) for found in avoided)
        records = [record | paths for record in self.numbered(rows, extra)]
        title = f"Like {' + '.join(found.label for found in asked)}"
        title += f", not like {' + '.join(found.label for found in avoided)}" if avoided else ""
        title += f", unlike each other (diversity {diversity:g})" if diversity else ""
        title = "; ".join([title, *(one.words for one in held)])
        if full_artists:
            title += f"; at most {filters.max_per_artist} by one artist (--max-per-artist)"
        if len(rows) < number and held:
            title += "; no more songs pass"
        named = [*rows, *(found.row for found in asked if found.row is not None)]
        left_out = int(np.isin(self.recordings, self.recordings[named]).sum()) - len(set(named))
        if left_out and not filters.copies:
            title += f"; {left_out:,} {'copy' if left_out == 1 else 'copies'} of these left out (--copies lists them)"
        return self._noted(Answer(records, [(title, [_shown(record) for record in records])]))

    def _chosen(
        self, query: np.ndarray, number: int, diversity: float, allowed: np.ndarray, max_per_artist: int | None
    ) -> tuple[np.ndarray, np.ndarray, bool]:
        """Rows, similarities, and whether the limit per artist kept a song out that was as near."""
        pool = max(DIVERSE_POOL, 2 * number) if diversity else number * (1 if max_per_artist is None else 4)
        while True:
            rows, similarities = self.search.nearest(query, pool, allowed)
            artists = self._artists[rows]
            places, full = _greedy(self.search.units(rows), similarities, artists, number, diversity, max_per_artist)
            if len(places) >= min(number, len(rows)) or len(rows) < pool:
                return rows[places], similarities[places], full
            pool *= 4

    @cached_property
    def _artists(self) -> np.ndarray:
        return artist_codes(self.library.songs["artist"].tolist())

    def _place(self, first: Found, second: Found) -> str:
        """Which of the first song's neighbours the second one is, where the library holds it."""
        if second.row is None or first.row == second.row:
            return ""
        query = self._unit(first)
        others = self._others([first], False)
        if not others[self.recordings[second.row]]:
            return "; both are files of one recording"
        rows = np.flatnonzero(others)
        similarities = self.search.similarities(query, rows)
        own = self.search.similarities(query, [self.recordings[second.row]])[0]
        return f"; of {len(rows):,} other recordings {int((similarities > own).sum()):,} are more like A"

    def _nearest_song(self, found: Found) -> Row | None:
        others = self._others([found], False)
        if not others.any():
            return None
        rows, similarities = self.search.nearest(self._unit(found), 1, others)
        return {"similarity": float(similarities[0])} | self.identity_of(int(rows[0]))


def _greedy(
    units: np.ndarray, similarities: np.ndarray, artists: np.ndarray, number: int, diversity: float, most: int | None
) -> tuple[list[int], bool]:
    """Places in a pool, nearest first, of what is chosen one by one; whether ``most`` songs by one artist were a limit."""
    left, full = np.ones(len(units), dtype=bool), False
    unlike = np.full(len(units), -np.inf)  # similarity to the nearest song chosen
    chosen: list[int] = []
    songs_of: Counter[int] = Counter()
    while len(chosen) < number and left.any():
        gain = (1 - diversity) * similarities - diversity * unlike if chosen and diversity else similarities
        best = int(np.argmax(np.where(left, gain, -np.inf)))
        chosen.append(best)
        left[best] = False
        artist = int(artists[best])
        songs_of[artist] += 1
        if artist != NO_ARTIST and songs_of[artist] == most:
            full |= bool(left[artists == artist].any())
            left[artists == artist] = False
        if diversity:
            unlike = np.maximum(unlike, cosines(units, units[best]))
    return chosen, full


def _normalised(vector: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(vector)
    return vector / length if length > 1e-9 else np.zeros_like(vector)


def _sides(values: Iterator[Any]) -> Row:
    return dict(zip("AB", values, strict=True))


def _shown(record: Row, figures: Sequence[str] = ("similarity",)) -> Row:
    """A ranked record for people: ``figures`` between who it is and what a DJ asks first."""
    tempo = f"{record['tempo_bpm']:.1f}"
    taken = record.get("tempo_taken", "as it is")
    if taken != "as it is":
        tempo += f" ({taken}: {record['tempo_bpm'] * TEMPO_FACTORS[taken]:.1f})"
    return (
        {name: record[name] for name in ("rank", "song_name", "artist", "genre")}
        | {name: _decimals(record[name]) for name in figures}
        | {"tempo_bpm": round(record["tempo_bpm"], 1) if taken == "as it is" else tempo}
        | {"key_estimate": record["key_estimate"]}
    )


def _decimals(value: Any) -> Any:
    """Three decimals of a float, aligned with a minus sign, nothing for NaN; other values as they are."""
    if not isinstance(value, float):
        return value
    return "" if np.isnan(value) else f"{value:6.3f}"
