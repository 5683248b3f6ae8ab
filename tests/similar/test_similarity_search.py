"""Diverse choices, contributions of families and genres compared, each against its definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from libraries import random_embeddings, units_of

from songmap.core import nearest
from songmap.core.errors import QueryError
from songmap.core.schema import FAMILIES, N_COLUMNS, column_index
from songmap.similar import search


def test_the_order_of_the_library_changes_no_diverse_choice():
    embeddings = random_embeddings(80).astype(np.float32)
    order = np.random.default_rng(2).permutation(80)
    units, shuffled = units_of(embeddings), units_of(embeddings[order])
    first = search.maximal_marginal_relevance(units, units[order[5]], 20, 0.5, [order[5]])[0]
    second = search.maximal_marginal_relevance(shuffled, shuffled[5], 20, 0.5, [5])[0]
    assert first.tolist() == order[second].tolist()


@given(n_songs=st.integers(1, 40), number=st.integers(1, 60), seed=st.integers(0, 99), copies=st.integers(0, 5))
@settings(max_examples=40, deadline=None)
def test_no_diversity_is_plain_similarity(n_songs, number, seed, copies):
    embeddings = np.random.default_rng(seed).standard_normal((n_songs, N_COLUMNS))
    embeddings[:copies] = embeddings[0]
    units = units_of(embeddings)
    row = seed % n_songs
    plain = nearest.most_similar(units, units[row], number, [row])
    diverse = search.maximal_marginal_relevance(units, units[row], number, 0.0, [row])
    assert len(plain[0]) == min(number, n_songs - 1)
    assert row not in plain[0]
    np.testing.assert_array_equal(diverse[0], plain[0])
    np.testing.assert_array_equal(diverse[1], plain[1])


def mmr_by_definition(cosine: np.ndarray, query: np.ndarray, number: int, diversity: float) -> list[int]:
    chosen: list[int] = []
    while len(chosen) < number:
        left = [row for row in range(len(query)) if row not in chosen]
        chosen.append(
            max(
                left,
                key=lambda row: (
                    (1 - diversity) * query[row] - diversity * max((cosine[row, other] for other in chosen), default=0),
                    query[row],
                    -row,
                ),
            )
        )
    return chosen


@pytest.mark.parametrize("diversity", [0.0, 0.3, 0.5, 0.9, 1.0])
def test_diverse_choices_equal_the_definition(diversity):
    units = units_of(random_embeddings(40, seed=4))
    query = units_of(random_embeddings(40, seed=5))[0]
    cosine = units.astype(float) @ units.T.astype(float)
    expected = mmr_by_definition(cosine, units.astype(float) @ query.astype(float), 15, diversity)
    rows, similarities = search.maximal_marginal_relevance(units, query, 15, diversity)
    assert rows.tolist() == expected
    np.testing.assert_allclose(similarities, units[expected] @ query, atol=1e-6)


def test_diverse_choices_come_from_the_nearest_songs():
    units = units_of(random_embeddings(search.MMR_POOL + 200))
    pool, _ = nearest.most_similar(units, units[0], search.MMR_POOL, [0])
    rows, _ = search.maximal_marginal_relevance(units, units[0], 20, 1.0, [0])
    assert set(rows) <= set(pool)
    assert len(set(rows)) == 20


def test_diversity_avoids_copies():
    embeddings = np.random.default_rng(6).standard_normal((30, N_COLUMNS))
    embeddings[1:6] = embeddings[0] + 0.8 * embeddings[1]
    units = units_of(embeddings)
    assert set(nearest.most_similar(units, units[0], 5, [0])[0]) == {1, 2, 3, 4, 5}
    assert len({1, 2, 3, 4, 5} & set(search.maximal_marginal_relevance(units, units[0], 5, 0.5, [0])[0])) == 1


def test_family_contributions_add_up_to_the_cosine():
    units = units_of(random_embeddings(9))
    for first, second in ((0, 1), (3, 3), (8, 2)):
        contributions = search.family_contributions(units[first], units[second])
        assert tuple(contributions) == FAMILIES
        total = nearest.cosines(units[[first]], units[second])[0]
        assert sum(contributions.values()) == pytest.approx(total, abs=1e-7)
    only_tempo = np.zeros(N_COLUMNS, dtype=np.float32)
    only_tempo[column_index("tempo_bpm")] = 1
    assert search.family_contributions(only_tempo, only_tempo) == {name: float(name == "rhythm") for name in FAMILIES}


@given(
    codes=st.lists(st.sampled_from(["HOUSE", "TECHNO", "ÖÖ", "UNKNOWN"]), min_size=1, max_size=25),
    seed=st.integers(0, 9),
)
@settings(max_examples=40, deadline=None)
def test_genres_equal_the_mean_over_all_pairs(codes, seed):
    embeddings = np.random.default_rng(seed).standard_normal((len(codes), N_COLUMNS))
    units = units_of(embeddings)
    result = search.genre_similarity(units, codes)
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


def test_bad_values_name_the_limit():
    units = units_of(random_embeddings(4))
    with pytest.raises(QueryError, match=r"1\.5 is out of range, give 0 to 1"):
        search.maximal_marginal_relevance(units, units[0], 2, 1.5)
