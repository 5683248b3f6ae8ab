"""Conformal sets: the genres that a song may have, so that the true one is among them for 90 % of songs.

A genre belongs to a song's set if its probability reaches a threshold, the same for all songs and genres (least
ambiguous sets, Sadinle, Lei & Wasserman 2019). The threshold is taken from what models said about songs that they had
not seen, pooled over folds (cross-conformal prediction, Vovk 2015). For one model and exchangeable songs the share is
guaranteed; pooled over folds it is what is usually reached, and ``verified`` measures it. Songs of one artist
resemble each other: that the share holds for other artists' songs is measured only where folds keep artists apart.
"""

from math import ceil
from typing import Any

import numpy as np

COVERAGE = 0.9


def threshold(out_of_fold: np.ndarray, labels: np.ndarray, coverage: float = COVERAGE) -> float:
    """The least probability 0 … 1 that puts a genre into a song's set.

    ``out_of_fold`` ``(n_songs, n_genres)`` by models that had not seen the songs, one for each song: means over several
    vary less than the one model that is served, and set the threshold too high. ``labels`` ``(n_songs,)``. The true
    genres of ``ceil((n_songs + 1) * coverage)`` songs reach it. Where so many songs do not exist (below 9 songs for
    90 %) nothing can be promised with fewer than all genres: 0.
    """
    n_songs = len(labels)
    reached = ceil(round((n_songs + 1) * coverage, 9))  # 9 decimals: 0.9 * 10 is 9, whatever its last bit says
    if reached > n_songs:
        return 0.0
    return float(np.sort(out_of_fold[np.arange(n_songs), labels])[n_songs - reached])


def prediction_sets(found: np.ndarray, threshold: float) -> np.ndarray:
    """Which genres are in the sets of songs with probabilities ``found``, bool ``(n_songs, n_genres)``.

    The likeliest genre is in its song's set even if it does not reach the threshold.
    """
    likeliest = np.arange(found.shape[1]) == found.argmax(axis=1)[:, np.newaxis]
    return (found >= threshold) | likeliest


def verified(
    out_of_fold: np.ndarray, labels: np.ndarray, fold_of: np.ndarray, coverage: float = COVERAGE
) -> dict[str, Any]:
    """How often the sets really hold the true genre: each fold's songs get the threshold of all other folds' songs.

    A record: ``wanted`` and ``coverage``, the mean number of genres in a set (``mean_size``), the shares of sets of
    one genre and of all genres, and the number of ``songs``.
    """
    sets = np.empty(out_of_fold.shape, bool)
    for fold in np.unique(fold_of):
        mine = fold_of == fold
        sets[mine] = prediction_sets(out_of_fold[mine], threshold(out_of_fold[~mine], labels[~mine], coverage))
    sizes = sets.sum(axis=1)
    return {
        "wanted": coverage,
        "coverage": float(sets[np.arange(len(labels)), labels].mean()),
        "mean_size": float(sizes.mean()),
        "sets_of_one": float((sizes == 1).mean()),
        "sets_of_all": float((sizes == out_of_fold.shape[1]).mean()),
        "songs": len(labels),
    }
