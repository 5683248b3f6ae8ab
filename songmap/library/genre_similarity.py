"""Genres compared: the mean similarity of the songs of one with those of another.

Conventions are those of ``songmap.library.search``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from songmap.core.blocks import blocks
from songmap.library.search import Search


@dataclass(frozen=True)
class GenreSimilarity:
    """Mean similarity of the songs of one genre with those of another.

    ``genres`` sorted, ``counts (n_genres,)`` songs in each, ``means (n_genres, n_genres)``: off the diagonal
    over all pairs between two genres, on it over all pairs of two different songs within one, NaN for a
    genre of one song. ``within`` and ``between`` are the means over all pairs of songs that share a genre
    and that do not, ``to_others (n_genres,)`` over all pairs that leave a genre; NaN where there is none. ``nearest``
    is each genre's most similar other one, None for a single genre.
    """

    genres: tuple[str, ...]
    counts: np.ndarray
    means: np.ndarray
    within: float
    between: float
    to_others: np.ndarray
    nearest: tuple[str | None, ...]


def genre_similarity(search: Search, genres: Sequence[str]) -> GenreSimilarity:
    """Compare genres exactly in O(n_songs * d): a mean over pairs is a dot product of sums of vectors.

    The pairs of a song with itself are taken out of each genre analytically.

    Parameters
    ----------
    search : Search
        Of n_songs songs, in any space.
    genres : sequence of str, length n_songs
        Genre of every song.

    Returns
    -------
    GenreSimilarity
    """
    names, codes = np.unique(np.asarray(genres, dtype=str), return_inverse=True)
    counts = np.bincount(codes, minlength=len(names))
    sums, selves = np.zeros((len(names), search.space.size)), np.zeros(len(names))
    for rows in blocks(len(search)):
        units = search.units(np.arange(len(search))[rows]).astype(np.float64)
        selves += np.bincount(codes[rows], np.square(units).sum(axis=1), minlength=len(names))
        for code in np.unique(codes[rows]):
            sums[code] += units[codes[rows] == code].sum(axis=0)
    totals = sums @ sums.T
    totals[np.diag_indices_from(totals)] -= selves
    pairs = np.outer(counts, counts).astype(np.float64)
    pairs[np.diag_indices_from(pairs)] -= counts
    off = ~np.eye(len(names), dtype=bool)
    means = _mean(totals, pairs)
    nearest = np.where(off, means, -np.inf).argmax(axis=1)
    return GenreSimilarity(
        genres=tuple(str(name) for name in names),
        counts=counts,
        means=means,
        within=float(_mean(totals[~off].sum(), pairs[~off].sum())),
        between=float(_mean(totals[off].sum(), pairs[off].sum())),
        to_others=_mean((totals * off).sum(axis=1), (pairs * off).sum(axis=1)),
        nearest=tuple(str(names[place]) if len(names) > 1 else None for place in nearest),
    )


def _mean(totals: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    return np.divide(totals, pairs, out=np.full(np.shape(totals), np.nan), where=pairs > 0)
