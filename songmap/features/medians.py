"""Running medians over frames and bins, compiled: most of the time of HPSS. Conventions as in ``kernels``.

Neighbouring windows share most of their lines. So the lines that all windows of a tile contain are sorted once; then the
tile is halved again and again, and each half takes the lines that its windows share besides. What cannot be a median any
more is dropped on the way: after each halving there are as many candidates as there are windows. All steps are minima and
maxima: no branch depends on the data, the lanes run in SIMD, and all numbers of a lane stay in registers during a step.

Rows are ``_LANES`` numbers each, one after the other in flat arrays, and sorted lane by lane.

References
----------
Batcher (1968), "Sorting networks and their applications": odd-even and bitonic sorting. Sugy (2025), "Hierarchical tiling
for median filtering": halved tiles, in two dimensions.
"""

import numpy as np
from numba import njit  # has no types:

from songmap.features.compiled import compiled, helper

# mypy: disable-error-code="untyped-decorator"

_LANES = 128  # columns whose medians are computed together: many for SIMD, few enough for the processor's cache
_TILE = 16  # windows that share sorted lines, at most; a power of two


@njit(inline="always")
def _at(row: int, lane: int) -> np.uint64:
    """Place of a lane of a row. Unsigned: a negative index would count from the end, and a test for it prevents SIMD."""
    return np.uint64(row * _LANES + lane)


@njit(inline="always")
def _sort2(a: int, b: int) -> tuple[int, int]:
    return min(a, b), max(a, b)


@njit(inline="always")
def _bitonic4(a: int, b: int, c: int, d: int) -> tuple[int, int, int, int]:
    """Sorted, numbers that rise and fall once."""
    a, c = _sort2(a, c)
    b, d = _sort2(b, d)
    a, b = _sort2(a, b)
    c, d = _sort2(c, d)
    return a, b, c, d


@njit(inline="always")
def _sort4(a: int, b: int, c: int, d: int) -> tuple[int, int, int, int]:
    a, b = _sort2(a, b)
    d, c = _sort2(c, d)
    return _bitonic4(a, b, c, d)


@njit(inline="always")
def _bitonic8(low: tuple[int, int, int, int], high: tuple[int, int, int, int]) -> tuple[int, ...]:
    """Sorted, two times four numbers that rise and fall once."""
    a, e = _sort2(low[0], high[0])
    b, f = _sort2(low[1], high[1])
    c, g = _sort2(low[2], high[2])
    d, h = _sort2(low[3], high[3])
    a, b, c, d = _bitonic4(a, b, c, d)
    e, f, g, h = _bitonic4(e, f, g, h)
    return a, b, c, d, e, f, g, h


@helper
def _exchange(rows: np.ndarray, low: int, high: int) -> None:
    """Leave in every lane the smaller of two rows in ``low`` and the larger in ``high``."""
    for lane in range(_LANES):
        one, other = rows[_at(low, lane)], rows[_at(high, lane)]
        rows[_at(low, lane)], rows[_at(high, lane)] = min(one, other), max(one, other)


@helper
def _sort(rows: np.ndarray, size: int) -> None:
    """Sort the first ``size`` rows by Batcher's odd-even merge sort."""
    run = 1
    while run < size:
        step = run
        while step:
            for first in range(step % run, size - step, 2 * step):
                for low in range(first, min(first + step, size - step)):
                    if low // (2 * run) == (low + step) // (2 * run):
                        _exchange(rows, low, low + step)
            step //= 2
        run *= 2


@helper
def _middle1(candidates: np.ndarray, parent: int, new: np.ndarray, out: np.ndarray, first: int) -> None:
    """Row ``first`` of ``out``: the middle of two sorted candidates, from row ``parent`` on, and the first new row.

    In the functions after this one there are n rows, 2n candidates and n new rows, which need not be sorted. First the n
    lowest numbers of all are dropped, then the n highest.
    """
    for lane in range(_LANES):
        a = max(candidates[_at(parent, lane)], new[_at(0, lane)])
        out[_at(first, lane)] = min(a, candidates[_at(parent + 1, lane)])


@helper
def _middle2(candidates: np.ndarray, parent: int, new: np.ndarray, out: np.ndarray, first: int) -> None:
    for lane in range(_LANES):
        a, b = _sort2(new[_at(0, lane)], new[_at(1, lane)])
        a, b = _sort2(max(candidates[_at(parent, lane)], b), max(candidates[_at(parent + 1, lane)], a))
        a, b = _sort2(min(a, candidates[_at(parent + 3, lane)]), min(b, candidates[_at(parent + 2, lane)]))
        out[_at(first, lane)], out[_at(first + 1, lane)] = a, b


@helper
def _middle4(candidates: np.ndarray, parent: int, new: np.ndarray, out: np.ndarray, first: int) -> None:
    for lane in range(_LANES):
        a, b, c, d = _sort4(new[_at(0, lane)], new[_at(1, lane)], new[_at(2, lane)], new[_at(3, lane)])
        a, d = max(candidates[_at(parent, lane)], d), max(candidates[_at(parent + 3, lane)], a)
        b, c = max(candidates[_at(parent + 1, lane)], c), max(candidates[_at(parent + 2, lane)], b)
        a, b, c, d = _bitonic4(a, b, c, d)
        a, b = min(a, candidates[_at(parent + 7, lane)]), min(b, candidates[_at(parent + 6, lane)])
        c, d = min(c, candidates[_at(parent + 5, lane)]), min(d, candidates[_at(parent + 4, lane)])
        a, b, c, d = _bitonic4(a, b, c, d)
        out[_at(first, lane)], out[_at(first + 1, lane)] = a, b
        out[_at(first + 2, lane)], out[_at(first + 3, lane)] = c, d


