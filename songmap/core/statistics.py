"""Statistics that several questions need."""

import numpy as np


def holm(p_values: np.ndarray) -> np.ndarray:
    """P-values ``(n,)`` corrected for their number (Holm 1979), at most 1.

    Examples
    --------
    >>> holm(np.array([0.01, 0.04, 0.03]))
    array([0.03, 0.06, 0.06])
    """
    order = np.argsort(p_values, kind="stable")
    scaled = p_values[order] * np.arange(len(p_values), 0, -1)
    corrected = np.empty(len(p_values))
    corrected[order] = np.minimum(np.maximum.accumulate(scaled), 1)
    return corrected


def known_median(values: np.ndarray) -> float:
    """The median of ``values (n,)`` that are not NaN; NaN, without a warning, where none is."""
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else float("nan")
