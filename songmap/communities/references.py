"""Data without clusters that have the covariance, or the extent, of songs: what clusters must be clearer than.

Conventions: ``points (n, q)`` are scores on leading principal axes, centred, columns orthogonal, by descending variance.

References
----------
Tibshirani, Walther & Hastie 2001, Estimating the number of clusters in a data set via the gap statistic.
Langsrud 2005, Rotation tests. Rousseeuw 1987, Silhouettes.
"""

import numpy as np

KINDS = ("gaussian", "uniform")
VARIANCE = 0.8  # that the leading principal axes have; the others hold what is noise to clusters


def leading_axes(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean ``(d,)`` of ``vectors (n, d)``, and their leading principal axes ``(q, d)``; at least two where there are two."""
    mean = vectors.mean(axis=0, dtype=np.float64)
    _, singular, axes = np.linalg.svd(vectors - mean, full_matrices=False)
    shares = np.cumsum(singular**2) / max(np.square(singular).sum(), np.finfo(float).tiny)
    return mean, axes[: max(int(np.searchsorted(shares, VARIANCE)) + 1, 2)]


def reference(points: np.ndarray, kind: str, seed: np.random.SeedSequence) -> np.ndarray:
    """A set of points ``(n, q)`` without clusters.

    ``gaussian``: scores of a sample of one Gaussian. Those of any Gaussian are random orthonormal columns, independent of
    the singular values, so that with the songs' own singular values a test against them is exact, whatever the covariance,
    with fewer songs than columns, and on leading axes alone. ``uniform``: in the box of the scores, as Tibshirani et al. have it (b).
    """
    rng = np.random.default_rng(seed)
    if kind == "uniform":
        return rng.uniform(points.min(axis=0), points.max(axis=0), points.shape)
    drawn = rng.standard_normal(points.shape)
    drawn -= drawn.mean(axis=0)
    return np.linalg.qr(drawn)[0] * np.linalg.norm(points, axis=0)


def mean_silhouette(distances: np.ndarray, labels: np.ndarray, least: int) -> float:
    """Mean silhouette of all songs, 0 for those in clusters of fewer than ``least``.

    A few outlying songs far from all others would otherwise make two excellent clusters.

    Parameters
    ----------
    distances : np.ndarray, shape (n, n)
    labels : np.ndarray, shape (n,)
        From 0, none empty.
    least : int
    """
    sizes, rows = np.bincount(labels), np.arange(len(labels))
    counted = sizes >= least
    if counted.sum() < 2:
        return 0.0
    sums = distances @ np.eye(len(sizes))[labels]
    own = sums[rows, labels] / np.maximum(sizes[labels] - 1, 1)
    means = sums / sizes
    means[rows, labels] = np.inf
    means[:, ~counted] = np.inf
    nearest = means.min(axis=1)
    larger = np.maximum(own, nearest)
    values = np.divide(nearest - own, larger, out=np.zeros_like(own), where=larger > 0)
    return float(values[counted[labels] & (sizes[labels] > 1)].sum() / len(labels))


def exceedance(own: np.ndarray, references: np.ndarray) -> float:
    """p-value of the largest excess of a curve ``own (n_counts,)`` over those of ``references (n, n_counts)``.

    The curves' common mean is taken off each, so that without clusters all are exchangeable and the test is exact.
    """
    curves = np.vstack([own, references])
    largest = (curves - curves.mean(axis=0)).max(axis=1)
    return float((largest >= largest[0]).mean())
