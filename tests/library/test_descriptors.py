"""The vocabulary: 157 descriptors, declared once, of the 641 columns."""

from collections import Counter

import numpy as np
import pytest
from libraries import random_embeddings

from songmap.core.errors import SchemaError
from songmap.library.descriptors import (
    COLUMN_LABELS,
    DESCRIPTORS,
    N_DESCRIPTORS,
    N_MEL_RANGES,
    describe,
    descriptor,
    descriptors_of,
)
from songmap.library.schema import COLUMN_FAMILY, COLUMNS, FAMILIES, block_slice, column_index


def test_there_are_157_with_different_names_in_all_families():
    assert len(DESCRIPTORS) == N_DESCRIPTORS == len({one.name for one in DESCRIPTORS})
    assert Counter(DESCRIPTORS) == Counter(one for family in FAMILIES for one in descriptors_of(family))
    assert {one.family for one in DESCRIPTORS} == set(FAMILIES)


def test_every_column_but_mel_and_deltas_is_a_descriptor():
    """109 columns, each once; a mel range uses the bands that it is named after."""
    single = [one.columns[0] for one in DESCRIPTORS if one.kind == "column"]
    expected = [
        index for index, name in enumerate(COLUMNS) if COLUMN_FAMILY[index] != "mel" and "mfcc_delta" not in name
    ]
    assert single == expected
    assert len(single) == 109


@pytest.mark.parametrize(
    ("kind", "plus", "minus"), [("level", "mean", ""), ("spread", "p75", "p25"), ("skew", "mean", "p50")]
)
def test_mel_ranges_cover_all_bands_once(kind, plus, minus):
    own = [one for one in DESCRIPTORS if one.kind == kind]
    assert len(own) == N_MEL_RANGES
    for chosen, statistic in (([one.columns for one in own], plus), ([one.minus for one in own], minus)):
        columns = [column for part in chosen for column in part]
        block = block_slice("mel", statistic) if statistic else slice(0)
        assert columns == list(range(len(COLUMNS)))[block]


def test_describe_is_what_the_formulas_say():
    embeddings = np.abs(random_embeddings(5)) + 1
    described = describe(embeddings)
    assert described.shape == (5, N_DESCRIPTORS)
    assert described.dtype == np.float64
    names = [one.name for one in DESCRIPTORS]
    mel = {name: embeddings[:, block_slice("mel", name)][:, 80:88] for name in ("mean", "p25", "p50", "p75")}
    place = N_MEL_RANGES * np.arange(3) + 109 + 10
    expected = (
        mel["mean"].mean(axis=1),
        np.log(np.maximum(mel["p75"].mean(axis=1) - mel["p25"].mean(axis=1), 0.1)),
        (mel["mean"] - mel["p50"]).mean(axis=1),
    )
    np.testing.assert_allclose(described[:, place].T, expected, rtol=1e-9)
    tempo, contrast = (embeddings[:, column_index(name)] for name in ("tempo_bpm", "contrast_2_mean"))
    np.testing.assert_allclose(described[:, names.index("tempo")], np.log(np.maximum(tempo, 30)))
    np.testing.assert_allclose(described[:, names.index("spectral contrast 200–400 Hz")], contrast)
    np.testing.assert_array_equal(describe(embeddings[2]), described[2])


def test_zeros_are_finite_and_values_stay_as_they_are():
    """A song without tempo, of constant level: logarithms end at their floor, values say 0."""
    assert np.isfinite(describe(np.zeros((1, len(COLUMNS))))).all()
    assert descriptor("tempo").values(np.zeros(len(COLUMNS))) == 0
    assert descriptor("tempo").compared(np.zeros(len(COLUMNS))) == np.log(30)


def test_ratios_of_positive_quantities_are_differences():
    """Twice as loud, fast or bright is the same step from wherever it starts."""
    logarithmic = np.array([one.floor is not None for one in DESCRIPTORS])
    embeddings = np.full((1, len(COLUMNS)), 500.0)
    for statistic in ("p75", "p25"):
        embeddings[:, block_slice("mel", statistic)] = {"p75": -10.0, "p25": -30.0}[statistic]
    steps = [describe(scale * embeddings)[0, logarithmic] for scale in (1, 2, 4)]
    np.testing.assert_allclose(steps[1] - steps[0], np.log(2))
    np.testing.assert_allclose(steps[2] - steps[1], np.log(2))


@pytest.mark.parametrize(
    ("column", "label"),
    [
        ("mfcc_03_mean", "MFCC 3"), ("mfcc_delta_03_mean", "MFCC 3 delta"), ("chroma_C#_std", "chroma C#, std"),
        ("contrast_1_mean", "spectral contrast 0–200 Hz"), ("tonnetz_4_mean", "tonnetz 4 (minor thirds)"),
        ("tempo_bpm", "tempo"), ("beat_interval_std_s", "beat interval, std"), ("rms_std", "RMS, std"),
    ],
)  # fmt: skip
def test_columns_have_names_in_words(column, label):
    assert len(COLUMN_LABELS) == len(COLUMNS)
    assert COLUMN_LABELS[column_index(column)] == label


def test_what_does_not_exist_is_named():
    with pytest.raises(SchemaError, match="no descriptor 'loudness' among the 157"):
        descriptor("loudness")
    with pytest.raises(SchemaError, match="no family 'x'"):
        descriptors_of("x")
    with pytest.raises(SchemaError, match=r"not of an array \(3, 640\)"):
        describe(np.zeros((3, 640)))
