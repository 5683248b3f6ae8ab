"""Compilation of hot loops, with or without a folder to keep them in."""

from collections.abc import Callable
from typing import Any

from numba import njit  # has no types:


def compiled(function: Callable[..., Any]) -> Any:
    """``function`` compiled, kept in a cache folder where one can be written; else compiled in every process.

    ``NUMBA_CACHE_DIR`` names one, for an install that is read-only and a user without a home. Division by 0 is numpy's: a
    test of each divisor prevents SIMD.
    """
    try:
        return njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:  # numba finds no such folder
        return njit(nogil=True, error_model="numpy")(function)
