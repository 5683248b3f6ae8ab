"""One candidate fitted on songs: the point of its grid and its calibration are chosen by folds inside these songs.

Everything here uses training songs only, so that it can run inside every fold of an evaluation (nested
cross-validation, Varma & Simon 2006).
"""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from songmap.genre.candidates import CANDIDATES, Candidate, Point
from songmap.genre.splits import Fold, make_folds, subsample
from songmap.library.genre_model import Calibration, pipeline_predict_proba

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline
    from threadpoolctl import threadpool_limits

INNER_FOLDS = 4
GRID_SONGS = 1_000  # of more, the grid is decided on so many
_COLDEST, _HOTTEST = 0.02, 1000.0  # temperatures
_PRIOR_WEIGHTS = (-3.0, 1.0)


@dataclass(frozen=True)
class TrainingSongs:
    """``embeddings (n_songs, 641)``, ``labels`` and ``groups``, both ``(n_songs,)``, of ``n_genres`` genres."""

    embeddings: np.ndarray
    labels: np.ndarray
    groups: np.ndarray
    n_genres: int

    @property
    def shares(self) -> np.ndarray:
        """Share of each genre ``(n_genres,)``."""
        return np.bincount(self.labels, minlength=self.n_genres) / len(self.labels)


@dataclass(frozen=True)
class FittedCandidate:
    """A fitted candidate: ``parameters`` is the chosen point of its grid."""

    name: str
    pipeline: "Pipeline"
    parameters: Point
    calibration: Calibration

    def predict_proba(self, embeddings: np.ndarray) -> np.ndarray:
        """Calibrated probability of every genre for raw columns ``(n_songs, 641)``, float64 ``(n_songs, n_genres)``."""
        return self.calibration.apply(pipeline_predict_proba(self.pipeline, embeddings))


