"""Spaces against their definitions, and what must not change them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from libraries import any_detector, random_embeddings, units_of

from songmap.core.blocks import BLOCK_ROWS
from songmap.core.errors import QueryError
from songmap.library import spaces
from songmap.library.genre_model import Calibration, GenreModel
from songmap.library.schema import FAMILIES, N_COLUMNS, family_indices

BY_COLUMN = ("balanced", "scaled", "pca")


def standardised(embeddings: np.ndarray) -> np.ndarray:
    return (embeddings - embeddings.mean(axis=0)) / embeddings.std(axis=0)


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def brute_units(embeddings: np.ndarray, space: str, weights=None) -> np.ndarray:
    scores = standardised(embeddings)
    for family in FAMILIES:
        columns = family_indices(family)
        times = (weights or {}).get(family, 1) / (len(columns) if space == "balanced" else 1)
        scores[:, columns] *= np.sqrt(times)
    return unit(scores)


@pytest.fixture(scope="module")
def model() -> GenreModel:
    """A real pipeline of three genres."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    embeddings, labels = random_embeddings(80, seed=3)[:60], np.arange(60) % 3
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(C=0.05)).fit(embeddings, labels)
    medians = np.array([np.median(embeddings[labels == code], axis=0) for code in range(3)], dtype=np.float32)
    calibration = Calibration((1.0,), 0.0, 0.0, np.full(3, 1 / 3))
    background = embeddings[:5].astype(np.float32)
    return GenreModel(
        "logistic", [pipeline], ["HOUSE", "JAZZ", "TRANCE"], calibration, background, medians, 0.1, any_detector(3)
    )


@pytest.mark.parametrize("weights", [None, {"timbre": 2.0, "mel": 0.0}])
@pytest.mark.parametrize("space", ["balanced", "scaled"])
@pytest.mark.parametrize("n_songs", [2, 30, BLOCK_ROWS + 3])
def test_the_space_is_the_definition(space, n_songs, weights):
    embeddings = random_embeddings(n_songs)
    built = spaces.build_space(embeddings, space, weights)
    units = built.units(embeddings)
    assert units.dtype == np.float32
    assert built.by_family
    np.testing.assert_allclose(units, brute_units(embeddings, space, weights), atol=1e-6)


def test_families_have_equal_weight_when_balanced_by_size_when_scaled_and_as_given():
    embeddings = random_embeddings(50)
    sizes = {family: len(family_indices(family)) for family in FAMILIES}
    for space, weights, expected in (
        ("balanced", None, dict.fromkeys(FAMILIES, 1)),
        ("scaled", None, sizes),
        ("balanced", {"rhythm": 3}, dict.fromkeys(FAMILIES, 1) | {"rhythm": 3}),
        ("scaled", {"energy": 0.5}, sizes | {"energy": 0.5 * sizes["energy"]}),
    ):
        built = spaces.build_space(embeddings, space, weights)
        squares = np.square((embeddings - built.mean) * built.weight).mean(axis=0)
        for family, times in expected.items():
            assert squares[family_indices(family)].sum() == pytest.approx(times)


@pytest.mark.parametrize("n_songs", [5, 90])
def test_principal_components_are_those_of_sklearn(n_songs):
    from sklearn.decomposition import PCA

    embeddings = random_embeddings(n_songs) @ np.random.default_rng(1).standard_normal((N_COLUMNS, N_COLUMNS))
    scores = standardised(embeddings)
    expected = unit(PCA(min(spaces.N_COMPONENTS, n_songs - 1), svd_solver="full").fit_transform(scores))
    built = spaces.build_space(embeddings, "pca")
    units = built.units(embeddings)
    assert units.shape == expected.shape
    assert built.size == expected.shape[1]
    assert not built.by_family
    np.testing.assert_allclose(units @ units.T, expected @ expected.T, atol=1e-5)  # axes have no sign


def test_the_classifier_space_is_bhattacharyya_of_its_probabilities(model):
    embeddings = random_embeddings(80, seed=3)[60:].astype(np.float32)
    built = spaces.build_space(embeddings, "classifier", model=model)
    units = built.units(embeddings)
    probabilities = model.predict_proba(embeddings)
    coefficients = np.sqrt(probabilities[:, None] * probabilities[None]).sum(axis=2)
    assert units.shape == (20, 3)
    assert not built.by_family
    np.testing.assert_allclose(units @ units.T, coefficients, atol=1e-6)
    assert 0.01 < coefficients.min() < 0.99  # neither all equal nor all orthogonal