@helper
def _middle8(candidates: np.ndarray, parent: int, new: np.ndarray, out: np.ndarray, first: int) -> None:
    for lane in range(_LANES):
        a, b, c, d = _sort4(new[_at(0, lane)], new[_at(1, lane)], new[_at(2, lane)], new[_at(3, lane)])
        h, g, f, e = _sort4(new[_at(4, lane)], new[_at(5, lane)], new[_at(6, lane)], new[_at(7, lane)])
        a, b, c, d, e, f, g, h = _bitonic8((a, b, c, d), (e, f, g, h))
        a, h = max(candidates[_at(parent, lane)], h), max(candidates[_at(parent + 7, lane)], a)
        b, g = max(candidates[_at(parent + 1, lane)], g), max(candidates[_at(parent + 6, lane)], b)
        c, f = max(candidates[_at(parent + 2, lane)], f), max(candidates[_at(parent + 5, lane)], c)
        d, e = max(candidates[_at(parent + 3, lane)], e), max(candidates[_at(parent + 4, lane)], d)
        a, b, c, d, e, f, g, h = _bitonic8((a, b, c, d), (e, f, g, h))
        a, b = min(a, candidates[_at(parent + 15, lane)]), min(b, candidates[_at(parent + 14, lane)])
        c, d = min(c, candidates[_at(parent + 13, lane)]), min(d, candidates[_at(parent + 12, lane)])
        e, f = min(e, candidates[_at(parent + 11, lane)]), min(f, candidates[_at(parent + 10, lane)])
        g, h = min(g, candidates[_at(parent + 9, lane)]), min(h, candidates[_at(parent + 8, lane)])
        a, b, c, d, e, f, g, h = _bitonic8((a, b, c, d), (e, f, g, h))
        out[_at(first, lane)], out[_at(first + 1, lane)] = a, b
        out[_at(first + 2, lane)], out[_at(first + 3, lane)] = c, d
        out[_at(first + 4, lane)], out[_at(first + 5, lane)] = e, f
        out[_at(first + 6, lane)], out[_at(first + 7, lane)] = g, h


@helper
def _reflected(index: int, size: int) -> int:
    """Index into ``size`` items continued by reflection about its edges (d c b a | a b c d | d c b a)."""
    while index < 0 or index >= size:
        index = -index - 1 if index < 0 else 2 * size - 1 - index
    return index


@helper
def _read(lines: np.ndarray, column: int, first: int, rows: np.ndarray, size: int) -> None:
    """Copy ``size`` lines from ``first`` on, reflected, to the first rows."""
    width = min(_LANES, lines.shape[1] - column)
    for row in range(size):
        line = np.uint64(_reflected(first + row, len(lines)))
        for lane in range(width):
            rows[_at(row, lane)] = lines[line, np.uint64(column + lane)]


@helper
def _running_median(lines: np.ndarray, column: int, size: int, first: int, out: np.ndarray) -> None:
    """Median over ``size`` neighbouring lines, an odd number, reflected, for lines ``first …`` and ``_LANES`` columns from ``column`` on."""
    half, tile = size // 2, _TILE
    while tile > half + 1:
        tile //= 2
    width, core = min(_LANES, lines.shape[1] - column), size - tile + 1
    candidates = np.zeros(core * _LANES, lines.dtype)
    narrowed, new = np.zeros_like(candidates), np.zeros_like(candidates)
    for start in range(0, len(out), tile):
        _read(lines, column, first + start + tile - 1 - half, candidates, core)
        _sort(candidates, core)
        parent, part = half + 1 - tile, tile // 2
        while part:
            for number in range(tile // part):
                window = first + start + number * part
                # the second of two parts shares lines after those of both, the first lines before them
                _read(lines, column, window + (half + 1 - part if number % 2 else part - 1 - half), new, part)
                both = parent + number // 2 * 2 * part
                if part == 8:
                    _middle8(candidates, both, new, narrowed, number * part)
                elif part == 4:
                    _middle4(candidates, both, new, narrowed, number * part)
                elif part == 2:
                    _middle2(candidates, both, new, narrowed, number * part)
                else:
                    _middle1(candidates, both, new, narrowed, number * part)
            candidates, narrowed = narrowed, candidates
            parent, part = 0, part // 2
        for row in range(min(tile, len(out) - start)):
            for lane in range(width):
                out[np.uint64(start + row), np.uint64(column + lane)] = candidates[_at(parent + row, lane)]


@compiled("int32[:, ::1], int64, int64, int32[:, ::1]")
def median_over_time(magnitude: np.ndarray, size: int, first: int, out: np.ndarray) -> None:
    """Running median over frames: int32 views ``(n, n_bins)`` of non-negative float32 magnitudes.

    ``out`` takes the medians of frames ``first …``; beyond the edges of ``magnitude`` frames are
    reflected, as in ``scipy.ndimage.median_filter(mode="reflect")``. Non-negative floats order like
    their bit patterns as integers, and integer min/max is branch-free.
    """
    for column in range(0, magnitude.shape[1], _LANES):
        _running_median(magnitude, column, size, first, out)


@compiled("int32[:, ::1], int64, int32[:, ::1]")
def median_over_frequency(magnitude: np.ndarray, size: int, out: np.ndarray) -> None:
    """Running median over bins of each frame, reflected; int32 views ``(n, n_bins)`` as above."""
    n_frames = len(magnitude)
    for start in range(0, n_frames, _LANES):
        stop = min(start + _LANES, n_frames)
        lines = np.ascontiguousarray(magnitude[start:stop].T)
        medians = np.empty_like(lines)
        _running_median(lines, 0, size, 0, medians)
        out[start:stop] = medians.T
