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

from collections.abc import Callable, Sequence

import numpy as np

from songmap.core.artifacts import Library
from songmap.core.config import Workspace
from songmap.core.errors import QueryError
from songmap.core.spaces import SPACES, Space, blocks, build_space

__all__ = ["NOBODY", "SPACES", "Search", "Space", "build_space", "cosines", "most_similar", "neighbours", "open_search"]
Progress = Callable[[int, int], None]  # rows done, all rows

NOBODY = -1  # in place of a neighbour that does not exist
_QUERIES = 256  # compared with all songs at once
_ROUNDING = 1e-4  # more than a float32 dot product of two unit vectors can err: 2 * 641 * 2**-24


class Search:
    """The songs of a library nearest to a query in one space.

    A query is a unit vector ``(d,)`` of the space: of a song, of a file outside the library, or the normalised sum
    of several. Similarities are float64, -1 … 1; equal ones are in row order.
    """

    def __init__(self, embeddings: np.ndarray, space: Space) -> None:
        self.space = space
        self._units = space.units(embeddings)

    def __len__(self) -> int:
        return len(self._units)

    def units(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        """Unit vectors float32 ``(m, d)`` of songs."""
        return self._units[np.asarray(rows, dtype=np.int64)]

    def unit(self, embedding: np.ndarray) -> np.ndarray:
        """Unit vector float32 ``(d,)`` of any ``embedding (641,)``."""
        return self.space.units(embedding[None])[0]

    def similarities(self, query: np.ndarray, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        """Similarities float64 ``(m,)`` of the query with songs."""
        return cosines(self.units(rows), query)

    def nearest(
        self, query: np.ndarray, number: int, allowed: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Rows and similarities, both ``(≤ number,)``, of the songs nearest to ``query (d,)``, nearest first.

        ``allowed``, bool ``(n_songs,)``, says which songs can be an answer; all where it is None.
        """
        skip = () if allowed is None else np.flatnonzero(~allowed)
        return most_similar(self._units, query, number, skip)

    def neighbours(
        self, number: int, recordings: np.ndarray, on_progress: Progress | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Rows and similarities, both ``(n_songs, number)``, of what ``nearest`` finds for every song.

        ``recordings (n_songs,)`` are rows of first files: of other recordings the first alone is an answer. Where
        there are fewer, ``NOBODY`` with similarity NaN follows. ``on_progress`` is told songs done and all songs.
        """
        return neighbours(self._units, recordings, number)


def open_search(
    library: Library,
    space: Space,
    workspace: Workspace | None = None,
    on_progress: Progress | None = None,
    correct_hubs: bool = False,
) -> Search:
    """A search of ``library`` in ``space``. Raises QueryError if the library is empty."""
    if not len(library):
        raise QueryError("the library holds no song; add music and run 01_feature_extraction.py")
    return Search(library.embeddings, space)


def cosines(units: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """Similarity float64 ``(n,)``, -1 … 1, of ``units (n, 641)`` with one ``unit (641,)``."""
    result = np.empty(len(units))
    for rows in blocks(len(units)):
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
