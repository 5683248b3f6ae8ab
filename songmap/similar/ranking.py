"""Songs similar to a query of one or several songs, nearest first, or chosen to be dissimilar to each other."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from songmap.core.errors import QueryError
from songmap.similar.candidates import candidates
from songmap.similar.comparison import Comparison
from songmap.similar.filters import tempo_factors
from songmap.similar.lookup import FoundSong
from songmap.similar.requests import SimilarRequest
from songmap.similar.results import SimilarResult
from songmap.similar.transitions import NO_ARTIST

DIVERSE_POOL = 500  # songs nearest to the query that a diverse choice of n considers: this many, or 2 n if that is more
AWAY = 0.5  # weight of the songs to steer away from


def similar_songs(
    comparison: Comparison, query: Sequence[FoundSong], away: Sequence[FoundSong], request: SimilarRequest
) -> SimilarResult:
    """The songs most similar to all of ``query`` and dissimilar to those of ``away``.

    The query vector is the sum of the songs' unit vectors at length 1, less ``AWAY`` times the same of ``away``.

    Parameters
    ----------
    comparison : Comparison
    query, away : sequence of FoundSong
    request : SimilarRequest
        Fewer songs than its ``number`` are chosen where no more pass its ``filters``. The limit per artist yields to songs
        that are more similar to the query than two songs picked at random, where otherwise only less similar ones, or
        none, would be chosen. With a ``diversity`` above 0 each
        choice is the song i with the largest ``(1 - diversity) * sim(query, i) - diversity * max sim(i, j)`` over the
        songs j chosen so far, from the ``max(DIVERSE_POOL, 2 * number)`` nearest. None is less similar to the query than
        ``1 - diversity`` of what the last of the plain list is: half of it at 0.5, and never below 0 unless the plain
        list itself is. Ties go to the song nearer to the query, then to row order.

    Raises
    ------
    QueryError
        If the query is contradictory or has no direction, or nothing passes the filters.

    References
    ----------
    Carbonell & Goldstein (1998), The use of MMR, diversity-based reranking for reordering documents and producing
    summaries. Their λ is 1 - diversity.
    """
    if not 0 <= request.diversity <= 1:
        raise QueryError(f"a diversity of {request.diversity} is out of range, give 0 to 1")
    paths = {found.record["file_path"] for found in query}
    for found in away:
        if found.record["file_path"] in paths:
            raise QueryError(
                f"{found.song.display_name} is both in the query and to be steered away from; leave one out"
            )
    lookup, vector = comparison.lookup, _query_vector(comparison, query, away)
    wanted = request.filters
    allowed, conditions = candidates(lookup, query, wanted, away)
    rows, similarities, limit = _choose(comparison, vector, allowed, request)
    figures = {"similarity": similarities.tolist()}
    if wanted.bpm is not None:
        figures["tempo_factor"] = tempo_factors(lookup.tempos_bpm[rows], wanted.bpm).tolist()
    named = [*rows.tolist(), *(found.row for found in query if found.row is not None)]
    copies = int(np.isin(lookup.recordings, lookup.recordings[named]).sum()) - len(set(named))
    return SimilarResult(
        songs=lookup.songs(rows),
        figures=figures,
        query=tuple(found.song for found in query),
        away=tuple(found.song for found in away),
        request=request,
        conditions=conditions,
        limited_by_artist=limit.had_effect,
        past_limit=limit.n_past,
        random_similarity=comparison.random_similarity,
        copies_left_out=0 if wanted.copies else copies,
        setting=comparison.setting,
        model=comparison.model,
    )


def _query_vector(comparison: Comparison, songs: Sequence[FoundSong], away: Sequence[FoundSong]) -> np.ndarray:
    if len(songs) == 1 and not away:
        return comparison.unit(songs[0])
    units, units_away = ([comparison.unit(found) for found in some] for some in (songs, away))
    query = _direction(units) - (AWAY * _direction(units_away) if away else 0)
    if not query.any() and any(unit.any() for unit in units):
        raise QueryError("these songs cancel each other out: their sum has no direction; leave one out")
    return _normalised(query).astype(np.float32)


def _direction(units: Sequence[np.ndarray]) -> np.ndarray:
    return _normalised(np.asarray(units).sum(axis=0, dtype=np.float64))


def _normalised(vector: np.ndarray) -> np.ndarray:
    """At length 1; zero where only rounding is left."""
    length = np.linalg.norm(vector)
    return vector / length if length > 1e-6 else np.zeros_like(vector)


@dataclass(frozen=True)
class _ArtistLimit:
    """Whether the limit per artist kept a song out that was as near, and how many were chosen in spite of it."""

    had_effect: bool
    n_past: int


def _choose(
    comparison: Comparison, query: np.ndarray, allowed: np.ndarray, request: SimilarRequest
) -> tuple[np.ndarray, np.ndarray, _ArtistLimit]:
    """Rows and similarities of what is chosen, and what the limit per artist did."""
    number, limit, diversity = request.number, request.filters.max_per_artist, request.diversity
    pool = max(DIVERSE_POOL, 2 * number) if diversity else number * (1 if limit is None else 4)
    while True:
        rows, similarities = comparison.search.nearest(query, pool, allowed)
        places, limited = _greedy(comparison, rows, similarities, request, 0.0)
        enough = len(places) >= min(number, len(rows))
        if limited.n_past:  # not before all similar songs were looked at
            enough = bool(similarities[-1] <= comparison.random_similarity)
        if enough or len(rows) < pool:
            break
        pool *= 4
    if not diversity:
        places.sort()  # what was chosen in spite of the limit is nearer than some of what was chosen before
    elif places:
        # without it the second term alone decides among many songs, and prefers those that are least like anything
        last = float(similarities[places[-1]])
        similar = similarities >= min(last, (1 - diversity) * last)
        rows, similarities = rows[similar], similarities[similar]
        places, limited = _greedy(comparison, rows, similarities, request, diversity)
    return rows[places], similarities[places], limited


def _greedy(
    comparison: Comparison, rows: np.ndarray, similarities: np.ndarray, request: SimilarRequest, diversity: float
) -> tuple[list[int], _ArtistLimit]:
    """Places in ``rows``, nearest first, of what is chosen one by one, and what the limit per artist did."""
    artists, left = comparison.lookup.artists[rows], np.ones(len(rows), dtype=bool)
    similar = similarities > comparison.random_similarity
    past = np.zeros(len(rows), dtype=bool)  # kept out by the limit per artist
    to_chosen = np.full(len(rows), -np.inf)  # similarity to the nearest song chosen
    chosen: list[int] = []
    songs_of: Counter[int] = Counter()
    n_past = 0
    while len(chosen) < request.number:
        possible = left if (left & similar).any() or not (past & similar).any() else past & similar
        if not possible.any():
            break
        gain = (1 - diversity) * similarities - diversity * to_chosen if chosen and diversity else similarities
        best = int(np.argmax(np.where(possible, gain, -np.inf)))
        chosen.append(best)
        n_past += bool(past[best])
        left[best] = past[best] = False
        artist = int(artists[best])
        songs_of[artist] += 1
        if artist != NO_ARTIST and songs_of[artist] == request.filters.max_per_artist:
            past |= left & (artists == artist)
            left &= ~past
        if diversity:
            unit = comparison.search.units(rows[[best]])[0]
            to_chosen = np.maximum(to_chosen, comparison.search.similarities(unit, rows))
    return chosen, _ArtistLimit(bool(past.any()) or n_past > 0, n_past)
