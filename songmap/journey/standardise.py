"""Columns at mean 0 and standard deviation 1 over the songs of a library."""

import numpy as np


def mean_and_deviation(embeddings: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and population standard deviation of every column.

    Parameters
    ----------
    embeddings : np.ndarray, shape (n_songs, n_columns)

    Returns
    -------
    mean, deviation : np.ndarray, shape (n_columns,), float64
        The deviation of a constant column is exactly 0.
    """
    mean = embeddings.mean(axis=0, dtype=np.float64)
    deviation = embeddings.std(axis=0, dtype=np.float64)
    varies = embeddings.max(axis=0) > embeddings.min(axis=0)  # rounding leaves constant ones a small deviation
    return mean, np.where(varies, deviation, 0.0)


def reciprocal(deviation: np.ndarray) -> np.ndarray:
    """``1 / deviation``, 0 where that is 0."""
    return np.divide(1, deviation, out=np.zeros_like(deviation), where=deviation > 0)


def standardise(embeddings: np.ndarray) -> np.ndarray:
    """Standardised columns, float64 ``(n_songs, n_columns)``; constant columns become 0."""
    mean, deviation = mean_and_deviation(embeddings)
    scaled = embeddings - mean
    scaled *= reciprocal(deviation)
    return scaled
