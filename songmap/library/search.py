"""The songs nearest to a query, and to every song.

Conventions: a ``Space`` (``songmap.library.spaces``) turns each song of a library into a unit vector, float32 ``(d,)``;
similarity is the dot product of two, the cosine, -1 … 1.

There is no matrix of all pairs and no index: a query is one product with all unit vectors, in float32. Songs that can
be among the nearest in spite of rounding are measured again in float64, each by itself, so that equal songs have equal
similarities and ties are broken by row, not by rounding.
"""

from collections.abc import Sequence

import numpy as np
from threadpoolctl import ThreadpoolController

from songmap.core.blocks import blocks
from songmap.core.errors import QueryError
from songmap.core.progress import OnProgress
from songmap.library.hubs import HubCorrection
from songmap.library.library import Library
from songmap.library.spaces import Space, sampled_rows

HUB_POOL = 200  # songs, at least, that a correction for hubs chooses from
NOBODY = -1  # in place of a neighbour that does not exist
_QUERIES = 64  # compared with all songs at once, as reading these takes longer than a product; 26 MB of 100,000 songs
_ROUNDING = 1e-4  # more than a float32 dot product of two unit vectors can err: 2 * 641 * 2**-24


class Search:
    """The songs of a library nearest to a query in one space.

    A query is a unit vector ``(d,)`` of the space: of a song, of a file outside the library, or the normalised sum
    of several. Similarities are float64; equal ones are in row order. They are cosines, -1 … 1, or, where hubs are
    corrected, mutual proximities, 0 … 1, see ``songmap.library.hubs``: the answer is then the best by mutual proximity
    of the ``max(HUB_POOL, 5 * number)`` songs nearest by cosine.

    Parameters
    ----------
    units : np.ndarray, shape (n_songs, d), float32
        Unit vectors of the library's songs, which are held.
    space : Space
        Theirs.
    correct_hubs : bool
        Whether similarities are mutual proximities instead of cosines.
    """

    def __init__(self, units: np.ndarray, space: Space, correct_hubs: bool = False) -> None:
        self.space = space
        self._units = units
        self._hubs = HubCorrection.of(units[sampled_rows(len(units))]) if correct_hubs else None
        self._threads = ThreadpoolController()

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
        units = self.units(rows)
        found = cosines(units, query)
        return found if self._hubs is None else 1 - self._hubs.distances(found, units, query)

    def nearest(
        self, query: np.ndarray, number: int, allowed: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """The songs nearest to a query, nearest first.

        Parameters
        ----------
        query : np.ndarray, shape (d,)
            A unit vector of the space.
        number : int
            Songs wanted.
        allowed : np.ndarray of bool, shape (n_songs,), optional
            Songs that can be in the result; all by default.

        Returns
        -------
        rows : np.ndarray of int64, shape (at most number,)
        similarities : np.ndarray of float64, of the same shape
        """
        # a single product is done before another thread has woken up, on a busy machine long before
        with self._threads.limit(limits=1):
            rough = self._units @ np.asarray(query, dtype=np.float32)
        if allowed is not None:
            rough[~allowed] = -np.inf
        n_allowed = len(self) if allowed is None else int(np.count_nonzero(allowed))
        return self._nearest(query, rough, number, n_allowed)

    def neighbours(
        self, number: int, recordings: np.ndarray, on_progress: OnProgress | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """The songs nearest to every song.

        Parameters
        ----------
        number : int
            Neighbours of each song.
        recordings : np.ndarray of int, shape (n_songs,)
            Rows of first files: only the first file of another recording can be a neighbour.
        on_progress : callable, optional
            Called with songs done and all songs.

        Returns
        -------
        rows : np.ndarray of int64, shape (n_songs, number)
            Nearest first; ``NOBODY`` where there are fewer.
        similarities : np.ndarray of float64, shape (n_songs, number)
            NaN where there is no neighbour.
        """
        everyone = np.arange(len(self))
        return self.nearest_of_others(everyone, number, recordings == everyone, recordings, on_progress)

    def nearest_of_others(
        self,
        queries: np.ndarray,
        number: int,
        allowed: np.ndarray,
        groups: np.ndarray,
        on_progress: OnProgress | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """The songs nearest to each of ``queries``, among those allowed of another group.

        Parameters
        ----------
        queries : np.ndarray of int, shape (m,)
            Rows of songs.
        number : int
            Neighbours of each.
        allowed : np.ndarray of bool, shape (n_songs,)
            Songs that can be neighbours.
        groups : np.ndarray of int, shape (n_songs,)
            A song's neighbours are of other groups than its own.
        on_progress : callable, optional
            Called with queries done and all queries.

        Returns
        -------
        rows : np.ndarray of int64, shape (m, number)
            Nearest first; ``NOBODY`` where there are fewer.
        similarities : np.ndarray of float64, shape (m, number)
            NaN where there is no neighbour.
        """
        rows = np.full((len(queries), number), NOBODY, dtype=np.int64)
        similarities = np.full((len(queries), number), np.nan)
        forbidden, n_allowed = np.flatnonzero(~allowed), int(np.count_nonzero(allowed))
        by_group = np.argsort(groups, kind="stable")
        begins, ends = (np.searchsorted(groups[by_group], groups[queries], side) for side in ("left", "right"))
        for block in blocks(len(queries), _QUERIES):
            units = self.units(queries[block])
            products = units @ self._units.T
            products[:, forbidden] = -np.inf
            for place, query, rough in zip(range(len(queries))[block], units, products, strict=True):
                own = by_group[begins[place] : ends[place]]
                rough[own] = -np.inf
                found, values = self._nearest(query, rough, number, n_allowed - int(np.count_nonzero(allowed[own])))
                rows[place, : len(found)], similarities[place, : len(found)] = found, values
            if on_progress:
                on_progress(min(block.stop, len(queries)), len(queries))
        return rows, similarities

    def _nearest(
        self, query: np.ndarray, rough: np.ndarray, number: int, n_allowed: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """As ``nearest``, of similarities ``rough (n_songs,)``, -inf for all but ``n_allowed`` songs."""
        wanted = min(number if self._hubs is None else max(HUB_POOL, 5 * number), n_allowed)
        if wanted < 1:
            return np.empty(0, dtype=np.int64), np.empty(0)
        # so many songs are truly no lower than one error below the bar; what is higher looks one lower at most
        bar = np.partition(rough, -wanted)[-wanted] - 2 * _ROUNDING
        rows = np.flatnonzero(rough >= bar)
        found = cosines(self._units[rows], query)
        order = np.argsort(-found, kind="stable")[:wanted]
        if self._hubs is None:
            return rows[order], found[order]
        order.sort()
        distances = self._hubs.distances(found[order], self._units[rows[order]], query)
        best = np.argsort(distances, kind="stable")[:number]
        return rows[order[best]], 1 - distances[best]


def open_search(library: Library, space: Space, correct_hubs: bool = False) -> Search:
    """A search of a library in one space; ``correct_hubs`` as in ``Search``. Raises QueryError if it is empty."""
    if not len(library):
        raise QueryError("the library is empty; add music and run 01_feature_extraction.py")
    return Search(space.units(library.embeddings), space, correct_hubs)


def cosines(units: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """Similarity float64 ``(n,)``, -1 … 1, of ``units (n, d)`` with one ``unit (d,)``."""
    result = np.empty(len(units))
    for rows in blocks(len(units)):
        result[rows] = np.multiply(units[rows], unit, dtype=np.float64).sum(axis=1)
    return np.clip(result, -1, 1)