@given(
    space=st.sampled_from(BY_COLUMN),
    column=st.integers(0, N_COLUMNS - 1),
    offset=st.floats(-1e3, 1e3),
    factor=st.floats(1e-3, 1e3),
)
@settings(max_examples=15, deadline=None)
def test_an_offset_or_a_unit_of_a_column_changes_no_similarity(space, column, offset, factor):
    embeddings = np.random.default_rng(1).standard_normal((12, N_COLUMNS))
    changed = embeddings.copy()
    changed[:, column] = changed[:, column] * factor + offset
    before, after = units_of(embeddings, space), units_of(changed, space)
    np.testing.assert_allclose(after @ after.T, before @ before.T, atol=2e-6)


@pytest.mark.parametrize("space", BY_COLUMN)
def test_the_order_of_the_library_changes_no_similarity(space):
    embeddings = random_embeddings(80).astype(np.float32)
    order = np.random.default_rng(2).permutation(80)
    before, after = units_of(embeddings, space)[order], units_of(embeddings[order], space)
    np.testing.assert_allclose(after @ after.T, before @ before.T, atol=2e-6)


@pytest.mark.parametrize("space", BY_COLUMN)
def test_constant_columns_and_identical_songs_have_no_say(space):
    embeddings = random_embeddings(20).astype(np.float32)
    embeddings[:, 5] = np.float32(0.1)  # its float64 mean differs from it by rounding
    assert not spaces.build_space(embeddings, space).weight[5]
    units = units_of(embeddings, space)
    embeddings[:, 5] = 7
    np.testing.assert_allclose(units_of(embeddings, space) @ units[0], units @ units[0], atol=2e-6)
    assert not units_of(np.repeat(embeddings[:1], 20, axis=0), space).any()
    assert not units_of(embeddings[:1], space).any()


def test_leading_axes_are_orthonormal_and_of_the_largest_part():
    units = units_of(random_embeddings(300))
    axes = spaces.leading_axes(units, 9)
    np.testing.assert_allclose(axes.T @ axes, np.eye(9), atol=1e-6)
    lengths = np.linalg.svd(units.astype(np.float64), compute_uv=False)[:9]
    np.testing.assert_allclose(np.linalg.norm(units @ axes, axis=0), lengths, rtol=1e-5)


def test_sampled_rows_are_all_or_a_fixed_choice():
    assert spaces.sampled_rows(7).tolist() == list(range(7))
    rows = spaces.sampled_rows(spaces.SAMPLE_ROWS * 3)
    assert len(rows) == spaces.SAMPLE_ROWS
    assert (np.diff(rows) > 0).all()
    assert 0 <= rows[0] < rows[-1] < spaces.SAMPLE_ROWS * 3
    np.testing.assert_array_equal(rows, spaces.sampled_rows(spaces.SAMPLE_ROWS * 3))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"space": "x"}, "no space 'x'; there are balanced, scaled, pca, classifier"),
        ({"space": "classifier"}, "needs a genre model; run 03_genre_classifier.py first"),
        ({"space": "pca", "family_weights": {"mel": 1}}, "the pca space has no families to weight; use balanced or"),
        ({"family_weights": {"bass": 1}}, "no family 'bass'; there are timbre, harmony"),
        ({"family_weights": {"mel": -1.0}}, r"a weight of -1\.0 for mel is out of range, give 0 or more"),
        ({"family_weights": {"mel": float("nan")}}, "a weight of nan for mel is out of range"),
        ({"family_weights": dict.fromkeys(FAMILIES, 0)}, "all weights are 0"),
    ],
)
def test_bad_spaces_name_the_limit(arguments, message):
    with pytest.raises(QueryError, match=message):
        spaces.build_space(random_embeddings(4), **arguments)


def test_a_space_needs_a_song():
    with pytest.raises(QueryError, match=r"at least one song, not \(0, 641\)"):
        spaces.build_space(np.empty((0, N_COLUMNS)))
