"""Large matrices a block of rows at a time, so that what is made of them is never in memory whole."""

import mmap
from collections.abc import Iterator

import numpy as np

BLOCK_ROWS = 4096  # 641 columns in float64: 20 MiB


def blocks(n_rows: int, size: int = BLOCK_ROWS) -> list[slice]:
    """Slices of at most ``size`` rows that make up ``n_rows``."""
    return [slice(start, start + size) for start in range(0, n_rows, size)]


def read_blocks(matrix: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Every block of rows of ``matrix (n, d)``, and where it stands.

    A memory-mapped matrix gives its pages back after each, or one pass over it would count as memory of the process.
    """
    release = getattr(mmap, "MADV_DONTNEED", None)  # not on every system
    for rows in blocks(len(matrix)):
        yield rows, np.asarray(matrix[rows])
        if release is not None and isinstance(matrix, np.memmap):
            matrix._mmap.madvise(release)
