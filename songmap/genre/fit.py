"""A candidate fitted on songs, and how its parameters and calibration follow from out-of-fold probabilities.

Out-of-fold probabilities are those of a candidate's models for songs that they were not trained on, before
calibration: ``proba (n_points, n_members, n_rounds, n_songs, n_genres)``, for each point of its grid and each of its
members, in each repetition of a cross-validation.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from songmap.genre.candidates import CANDIDATES, Point, members_of, points_of
from songmap.library.genre_model import LEAST, Calibration, calibrated_proba, uncalibrated

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline
    from threadpoolctl import threadpool_limits

_WEIGHTS = (1e-3, 50.0)  # temperatures from 0.02 to 1000
_PRIOR_WEIGHTS = (-3.0, 1.0)
_NO_OUTLIERS, _OUTLIERS = (0.0, 0.0), (0.0, 0.5)
_OUTLIER_PRIOR = 10.0  # groups that are none


@dataclass(frozen=True)
class TrainingSongs:
    """``embeddings (n_songs, 641)`` and ``labels (n_songs,)`` of ``n_genres`` genres."""

    embeddings: np.ndarray
    labels: np.ndarray
    n_genres: int


@dataclass(frozen=True)
class Tuning:
    """What out-of-fold probabilities decide: the index of the candidate's point, and the calibration."""

    point: int
    calibration: Calibration


@dataclass(frozen=True)
class FittedCandidate:
    """A fitted candidate: a Pipeline for each member, and all members' ``parameters``, which the tuning chose."""

    name: str
    pipelines: list["Pipeline"]
    parameters: Point
    calibration: Calibration

    def predict_proba(self, embeddings: np.ndarray) -> np.ndarray:
        """Calibrated probability of every genre for raw columns ``(n_songs, 641)``, float64 ``(n_songs, n_genres)``."""
        return calibrated_proba(self.pipelines, self.calibration, embeddings)


def fit_candidate(name: str, songs: TrainingSongs, tuning: Tuning, seed: int) -> FittedCandidate:
    """Fit a candidate on songs with what a tuning chose; the calibration gets the shares of these songs.

    Parameters
    ----------
    name : str
        One of ``CANDIDATES``.
    songs : TrainingSongs
    tuning : Tuning
    seed : int
    """
    from songmap.library.model_file import compact

    points = points_of(name, songs.labels)[tuning.point]
    members = zip(members_of(name), points, strict=True)
    pipelines = [
        compact(CANDIDATES[member].fit(point, songs.embeddings, songs.labels, songs.n_genres, seed))
        for member, point in members
    ]
    shares = np.bincount(songs.labels, minlength=songs.n_genres) / len(songs.labels)
    parameters = {key: value for point in points for key, value in point.items()}
    return FittedCandidate(name, pipelines, parameters, replace(tuning.calibration, shares=shares))


def tune(name: str, proba: np.ndarray, labels: np.ndarray, groups: np.ndarray, points: list[int]) -> Tuning:
    """The point and the calibration with the smallest log loss on songs outside the training data.

    Parameters
    ----------
    name : str
        One of ``CANDIDATES``.
    proba : np.ndarray, shape (n_points, n_members, n_rounds, n_songs, n_genres)
        Out-of-fold probabilities.
    labels, groups : np.ndarray, shape (n_songs,)
        Every genre occurs.
    points : list of int
        Indices of the points in the candidate's grid.
    """
    shares = np.bincount(labels, minlength=proba.shape[-1]) / len(labels)
    if not CANDIDATES[name].calibrated:
        return Tuning(points[0], uncalibrated(shares, proba.shape[1]))
    options = [calibrate(one, labels, groups, shares) for one in proba]
    best = min(range(len(points)), key=lambda index: options[index][1])
    return Tuning(points[best], options[best][0])


def one_thread() -> "threadpool_limits":
    """Limits this thread's fits to one thread each; a context manager, or a pool's initializer.

    Trees request more from OpenMP whatever their n_jobs is, and wait busily for those on a busy machine. OpenMP counts
    by thread, so that each thread of a pool needs it, and it must be loaded to be limited.
    """
    import xgboost  # noqa: F401
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1)


def calibrate(
    proba: np.ndarray, labels: np.ndarray, groups: np.ndarray, shares: np.ndarray
) -> tuple[Calibration, float]:
    """The calibration of out-of-fold probabilities with the smallest log loss, and that loss.

    Parameters
    ----------
    proba : np.ndarray, shape (n_members, n_rounds, n_songs, n_genres)
    labels, groups : np.ndarray, shape (n_songs,)
    shares : np.ndarray, shape (n_genres,)
        Of the songs.

    Returns
    -------
    calibration : Calibration
    loss : float
        Nats per song, with what the priors add.

    Notes
    -----
    A model that is right everywhere is not infallible: one more group, about which the model knows nothing, is added to
    those it was tested on. ``prior_weight`` has a normal prior (mean 0, deviation 1), which decides where shares are
    about equal and carry no information. It is negative for a model that favours frequent genres by more than their
    frequency, as LDA does where descriptors outnumber songs.
    """
    from scipy.optimize import minimize

    n_members, n_rounds, n_songs, n_genres = proba.shape
    n_groups, n_rows = len(np.unique(groups)), n_rounds * n_songs
    logs = np.log(np.clip(proba.reshape(n_members, n_rows, n_genres), LEAST, None))
    slopes = np.concatenate([logs, np.broadcast_to(np.log(shares), (1, n_rows, n_genres))])
    smoothing = 1 / (n_groups + 2)
    targets = np.full((n_rows, n_genres), smoothing / (n_genres - 1))
    targets[np.arange(n_rows), np.tile(labels, n_rounds)] = 1 - smoothing

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        *linear, outliers = parameters
        logits = np.tensordot(linear, slopes, axes=1)
        known = np.exp(logits - logits.max(axis=1, keepdims=True))
        known /= known.sum(axis=1, keepdims=True)
        mixed = np.clip((1 - outliers) * known + outliers * shares, LEAST, None)
        value = -(targets * np.log(mixed)).sum() / n_rows
        value += (linear[-1] ** 2 / 2 - _OUTLIER_PRIOR * np.log(1 - outliers)) / n_groups
        ratio = targets / mixed
        explained = (1 - outliers) * known * ratio
        inner = explained - explained.sum(axis=1, keepdims=True) * known
        gradient = np.append(-(slopes * inner).sum(axis=(1, 2)) / n_rows, 0.0)
        gradient[-2] += linear[-1] / n_groups
        gradient[-1] = ((known - shares) * ratio).sum() / n_rows + _OUTLIER_PRIOR / (1 - outliers) / n_groups
        return float(value), gradient

    bounds = [_WEIGHTS] * n_members + [_PRIOR_WEIGHTS if np.ptp(shares) else (0.0, 0.0)]
    start = np.array([1 / n_members] * n_members + [0.0, 0.0])
    for outliers in (_NO_OUTLIERS, _OUTLIERS):  # without them all is convex; with them, confident errors have no slope
        best = minimize(loss, start, jac=True, bounds=[*bounds, outliers], method="L-BFGS-B")
        start = best.x
    *weights, prior_weight, outliers = best.x.tolist()
    return Calibration(tuple(weights), prior_weight, outliers, shares), float(best.fun)
