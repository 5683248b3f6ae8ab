"""Scripts as a user runs them, in this process or in one of their own, for several test files."""

import importlib.util
import io
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import closing, redirect_stderr, redirect_stdout
from functools import lru_cache
from pathlib import Path
from typing import TextIO

import numpy as np
import soundfile
from signals import RATE_HZ, music
from waiting import wait_until

from songmap.core.workspace import REPOSITORY, Workspace

ARTIFACTS = ("embeddings_matrix.npy", "song_table.npz", "song_data.pkl", "manifest.json")


def run_script(name: str, *arguments: str | Path, stdin: str | TextIO = "") -> subprocess.CompletedProcess[str]:
    """Call a script's ``main`` in this process: no second Python to start. ``name`` is its number, e.g. "03"."""
    main = _script(name)
    outputs = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2)]
    before = sys.stdin
    sys.stdin = io.StringIO(stdin) if isinstance(stdin, str) else stdin
    try:
        with redirect_stdout(outputs[0]), redirect_stderr(outputs[1]):
            try:
                status = main([str(argument) for argument in arguments])
            except SystemExit as end:  # of argparse
                status = end.code
    finally:
        sys.stdin = before
    texts = [output.buffer.getvalue().decode("utf-8") for output in outputs]
    return subprocess.CompletedProcess([name, *arguments], status, *texts)


@lru_cache
def _script(number: str) -> Callable[[Sequence[str]], int]:
    path = next(REPOSITORY.glob(f"{number}_*.py"))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def main(argv: Sequence[str]) -> int:
        program, sys.argv[0] = sys.argv[0], path.name  # argparse names the program after it
        try:
            return module.main(argv)
        finally:
            sys.argv[0] = program

    return main


def extract_command(*arguments: str | Path) -> list[str]:
    """The command line of 01."""
    return [sys.executable, str(REPOSITORY / "01_feature_extraction.py"), *map(str, arguments)]


def extract(*arguments: str | Path, **options) -> subprocess.CompletedProcess[str]:
    """Run 01 to its end."""
    return subprocess.run(extract_command(*arguments), capture_output=True, text=True, timeout=300, **options)


def write_songs(folder: Path, n_songs: int, duration_s: float = 4, times: int = 1) -> None:
    """Different songs ``00.wav …`` in ``folder/A``, each of ``duration_s`` seconds played ``times`` times."""
    (folder / "A").mkdir(parents=True)
    for index in range(n_songs):
        speed = 1 + index / n_songs
        samples = music(duration_s * speed, seed=index)
        played = np.interp(np.arange(0, len(samples), speed), np.arange(len(samples)), samples)
        soundfile.write(folder / "A" / f"{index:02d}.wav", np.tile(played, times), RATE_HZ)


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


def wait_for_songs(workspace: Workspace, n_songs: int, process: subprocess.Popen) -> None:
    """Until a running 01 has kept that many, or has ended."""
    wait_until(lambda: kept_songs(workspace) >= n_songs or process.poll() is not None)
