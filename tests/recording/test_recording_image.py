"""The network of spectrograms as a third voice of 05: trained in its folds, saved, used, and missing."""

import json
import shutil
import sys
from dataclasses import replace

import numpy as np
import pytest
from recorded import BEATS, DRONES, samples, write_wav
from scripts import run_script

pytest.importorskip("torch")

from songmap.core.workspace import Workspace
from songmap.features.analysis import analyse_file
from songmap.features.signal import Signal
from songmap.library.genre_model import pipeline_predict_proba
from songmap.library.library import load_library
from songmap.library.segments_file import load_segments
from songmap.recording import image_member
from songmap.recording.dataset import segment_dataset
from songmap.recording.run import load_recording_classifier
from songmap.spectrogram.excerpts import FLOOR_DB, KINDS, excerpts_at, excerpts_of, first_frames, spectrogram_of

JOIN = ("--join", "nn,xgb,cnn")
N_SONGS, SEED = 6, 3


@pytest.fixture(scope="module")
def workspace(tmp_path_factory) -> Workspace:
    """Songs of 8 s in segments of 6 s, of which an excerpt fills each; one file is removed after 01."""
    workspace = Workspace(tmp_path_factory.mktemp("image"))
    for genre in (BEATS, DRONES):
        for seed in range(N_SONGS):
            write_wav(workspace.music / genre / f"Artist {seed}" / f"{genre} {seed}.wav", samples(genre, seed, 8))
    extracted = run_script("01", "--workspace", workspace.root, "--segments", "6/2")
    assert extracted.returncode == 0, extracted.stderr
    (workspace.music / BEATS / "Artist 4" / f"{BEATS} 4.wav").unlink()
    return workspace


def train_quickly(workspace: Workspace, patch: pytest.MonkeyPatch, *arguments: str):
    """Two epochs, in this process: others would import torch."""
    patch.setattr(image_member, "SETTINGS", replace(image_member.SETTINGS, epochs=2))
    patch.setattr(image_member, "usable_cores", lambda: 1)
    return run_script("05", "--workspace", workspace.root, "--train", *JOIN, "--seed", str(SEED), *arguments)


@pytest.fixture(scope="module")
def trained(workspace):
    """The report of a training of two epochs."""
    with pytest.MonkeyPatch.context() as patch:
        result = train_quickly(workspace, patch, "--json")
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_each_is_scored_alone_and_joined_in_the_folds_of_songs(trained):
    assert trained["members"] == ["network", "xgboost", "cnn"]
    scored = {(one["classifier"], one["split"]) for one in trained["scores"]}
    pair = {"network", "xgboost", "joined_without_cnn"}
    assert scored == {(name, split) for name in pair for split in ("song", "random")} | {
        ("cnn", "song"),
        ("joined", "song"),
    }


def test_no_network_was_trained_on_a_song_that_it_predicts(trained, workspace, monkeypatch):
    """The trainings that 05 plans, against the folds of its other members."""
    library = load_library(workspace)
    dataset = segment_dataset(library, load_segments(workspace, library), SEED)
    settings = replace(image_member.SETTINGS, epochs=2, seed=SEED)
    *of_folds, final = image_member._tasks(workspace, library, dataset, settings, lambda done, total: None)
    fold_of, genres = dataset.plan.fold_of, dataset.songs.labels
    usable = np.array([BEATS + " 4" not in path for path in library.songs["file_path"].iloc[dataset.songs.rows]])
    assert len(of_folds) == fold_of.max() + 1
    for fold, task in enumerate(of_folds):
        expected = (fold_of != fold) & (fold_of != fold_of.max()) & usable
        assert task.songs.groups.tolist() == dataset.plan.groups[expected].tolist()
        assert not set(task.songs.groups) & set(dataset.plan.groups[fold_of == fold])
        assert task.songs.labels.tolist() == genres[expected].tolist()
    assert len(final.songs.labels) == usable.sum() == 2 * N_SONGS - 1
    assert all(
        task.checkpoint.is_file() for task in (*of_folds, final)
    )  # those that the training left: it is the same plan


def test_a_segments_probabilities_are_the_mean_over_its_excerpts(trained, workspace):
    network, kind = load_recording_classifier(workspace).image.network, KINDS["image"]
    signal = Signal.of(samples(DRONES, 9, 20).astype(np.float32))
    bounds_s = np.array([[0.0, 12.5], [7.5, 20.0], [1.0, 6.0]])
    values = spectrogram_of(signal, "image")
    expected = []
    for starts_s in ([0.25, 6.25], [7.75, 13.75], [1.0]):  # in the middle of each half; the last is shorter than 6 s
        starts = np.array([round(start_s / kind.hop_s) for start_s in starts_s])
        expected.append(network.predict_proba(excerpts_at(values, starts, kind)).mean(axis=0))
    np.testing.assert_allclose(image_member.segment_proba(network, signal, bounds_s), expected, atol=0.02)


