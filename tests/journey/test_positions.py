"""Percentiles, z-scores, the typical song and the figures that say how far a map can be trusted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import percentileofscore

from songmap.core.schema import COLUMNS, N_COLUMNS, column_index
from songmap.journey import position, projection
from songmap.journey.library_pictures import genre_similarities


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


def brute_force_recall(high: np.ndarray, low: np.ndarray, k: int) -> float:
    shares = []
    for row in range(len(high)):
        nearest = []
        for points in (high, low):
            others = sorted((float(np.linalg.norm(points[row] - points[j])), j) for j in range(len(points)) if j != row)
            nearest.append({j for _, j in others[:k]})
        shares.append(len(nearest[0] & nearest[1]) / k)
    return float(np.mean(shares))


@pytest.mark.parametrize("k", [1, 4, 10])
def test_knn_recall_against_brute_force(k: int):
    rng = np.random.default_rng(1)
    high = rng.normal(size=(24, 40))
    low = high[:, :2] + 0.1 * rng.normal(size=(24, 2))
    assert projection.knn_recall(high, low, k) == pytest.approx(brute_force_recall(high, low, k))


def test_knn_recall_of_the_same_points_is_one():
    points = np.random.default_rng(2).normal(size=(30, 3))
    assert projection.knn_recall(points, 5 * points[:, ::-1], 10) == 1


def trustworthiness_by_definition(high: np.ndarray, low: np.ndarray, k: int) -> float:
    """Venna & Kaski (2001): penalty of neighbours on the map by how far down they rank in the data."""
    n, penalty = len(high), 0
    for row in range(n):
        others = [j for j in range(n) if j != row]
        by_high = sorted(others, key=lambda j: np.linalg.norm(high[row] - high[j]))
        by_low = sorted(others, key=lambda j: np.linalg.norm(low[row] - low[j]))
        penalty += sum(max(0, by_high.index(j) + 1 - k) for j in by_low[:k])
    return 1 - 2 / (n * k * (2 * n - 3 * k - 1)) * penalty


@pytest.mark.parametrize("n_songs", [4, 30])
def test_reported_figures_are_those_of_the_scaled_columns_and_the_drawn_points(n_songs: int):
    library = songs(n_songs)
    result = projection.project(library, 2, seed=3)
    scaled = position.standardise(library)
    k = result.n_neighbours
    assert k == min(10, (n_songs - 1) // 2)
    assert result.trustworthiness == pytest.approx(trustworthiness_by_definition(scaled, result.coordinates, k))
    assert result.knn_recall == pytest.approx(brute_force_recall(scaled, result.coordinates, k))
    assert f"{result.knn_recall:.0%}" in projection.trust_in_words(result)
    assert f"{result.trustworthiness:.2f}" in projection.trust_in_words(result)


@pytest.mark.parametrize("n_dimensions", [2, 3])
def test_equal_seeds_give_equal_maps_and_other_seeds_others(n_dimensions: int):
    library = songs(20)
    first, again, other = (projection.project(library, n_dimensions, seed).coordinates for seed in (1, 1, 2))
    assert first.shape == (20, n_dimensions)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_umap_keeps_groups_together():
    library = songs(30)
    recall = projection.project(library, 2, seed=0)
    groups = np.arange(30) % 3
    distances = np.linalg.norm(recall.coordinates[:, None] - recall.coordinates[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    assert (groups[distances.argmin(axis=1)] == groups).all()


def test_the_map_is_widest_along_its_first_axis():
    spread = projection.project(songs(30), 3, seed=0).coordinates.std(axis=0)
    assert spread[0] >= spread[1] >= spread[2]


@pytest.mark.parametrize("n_songs", [1, 2, 3, 4])
@pytest.mark.parametrize("n_dimensions", [2, 3])
def test_small_libraries_get_principal_components_and_say_so(n_songs: int, n_dimensions: int):
    library = songs(n_songs)
    result = projection.project(library, n_dimensions, seed=0)
    assert result.method == "PCA"
    assert result.coordinates.shape == (n_songs, n_dimensions)
    assert np.isfinite(result.coordinates).all()
    assert "too few for UMAP" in projection.trust_in_words(result)
    assert (result.trustworthiness is None) == (n_songs < 3)
    if n_songs <= n_dimensions + 1:  # then nothing is lost
        scaled = position.standardise(library)
        assert np.linalg.norm(result.coordinates[0] - result.coordinates[-1]) == pytest.approx(
            np.linalg.norm(scaled[0] - scaled[-1])
        )


@pytest.mark.parametrize("n_songs", [5, 6, 9])
def test_from_five_songs_on_it_is_umap(n_songs: int):
    for n_dimensions in (2, 3):
        result = projection.project(songs(n_songs), n_dimensions, seed=0)
        assert result.method == "UMAP"
        assert np.isfinite(result.coordinates).all()


@pytest.mark.parametrize("n_songs", [4, 30])
def test_a_song_of_the_library_is_placed_where_it_is(n_songs: int):
    library = songs(n_songs)
    result = projection.project(library, 2, seed=0)
    placed = result.place(library)
    assert placed.shape == (n_songs, 2)
    assert placed == pytest.approx(result.coordinates, abs=1e-3)


def test_a_new_song_is_placed_in_its_group():
    library = songs(31)
    result = projection.project(library[:30], 2, seed=0)
    new = result.place(library[30:])[0]  # of group 0
    nearest = np.linalg.norm(result.coordinates - new, axis=1).argmin()
    assert nearest % 3 == 0


def test_equal_songs_can_be_mapped():
    result = projection.project(np.repeat(songs(1), 6, axis=0), 2, seed=0)
    assert np.isfinite(result.coordinates).all()


def test_cube_limits_hold_all_points_and_are_equally_wide():
    points = np.array([[0.0, 0.0, 5.0], [10.0, 1.0, 5.0]])
    limits = projection.cube_limits(points)
    assert (limits[:, 0] < points.min(axis=0)).all()
    assert (limits[:, 1] > points.max(axis=0)).all()
    assert np.ptp(limits, axis=1) == pytest.approx(11)


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
