"""Which songs are near each other: the space, the cosine in it, the nearest songs of one and of all.

Conventions: a library is ``embeddings (n_songs, 641)``. A ``Space`` turns each song into a unit vector,
float32 ``(641,)``; ``units`` is ``(n_songs, 641)`` of them, and similarity is the dot product of two, the
cosine, -1 … 1. Since columns are centred on the library, 0 is about what two of its songs picked at random
have, and the value depends on what else is in the library: of two songs that are all of it, it is -1. A
song with no direction (at the library's mean in every column that varies) is the zero vector: its
similarity is 0 with every song.

No matrix of all pairs is kept anywhere: a query is one product of a matrix and a vector. The candidates
it finds in float32 are measured again in float64, each row by itself, so that equal songs have equal
similarities and ties are broken by row, not by rounding.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from songmap.core.errors import QueryError
from songmap.core.schema import FAMILIES, N_COLUMNS, family_indices

SPACES = ("balanced", "scaled")
NOBODY = -1  # in place of a neighbour that does not exist
_BLOCK_ROWS = 4096  # rows held in float64 at a time: 20 MiB
_QUERIES = 256  # compared with all songs at once
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
    rough = units @ np.asarray(query, dtype=np.float32)
    rough[np.asarray(skip, dtype=np.int64)] = -np.inf
    return _nearest(units, query, rough, min(number, len(units) - len(skip)))


def neighbours(units: np.ndarray, recordings: np.ndarray, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows and similarities, both ``(n_songs, number)``, of what ``most_similar`` finds for every song.

    ``recordings (n_songs,)`` are rows of first files: of other recordings the first alone is an answer. Where
    there are fewer, ``NOBODY`` with similarity NaN follows.
    """
    rows = np.full((len(units), number), NOBODY, dtype=np.int64)
    similarities = np.full((len(units), number), np.nan)
    firsts = np.unique(recordings)
    candidates = units[firsts]
    for start in range(0, len(units), _QUERIES):
        rough = units[start : start + _QUERIES] @ candidates.T
        for song, row_rough in enumerate(rough, start):
            row_rough[np.searchsorted(firsts, recordings[song])] = -np.inf
            found, own = _nearest(candidates, units[song], row_rough, min(number, len(firsts) - 1))
            rows[song, : len(found)], similarities[song, : len(found)] = firsts[found], own
    return rows, similarities


def _nearest(units: np.ndarray, query: np.ndarray, rough: np.ndarray, number: int) -> tuple[np.ndarray, np.ndarray]:
    """The ``number`` best of ``units`` by their float32 similarities ``rough``, measured again."""
    if number < 1:
        return np.empty(0, dtype=np.int64), np.empty(0)
    least = np.partition(rough, len(rough) - number)[len(rough) - number]
    rows = np.flatnonzero(rough >= least - _ROUNDING)
    similarities = cosines(units[rows], query)
    order = np.lexsort((rows, -similarities))[:number]
    return rows[order], similarities[order]


def _blocks(n_rows: int) -> list[slice]:
    return [slice(start, start + _BLOCK_ROWS) for start in range(0, n_rows, _BLOCK_ROWS)]