def test_excerpts_of_a_whole_spectrogram_are_those_of_the_cache():
    signal, kind = Signal.of(samples(BEATS, 2, 15).astype(np.float32)), KINDS["image"]
    values, start_s = excerpts_of(signal, "image")
    spectrogram = spectrogram_of(signal, "image")
    starts = first_frames(spectrogram.shape[1], kind)
    np.testing.assert_allclose(starts * kind.hop_s, start_s)
    np.testing.assert_array_equal(excerpts_at(spectrogram, starts, kind), values)
    last = excerpts_at(spectrogram, np.array([spectrogram.shape[1] - 10]), kind)[0]
    assert (last[:, 10:] == FLOOR_DB).all() and last[:, :10].max() > FLOOR_DB


def test_an_answer_is_of_all_three(trained, workspace, tmp_path):
    classifier = load_recording_classifier(workspace)
    analysis = analyse_file(write_wav(tmp_path / "new.wav", samples(BEATS, 7, 14), samples(DRONES, 8, 14)))
    answer = classifier.answer(analysis)
    bounds_s = np.stack([answer.timeline.start_s, answer.timeline.end_s], axis=1)
    own = classifier.image.segment_proba(analysis.signal, bounds_s)
    from songmap.features.segments import segment
    from songmap.library.segments import SegmentSettings

    cut = segment(analysis.frames, 28.0, classifier.neighbours.library.config, SegmentSettings(6.0, 1.0))
    logs = [np.log(pipeline_predict_proba(one, cut.embeddings)) for one in classifier.model.pipelines] + [np.log(own)]
    calibration = classifier.card["calibration"]
    logits = np.tensordot(calibration["weights"], logs, axes=1)
    logits += calibration["prior_weight"] * np.log(calibration["shares"])
    odds = np.exp(logits)
    known = odds / odds.sum(axis=1, keepdims=True)
    share = calibration["outlier_share"]
    np.testing.assert_allclose(answer.timeline.proba, (1 - share) * known + share * np.array(calibration["shares"]))
    assert len(calibration["weights"]) == 3
    assert all(-1 <= one.adds <= 1 for part in answer.parts for one in part.families)


def test_the_script_says_what_the_network_adds(trained, workspace):
    with pytest.MonkeyPatch.context() as patch:  # every epoch was kept: nothing is trained again
        from songmap.spectrogram import training

        patch.setattr(training._Training, "_epoch", lambda self: pytest.fail("trained"))
        result = train_quickly(workspace, patch)
    assert result.returncode == 0, result.stderr
    assert "Joined with the cnn, a network that looks at spectrograms," in result.stdout
    assert "joined without cnn" in result.stdout


def test_the_page_says_that_reasons_leave_the_network_out(trained, workspace, tmp_path):
    song = write_wav(tmp_path / "new.wav", samples(BEATS, 7, 14))
    result = run_script("05", "--workspace", workspace.root, song)
    assert result.returncode == 0, result.stderr
    assert "cnn, which looks at spectrograms, are held fixed" in workspace.page("recording_new").read_text("utf-8")


def test_without_torch_only_a_classifier_with_the_network_is_refused(trained, workspace, tmp_path, monkeypatch):
    song = write_wav(tmp_path / "new.wav", samples(BEATS, 7, 14))
    monkeypatch.setitem(sys.modules, "torch", None)
    for arguments in ([song], ["--train", *JOIN]):
        result = run_script("05", "--workspace", workspace.root, *arguments)
        assert result.returncode == 2
        assert len(result.stderr.splitlines()) == 1
        assert "pip install -r requirements-deep.txt" in result.stderr
    assert "cnn" in json.loads(workspace.recording_card.read_text())["training"]["members"]  # nothing was replaced


def test_weights_that_are_not_the_cards_are_one_line(trained, workspace, tmp_path):
    other = Workspace(tmp_path / "copy")
    shutil.copytree(workspace.root, other.root)
    content = other.recording_network.read_bytes()
    for damaged in (content[:-3], None):
        if damaged is None:
            other.recording_network.unlink()
        else:
            other.recording_network.write_bytes(damaged)
        result = run_script("05", "--workspace", other.root, "any.wav")
        assert result.returncode == 2
        assert len(result.stderr.splitlines()) == 1
        assert "05_classify_recording.py --train" in result.stderr


def test_training_without_the_network_removes_it(trained, workspace, tmp_path, monkeypatch):
    other = Workspace(tmp_path / "copy")
    shutil.copytree(workspace.root, other.root)
    refused = run_script("05", "--workspace", other.root, *JOIN, "any.wav")
    assert refused.returncode == 2
    assert "give --train too" in refused.stderr
    monkeypatch.setitem(sys.modules, "torch", None)
    result = run_script("05", "--workspace", other.root, "--train", "--json")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["members"] == ["network", "xgboost"]
    assert not other.recording_network.exists()
    assert load_recording_classifier(other).image is None
