"""Tests of differences, against values computed by hand from the papers' formulas."""

import numpy as np
import pytest
from scipy.stats import t as student

from songmap.compare.statistics import ROPE, choice_accuracy, corrected_t_test, correlated_posterior

DIFFERENCES = np.array([0.02, 0.05, -0.01, 0.04, 0.03, 0.00, 0.06, 0.01, 0.02, 0.03])
# mean 0.025, sample variance 0.00425 / 9; with a fifth tested, 1/10 + (1/5)/(4/5) = 0.35
SCALE = np.sqrt(0.35 * 0.00425 / 9)


def test_the_corrected_t_test_is_that_of_nadeau_and_bengio():
    statistic = 0.025 / SCALE
    assert statistic == pytest.approx(1.94461, abs=1e-4)
    assert corrected_t_test(DIFFERENCES, 0.2, 10) == pytest.approx(2 * (1 - student.cdf(statistic, 9)), rel=1e-9)
    assert corrected_t_test(-DIFFERENCES, 0.2, 10) == corrected_t_test(DIFFERENCES, 0.2, 10)


def test_there_are_as_many_degrees_of_freedom_as_folds_at_most():
    thrice = np.tile(DIFFERENCES[:5], 3)
    scale = np.sqrt((1 / 15 + 0.25) * thrice.var(ddof=1))
    assert corrected_t_test(thrice, 0.2, 5) == pytest.approx(2 * student.sf(thrice.mean() / scale, 5), rel=1e-9)
    assert correlated_posterior(thrice, 0.2, 5).high == pytest.approx(thrice.mean() + 2.570582 * scale, abs=1e-6)
    assert corrected_t_test(thrice[:5], 0.2, 5) == pytest.approx(
        2 * student.sf(thrice.mean() / np.sqrt(0.45 * thrice[:5].var(ddof=1)), 4), rel=1e-9
    )


def test_the_uncorrected_test_would_call_it_real():
    """Why it is corrected: the usual t of the same differences is 3.64, p = 0.005."""
    usual = 0.025 / np.sqrt(0.00425 / 9 / 10)
    assert 2 * (1 - student.cdf(usual, 9)) < 0.01 < 0.05 < corrected_t_test(DIFFERENCES, 0.2, 10)


def test_the_posterior_is_that_of_corani_and_benavoli():
    posterior = correlated_posterior(DIFFERENCES, 0.2, 10)
    below = student.cdf((-ROPE - 0.025) / SCALE, 9)
    above = 1 - student.cdf((ROPE - 0.025) / SCALE, 9)
    assert (posterior.below, posterior.above) == pytest.approx((below, above))
    assert posterior.below + posterior.within + posterior.above == pytest.approx(1)
    half = 2.262157 * SCALE  # t of 9 degrees, 97.5 %
    assert (posterior.low, posterior.high) == pytest.approx((0.025 - half, 0.025 + half), abs=1e-6)


def test_equal_folds_are_equivalent_and_constant_differences_certain():
    nothing = correlated_posterior(np.zeros(10), 0.2, 10)
    assert (nothing.within, corrected_t_test(np.zeros(10), 0.2, 10)) == (1, 1)
    constant = correlated_posterior(np.full(4, 0.25), 0.2, 4)
    assert (constant.above, corrected_t_test(np.full(4, 0.25), 0.2, 4)) == (1, 0)


def test_equal_models_are_not_different_in_95_percent_of_runs():
    """Two models of equal accuracy whose errors on a fold correlate through shared training songs, 3 times 5 folds."""
    rng, rejected = np.random.default_rng(0), 0
    for _ in range(1000):
        shared = rng.normal(0, np.sqrt(0.2), 1)  # variance ρ is of the training songs that folds share
        rejected += corrected_t_test(0.05 * (shared + rng.normal(0, np.sqrt(0.8), 15)), 0.2, 5) < 0.05
    assert rejected < 70


def test_the_best_of_many_guesses_is_no_better_than_guessing():
    rng, best, chosen = np.random.default_rng(0), [], []
    for _ in range(30):
        correct = (rng.random((40, 100)) < 0.5).astype(float)
        draws = rng.multinomial(100, np.full(100, 0.01), 100)
        best.append(correct.mean(axis=1).max())
        chosen.append(choice_accuracy(correct, np.arange(100), draws)[0])
    assert np.mean(best) > 0.6
    assert np.mean(chosen) == pytest.approx(0.5, abs=0.03)
