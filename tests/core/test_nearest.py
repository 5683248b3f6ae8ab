"""Spaces, cosines, the nearest songs of one and of all, each against its definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from libraries import random_embeddings, units_of

from songmap.core import nearest, spaces
from songmap.core.errors import QueryError
from songmap.core.schema import FAMILIES, N_COLUMNS, family_indices


def brute_units(embeddings: np.ndarray, space: str) -> np.ndarray:
    scores = (embeddings - embeddings.mean(axis=0)) / embeddings.std(axis=0)
    if space == "balanced":
        for family in FAMILIES:
            scores[:, family_indices(family)] /= np.sqrt(len(family_indices(family)))
    return scores / np.linalg.norm(scores, axis=1, keepdims=True)


@pytest.mark.parametrize("space", ["balanced", "scaled"])
@pytest.mark.parametrize("n_songs", [2, 30, spaces.BLOCK_ROWS + 3])
def test_the_space_is_the_definition(space, n_songs):
    embeddings = random_embeddings(n_songs)
    units = units_of(embeddings, space)
    assert units.dtype == np.float32
    np.testing.assert_allclose(units, brute_units(embeddings, space), atol=1e-6)


@pytest.mark.parametrize("space", ["balanced", "scaled"])
def test_neighbours_equal_brute_force(space):
    embeddings = random_embeddings(60)
    exact = brute_units(embeddings, space)
    units = units_of(embeddings, space)
    for row in (0, 31, 59):
        rows, similarities = nearest.most_similar(units, units[row], 7, [row])
        cosine = exact @ exact[row]
        cosine[row] = -np.inf
        assert rows.tolist() == np.argsort(-cosine)[:7].tolist()
        np.testing.assert_allclose(similarities, cosine[rows], atol=1e-6)


def test_families_weigh_alike_when_balanced_and_by_size_when_scaled():
    embeddings = random_embeddings(50)
    for space, sizes in (("balanced", {}), ("scaled", {family: len(family_indices(family)) for family in FAMILIES})):
        scores = (embeddings - nearest.build_space(embeddings, space).mean) * nearest.build_space(
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
    rows, similarities = nearest.most_similar(units, units[order[5]], 20, [order[5]])
    rows_2, similarities_2 = nearest.most_similar(shuffled, shuffled[5], 20, [5])
    assert rows.tolist() == order[rows_2].tolist()
    np.testing.assert_allclose(similarities, similarities_2, atol=1e-7)


def test_equal_songs_are_equally_similar_and_in_row_order():
    embeddings = random_embeddings(101).astype(np.float32)
    copies = [3, 40, 41, 77, 100]
    embeddings[copies] = embeddings[3]
    units = units_of(embeddings)
    rows, similarities = nearest.most_similar(units, units[40], 6, [40])
    assert rows[:4].tolist() == [3, 41, 77, 100]
    assert similarities[:4] == pytest.approx([1] * 4, abs=1e-6)
    assert len(set(similarities[:4])) == 1
    other_rows, other = nearest.most_similar(units, units[0], 100, [0])
    assert [row for row in other_rows if row in copies] == copies
    assert len({similarity for row, similarity in zip(other_rows, other, strict=True) if row in copies}) == 1


@pytest.mark.parametrize("space", ["balanced", "scaled"])
def test_constant_columns_and_identical_songs_have_no_say(space):
    embeddings = random_embeddings(20).astype(np.float32)
    units = units_of(embeddings, space)
    embeddings[:, 5] = np.float32(0.1)  # its float64 mean differs from it by rounding
    constant = units_of(embeddings, space)
    assert not constant[:, 5].any()
    assert not np.array_equal(constant, units)
    identical = units_of(np.repeat(embeddings[:1], 20, axis=0), space)
    assert not identical.any()
    rows, similarities = nearest.most_similar(identical, identical[4], 3, [4])
    assert rows.tolist() == [0, 1, 2]
    assert similarities.tolist() == [0, 0, 0]


def test_neighbours_of_all_songs_are_those_of_each():
    embeddings = random_embeddings(300).astype(np.float32)
    embeddings[[7, 50, 299]] = embeddings[7]
    recordings = np.arange(300)
    recordings[[50, 299]] = 7
    recordings[31] = 30
    units = units_of(embeddings)
    rows, similarities = nearest.neighbours(units, recordings, 12)
    for song in (0, 7, 30, 31, 50, 299):
        skip = np.flatnonzero((recordings != np.arange(300)) | (np.arange(300) == recordings[song]))
        alone = nearest.most_similar(units, units[song], 12, skip)
        np.testing.assert_array_equal(rows[song], alone[0])
        np.testing.assert_array_equal(similarities[song], alone[1])


def test_neighbours_that_do_not_exist_are_nobody():
    rows, similarities = nearest.neighbours(units_of(random_embeddings(3)), np.array([0, 1, 1]), 4)
    assert rows.tolist() == [[1, -1, -1, -1], [0, -1, -1, -1], [0, -1, -1, -1]]
    assert np.isnan(similarities[:, 1:]).all()


def test_bad_spaces_name_the_limit():
    with pytest.raises(QueryError, match="no space 'x'; there are balanced, scaled, pca, classifier"):
        nearest.build_space(random_embeddings(4), "x")
    with pytest.raises(QueryError, match=r"at least one song, not \(0, 641\)"):
        nearest.build_space(np.empty((0, N_COLUMNS)))
