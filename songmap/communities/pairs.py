"""Pairs of songs by different artists: how similar those of one playlist, and those of one community, sound."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MAX_PAIRS = 100_000  # of each kind, sampled of more


@dataclass(frozen=True)
class SongPairs:
    """Pairs of different artists, places int64 ``(n_pairs, 2)``: in a playlist together, in none, in each community."""

    same: np.ndarray
    other: np.ndarray
    within: dict[int, np.ndarray]


def song_pairs(playlists: Sequence[np.ndarray], labels: np.ndarray, artists: np.ndarray, seed: int) -> SongPairs:
    """Pairs of the songs 0 … n - 1.

    Parameters
    ----------
    playlists : sequence of np.ndarray, each shape (n,)
        Places of the songs of each playlist.
    labels : np.ndarray, shape (n_songs,)
        Communities; those below 0 are none.
    artists : np.ndarray, shape (n_songs,)
    seed : int
        Of the pairs that are drawn of more than ``MAX_PAIRS``.
    """
    n_songs, rng = len(labels), np.random.default_rng(seed)
    together = np.zeros((n_songs, n_songs), dtype=bool)
    for places in playlists:
        together[np.ix_(places, places)] = True
    different = np.triu(artists[:, None] != artists, 1)

    def drawn(matrix: np.ndarray) -> np.ndarray:
        places = np.argwhere(matrix)
        if len(places) > MAX_PAIRS:
            places = places[np.sort(rng.choice(len(places), MAX_PAIRS, replace=False))]
        return places

    within = {}
    for label in np.unique(labels[labels >= 0]):
        own = np.flatnonzero(labels == label)
        within[int(label)] = own[drawn(different[np.ix_(own, own)])]
    return SongPairs(drawn(together & different), drawn(~together & different), within)


def auc(same: np.ndarray, other: np.ndarray) -> float:
    """Probability that a pair of ``same (n,)`` is more similar than one of ``other (m,)``, ties counted half."""
    values, same = np.sort(other), np.sort(same)  # the latter makes the search of many several times faster
    below, up_to = np.searchsorted(values, same, "left"), np.searchsorted(values, same, "right")
    return float((below + up_to).mean() / (2 * len(values)))


def mid_ranks(similarities: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """The share of ``reference (m,)`` below each similarity, equal ones counted half, float32.

    By it an AUC is 0.5 + the mean of ``same`` - the mean of ``other``, where ``reference`` is both together.
    """
    values, order = np.sort(reference), np.argsort(similarities, axis=None)
    ordered = similarities.ravel()[order]  # searched several times faster than in any other order
    below, up_to = np.searchsorted(values, ordered, "left"), np.searchsorted(values, ordered, "right")
    ranks = np.empty(similarities.size, dtype=np.float32)
    ranks[order] = (below + up_to) / (2 * len(values))
    return ranks.reshape(similarities.shape)


def cosines(vectors: np.ndarray) -> np.ndarray:
    """Cosines float32 ``(n, n)`` of ``vectors (n, d)``, which are centred; 0 for a vector of zeros."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    units = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0).astype(np.float32)
    return np.asarray(units @ units.T)
