"""One candidate learned from songs: the point of its grid and its calibration are chosen by folds inside these songs.

Everything here sees training songs only, so that it can run inside every fold of an evaluation (nested
cross-validation, Varma & Simon 2006).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from songmap.genre.models import CANDIDATES, Candidate, Point
from songmap.genre.splits import Fold, make_folds, subsample
from songmap.library.genre_model import Calibration, pipeline_probabilities

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline
    from threadpoolctl import threadpool_limits

INNER_FOLDS = 4
GRID_SONGS = 1_000  # of more, the grid is decided on so many
_COLDEST, _HOTTEST = 0.02, 1000.0  # temperatures
_PRIOR_WEIGHTS = (-3.0, 1.0)


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
    name: str,
    embeddings: np.ndarray,
    labels: np.ndarray,
    groups: np.ndarray,
    n_genres: int,
    seed: int,
    grid_songs: int = GRID_SONGS,
) -> Learned:
    """The candidate ``name`` learned from ``embeddings (n_songs, 641)``, ``labels`` and ``groups``, both ``(n_songs,)``.

    The point with the smallest log loss on songs of inner folds, which keep groups together (songs, where the groups
    allow no folds), is fitted on all. Where even songs allow none: the middle of the grid, uncalibrated. Of more than
    ``grid_songs`` songs a subsample of groups and half of the folds decide on the grid, and one fold of all calibrates.
    """
    candidate = CANDIDATES[name]
    points = candidate.grid(labels)
    shares = np.bincount(labels, minlength=n_genres) / len(labels)
    point, calibration = points[len(points) // 2], Calibration(1.0, 0.0, shares)
    folds = inner_folds(labels, groups, seed) if candidate.calibrated else []
    if folds:
        deciding = folds
        if len(labels) > grid_songs:
            rows = subsample(labels, groups, grid_songs, seed)
            halves = inner_folds(labels[rows], groups[rows], seed)[: INNER_FOLDS // 2]
            deciding = [(rows[train], rows[test]) for train, test in halves]
        point, calibration = _best(candidate, points, embeddings, labels, groups, shares, deciding, seed)
        if deciding is not folds:
            point, calibration = _best(candidate, [point], embeddings, labels, groups, shares, folds[:1], seed)
    return Learned(name, candidate.fit(point, embeddings, labels, n_genres, seed), point, calibration)


def _best(
    candidate: Candidate,
    points: list[Point],
    embeddings: np.ndarray,
    labels: np.ndarray,
    groups: np.ndarray,
    shares: np.ndarray,
    folds: list[Fold],
    seed: int,
) -> tuple[Point, Calibration]:
    """The point with the smallest log loss on what ``folds`` test, after calibration, and its calibration."""
    found = _inner(candidate, points, embeddings, labels, folds, len(shares), seed)
    tested = np.concatenate([test for _, test in folds])
    options = [calibrate(one, labels[tested], groups[tested], shares) for one in found]
    best = min(range(len(points)), key=lambda index: options[index][1])
    return points[best], options[best][0]


def one_thread() -> "threadpool_limits":
    """Limits this thread's fits to one thread each; a context manager, or a pool's initializer.

    Trees ask OpenMP for more whatever their n_jobs says, and wait busily for those on a busy machine. OpenMP counts
    by thread, so that each thread of a pool needs it, and it must be loaded to be limited.
    """
    import xgboost  # noqa: F401
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1)


def inner_folds(labels: np.ndarray, groups: np.ndarray, seed: int) -> list[Fold]:
    """Folds by group; by song where the groups allow none; none where a genre has too few songs."""
    return make_folds(labels, groups, INNER_FOLDS, seed, 2) or make_folds(
        labels, np.arange(len(labels)), INNER_FOLDS, seed, 2
    )


def calibrate(
    found: np.ndarray, labels: np.ndarray, groups: np.ndarray, shares: np.ndarray
) -> tuple[Calibration, float]:
    """The calibration of ``found (n_songs, n_genres)`` with the smallest log loss, and that loss.

    As by Platt (1999), a model that is right everywhere is not taken for infallible: a song's genre counts for
    ``1 - 1 / (n_groups + 2)`` (rule of succession), the others share the rest. ``prior_weight`` has a normal prior
    (mean 0, deviation 1), which decides where shares are about equal and tell nothing. It is negative for a model that
    favours frequent genres by more than their frequency, as LDA does where columns outnumber songs. In
    ``1 / temperature`` and ``prior_weight`` all this is convex.
    """
    from scipy.optimize import minimize

    n_songs, n_genres = found.shape
    n_groups = len(np.unique(groups))
    doubt = 1 / (n_groups + 2)
    targets = np.full((n_songs, n_genres), doubt / (n_genres - 1))
    targets[np.arange(n_songs), labels] = 1 - doubt
    slopes = np.stack([np.log(Calibration(1.0, 0.0, shares).apply(found)), np.tile(np.log(shares), (n_songs, 1))])

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        inverse, weight = parameters
        told = Calibration(1 / inverse, weight, shares).apply(found)
        value = -(targets * np.log(np.clip(told, 1e-300, None))).sum() / n_songs + weight**2 / (2 * n_groups)
        slope = (slopes * (told - targets)).sum(axis=(1, 2)) / n_songs
        return float(value), slope + np.array([0, weight / n_groups])

    bounds = [(1 / _HOTTEST, 1 / _COLDEST), _PRIOR_WEIGHTS if np.ptp(shares) else (0.0, 0.0)]
    best = minimize(loss, [1.0, 0.0], jac=True, bounds=bounds, method="L-BFGS-B")
    return Calibration(float(1 / best.x[0]), float(best.x[1]), shares), float(best.fun)


def _inner(
    candidate: Candidate,
    points: list[Point],
    embeddings: np.ndarray,
    labels: np.ndarray,
    folds: list[Fold],
    n_genres: int,
    seed: int,
) -> np.ndarray:
    """What each point's models say of the songs that the folds test, in their order, ``(n_points, n_tested, n_genres)``.

    Points that differ in the number of trees alone are one fit: the first trees of many are those of few.
    """
    families: dict[tuple, list[int]] = {}
    for index, point in enumerate(points):
        families.setdefault(tuple((name, point[name]) for name in point if name != "trees"), []).append(index)
    found: list[list[np.ndarray]] = [[] for _ in points]
    for train, test in folds:
        for members in families.values():
            largest = max((points[index] for index in members), key=lambda point: point.get("trees", 0))
            pipeline = candidate.fit(largest, embeddings[train], labels[train], n_genres, seed)
            if len(members) == 1:
                found[members[0]].append(pipeline_probabilities(pipeline, embeddings[test]))
                continue
            columns = pipeline[:-1].transform(embeddings[test].astype(np.float64))
            for index in members:
                trees = (0, points[index]["trees"])
                found[index].append(pipeline[-1].predict_proba(columns, iteration_range=trees).astype(np.float64))
    return np.stack([np.concatenate(parts) for parts in found])
