"""Feature sets: what their columns are."""

import numpy as np
import pytest
from libraries import random_embeddings

from songmap.compare.feature_sets import FEATURE_SETS, feature_set_names
from songmap.core.errors import UsageError
from songmap.library.descriptors import describe
from songmap.library.schema import COLUMNS, FAMILIES, block_slice, column_index

EMBEDDINGS = random_embeddings(6)


@pytest.mark.parametrize(("name", "n_columns"), [("spectral25", 25), ("spectral26", 26), ("timbre-contrast", 25)])
def test_published_tables_have_their_columns(name, n_columns):
    features = FEATURE_SETS[name].features(EMBEDDINGS)
    assert features.values.shape == (6, n_columns)
    assert len(set(features.columns)) == len(features.families) == n_columns == FEATURE_SETS[name].n_columns
    assert features.values[:, 0] == pytest.approx(EMBEDDINGS[:, column_index("mfcc_01_mean")])
    chroma = EMBEDDINGS[:, block_slice("chroma", "mean")].mean(axis=1)
    assert features.values[:, features.columns.index("chroma")] == pytest.approx(chroma)


def test_only_spectral26_has_rms():
    assert "rms_mean" in FEATURE_SETS["spectral26"].features(EMBEDDINGS).columns
    assert not [name for name in FEATURE_SETS["spectral25"].features(EMBEDDINGS).columns if "rms" in name]


def test_a_family_alone_and_all_but_it_are_all_columns():
    assert FEATURE_SETS["all641"].features(EMBEDDINGS).columns == COLUMNS
    for family in FAMILIES:
        alone, without = (FEATURE_SETS[name].features(EMBEDDINGS) for name in (family, f"without-{family}"))
        assert {*alone.columns, *without.columns} == set(COLUMNS)
        assert set(alone.families) == {family}
        assert family not in without.families


def test_descriptors_are_those_of_the_library():
    assert np.array_equal(FEATURE_SETS["descriptors"].features(EMBEDDINGS).values, describe(EMBEDDINGS))


def test_names_and_shortcuts():
    assert feature_set_names(["mel", "families"])[0] == "mel"
    assert set(feature_set_names(["mel", "families"])) == set(FAMILIES)
    with pytest.raises(UsageError, match="no feature set 'spectral27'"):
        feature_set_names(["spectral27"])
