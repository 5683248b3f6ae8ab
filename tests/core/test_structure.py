"""Dependencies run one way, scripts stay short, and nothing works at import."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from songmap.core.workspace import REPOSITORY

FLOORS = ("core", "library", "features")  # each may use those before it
QUESTIONS = ("extract", "journey", "genre", "similar", "demo")  # each uses the floors, none another
SCRIPTS = sorted(REPOSITORY.glob("0[0-9]_*.py"))


def imports(path: Path) -> set[str]:
    """Modules of songmap that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("songmap"):
            found |= {
                f"{node.module}.{alias.name}" if node.module.count(".") < 2 else node.module for alias in node.names
            }
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.startswith("songmap")}
    return found


@pytest.mark.parametrize("part", [*FLOORS, *QUESTIONS])
def test_dependencies_run_one_way(part):
    allowed = {*FLOORS, part} if part in QUESTIONS else {*FLOORS[: FLOORS.index(part) + 1]}
    files = list((REPOSITORY / "songmap" / part).rglob("*.py"))
    assert files
    for path in files:
        for module in imports(path):
            assert module.split(".")[1] in allowed, f"{path.name} imports {module}"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_is_short_and_knows_one_folder(script):
    assert len(script.read_text(encoding="utf-8").splitlines()) < 150
    folders = {module.split(".")[1] for module in imports(script)} - set(FLOORS)
    assert len(folders) == 1


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_help_needs_no_heavy_library(script):
    heavy = ["librosa", "numba", "sklearn", "xgboost", "shap", "umap", "matplotlib", "plotly"]
    program = (
        "import runpy, sys\n"
        f"sys.argv = [{str(script)!r}, '--help']\n"
        f"try:\n runpy.run_path({str(script)!r}, run_name='__main__')\n"
        f"except SystemExit as end: print(end.code, [name for name in {heavy} if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=REPOSITORY, timeout=60)
    assert "--workspace" in result.stdout
    assert result.stdout.splitlines()[-1] == "0 []", result.stdout + result.stderr


def test_the_four_scripts_are_there():
    assert {path.name for path in SCRIPTS} >= {
        "01_feature_extraction.py", "02_embedding_journey.py", "03_genre_classifier.py", "04_similarity_search.py"
    }  # fmt: skip
