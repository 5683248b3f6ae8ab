"""The four scripts, one after the other, on synthesised tracks in every format; then the public API and the notebook.

All of it shares one workspace, which takes longer to make than most tests.
"""

import csv
import doctest
import json
import re
import subprocess
import sys
from pathlib import Path

import librosa
import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from scripts import run_script
from signals import RATE_HZ

import songmap
from songmap.core.defaults import DEFAULT_SEED
from songmap.core.workspace import REPOSITORY, Workspace
from songmap.demo.catalogue import plan_corpus
from songmap.demo.studio import render_tracks
from songmap.features.reference import deviation, plain_columns
from songmap.library.genre_model import load_model
from songmap.library.library import load_library
from songmap.library.schema import N_LIBROSA

N_PER_GENRE = 6
CHOSEN = (0, 1, 4, 10, 15, 19)  # of the 24 tracks of a genre: five artists, all four formats
NOTEBOOK = REPOSITORY / "examples" / "notebook.ipynb"


def script(number: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a script in a process of its own."""
    command = [sys.executable, next(REPOSITORY.glob(f"{number}_*.py")), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory) -> Workspace:
    """Six tracks of each genre by five artists, in all formats, through 01; in a folder ``demo``."""
    root = tmp_path_factory.mktemp("workspace") / "demo"
    plans = [plan for plan in plan_corpus(DEFAULT_SEED) if not plan.artist.hybrid]
    genres = sorted({plan.artist.genre for plan in plans})
    by_genre = [[plan for plan in plans if plan.artist.genre == genre] for genre in genres]
    render_tracks(root / "data" / "raw", [plans[index] for plans in by_genre for index in CHOSEN], workers=2)
    result = script("01", "--workspace", root)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    return Workspace(root)


@pytest.fixture(scope="module")
def classified(workspace) -> Workspace:
    """The workspace with a model."""
    result = run_script("03", "--workspace", workspace.root)
    assert result.returncode == 0, result.stderr
    return workspace


@pytest.fixture(scope="module")
def drawn(workspace) -> Workspace:
    """The workspace with pictures and maps."""
    result = run_script("02", "--workspace", workspace.root)
    assert result.returncode == 0, result.stderr
    return workspace


def test_01_extracts_everything(workspace):
    library = load_library(workspace)
    assert len(library) == 2 * N_PER_GENRE
    assert set(library.genres) == {"ITALODANCE", "TRANCE"}
    assert {Path(path).suffix for path in library.songs["file_path"]} == {".mp3", ".ogg", ".flac", ".wav"}
    assert (library.songs["artist"] != "").all()
    assert library.songs["year"].between(1980, 2030).all()


def test_01_equals_plain_librosa_on_demo_tracks(workspace):
    library, checked = load_library(workspace), set()
    for row in np.argsort(library.songs["duration"].to_numpy()):  # the shortest of each format
        path, ours = library.songs["file_path"].iloc[row], library.embeddings[row]
        if Path(path).suffix not in checked:
            checked.add(Path(path).suffix)
            samples, _ = librosa.load(path, sr=RATE_HZ)
            assert deviation(ours[:N_LIBROSA], plain_columns(samples)).max() <= 1, path
    assert len(checked) == 4


def test_02_draws_and_maps(drawn):
    pages = {path.name for path in drawn.html.iterdir()}
    assert {"embedding_space_2d.html", "embedding_space_3d.html"} <= pages
    pictures = list(drawn.plots.glob("*.png"))
    assert {"embedding_space_2d.png", "embedding_space_3d.png"} <= {path.name for path in pictures}
    assert any(path.name.startswith("journey_") for path in pictures)
    assert all(path.stat().st_size > 10_000 for path in pictures)


def test_03_fits_a_model_and_04_agrees_on_names(classified):
    workspace = classified
    model, card = load_model(workspace)
    assert sorted(model.genres) == ["ITALODANCE", "TRANCE"]
    assert (workspace.html / "genre_report.html").stat().st_size > 100_000
    assert card["sha256"]
    song = load_library(workspace).songs.iloc[0]
    result = run_script("03", "--workspace", workspace.root, "--classify", song["file_path"], "--json")
    assert result.returncode == 0, result.stderr
    (record,) = json.loads(result.stdout)
    assert record["predicted_genre"] in ("ITALODANCE", "TRANCE")
    assert abs(sum(record["probabilities"].values()) - 1) < 1e-6
    assert (record["fold_model"]["kind"], record["fold_model"]["includes_song"]) == ("final", True)
    similar = run_script("04", "--workspace", workspace.root, "--json", "similar", song["title"], "-n", "3")
    assert similar.returncode == 0, similar.stderr
    records = json.loads(similar.stdout)
    assert [record["rank"] for record in records] == [1, 2, 3]
    assert song["file_path"] not in {record["file_path"] for record in records}


def test_02_shows_the_neighbours_that_04_finds(drawn, browser):
    from selenium.webdriver.support.ui import WebDriverWait

    workspace = drawn
    title = load_library(workspace).songs["title"].iloc[3]
    browser.get((workspace.html / "embedding_space_2d.html").as_uri())
    wait = WebDriverWait(browser, 20)
    wait.until(lambda page: page.execute_script("return performance.getEntriesByName('ready').length"))
    browser.find_element("css selector", "#search").send_keys(title, "\ue007")
    names = wait.until(lambda page: page.find_elements("css selector", "#card ol .names span:first-child"))
    shown = [name.get_attribute("textContent") for name in names]
    every = ["similar", title, "-n", "10", "--max-per-artist", "10"]
    similar = run_script("04", "--workspace", workspace.root, "--json", *every)
    assert shown == [record["title"] for record in json.loads(similar.stdout)]


@pytest.mark.parametrize("number", ["02", "03", "04"])
def test_without_artifacts_every_script_says_to_run_01_first(tmp_path, number):
    result = script(number, "--workspace", tmp_path, *(["genres"] if number == "04" else []))
    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 1
    assert "run 01_feature_extraction.py first" in result.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("number", ["02", "03", "04"])
def test_tampered_artifacts_stop_every_script(workspace, tmp_path, number):
    copy = Workspace(tmp_path)
    copy.processed.mkdir(parents=True)
    for path in (workspace.embeddings, workspace.songs, workspace.manifest):
        (copy.processed / path.name).write_bytes(path.read_bytes())
    copy.embeddings.write_bytes(copy.embeddings.read_bytes()[:-4] + b"\0\0\0\0")
    result = run_script(number, "--workspace", tmp_path, *(["genres"] if number == "04" else []))
    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 1
    assert not copy.outputs.exists()


def test_truth_and_extraction_agree_on_tempo(workspace):
    truth = {}
    for plan in plan_corpus(DEFAULT_SEED):
        truth[f"{plan.artist.name} - {plan.title}"] = plan.tempo_bpm
    library = load_library(workspace)
    true = np.array([truth[name] for name in library.songs["song_name"]])
    refined, whole_frames = library.songs["tempo_bpm"].to_numpy(), library.column("tempo_bpm")
    near = [any(abs(value * factor - 1) < 0.035 for factor in (1, 2, 0.5)) for value in refined / true]
    assert np.mean(near) >= 0.8  # a beat tracker may take another level of the metre
    assert np.median(np.abs(refined - true)) < 0.05
    assert np.median(np.abs(whole_frames - true)) > 0.5


def test_the_catalogue_of_open_recordings_is_whole():
    with (REPOSITORY / "songmap" / "demo" / "open_music.csv").open(encoding="utf-8", newline="") as stream:
        tracks = list(csv.DictReader(stream))
    assert len({(track["debian_package"], track["path"]) for track in tracks}) == len(tracks) == 73
    assert all(track["licence"] and track["artist"] and float(track["seconds"]) > 3 for track in tracks)


def test_every_public_name_exists_and_has_a_docstring():
    assert set(songmap.__all__) <= set(dir(songmap))
    for name in songmap.__all__:
        assert getattr(songmap, name) is not None
        assert name == "__version__" or f"``{name}``" in songmap.__doc__
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        songmap.nothing  # noqa: B018


def test_the_examples_of_the_public_interface_run(classified, monkeypatch):
    monkeypatch.chdir(classified.root.parent)
    examples = doctest.DocTestFinder(recurse=False).find(songmap, "songmap")
    results = [doctest.DocTestRunner().run(example) for example in examples]
    assert sum(result.attempted for result in results) >= 10
    assert sum(result.failed for result in results) == 0


def test_the_lines_of_python_in_the_readme_run(classified, monkeypatch):
    monkeypatch.chdir(classified.root.parent)
    (block,) = re.findall(r"```python\n(.+?)```", (REPOSITORY / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    *statements, expression = block.strip().splitlines()
    names: dict[str, object] = {}
    exec("\n".join(statements), names)
    similar = eval(expression.partition("#")[0], names)
    assert len(similar) == 5
    assert "First Light" not in set(similar["title"])


def test_the_notebook_runs(classified, monkeypatch):
    monkeypatch.setenv("SONGMAP_WORKSPACE", str(classified.root))
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(classified.root)}}).execute()
    kinds = [kind for cell in notebook.cells for output in cell.get("outputs", []) for kind in output.get("data", {})]
    assert kinds.count("image/png") == 2
    assert kinds.count("text/html") >= 5  # tables


def test_the_notebook_is_small_and_holds_no_output():
    assert NOTEBOOK.stat().st_size < 100_000
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in notebook.cells)
