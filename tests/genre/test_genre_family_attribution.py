"""Shapley values of the families against their definition, and the smallest change against all changes."""

from itertools import chain, combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from songmap.genre.family_attribution import FamilyAttribution, background_songs, family_attribution, smallest_change
from songmap.genre.song_results import SmallestChange
from songmap.library.schema import FAMILIES, N_COLUMNS, family_indices

COLUMNS_OF = [family_indices(family) for family in FAMILIES]


def one_by_one(predict, embeddings: np.ndarray) -> np.ndarray:
    """Probabilities as an attribution predicts them: rounded otherwise, a training song can pass a tree's threshold."""
    return np.concatenate([predict(one[np.newaxis]) for one in embeddings])


def attributed(predict, embeddings: np.ndarray, background: np.ndarray) -> FamilyAttribution:
    """Of several songs: values ``(n_songs, 7, n_genres)``."""
    each = [family_attribution(predict, one, background) for one in np.atleast_2d(embeddings)]
    return FamilyAttribution(np.stack([one.values for one in each]), each[0].base)


def sums_of_families(rows: np.ndarray) -> np.ndarray:
    return np.stack([rows[:, columns].sum(axis=1, dtype=np.float64) for columns in COLUMNS_OF], axis=1)


def softmax(logits: np.ndarray) -> np.ndarray:
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


def tangled(seed: int = 0, n_genres: int = 3):
    """A model in which all families interact."""
    first, second = np.random.default_rng(seed).normal(0, [[[0.3]], [[1.0]]], (2, 7, 7))

    def predict(rows):
        hidden = np.tanh(sums_of_families(rows) @ first)
        return softmax((hidden * np.roll(hidden, 1, axis=1)) @ second[:, :n_genres] + hidden[:, :n_genres])

    return predict


def fitted(kind: str, embeddings: np.ndarray, labels: np.ndarray):
    from sklearn.decomposition import PCA
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from xgboost import XGBClassifier

    last = {
        "trees": (PCA(10), XGBClassifier(n_estimators=30, max_depth=2, n_jobs=1)),
        "lda": (LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"),),
    }[kind]
    pipeline = make_pipeline(StandardScaler(), *last).fit(embeddings, labels)
    return lambda rows: pipeline.predict_proba(rows).astype(np.float64)


def songs(n_songs: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n_songs, N_COLUMNS)).astype(np.float32)


def by_permutations(predict, song: np.ndarray, background: np.ndarray) -> np.ndarray:
    """The definition: what a family adds to those before it, on average over all orders in which they can come."""
    known = {}

    def worth(members: frozenset[int]) -> np.ndarray:
        if members not in known:
            total = 0
            for other in background:
                row = other.copy()
                for family in members:
                    row[COLUMNS_OF[family]] = song[COLUMNS_OF[family]]
                total = total + predict(row[np.newaxis])[0]
            known[members] = total / len(background)
        return known[members]

    orders = list(permutations(range(7)))
    values = 0
    for order in orders:
        steps = [worth(frozenset(order[:place])) for place in range(8)]
        added = np.diff(steps, axis=0)
        values = values + added[np.argsort(order)]
    return values / len(orders)


def test_values_are_those_of_the_definition():
    predict, background = tangled(), songs(4, 1)
    found = attributed(predict, songs(2), background)
    for song, values in zip(songs(2), found.values, strict=True):
        assert values == pytest.approx(by_permutations(predict, song, background), abs=1e-9)
    assert np.abs(found.values).min() > 1e-5  # otherwise the test would prove little


@pytest.mark.parametrize("kind", ["trees", "lda"])
@pytest.mark.parametrize("n_genres", [2, 5])
def test_values_and_base_add_up_to_the_probabilities_of_a_fitted_model(kind, n_genres):
    labels = np.arange(60) % n_genres
    embeddings = songs(60) + labels[:, np.newaxis].astype(np.float32) * songs(1, 5)
    predict = fitted(kind, embeddings, labels)
    background = background_songs(embeddings, labels, seed=0, number=10)
    found = attributed(predict, embeddings[:3], background)
    assert found.values.shape == (3, 7, n_genres)
    assert found.base == pytest.approx(predict(background).mean(axis=0))
    assert found.base + found.values.sum(axis=1) == pytest.approx(one_by_one(predict, embeddings[:3]), abs=1e-6)
    assert found.values.sum(axis=2) == pytest.approx(0, abs=1e-6)  # what one genre gains the others lose


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_in_a_sum_a_family_adds_what_it_differs_by(seed):
    weights = np.random.default_rng(seed).standard_normal((N_COLUMNS, 3))
    embeddings, background = songs(2, seed).astype(float), songs(5, seed + 1).astype(float)
    found = attributed(lambda rows: rows @ weights, embeddings, background)
    for family, columns in enumerate(COLUMNS_OF):
        apart = embeddings[:, columns] - background[:, columns].mean(axis=0)
        assert found.values[:, family] == pytest.approx(apart @ weights[columns], abs=1e-9)


