"""Spaces against their definitions, and what must not change them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from libraries import any_detector, random_embeddings, units_of

from songmap.core.blocks import BLOCK_ROWS
from songmap.core.errors import QueryError
from songmap.library import spaces
from songmap.library.descriptors import DESCRIPTORS, describe
from songmap.library.genre_model import Calibration, GenreModel
from songmap.library.schema import COLUMN_FAMILY, FAMILIES, N_COLUMNS, block_slice, family_indices

BY_FAMILY = ("balanced", "scaled", "balanced641")
BY_COLUMN = BY_FAMILY[1:]


def standardised(embeddings: np.ndarray) -> np.ndarray:
    deviation = embeddings.std(axis=0)
    return (embeddings - embeddings.mean(axis=0)) / np.where(deviation > 1e-12, deviation, np.inf)


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def brute_units(embeddings: np.ndarray, space: str, weights=None) -> np.ndarray:
    scores = standardised(describe(embeddings) if space == "balanced" else embeddings)
    families = np.array([one.family for one in DESCRIPTORS] if space == "balanced" else COLUMN_FAMILY)
    for family in FAMILIES:
        own = np.flatnonzero(families == family)
        times = (weights or {}).get(family, 1) / (1 if space == "scaled" else len(own))
        scores[:, own] *= np.sqrt(times)
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
@pytest.mark.parametrize("space", BY_FAMILY)
@pytest.mark.parametrize("n_songs", [2, 30, BLOCK_ROWS + 3])
def test_the_space_is_the_definition(space, n_songs, weights):
    embeddings = random_embeddings(n_songs)
    built = spaces.build_space(embeddings, space, weights)
    units = built.units(embeddings)
    assert units.dtype == np.float32
    assert built.by_family
    np.testing.assert_allclose(units, brute_units(embeddings, space, weights), atol=1e-6)


def test_families_have_equal_weight_when_balanced_by_size_when_scaled_and_as_given():
    embeddings = np.abs(random_embeddings(50)) + 1  # no descriptor is at its floor, and so constant
    embeddings[:, block_slice("mel", "p75")] = 2 * embeddings[:, block_slice("mel", "p25")]
    sizes = {family: len(family_indices(family)) for family in FAMILIES}
    for space, weights, expected in (
        ("balanced", None, dict.fromkeys(FAMILIES, 1)),
        ("balanced641", None, dict.fromkeys(FAMILIES, 1)),
        ("scaled", None, sizes),
        ("balanced", {"rhythm": 3}, dict.fromkeys(FAMILIES, 1) | {"rhythm": 3}),
        ("scaled", {"energy": 0.5}, sizes | {"energy": 0.5 * sizes["energy"]}),
    ):
        built = spaces.build_space(embeddings, space, weights)
        squares = np.square(built.vectors(embeddings)).mean(axis=0)
        for family, times in expected.items():
            own = spaces.coordinates_of(family, described=space == "balanced")
            assert squares[own].sum() == pytest.approx(times)


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


@pytest.mark.parametrize("space", BY_FAMILY)
def test_the_order_of_the_library_changes_no_similarity(space):
    embeddings = random_embeddings(80).astype(np.float32)
    order = np.random.default_rng(2).permutation(80)
    before, after = units_of(embeddings, space)[order], units_of(embeddings[order], space)
    np.testing.assert_allclose(after @ after.T, before @ before.T, atol=2e-6)


@pytest.mark.parametrize("space", BY_FAMILY)
def test_constant_columns_and_identical_songs_have_no_say(space):
    embeddings = random_embeddings(20).astype(np.float32)
    embeddings[:, 5] = np.float32(0.1)  # its float64 mean differs from it by rounding
    assert not spaces.build_space(embeddings, space).weight[5]
    units = units_of(embeddings, space)
    embeddings[:, 5] = 7
    np.testing.assert_allclose(units_of(embeddings, space) @ units[0], units @ units[0], atol=2e-6)
    assert not units_of(np.repeat(embeddings[:1], 20, axis=0), space).any()
    assert not units_of(embeddings[:1], space).any()


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
        ({"space": "x"}, "no space 'x'; there are balanced, scaled, balanced641, classifier"),
        ({"space": "classifier"}, "needs a genre model; run 03_genre_classifier.py first"),
        (
            {"space": "classifier", "family_weights": {"mel": 1}},
            "has no families to weight; use balanced, scaled, balanced641",
        ),
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


def test_balanced_is_of_descriptors_and_the_default():
    embeddings = np.abs(random_embeddings(20)) + 1
    built = spaces.build_space(embeddings)
    assert (built.name, built.size, spaces.SPACES[0]) == ("balanced", 157, "balanced")
    assert built.described
    deltas = embeddings.copy()
    deltas[:, block_slice("mfcc_delta", "mean")] = 0  # no descriptor is made of them
    np.testing.assert_array_equal(spaces.build_space(deltas).units(deltas), built.units(embeddings))


def test_standardisation_is_of_all_blocks():
    embeddings = random_embeddings(2 * BLOCK_ROWS + 5)
    mean, weight = spaces.standardisation(embeddings)
    np.testing.assert_allclose(mean, embeddings.mean(axis=0), rtol=1e-9)
    np.testing.assert_allclose(weight, 1 / embeddings.std(axis=0), rtol=1e-9)
