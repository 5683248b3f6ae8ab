"""The classifier of segments: honest beside flattering scores, saved and loaded, refused where it does not fit."""

import numpy as np
import pytest
from segment_libraries import segmented_library

from songmap.core.errors import SchemaError, UsageError
from songmap.core.workspace import Workspace
from songmap.library.genre_model import load_model_files, pipeline_predict_proba
from songmap.library.library import save_library
from songmap.library.model_file import pipeline_of, pipeline_steps
from songmap.library.segments import Segments
from songmap.recording.dataset import segment_dataset
from songmap.recording.evaluation import calibrated_by_fold, random_folds, song_means
from songmap.recording.members import MEMBERS, fit_member
from songmap.recording.run import load_recording_classifier
from songmap.recording.training import train_recording_model


def train(folder, library, segments):
    workspace = Workspace(folder)
    save_library(workspace, library, segments)
    done = []
    training = train_recording_model(workspace, library, segments, 0, lambda *counts: done.append(counts))
    assert done[-1][0] == done[-1][1] and done == sorted(done)
    return workspace, training, {(one.classifier, one.split): one for one in training.scores}


def test_a_random_split_of_segments_claims_what_new_songs_do_not_confirm(tmp_path):
    """Genres that mean nothing: segments of a song are similar, so that another of its segments gives its genre away."""
    library, segments = segmented_library(32, 4, genre_effect=0.0)
    _, _, scores = train(tmp_path, library, segments)
    assert scores["joined", "random"].segment_accuracy > 0.9
    assert scores["joined", "song"].segment_accuracy < 0.7
    assert scores["joined", "song"].segment_log_loss > 0.6  # near log 2: it does not claim to know


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    library, segments = segmented_library(24, 3, genre_effect=1.5)
    return library, segments, *train(tmp_path_factory.mktemp("trained"), library, segments)


def test_genres_that_differ_are_told_apart_on_new_artists(trained):
    *_, training, scores = trained
    assert (training.n_songs, training.n_segments, training.genres) == (24, 72, ("GENRE0", "GENRE1"))
    assert {name for name, split in scores if split == "song"} == {"network", "xgboost", "joined"}
    assert scores["joined", "song"].song_accuracy > 0.9
    assert training.group_by == "artist"


def test_the_saved_model_predicts_as_the_fitted_one(trained):
    library, segments, workspace, _, _ = trained
    model, card = load_model_files(workspace.segment_model)
    assert card["songs_per_genre"] == {"GENRE0": 12, "GENRE1": 12}
    assert card["training"]["settings"]["length_s"] == 30
    dataset = segment_dataset(library, segments, 0)
    for name, pipeline in zip(MEMBERS, model.pipelines, strict=True):
        again = fit_member(name, dataset.descriptors, dataset.labels, dataset.groups, 0)
        expected = pipeline_predict_proba(again, segments.embeddings)
        np.testing.assert_allclose(pipeline_predict_proba(pipeline, segments.embeddings), expected, atol=1e-5)
        restored = pipeline_of(pipeline_steps(pipeline))
        np.testing.assert_array_equal(
            pipeline_predict_proba(restored, segments.embeddings), pipeline_predict_proba(pipeline, segments.embeddings)
        )


def test_a_network_of_several_genres_comes_back(trained):
    library, segments, *_ = trained
    dataset = segment_dataset(library, segments, 0)
    labels = dataset.labels + 2 * (dataset.descriptors[:, 0] > np.median(dataset.descriptors[:, 0]))
    pipeline = fit_member("network", dataset.descriptors, labels, dataset.groups, 0)
    restored = pipeline_of(pipeline_steps(pipeline))
    proba = restored.predict_proba(segments.embeddings)
    assert proba.shape == (72, 4)
    np.testing.assert_allclose(proba, pipeline.predict_proba(segments.embeddings), atol=1e-5)


def test_folds_are_those_of_songs_and_every_segment_is_tested(trained):
    library, segments, *_ = trained
    dataset = segment_dataset(library, segments, 0)
    fold_of = dataset.plan.fold_of
    for group in set(dataset.plan.groups):
        assert len(set(fold_of[dataset.plan.groups == group])) == 1
    assert set(random_folds(dataset.labels, 5, 0)) == set(range(6))


def test_a_calibration_does_not_see_its_fold():
    rng = np.random.default_rng(0)
    labels, fold_of = rng.integers(0, 2, 200), np.arange(200) % 4
    raw = rng.dirichlet([1, 1], (1, 200))
    changed = labels.copy()
    changed[fold_of == 1] = 1 - changed[fold_of == 1]
    before, after = (calibrated_by_fold(raw, one, np.arange(200), fold_of)[fold_of == 1] for one in (labels, changed))
    np.testing.assert_array_equal(before, after)


def test_a_songs_probabilities_are_the_mean_of_its_segments():
    proba = np.array([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]])
    np.testing.assert_array_equal(song_means(proba, np.array([0, 0, 1]), 2), [[0.75, 0.25], [0, 1]])


def test_songs_without_segments_are_one_line(trained):
    library, segments, *_ = trained
    some = Segments(segments.embeddings[3:], segments.table.iloc[3:].reset_index(drop=True), segments.settings)
    with pytest.raises(UsageError, match="1 of 24 songs have no segments yet; run 01"):
        segment_dataset(library, some, 0)


def test_one_genre_is_refused_before_anything_is_written(tmp_path):
    library, segments = segmented_library(12, 2, genre_effect=0)
    library.songs["genre"] = "A"
    with pytest.raises(UsageError, match="needs 2 genres"):
        train(tmp_path, library, segments)
    assert not Workspace(tmp_path).recording_model.exists()


def test_a_model_of_other_columns_or_without_a_card_is_refused(trained, tmp_path):
    *_, workspace, _, _ = trained
    other = Workspace(tmp_path)
    with pytest.raises(SchemaError, match="does not exist"):
        load_recording_classifier(other)
    other.models.mkdir()
    content = workspace.recording_model.read_bytes()
    other.recording_model.write_bytes(content.replace(b'"columns": "', b'"columns": "0', 1))
    with pytest.raises(SchemaError) as error:
        load_model_files(other.segment_model)
    assert "05_classify_recording.py --train" in str(error.value)
