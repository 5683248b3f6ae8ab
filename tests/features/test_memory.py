"""How memory grows with the length of a recording, in processes of their own."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import soundfile

from songmap.core.workspace import REPOSITORY

RATE_HZ = 8000
PROGRAM = """
import resource, sys
from songmap.features.analysis import analyse_file
analyse_file(sys.argv[1])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10))
"""


def peak_mb(folder: Path, minutes: int) -> float:
    """Peak memory of a process that analyses so many minutes of chords and noise."""
    path, random = folder / f"{minutes}.wav", np.random.default_rng(minutes)
    time_s = np.arange(60 * RATE_HZ) / RATE_HZ
    with soundfile.SoundFile(path, "w", RATE_HZ, 1) as out:
        for _ in range(minutes):
            tones = np.sin(2 * np.pi * np.multiply.outer(random.uniform(100, 2000, 5), time_s)).sum(axis=0)
            out.write(0.1 * tones + 0.01 * random.standard_normal(len(time_s)))
    command = [sys.executable, "-c", PROGRAM, path]
    return float(subprocess.run(command, capture_output=True, text=True, check=True, cwd=REPOSITORY).stdout)


def test_two_hours_need_at_most_700_mb(tmp_path):
    """From two lengths beyond 13 minutes, from which on samples are on disk: what is in memory then grows evenly."""
    short, long = peak_mb(tmp_path, 14), peak_mb(tmp_path, 28)
    assert short + (long - short) / 14 * (120 - 14) < 700
