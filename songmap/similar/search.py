"""Which songs are near each other: the space, the cosine in it, diverse choices, genres compared.

Conventions: a library is ``embeddings (n_songs, 641)``. A ``Space`` turns each song into a unit vector,
float32 ``(641,)``; ``units`` is ``(n_songs, 641)`` of them, and similarity is the dot product of two, the
cosine, -1 … 1. Since columns are centred on the library, 0 is about what two of its songs picked at random
have, and the value depends on what else is in the library: of two songs that are all of it, it is -1. A song with no direction (at the library's mean in every column that varies)
is the zero vector: its similarity is 0 with every song.

No matrix of all pairs is made anywhere: a query is one product of a matrix and a vector. The candidates
it finds in float32 are measured again in float64, each row by itself, so that equal songs have equal
similarities and ties are broken by row, not by rounding.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from songmap.core.errors import QueryError
from songmap.core.schema import FAMILIES, N_COLUMNS, family_indices

SPACES = ("balanced", "scaled")
MMR_POOL = 500  # songs that a diverse choice of n considers: this many, or 2 n if that is more
_BLOCK_ROWS = 4096  # rows held in float64 at a time: 20 MiB
_ROUNDING = 1e-4  # more than a float32 dot product of two unit vectors can err: 2 * 641 * 2**-24


@dataclass(frozen=True)
class Space:
    """What turns an embedding into a unit vector: ``(embedding - mean) * weight``, then length 1.

    ``mean`` and ``weight`` are float64 ``(641,)``; a column that is constant in the library weighs 0.
    """

    mean: np.ndarray
    weight: np.ndarray

    def units(self, embeddings: np.ndarray) -> np.ndarray:
        """Unit vectors float32 ``(n, 641)`` of ``embeddings (n, 641)``."""
        result = np.zeros(embeddings.shape, dtype=np.float32)
        for rows in _blocks(len(embeddings)):
            vectors = (embeddings[rows] - self.mean) * self.weight
            lengths = np.sqrt(np.square(vectors).sum(axis=1, keepdims=True))
            result[rows] = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
        return result


def build_space(embeddings: np.ndarray, space: str = "balanced") -> Space:
    """The space of a library, ``embeddings (n_songs, 641)`` with ``n_songs`` ≥ 1.

    ``scaled``: every column to mean 0 and standard deviation 1, so that the 512 mel columns decide 80 %
    of the length. ``balanced``: each column then divided by the square root of its family's size, so that
    all seven families decide alike. Adding a constant to a column or rescaling it changes nothing.
    """
    if space not in SPACES:
        raise QueryError(f"no space {space!r}; there are {', '.join(SPACES)}")
    if embeddings.ndim != 2 or embeddings.shape[1] != N_COLUMNS or not len(embeddings):
        raise QueryError(
            f"a space needs embeddings (n_songs, {N_COLUMNS}) of at least one song, not {embeddings.shape}"
        )
    total, squares = np.zeros(N_COLUMNS), np.zeros(N_COLUMNS)
    for rows in _blocks(len(embeddings)):
        total += embeddings[rows].sum(axis=0, dtype=np.float64)
    mean = total / len(embeddings)
    for rows in _blocks(len(embeddings)):
        squares += np.square(embeddings[rows] - mean).sum(axis=0)
    varies = embeddings.max(axis=0) > embeddings.min(axis=0)
    weight = np.zeros(N_COLUMNS)
    weight[varies] = 1 / np.sqrt(squares[varies] / len(embeddings))
    if space == "balanced":
        for family in FAMILIES:
            columns = family_indices(family)
            weight[columns] /= np.sqrt(len(columns))
    return Space(mean, weight)


def cosines(units: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """Similarity float64 ``(n,)``, -1 … 1, of ``units (n, 641)`` with one ``unit (641,)``."""
    result = np.empty(len(units))
    for rows in _blocks(len(units)):
        result[rows] = np.multiply(units[rows], unit, dtype=np.float64).sum(axis=1)
    return np.clip(result, -1, 1)


def most_similar(
    units: np.ndarray, query: np.ndarray, number: int, skip: Sequence[int] | np.ndarray = ()
) -> tuple[np.ndarray, np.ndarray]:
    """Rows and similarities, both ``(≤ number,)``, of the songs nearest to ``query (641,)``, nearest first.

    ``skip`` are different rows that are no answer: the query's own, copies. Equal similarities are in row order.
    """
    number = min(number, len(units) - len(skip))
    if number < 1:
        return np.empty(0, dtype=np.int64), np.empty(0)
    rough = units @ np.asarray(query, dtype=np.float32)
    rough[np.asarray(skip, dtype=np.int64)] = -np.inf
    least = np.partition(rough, len(rough) - number)[len(rough) - number]
    rows = np.flatnonzero(rough >= least - _ROUNDING)
    similarities = cosines(units[rows], query)
    order = np.lexsort((rows, -similarities))[:number]
    return rows[order], similarities[order]


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


def _blocks(n_rows: int) -> list[slice]:
    return [slice(start, start + _BLOCK_ROWS) for start in range(0, n_rows, _BLOCK_ROWS)]
