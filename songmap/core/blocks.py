"""Large matrices a block of rows at a time, so that neither they nor what is made of them is in memory whole."""

import mmap
from collections.abc import Iterator

import numpy as np

BLOCK_ROWS = 4096  # 641 columns in float64: 20 MiB


def blocks(n_rows: int, size: int = BLOCK_ROWS) -> list[slice]:
    """Slices of at most ``size`` rows that make up ``n_rows``."""
    return [slice(start, start + size) for start in range(0, n_rows, size)]


def read_blocks(matrix: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Every block of rows of ``matrix (n, d)``, and its place; a mapped matrix gives its pages back after each."""
    for rows in blocks(len(matrix)):
        yield rows, np.asarray(matrix[rows])
        _give_back(matrix)


def _give_back(matrix: np.ndarray) -> None:
    """Pages of a mapped file count as memory of the process until it gives them back; they stay in the file cache."""
    release = getattr(mmap, "MADV_DONTNEED", None)  # not on every system
    if release is None or not isinstance(matrix, np.memmap):  # pages of no file would be lost
        return
    source: object = matrix
    while isinstance(source, np.ndarray):
        source = source.base
    if isinstance(source, mmap.mmap):
        source.madvise(release)
