"""Scores of probabilities, and their intervals over artists.

``labels (n_songs,)`` are integers; ``proba (n_songs, n_genres)`` probabilities; ``rounds (n_rounds, n_songs,
n_genres)`` those of repetitions of a cross-validation, whose scores are averaged; ``groups (n_songs,)`` are resampled
whole. Scores are fractions 0 … 1, but log loss is in nats.

Expected calibration error (Guo et al. 2017): the mean over bins, weighted by their songs, of the difference between
the accuracy and the mean probability of the predicted genre. Bins hold equally many songs, at least ``_BIN_SONGS`` and
never split equal probabilities; there are at most ``_MAX_BINS``. Of few songs it is above 0 even for a perfectly
calibrated model, whose error on as many songs with the same probabilities is therefore given beside it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from songmap.genre.results import Reliability, ReliabilityBin

SCORES = ("accuracy", "balanced_accuracy", "macro_f1", "log_loss")
N_DRAWS = 1000
_MAX_BINS, _BIN_SONGS = 15, 10
_VERIFIABLE = 100  # groups: with fewer, the standard error of an accuracy of 50 % is above 5 points
LEAST = 1e-15  # the logarithm of a probability is taken of at least this
_BLOCK = 100  # draws held at a time
_DRAWN = 2_000_000  # predictions drawn at a time


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
    weights = group_draws(groups, seed, n_draws)
    values = scores_of(labels, rounds, groups, np.ones((1, weights.shape[1])))
    return Sampled({name: float(values[name][0]) for name in SCORES}, scores_of(labels, rounds, groups, weights))


def group_draws(groups: np.ndarray, seed: int, n_draws: int) -> np.ndarray:
    """How often each group, in sorted order, is in a bootstrap sample, uint16 ``(n_draws, n_groups)``."""
    rng, n_groups = np.random.default_rng(seed), len(np.unique(groups))
    even = np.full(n_groups, 1 / n_groups)
    sizes = [min(_BLOCK, n_draws - start) for start in range(0, n_draws, _BLOCK)]
    return np.concatenate([rng.multinomial(n_groups, even, size).astype(np.uint16) for size in sizes])


def scores_of(labels: np.ndarray, rounds: np.ndarray, groups: np.ndarray, weights: np.ndarray) -> dict[str, np.ndarray]:
    """Each of ``SCORES``, ``(n_draws,)``, where group ``g`` counts ``weights[draw, g]`` times; mean over rounds."""
    _, group = np.unique(groups, return_inverse=True)
    tables, blocks = [_Table(labels, proba, group) for proba in rounds], []
    for start in range(0, len(weights), _BLOCK):
        each = [table.scores(weights[start : start + _BLOCK].astype(np.float64)) for table in tables]
        blocks.append({name: np.mean([scores[name] for scores in each], axis=0) for name in SCORES})
    return {name: np.concatenate([block[name] for block in blocks]) for name in SCORES}


class _Table:
    """Of one round, what every group adds to the sums from which scores follow."""

    def __init__(self, labels: np.ndarray, proba: np.ndarray, group: np.ndarray) -> None:
        from scipy.sparse import coo_array

        self.n_genres, n_groups = proba.shape[1], int(group.max()) + 1
        predicted = proba.argmax(axis=1)
        cells = labels * self.n_genres + predicted

        def per_group(place: np.ndarray, value: np.ndarray, size: int) -> Any:
            return coo_array((value, (place, group)), (size, n_groups)).tocsr()

        self.confusions = per_group(cells, np.ones(len(labels)), self.n_genres**2)
        losses = -np.log(np.clip(proba[np.arange(len(labels)), labels], LEAST, None))
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
        }


def confidence_bins(confidence: np.ndarray) -> np.ndarray:
    """The bin of every song ``(n_songs,)`` by the probability of its predicted genre, for the calibration error."""
    n_bins = int(np.clip(len(confidence) // _BIN_SONGS, 1, _MAX_BINS))
    edges = np.quantile(confidence, np.arange(1, n_bins) / n_bins)
    return np.searchsorted(edges, confidence, side="left")


def calibration_error(labels: np.ndarray, rounds: np.ndarray) -> float:
    """Expected calibration error 0 … 1, mean over rounds."""
    correct = rounds.argmax(axis=2) == labels
    return float(
        np.mean([_errors(one.max(axis=1), right[np.newaxis]) for one, right in zip(rounds, correct, strict=True)])
    )


def calibrated_errors(confidence: np.ndarray, seed: int, n_draws: int = N_DRAWS) -> np.ndarray:
    """Expected calibration errors ``(n_draws,)`` that a perfectly calibrated model shows on as many songs.

    Every prediction is drawn to be right with its own probability, ``confidence (n_songs,)``, songs independent.
    """
    rng, step = np.random.default_rng(seed), max(1, _DRAWN // len(confidence))
    sizes = [min(step, n_draws - start) for start in range(0, n_draws, step)]
    return np.concatenate([_errors(confidence, rng.random((size, len(confidence))) < confidence) for size in sizes])


def _errors(confidence: np.ndarray, correct: np.ndarray) -> np.ndarray:
    """Expected calibration errors ``(n,)`` of predictions that are ``correct (n, n_songs)`` or not."""
    order = np.argsort(confidence_bins(confidence), kind="stable")
    starts = np.flatnonzero(np.diff(confidence_bins(confidence)[order], prepend=-1))
    return np.abs(np.add.reduceat((correct - confidence)[:, order], starts, axis=1)).sum(axis=1) / len(confidence)


def reliability(labels: np.ndarray, proba: np.ndarray, groups: np.ndarray, seed: int) -> Reliability:
    """Accuracy by the probability of the predicted genre, and whether that is as for a calibrated model.

    The bins of the expected calibration error, with Wilson's 95 % intervals, songs treated as independent.
    """
    from scipy.stats import binomtest

    confidence, right, bins = proba.max(axis=1), proba.argmax(axis=1) == labels, []
    place = confidence_bins(confidence)
    for number in np.unique(place):
        mean, correct = confidence[place == number].mean(), right[place == number]
        interval = binomtest(int(correct.sum()), len(correct)).proportion_ci(method="wilson")
        bins.append(ReliabilityBin(len(correct), *map(float, (mean, correct.mean(), interval.low, interval.high))))
    errors = calibrated_errors(confidence, seed)
    return Reliability(
        error=calibration_error(labels, proba[np.newaxis]),
        calibrated_error=float(errors.mean()),
        largest_calibrated_error=float(np.quantile(errors, 0.95)),
        accuracy=float(right.mean()),
        confidence=float(confidence.mean()),
        n_groups=len(np.unique(groups)),
        verifiable=len(np.unique(groups)) >= _VERIFIABLE,
        bins=bins,
    )


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
