"""07 as a user runs it, on songs of three seconds."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.image import imread
from scripts import run_script
from spectrogram.sounding import GENRES, sounding_workspace, write_song
from waiting import wait_until

from songmap.compare.dataset import library_dataset
from songmap.core.errors import SchemaError, UsageError
from songmap.core.workspace import REPOSITORY, Workspace
from songmap.library.library import load_library
from songmap.library.song_vectors import load_song_vectors
from songmap.spectrogram.deep import require_torch
from songmap.spectrogram.song_outputs import load_out_of_fold

SCORES = {"network", "joined", "lda", "svm", "xgboost", "majority"}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory) -> Workspace:
    return sounding_workspace(tmp_path_factory.mktemp("spectrograms"))


@pytest.fixture(scope="module")
def trained(workspace):
    pytest.importorskip("torch")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "80")
        return run_script("07", "--workspace", workspace.root, "--epochs", "2", "--workers", "1")


def report_of(workspace: Workspace) -> dict:
    return json.loads((workspace.outputs / "spectrogram_cnn.json").read_text())


def without_times(report: dict) -> dict:
    """A report but for processor times and paths."""
    for score in report["scores"]:
        score |= {"train_s": 0, "predict_s": 0}
    for curve in report["curves"]:
        curve["train_s"] = 0
    return report | {"written": []}


def test_the_summary_says_who_wins_in_few_lines(trained):
    assert trained.returncode == 0, trained.stderr
    lines = trained.stdout.splitlines()
    assert len(lines) <= 20
    assert max(len(line) for line in lines if "/outputs/" not in line) <= 80
    assert lines[0].startswith("On songs by other artists, the best is ")


def test_the_report_has_the_folds_of_06_and_all_models(trained, workspace):
    report, library = report_of(workspace), load_library(workspace)
    assert {one["model"] for one in report["scores"]} == SCORES
    accuracies = [one["accuracy"] for one in report["scores"]]
    assert accuracies == sorted(accuracies, reverse=True)
    folds = library_dataset(library, ("descriptors",), "strictest").repeats(1, 42)[0]
    assert report["n_folds"] == len(folds)
    assert [curve["fold"] for curve in report["curves"]] == [*range(len(folds)), None]
    assert [curve["songs"] + curve["validation_songs"] for curve in report["curves"][:-1]] == [
        len(train) for train, _ in folds
    ]
    assert all(len(curve["epochs"]) == 2 for curve in report["curves"])
    paths = {one["content"]: one["path"] for one in report["written"]}
    assert {"page", "curves", "report", "weights", "card", "out_of_fold", "vectors"} == set(paths)
    card = json.loads((workspace.networks / "image.json").read_text())
    assert card["settings"] == report["settings"]
    own = next(one for one in report["scores"] if one["model"] == "network")
    assert card["scores"]["accuracy"] == own["accuracy"]


def test_probabilities_out_of_fold_have_the_reported_accuracy(trained, workspace):
    library, report = load_library(workspace), report_of(workspace)
    sha256 = json.loads((workspace.networks / "image.json").read_text())["sha256"]
    proba = load_out_of_fold(workspace, library, "image", 2, sha256)
    right = np.array(GENRES)[proba.argmax(axis=1)] == library.genres
    own = next(one for one in report["scores"] if one["model"] == "network")
    assert right.mean() == pytest.approx(own["accuracy"])
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    with pytest.raises(SchemaError, match="of another training"):  # the run after it was killed between the two files
        load_out_of_fold(workspace, library, "image", 2, "other")


def test_vectors_are_of_every_song_by_every_network(trained, workspace):
    library = load_library(workspace)
    vectors = load_song_vectors(workspace, library)
    n_folds = report_of(workspace)["n_folds"]
    assert vectors.vectors.shape == (len(library), 64)
    assert vectors.fold_vectors.shape == (n_folds, len(library), 64)
    assert sorted(set(vectors.fold_of)) == list(range(n_folds))
    assert np.isfinite(vectors.vectors).all()
    with pytest.raises(SchemaError, match="of another library"):
        load_song_vectors(workspace, replace(library, embeddings=library.embeddings + 1))


def test_any_number_of_workers_gives_the_same_report(trained, workspace, tmp_path):
    other = sounding_workspace(tmp_path)
    result = run_script("07", "--workspace", other.root, "--epochs", "2", "--workers", "2", "--json")
    assert result.returncode == 0, result.stderr
    reports = [without_times(one) for one in (json.loads(result.stdout), report_of(workspace))]
    assert reports[0] == reports[1]
    assert (other.networks / "image.safetensors").read_bytes() == (
        workspace.networks / "image.safetensors"
    ).read_bytes()


def test_a_second_run_trains_nothing(trained, workspace, monkeypatch):
    from songmap.spectrogram import training

    first = without_times(report_of(workspace))
    monkeypatch.setattr(training._Training, "_epoch", lambda self: pytest.fail("trained"))
    again = run_script("07", "--workspace", workspace.root, "--epochs", "2", "--workers", "1", "--json")
    assert without_times(json.loads(again.stdout)) == first


def test_a_tampered_checkpoint_is_one_line(trained, workspace):
    checkpoint = next((workspace.networks / "checkpoints" / "image").glob("*.pt"))
    content = checkpoint.read_bytes()
    try:
        checkpoint.write_bytes(content[:-7])
        result = run_script("07", "--workspace", workspace.root, "--epochs", "2", "--workers", "1")
    finally:
        checkpoint.write_bytes(content)
    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 1
    assert "is damaged or not a checkpoint" in result.stderr


def test_predictions_of_files(trained, workspace, tmp_path):
    write_song(tmp_path / "new.wav", "DRONES", 3)
    (tmp_path / "none.wav").write_bytes(b"no audio")
    files = [tmp_path / "new.wav", tmp_path / "none.wav"]
    result = run_script("07", "--workspace", workspace.root, "--predict", *files)
    assert result.returncode == 1
    assert result.stdout.count("\n") == result.stderr.count("\n") == 1
    assert "new.wav: " in result.stdout
    assert "cannot be decoded" in result.stderr
    document = json.loads(run_script("07", "--workspace", workspace.root, "--json", "--predict", *files).stdout)
    assert sum(document[0]["probabilities"].values()) == pytest.approx(1)
    assert "cannot be decoded" in document[1]["error"]
    of_folder = json.loads(run_script("07", "--workspace", workspace.root, "--json", "--predict", tmp_path).stdout)
    assert of_folder == document


def test_predicting_needs_a_network_that_was_trained(trained, workspace):
    result = run_script("07", "--workspace", workspace.root, "--network", "residual", "--predict", "a.wav")
    assert result.returncode == 2
    assert "run 07_spectrogram_cnn.py --network residual first" in result.stderr


def test_pictures_can_be_read(workspace):
    result = run_script("07", "--workspace", workspace.root, "--export-images", "--workers", "1", "--json")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["pictures"] == 24
    files = sorted((workspace.outputs / "spectrograms" / "image").rglob("*.png"))
    assert [file.parent.name for file in files] == ["BEATS"] * 12 + ["DRONES"] * 12
    assert {imread(file).shape for file in files} == {(100, 100, 4)}
    pixels = imread(files[0])[..., :3].sum(axis=2)
    assert pixels[:, 60:].max() < pixels[:, :45].mean()  # silence after the song is dark


@pytest.mark.parametrize("width", [390, 1440])
def test_the_page_in_a_browser(trained, workspace, browser, width):
    browser.set_window_size(width, 900)
    for log in ("browser", "performance"):
        browser.get_log(log)
    browser.get(workspace.page("spectrogram_cnn").as_uri())
    assert browser.find_element("css selector", ".summary p").text.startswith("On songs by other artists, the best is ")
    assert len(browser.find_elements("css selector", "#scores tbody tr")) == len(SCORES)
    assert len(browser.find_elements("css selector", "#genres figure")) == 3
    assert browser.find_elements("css selector", "#curves svg line")
    assert browser.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")
    requests = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    urls = [one["params"]["request"]["url"] for one in requests if one["method"] == "Network.requestWillBeSent"]
    assert [url for url in urls if not url.startswith(("file:", "data:"))] == []
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


def test_without_torch_there_is_one_line(workspace, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    for arguments in ([], ["--predict", "a.wav"]):
        result = run_script("07", "--workspace", workspace.root, *arguments)
        assert result.returncode == 2
        assert len(result.stderr.splitlines()) == 1
        assert "pip install -r requirements-deep.txt" in result.stderr


def test_a_torch_that_cannot_be_loaded_is_one_line_too(tmp_path, monkeypatch):
    (tmp_path / "torch.py").write_text("raise OSError('libtorch_cpu.so: cannot open shared object file')")
    (tmp_path / "safetensors.py").touch()  # it may not be installed
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("torch", "safetensors"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    with pytest.raises(UsageError, match=r"libtorch_cpu.so.* pip install -r requirements-deep.txt"):
        require_torch()


def test_mfcc_are_for_one_network(workspace):
    result = run_script("07", "--workspace", workspace.root, "--input", "mfcc")
    assert result.returncode == 2
    assert "mfcc is for network frames" in result.stderr


def test_epochs_are_reported_with_their_scores_on_request(tmp_path, monkeypatch):
    pytest.importorskip("torch")
    workspace = sounding_workspace(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    result = run_script("07", "--workspace", workspace.root, "--epochs", "1", "--workers", "1", "--network", "frames",
                        "--input", "mfcc", "--verbose")  # fmt: skip
    assert result.returncode == 0, result.stderr
    lines = result.stderr.splitlines()
    assert len(lines) == report_of(workspace)["n_folds"] + 1
    assert all(": loss " in line and ", validation " in line and len(line) <= 80 for line in lines)
    assert max(len(line) for line in result.stdout.splitlines() if "/" not in line) <= 80
    assert "The frames network on MFCC" in result.stdout
    assert (workspace.networks / "frames_mfcc.safetensors").exists()


@pytest.mark.slow
def test_a_killed_run_ends_as_one_that_was_not(trained, workspace, tmp_path):
    killed = sounding_workspace(tmp_path)
    command = [sys.executable, str(REPOSITORY / "07_spectrogram_cnn.py"), "--workspace", str(killed.root)]
    command += ["--epochs", "2", "--workers", "2"]
    checkpoints = killed.networks / "checkpoints" / "image"
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as victim:
        wait_until(lambda: len(list(checkpoints.glob("*.pt"))) >= 2 or victim.poll() is not None)
        victim.kill()
    assert not killed.page("spectrogram_cnn").exists()
    result = run_script("07", "--workspace", killed.root, "--epochs", "2", "--workers", "1", "--json")
    assert without_times(json.loads(result.stdout)) == without_times(report_of(workspace))
