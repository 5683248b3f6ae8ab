"""The songs nearest to a query, and to every song: exactly or, in the largest libraries, by an index.

Conventions: a library is ``embeddings (n_songs, 641)``. A ``Space`` (``songmap.library.spaces``) turns each song into a
unit vector, float32 ``(d,)``; similarity is the dot product of two, the cosine, -1 … 1.

There is no matrix of all pairs. Candidates come from float32 products or the index; their similarities are computed
again in float64, each row by itself, so that equal songs have equal similarities and ties are broken by row, not by
rounding.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from songmap.core.blocks import blocks, read_blocks, read_rows
from songmap.core.errors import QueryError
from songmap.core.progress import OnProgress
from songmap.core.workspace import Workspace
from songmap.library.hubs import HubCorrection
from songmap.library.index import Index, open_index
from songmap.library.library import Library
from songmap.library.spaces import Space, leading_axes, sampled_rows

EXACT_LIMIT = 200_000  # songs; above, an index finds the candidates
HELD_SONGS = 4096  # up to so many, unit vectors are kept: 10 MiB
HUB_POOL = 200  # songs, at least, that a correction for hubs chooses from
_MORE = 50  # an index gives twice the songs wanted and so many more; some have left or are not allowed
_FEW = 5000  # up to so many allowed songs are compared exactly, which is faster than the index
NOBODY = -1  # in place of a neighbour that does not exist
_OUTLINE_AXES = 128  # at first, and so many more as long as
_OUTLINE_SHARE = 0.97  # of the squared lengths is not along them
_ROUGH_SIZE = 1 << 22  # rough similarities at a time: 16 MiB
_QUERIES = 256  # compared with all songs at once
_ROUNDING = 1e-4  # more than a float32 dot product of two unit vectors can err: 2 * 641 * 2**-24


class Search:
    """The songs of a library nearest to a query in one space.

    A query is a unit vector ``(d,)`` of the space: of a song, of a file outside the library, or the normalised sum
    of several. Similarities are float64; equal ones are in row order. They are cosines, -1 … 1, or, where hubs are
    corrected, mutual proximities, 0 … 1, see ``songmap.library.hubs``: the answer is then the best by mutual proximity
    of the ``max(HUB_POOL, 5 * number)`` songs nearest by cosine.

    Unit vectors of 641 columns are made anew from the matrix whenever they are needed, so that a large library
    is in memory once. What finds the candidates is, up to ``EXACT_LIMIT`` songs, an ``Outline``; above, ``index``.

    Parameters
    ----------
    embeddings : np.ndarray, shape (n_songs, 641)
    space : Space
        Of this library.
    index : Index, optional
        Of this library in this space.
    correct_hubs : bool
        Whether similarities are mutual proximities instead of cosines.
    """

    def __init__(
        self, embeddings: np.ndarray, space: Space, index: Index | None = None, correct_hubs: bool = False
    ) -> None:
        self.space = space
        self._embeddings = embeddings
        self._index = index
        self._held: np.ndarray | None = None  # unit vectors, where they are few or short
        if not space.by_family or len(embeddings) <= HELD_SONGS:
            self._held = space.units(embeddings)
        self._outline = None if index else Outline.of(space, embeddings, self._held)
        self._hubs = HubCorrection.of(self.units(sampled_rows(len(self)))) if correct_hubs else None

    def __len__(self) -> int:
        return len(self._embeddings)

    def units(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        """Unit vectors float32 ``(m, d)`` of songs."""
        rows = np.asarray(rows, dtype=np.int64)
        return self._held[rows] if self._held is not None else self.space.units(read_rows(self._embeddings, rows))

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
        n_allowed = len(self) if allowed is None else int(np.count_nonzero(allowed))
        wanted = number if self._hubs is None else max(HUB_POOL, 5 * number)
        candidates = self._candidates(query, min(wanted, n_allowed), n_allowed, allowed)
        return self._measured(query, candidates, number, min(wanted, n_allowed))

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
        rows = np.full((len(self), number), NOBODY, dtype=np.int64)
        similarities = np.full((len(self), number), np.nan)
        first = recordings == np.arange(len(self))
        wanted = min(number if self._hubs is None else max(HUB_POOL, 5 * number), int(first.sum()) - 1)
        for block in blocks(len(self), max(1, _ROUGH_SIZE // len(self)) if self._outline else _QUERIES):
            queries = self.units(np.arange(block.start, min(block.stop, len(self))))
            bounds = self._outline.bounds(queries) if self._outline else None
            for place, query in enumerate(queries):
                song = block.start + place
                own = recordings[song]
                first[own] = False
                if bounds is None:
                    candidates = self._candidates(query, wanted, int(first.sum()), first)
                else:
                    candidates = _possible(bounds[0][place], bounds[1][place], wanted, first)
                first[own] = True
                found, values = self._measured(query, candidates, number, wanted)
                rows[song, : len(found)], similarities[song, : len(found)] = found, values
            if on_progress:
                on_progress(min(block.stop, len(self)), len(self))
        return rows, similarities

    def _candidates(self, query: np.ndarray, wanted: int, n_allowed: int, allowed: np.ndarray | None) -> np.ndarray:
        """Rows that hold the ``wanted`` nearest: certainly by the outline, very likely by the index."""
        if self._outline is not None:
            rough, slack = self._outline.bounds(np.asarray(query, dtype=np.float32)[None])
            return _possible(rough[0], slack[0], wanted, allowed)
        index, fetched = self._index, 2 * wanted + _MORE
        while index is not None and n_allowed > _FEW and fetched < len(self) // 10:
            rows = index.candidates(query, fetched)
            rows = rows if allowed is None else rows[allowed[rows]]
            if 2 * len(rows) >= 3 * wanted:
                return np.sort(rows)
            fetched *= 4
        return np.arange(len(self)) if allowed is None else np.flatnonzero(allowed)

    def _measured(self, query: np.ndarray, rows: np.ndarray, number: int, wanted: int) -> tuple[np.ndarray, np.ndarray]:
        """The ``number`` best of the ``wanted`` nearest of ``rows``, ascending, with their similarities."""
        found = np.concatenate([np.empty(0), *(cosines(self.units(rows[block]), query) for block in blocks(len(rows)))])
        order = np.argsort(-found, kind="stable")[:wanted]
        if self._hubs is not None:
            order.sort()
            distances = self._hubs.distances(found[order], self.units(rows[order]), query)
            best = np.argsort(distances, kind="stable")[:number]
            return rows[order[best]], 1 - distances[best]
        return rows[order], found[order]


@dataclass(frozen=True)
class Outline:
    """Leading coordinates of all unit vectors: the nearest are found exactly while reading a fifth of the numbers.

    ``axes`` float32 ``(d, r)`` are orthonormal, the leading principal axes of a sample; ``leading (n, r)`` the unit
    vectors along them, ``tails (n,)`` at least the lengths of what is left. By Cauchy and Schwarz a dot product
    differs from that of the leading coordinates by at most the product of the two tails. Any orthonormal axes give
    the same answers; good ones leave few songs to measure: 21 of 100,000 where 128 axes hold 99 % of the squared
    length, 380 where they hold 94 %. In a library where 128 hold too little, as of uncorrelated columns,
    there are more axes, up to all.
    """

    axes: np.ndarray | None
    leading: np.ndarray
    tails: np.ndarray

    @classmethod
    def of(cls, space: Space, embeddings: np.ndarray, units: np.ndarray | None) -> "Outline":
        """Of the songs of ``embeddings (n, 641)``; their ``units`` are all coordinates, where they are at hand."""
        n_songs = len(embeddings)
        if units is not None:
            return cls(None, units, np.zeros(n_songs, dtype=np.float32))
        sample = space.units(read_rows(embeddings, sampled_rows(n_songs)))
        axes = leading_axes(sample, sample.shape[1])
        held = np.square(sample @ axes, dtype=np.float64).sum(axis=0).cumsum()
        enough = int(np.searchsorted(held, _OUTLINE_SHARE * held[-1])) + 1
        axes = np.ascontiguousarray(axes[:, : -(-enough // _OUTLINE_AXES) * _OUTLINE_AXES])
        leading = np.empty((n_songs, axes.shape[1]), dtype=np.float32)
        tails = np.empty(n_songs, dtype=np.float32)
        for rows, block in read_blocks(embeddings):
            units = space.units(block)
            leading[rows] = units @ axes
            tails[rows] = _tails(units, leading[rows])
        return cls(axes, leading, tails)

    def bounds(self, queries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Rough similarities ``(m, n)`` of queries ``(m, d)`` with all songs, and bounds of their errors, the same."""
        along = queries if self.axes is None else np.einsum("md,dr->mr", queries, self.axes)
        # one query is read faster than threads are woken, which on a busy machine takes longer than the product
        one = len(queries) == 1
        rough = np.einsum("nr,r->n", self.leading, along[0])[None] if one else along @ self.leading.T
        if self.axes is None:
            return rough, np.broadcast_to(np.float32(_ROUNDING), rough.shape)
        return rough, _tails(queries, along)[:, None] * self.tails + np.float32(_ROUNDING)


