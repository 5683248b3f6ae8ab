"""Recordings from standard input and from the microphone."""

import os
import shutil
import sys
import threading
import wave
from pathlib import Path

import pytest

from songmap.core.errors import UsageError
from songmap.core.workspace import Workspace
from songmap.recording.sources import record, recorder, recorder_command, spooled


def test_a_pipe_becomes_a_file_for_a_while():
    content = bytes(range(256)) * 2000  # more than a pipe holds
    reading, writing = os.pipe()

    def write() -> None:
        with os.fdopen(writing, "wb") as stream:
            stream.write(content)

    writer = threading.Thread(target=write)
    writer.start()
    with os.fdopen(reading, "rb") as stream, spooled(stream) as path:
        assert path.read_bytes() == content
        assert path.suffix == ".wav"
    writer.join()
    assert not path.parent.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
def test_nothing_is_awaited_from_a_terminal():
    main, terminal = os.openpty()
    with (
        os.fdopen(main, "rb", buffering=0),
        os.fdopen(terminal, "rb", buffering=0) as stream,
        pytest.raises(UsageError, match="standard input is a terminal"),
        spooled(stream),
    ):
        pass


def executable(folder: Path, name: str) -> Path:
    path = folder / name
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_arecord_comes_before_ffmpeg(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="--record needs arecord"):
        recorder()
    if sys.platform in ("linux", "darwin"):
        ffmpeg = executable(tmp_path, "ffmpeg")
        assert recorder() == str(ffmpeg)
    arecord = executable(tmp_path, "arecord")
    assert recorder() == str(arecord)


@pytest.mark.skipif(sys.platform not in ("linux", "darwin"), reason="ffmpeg's microphone has another name here")
@pytest.mark.parametrize(("program", "option"), [("/usr/bin/arecord", "-d"), ("/opt/ffmpeg", "-t")])
def test_the_time_and_the_file_are_given_to_the_recorder(program, option):
    command = recorder_command(program, 7, Path("/tmp/take one.wav"))
    assert command[0] == program and command[-1] == "/tmp/take one.wav"
    assert command[command.index(option) + 1] == "7"


def test_a_real_recorder_records_or_gives_its_reason(tmp_path):
    """A machine without a microphone is refused in one line; nothing is left behind."""
    if not (shutil.which("arecord") or shutil.which("ffmpeg")):
        pytest.skip("neither arecord nor ffmpeg is here")
    workspace, seconds = Workspace(tmp_path), []
    try:
        path = record(workspace, 1, lambda done, total: seconds.append((done, total)))
    except UsageError as error:
        assert "cannot record" in str(error) and "\n" not in str(error)
        assert list(workspace.recordings.iterdir()) == []
    else:
        with wave.open(str(path)) as file:
            assert file.getnframes() / file.getframerate() == pytest.approx(1, abs=0.2)
        assert seconds[0] == (0, 1)
