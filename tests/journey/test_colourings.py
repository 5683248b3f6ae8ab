"""Clusters and what else colours a map."""

from pathlib import Path

import numpy as np
import pytest
from libraries import any_detector, units_of
from maps import grouped_embeddings, searched
from sklearn.decomposition import PCA
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from xgboost import XGBClassifier

from songmap.core.workspace import Workspace
from songmap.journey.clusters import MAX_CLUSTERS, describe_clusters, find_clusters
from songmap.journey.colourings import first_component, library_colourings
from songmap.library.genre_model import Calibration, GenreModel, save_model, save_out_of_fold
from songmap.library.library import Library, library_fingerprint, song_table
from songmap.library.schema import FAMILIES, N_COLUMNS, column_index


def test_clusters_are_the_planted_groups_largest_first():
    groups = np.repeat([0, 1, 2], [12, 20, 7])
    middles = np.random.default_rng(1).normal(size=(3, N_COLUMNS)) * 3
    library = middles[groups] + np.random.default_rng(2).normal(size=(39, N_COLUMNS))
    found = find_clusters(units_of(library), seed=0)
    assert found.tolist() == np.array([2, 1, 3])[groups].tolist()


def test_clusters_of_many_songs_are_fitted_to_some_and_given_to_all():
    groups = np.arange(6000) % 4
    library = np.random.default_rng(1).normal(size=(4, 30))[groups] * 5
    library += np.random.default_rng(2).normal(size=library.shape)
    found = find_clusters(library, seed=0)
    assert len({(group, cluster) for group, cluster in zip(groups, found, strict=True)}) == 4
    assert set(found) == {1, 2, 3, 4}


@pytest.mark.parametrize("n_songs", [1, 2, 5, 6, 7, 20])
def test_any_library_has_clusters_and_equal_songs_one(n_songs: int):
    found = find_clusters(units_of(grouped_embeddings(n_songs)), seed=0)
    assert found.shape == (n_songs,)
    assert set(found) == set(range(1, found.max() + 1))
    assert found.max() <= min(MAX_CLUSTERS, n_songs)
    assert set(find_clusters(np.zeros((n_songs, N_COLUMNS)), seed=0)) == {1}


def test_first_component_equals_sklearn_with_the_largest_loading_positive():
    scaled = StandardScaler().fit_transform(grouped_embeddings(40)[:, 60:84].astype(np.float64))
    model = PCA(1).fit(scaled)
    expected = model.transform(scaled)[:, 0] * np.sign(model.components_[0][np.abs(model.components_[0]).argmax()])
    assert first_component(scaled) == pytest.approx(expected, abs=1e-9)
    assert first_component(np.zeros((3, 7))).tolist() == [0, 0, 0]


def test_clusters_are_described_by_what_is_typical_of_their_songs():
    embeddings = np.zeros((9, N_COLUMNS), np.float32)
    embeddings[:, column_index("centroid_mean")] = [100, 110, 120, 500, 510, 520, 900, 910, 920]
    genres = ["DUB", "DUB", "UNKNOWN", "A", "B", "B", *["UNKNOWN"] * 3]
    rows = [{"file_path": f"/m/{row}.wav", "genre": genre, "tempo_bpm": 0.0} for row, genre in enumerate(genres)]
    found = describe_clusters(Library(embeddings, song_table(rows)), np.repeat([1, 2, 3], 3))
    assert [(one.n_songs, one.genre, one.n_genre) for one in found] == [(3, "DUB", 2), (3, "B", 2), (3, None, 0)]
    traits = [[(trait.quality, trait.direction) for trait in one.traits] for one in found]
    assert traits == [[("brightness", "low")], [], [("brightness", "high")]]


def coloured(workspace: Workspace, library: Library) -> dict:
    return {
        colouring.name: colouring
        for colouring in library_colourings(workspace, library, searched(library), np.ones(len(library), dtype=int))
    }


def test_songs_are_coloured_by_what_is_known_and_by_a_model_only_if_it_is_of_this_library(tmp_path: Path):
    embeddings = grouped_embeddings(24)
    rows = [
        {"file_path": f"/m/{row:02d}.wav", "genre": "AB"[row % 2], "tempo_bpm": 0.0 if row == 3 else 120.0 + row}
        for row in range(24)
    ]
    library = Library(embeddings, song_table(rows))
    workspace = Workspace(tmp_path)
    found = coloured(workspace, library)
    assert [found[name].kind for name in ("genre", "tempo", "key", "year", "cluster")] == [
        "genre", "number", "key", "number", "cluster"
    ]  # fmt: skip
    assert set(FAMILIES) <= set(found)
    assert all(len(colouring.values) == 24 for colouring in found.values())
    assert np.isnan(found["tempo"].values[3])
    assert found["tempo"].values[4] == 124
    assert np.isnan(found["year"].values).all()

    pipeline = Pipeline([("scaler", StandardScaler()), ("pca", PCA(2)), ("trees", XGBClassifier(n_estimators=3))])
    pipeline.fit(embeddings.astype(np.float64), np.arange(24) % 2)
    card = save_model(workspace, genre_model(pipeline), {"data": library_fingerprint(library)})
    without = np.random.default_rng(0).dirichlet([1, 1], 24)
    without[5:] = np.nan  # not training data
    save_out_of_fold(workspace, card, without)
    confidence = coloured(workspace, library)["confidence"].values
    assert confidence[:5] == pytest.approx(without[:5].max(axis=1))
    assert confidence[5:] == pytest.approx(genre_model(pipeline).predict_proba(embeddings[5:]).max(axis=1))
    other = Library(embeddings[:20], song_table(rows[:20]))
    assert "confidence" not in coloured(workspace, other)


def genre_model(pipeline: Pipeline) -> GenreModel:
    calibration = Calibration((0.5,), 0.0, 0.0, np.array([0.5, 0.5]))
    background, medians = np.zeros((1, 641)), np.zeros((2, 641))
    return GenreModel("pca_xgboost", [pipeline], ["A", "B"], calibration, background, medians, 0.1, any_detector())


def test_a_damaged_model_is_reported_and_the_map_goes_without(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    library = Library(
        grouped_embeddings(3), song_table([{"file_path": f"/m/{row}.wav", "genre": "A"} for row in range(3)])
    )
    workspace = Workspace(tmp_path)
    save_model(workspace, genre_model(Pipeline([])), {"data": library_fingerprint(library)})
    workspace.model.write_bytes(b"junk")
    assert "confidence" not in coloured(workspace, library)
    assert "run 03" in caplog.text or "make it again" in caplog.text
