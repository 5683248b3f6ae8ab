"""The space, cosines, diverse choices and genres compared, each against its definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from songmap.core.errors import QueryError
from songmap.core.schema import FAMILIES, N_COLUMNS, column_index, family_indices
from songmap.similar import search


def random_embeddings(n_songs: int, seed: int = 0) -> np.ndarray:
    """Columns of very different means and spreads, as real ones have; float64."""
    rng = np.random.default_rng(seed)
    return rng.normal(rng.normal(0, 50, N_COLUMNS), 10.0 ** rng.integers(-4, 4, N_COLUMNS), (n_songs, N_COLUMNS))


def units_of(embeddings: np.ndarray, space: str = "balanced") -> np.ndarray:
    return search.build_space(embeddings, space).units(embeddings)


def brute_units(embeddings: np.ndarray, space: str) -> np.ndarray:
    scores = (embeddings - embeddings.mean(axis=0)) / embeddings.std(axis=0)
    if space == "balanced":
        for family in FAMILIES:
            scores[:, family_indices(family)] /= np.sqrt(len(family_indices(family)))
    return scores / np.linalg.norm(scores, axis=1, keepdims=True)


@pytest.mark.parametrize("space", search.SPACES)
@pytest.mark.parametrize("n_songs", [2, 30, search._BLOCK_ROWS + 3])
def test_the_space_is_the_definition(space, n_songs):
    embeddings = random_embeddings(n_songs)
    units = units_of(embeddings, space)
    assert units.dtype == np.float32
    np.testing.assert_allclose(units, brute_units(embeddings, space), atol=1e-6)


@pytest.mark.parametrize("space", search.SPACES)
def test_neighbours_equal_brute_force(space):
    embeddings = random_embeddings(60)
    exact = brute_units(embeddings, space)
    units = units_of(embeddings, space)
    for row in (0, 31, 59):
        rows, similarities = search.most_similar(units, units[row], 7, [row])
        cosine = exact @ exact[row]
        cosine[row] = -np.inf
        assert rows.tolist() == np.argsort(-cosine)[:7].tolist()
        np.testing.assert_allclose(similarities, cosine[rows], atol=1e-6)


def test_families_weigh_alike_when_balanced_and_by_size_when_scaled():
    embeddings = random_embeddings(50)
    for space, sizes in (("balanced", {}), ("scaled", {family: len(family_indices(family)) for family in FAMILIES})):
        scores = (embeddings - search.build_space(embeddings, space).mean) * search.build_space(
            embeddings, space
        ).weight
        for family in FAMILIES:
            assert np.square(scores[:, family_indices(family)]).mean(axis=0).sum() == pytest.approx(
                sizes.get(family, 1)
            )


@given(
    column=st.integers(0, N_COLUMNS - 1),
    offset=st.floats(-1e3, 1e3),
    factor=st.floats(1e-3, 1e3),
)
@settings(max_examples=15, deadline=None)
def test_an_offset_or_a_unit_changes_nothing(column, offset, factor):
    embeddings = np.random.default_rng(1).standard_normal((12, N_COLUMNS))
    changed = embeddings.copy()
    changed[:, column] = changed[:, column] * factor + offset
    np.testing.assert_allclose(units_of(changed), units_of(embeddings), atol=1e-6)


def test_the_order_of_the_library_changes_nothing():
    embeddings = random_embeddings(80).astype(np.float32)
    order = np.random.default_rng(2).permutation(80)
    units, shuffled = units_of(embeddings), units_of(embeddings[order])
    rows, similarities = search.most_similar(units, units[order[5]], 20, [order[5]])
    rows_2, similarities_2 = search.most_similar(shuffled, shuffled[5], 20, [5])
    assert rows.tolist() == order[rows_2].tolist()
    np.testing.assert_allclose(similarities, similarities_2, atol=1e-7)
    first = search.maximal_marginal_relevance(units, units[order[5]], 20, 0.5, [order[5]])[0]
    second = search.maximal_marginal_relevance(shuffled, shuffled[5], 20, 0.5, [5])[0]
    assert first.tolist() == order[second].tolist()


def test_equal_songs_are_equally_similar_and_in_row_order():
    embeddings = random_embeddings(101).astype(np.float32)
    copies = [3, 40, 41, 77, 100]
    embeddings[copies] = embeddings[3]
    units = units_of(embeddings)
    rows, similarities = search.most_similar(units, units[40], 6, [40])
    assert rows[:4].tolist() == [3, 41, 77, 100]
    assert similarities[:4] == pytest.approx([1] * 4, abs=1e-6)
    assert len(set(similarities[:4])) == 1
    other_rows, other = search.most_similar(units, units[0], 100, [0])
    assert [row for row in other_rows if row in copies] == copies
    assert len({similarity for row, similarity in zip(other_rows, other, strict=True) if row in copies}) == 1


@pytest.mark.parametrize("space", search.SPACES)
def test_constant_columns_and_identical_songs_have_no_say(space):
    embeddings = random_embeddings(20).astype(np.float32)
    units = units_of(embeddings, space)
    embeddings[:, 5] = np.float32(0.1)  # its float64 mean differs from it by rounding
    constant = units_of(embeddings, space)
    assert not constant[:, 5].any()
    assert not np.array_equal(constant, units)
    identical = units_of(np.repeat(embeddings[:1], 20, axis=0), space)
    assert not identical.any()
    rows, similarities = search.most_similar(identical, identical[4], 3, [4])
    assert rows.tolist() == [0, 1, 2]
    assert similarities.tolist() == [0, 0, 0]


@given(n_songs=st.integers(1, 40), number=st.integers(1, 60), seed=st.integers(0, 99), copies=st.integers(0, 5))
@settings(max_examples=40, deadline=None)
def test_no_diversity_is_plain_similarity(n_songs, number, seed, copies):
    embeddings = np.random.default_rng(seed).standard_normal((n_songs, N_COLUMNS))
    embeddings[:copies] = embeddings[0]
    units = units_of(embeddings)
    row = seed % n_songs
    plain = search.most_similar(units, units[row], number, [row])
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
    pool, _ = search.most_similar(units, units[0], search.MMR_POOL, [0])
    rows, _ = search.maximal_marginal_relevance(units, units[0], 20, 1.0, [0])
    assert set(rows) <= set(pool)
    assert len(set(rows)) == 20


def test_diversity_avoids_copies():
    embeddings = np.random.default_rng(6).standard_normal((30, N_COLUMNS))
    embeddings[1:6] = embeddings[0] + 0.8 * embeddings[1]
    units = units_of(embeddings)
    assert set(search.most_similar(units, units[0], 5, [0])[0]) == {1, 2, 3, 4, 5}
    assert len({1, 2, 3, 4, 5} & set(search.maximal_marginal_relevance(units, units[0], 5, 0.5, [0])[0])) == 1


def test_family_contributions_add_up_to_the_cosine():
    units = units_of(random_embeddings(9))
    for first, second in ((0, 1), (3, 3), (8, 2)):
        contributions = search.family_contributions(units[first], units[second])
        assert tuple(contributions) == FAMILIES
        total = search.cosines(units[[first]], units[second])[0]
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
    with pytest.raises(QueryError, match="no space 'x'; there are balanced, scaled"):
        search.build_space(random_embeddings(4), "x")
    with pytest.raises(QueryError, match=r"at least one song, not \(0, 641\)"):
        search.build_space(np.empty((0, N_COLUMNS)))
