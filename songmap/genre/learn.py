"""One candidate learned from songs: the point of its grid and its calibration are chosen by folds inside these songs.

Everything here sees training songs only, so that it can run inside every fold of an evaluation (nested
cross-validation, Varma & Simon 2006).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from songmap.core.classifier import Calibration, pipeline_probabilities
from songmap.genre.models import CANDIDATES, Candidate, Point
from songmap.genre.splits import Fold, make_folds, subsample

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

INNER_FOLDS = 4
GRID_SONGS = 2_500  # of more, the grid is decided on so many
_TEMPERATURES = (0.2, 20.0)


@dataclass(frozen=True)
class Learned:
    """A fitted candidate: ``parameters`` is the chosen point of its grid."""

    name: str
    pipeline: "Pipeline"
    parameters: Point
    calibration: Calibration

    def probabilities(self, embeddings: np.ndarray) -> np.ndarray:
        """Calibrated probability of every genre for raw columns ``(n_songs, 641)``, float64 ``(n_songs, n_genres)``."""
        return self.calibration.apply(pipeline_probabilities(self.pipeline, embeddings))


def learn(
    name: str, embeddings: np.ndarray, labels: np.ndarray, groups: np.ndarray, n_genres: int, seed: int
) -> Learned:
    """The candidate ``name`` learned from ``embeddings (n_songs, 641)``, ``labels`` and ``groups``, both ``(n_songs,)``.

    The point with the smallest log loss on songs of inner folds, which keep groups together (songs, where the groups
    allow no folds), is fitted on all. Where even songs allow none: the middle of the grid, uncalibrated. Of more than
    ``GRID_SONGS`` songs the grid is decided on a subsample of groups, and calibrated on one inner fold of all.
    """
    candidate = CANDIDATES[name]
    points = candidate.grid(labels)
    shares = np.bincount(labels, minlength=n_genres) / len(labels)
    point, calibration = points[len(points) // 2], Calibration(1.0, 0.0, shares)
    if candidate.calibrated:
        rows = subsample(labels, groups, GRID_SONGS, seed) if len(labels) > GRID_SONGS else np.arange(len(labels))
        folds = inner_folds(labels[rows], groups[rows], seed)
        if folds:
            found = _inner(candidate, points, embeddings[rows], labels[rows], folds, n_genres, seed)
            fitted = [calibrate(one, labels[rows], shares) for one in found]
            best = min(range(len(points)), key=lambda index: fitted[index][1])
            point, calibration = points[best], fitted[best][0]
        if len(rows) < len(labels):
            train, test = inner_folds(labels, groups, seed)[0]
            pipeline = candidate.fit(point, embeddings[train], labels[train], n_genres, seed)
            calibration, _ = calibrate(pipeline_probabilities(pipeline, embeddings[test]), labels[test], shares)
    return Learned(name, candidate.fit(point, embeddings, labels, n_genres, seed), point, calibration)


def inner_folds(labels: np.ndarray, groups: np.ndarray, seed: int) -> list[Fold]:
    """Folds by group; by song where the groups allow none; none where a genre has too few songs."""
    return make_folds(labels, groups, INNER_FOLDS, seed, 2) or make_folds(
        labels, np.arange(len(labels)), INNER_FOLDS, seed, 2
    )


def calibrate(found: np.ndarray, labels: np.ndarray, shares: np.ndarray) -> tuple[Calibration, float]:
    """The calibration of ``found (n_songs, n_genres)`` with the smallest log loss, and that loss.

    ``prior_weight`` stays 0 where all ``shares`` are equal, since nothing then tells it.
    """
    from scipy.optimize import minimize

    rows = np.arange(len(labels))

    def loss(parameters: np.ndarray) -> float:
        told = Calibration(float(np.exp(parameters[0])), float(parameters[1]), shares).apply(found)
        return float(-np.log(np.clip(told[rows, labels], 1e-15, None)).mean())

    weights = (0.0, 0.0) if np.ptp(shares) == 0 else (0.0, 1.0)
    bounds = [tuple(np.log(_TEMPERATURES)), weights]
    best = minimize(loss, [0.0, weights[1] / 2], bounds=bounds, method="L-BFGS-B")
    return Calibration(float(np.exp(best.x[0])), float(best.x[1]), shares), float(best.fun)


def _inner(
    candidate: Candidate,
    points: list[Point],
    embeddings: np.ndarray,
    labels: np.ndarray,
    folds: list[Fold],
    n_genres: int,
    seed: int,
) -> np.ndarray:
    """What each point's models say of the songs they were not fitted on, ``(n_points, n_songs, n_genres)``.

    Points that differ in the number of trees alone are one fit: the first trees of many are those of few.
    """
    found = np.zeros((len(points), len(labels), n_genres))
    families: dict[tuple, list[int]] = {}
    for index, point in enumerate(points):
        families.setdefault(tuple((name, point[name]) for name in point if name != "trees"), []).append(index)
    for train, test in folds:
        for members in families.values():
            largest = max((points[index] for index in members), key=lambda point: point.get("trees", 0))
            pipeline = candidate.fit(largest, embeddings[train], labels[train], n_genres, seed)
            for index in members:
                if "trees" not in points[index]:
                    found[index, test] = pipeline_probabilities(pipeline, embeddings[test])
                    continue
                columns = pipeline[:-1].transform(embeddings[test].astype(np.float64))
                found[index, test] = pipeline[-1].predict_proba(columns, iteration_range=(0, points[index]["trees"]))
    return found
