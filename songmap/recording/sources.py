"""Recordings to classify: files, those in folders, what standard input holds, and the microphone."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from songmap.core.errors import UsageError
from songmap.core.files import write_atomically
from songmap.core.progress import OnProgress
from songmap.core.workspace import Workspace
from songmap.genre.predict import files_to_classify

STANDARD_INPUT = "-"
LONGEST_S = 36_000
_RATE_HZ = 44_100
_GRACE_S = 30  # for a recorder to open and close the microphone
_CAPTURE = {"linux": ("alsa", "default"), "darwin": ("avfoundation", ":default")}  # ffmpeg's input and its device


def recordings_to_classify(names: Sequence[str]) -> list[str]:
    """Names of files, and standard input's, with those of all audio files in place of a folder's.

    Raises UsageError for a folder without any.
    """
    recordings: list[str] = []
    for name in names:
        paths = [] if name == STANDARD_INPUT else files_to_classify([Path(name).expanduser()])
        recordings += map(str, paths) if paths else [name]
    return recordings


@contextmanager
def spooled(stream: BinaryIO) -> Iterator[Path]:
    """A file that holds what a stream does, for as long as the block runs; its length may exceed memory.

    Raises UsageError if the stream is a terminal.
    """
    if stream.isatty():
        raise UsageError("standard input is a terminal; send a WAV file to it: … | 05_classify_recording.py -")
    with tempfile.TemporaryDirectory(prefix="songmap-") as folder:
        path = Path(folder) / "standard input.wav"
        with path.open("wb") as file:
            shutil.copyfileobj(stream, file)
        yield path


def record(workspace: Workspace, duration_s: int, on_progress: OnProgress) -> Path:
    """Record from the system's microphone.

    Parameters
    ----------
    workspace : Workspace
        The recording is written to ``outputs/recordings``, named by the time.
    duration_s : int
    on_progress : callable (done, total)
        Of seconds.

    Returns
    -------
    Path
        A WAV file.

    Raises
    ------
    UsageError
        Where no program can record, or none of the recorders gets sound.
    """
    path = workspace.recordings / f"{datetime.now():%Y-%m-%d_%H-%M-%S}.wav"
    program = recorder()
    write_atomically(path, lambda file: _run(recorder_command(program, duration_s, file), duration_s, on_progress))
    return path


def recorder() -> str:
    """The program that records, of those on PATH. Raises UsageError without one."""
    for name in ("arecord", "ffmpeg"):
        program = shutil.which(name)
        if program and (name == "arecord" or sys.platform in _CAPTURE):
            return program
    raise UsageError(
        "--record needs arecord (Debian: alsa-utils) or, on Linux and macOS, ffmpeg on PATH; install one, or record "
        "with another program and give the file"
    )


def recorder_command(program: str, duration_s: int, file: Path) -> list[str]:
    """The command line that records to a WAV file, mono, 16 bits."""
    if Path(program).stem == "arecord":
        options = ["-q", "-t", "wav", "-f", "S16_LE", "-r", str(_RATE_HZ), "-c", "1", "-d", str(duration_s)]
        return [program, *options, str(file)]
    source, device = _CAPTURE[sys.platform]
    quiet = ["-nostdin", "-loglevel", "error", "-y"]
    taken = ["-f", source, "-i", device, "-t", str(duration_s), "-ac", "1", "-ar", str(_RATE_HZ)]
    return [program, *quiet, *taken, str(file)]


def _run(command: list[str], duration_s: int, on_progress: OnProgress) -> None:
    """Run a recorder to its end, and report the seconds."""
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        try:
            for second in range(duration_s + _GRACE_S):
                on_progress(min(second, duration_s), duration_s)
                try:
                    _, notes = process.communicate(timeout=1)
                    break
                except subprocess.TimeoutExpired:
                    continue
            else:
                raise UsageError(f"{command[0]} has not ended {_GRACE_S} s after the time to record")
        finally:
            process.kill()
    if process.returncode:
        last = (notes.decode(errors="replace").strip().splitlines() or ["no reason given"])[-1]
        raise UsageError(f"{command[0]} cannot record ({last}); check that a microphone is there and is the default")
