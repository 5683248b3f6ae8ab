"""Conformal sets: the genres that a song may have, so that the true one is among them for 90 % of songs.

A genre belongs to a song's set if its probability reaches a threshold, the same for all songs and genres (least
ambiguous sets, Sadinle, Lei & Wasserman 2019). The threshold is computed from out-of-fold probabilities, pooled over
folds (cross-conformal prediction, Vovk 2015). For one model and exchangeable songs the share is guaranteed; pooled over
folds it is what is usually reached, and ``coverage`` measures it. Songs of one artist resemble each other: that the
share holds for other artists' songs is measured only where folds keep artists apart.
"""

from math import ceil

import numpy as np

from songmap.genre.coverage_results import ConformalCoverage, GenreCoverage
from songmap.genre.metrics import N_DRAWS

COVERAGE = 0.9


def threshold(out_of_fold: np.ndarray, labels: np.ndarray, wanted: float = COVERAGE) -> float:
    """The least probability 0 … 1 that puts a genre into a song's set.

    Parameters
    ----------
    out_of_fold : np.ndarray, shape (n_songs, n_genres)
        By one model for each song, trained without it: means over several vary less than the one model in use, and set
        the threshold too high.
    labels : np.ndarray, shape (n_songs,)
    wanted : float
        The true genres of ``ceil((n_songs + 1) * wanted)`` songs reach the threshold. Where so many songs do not exist
        (below 9 songs for 90 %) nothing smaller than the set of all genres is guaranteed: 0.
    """
    n_songs = len(labels)
    reached = ceil(round((n_songs + 1) * wanted, 9))  # 9 decimals: 0.9 * 10 is 9, whatever its last bit is
    if reached > n_songs:
        return 0.0
    return float(np.sort(out_of_fold[np.arange(n_songs), labels])[n_songs - reached])


def prediction_sets(proba: np.ndarray, threshold: float) -> np.ndarray:
    """Which genres are in the sets of songs with probabilities ``proba``, bool ``(n_songs, n_genres)``.

    The most probable genre is in its song's set even if it does not reach the threshold.
    """
    largest = np.arange(proba.shape[1]) == proba.argmax(axis=1)[:, np.newaxis]
    return (proba >= threshold) | largest


def coverage(
    out_of_fold: np.ndarray, labels: np.ndarray, fold_of: np.ndarray, groups: np.ndarray, genres: list[str], seed: int
) -> ConformalCoverage:
    """How often the sets contain the true genre: each fold's songs get the threshold of all other folds' songs.

    Parameters
    ----------
    out_of_fold : np.ndarray, shape (n_songs, n_genres)
    labels, fold_of, groups : np.ndarray, shape (n_songs,)
        Intervals resample the groups.
    genres : list of str
    seed : int
    """
    sets = np.empty(out_of_fold.shape, bool)
    for fold in np.unique(fold_of):
        own = fold_of == fold
        sets[own] = prediction_sets(out_of_fold[own], threshold(out_of_fold[~own], labels[~own]))
    sizes = sets.sum(axis=1)
    contained = sets[np.arange(len(labels)), labels]
    share, size, of_one, of_all = (float(one.mean()) for one in (contained, sizes, sizes == 1, sets.all(axis=1)))
    per_genre = []
    for label, genre in enumerate(genres):
        own = labels == label
        n_groups = len(np.unique(groups[own]))
        interval = share_interval(contained[own], groups[own], seed)
        per_genre.append(GenreCoverage(genre, int(own.sum()), n_groups, float(contained[own].mean()), *interval))
    interval = share_interval(contained, groups, seed)
    return ConformalCoverage(COVERAGE, share, *interval, size, of_one, of_all, len(labels), per_genre)


def share_interval(holds: np.ndarray, groups: np.ndarray, seed: int) -> tuple[float, float]:
    """95 % interval of the share of songs for which ``holds (n_songs,)`` is true, whole ``groups`` resampled.

    Where it is true of all songs or of none, resampling shows no spread; the exact binomial interval of as many groups
    is given, as if each were one song.
    """
    _, group = np.unique(groups, return_inverse=True)
    true, songs = np.bincount(group, holds), np.bincount(group)
    n_groups = len(songs)
    if holds.all() or not holds.any():
        other = 0.025 ** (1 / n_groups)  # Clopper & Pearson 1934
        return (other, 1.0) if holds.all() else (0.0, 1 - other)
    rng = np.random.default_rng(seed)
    draws = (rng.integers(n_groups, size=n_groups) for _ in range(N_DRAWS))
    low, high = np.quantile([true[drawn].sum() / songs[drawn].sum() for drawn in draws], (0.025, 0.975))
    return float(low), float(high)
