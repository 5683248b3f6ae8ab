"""The peak memory of a process."""

import resource
import sys
from pathlib import Path


def peak_mb() -> float:
    """Of this process since it began; on Linux, ``getrusage`` would count what the process that started it held."""
    if sys.platform == "linux":
        status = Path("/proc/self/status").read_text(encoding="utf-8")
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)  # macOS counts bytes
