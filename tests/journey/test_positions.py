"""Percentiles, z-scores, the typical song, genres compared, clusters and what else colours a map."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import percentileofscore
from sklearn.decomposition import PCA
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from xgboost import XGBClassifier

from songmap.core.workspace import Workspace
from songmap.journey import position
from songmap.journey.clusters import MAX_CLUSTERS, find_clusters
from songmap.journey.colourings import first_component, key_names, library_colourings
from songmap.journey.library_pictures import genre_similarities
from songmap.library.genre_model import Calibration, GenreModel, save_model
from songmap.library.library import Library, library_fingerprint, song_table
from songmap.library.schema import COLUMNS, N_COLUMNS, column_index


def songs(n_songs: int, seed: int = 0) -> np.ndarray:
    """Embeddings of three groups that differ in mean, float32 ``(n_songs, 641)``."""
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(n_songs, N_COLUMNS)) + 3 * (np.arange(n_songs) % 3)[:, None]).astype(np.float32)


def test_percentile_of_the_lowest_middle_and_highest_of_five():
    library = np.arange(5, dtype=np.float32)[:, None] * np.ones(N_COLUMNS, np.float32)
    assert [position.percentiles(library[row], library)[0] for row in range(5)] == pytest.approx([10, 30, 50, 70, 90])


def test_percentile_counts_equal_values_half():
    library = np.tile(np.array([[1.0], [1.0], [1.0], [2.0]], np.float32), N_COLUMNS)
    assert position.percentiles(library[0], library)[0] == 37.5
    assert position.percentiles(library[0] * 0, library)[0] == 0
    assert position.percentiles(library[0] * 9, library)[0] == 100


@given(st.lists(st.integers(-5, 5), min_size=2, max_size=30), st.integers(-6, 6))
def test_percentile_is_scipys_mean_rank(values: list[int], value: int):
    library = np.tile(np.array(values, np.float32)[:, None], 2)
    expected = percentileofscore(values, value, kind="mean")
    assert position.percentiles(np.full(2, value, np.float32), library) == pytest.approx(expected)


def test_one_song_has_no_percentile_and_nothing_unusual():
    library = songs(1)
    assert position.percentiles(library[0], library) is None
    assert position.most_unusual(library[0], library, 6) == []


def test_four_songs_have_percentiles_but_nothing_unusual():
    library = songs(4)
    assert position.percentiles(library[0], library) is not None
    assert position.most_unusual(library[0], library, 6) == []


def test_z_score_of_a_constant_column_does_not_exist():
    library = songs(8)
    library[:, 3] = 0.1
    scores = position.z_scores(library[0], library)
    assert np.isnan(scores[3])
    expected = (library[0, 4] - library[:, 4].mean()) / library[:, 4].std()
    assert scores[4] == pytest.approx(expected, rel=1e-5)


def test_the_planted_deviation_is_the_most_unusual_and_features_are_named_once():
    library = songs(30)
    library[7, column_index("mel_040_mean")] += 100
    library[7, column_index("mel_041_mean")] += 90
    library[7, column_index("tempo_bpm")] -= 80
    found = position.most_unusual(library[7], library, 6)
    assert {item.column for item in found[:2]} == {"mel_040_mean", "tempo_bpm"}
    assert "mel_041_mean" not in [item.column for item in found]
    assert len(found) == 6
    tempo = next(item for item in found if item.column == "tempo_bpm")
    assert tempo.z_score < 0
    assert tempo.value == library[7, column_index("tempo_bpm")]
    assert tempo.percentile == pytest.approx(100 * 0.5 / 30)
    assert any("BPM" in text for row in position.unusual_rows(found) for text in row)


def test_equal_songs_have_nothing_unusual():
    library = np.repeat(songs(1), 6, axis=0)
    assert position.most_unusual(library[0], library, 6) == []


def test_every_column_has_a_value_with_a_unit():
    for name in COLUMNS:
        assert position.with_unit(1.5, name).startswith("1.5 ")


def test_typical_song_is_the_one_in_the_middle():
    offsets = np.array([-4.0, -2.0, 0.5, 3.0, 5.0])
    library = (offsets[:, None] * np.ones(N_COLUMNS)).astype(np.float32)
    assert position.typical_song(library) == 2


def test_genre_similarities_against_every_pair():
    library, genres = songs(10), np.array(["a", "b", "c"] * 3 + ["alone"], dtype=object)
    names, similarity = genre_similarities(library, genres)
    assert names == ["a", "alone", "b", "c"]
    scaled = position.standardise(library)
    units = scaled / np.linalg.norm(scaled, axis=1, keepdims=True)
    for row, first in enumerate(names):
        for column, second in enumerate(names):
            pairs = [
                units[i] @ units[j]
                for i in range(10)
                for j in range(10)
                if i != j and genres[i] == first and genres[j] == second
            ]
            expected = np.mean(pairs) if pairs else np.nan
            assert similarity[row, column] == pytest.approx(expected, nan_ok=True)
    assert np.isnan(similarity[1, 1])


def test_standardised_columns_are_scikit_learns_and_constant_ones_are_zero():
    library = songs(20) * np.geomspace(1e-4, 1e4, N_COLUMNS).astype(np.float32)
    library[:, 5] = 0.1
    expected = StandardScaler().fit_transform(library.astype(np.float64))
    assert position.standardise(library) == pytest.approx(expected, abs=1e-9)
    assert not position.standardise(library)[:, 5].any()


def test_clusters_are_the_planted_groups_largest_first():
    groups = np.repeat([0, 1, 2], [12, 20, 7])
    middles = np.random.default_rng(1).normal(size=(3, N_COLUMNS)) * 3
    library = middles[groups] + np.random.default_rng(2).normal(size=(39, N_COLUMNS))
    found = find_clusters(position.standardise(library), seed=0)
    assert found.tolist() == np.array([2, 1, 3])[groups].tolist()


def test_clusters_of_many_songs_are_learned_from_some_and_given_to_all():
    groups = np.arange(6000) % 4
    library = np.random.default_rng(1).normal(size=(4, 30))[groups] * 5
    library += np.random.default_rng(2).normal(size=library.shape)
    found = find_clusters(library - library.mean(axis=0), seed=0)
    assert len({(group, cluster) for group, cluster in zip(groups, found, strict=True)}) == 4
    assert set(found) == {1, 2, 3, 4}


@pytest.mark.parametrize("n_songs", [1, 2, 5, 6, 7, 20])
def test_any_library_has_clusters_and_equal_songs_one(n_songs: int):
    found = find_clusters(position.standardise(songs(n_songs)), seed=0)
    assert found.shape == (n_songs,)
    assert set(found) == set(range(1, found.max() + 1))
    assert found.max() <= min(MAX_CLUSTERS, n_songs)
    assert set(find_clusters(np.zeros((n_songs, N_COLUMNS)), seed=0)) == {1}


def test_first_component_is_scikit_learns_with_the_largest_loading_positive():
    scaled = position.standardise(songs(40))[:, 60:84]
    model = PCA(1).fit(scaled)
    expected = model.transform(scaled)[:, 0] * np.sign(model.components_[0][np.abs(model.components_[0]).argmax()])
    assert first_component(scaled) == pytest.approx(expected, abs=1e-9)
    assert first_component(np.zeros((3, 7))).tolist() == [0, 0, 0]


def test_keys_are_named_and_absent_where_chroma_says_nothing():
    embeddings = np.zeros((2, N_COLUMNS), np.float32)
    embeddings[1, [column_index(f"chroma_{name}_mean") for name in ("A", "C", "E")]] = 1
    assert key_names(embeddings) == ["", "A minor"]


def coloured(workspace: Workspace, library: Library) -> dict:
    return {colouring.name: colouring for colouring in library_colourings(workspace, library, seed=0)}


def test_songs_are_coloured_by_what_is_known_and_by_a_model_only_if_it_is_of_this_library(tmp_path: Path):
    embeddings = songs(24)
    rows = [
        {"file_path": f"/m/{row:02d}.wav", "genre": "AB"[row % 2], "tempo_bpm": 0.0 if row == 3 else 120.0 + row}
        for row in range(24)
    ]
    library = Library(embeddings, song_table(rows))
    workspace = Workspace(tmp_path)
    found = coloured(workspace, library)
    assert [found[name].kind for name in ("genre", "tempo", "key (estimated)", "year", "cluster")] == [
        "genre", "number", "category", "number", "category"
    ]  # fmt: skip
    assert sum(name.endswith("first component") for name in found) == 7
    assert all(len(colouring.values) == 24 for colouring in found.values())
    assert np.isnan(found["tempo"].values[3])
    assert found["tempo"].values[4] == 124
    assert np.isnan(found["year"].values).all()

    pipeline = Pipeline([("scaler", StandardScaler()), ("pca", PCA(2)), ("trees", XGBClassifier(n_estimators=3))])
    pipeline.fit(embeddings.astype(np.float64), np.arange(24) % 2)
    save_model(workspace, genre_model(pipeline), {"data": library_fingerprint(library)})
    confidence = coloured(workspace, library)["confidence of the genre model"].values
    assert confidence == pytest.approx(genre_model(pipeline).predict_proba(embeddings).max(axis=1))
    assert not np.allclose(confidence, pipeline.predict_proba(embeddings.astype(np.float64)).max(axis=1), atol=0.01)
    other = Library(embeddings[:20], song_table(rows[:20]))
    assert "confidence of the genre model" not in coloured(workspace, other)


def genre_model(pipeline: Pipeline) -> GenreModel:
    calibration = Calibration(2.0, 0.0, np.array([0.5, 0.5]))
    return GenreModel("pca_xgboost", pipeline, ["A", "B"], calibration, np.zeros((1, 641)), np.zeros((2, 641)), 0.1)


def test_a_damaged_model_is_told_and_the_map_goes_without(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    library = Library(songs(3), song_table([{"file_path": f"/m/{row}.wav", "genre": "A"} for row in range(3)]))
    workspace = Workspace(tmp_path)
    save_model(workspace, genre_model(Pipeline([])), {"data": library_fingerprint(library)})
    workspace.model.write_bytes(b"junk")
    assert "confidence of the genre model" not in coloured(workspace, library)
    assert "run 03" in caplog.text or "make it again" in caplog.text
