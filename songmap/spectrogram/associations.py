"""Which property of sound goes with a filter's activation, if any: rank correlations, and what chance would give.

Excerpts of a song are similar, and so are songs by an artist: thousands of excerpts of a few artists are evidence from a few
artists only. The null distribution is therefore that of artists (``library.artists``): each song's excerpts get the probes of
a song by another artist, in their order. Of every permutation the largest correlation of all filters and probes counts, which
corrects for the number of both (Westfall & Young 1993, Resampling-based multiple testing).
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from songmap.library.artists import ArtistPermutation

N_PERMUTATIONS = 499


@dataclass(frozen=True)
class Associations:
    """Spearman's rank correlation of each filter with each probe, and its p-value, corrected; ``(n_filters, n_probes)``.

    ``largest_by_chance`` is the 95th percentile of the largest correlation of a permutation.
    """

    correlation: np.ndarray
    p_corrected: np.ndarray
    largest_by_chance: float


def associations(
    activation: np.ndarray, probes: np.ndarray, song: np.ndarray, artist: np.ndarray, seed: int
) -> Associations:
    """Compare activations with probes.

    Parameters
    ----------
    activation : np.ndarray (n_excerpts, n_filters)
    probes : np.ndarray (n_excerpts, n_probes)
    song : np.ndarray of int (n_excerpts,)
        The song of each excerpt; those of a song are in one piece.
    artist : np.ndarray of int (n_excerpts,)
        Its artist, the same for all excerpts of a song.
    seed : int
        Of the permutations.

    Returns
    -------
    Associations
        A filter or a probe that is the same for all excerpts has correlations of 0 and p-values of 1. The smallest
        p-value is 1 / (N_PERMUTATIONS + 1).
    """
    filter_ranks = _standardised(rankdata(activation, axis=0))
    probe_ranks = rankdata(probes, axis=0).astype(np.float32)
    correlation = filter_ranks.T @ _standardised(probe_ranks)
    artists = np.unique(artist[_first_excerpts(song)], return_inverse=True)[1]
    permutation, random = ArtistPermutation(artists), np.random.default_rng(seed)
    largest = np.empty(N_PERMUTATIONS)
    for number in range(N_PERMUTATIONS):
        exchanged = probe_ranks[exchanged_songs(song, permutation.draw(random))]
        largest[number] = np.abs(filter_ranks.T @ _standardised(exchanged)).max()
    larger = N_PERMUTATIONS - np.searchsorted(np.sort(largest), np.abs(correlation) - 1e-9)
    return Associations(correlation, (1 + larger) / (N_PERMUTATIONS + 1), float(np.quantile(largest, 0.95)))


def correlations(activation: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Spearman's rank correlation of each filter with each column of ``others``, ``(n_filters, n_columns)``; 0 of constants."""
    return _standardised(rankdata(activation, axis=0)).T @ _standardised(rankdata(others, axis=0))


def exchanged_songs(song: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Rows, ``(n_excerpts,)``: each song's excerpts are replaced by those of ``other (n_songs,)``, places among the songs.

    Where that one has fewer or more excerpts, evenly spaced ones of it are repeated or left out.
    """
    first = _first_excerpts(song)
    sizes = np.diff(np.r_[first, len(song)])
    block = np.repeat(np.arange(len(first)), sizes)
    place = np.arange(len(song)) - first[block]
    return first[other[block]] + (2 * place + 1) * sizes[other[block]] // (2 * sizes[block])


def _first_excerpts(song: np.ndarray) -> np.ndarray:
    """The row of the first excerpt of each song."""
    return np.flatnonzero(np.r_[True, np.diff(song) != 0])


def _standardised(ranks: np.ndarray) -> np.ndarray:
    """Columns of mean 0 and length 1, so that products are correlations; constant ones are 0."""
    centred = (ranks - ranks.mean(axis=0)).astype(np.float32)
    length = np.linalg.norm(centred, axis=0)
    return centred / np.where(length > 0, length, 1)
