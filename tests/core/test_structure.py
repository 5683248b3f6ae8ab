"""The structure that docs/architecture.md describes: floors, the parts of a question, sizes, and nothing at import.

Every list of exceptions is exact: an entry that is no longer needed fails its test too.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from songmap.core.workspace import REPOSITORY

PACKAGE = REPOSITORY / "songmap"
ARCHITECTURE = (REPOSITORY / "docs" / "architecture.md").read_text(encoding="utf-8")
SCRIPTS = sorted(REPOSITORY.glob("0[0-9]_*.py"))
MODULES = sorted(PACKAGE.rglob("*.py"))
PRESENTATION = {"rich", "matplotlib", "mpl_toolkits", "seaborn", "plotly", "jinja2", "prompt_toolkit"}
COMPUTING = {"av", "numba", "scipy", "shap", "sklearn", "soundfile", "soxr", "umap", "xgboost"}
MAX_LINES, MAX_PARAMETERS = 300, 6

SIDEWAYS: set[str] = set()  # imports from one question to another: "question/file.py imports songmap.other.module"
PRESENTS: set[str] = set()  # modules outside views/, terminal/ and core that draw or make tables
PRINTS = {  # programs of their own, and what scripts print through
    "core/cli.py", "core/progress.py", "demo/guide.py", "demo/mix.py", "demo/open_music.py", "demo/studio.py",
    "extract/worker.py", "extract/workers.py",
}  # fmt: skip
LONG: set[str] = set()  # modules of more lines than MAX_LINES
MANY_PARAMETERS: set[str] = set()


def floors() -> dict[str, set[str]]:
    """Folder → the folders it may import, from the table of docs/architecture.md."""
    table: dict[str, set[str]] = {}
    for line in ARCHITECTURE.splitlines():
        cells = [set(re.findall(r"`(\w+)`", cell)) for cell in line.strip().strip("|").split("|")]
        if len(cells) == 3 and cells[1] and not cells[0]:
            table |= dict.fromkeys(sorted(cells[1]), cells[2])
    return table


def routes() -> dict[str, list[str]]:
    """Heading → the files a file, a query or a song passes, in their order."""
    sections = re.findall(r"^## The way of (.+?)\n(.+?)(?=^## |\Z)", ARCHITECTURE, re.DOTALL | re.MULTILINE)
    paths = r"`((?:songmap/|0\d_)[\w/]+\.py)`"
    return {title: list(dict.fromkeys(re.findall(paths, body))) for title, body in sections}


QUESTIONS = [folder for folder, below in floors().items() if "features" in below]


def name_of(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports(path: Path) -> frozenset[str]:
    """Full names of modules that a file imports anywhere; of ``from a import b`` both ``a`` and ``a.b``."""
    names = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return frozenset(names)


def folders_used(path: Path) -> set[str]:
    return {name.split(".")[1] for name in imports(path) if name.startswith("songmap.")}


def libraries_used(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imports(path)}


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def is_presentation(path: Path) -> bool:
    return bool({"views", "terminal"} & set(path.relative_to(PACKAGE).parts))


def test_every_folder_is_on_a_floor():
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders == set(floors())


def test_dependencies_run_one_way():
    table, wrong = floors(), set()
    for path in MODULES:
        folder = path.relative_to(PACKAGE).parts[0]
        for module in imports(path):
            if folder in table and module.count(".") > 1 and module.startswith("songmap."):
                other = module.split(".")[1]
                if other != folder and other not in table[folder]:
                    wrong.add(f"{name_of(path)} imports {'.'.join(module.split('.')[:3])}")
    assert wrong == SIDEWAYS


def test_the_floors_have_no_cycle():
    order = list(floors())
    for folder, below in floors().items():
        assert all(order.index(other) < order.index(folder) for other in below)


@pytest.mark.parametrize("title", routes())
def test_the_ways_through_the_code_follow_the_imports(title):
    """Each step is imported, or started as a program, by a step before."""
    steps = routes()[title]
    assert steps[0].startswith("0")
    assert not [step for step in steps if not (REPOSITORY / step).is_file()]
    for number, step in enumerate(steps[1:], start=1):
        module = step.removesuffix(".py").replace("/", ".")
        before = [REPOSITORY / other for other in steps[:number]]
        assert any(module in imports(path) or f'"{module}"' in path.read_text() for path in before), step


def test_every_question_has_the_same_parts():
    parts = ("results.py", "run.py", "views")
    lacking = {name for name in QUESTIONS if any(not (PACKAGE / name / part).exists() for part in parts)}
    assert lacking == {"demo"}


def test_results_are_frozen_dataclasses_or_enums():
    for path in PACKAGE.rglob("results.py"):
        assert not libraries_used(path) & PRESENTATION
        for node in tree(path).body:
            if isinstance(node, ast.ClassDef):
                decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
                bases = {ast.unparse(base) for base in node.bases}
                frozen = any("frozen=True" in decorator for decorator in decorators)
                assert frozen or bases & {"Enum", "StrEnum", "NamedTuple", "TypedDict"}, f"{name_of(path)}: {node.name}"


def test_views_compute_nothing():
    for path in MODULES:
        if is_presentation(path):
            assert not libraries_used(path) & COMPUTING, name_of(path)
            if "views" in path.parts:
                assert not [name for name in imports(path) if re.search(r"\.(run|load_\w+|save_\w+)$", name)], path


def test_only_run_modules_and_terminals_use_views():
    for path in MODULES:
        if path.name != "run.py" and not is_presentation(path):
            assert not [module for module in imports(path) if ".views" in module], name_of(path)


def test_only_views_and_terminals_present():
    drawing = {name_of(path) for path in MODULES if libraries_used(path) & PRESENTATION and not is_presentation(path)}
    assert {name for name in drawing if not name.startswith("core/")} == PRESENTS


def test_only_scripts_terminals_and_programs_print():
    printing = {
        name_of(path)
        for path in MODULES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
        if "terminal" not in path.parts
    }
    assert printing == PRINTS


def test_modules_are_short():
    long = {name_of(path) for path in MODULES if len(path.read_text(encoding="utf-8").splitlines()) > MAX_LINES}
    assert long == LONG


def test_functions_have_few_parameters():
    many = set()
    for path in MODULES:
        for function in functions(path):
            arguments = function.args
            names = [one.arg for one in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
            if len([name for name in names if name not in ("self", "cls")]) > MAX_PARAMETERS:
                many.add(f"{name_of(path)}:{function.name}")
    assert many == MANY_PARAMETERS


def test_no_habit_that_docs_style_rules_out():
    for path in MODULES:
        source = path.read_text(encoding="utf-8")
        assert "sys.path" not in source.replace("sys.path_hooks", ""), name_of(path)
        assert not any(isinstance(node, ast.Assert) for node in ast.walk(tree(path))), name_of(path)
        assert "simplefilter(" not in source, name_of(path)


def test_the_four_scripts_are_there():
    assert {path.name for path in SCRIPTS} >= {
        "01_feature_extraction.py", "02_embedding_journey.py", "03_genre_classifier.py", "04_similarity_search.py"
    }  # fmt: skip


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_is_short_and_knows_one_folder(script):
    assert len(script.read_text(encoding="utf-8").splitlines()) < 150
    assert len(folders_used(script) & set(QUESTIONS)) == 1


def test_importing_the_package_imports_nothing_else():
    program = (
        "import sys, songmap; print(songmap.__version__, sorted({n.split('.')[0] for n in sys.modules} & {'numpy'}))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=REPOSITORY, timeout=60)
    assert result.stdout.split()[1:] == ["[]"], result.stderr


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_help_needs_no_heavy_library(script):
    heavy = ["librosa", "numba", "sklearn", "xgboost", "shap", "umap", "matplotlib", "plotly", "torch"]
    program = (
        "import runpy, sys\n"
        f"sys.argv = [{str(script)!r}, '--help']\n"
        f"try:\n runpy.run_path({str(script)!r}, run_name='__main__')\n"
        f"except SystemExit as end: print(end.code, [name for name in {heavy} if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=REPOSITORY, timeout=60)
    assert "--workspace" in result.stdout
    assert result.stdout.splitlines()[-1] == "0 []", result.stdout + result.stderr
