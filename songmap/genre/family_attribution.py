"""What each of the seven families of columns adds to a song's probabilities, and the smallest change of prediction.

Interventional Shapley values (Shapley 1953, Janzing et al. 2020): the worth of a coalition of families is the mean
probability when their columns are the song's and all other columns a background song's, over all background songs. All
128 coalitions are computed, so nothing is sampled. A model is any function ``predict_proba`` from raw columns
``(n, 641)`` to probabilities ``(n, n_genres)``.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from math import factorial
from typing import Any

import numpy as np

from songmap.genre.song_results import SmallestChange
from songmap.library.schema import COLUMN_FAMILY, FAMILIES

PredictProba = Callable[[np.ndarray], np.ndarray]

BACKGROUND_SONGS = 50  # values then differ by 0.4 to 0.7 points of probability from those with all songs, on average
_ROWS = 8192  # given to a model at once, at most about: 21 MB of float32, 42 of a model's float64

_FAMILY = np.array([FAMILIES.index(family) for family in COLUMN_FAMILY])  # of each column (641,)
_COALITIONS = np.arange(2 ** len(FAMILIES))[:, np.newaxis] >> np.arange(len(FAMILIES)) & 1 == 1  # (128, 7): who is in


@dataclass(frozen=True)
class FamilyAttribution:
    """Of one song: ``values (7, n_genres)`` in the order of ``FAMILIES``, ``base (n_genres,)``: probabilities.

    ``base`` is the mean over the background; base and values sum to the song's probabilities.
    """

    values: np.ndarray
    base: np.ndarray


def family_attribution(predict_proba: PredictProba, embedding: np.ndarray, background: np.ndarray) -> FamilyAttribution:
    """Exact Shapley values of the families for one song.

    Parameters
    ----------
    predict_proba : callable
    embedding : np.ndarray, shape (641,)
        The song to explain.
    background : np.ndarray, shape (m, 641)
        Songs that the other columns are taken from.

    Notes
    -----
    It takes 126 * m rows of ``predict_proba``, whatever the model, at most ``_ROWS`` of them at once.
    """
    whole, base = predict_proba(embedding[np.newaxis]), predict_proba(background).mean(axis=0)
    between = _worth(predict_proba, embedding, background, _COALITIONS[1:-1])
    return FamilyAttribution(_shapley_weights() @ np.vstack([base, between, whole]), base)


def background_songs(
    embeddings: np.ndarray, labels: np.ndarray, seed: int, number: int = BACKGROUND_SONGS
) -> np.ndarray:
    """A sample of the songs ``(n_songs, 641)``: of each genre its share of ``number``, at least one.

    Which songs depends on their columns and the seed, not on their order. All, if there are no more.
    """
    genres, counts = np.unique(labels, return_counts=True)
    wanted = _shares(counts, min(number, len(labels)))
    chosen = []
    for genre, size in zip(genres, wanted, strict=True):
        rows = np.flatnonzero(labels == genre)
        digests = [hashlib.sha256(b"%d" % seed + embeddings[row].tobytes()).digest() for row in rows]
        chosen += [rows[place] for place in sorted(range(len(rows)), key=digests.__getitem__)[:size]]
    return embeddings[chosen]


def smallest_change(
    predict_proba: PredictProba, embedding: np.ndarray, medians: np.ndarray, genres: list[str]
) -> SmallestChange | None:
    """The fewest families whose columns, all set to another genre's medians, make the model predict that genre.

    ``embedding`` ``(641,)``, ``medians`` ``(n_genres, 641)``. Of several such sets of equal size the one with the
    genre's largest probability counts, then the first in the order of ``FAMILIES`` and ``genres``. None if not even
    another genre's medians in all columns are predicted as that genre.
    """
    others = np.delete(np.arange(len(genres)), predict_proba(embedding[np.newaxis])[0].argmax())
    for size in range(1, len(FAMILIES) + 1):
        sets = list(combinations(range(len(FAMILIES)), size))
        changed = np.array([np.isin(_FAMILY, one) for one in sets])
        rows = np.where(changed[:, np.newaxis], medians[others], embedding)
        proba = predict_proba(rows.reshape(-1, len(embedding))).reshape(len(sets), len(others), -1)
        own = proba[:, np.arange(len(others)), others]
        flips = np.where(proba.argmax(axis=2) == others, own, -1.0)
        if flips.max() >= 0:
            first, genre = np.unravel_index(flips.argmax(), flips.shape)
            names = [FAMILIES[family] for family in sets[first]]
            return SmallestChange(names, genres[others[genre]], float(flips[first, genre]))
    return None


def _worth(
    predict_proba: PredictProba, embedding: np.ndarray, background: np.ndarray, coalitions: np.ndarray
) -> np.ndarray:
    """Mean probabilities with the song's columns in each coalition ``(n, 7)`` and the background's in all others."""
    own = coalitions[:, _FAMILY]
    step = max(1, _ROWS // len(own))
    total: Any = 0.0
    for start in range(0, len(background), step):
        block = background[start : start + step]
        rows = np.where(own[:, np.newaxis], embedding, block)
        total = total + predict_proba(rows.reshape(-1, len(embedding))).reshape(len(own), len(block), -1).sum(axis=1)
    return total / len(background)


def _shapley_weights() -> np.ndarray:
    """``(7, 128)``: a family's value is the sum over coalitions of weight times worth.

    A coalition of ``size`` others is preceded and followed by the rest in ``size! (6 - size)!`` of the 7! orders.
    """
    players = len(FAMILIES)
    orders = np.array([factorial(size) * factorial(players - 1 - size) for size in range(players)]) / factorial(players)
    sizes = _COALITIONS.sum(axis=1, keepdims=True)
    with_it, without_it = orders[np.maximum(sizes - 1, 0)], orders[np.minimum(sizes, players - 1)]
    return np.where(_COALITIONS, with_it, -without_it).T


def _shares(counts: np.ndarray, number: int) -> np.ndarray:
    """``number`` items distributed in proportion to ``counts``, at least one each (largest remainders first)."""
    exact = counts * number / counts.sum()
    shares = np.maximum(np.floor(exact).astype(int), 1)
    missing = np.argsort(shares - exact, kind="stable")
    shares[missing[: max(0, number - shares.sum())]] += 1
    return np.minimum(shares, counts)
