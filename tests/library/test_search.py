"""The nearest songs of one and of all against brute force."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from libraries import make_library, random_embeddings
from scipy.stats import norm, skew

from songmap.core.errors import QueryError
from songmap.library.search import NOBODY, Search, open_search
from songmap.library.spaces import build_space


def searched(embeddings: np.ndarray, space: str = "balanced", **options) -> Search:
    built = build_space(embeddings, space)
    return Search(built.units(embeddings), built, **options)


def brute(search: Search, query: np.ndarray, number: int, allowed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """By sorting all cosines, each a float64 sum over a song's own products."""
    cosines = (search.units(np.arange(len(search))).astype(np.float64) * query.astype(np.float64)).sum(axis=1)
    rows = np.flatnonzero(allowed)
    order = np.lexsort((rows, -cosines[rows]))[:number]
    return rows[order], np.clip(cosines[rows[order]], -1, 1)


@given(
    n_songs=st.integers(1, 50),
    number=st.integers(0, 60),
    seed=st.integers(0, 99),
    copies=st.integers(0, 5),
    share=st.sampled_from([0.0, 0.1, 0.7, 1.0]),
    space=st.sampled_from(["balanced", "scaled", "balanced641"]),
)
@settings(max_examples=30, deadline=None)
def test_the_nearest_are_those_of_brute_force(n_songs, number, seed, copies, share, space):
    rng = np.random.default_rng(seed)
    embeddings = random_embeddings(n_songs, seed).astype(np.float32)
    embeddings[:copies] = embeddings[0]
    search = searched(embeddings, space)
    allowed = rng.random(n_songs) < share
    between = search.units([0, n_songs - 1]).sum(axis=0, dtype=np.float64)
    between /= np.linalg.norm(between) or 1
    for query in (search.units([seed % n_songs])[0], between, search.unit(rng.standard_normal(641))):
        expected = brute(search, query, number, allowed)
        rows, similarities = search.nearest(query, number, allowed)
        np.testing.assert_array_equal(rows, expected[0])
        np.testing.assert_array_equal(similarities, expected[1])
        np.testing.assert_array_equal(similarities, search.similarities(query, rows))


def test_units_are_those_of_the_space():
    embeddings = random_embeddings(40).astype(np.float32)
    search = searched(embeddings)
    expected = search.space.units(embeddings)
    assert len(search) == 40
    np.testing.assert_array_equal(search.units([7, 0, 7]), expected[[7, 0, 7]])
    np.testing.assert_array_equal(search.unit(embeddings[7]), expected[7])
    assert search.units([]).shape == (0, 157)


def test_the_order_of_the_library_changes_no_answer():
    embeddings = random_embeddings(80).astype(np.float32)
    order = np.random.default_rng(2).permutation(80)
    search, shuffled = searched(embeddings), searched(embeddings[order])
    rows, similarities = search.nearest(search.units([order[5]])[0], 20)
    rows_2, similarities_2 = shuffled.nearest(shuffled.units([5])[0], 20)
    assert rows.tolist() == order[rows_2].tolist()
    np.testing.assert_allclose(similarities, similarities_2, atol=1e-7)


@pytest.mark.parametrize("correct_hubs", [False, True])
def test_equal_songs_are_equally_similar_and_in_row_order(correct_hubs):
    embeddings = random_embeddings(101).astype(np.float32)
    copies = [3, 40, 41, 77, 100]
    embeddings[copies] = embeddings[3]
    search = searched(embeddings, correct_hubs=correct_hubs)
    rows, similarities = search.nearest(search.units([40])[0], 6)
    assert rows[:5].tolist() == copies
    assert similarities[:5] == pytest.approx([1] * 5, abs=1e-3 if correct_hubs else 1e-6)
    rows, similarities = search.nearest(search.units([0])[0], 101)
    assert [row for row in rows if row in copies] == copies
    assert len(set(similarities[np.isin(rows, copies)])) == 1


@pytest.mark.parametrize("correct_hubs", [False, True])
def test_identical_songs_are_in_row_order(correct_hubs):
    search = searched(np.repeat(random_embeddings(1), 20, axis=0).astype(np.float32), correct_hubs=correct_hubs)
    rows, similarities = search.nearest(search.units([4])[0], 3)
    assert rows.tolist() == [0, 1, 2]
    assert similarities.tolist() == [0.25 if correct_hubs else 0] * 3


