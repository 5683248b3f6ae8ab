"""Compilation of hot loops, with or without a folder to keep them in."""

from collections.abc import Callable
from typing import Any

from numba import njit  # has no types:

_SETTINGS = {"nogil": True, "error_model": "numpy"}  # of division by 0: a test of each divisor prevents SIMD

helper = njit(**_SETTINGS)  # a function that only compiled ones call, and that is compiled with them


def compiled(types: str) -> Callable[[Callable[..., Any]], Any]:
    """Compile a function for arguments of ``types``, numba's notation, when its module is imported.

    What is compiled is kept in a cache folder where one can be written, else every process compiles anew.
    ``NUMBA_CACHE_DIR`` names one, for an install that is read-only and a user without a home.

    Types are stated because numba's cache is not safe where processes compile one function for different types at the same
    time: both choose the same file, and later runs load code for the wrong one.
    """

    def compile_(function: Callable[..., Any]) -> Any:
        try:
            return njit(f"({types})", cache=True, **_SETTINGS)(function)
        except RuntimeError:  # numba finds no such folder
            return njit(f"({types})", **_SETTINGS)(function)

    return compile_
