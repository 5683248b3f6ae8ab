"""One run of 03 that several test files look at, since it compares all candidates."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from libraries import labelled_library, separable_library

from songmap.core.workspace import REPOSITORY, Workspace
from songmap.library.library import Library, save_library

Script = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def script() -> Script:
    """03 with ``--workspace`` and further arguments, as a user runs it."""

    def run(workspace: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "03_genre_classifier.py", "--workspace", str(workspace), *arguments]
        return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=240)

    return run


@pytest.fixture(scope="session")
def library_with_strays() -> Library:
    """Two genres of 12 and 13 songs, one of 2, and 3 songs without a genre."""
    base = separable_library(2, 15, distance=0.3)
    genres = [f"GENRE{row // 15:02d}" for row in range(30)]
    genres[0], genres[1], genres[2], genres[28], genres[29] = "UNKNOWN", "UNKNOWN", "UNKNOWN", "TINY", "TINY"
    return labelled_library(base.embeddings, genres, [f"artist {row // 2}" for row in range(30)])


@pytest.fixture(scope="session")
def trained(tmp_path_factory, script: Script, library_with_strays: Library) -> tuple[Path, dict]:
    """A workspace after one run of the script with ``--all --json``, and the document."""
    folder = tmp_path_factory.mktemp("trained")
    save_library(Workspace(folder), library_with_strays)
    result = script(folder, "--json", "--song", "song 005", "--all")
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    return folder, json.loads(result.stdout)
