"""01 run as a user runs it, for several test files."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import soundfile
from signals import RATE_HZ, music

from songmap.core.workspace import REPOSITORY, Workspace

ARTIFACTS = ("embeddings_matrix.npy", "song_data.pkl", "manifest.json")


def extract_command(*arguments: str | Path) -> list[str]:
    """The command line of 01."""
    return [sys.executable, str(REPOSITORY / "01_feature_extraction.py"), *map(str, arguments)]


def extract(*arguments: str | Path, **options) -> subprocess.CompletedProcess[str]:
    """Run 01 to its end."""
    return subprocess.run(extract_command(*arguments), capture_output=True, text=True, timeout=300, **options)


def write_songs(folder: Path, n_songs: int, duration_s: float = 4) -> None:
    """Different songs ``00.wav …`` in ``folder/A``."""
    (folder / "A").mkdir(parents=True)
    for index in range(n_songs):
        speed = 1 + index / n_songs
        samples = music(duration_s * speed, seed=index)
        played = np.interp(np.arange(0, len(samples), speed), np.arange(len(samples)), samples)
        soundfile.write(folder / "A" / f"{index:02d}.wav", played, RATE_HZ)


def kept_songs(workspace: Workspace) -> int:
    """Songs in a ledger that another process may be writing."""
    try:
        with closing(sqlite3.connect(f"file:{workspace.ledger}?mode=ro", uri=True)) as connection:
            return connection.execute("SELECT count(*) FROM songs").fetchone()[0]
    except sqlite3.Error:  # not there yet
        return 0


def artifacts(workspace: Workspace) -> dict[str, bytes]:
    """The bytes of what 01 leaves for others."""
    return {name: (workspace.processed / name).read_bytes() for name in ARTIFACTS}
