"""Running medians over frames and bins, compiled: most of the time of HPSS. Conventions as in ``kernels``."""

import numpy as np
from numba import njit  # has no types:

from songmap.features.compiled import compiled

# mypy: disable-error-code="untyped-decorator"

MEDIAN_LANES = 64  # columns whose sorted windows are updated together: wide enough to fill SIMD registers


@njit(inline="always")
def _exchange(here: int, above: int, leaving: int, carry: int) -> tuple[int, int]:
    """One place of a sorted window: what stays there, and what goes on to the place above."""
    kept = here if here < leaving else above
    return min(kept, carry), max(kept, carry)


@compiled
def _slide(window: np.ndarray, leaving: np.ndarray, entering: np.ndarray) -> None:
    """Replace one value in every lane of the sorted ``window (size, lanes)``, keeping it sorted.

    One pass: what is at or above the leaving value moves down a place while the entering value
    rises through min/max swaps. No branch depends on the data, so the lanes run in SIMD. Five places
    at a time spare most of the loads and stores.
    """
    size, lanes = window.shape
    place = 0
    while place + 5 < size:
        for lane in range(lanes):
            out, carry = leaving[lane], entering[lane]
            w1, w2, w3 = window[place + 1, lane], window[place + 2, lane], window[place + 3, lane]
            w4, w5 = window[place + 4, lane], window[place + 5, lane]
            window[place, lane], carry = _exchange(window[place, lane], w1, out, carry)
            window[place + 1, lane], carry = _exchange(w1, w2, out, carry)
            window[place + 2, lane], carry = _exchange(w2, w3, out, carry)
            window[place + 3, lane], carry = _exchange(w3, w4, out, carry)
            window[place + 4, lane], carry = _exchange(w4, w5, out, carry)
            entering[lane] = carry
        place += 5
    for rest in range(place, size - 1):
        for lane in range(lanes):
            window[rest, lane], entering[lane] = _exchange(
                window[rest, lane], window[rest + 1, lane], leaving[lane], entering[lane]
            )
    for lane in range(lanes):
        window[size - 1, lane] = entering[lane]


@compiled
def _reflected(index: int, size: int) -> int:
    """Index into ``size`` items continued by reflection about its edges (d c b a | a b c d | d c b a)."""
    while index < 0 or index >= size:
        index = -index - 1 if index < 0 else 2 * size - 1 - index
    return index


@compiled
def _running_median(lines: np.ndarray, size: int, first: int, out: np.ndarray) -> None:
    """Median over ``size`` neighbouring lines of ``lines (n, lanes)``, reflected, for lines ``first …``."""
    n_lines, lanes = lines.shape
    window = np.empty((size, lanes), np.int32)
    leaving, entering = np.empty(lanes, np.int32), np.empty(lanes, np.int32)
    half = size // 2
    for place in range(size):
        window[place] = lines[_reflected(first - half + place, n_lines)]
    for lane in range(lanes):
        window[:, lane] = np.sort(window[:, lane])
    out[0] = window[half]
    for line in range(1, out.shape[0]):
        leaving[:] = lines[_reflected(first + line - 1 - half, n_lines)]
        entering[:] = lines[_reflected(first + line + half, n_lines)]
        _slide(window, leaving, entering)
        out[line] = window[half]


@compiled
def median_over_time(magnitude: np.ndarray, size: int, first: int, out: np.ndarray) -> None:
    """Running median over frames: int32 views ``(n, n_bins)`` of non-negative float32 magnitudes.

    ``out`` takes the medians of frames ``first …`` of the block; beyond the block's edges frames are
    reflected, as in ``scipy.ndimage.median_filter(mode="reflect")``. Non-negative floats order like
    their bit patterns as integers, and integer min/max is branch-free.
    """
    n_bins = magnitude.shape[1]
    for start in range(0, n_bins, MEDIAN_LANES):
        stop = min(start + MEDIAN_LANES, n_bins)
        _running_median(magnitude[:, start:stop], size, first, out[:, start:stop])


@compiled
def median_over_frequency(magnitude: np.ndarray, size: int, out: np.ndarray) -> None:
    """Running median over bins of each frame, reflected; int32 views ``(n, n_bins)`` as above."""
    n_frames = len(magnitude)
    for start in range(0, n_frames, MEDIAN_LANES):
        stop = min(start + MEDIAN_LANES, n_frames)
        lines = np.ascontiguousarray(magnitude[start:stop].T)
        medians = np.empty_like(lines)
        _running_median(lines, size, 0, medians)
        out[start:stop] = medians.T
