"""Scores of probabilities, and their intervals over artists.

``labels (n_songs,)`` are integers; ``proba (n_songs, n_genres)`` probabilities; ``rounds (n_rounds, n_songs,
n_genres)`` those of repetitions of a cross-validation, whose scores are averaged; ``groups (n_songs,)`` are resampled
whole. Scores are fractions 0 … 1, but log loss is in nats.

Expected calibration error (Guo et al. 2017): the mean over bins, weighted by their songs, of the difference between
the accuracy and the mean probability of the predicted genre. Bins hold equally many songs, at least ``_BIN_SONGS`` and
never split equal probabilities; there are at most ``_MAX_BINS``. With few songs it is too high even of a calibrated
model.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from songmap.genre.results import Reliability, ReliabilityBin

SCORES = ("accuracy", "balanced_accuracy", "macro_f1", "log_loss", "ece")
N_DRAWS = 1000
_MAX_BINS, _BIN_SONGS = 15, 10
_LEAST = 1e-15
_BLOCK = 100  # draws held at a time


@dataclass(frozen=True)
class Sampled:
    """``values``: each of ``SCORES``; ``draws``: the same for bootstrap samples of the groups, ``(n_draws,)``."""

    values: dict[str, float]
    draws: dict[str, np.ndarray]

    def interval(self, name: str) -> tuple[float, float]:
        """95 % percentile interval."""
        low, high = np.quantile(self.draws[name], (0.025, 0.975))
        return float(low), float(high)

    def fields(self, *with_interval: str) -> dict[str, Any]:
        """All scores, those in ``with_interval`` followed by ``_low`` and ``_high``."""
        scores = {}
        for name in SCORES:
            scores[name] = self.values[name]
            if name in with_interval:
                scores[f"{name}_low"], scores[f"{name}_high"] = self.interval(name)
        return scores


def sampled_scores(
    labels: np.ndarray, rounds: np.ndarray, groups: np.ndarray, seed: int, n_draws: int = N_DRAWS
) -> Sampled:
    """Scores, and their cluster bootstrap: whole groups are drawn with replacement (Field & Welsh 2007).

    Parameters
    ----------
    labels : np.ndarray, shape (n_songs,)
    rounds : np.ndarray, shape (n_rounds, n_songs, n_genres)
        Probabilities; scores are averaged over rounds.
    groups : np.ndarray, shape (n_songs,)
    seed, n_draws : int

    Notes
    -----
    Draws with equal ``groups`` and ``seed`` are of the same groups, so those of two models can be subtracted. Genres
    that a draw leaves out do not count in its balanced accuracy and macro F1. The models stay as they are: what other
    training songs would have changed is not in the interval. Of few different groups such intervals are too narrow.
    """
    _, group = np.unique(groups, return_inverse=True)
    tables = [_Table(labels, proba, group) for proba in rounds]
    rng, n_groups = np.random.default_rng(seed), int(group.max()) + 1
    values = _averaged(tables, np.ones((1, n_groups)))
    blocks = []
    for start in range(0, n_draws, _BLOCK):
        weights = rng.multinomial(n_groups, np.full(n_groups, 1 / n_groups), min(_BLOCK, n_draws - start))
        blocks.append(_averaged(tables, weights.astype(np.float64)))
    draws = {name: np.concatenate([block[name] for block in blocks]) for name in SCORES}
    return Sampled({name: float(values[name][0]) for name in SCORES}, draws)


def _averaged(tables: list["_Table"], weights: np.ndarray) -> dict[str, np.ndarray]:
    each = [table.scores(weights) for table in tables]
    return {name: np.mean([scores[name] for scores in each], axis=0) for name in SCORES}


class _Table:
    """Of one round, what every group adds to the sums from which scores follow."""

    def __init__(self, labels: np.ndarray, proba: np.ndarray, group: np.ndarray) -> None:
        from scipy.sparse import coo_array

        self.n_genres, n_groups = proba.shape[1], int(group.max()) + 1
        predicted, confidence = proba.argmax(axis=1), proba.max(axis=1)
        bins, cells = confidence_bins(confidence), labels * self.n_genres + predicted

        def per_group(place: np.ndarray, value: np.ndarray, size: int) -> Any:
            return coo_array((value, (place, group)), (size, n_groups)).tocsr()

        self.confusions = per_group(cells, np.ones(len(labels)), self.n_genres**2)
        self.excess = per_group(bins, (predicted == labels) - confidence, int(bins.max()) + 1)
        losses = -np.log(np.clip(proba[np.arange(len(labels)), labels], _LEAST, None))
        self.sums = np.stack([np.bincount(group, losses), np.bincount(group)])

    def scores(self, weights: np.ndarray) -> dict[str, np.ndarray]:
        """Each of ``SCORES`` ``(n_draws,)`` for ``weights (n_draws, n_groups)``, how often each group counts."""
        counts = (self.confusions @ weights.T).T.reshape(len(weights), self.n_genres, self.n_genres)
        losses, songs = self.sums @ weights.T
        right = np.diagonal(counts, axis1=1, axis2=2)
        own, predicted = counts.sum(axis=2), counts.sum(axis=1)
        there = own > 0
        recall = right / np.maximum(own, 1)
        f1 = 2 * right / np.maximum(own + predicted, 1)
        return {
            "accuracy": right.sum(axis=1) / songs,
            "balanced_accuracy": recall.sum(axis=1) / there.sum(axis=1),
            "macro_f1": (f1 * there).sum(axis=1) / there.sum(axis=1),
            "log_loss": losses / songs,
            "ece": np.abs(self.excess @ weights.T).sum(axis=0) / songs,
        }


def confidence_bins(confidence: np.ndarray) -> np.ndarray:
    """The bin of every song ``(n_songs,)`` by the probability of its predicted genre, for the calibration error."""
    n_bins = int(np.clip(len(confidence) // _BIN_SONGS, 1, _MAX_BINS))
    edges = np.quantile(confidence, np.arange(1, n_bins) / n_bins)
    return np.searchsorted(edges, confidence, side="left")


def reliability(labels: np.ndarray, proba: np.ndarray) -> Reliability:
    """Accuracy by the probability of the predicted genre.

    The bins of the expected calibration error, with Wilson's 95 % intervals, songs treated as independent.
    """
    from scipy.stats import binomtest

    place, right, bins = confidence_bins(proba.max(axis=1)), proba.argmax(axis=1) == labels, []
    for number in np.unique(place):
        confidence, correct = proba.max(axis=1)[place == number], right[place == number]
        interval = binomtest(int(correct.sum()), len(correct)).proportion_ci(method="wilson")
        scores = confidence.mean(), correct.mean(), interval.low, interval.high
        bins.append(ReliabilityBin(len(correct), *map(float, scores)))
    error = sum(one.songs * abs(one.confidence - one.accuracy) for one in bins) / len(labels)
    return Reliability(error, bins)


def per_genre_scores(labels: np.ndarray, rounds: np.ndarray, prefix: str = "") -> list[dict[str, float]]:
    """Precision, recall and F1 of every genre over all rounds; 0 where a genre is never predicted."""
    from sklearn.metrics import precision_recall_fscore_support

    truth, predicted = np.tile(labels, len(rounds)), rounds.argmax(axis=2).ravel()
    values = precision_recall_fscore_support(truth, predicted, labels=range(rounds.shape[2]), zero_division=0)
    names = [f"{prefix}{name}" for name in ("precision", "recall", "f1")]
    return [dict(zip(names, scores, strict=True)) for scores in np.transpose(values[:3]).tolist()]


def confusion(labels: np.ndarray, proba: np.ndarray) -> list[list[int]]:
    """How often a song of genre ``row`` is predicted as genre ``column``."""
    from sklearn.metrics import confusion_matrix

    return confusion_matrix(labels, proba.argmax(axis=1), labels=range(proba.shape[1])).tolist()
