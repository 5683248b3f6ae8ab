"""Null models and intervals that respect artists: an artist's songs never count as independent.

Songs of an artist sound similar and are in one playlist, whatever sound has to do with playlists, or with a network's filters.
Here the unit that is permuted, and left out, is therefore the artist.

Conventions: ``artists (n,)`` are numbers of artists, from 0, as of ``Lookup.artist_groups``.

References
----------
Efron & Tibshirani 1993, An introduction to the bootstrap, chapter 11 (jackknife); Kott 2001 (its delete-a-group form).
"""

from collections.abc import Callable

import numpy as np

_LEAST_ARTISTS = 5  # of a similar number of songs, that are exchanged among each other
MAX_GROUPS = 40


class ArtistPermutation:
    """Gives each artist's songs the sound of another artist's, songs of one artist remaining together.

    Artists are exchanged among those of a similar number of songs, within a factor of 2 where there are five such. An artist
    with more songs than the other gets some of the other's twice: that leaves the null a little wider, never narrower.
    """

    def __init__(self, artists: np.ndarray) -> None:
        order = np.argsort(artists, kind="stable")
        self._songs = np.split(order, np.cumsum(np.bincount(artists))[:-1])
        sizes = np.array([len(songs) for songs in self._songs])
        self._classes = _size_classes(sizes)
        self._n_songs = len(artists)

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """For every song the one whose sound it gets, int64 ``(n,)``; different artists get different artists."""
        rows = np.empty(self._n_songs, dtype=np.int64)
        for members in self._classes:
            for own, other in zip(members, rng.permutation(members), strict=True):
                songs, others = self._songs[own], rng.permutation(self._songs[other])
                rows[songs] = others.take(np.arange(len(songs)), mode="wrap")
        return rows


def _size_classes(sizes: np.ndarray) -> list[np.ndarray]:
    """Artists by the power of 2 of their number of songs; a class of few is joined to the next smaller one."""
    powers = np.floor(np.log2(sizes)).astype(int)
    classes: list[np.ndarray] = []
    waiting = np.empty(0, dtype=np.int64)
    for power in range(powers.max(), -1, -1):
        waiting = np.concatenate([waiting, np.flatnonzero(powers == power)])
        if len(waiting) >= _LEAST_ARTISTS:
            classes.append(waiting)
            waiting = waiting[:0]
    if len(waiting):
        classes[-1:] = [np.concatenate([*classes[-1:], waiting])]
    return classes


def jackknife(
    artists: np.ndarray, measure: Callable[[np.ndarray], float], value: float, seed: int
) -> tuple[float, float]:
    """95 % interval of a measure over artists: its spread when one group of artists after the other is left out.

    A bootstrap would draw artists twice; a measure of agreement takes that for more agreement.

    Parameters
    ----------
    artists : np.ndarray, shape (n,)
    measure : callable
        Of rows that are kept, int64.
    value : float
        Of all rows.
    seed : int
        Of the groups, where there are more artists than ``MAX_GROUPS``.
    """
    from scipy.stats import t

    n_artists = int(artists.max()) + 1
    n_groups = min(n_artists, MAX_GROUPS)
    group = np.random.default_rng(seed).permutation(n_artists)[artists] % n_groups
    values = np.array([measure(np.flatnonzero(group != one)) for one in range(n_groups)])
    error = np.sqrt((n_groups - 1) / n_groups * np.square(values - values.mean()).sum())
    half = float(t.ppf(0.975, n_groups - 1) * error)
    return value - half, value + half
