"""Standard streams."""

import io
import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile

from songmap.core import streams
from songmap.core.serialise import to_json
from songmap.core.workspace import REPOSITORY, Workspace
from songmap.library.library import load_library, save_library
from tests.libraries import make_library
from tests.signals import RATE_HZ, music


def test_decoders_notes_vanish_and_ours_stay(capfd):
    with streams.quiet_decoders():
        sys.__stderr__.flush()
        import os

        os.write(2, b"note of a C library\n")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"


@pytest.mark.parametrize(
    ("command", "closed"),
    [
        ("04_similarity_search.py", "<&-"),
        ("04_similarity_search.py list", ">&-"),
        ("04_similarity_search.py list", "2>&-"),
        ("04_similarity_search.py", "<&- >&- 2>&-"),
        ("01_feature_extraction.py --music {} --workers 1", "<&- >&- 2>&-"),
    ],
)
def test_scripts_work_without_a_standard_stream(command: str, closed: str, tmp_path: Path):
    """Nor may a file of the library get the number of a stream, and what is printed."""
    if command.startswith("04"):
        save_library(Workspace(tmp_path), make_library(3))
    else:
        (tmp_path / "A").mkdir()
        soundfile.write(tmp_path / "A" / "song.wav", music(4), RATE_HZ)
    script, *rest = command.format(shlex.quote(str(tmp_path))).split(" ", 1)
    line = f"{sys.executable} {REPOSITORY / script} {''.join(rest)} --workspace {shlex.quote(str(tmp_path))} {closed}"
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    if closed == "2>&-" and "list" in command:
        assert "3 songs" in done.stdout
    assert len(load_library(Workspace(tmp_path))) == (3 if command.startswith("04") else 1)


def test_what_an_encoding_lacks_is_an_escape_that_json_has(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    streams.open_streams()
    names = ["é", "ночь", "🎧"]
    print(to_json(names), file=stream, flush=True)
    assert json.loads(stream.buffer.getvalue().decode("ascii")) == names