@pytest.mark.parametrize("correct_hubs", [False, True])
@pytest.mark.parametrize("space", ["balanced", "scaled"])
def test_neighbours_of_all_songs_are_those_of_each(space, correct_hubs, monkeypatch):
    monkeypatch.setattr("songmap.library.search._QUERIES", 30)
    monkeypatch.setattr("songmap.library.search.HUB_POOL", 20)
    embeddings = random_embeddings(300).astype(np.float32)
    embeddings[[7, 50, 299]] = embeddings[7]
    recordings = np.arange(300)
    recordings[[50, 299]] = 7
    recordings[31] = 30
    search = searched(embeddings, space, correct_hubs=correct_hubs)
    reports = []
    rows, similarities = search.neighbours(12, recordings, lambda done, total: reports.append((done, total)))
    assert reports == [(done, 300) for done in range(30, 301, 30)]
    for song in range(300):
        allowed = (recordings == np.arange(300)) & (np.arange(300) != recordings[song])
        alone = search.nearest(search.units([song])[0], 12, allowed)
        np.testing.assert_array_equal(rows[song], alone[0])
        np.testing.assert_array_equal(similarities[song], alone[1])


def test_neighbours_that_do_not_exist_are_nobody():
    rows, similarities = searched(random_embeddings(3)).neighbours(4, np.array([0, 1, 1]))
    assert rows.tolist() == [[1, *[NOBODY] * 3], [0, *[NOBODY] * 3], [0, *[NOBODY] * 3]]
    assert np.isnan(similarities[:, 1:]).all()


def mutual_proximity(cosines: np.ndarray) -> np.ndarray:
    """Schnitzer et al. 2012 with independent normal distributions, from the matrix of all pairs."""
    below = norm.cdf((cosines - cosines.mean(axis=1, keepdims=True)) / cosines.std(axis=1, keepdims=True))
    return below * below.T


def test_corrected_similarities_are_mutual_proximity():
    embeddings = random_embeddings(90).astype(np.float32)
    search = searched(embeddings, correct_hubs=True)
    units = search.units(np.arange(90)).astype(np.float64)
    expected = mutual_proximity(units @ units.T)
    for song in (0, 44):
        query = search.units([song])[0]
        np.testing.assert_allclose(search.similarities(query, np.arange(90)), expected[song], atol=1e-5)
        rows, similarities = search.nearest(query, 15)
        assert rows.tolist() == np.argsort(-expected[song], kind="stable")[:15].tolist()
        np.testing.assert_array_equal(similarities, search.similarities(query, rows))


def test_correction_takes_hubs_away():
    embeddings = np.random.default_rng(5).standard_normal((600, 641)).astype(np.float32)  # hubs come with dimensions

    def occurrences(correct_hubs: bool) -> np.ndarray:
        rows, _ = searched(embeddings, "balanced641", correct_hubs=correct_hubs).neighbours(10, np.arange(600))
        return np.bincount(rows.ravel(), minlength=600)

    plain, corrected = occurrences(False), occurrences(True)
    assert skew(corrected) < skew(plain) / 2
    assert corrected.max() < plain.max()


def test_an_empty_library_has_no_search():
    library = make_library(1)
    space = build_space(library.embeddings)
    assert open_search(library, space).nearest(np.zeros(157), 5)[0].tolist() == [0]
    with pytest.raises(QueryError, match=r"is empty; add music and run 01"):
        open_search(make_library(0), space)


def test_a_mapped_matrix_is_searched_like_one_in_memory(tmp_path):
    embeddings = random_embeddings(300).astype(np.float32)
    np.save(tmp_path / "matrix.npy", embeddings)
    mapped = np.load(tmp_path / "matrix.npy", mmap_mode="r")
    expected, search = searched(embeddings), searched(mapped)
    everyone = np.arange(300)
    np.testing.assert_array_equal(search.units(everyone), expected.units(everyone))
    for part, of in zip(search.neighbours(9, everyone), expected.neighbours(9, everyone), strict=True):
        np.testing.assert_array_equal(part, of)
