"""Clusters of songs in a space: how many, whether there are any, and which song is in which.

All is done on the leading principal axes of the space. There is *cluster structure* where the mean silhouette exceeds that of
data without clusters, of a Gaussian with the songs' covariance and of a uniform box (``communities.references``), by more than
any of these references does, p ≤ 0.05; and where k-means of bootstrap samples finds the same clusters, with a mean adjusted
Rand index of 0.5 or more. The number of clusters is the one with the highest silhouette of those that exceed all references
and are stable; without structure the songs are divided into as many parts as have the highest silhouette. Elbow, gap statistic, Gaussian mixtures by BIC and HDBSCAN are
computed beside it, for whoever prefers them.

References
----------
Tibshirani, Walther & Hastie 2001 (gap statistic). Hennig 2007, Cluster-wise assessment of cluster stability.
Hubert & Arabie 1985, Comparing partitions. Schwarz 1978 (BIC). Campello, Moulavi & Sander 2013 (HDBSCAN).
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from songmap.communities.partitions import adjusted_rand, contingency_table
from songmap.communities.references import KINDS, exceedance, leading_axes, mean_silhouette, reference
from songmap.communities.results import ClusterCount, SpaceClusters
from songmap.core.errors import UsageError
from songmap.core.progress import OnProgress
from songmap.library.spaces import sampled_rows

if TYPE_CHECKING:
    from sklearn.cluster import KMeans

MAX_CLUSTERS = 20
MIN_SONGS = 20
LEVEL = 0.05
MIN_STABILITY = 0.5
N_REFERENCES = 19  # of each kind: to be clearer than all of them has a probability of 5 % without clusters
_SAMPLED, _FITTED = 600, 5_000  # songs that decide on the number of clusters, and that the clusters are fitted to
_BOOTSTRAPS = 10
_LEAST_SONGS, _LEAST_SHARE = 5, 0.01  # in a cluster that counts
_LEAST_DIFFERENT = 3
_INITS = 2
_MIXTURE_AXES = 10  # the first, of Gaussian mixtures


@dataclass(frozen=True)
class ClusterOptions:
    """The largest number of clusters, references of each kind, the seed, and how many threads fit."""

    max_clusters: int = MAX_CLUSTERS
    n_references: int = N_REFERENCES
    seed: int = 0
    workers: int = 1


def cluster_space(
    space: str, vectors: np.ndarray, options: ClusterOptions, on_progress: OnProgress | None = None
) -> tuple[SpaceClusters, np.ndarray]:
    """Cluster the songs of one space.

    Parameters
    ----------
    space : str
        Its name.
    vectors : np.ndarray, shape (n_songs, d)
        Of at least ``MIN_SONGS`` songs.
    options : ClusterOptions
    on_progress : callable, optional

    Returns
    -------
    SpaceClusters
    labels : np.ndarray, shape (n_songs,), int64
        From 0, the largest cluster first.

    Raises
    ------
    UsageError
        If fewer than three songs differ.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # sums of several threads differ in their last bits
        return _cluster_space(space, vectors, options, on_progress)


