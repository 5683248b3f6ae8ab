"""Conformal sets: the finite-sample threshold, and how often the sets contain the true genre."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from songmap.genre.conformal import coverage, prediction_sets, share_interval, threshold
from songmap.genre.coverage_results import ConformalCoverage


def two_genres(true: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """Songs of genre 0 whose true genre has these probabilities."""
    first = np.array(true)
    return np.stack([first, 1 - first], axis=1), np.zeros(len(true), int)


def exchangeable(rng: np.random.Generator, n_songs: int, n_genres: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Labels and the probabilities of a mediocre, overconfident model of them."""
    labels = rng.integers(0, n_genres, n_songs)
    logits = rng.normal(0, 2, (n_songs, n_genres)) + 2 * (np.arange(n_genres) == labels[:, np.newaxis])
    odds = np.exp(1.5 * logits)
    return odds / odds.sum(axis=1, keepdims=True), labels


def measured(proba: np.ndarray, labels: np.ndarray, fold_of: np.ndarray) -> ConformalCoverage:
    """The coverage of songs without groups."""
    return coverage(proba, labels, fold_of, np.arange(len(labels)), list("ABCD")[: labels.max() + 1], 0)


@pytest.mark.parametrize(
    ("n_songs", "wanted", "place"),
    [(9, 0.9, 0), (18, 0.9, 0), (19, 0.9, 1), (99, 0.9, 9), (100, 0.9, 9), (29, 0.9, 2), (3, 0.75, 0), (199, 0.95, 9)],
)
def test_the_threshold_is_the_finite_sample_quantile(n_songs, wanted, place):
    true = np.random.default_rng(0).permutation(np.linspace(0.1, 0.9, n_songs))
    assert threshold(*two_genres(true), wanted) == np.sort(true)[place]


def test_eight_songs_guarantee_only_the_set_of_all_genres():
    proba, labels = exchangeable(np.random.default_rng(0), 8)
    assert threshold(proba, labels) == 0.0
    assert prediction_sets(proba, 0.0).all()
    record = measured(proba, labels, np.arange(8) % 4)
    assert (record.coverage, record.mean_size, record.sets_of_all, record.songs) == (1.0, 4.0, 1.0, 8)


def test_the_most_probable_genre_is_always_in_the_set():
    proba = np.array([[0.5, 0.3, 0.2], [0.9, 0.05, 0.05]])
    assert prediction_sets(proba, 0.95).tolist() == [[True, False, False], [True, False, False]]
    assert prediction_sets(proba, 0.3).tolist() == [[True, True, False], [True, False, False]]


def test_new_songs_of_the_same_kind_are_covered_as_guaranteed():
    rng = np.random.default_rng(0)
    reached, held = [], []
    for _ in range(300):
        proba, labels = exchangeable(rng, 100)
        least = threshold(proba[:50], labels[:50])
        true = proba[np.arange(50, 100), labels[50:]]
        reached.append((true >= least).mean())
        held.append(prediction_sets(proba[50:], least)[np.arange(50), labels[50:]].mean())
    assert np.mean(reached) == pytest.approx(46 / 51, abs=0.01)  # ceil(51 * 0.9) of 51 places in the order
    assert np.mean(held) >= np.mean(reached)


def test_cross_conformal_coverage_is_near_what_is_wanted():
    rng = np.random.default_rng(1)
    records = [measured(*exchangeable(rng, 60), np.arange(60) % 5) for _ in range(100)]
    assert np.mean([record.coverage for record in records]) == pytest.approx(0.91, abs=0.02)
    assert 1 < np.mean([record.mean_size for record in records]) < 4


def test_a_folds_songs_do_not_set_their_own_threshold():
    """The third fold's songs differ from the others: thresholds from the others miss them all, their own would not."""
    proba, labels = two_genres([0.9] * 20 + [0.8] * 20 + [0.2] * 20)
    record = measured(proba, labels, np.repeat([0, 1, 2], 20))
    assert record.coverage == pytest.approx(2 / 3)
    assert prediction_sets(proba, threshold(proba, labels))[:, 0].all()


def test_coverage_is_stated_for_every_genre():
    """Of the second genre, whose songs resemble the first's, half the sets miss it: the mean hides that."""
    true = np.concatenate([np.full(90, 0.9), np.tile([0.8, 0.1], 5)])
    labels = np.repeat([0, 1], [90, 10])
    proba = np.where(np.arange(2) == labels[:, np.newaxis], true[:, np.newaxis], 1 - true[:, np.newaxis])
    groups = np.repeat(np.arange(50), 2)
    record = coverage(proba, labels, np.arange(100) // 2 % 5, groups, ["A", "B"], 0)
    first, second = record.per_genre
    assert (first.genre, first.songs, first.groups, first.coverage) == ("A", 90, 45, 1.0)
    assert (second.genre, second.songs, second.groups, second.coverage) == ("B", 10, 5, 0.5)
    assert record.coverage == pytest.approx(0.95)
    assert record.coverage_low < 0.95 < record.coverage_high
    assert first.coverage_low == pytest.approx(0.025 ** (1 / 45))


def test_intervals_resample_whole_groups():
    """Ten artists of ten songs that are all covered or all not: as uncertain as ten songs, not as a hundred."""
    holds, groups = np.repeat(np.arange(10) < 8, 10), np.repeat(np.arange(10), 10)
    low, high = share_interval(holds, groups, 0)
    assert high - low == pytest.approx(2 * 1.96 * np.sqrt(0.8 * 0.2 / 10), abs=0.1)
    alone = share_interval(holds, np.arange(100), 0)
    assert alone[1] - alone[0] == pytest.approx(2 * 1.96 * np.sqrt(0.8 * 0.2 / 100), abs=0.03)


@pytest.mark.parametrize(("holds", "interval"), [(True, (0.025 ** (1 / 7), 1.0)), (False, (0.0, 1 - 0.025 ** (1 / 7)))])
def test_a_share_without_spread_has_the_exact_binomial_interval_of_its_groups(holds, interval):
    assert share_interval(np.full(21, holds), np.arange(21) % 7, 0) == pytest.approx(interval)


@given(st.integers(0, 2**32 - 1), st.integers(1, 80), st.sampled_from([0.5, 0.8, 0.9, 0.95]))
@settings(max_examples=60, deadline=None)
def test_at_least_the_wanted_share_of_known_songs_reaches_the_threshold(seed, n_songs, wanted):
    proba, labels = exchangeable(np.random.default_rng(seed), n_songs)
    least = threshold(proba, labels, wanted)
    true = proba[np.arange(n_songs), labels]
    assert (true >= least).mean() >= wanted
    assert threshold(proba, labels, 0.99) <= least
    order = np.random.default_rng(seed + 1).permutation(n_songs)
    assert threshold(proba[order], labels[order], wanted) == least
