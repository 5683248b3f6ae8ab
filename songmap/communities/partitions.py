"""Two divisions of the same songs: adjusted Rand index and adjusted mutual information from one contingency table.

The numbers are scikit-learn's (``adjusted_rand_score``, ``adjusted_mutual_info_score``), without its checks of every call, which
take most of the time of a thousand permutations.

References
----------
Hubert & Arabie 1985, Comparing partitions. Vinh, Epps & Bailey 2010, Information theoretic measures for clusterings comparison.
"""

import numpy as np


def contingency_table(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Songs of each group of ``first (n,)``, a row, in each of ``second (n,)``, a column, int64; groups that have some."""
    (_, rows), (_, columns) = (np.unique(one, return_inverse=True) for one in (first, second))
    shape = rows.max() + 1, columns.max() + 1
    return np.bincount(rows * shape[1] + columns, minlength=shape[0] * shape[1]).reshape(shape)


def adjusted_rand(table: np.ndarray) -> float:
    """1 for equal divisions, 0 on average for independent ones."""
    n_songs = int(table.sum())
    total = n_songs * (n_songs - 1) / 2
    both, rows, columns = (float((one * (one - 1) / 2).sum()) for one in (table, table.sum(axis=1), table.sum(axis=0)))
    expected, most = rows * columns / total, (rows + columns) / 2
    return 1.0 if most == expected else (both - expected) / (most - expected)


def adjusted_mutual_information(table: np.ndarray) -> float:
    """1 for equal divisions, 0 on average for independent ones; normalised by the mean of both entropies."""
    from sklearn.metrics.cluster import expected_mutual_information

    if 1 in table.shape:  # nothing is divided: equal where both are one group
        return float(table.shape == (1, 1))
    n_songs = int(table.sum())
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    entropies = _entropy(rows), _entropy(columns)
    mutual = sum(entropies) - _entropy(table[table > 0])
    expected = expected_mutual_information(table.astype(np.int64), n_songs)
    most = sum(entropies) / 2
    return float((mutual - expected) / max(most - expected, np.finfo(float).eps))


def _entropy(counts: np.ndarray) -> float:
    """In nats."""
    shares = counts.ravel() / counts.sum()
    return float(-(shares * np.log(shares)).sum())