def _tails(units: np.ndarray, leading: np.ndarray) -> np.ndarray:
    """Lengths ``(n,)`` of ``units`` outside the leading axes, not less than they are in spite of rounding."""
    left = np.square(units).sum(axis=1) - np.square(leading).sum(axis=1)
    return np.sqrt(np.clip(left, 0, None) + _ROUNDING).astype(np.float32)


def _possible(rough: np.ndarray, slack: np.ndarray, wanted: int, allowed: np.ndarray | None) -> np.ndarray:
    """Rows, ascending, that can be among the ``wanted`` ≤ all allowed nearest, if similarities are rough ± slack."""
    if wanted < 1:
        return np.empty(0, dtype=np.int64)
    least = rough - slack
    if allowed is not None:
        least[~allowed] = -np.inf
    bar = np.partition(least, len(least) - wanted)[len(least) - wanted]
    possible = rough + slack >= bar
    return np.flatnonzero(possible if allowed is None else possible & allowed)


def open_search(
    library: Library,
    space: Space,
    workspace: Workspace | None = None,
    on_progress: OnProgress | None = None,
    correct_hubs: bool = False,
) -> Search:
    """A search of a library in one space.

    Parameters
    ----------
    library : Library
    space : Space
    workspace : Workspace, optional
        Where the index of a library of more than ``EXACT_LIMIT`` songs is, or is made or brought up to date. Without a
        workspace, and in spaces of few coordinates or with weighted families, every search is exact.
    on_progress : callable, optional
        Called with songs done and all songs while an index is made.
    correct_hubs : bool
        Whether similarities are mutual proximities, see ``songmap.library.hubs``.

    Raises
    ------
    QueryError
        If the library is empty.
    """
    if not len(library):
        raise QueryError("the library is empty; add music and run 01_feature_extraction.py")
    index = None
    if workspace is not None and len(library) > EXACT_LIMIT and space.by_family and not space.weighted:
        index = open_index(workspace, library.embeddings, space, on_progress)
    return Search(library.embeddings, space, index, correct_hubs)


def cosines(units: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """Similarity float64 ``(n,)``, -1 … 1, of ``units (n, 641)`` with one ``unit (641,)``."""
    result = np.empty(len(units))
    for rows in blocks(len(units)):
        result[rows] = np.multiply(units[rows], unit, dtype=np.float64).sum(axis=1)
    return np.clip(result, -1, 1)
