"""What 04 asks of a space: songs that are near but unlike each other, where a similarity comes from, genres compared.

Conventions are those of ``songmap.core.nearest``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from songmap.core.errors import QueryError
from songmap.core.nearest import cosines, most_similar
from songmap.core.schema import FAMILIES, N_COLUMNS, family_indices

MMR_POOL = 500  # songs that a diverse choice of n considers: this many, or 2 n if that is more


def maximal_marginal_relevance(
    units: np.ndarray, query: np.ndarray, number: int, diversity: float, skip: Sequence[int] | np.ndarray = ()
) -> tuple[np.ndarray, np.ndarray]:
    """Rows and similarities, both ``(≤ number,)``, of songs near ``query (641,)`` but unlike each other, as chosen.

    Each choice is the song i with the largest ``(1 - diversity) * sim(query, i) - diversity * max sim(i, j)``
    over the songs j chosen so far (Carbonell & Goldstein 1998, their λ is 1 - diversity); the first has no j
    and is the nearest song. Chosen from the ``max(MMR_POOL, 2 * number)`` songs nearest to the query.
    Ties go to the song nearer to the query, then to row order. ``diversity`` is 0 (``most_similar``) … 1.
    """
    if not 0 <= diversity <= 1:
        raise QueryError(f"a diversity of {diversity} is out of range, give 0 to 1")
    rows, similarities = most_similar(units, query, max(MMR_POOL, 2 * number), skip)
    pool = units[rows]
    left = np.ones(len(rows), dtype=bool)
    nearest_chosen = np.zeros(len(rows))
    chosen: list[int] = []
    while len(chosen) < min(number, len(rows)):
        gain = np.where(left, (1 - diversity) * similarities - diversity * nearest_chosen, -np.inf)
        best = int(np.argmax(gain))
        to_best = cosines(pool, pool[best])
        nearest_chosen = np.maximum(nearest_chosen, to_best) if chosen else to_best
        left[best] = False
        chosen.append(best)
    return rows[chosen], similarities[chosen]


def family_contributions(first: np.ndarray, second: np.ndarray) -> dict[str, float]:
    """What each of the seven families adds to the similarity of two unit vectors ``(641,)``; the sum is the cosine."""
    products = np.multiply(first, second, dtype=np.float64)
    return {family: float(products[family_indices(family)].sum()) for family in FAMILIES}


@dataclass(frozen=True)
class GenreSimilarity:
    """Mean similarity of the songs of one genre with those of another.

    ``genres`` sorted, ``counts (n_genres,)`` songs in each, ``means (n_genres, n_genres)``: off the diagonal
    over all pairs between two genres, on it over all pairs of two different songs within one, NaN for a
    genre of one song. ``within`` and ``between`` are the means over all pairs of songs that share a genre
    and that do not, ``to_others (n_genres,)`` over all pairs that leave a genre; NaN where there is none.
    """

    genres: tuple[str, ...]
    counts: np.ndarray
    means: np.ndarray
    within: float
    between: float
    to_others: np.ndarray


def genre_similarity(units: np.ndarray, genres: Sequence[str]) -> GenreSimilarity:
    """Compare genres exactly in O(n_songs * 641): a mean over pairs is a dot product of sums of vectors.

    ``genres (n_songs,)``. The pairs of a song with itself are taken out of each genre analytically.
    """
    names, codes = np.unique(np.asarray(genres, dtype=str), return_inverse=True)
    counts = np.bincount(codes, minlength=len(names))
    sums, selves = np.empty((len(names), N_COLUMNS)), np.empty(len(names))
    for code in range(len(names)):
        members = units[codes == code]
        sums[code] = members.sum(axis=0, dtype=np.float64)
        selves[code] = np.einsum("ij,ij->", members, members, dtype=np.float64)
    totals = sums @ sums.T
    totals[np.diag_indices_from(totals)] -= selves
    pairs = np.outer(counts, counts).astype(np.float64)
    pairs[np.diag_indices_from(pairs)] -= counts
    off = ~np.eye(len(names), dtype=bool)
    return GenreSimilarity(
        genres=tuple(str(name) for name in names),
        counts=counts,
        means=_mean(totals, pairs),
        within=float(_mean(totals[~off].sum(), pairs[~off].sum())),
        between=float(_mean(totals[off].sum(), pairs[off].sum())),
        to_others=_mean((totals * off).sum(axis=1), (pairs * off).sum(axis=1)),
    )


def _mean(totals: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    return np.divide(totals, pairs, out=np.full(np.shape(totals), np.nan), where=pairs > 0)
