"""Defaults that several scripts share."""

import os

DEFAULT_SEED = 42


def usable_cores() -> int:
    """Cores this process may run on (its affinity, where the system has one)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
