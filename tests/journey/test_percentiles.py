"""Standardised columns, percentiles, z-scores, unusual columns and the typical song."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from maps import grouped_embeddings
from scipy.stats import percentileofscore

from songmap.journey import percentiles
from songmap.journey.results import UnusualColumn
from songmap.journey.views.column_figures import unusual_in_words, with_unit
from songmap.library.descriptors import DESCRIPTORS, N_MEL_RANGES
from songmap.library.schema import COLUMNS, N_COLUMNS, column_index


def test_percentile_of_the_lowest_middle_and_highest_of_five():
    library = np.arange(5, dtype=np.float32)[:, None] * np.ones(N_COLUMNS, np.float32)
    assert [percentiles.percentiles(library[row], library)[0] for row in range(5)] == pytest.approx(
        [10, 30, 50, 70, 90]
    )


def test_percentile_counts_equal_values_half():
    library = np.tile(np.array([[1.0], [1.0], [1.0], [2.0]], np.float32), N_COLUMNS)
    assert percentiles.percentiles(library[0], library)[0] == 37.5
    assert percentiles.percentiles(library[0] * 0, library)[0] == 0
    assert percentiles.percentiles(library[0] * 9, library)[0] == 100


@given(st.lists(st.integers(-5, 5), min_size=2, max_size=30), st.integers(-6, 6))
def test_percentile_is_scipys_mean_rank(values: list[int], value: int):
    library = np.tile(np.array(values, np.float32)[:, None], 2)
    expected = percentileofscore(values, value, kind="mean")
    assert percentiles.percentiles(np.full(2, value, np.float32), library) == pytest.approx(expected)


def test_one_song_has_no_percentile_and_nothing_unusual():
    library = grouped_embeddings(1)
    assert percentiles.percentiles(library[0], library) is None
    assert percentiles.most_unusual(library[0], library, 6) == []


def test_four_songs_have_percentiles_but_nothing_unusual():
    library = grouped_embeddings(4)
    assert percentiles.percentiles(library[0], library) is not None
    assert percentiles.most_unusual(library[0], library, 6) == []


def test_z_score_of_a_constant_column_does_not_exist():
    library = grouped_embeddings(8)
    library[:, 3] = 0.1
    scores = percentiles.z_scores(library[0], library)
    assert np.isnan(scores[3])
    expected = (library[0, 4] - library[:, 4].mean()) / library[:, 4].std()
    assert scores[4] == pytest.approx(expected, rel=1e-5)


def test_the_planted_deviation_is_the_most_unusual_and_features_are_named_once():
    library = grouped_embeddings(30)
    library[7, column_index("mel_040_mean")] += 100
    library[7, column_index("mel_041_mean")] += 90
    library[7, column_index("tempo_bpm")] -= 80
    found = percentiles.most_unusual(library[7], library, 6)
    assert {item.column for item in found[:2]} == {"mel_040_mean", "tempo_bpm"}
    assert "mel_041_mean" not in [item.column for item in found]
    assert len(found) == 6
    tempo = next(item for item in found if item.column == "tempo_bpm")
    assert tempo.z_score < 0
    assert tempo.value == library[7, column_index("tempo_bpm")]
    assert tempo.percentile == pytest.approx(100 * 0.5 / 30)
    assert any("BPM" in text for item in found for text in unusual_in_words(item))


def test_equal_songs_have_nothing_unusual():
    library = np.repeat(grouped_embeddings(1), 6, axis=0)
    assert percentiles.most_unusual(library[0], library, 6) == []


def test_every_column_has_a_name_in_words_and_a_value_with_a_unit():
    for name in COLUMNS:
        assert with_unit(1.5, name).startswith("1.5 ")
    unusual = UnusualColumn("mel_040_mean", -20.0, -30.5, 93.0, 1.94)
    assert unusual_in_words(unusual) == (
        f"level {mel_range(39)} (mean)",
        "−20 dB re maximum",
        "percentile 93, 1.9 standard deviations above the mean",
        "library's median −30.5 dB re maximum",
    )


def mel_range(band: int) -> str:
    """Frequencies of the mel range that a band is in."""
    return DESCRIPTORS[-3 * N_MEL_RANGES + band // 8].name.removeprefix("level ")


def test_typical_song_is_the_one_in_the_middle():
    offsets = np.array([-4.0, -2.0, 0.5, 3.0, 5.0])
    library = (offsets[:, None] * np.ones(N_COLUMNS)).astype(np.float32)
    assert percentiles.typical_song(library) == 2


def test_a_comparison_holds_what_is_shown_of_it():
    library = grouped_embeddings(9)
    result = percentiles.library_position(library[2], library)
    assert result.n_songs == 9
    assert np.array_equal(result.percentiles, percentiles.percentiles(library[2], library))
    assert np.array_equal(result.mel_median_db, np.median(library[:, 122:250], axis=0))
    assert list(result.unusual) == percentiles.most_unusual(library[2], library, 6)
    alone = percentiles.library_position(library[2], library[2:3])
    assert (alone.percentiles, alone.mel_median_db, alone.unusual) == (None, None, ())
