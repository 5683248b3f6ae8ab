"""What makes scores on a table too high: equal rows under different names, and pieces of songs that nothing names.

``values (n_rows, n_columns)`` are finite, ``groups (n_rows,)`` what is already kept together.
"""

from dataclasses import dataclass

import numpy as np

_NEAR = 0.05  # standard deviations per column
_NEAR_OF_MEDIAN = 0.1  # of the median distance to the nearest row of another group
_LEAST_COLUMNS = 5  # of fewer, such a distance occurs by chance
_MOST_OPERATIONS = 1e11  # about ten seconds
_BLOCK = 500
_N_QUERIES = 2000
_LEAST_SHARE, _TIMES_CHANCE, _LEAST_QUERIES = 0.1, 4, 20  # of ten similar pieces a fifth have the next as nearest


@dataclass(frozen=True)
class Pairs:
    """``rows (n_pairs, 2)`` in different groups and their ``distances``; ``searched_near`` is False in large tables."""

    rows: np.ndarray
    distances: np.ndarray
    searched_near: bool


def equal_pairs(values: np.ndarray, groups: np.ndarray) -> Pairs:
    """Rows of different groups that are equal, or nearly so: 0.05 standard deviations per column apart at most.

    Nearly equal ones must also be ten times as near as rows of different groups usually are.
    """
    _, group = np.unique(groups, return_inverse=True)
    first: dict[bytes, int] = {}
    equal = [(first.setdefault(row.tobytes(), index), index) for index, row in enumerate(np.ascontiguousarray(values))]
    pairs = {pair: 0.0 for pair in equal if group[pair[0]] != group[pair[1]]}
    searched = len(values) ** 2 * values.shape[1] <= _MOST_OPERATIONS and values.shape[1] >= _LEAST_COLUMNS
    if searched and len(set(group)) > 1:
        nearest, distances = _nearest(_standardised(values), np.arange(len(values)), group)
        limit = min(_NEAR, _NEAR_OF_MEDIAN * float(np.median(distances)))
        for row in np.flatnonzero(distances < limit):
            pair = (min(int(row), int(nearest[row])), max(int(row), int(nearest[row])))
            pairs.setdefault(pair, float(distances[row]))
    ranked = sorted(pairs.items(), key=lambda item: (item[1], item[0]))
    return Pairs(
        np.array([pair for pair, _ in ranked], dtype=int).reshape(-1, 2), np.array([far for _, far in ranked]), searched
    )


def neighbour_share(values: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """In how many rows the nearest one is the row before or after, of the same label; and that in random order.

    Of large tables evenly spaced rows are taken. Equal rows are left to ``equal_pairs``.
    """
    queries = np.unique(np.linspace(0, len(values) - 1, _N_QUERIES).astype(int))
    nearest, distances = _nearest(_standardised(values), queries, np.arange(len(values)))
    queries, nearest = queries[distances > 0], nearest[distances > 0]
    if len(queries) < _LEAST_QUERIES:
        return 0.0, 0.0
    beside = (np.abs(nearest - queries) == 1) & (labels[nearest] == labels[queries])
    chance = 2 / np.maximum(np.bincount(labels)[labels[queries]] - 1, 1)
    return float(beside.mean()), float(np.minimum(chance, 1).mean())


def are_pieces(share: float, chance: float) -> bool:
    """Whether such a share is far above chance."""
    return share > max(_LEAST_SHARE, _TIMES_CHANCE * chance)


def _standardised(values: np.ndarray) -> np.ndarray:
    spread = values.std(axis=0)
    return ((values - values.mean(axis=0)) / np.where(spread > 0, spread, 1)).astype(np.float32)


def _nearest(scaled: np.ndarray, queries: np.ndarray, group: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The nearest row of another group of each query, and its distance in standard deviations per column."""
    squares = (scaled**2).sum(axis=1)
    nearest, distances = np.zeros(len(queries), dtype=int), np.zeros(len(queries))
    for start in range(0, len(queries), _BLOCK):
        rows = queries[start : start + _BLOCK]
        apart = squares[rows][:, np.newaxis] + squares - 2 * scaled[rows] @ scaled.T
        apart[group[rows][:, np.newaxis] == group] = np.inf
        nearest[start : start + _BLOCK] = apart.argmin(axis=1)
        own = scaled[nearest[start : start + _BLOCK]]  # without the rounding of the difference of squares
        distances[start : start + _BLOCK] = np.sqrt(((scaled[rows] - own) ** 2).mean(axis=1))
    return nearest, distances