def _cluster_space(
    space: str, vectors: np.ndarray, options: ClusterOptions, on_progress: OnProgress | None
) -> tuple[SpaceClusters, np.ndarray]:
    n_songs = len(vectors)
    sample = vectors[sampled_rows(n_songs, _SAMPLED, options.seed)]
    mean, axes = leading_axes(sample)
    points = (sample - mean) @ axes.T
    n_different = len(np.unique(points.round(6), axis=0))
    if n_different < _LEAST_DIFFERENT:
        raise UsageError(
            f"{n_songs:,} songs have {n_different} different vectors in {space}: there is nothing to cluster"
        )
    numbers = range(2, max(min(options.max_clusters, n_different - 1, len(points) // _LEAST_SONGS), 2) + 1)
    own = _curve(points, numbers, options.seed)
    references = _references(points, numbers, options, on_progress)
    curves = {kind: np.array([one.silhouettes for one in references[kind]]) for kind in KINDS}
    means = np.max([curves[kind].mean(axis=0) for kind in KINDS], axis=0)
    p_value = max(exceedance(own.silhouettes, curves[kind]) for kind in KINDS)
    gaps, errors = gap_statistic(own.inertias, np.array([one.inertias for one in references["uniform"]]))
    stability = [_stability(points, labels, options.seed) for labels in own.labels]
    clearer = own.silhouettes > np.max([curves[kind].max(axis=0) for kind in KINDS], axis=0)
    candidates = clearer & (np.array(stability) >= MIN_STABILITY)
    has_structure = p_value <= LEVEL and bool(candidates.any())
    place = int(np.argmax(np.where(candidates, own.silhouettes, -1) if has_structure else own.silhouettes))
    bic = _mixture_bic(points, numbers, options.seed)
    density = _density_labels(points)
    counts = [
        ClusterCount(number, *map(float, (own.inertias[at + 1], own.silhouettes[at], means[at], gaps[at + 1],
                                          errors[at + 1], stability[at])))
        for at, number in enumerate(numbers)
    ]  # fmt: skip
    clusters = SpaceClusters(
        space=space, columns=vectors.shape[1], songs=n_songs, sampled_songs=len(points), counts=counts,
        chosen=numbers[place], has_structure=has_structure, p_value=p_value,
        gap_choice=gap_choice(gaps, errors), mixture_bic=bic, mixture_choice=int(np.argmin(bic)) + 1,
        density_clusters=int(density.max()) + 1, density_noise=float((density < 0).mean()),
    )  # fmt: skip
    return clusters, _all_labels((vectors - mean) @ axes.T, numbers[place], options.seed)


@dataclass(frozen=True)
class _Curve:
    """Inertia of 1 and of each number of clusters, silhouettes and labels of each number."""

    inertias: np.ndarray
    silhouettes: np.ndarray
    labels: list[np.ndarray]


def _curve(points: np.ndarray, numbers: Sequence[int], seed: int) -> _Curve:
    squares = np.square(points).sum(axis=1)
    distances = np.sqrt(np.maximum(squares[:, None] + squares - 2 * points @ points.T, 0))
    np.fill_diagonal(distances, 0)
    least = max(_LEAST_SONGS, round(_LEAST_SHARE * len(points)))
    fits = [_kmeans(points, number, seed) for number in numbers]
    inertias = [np.square(points - points.mean(axis=0)).sum(), *(one.inertia_ for one in fits)]
    labels = [np.unique(one.labels_, return_inverse=True)[1] for one in fits]
    return _Curve(np.array(inertias), np.array([mean_silhouette(distances, one, least) for one in labels]), labels)


def _kmeans(points: np.ndarray, number: int, seed: int) -> "KMeans":
    from sklearn.cluster import KMeans

    return KMeans(number, n_init=_INITS, max_iter=100, random_state=seed).fit(points)


def _references(
    points: np.ndarray, numbers: Sequence[int], options: ClusterOptions, on_progress: OnProgress | None
) -> dict[str, list[_Curve]]:
    """Curves of references of each kind, the same whatever the number of threads."""
    seeds = np.random.SeedSequence(options.seed).spawn(len(KINDS) * options.n_references)
    tasks = [(kind, seeds.pop()) for kind in KINDS for _ in range(options.n_references)]
    curves: dict[str, list[_Curve]] = {kind: [] for kind in KINDS}

    def curve(task: tuple[str, np.random.SeedSequence]) -> _Curve:
        return _curve(reference(points, *task), numbers, options.seed)

    with ThreadPoolExecutor(options.workers) as pool:
        for done, ((kind, _), one) in enumerate(zip(tasks, pool.map(curve, tasks), strict=True), start=1):
            curves[kind].append(one)
            if on_progress:
                on_progress(done, len(tasks))
    return curves


def gap_statistic(inertias: np.ndarray, references: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gap statistic and its simulation error, both ``(n,)``, of inertias ``(n,)`` and of references' ``(n_references, n)``."""
    logs = np.log(np.maximum(references, np.finfo(float).tiny))
    gaps = logs.mean(axis=0) - np.log(np.maximum(inertias, np.finfo(float).tiny))
    return gaps, logs.std(axis=0) * np.sqrt(1 + 1 / len(references))


def gap_choice(gaps: np.ndarray, errors: np.ndarray) -> int:
    """The smallest number of clusters, from 1, whose gap is at least the next one's less its error; else the largest."""
    enough = gaps[:-1] >= gaps[1:] - errors[1:]
    return int(np.argmax(enough)) + 1 if enough.any() else len(gaps)


def _stability(points: np.ndarray, labels: np.ndarray, seed: int) -> float:
    rng, number, scores = np.random.default_rng(seed), int(labels.max()) + 1, []
    for _ in range(_BOOTSTRAPS):
        drawn = points[rng.integers(len(points), size=len(points))]
        model = _kmeans(drawn, min(number, len(np.unique(drawn, axis=0))), seed)
        scores.append(adjusted_rand(contingency_table(labels, model.predict(points))))
    return float(np.mean(scores))


def _mixture_bic(points: np.ndarray, numbers: Sequence[int], seed: int) -> list[float]:
    """BIC of mixtures of 1 to the largest number of Gaussians with diagonal covariances, on the leading principal axes."""
    from sklearn.mixture import GaussianMixture

    leading = points[:, :_MIXTURE_AXES] / points[:, 0].std()
    models = (
        GaussianMixture(number, covariance_type="diag", reg_covar=1e-3, random_state=seed, max_iter=300)
        for number in (1, *numbers)
    )
    return [float(model.fit(leading).bic(leading)) for model in models]


def _density_labels(points: np.ndarray) -> np.ndarray:
    """Of HDBSCAN, -1 for songs outside all clusters."""
    from sklearn.cluster import HDBSCAN

    least = max(_LEAST_SONGS, round(_LEAST_SHARE * len(points)))
    return np.asarray(HDBSCAN(min_cluster_size=least, copy=True).fit_predict(points))


def _all_labels(points: np.ndarray, number: int, seed: int) -> np.ndarray:
    """Clusters of all songs ``points (n_songs, q)``, from 0, the largest first."""
    labels = _kmeans(points[sampled_rows(len(points), _FITTED, seed)], number, seed).predict(points)
    order = np.argsort(-np.bincount(labels, minlength=number), kind="stable")
    return np.argsort(order)[labels]
