"""08 --autoencoder as a user runs it, on songs of three seconds."""

import csv
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scripts import run_script
from spectrogram.sounding import sounding_workspace

from songmap.communities import run as communities_run
from songmap.communities.sound_spaces import further_spaces
from songmap.core.workspace import Workspace
from songmap.library.library import load_library

CAE = ("--autoencoder", "cae", "--latent", "16", "--epochs", "2", "--workers", "1", "--spaces", "cae")
GRID = ("--autoencoder", "vae", "--latent", "4x9x5", "--epochs", "2", "--workers", "1", "--grid")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory) -> Workspace:
    return sounding_workspace(tmp_path_factory.mktemp("autoencoders"))


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Instead of t-SNE and UMAP, which take most of the time of so few songs; a grid of 4 points."""
    monkeypatch.setattr(communities_run, "embed", lambda points, *_: [points[:, :2]])
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture
def small_grid(monkeypatch):
    pytest.importorskip("torch")
    from songmap.communities import autoencoder_run

    monkeypatch.setattr(autoencoder_run, "GRID_BATCHES", (5, 10))
    monkeypatch.setattr(autoencoder_run, "GRID_RATES", (0.01, 0.001))


@pytest.fixture(scope="module")
def trained(workspace):
    pytest.importorskip("torch")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(communities_run, "embed", lambda points, *_: [points[:, :2]])
        patch.setenv("COLUMNS", "80")
        return run_script("08", "--workspace", workspace.root, *CAE)


def report_of(workspace: Workspace) -> dict:
    return json.loads((workspace.outputs / "autoencoder.json").read_text())


def test_the_summary_says_whether_components_are_beaten(trained, workspace):
    assert trained.returncode == 0, trained.stderr
    assert max(len(line) for line in trained.stdout.splitlines() if "/outputs/" not in line) <= 80
    outcome = report_of(workspace)["comparison"]["outcome"]
    text = " ".join(trained.stdout.split())
    expected = {
        "better": "The convolutional autoencoder reconstructs 6 songs by other artists better than",
        "worse": "The convolutional autoencoder reconstructs 6 songs by other artists worse than",
        "not_shown": "It is not shown that the convolutional autoencoder reconstructs 6 songs by other artists",
    }
    assert expected[outcome] in text


def test_codes_are_a_space_of_every_song(trained, workspace):
    library = load_library(workspace)
    vectors = further_spaces(library, workspace)["cae"]
    assert vectors.shape == (len(library), 16)
    assert len(np.unique(vectors, axis=0)) == len(library)
    with workspace.table("song_communities").open() as file:
        assert {row["cluster_cae"] for row in csv.DictReader(file)} >= {"1", "2"}


def test_the_report_and_its_files_agree(trained, workspace):
    report, card = report_of(workspace), json.loads((workspace.autoencoders / "cae_16.json").read_text())
    assert card["settings"] == report["settings"]
    assert card["epochs"] == report["epochs"]
    assert report["training_songs"] + report["validation_songs"] + report["test_songs"] == report["songs"] == 24
    assert [one["method"] for one in report["scores"]] == ["autoencoder", "pca", "mean"]
    contents = [one["content"] for one in report["written"]]
    assert set(contents) == {"page", "report", "sound", "weights", "card", "spaces"}
    assert all(Path(one["path"]).is_file() for one in report["written"])
    sound = next(one["path"] for one in report["written"] if one["content"] == "sound")
    samples, rate_hz = soundfile.read(sound)
    assert rate_hz == 22_050
    assert len(samples) == pytest.approx(5 * rate_hz, rel=0.01)
    assert np.abs(samples).max() > 0.1
    assert not list((workspace.autoencoders / "checkpoints").rglob("*.pt"))


def test_a_second_run_trains_nothing_and_other_spaces_are_kept(trained, workspace, monkeypatch):
    from songmap.communities import autoencoder_training

    vae = [one if one != "cae" else "vae" for one in CAE]
    result = run_script("08", "--workspace", workspace.root, *vae, "--verbose")
    assert result.returncode == 0
    lines = result.stderr.splitlines()
    assert [line.partition(": ")[2].partition(": loss ")[0] for line in lines] == ["1/1, epoch 1", "1/1, epoch 2"]
    assert all(", validation " in line and len(line) <= 80 for line in lines)
    monkeypatch.setattr(autoencoder_training._Training, "_epoch", lambda *_: pytest.fail("trained"))
    again = run_script("08", "--workspace", workspace.root, *CAE, "--json")
    assert again.returncode == 0, again.stderr
    report = json.loads(again.stdout)["autoencoder"]
    assert report["name"] == "cae_16"
    assert report == report_of(workspace)
    assert set(further_spaces(load_library(workspace), workspace)) == {"cae", "vae"}


def test_a_grid_that_was_stopped_ends_with_the_same_table(small_grid, workspace, tmp_path, monkeypatch):
    from songmap.communities.autoencoder_training import _Training

    fresh = Workspace(tmp_path / "fresh")
    shutil.copytree(workspace.root, fresh.root)
    whole = run_script("08", "--workspace", fresh.root, *GRID)
    assert whole.returncode == 0, whole.stderr
    epoch, trained = _Training._epoch, []

    def stopped(self, number):
        trained.append(number)
        if len(trained) == 6:  # in the third point, after its first epoch
            raise KeyboardInterrupt
        return epoch(self, number)

    monkeypatch.setattr(_Training, "_epoch", stopped)
    assert run_script("08", "--workspace", workspace.root, *GRID).returncode == 130
    resumed = run_script("08", "--workspace", workspace.root, *GRID)
    assert resumed.returncode == 0, resumed.stderr
    assert len(trained) == 6 + 3
    names = [one.table("autoencoder_grid").read_text() for one in (fresh, workspace)]
    assert names[0] == names[1]
    assert whole.stdout.split("Grid:")[0] == resumed.stdout.split("Grid:")[0]
    assert whole.stdout.count("smallest loss") == 2  # in the sentence and beside the point
    with fresh.table("autoencoder_grid").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["batch"], row["learning_rate"]) for row in rows] == [
        ("5", "0.01"), ("5", "0.001"), ("10", "0.01"), ("10", "0.001"),
    ]  # fmt: skip


@pytest.mark.slow
def test_any_number_of_workers_gives_the_same_grid(small_grid, workspace, tmp_path):
    other = Workspace(tmp_path / "other")
    shutil.copytree(workspace.root, other.root)
    shutil.rmtree(other.autoencoders, ignore_errors=True)
    for place in (workspace, other):
        workers = "2" if place is other else "1"
        grid = [workers if before == "--workers" else one for before, one in zip(("", *GRID), GRID, strict=False)]
        result = run_script("08", "--workspace", place.root, *grid)
        assert result.returncode == 0, result.stderr
    assert workspace.table("autoencoder_grid").read_text() == other.table("autoencoder_grid").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--grid"], "--grid is of an autoencoder: add --autoencoder cae or vae"),
        (["--latent", "64"], "--latent is of an autoencoder: add --autoencoder cae or vae"),
        (["--rate", "0.01"], "--rate is of an autoencoder: add --autoencoder cae or vae"),
        (["--autoencoder", "cea"], "did you mean cae?"),
        (["--autoencoder", "cae", "--latent", "7"], "no latent '7'; give 16 to 128 for a vector, or 12x27x16"),
        (["--autoencoder", "vae", "--dropout", "0.9"], "a dropout of 0.9 is out of range, give 0 to 0.5"),
        (["--autoencoder", "vae", "--beta", "nan"], "a beta of nan is out of range, give 0 to 1000"),
        (["--autoencoder", "vae", "--spaces", "vae", "vea"], "no space 'vea'; there are balanced, scaled, pca, "),
        (["--autoencoder", "vae", "--spaces", "vae", "cnn"], "run 07_spectrogram_cnn.py first"),
    ],
)
def test_bad_usage_is_one_line_before_any_training(workspace, arguments, message, monkeypatch):
    monkeypatch.setattr(communities_run, "_autoencoder", lambda *_: pytest.fail("trained"))
    result = run_script("08", "--workspace", workspace.root, *arguments)
    assert result.returncode == 2
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("more", [[], ["--grid"]])
def test_without_torch_there_is_one_line(workspace, monkeypatch, more):
    monkeypatch.setitem(sys.modules, "torch", None)
    result = run_script("08", "--workspace", workspace.root, *CAE, *more)
    assert result.returncode == 2
    assert "install it by: pip install -r requirements-deep.txt" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_without_torch_everything_else_works(workspace, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    copied = Workspace(tmp_path / "copied")
    shutil.copytree(workspace.root, copied.root)
    result = run_script("08", "--workspace", copied.root, "--spaces", "balanced")
    assert result.returncode == 0, result.stderr


def test_the_page_in_a_browser(trained, workspace, browser):
    vae = [one if one != "cae" else "vae" for one in CAE]
    assert run_script("08", "--workspace", workspace.root, *vae).returncode == 0
    browser.get_log("browser")
    browser.get(workspace.page("autoencoder").as_uri())
    assert browser.title == "How well a variational autoencoder reconstructs"
    sources = browser.execute_script("return [...document.querySelectorAll('img, audio')].map(one => one.src)")
    assert len(sources) == 3 * (4 + 3) + 4 * 5
    assert all(one.startswith("data:") for one in sources)
    drawn = "return [...document.images].every(one => one.naturalWidth == 216 && one.naturalHeight == 96)"
    assert browser.execute_script(drawn)
    browser.set_window_size(500, 900)
    assert browser.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")
    browser.set_window_size(1200, 900)
    length = "const done = arguments[0], one = document.querySelector('audio');"
    length += "one.onloadedmetadata = () => done(one.duration); one.onerror = () => done(-1); one.preload = 'auto'; one.load()"
    assert browser.execute_async_script(length) == pytest.approx(5.0, abs=0.1)
    assert [entry["message"] for entry in browser.get_log("browser")] == []
    browser.find_element("link text", "Clusters of songs").click()
    assert browser.current_url == workspace.page("song_communities").as_uri()
    browser.find_element("link text", "Autoencoder").click()
    assert browser.current_url == workspace.page("autoencoder").as_uri()
