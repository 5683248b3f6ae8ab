"""Smoothed probabilities, and where a recording changes."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from songmap.recording.timeline import LONG_S, change_points, parts_of, smooth

A, B = [0.9, 0.1], [0.1, 0.9]
HOP_S = 5.0


def parts(rows, duration_s=None, units=None):
    proba = np.array(rows, float)
    centres_s = 15 + HOP_S * np.arange(len(proba))
    units = np.zeros((len(proba), 3)) if units is None else units
    return parts_of(proba, units, centres_s, duration_s or centres_s[-1] + 15)


@given(st.integers(1, 40), st.integers(2, 6), st.integers(0, 100))
def test_smoothed_probabilities_are_probabilities(n_segments, n_genres, seed):
    proba = np.random.default_rng(seed).dirichlet([0.5] * n_genres, n_segments)
    smoothed = smooth(proba)
    np.testing.assert_allclose(smoothed.sum(axis=1), 1)
    assert smoothed.min() >= 0
    assert np.abs(np.diff(smoothed, axis=0)).sum() <= np.abs(np.diff(proba, axis=0)).sum() + 1e-9


def test_what_does_not_change_stays():
    np.testing.assert_allclose(smooth(np.array([A] * 7)), [A] * 7)
    np.testing.assert_allclose(smooth(np.array([A])), [A])


def test_a_change_of_genre_is_found_within_one_segment():
    assert parts([A] * 10 + [B] * 12) == [(0, 10), (10, 22)]


@pytest.mark.parametrize("rows", [[A], [A, B], [A] * 5, [A] * 40, [A] * 3 + [B] + [A] * 20])
def test_short_inputs_and_single_segments_are_one_part(rows):
    assert parts(rows) == [(0, len(rows))]


def test_uncertain_segments_make_no_parts():
    proba = np.random.default_rng(0).dirichlet([20, 20], 60)
    assert parts(proba) == [(0, 60)]


def test_neighbouring_parts_of_one_genre_are_one():
    assert parts([[0.98, 0.02]] * 20 + [[0.55, 0.45]] * 20) == [(0, 40)]


def test_a_long_recording_changes_where_its_sound_does():
    rows = [A] * 200
    units = np.repeat(np.eye(4, 3), 50, axis=0)
    assert parts(rows, LONG_S, units) == [(0, 50), (50, 100), (100, 150), (150, 200)]
    assert len(parts(rows, LONG_S - 1, units)) == 1


@given(st.integers(2, 60), st.integers(0, 50))
def test_parts_follow_each_other(n_segments, seed):
    proba = np.random.default_rng(seed).dirichlet([0.2, 0.2, 0.2], n_segments)
    found = parts(proba)
    assert found[0][0] == 0 and found[-1][1] == n_segments
    assert all(stop == first for (_, stop), (first, _) in pairwise(found))


def test_the_hop_does_not_decide_what_a_change_is():
    coarse, fine = np.array([A] * 6 + [B] * 6), np.array([A] * 18 + [B] * 18)
    assert change_points(np.sqrt(coarse), 15.0, "genre") == [6]
    assert change_points(np.sqrt(fine), 5.0, "genre") == [18]
