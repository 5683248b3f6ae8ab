"""Scores against scikit-learn, intervals and p values against what is known of them."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, log_loss

from songmap.genre.metrics import (
    SCORES,
    calibrated_errors,
    calibration_error,
    confidence_bins,
    confusion,
    per_genre_scores,
    reliability,
    sampled_scores,
)


def drawn(n_songs: int, n_genres: int, skill: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Labels and probabilities that favour them by ``skill``."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, n_genres, n_songs)
    logits = rng.standard_normal((n_songs, n_genres)) + skill * np.eye(n_genres)[labels]
    odds = np.exp(logits)
    return labels, odds / odds.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("n_genres", [2, 5])
def test_scores_are_those_of_scikit_learn(n_genres):
    labels, proba = drawn(200, n_genres, 1.0)
    values = sampled_scores(labels, proba[np.newaxis], np.arange(200), 0, 10).values
    guess = proba.argmax(axis=1)
    assert values["accuracy"] == pytest.approx(accuracy_score(labels, guess))
    assert values["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(labels, guess))
    assert values["macro_f1"] == pytest.approx(f1_score(labels, guess, average="macro"))
    assert values["log_loss"] == pytest.approx(log_loss(labels, proba))


def test_rounds_are_averaged():
    labels, proba = drawn(100, 3, 1.0)
    other = drawn(100, 3, 0.0, seed=1)[1]
    both = sampled_scores(labels, np.stack([proba, other]), np.arange(100), 0, 10).values
    each = [sampled_scores(labels, one[np.newaxis], np.arange(100), 0, 10).values for one in (proba, other)]
    assert both == pytest.approx({name: np.mean([values[name] for values in each]) for name in SCORES})


def test_calibration_error_is_what_overconfidence_adds():
    """Songs of probability 0.9 and 0.6, correct in 0.7 and 0.6 of cases: half of the songs err by 0.2."""
    confidence = np.repeat([0.9, 0.6], 100)
    right = np.concatenate([np.arange(100) < 70, np.arange(100) < 60])
    labels = np.where(right, 0, 1)
    proba = np.stack([confidence, 1 - confidence], axis=1)
    assert len(np.unique(confidence_bins(confidence))) == 2  # equal probabilities are never parted
    assert calibration_error(labels, proba[np.newaxis]) == pytest.approx(0.1)


def test_bins_hold_equally_many_songs_and_at_least_ten():
    confidence = np.random.default_rng(0).random(47)
    assert np.bincount(confidence_bins(confidence)).min() >= 10
    assert len(np.unique(confidence_bins(confidence))) == 4
    assert np.bincount(confidence_bins(np.random.default_rng(0).random(3000))).tolist() == [200] * 15
    assert confidence_bins(confidence[:7]).tolist() == [0] * 7


def test_intervals_of_single_songs_are_binomial_and_those_of_siblings_wider():
    labels, proba = drawn(400, 2, 1.0)
    accuracy = (proba.argmax(axis=1) == labels).mean()
    single = sampled_scores(labels, proba[np.newaxis], np.arange(400), 0, 2000)
    assert single.draws["accuracy"].std() == pytest.approx(np.sqrt(accuracy * (1 - accuracy) / 400), rel=0.1)
    low, high = single.interval("accuracy")
    assert low < accuracy < high
    siblings = [np.repeat(part[:40], 10, axis=0) for part in (labels, proba)]
    groups = np.array([f"artist {row // 10}" for row in range(400)])
    own = sampled_scores(siblings[0], siblings[1][np.newaxis], groups, 0, 2000)
    wrong = sampled_scores(siblings[0], siblings[1][np.newaxis], np.arange(400), 0, 2000)
    assert own.draws["accuracy"].std() > 2.5 * wrong.draws["accuracy"].std()  # sqrt(10), but for the drawing


def test_draws_of_one_seed_are_paired():
    labels, proba = drawn(60, 3, 1.0)
    one, other = (sampled_scores(labels, proba[np.newaxis], np.arange(60) // 3, 5, 250) for _ in range(2))
    assert all(np.array_equal(one.draws[name], other.draws[name]) for name in SCORES)
    assert not np.array_equal(
        one.draws["accuracy"], sampled_scores(labels, proba[np.newaxis], np.arange(60) // 3, 6, 250).draws["accuracy"]
    )


def test_a_genre_that_a_draw_leaves_out_does_not_count_as_wrong():
    labels = np.array([0] * 20 + [1])
    proba = np.eye(2)[labels] * 0.8 + 0.1
    sampled = sampled_scores(labels, proba[np.newaxis], np.arange(21), 0, 200)
    for name in ("accuracy", "balanced_accuracy", "macro_f1"):
        assert (sampled.draws[name] == 1).all()


def test_genres_are_scored_one_by_one():
    labels = np.array([0, 0, 1, 1])
    proba = np.eye(3)[[0, 1, 1, 1]][np.newaxis]
    first, second, third = per_genre_scores(labels, proba)
    assert first == pytest.approx({"precision": 1, "recall": 0.5, "f1": 2 / 3})
    assert second == pytest.approx({"precision": 2 / 3, "recall": 1, "f1": 0.8})
    assert third == {"precision": 0, "recall": 0, "f1": 0}


def test_confusion_counts_true_rows_and_predicted_columns():
    counts = confusion(np.array([0, 0, 1]), np.eye(2)[[1, 0, 1]])
    assert counts == [[1, 1], [0, 1]]


def test_reliability_has_the_bins_of_the_calibration_error():
    labels, proba = drawn(200, 3, 1.0)
    result = reliability(labels, proba, np.arange(200), 0)
    assert sum(one.songs for one in result.bins) == 200
    assert all(0 <= one.accuracy_low <= one.accuracy <= one.accuracy_high <= 1 for one in result.bins)
    assert result.error == pytest.approx(calibration_error(labels, proba[np.newaxis]))
    assert result.error == pytest.approx(
        sum(one.songs * abs(one.accuracy - one.confidence) for one in result.bins) / 200
    )


def test_a_calibrated_model_shows_the_error_that_is_given_for_it():
    """Drawn again and again from the same probabilities."""
    _, proba = drawn(150, 3, 1.0)
    rng = np.random.default_rng(1)
    labels = [np.array([rng.choice(3, p=row) for row in proba]) for _ in range(200)]
    errors = [calibration_error(one, proba[np.newaxis]) for one in labels]
    result = reliability(labels[0], proba, np.arange(150), 0)
    assert np.mean(errors) == pytest.approx(result.calibrated_error, rel=0.05)
    assert np.mean(np.array(errors) <= result.largest_calibrated_error) == pytest.approx(0.95, abs=0.04)
    assert calibrated_errors(proba.max(axis=1), 0, 50).shape == (50,)


@pytest.mark.parametrize(("sharper", "calibrated"), [(1.0, True), (2.5, False), (0.3, False)])
def test_calibration_is_verified_where_there_are_enough_groups(sharper, calibrated):
    labels, proba = drawn(600, 3, 1.0)
    powered = proba**sharper
    powered /= powered.sum(axis=1, keepdims=True)
    assert reliability(labels, powered, np.arange(600), 0).is_calibrated is calibrated
    assert reliability(labels, powered, np.arange(600) // 10, 0).is_calibrated is None