def fit_candidate(name: str, songs: TrainingSongs, seed: int, grid_songs: int = GRID_SONGS) -> FittedCandidate:
    """Choose the parameters of a candidate and its calibration on inner folds, then fit it on all songs.

    The point with the smallest log loss on songs of inner folds, which keep groups together (songs, where the groups
    allow no folds), is fitted on all. Where even songs allow none: the middle of the grid, uncalibrated.

    Parameters
    ----------
    name : str
        One of ``CANDIDATES``.
    songs : TrainingSongs
    seed : int
    grid_songs : int
        Of more songs, a subsample of groups and half of the folds decide on the grid, and one fold of all calibrates.
    """
    candidate, labels, groups = CANDIDATES[name], songs.labels, songs.groups
    points = candidate.grid(labels)
    point, calibration = points[len(points) // 2], Calibration(1.0, 0.0, songs.shares)
    folds = inner_folds(labels, groups, seed) if candidate.calibrated else []
    if folds:
        deciding = folds
        if len(labels) > grid_songs:
            rows = subsample(labels, groups, grid_songs, seed)
            halves = inner_folds(labels[rows], groups[rows], seed)[: INNER_FOLDS // 2]
            deciding = [(rows[train], rows[test]) for train, test in halves]
        point, calibration = _best(candidate, points, songs, deciding, seed)
        if deciding is not folds:
            point, calibration = _best(candidate, [point], songs, folds[:1], seed)
    pipeline = candidate.fit(point, songs.embeddings, labels, songs.n_genres, seed)
    return FittedCandidate(name, pipeline, point, calibration)


def _best(
    candidate: Candidate, points: list[Point], songs: TrainingSongs, folds: list[Fold], seed: int
) -> tuple[Point, Calibration]:
    """The point with the smallest log loss on the test songs of ``folds``, after calibration, and its calibration."""
    tested = np.concatenate([test for _, test in folds])
    options = [
        calibrate(proba, songs.labels[tested], songs.groups[tested], songs.shares)
        for proba in _out_of_fold(candidate, points, songs, folds, seed)
    ]
    best = min(range(len(points)), key=lambda index: options[index][1])
    return points[best], options[best][0]


def one_thread() -> "threadpool_limits":
    """Limits this thread's fits to one thread each; a context manager, or a pool's initializer.

    Trees request more from OpenMP whatever their n_jobs is, and wait busily for those on a busy machine. OpenMP counts
    by thread, so that each thread of a pool needs it, and it must be loaded to be limited.
    """
    import xgboost  # noqa: F401
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1)


def inner_folds(labels: np.ndarray, groups: np.ndarray, seed: int) -> list[Fold]:
    """Folds by group; by song where the groups allow none; none where a genre has too few songs."""
    by_group = make_folds(labels, groups, INNER_FOLDS, seed, 2)
    return by_group or make_folds(labels, np.arange(len(labels)), INNER_FOLDS, seed, 2)


def calibrate(
    proba: np.ndarray, labels: np.ndarray, groups: np.ndarray, shares: np.ndarray
) -> tuple[Calibration, float]:
    """The calibration of ``proba (n_songs, n_genres)`` with the smallest log loss, and that loss.

    As by Platt (1999), a model that is right everywhere is not treated as infallible: a song's genre counts for
    ``1 - 1 / (n_groups + 2)`` (rule of succession), the others share the rest. ``prior_weight`` has a normal prior
    (mean 0, deviation 1), which decides where shares are about equal and carry no information. It is negative for a
    model that favours frequent genres by more than their frequency, as LDA does where columns outnumber songs. In
    ``1 / temperature`` and ``prior_weight`` all this is convex.
    """
    from scipy.optimize import minimize

    n_songs, n_genres = proba.shape
    n_groups = len(np.unique(groups))
    smoothing = 1 / (n_groups + 2)
    targets = np.full((n_songs, n_genres), smoothing / (n_genres - 1))
    targets[np.arange(n_songs), labels] = 1 - smoothing
    slopes = np.stack([np.log(Calibration(1.0, 0.0, shares).apply(proba)), np.tile(np.log(shares), (n_songs, 1))])

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        inverse, weight = parameters
        calibrated = Calibration(1 / inverse, weight, shares).apply(proba)
        value = -(targets * np.log(np.clip(calibrated, 1e-300, None))).sum() / n_songs + weight**2 / (2 * n_groups)
        slope = (slopes * (calibrated - targets)).sum(axis=(1, 2)) / n_songs
        return float(value), slope + np.array([0, weight / n_groups])

    bounds = [(1 / _HOTTEST, 1 / _COLDEST), _PRIOR_WEIGHTS if np.ptp(shares) else (0.0, 0.0)]
    best = minimize(loss, [1.0, 0.0], jac=True, bounds=bounds, method="L-BFGS-B")
    return Calibration(float(1 / best.x[0]), float(best.x[1]), shares), float(best.fun)


def _out_of_fold(
    candidate: Candidate, points: list[Point], songs: TrainingSongs, folds: list[Fold], seed: int
) -> np.ndarray:
    """Each point's probabilities of the folds' test songs, in their order, ``(n_points, n_tested, n_genres)``.

    Points that differ in the number of trees alone are one fit: the first trees of many are those of few.
    """
    fits: dict[Hashable, list[int]] = {}
    for index, point in enumerate(points):
        fits.setdefault(tuple((name, point[name]) for name in point if name != "trees"), []).append(index)
    proba: list[list[np.ndarray]] = [[] for _ in points]
    for train, test in folds:
        for members in fits.values():
            largest = max((points[index] for index in members), key=lambda point: point.get("trees", 0))
            pipeline = candidate.fit(largest, songs.embeddings[train], songs.labels[train], songs.n_genres, seed)
            if len(members) == 1:
                proba[members[0]].append(pipeline_predict_proba(pipeline, songs.embeddings[test]))
                continue
            columns = pipeline[:-1].transform(songs.embeddings[test].astype(np.float64))
            for index in members:
                trees = (0, points[index]["trees"])
                proba[index].append(pipeline[-1].predict_proba(columns, iteration_range=trees).astype(np.float64))
    return np.stack([np.concatenate(parts) for parts in proba])
