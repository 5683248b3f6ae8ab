"""How far a map can be trusted: the figures, and the sentences that state them."""

import numpy as np
import pytest
from maps import FITTED, fitted, grouped_library, joined, opened, part, projected, refitted, searched, units_of
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness

from songmap.core.text import percent
from songmap.journey import song_map, trust
from songmap.journey.results import Projection
from songmap.journey.song_map import MIN_SONGS
from songmap.journey.views.summary import trust_in_words
from songmap.library.spaces import sampled_rows


def brute_force_recall(high: np.ndarray, low: np.ndarray, k: int, rows: np.ndarray) -> float:
    shares = []
    for row in rows:
        nearest = []
        for points in (high, low):
            others = sorted((float(np.linalg.norm(points[row] - points[j])), j) for j in range(len(points)) if j != row)
            nearest.append({j for _, j in others[:k]})
        shares.append(len(nearest[0] & nearest[1]) / k)
    return float(np.mean(shares))


@pytest.mark.parametrize(("n_songs", "k"), [(3, 1), (5, 2), (24, 4), (60, 10)])
@pytest.mark.parametrize("block_pairs", [8_000_000, 100])
def test_trustworthiness_equals_sklearn_and_recall_brute_force(
    n_songs: int, k: int, block_pairs: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(trust, "_BLOCK_PAIRS", block_pairs)
    rng = np.random.default_rng(n_songs)
    high = rng.normal(size=(n_songs, 40))
    low = high[:, :2] + 0.1 * rng.normal(size=(n_songs, 2))
    rows = np.arange(n_songs)
    found = trust.preserved(high, low, k, rows)
    assert found[0] == pytest.approx(trustworthiness(high, low, n_neighbors=k))
    assert found[1] == pytest.approx(brute_force_recall(high, low, k, rows))


def test_figures_of_a_sample_are_the_mean_of_its_songs():
    rng = np.random.default_rng(3)
    high = rng.normal(size=(50, 20))
    low = high[:, :2]
    each = np.array([trust.preserved(high, low, 5, np.array([row])) for row in range(50)])
    some = np.array([3, 17, 40])
    assert trust.preserved(high, low, 5, some) == pytest.approx(tuple(each[some].mean(axis=0)))
    assert each[:, 0].mean() == pytest.approx(trustworthiness(high, low, n_neighbors=5))
    assert trust.preserved(high, low, 5, some)[1] == pytest.approx(brute_force_recall(high, low, 5, some))


def test_the_same_points_keep_everything_and_equal_songs_cost_nothing():
    points = np.random.default_rng(2).normal(size=(30, 3))
    assert trust.preserved(points, 5 * points[:, ::-1], 10, np.arange(30)) == (1, 1)
    assert trust.preserved(np.zeros((8, 4)), np.random.default_rng(0).normal(size=(8, 2)), 3, np.arange(8))[0] == 1


def test_all_songs_are_checked_up_to_a_number_and_then_as_many_at_random():
    assert sampled_rows(trust.MAX_CHECKED, trust.MAX_CHECKED).tolist() == list(range(trust.MAX_CHECKED))
    rows = sampled_rows(50_000, trust.MAX_CHECKED)
    assert len(set(rows.tolist())) == trust.MAX_CHECKED
    assert rows.max() > 45_000
    assert np.array_equal(rows, sampled_rows(50_000, trust.MAX_CHECKED))


@pytest.mark.parametrize("n_songs", [4, 40])
@pytest.mark.parametrize("method", song_map.METHODS)
def test_reported_figures_are_those_of_the_space_of_the_search_and_the_coordinates(n_songs: int, method: str):
    library = grouped_library(n_songs)
    for result in projected(fitted(n_songs, method, 1), library, method):
        units, k = units_of(library).astype(np.float64), result.n_neighbours
        assert k == min(10, (n_songs - 1) // 2)
        assert result.trustworthiness == pytest.approx(trustworthiness(units, result.coordinates, n_neighbors=k))
        assert result.knn_recall == pytest.approx(brute_force_recall(units, result.coordinates, k, np.arange(n_songs)))
        assert percent(result.knn_recall) in trust_in_words(result)
        assert f"{result.trustworthiness:.2f}" in trust_in_words(result)


MEANINGS = {
    "umap": "Do not interpret distances between groups, group sizes or axes.",
    "tsne": "Do not interpret distances between groups, group sizes or axes.",
    "densmap": "A wide group is a varied one",
    "pca": "The axes are the directions in which the songs differ most",
}


@pytest.mark.parametrize("method", song_map.METHODS)
def test_words_are_true_for_the_method(method: str):
    plane, _ = projected(fitted(40, method, 1), grouped_library(40), method)
    words = trust_in_words(plane)
    assert plane.method == song_map.METHODS[method]
    assert [name for name, meaning in MEANINGS.items() if meaning in words] == [
        name for name, meaning in MEANINGS.items() if meaning == MEANINGS[method]
    ]
    assert "too few" not in words
    assert "--refit" not in words


def test_words_name_the_variance_that_principal_components_show():
    library = grouped_library(40)
    shown = PCA().fit(units_of(library).astype(np.float64)).explained_variance_ratio_
    for result, n_dimensions in zip(projected(fitted(40, "pca", 1), library, "pca"), (2, 3), strict=True):
        assert result.variance == pytest.approx(shown[:n_dimensions].sum(), rel=1e-5)
        assert f"show {percent(shown[:n_dimensions].sum())} of the variance" in trust_in_words(result)


def test_words_state_what_was_checked_of_a_large_library():
    large = Projection(np.zeros((50_000, 2)), "UMAP", 10, 0.97, 0.3, n_checked=2_000)
    assert "checked for 2,000 of the 50,000 songs" in trust_in_words(large)
    assert "by chance 0.02 %" in trust_in_words(large)


@pytest.mark.parametrize("n_songs", [1, 2, 3, 4])
@pytest.mark.parametrize("method", FITTED)
def test_small_libraries_get_principal_components_and_words_state_it(n_songs: int, method: str):
    library = grouped_library(n_songs)
    for result in projected(fitted(n_songs, method, 0), library, method):
        assert result.method == "PCA"
        assert np.isfinite(result.coordinates).all()
        assert f"too few for {song_map.METHODS[method]}" in trust_in_words(result)
        assert (result.trustworthiness is None) == (n_songs < 3)
        if n_songs <= result.coordinates.shape[1] + 1:  # then nothing is lost
            units = units_of(library)
            assert np.linalg.norm(result.coordinates[0] - result.coordinates[-1]) == pytest.approx(
                np.linalg.norm(units[0] - units[-1]), rel=1e-4
            )
    assert "too few" not in trust_in_words(projected(fitted(n_songs, "pca", 0), library, "pca")[0])


def test_new_songs_move_no_old_ones_and_are_counted():
    umap_map, base, new = fitted(40, "umap", 1), grouped_library(40), grouped_library(10, seed=7)
    for result, before in zip(
        projected(umap_map, joined(base, new), "umap"), projected(umap_map, base, "umap"), strict=True
    ):
        assert np.array_equal(result.coordinates[:40], before.coordinates)  # /music/0/… sorts first
        assert result.coordinates[40:] == pytest.approx(umap_map.place(new.embeddings, result.n_dimensions))
        assert (result.n_new, before.n_new) == (10, 0)
        assert "10 of the songs were added after" in trust_in_words(result)
        assert "--refit" not in trust_in_words(result)


def test_a_map_with_many_new_songs_advises_to_fit_it_again():
    plane, _ = projected(fitted(40, "umap", 1), joined(grouped_library(40), grouped_library(21, seed=7)), "umap")
    assert plane.refit_advised
    assert "fit it again with --refit" in trust_in_words(plane)


def test_a_library_that_shrank_keeps_its_map(tmp_path):
    path, base = tmp_path / "map_umap.npz", grouped_library(40)
    song_map.save_map(path, fitted(40, "umap", 1))
    few = part(base, slice(0, MIN_SONGS - 2))
    kept, fit = opened(path, few, "umap", None, refit=False)
    assert fit.reason is None
    assert "too few" not in trust_in_words(projected(kept, few, "umap")[0])


def test_the_figure_of_the_map_is_the_share_of_the_joined_neighbours_that_are_near_on_it():
    library = grouped_library(60, seed=3)
    plane, _ = projected(refitted(library, "umap", 0), library, "umap")
    joined_rows, _ = searched(library).neighbours(10, np.arange(60))
    distances = np.linalg.norm(plane.coordinates[:, None] - plane.coordinates[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    near = np.argsort(distances, axis=1, kind="stable")[:, :10]
    shares = [len(set(own) & set(on_map)) / 10 for own, on_map in zip(joined_rows, near, strict=True)]
    assert plane.knn_recall == pytest.approx(np.mean(shares))
