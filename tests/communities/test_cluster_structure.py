"""How many clusters there are, and that there are none in data without."""

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score, silhouette_score

from songmap.communities.clusters import ClusterOptions, cluster_space, gap_choice, gap_statistic
from songmap.communities.references import exceedance, leading_axes, mean_silhouette, reference
from songmap.core.errors import UsageError


def planted(n_clusters: int, n_songs: int, n_columns: int, spread: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = np.arange(n_songs) % n_clusters
    centres = spread * rng.standard_normal((n_clusters, n_columns))
    return centres[labels] + rng.standard_normal((n_songs, n_columns)), labels


def without_clusters(kind: str, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    if kind == "uniform":
        return rng.uniform(size=(50, 3))
    if kind == "gaussian":  # columns of very different spread
        return rng.standard_normal((50, 20)) * np.exp(-np.arange(20) / 4)
    return rng.standard_normal((40, 157))  # fewer songs than columns


def n_with_structure(kind: str, n_sets: int, max_clusters: int) -> int:
    options = [ClusterOptions(max_clusters, seed=seed) for seed in range(n_sets)]
    return sum(cluster_space(kind, without_clusters(kind, one.seed), one)[0].has_structure for one in options)


def test_no_clusters_are_found_in_noise():
    """7 % of 18 are 1."""
    assert sum(n_with_structure(kind, 6, max_clusters=3) for kind in ("uniform", "gaussian", "wide")) <= 1


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["uniform", "gaussian", "wide"])
def test_false_positives_are_at_most_7_percent(kind):
    assert n_with_structure(kind, 200, max_clusters=6) <= 14


@pytest.mark.parametrize(("n_clusters", "n_columns", "spread"), [(2, 5, 3.0), (3, 10, 2.0), (5, 40, 1.5)])
def test_planted_clusters_are_found(n_clusters, n_columns, spread):
    vectors, labels = planted(n_clusters, 150, n_columns, spread, seed=n_clusters)
    found, own = cluster_space("planted", vectors, ClusterOptions(max_clusters=6))
    assert found.has_structure
    assert found.chosen == n_clusters
    assert adjusted_rand_score(labels, own) > 0.9
    assert found.mixture_choice == n_clusters
    assert np.array_equal(np.sort(np.bincount(own))[::-1], np.bincount(own))


def test_more_songs_than_are_sampled_are_all_divided():
    vectors, labels = planted(3, 5_200, 4, 6.0, seed=0)
    found, own = cluster_space("planted", vectors, ClusterOptions(max_clusters=3))
    assert (found.songs, found.sampled_songs, found.has_structure) == (5_200, 600, True)
    assert adjusted_rand_score(labels, own) > 0.95


def test_workers_change_nothing():
    vectors, _ = planted(3, 60, 5, 2.0, seed=0)
    (one, first), (other, second) = (
        cluster_space("x", vectors, ClusterOptions(max_clusters=4, workers=workers)) for workers in (1, 3)
    )
    assert one == other
    assert np.array_equal(first, second)


def test_outlying_songs_are_no_cluster():
    vectors = np.random.default_rng(0).standard_normal((60, 5))
    vectors[:2] += 100
    found, _ = cluster_space("x", vectors, ClusterOptions(max_clusters=3))
    assert not found.has_structure


def test_equal_songs_are_an_error_in_a_line():
    with pytest.raises(UsageError, match="30 songs have 1 different vectors in pca"):
        cluster_space("pca", np.ones((30, 4)), ClusterOptions())


def test_silhouettes_are_those_of_scikit_learn():
    vectors, _ = planted(3, 40, 4, 1.0, seed=1)
    labels = np.random.default_rng(0).integers(3, size=40)
    distances = np.linalg.norm(vectors[:, None] - vectors, axis=2)
    assert mean_silhouette(distances, labels, 1) == pytest.approx(silhouette_score(vectors, labels))
    labels[:] = 0
    labels[:3] = 1
    assert mean_silhouette(distances, labels, 1) == pytest.approx(silhouette_score(vectors, labels))
    assert mean_silhouette(distances, labels, 5) == 0


def test_the_gap_statistic_is_that_of_its_definition():
    references = np.exp([[5.0, 3.0], [7.0, 3.0]])
    gaps, errors = gap_statistic(np.exp([5.0, 1.0]), references)
    assert gaps == pytest.approx([1.0, 2.0])
    assert errors == pytest.approx([np.sqrt(1.5), 0.0])
    assert gap_choice(np.array([0.0, 0.5, 0.52]), np.array([0.0, 0.1, 0.1])) == 2
    assert gap_choice(np.array([0.5, 0.5]), np.array([0.1, 0.1])) == 1
    assert gap_choice(np.array([0.1, 0.5, 0.9]), np.zeros(3)) == 3


def test_references_have_the_covariance_or_the_extent_of_the_points():
    vectors, _ = planted(2, 50, 6, 3.0, seed=2)
    mean, axes = leading_axes(vectors)
    points = (vectors - mean) @ axes.T
    gaussian, uniform = (reference(points, kind, np.random.SeedSequence(0)) for kind in ("gaussian", "uniform"))
    assert gaussian.T @ gaussian == pytest.approx(points.T @ points, abs=1e-8)
    assert gaussian.mean(axis=0) == pytest.approx(0, abs=1e-9)
    assert (uniform >= points.min(axis=0)).all()
    assert (uniform <= points.max(axis=0)).all()


def test_a_curve_is_compared_with_all_references():
    references = np.random.default_rng(0).standard_normal((19, 4))
    assert exceedance(np.array([9.0, 0, 0, 0]), references) == pytest.approx(0.05)
    assert exceedance(np.full(4, -9.0), references) == 1