def test_a_family_that_the_model_ignores_adds_nothing_and_equal_ones_add_the_same():
    song, background = np.zeros((1, N_COLUMNS)), np.ones((3, N_COLUMNS))

    def predict(rows):  # timbre and rhythm play the same part, the others none
        return (rows[:, COLUMNS_OF[0][0]] * rows[:, COLUMNS_OF[3][0]])[:, np.newaxis]

    values = attributed(predict, song, background).values[0, :, 0]
    assert values == pytest.approx([-0.5, 0, 0, -0.5, 0, 0, 0])


def test_the_only_family_that_separates_genres_is_found():
    labels = np.arange(120) % 2
    embeddings = songs(120)
    embeddings[np.ix_(labels == 1, family_indices("rhythm"))] += 4
    predict = fitted("lda", embeddings[:80], labels[:80])
    unseen = embeddings[80:]
    found = attributed(predict, unseen, background_songs(embeddings[:80], labels[:80], seed=0, number=20))
    own = found.values[np.arange(40), :, labels[80:]]
    assert (own.argmax(axis=1) == FAMILIES.index("rhythm")).all()
    others = np.delete(np.abs(own).mean(axis=0), FAMILIES.index("rhythm"))
    assert own[:, FAMILIES.index("rhythm")].mean() > 5 * others.max()


def test_a_model_is_never_given_more_rows_than_the_limit_and_the_background_is_averaged_whole():
    sizes, predict = [], tangled()

    def counting(rows):
        sizes.append(len(rows))
        return predict(rows)

    background = songs(150, 2)
    whole = attributed(counting, songs(1), background)
    assert max(sizes) <= 8192
    assert sum(sizes) == 1 + 150 + 126 * 150
    parts = [attributed(predict, songs(1), part).values for part in np.split(background, 3)]
    assert whole.values == pytest.approx(np.mean(parts, axis=0), abs=1e-12)


@pytest.mark.parametrize(
    ("counts", "number", "shares"),
    [
        ([60, 30, 10], 10, [6, 3, 1]),
        ([500, 5], 10, [9, 1]),
        ([100, 100, 100], 10, [4, 3, 3]),
        ([300, 1, 1], 10, [9, 1, 1]),
        ([2, 2], 50, [2, 2]),
        ([7, 7, 7], 2, [1, 1, 1]),
    ],
)
def test_the_background_has_every_genre_in_its_share(counts, number, shares):
    labels = np.repeat(np.arange(len(counts)), counts)
    embeddings = songs(len(labels))
    chosen = background_songs(embeddings, labels, seed=0, number=number)
    where = {row.tobytes(): label for row, label in zip(embeddings, labels, strict=True)}
    assert np.bincount([where[row.tobytes()] for row in chosen]).tolist() == shares
    assert len({row.tobytes() for row in chosen}) == len(chosen)


def test_the_background_depends_on_the_songs_and_the_seed_but_not_on_their_order():
    embeddings, labels = songs(80), np.arange(80) % 3
    order = np.random.default_rng(1).permutation(80)
    chosen = background_songs(embeddings, labels, seed=7, number=20)
    assert (background_songs(embeddings[order], labels[order], seed=7, number=20) == chosen).all()
    assert (background_songs(embeddings, labels, seed=8, number=20) != chosen).any()


def all_changes(predict, song, medians, genres):
    """Every set of families and genre that flips, in the order that decides: literal, one row at a time."""
    now = predict(song[np.newaxis])[0].argmax()
    found = []
    for sets in chain.from_iterable(combinations(range(7), size) for size in range(1, 8)):
        for genre in range(len(genres)):
            row = song.copy()
            for family in sets:
                row[COLUMNS_OF[family]] = medians[genre][COLUMNS_OF[family]]
            proba = predict(row[np.newaxis])[0]
            if genre != now and proba.argmax() == genre:
                found.append((len(sets), -proba[genre], sets, genre))
    return sorted(found)


@pytest.mark.parametrize("seed", range(8))
def test_the_smallest_change_is_the_first_of_all_changes(seed):
    predict, genres = tangled(seed), ["A", "B", "C"]
    song, medians = songs(1, seed)[0], songs(3, seed + 50)
    wanted = all_changes(predict, song, medians, genres)
    found = smallest_change(predict, song, medians, genres)
    if not wanted:
        assert found is None
        return
    size, probability, sets, genre = wanted[0]
    assert found.families == [FAMILIES[family] for family in sets]
    assert (len(found.families), found.genre) == (size, genres[genre])
    assert found.probability == pytest.approx(-probability)


def votes(rows: np.ndarray) -> np.ndarray:
    """B as soon as the sums of two families are positive."""
    share = (sums_of_families(rows) > 0).sum(axis=1) / 7
    second = np.where(share > 1 / 7, 0.6, 0.4)
    return np.stack([1 - second, second], axis=1)


def test_of_equal_changes_the_first_families_count():
    song, medians = -np.ones(N_COLUMNS), np.stack([-np.ones(N_COLUMNS), np.ones(N_COLUMNS)])
    assert smallest_change(votes, song, medians, ["A", "B"]) == SmallestChange(["timbre", "harmony"], "B", 0.6)


def test_there_is_no_change_where_a_genres_own_medians_are_not_predicted_as_it():
    song, medians = -np.ones(N_COLUMNS), -np.ones((2, N_COLUMNS))
    assert smallest_change(votes, song, medians, ["A", "B"]) is None
