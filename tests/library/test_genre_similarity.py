"""Genres compared, against the definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from songmap.library.genre_similarity import genre_similarity
from songmap.library.schema import N_COLUMNS
from songmap.library.search import Search
from songmap.library.spaces import build_space


@given(
    codes=st.lists(st.sampled_from(["HOUSE", "TECHNO", "ÖÖ", "UNKNOWN"]), min_size=1, max_size=25),
    seed=st.integers(0, 9),
    space=st.sampled_from(["balanced", "scaled"]),
)
@settings(max_examples=40, deadline=None)
def test_genres_equal_the_mean_over_all_pairs(codes, seed, space):
    embeddings = np.random.default_rng(seed).standard_normal((len(codes), N_COLUMNS))
    built = build_space(embeddings, space)
    search = Search(built.units(embeddings), built)
    units = search.units(np.arange(len(codes)))
    result = genre_similarity(search, codes)
    cosine = units.astype(float) @ units.T.astype(float)
    different = ~np.eye(len(codes), dtype=bool)
    labels = np.array(codes)
    assert result.genres == tuple(sorted(set(codes)))
    assert result.counts.tolist() == [codes.count(name) for name in result.genres]

    def mean(pairs: np.ndarray) -> float:
        return cosine[pairs & different].mean() if (pairs & different).any() else np.nan

    for i, first in enumerate(result.genres):
        for j, second in enumerate(result.genres):
            expected = mean(np.outer(labels == first, labels == second))
            assert result.means[i, j] == pytest.approx(expected, abs=1e-6, nan_ok=True)
        expected = mean(np.outer(labels == first, labels != first))
        assert result.to_others[i] == pytest.approx(expected, abs=1e-6, nan_ok=True)
    same = labels[:, None] == labels[None]
    assert result.within == pytest.approx(mean(same), abs=1e-6, nan_ok=True)
    assert result.between == pytest.approx(mean(~same), abs=1e-6, nan_ok=True)
