"""What memory a long recording needs, in a process of its own."""

import subprocess
import sys

import numpy as np
import soundfile

from songmap.core.workspace import REPOSITORY

RATE_HZ, MINUTES = 8000, 120
PROGRAM = """
import sys
from benchmarks.memory import peak_mb
from songmap.features.analysis import analyse_file
analyse_file(sys.argv[1])
print(peak_mb())
"""


def test_two_hours_need_at_most_700_mb(tmp_path):
    """Chords and noise, other ones every minute."""
    path, random, time_s = tmp_path / "mix.wav", np.random.default_rng(0), np.arange(60 * RATE_HZ) / RATE_HZ
    with soundfile.SoundFile(path, "w", RATE_HZ, 1) as out:
        for _ in range(MINUTES):
            tones = np.sin(2 * np.pi * np.multiply.outer(random.uniform(100, 2000, 5), time_s)).sum(axis=0)
            out.write(0.1 * tones + 0.01 * random.standard_normal(len(time_s)))
    command = [sys.executable, "-c", PROGRAM, path]
    peak_mb = float(subprocess.run(command, capture_output=True, text=True, check=True, cwd=REPOSITORY).stdout)
    path.unlink()
    assert peak_mb < 700
