"""Whether chance could have reached the predictions: exact where there is nothing to find, and honest about what it cannot test."""

import numpy as np
import pytest

from songmap.genre.comparison import CrossValidated
from songmap.genre.evaluation import leakage
from songmap.genre.metrics import sampled_scores
from songmap.genre.permutation import permutation_test
from songmap.genre.results import PermutationTest
from songmap.genre.splits import make_folds

STRUCTURES = {  # songs of each artist, by genre
    "artists of 4 songs against artists of 2": ([4] * 20, [2] * 20),
    "one genre of few artists": ([1] * 30 + [8], [20, 10, 2, 1, 1]),
    "one large artist in each": ([20, 10, 5, 3, 2, 1, 1, 1], [8, 4, 2, 1, 1, 1, 1]),
    "three genres": ([6] * 6, [2] * 12, [1] * 15),
    "five artists each": ([3] * 5, [10, 1, 1, 1, 1]),
}
N_LIBRARIES = 200


def songs_of(structure: tuple[list[int], ...]) -> tuple[np.ndarray, np.ndarray]:
    """Labels and groups ``(n_songs,)``."""
    labels = np.concatenate([np.full(sum(sizes), genre) for genre, sizes in enumerate(structure)])
    sizes = [size for genre in structure for size in genre]
    return labels, np.repeat(np.arange(len(sizes)), sizes)


def coin(labels: np.ndarray, groups: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return rng.integers(0, labels.max() + 1, (1, 3, len(labels)))


def base_rate_coin(labels: np.ndarray, groups: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return rng.choice(labels, (1, 3, len(labels)))


def base_rate_coin_of_artists(labels: np.ndarray, groups: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Every artist is guessed as a whole."""
    return rng.choice(labels, (1, 3, groups.max() + 1))[:, :, groups]


def most_frequent(labels: np.ndarray, groups: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.full((1, 3, len(labels)), np.bincount(labels).argmax())


def best_of_four_coins(labels: np.ndarray, groups: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Chosen after looking at the labels, as the best candidate is."""
    coins = rng.choice(labels, (4, 3, len(labels)))
    recalls = [permutation_test(labels, one[np.newaxis], groups, 0, 1).recall for one in coins]
    return coins[np.argsort(recalls)[::-1]]


@pytest.mark.parametrize("structure", STRUCTURES.values(), ids=STRUCTURES)
@pytest.mark.parametrize("guess", [coin, base_rate_coin, base_rate_coin_of_artists, most_frequent, best_of_four_coins])
def test_chance_is_called_significant_in_at_most_one_of_twenty_libraries(structure, guess):
    labels, groups = songs_of(structure)
    p_values = []
    for seed in range(N_LIBRARIES):
        predicted = guess(labels, groups, np.random.default_rng([7, seed]))
        p_values.append(permutation_test(labels, predicted, groups, seed, 199).p_value)
    assert np.mean(np.array(p_values) <= 0.05) <= 0.07


def test_knowledge_is_found_in_all_of_them():
    """Right for 85 % of songs."""
    for structure in STRUCTURES.values():
        labels, groups = songs_of(structure)
        wrong = np.random.default_rng(0).random(len(labels)) < 0.15
        predicted = np.where(wrong, (labels + 1) % (labels.max() + 1), labels)
        assert permutation_test(labels, predicted[np.newaxis, np.newaxis], groups, 0, 999).p_value <= 0.05


def test_p_is_smallest_where_no_shuffle_reaches_the_recall():
    labels = np.repeat([0, 1], 30)
    result = permutation_test(labels, labels[np.newaxis, np.newaxis], np.arange(60), 0, 199)
    assert result.p_value == pytest.approx(1 / 200)
    assert result.recall == 1
    assert result.chance == pytest.approx(0.5, abs=0.02)


def test_the_statistic_is_the_mean_over_genres_of_the_mean_over_artists():
    labels = np.array([0, 0, 0, 0, 1, 1])
    groups = np.array([0, 0, 0, 1, 2, 3])
    predicted = np.array([[[0, 0, 1, 1, 1, 0], [0, 0, 0, 1, 1, 0]]])
    result = permutation_test(labels, predicted, groups, 0, 9)
    assert result.recall == pytest.approx(((5 / 6 + 0) / 2 + (1 + 0) / 2) / 2)


def test_songs_treated_as_independent_would_be_anti_conservative():
    """Why whole artists are shuffled: the same guesses, song by song, look significant far too often."""
    rng, p_values = np.random.default_rng(0), []
    for seed in range(N_LIBRARIES):
        labels = np.repeat(rng.permutation([0, 1] * 8), 6)
        predicted = np.repeat(rng.integers(0, 2, 16), 6)[np.newaxis, np.newaxis]
        p_values.append(permutation_test(labels, predicted, np.arange(96), seed, 99).p_value)
    assert np.mean(np.array(p_values) <= 0.05) > 0.15


def test_a_genre_of_too_few_artists_has_no_p_value():
    labels = np.repeat([0, 1], 30)
    result = permutation_test(labels, labels[np.newaxis, np.newaxis], np.arange(60), 0, 99, ["TECHNO"])
    assert (result.p_value, result.significant, result.scarce) == (None, None, ("TECHNO",))
    assert result.recall == 1
    assert PermutationTest(1.0, 0.5, 0.01, 99, 0).significant


def cross_validated(
    features: np.ndarray, labels: np.ndarray, groups: np.ndarray, repeats: list, seed: int
) -> CrossValidated:
    """A nearest-centroid classifier: fast, and with nothing to tune."""
    rounds = np.zeros((len(repeats), len(labels), 2))
    for number, folds in enumerate(repeats):
        for train, test in folds:
            centroids = np.stack([features[train][labels[train] == label].mean(axis=0) for label in (0, 1)])
            closeness = np.exp(-np.square(features[test][:, np.newaxis] - centroids).sum(axis=2) / 2)
            rounds[number, test] = closeness / closeness.sum(axis=1, keepdims=True)
    sampled = sampled_scores(labels, rounds, groups, seed, 200)
    return CrossValidated("centroid", np.arange(len(labels)), rounds, [], 1.0, sampled)


def leakage_of(n_artists: int, n_songs: int, seed: int, voice: float):
    """Two genres whose artists differ by ``voice`` deviations, the same in every column."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(n_artists), n_songs)
    labels = groups % 2
    features = rng.standard_normal((len(labels), 20)) + 0.25 * labels[:, np.newaxis]
    features += voice * rng.standard_normal((n_artists, 20))[groups]
    grouped = [make_folds(labels, groups, 5, seed + 1000 * number) for number in range(3)]
    random = [make_folds(labels, np.arange(len(labels)), len(folds), seed) for folds in grouped]
    return leakage(labels, *(cross_validated(features, labels, groups, one, seed) for one in (grouped, random)))


@pytest.mark.parametrize(("n_artists", "n_songs"), [(8, 6), (20, 3), (6, 10)])
def test_artists_without_a_voice_show_no_leakage(n_artists, n_songs):
    shown = [leakage_of(n_artists, n_songs, seed, voice=0.0).significant for seed in range(100)]
    assert np.mean(shown) <= 0.07


def test_artists_with_a_voice_do():
    assert all(leakage_of(8, 8, seed, voice=1.0).significant for seed in range(5))
