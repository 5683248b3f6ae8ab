"""A library answers about songs: which are like this one, why two are alike, what is known of one.

Each answer holds records, the content of ``--json``, and tables, what people read. A song is named as
``songmap.library.names`` understands it, is the number of one in the last ranked answer, or is the path of any audio
file: one outside the library is heard and placed in the library's space.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from songmap.core.blocks import blocks
from songmap.core.errors import QueryError
from songmap.core.figures import draw
from songmap.core.text import format_duration, quantity
from songmap.library.keys import NO_KEY, estimate_keys, key_name
from songmap.library.schema import COLUMN_UNIT, column_index, family_indices
from songmap.similar import reasons
from songmap.similar.filters import TEMPO_FACTORS, Filters, allowed_by, held_filters, tempo_factors
from songmap.similar.finding import Answer, Found, Row
from songmap.similar.measures import FACTS, standing
from songmap.similar.overview import Overview, decimals, shown
from songmap.similar.transitions import NO_ARTIST, artist_codes

__all__ = ["Answer", "Answers", "Row"]

DIVERSE_POOL = 500  # songs nearest to the query that a diverse choice of n considers: this many, or 2 n if that is more
AWAY = 0.5  # how much songs to steer away from count against those to be like


class Answers(Overview):
    """Answers about one library in one space, and about songs in it."""

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
        pair = self._pair(first, second)
        shares = reasons.shares(*(self._unit(found) for found in pair))
        contributions = reasons.by_family(shares) if self.space.by_family else {}
        similarity = sum(contributions.values()) if contributions else float(shares.sum())
        facts = [{name: float(found.embedding[column_index(name)]) for name in FACTS} for found in pair]
        records = [
            self.identity(found) | {"similarity": similarity, "contributions": contributions, "facts": own}
            for found, own in zip(pair, facts, strict=True)
        ]
        table = [
            {"family": family, "columns": len(family_indices(family)), "contribution": decimals(share)}
            for family, share in contributions.items()
        ]
        table.append({"family": "all", "columns": len(COLUMN_UNIT), "contribution": decimals(similarity)})
        rows = [
            {"fact": "duration", "unit": ""} | _sides(format_duration(found.record["duration"]) for found in pair),
            {"fact": "key, estimated", "unit": ""} | _sides(key_name(found.key) for found in pair),
        ]
        rows += [
            {"fact": name, "unit": COLUMN_UNIT[column_index(name)]} | _sides(quantity(own[name]) for own in facts)
            for name in FACTS
        ]
        title = f"Similarity {similarity:.3f}" + (", and what each family adds to it" if contributions else "")
        return self._noted(Answer(records, [(title, table), (f"A: {pair[0].label}   B: {pair[1].label}", rows)]))

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
        found = self._pair(first, second)
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
        measures = [standing(name, found.embedding, self.library.embeddings) for name in FACTS]
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
        fields = [
            {"of the song": name.replace("_", " "), "": value}
            for name, value in about.items()
            if name not in ("song_name", "measures") and value not in ("", None) and value == value
        ]
        table = [
            one
            | {name: quantity(one[name]) for name in ("value", "library_median")}
            | {"percentile": f"{one['percentile']:.0f}"}
            for one in measures
        ]
        return self._noted(Answer([record], [(found.label, fields), ("Among all songs of the library", table)]))

    def _pair(self, first: str, second: str) -> tuple[Found, Found]:
        pair = self.find(first), self.find(second)
        if first != second and pair[0].record["file_path"] == pair[1].record["file_path"]:
            raise QueryError(f"{first!r} and {second!r} are both {pair[0].label}; two songs are written A vs B")
        return pair

    def _query(self, songs: Sequence[Found], away: Sequence[Found]) -> np.ndarray:
        if len(songs) == 1 and not away:
            return self._unit(songs[0])
        query = self._direction(songs) - (AWAY * self._direction(away) if away else 0)
        if not query.any() and any(self._unit(found).any() for found in songs):
            raise QueryError("these songs cancel each other out: together they have no direction; leave one out")
        return _normalised(query).astype(np.float32)

    def _direction(self, songs: Sequence[Found]) -> np.ndarray:
        return _normalised(np.sum([self._unit(found) for found in songs], axis=0, dtype=np.float64))

    def _alike(
        self, songs: Sequence[str], away: Sequence[str], number: int, diversity: float, filters: Filters
    ) -> Answer:
        asked, avoided = [self.find(song) for song in songs], [self.find(song) for song in away]
        for found in avoided:
            if found.record["file_path"] in {one.record["file_path"] for one in asked}:
                raise QueryError(f"{found.label} cannot be liked and steered away from at once; leave one out")
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
        title += self._measure
        if left_out and not filters.copies:
            title += f"; {left_out:,} {'copy' if left_out == 1 else 'copies'} of these left out (--copies lists them)"
        return self._noted(Answer(records, [(title, [shown(record) for record in records])]))

    def _chosen(
        self, query: np.ndarray, number: int, diversity: float, allowed: np.ndarray, max_per_artist: int | None
    ) -> tuple[np.ndarray, np.ndarray, bool]:
        """Rows, similarities, and whether the limit per artist kept a song out that was as near."""
        pool = max(DIVERSE_POOL, 2 * number) if diversity else number * (1 if max_per_artist is None else 4)
        while True:
            rows, similarities = self.search.nearest(query, pool, allowed)
            places, full = self._greedy(rows, similarities, number, diversity, max_per_artist)
            if len(places) >= min(number, len(rows)) or len(rows) < pool:
                return rows[places], similarities[places], full
            pool *= 4

    def _greedy(
        self, rows: np.ndarray, similarities: np.ndarray, number: int, diversity: float, most: int | None
    ) -> tuple[list[int], bool]:
        """Places in ``rows``, nearest first, of what is chosen one by one; whether ``most`` per artist was a limit."""
        artists, left, full = self._artists[rows], np.ones(len(rows), dtype=bool), False
        to_chosen = np.full(len(rows), -np.inf)  # similarity to the nearest song chosen
        chosen: list[int] = []
        songs_of: Counter[int] = Counter()
        while len(chosen) < number and left.any():
            gain = (1 - diversity) * similarities - diversity * to_chosen if chosen and diversity else similarities
            best = int(np.argmax(np.where(left, gain, -np.inf)))
            chosen.append(best)
            left[best] = False
            artist = int(artists[best])
            songs_of[artist] += 1
            if artist != NO_ARTIST and songs_of[artist] == most:
                full |= bool(left[artists == artist].any())
                left[artists == artist] = False
            if diversity:
                unit = self.search.units(rows[[best]])[0]
                to_chosen = np.maximum(to_chosen, self.search.similarities(unit, rows))
        return chosen, full

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
        similarities = np.concatenate([self.search.similarities(query, rows[block]) for block in blocks(len(rows))])
        own = self.search.similarities(query, [self.recordings[second.row]])[0]
        return f"; of {len(rows):,} other recordings {int((similarities > own).sum()):,} are more like A"

    def _nearest_song(self, found: Found) -> Row | None:
        others = self._others([found], False)
        if not others.any():
            return None
        rows, similarities = self.search.nearest(self._unit(found), 1, others)
        return {"similarity": float(similarities[0])} | self.identity_of(int(rows[0]))


def _normalised(vector: np.ndarray) -> np.ndarray:
    """At length 1; zero where only rounding is left."""
    length = np.linalg.norm(vector)
    return vector / length if length > 1e-6 else np.zeros_like(vector)


def _sides(values: Iterable[Any]) -> Row:
    return dict(zip("AB", values, strict=True))
