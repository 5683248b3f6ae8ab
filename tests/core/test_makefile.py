"""The order of the scripts in the Makefile."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from songmap.core.workspace import REPOSITORY


@pytest.mark.skipif(not shutil.which("make"), reason="needs make")
def test_the_map_is_drawn_after_the_model_is_fitted_so_that_it_shows_confidence(tmp_path: Path):
    command = ["make", "--dry-run", "scripts", f"WORKSPACE={tmp_path}"]
    planned = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    assert re.findall(r"^\S+ (0\d)_\w+\.py", planned, flags=re.MULTILINE) == ["01", "03", "02", "04"]


@pytest.mark.skipif(not shutil.which("make"), reason="needs make")
def test_a_new_model_has_the_map_drawn_again(tmp_path: Path):
    for name in ("data/processed/manifest.json", "models/genre_classifier.json", "outputs/.drawn"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    what_if = [
        "make",
        "--question",
        f"{tmp_path}/outputs/.drawn",
        f"WORKSPACE={tmp_path}",
        "--old-file",
        f"{tmp_path}/data/processed/manifest.json",
    ]
    assert subprocess.run(what_if, cwd=REPOSITORY, capture_output=True).returncode == 0
    newer = [*what_if, "--what-if", f"{tmp_path}/models/genre_classifier.json"]
    assert subprocess.run(newer, cwd=REPOSITORY, capture_output=True).returncode == 1
