"""Statistics that several questions need."""

import warnings

import numpy as np
import pytest

from songmap.core.statistics import holm, known_median


def test_holm_multiplies_by_the_comparisons_left():
    assert holm(np.array([0.04, 0.01, 0.03, 0.005])) == pytest.approx([0.06, 0.03, 0.06, 0.02])
    assert holm(np.array([0.9, 0.8])).tolist() == [1, 1]
    assert holm(np.array([0.01, 0.04, 0.03])) == pytest.approx([0.03, 0.06, 0.06])
    assert holm(np.empty(0)).tolist() == []


def test_the_median_is_of_what_is_known():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert known_median(np.array([3.0, np.nan, 1.0])) == 2
        assert np.isnan(known_median(np.array([np.nan])))
