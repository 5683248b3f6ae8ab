"""Filters by their definition, their words, and which one a message says to loosen."""

import argparse

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from libraries import make_library

from songmap.core.errors import QueryError
from songmap.library.keys import KEYS, NO_KEY, compatible, key_number
from songmap.library.tempos import tempos_of
from songmap.similar.filters import ROUNDING_BPM, allowed_by, condition_words, filters_of, tempo_factors
from songmap.similar.requests import Filters
from songmap.similar.terminal.arguments import bpm_range, family_weights, key_or_compatible, year_range

QUERY = ["HOUSE"], [key_number("8A")]


@pytest.fixture(scope="module")
def library():
    library = make_library(8, genres=["HOUSE", "TRANCE", "UNKNOWN", "DUB"])
    library.songs["tempo_bpm"] = [129.2, 64.6, 258.4, 0.0, 143.55, 123.05, 99.4, 136.0]
    library.songs["year"] = [1989, 1990, np.nan, 1995, 1999, 2000, np.nan, 2020]
    return library


KEYS_OF_SONGS = np.array([key_number(text) for text in ("8A", "8B", "9A", "7A", "9B", "3A", "8A", "")])


def passing(library, query=QUERY, **wanted) -> list[int]:
    filters = filters_of(Filters(**wanted), library, tempos_of(library.songs)[0], KEYS_OF_SONGS, *query)
    return np.flatnonzero(allowed_by(filters, np.ones(len(library), bool))).tolist()


@pytest.mark.parametrize(
    ("wanted", "rows"),
    [
        ({}, [0, 1, 2, 3, 4, 5, 6, 7]),
        ({"genres": ("HOUSE",)}, [0, 4]),
        ({"genres": ("HOUSE", "DUB")}, [0, 3, 4, 7]),
        ({"same_genre": True}, [0, 4]),
        ({"same_genre": True, "genres": ("HOUSE", "DUB")}, [0, 4]),
        ({"bpm": (120, 129)}, [0, 1, 2, 5]),  # 129.2 is written as 129
        ({"bpm": (120, 128)}, [5]),
        ({"bpm": (60, 70)}, [0, 1, 5, 7]),
        ({"bpm": (129, 129)}, [0, 1, 2]),
        ({"bpm": (99, 99)}, [6]),
        ({"key": "compatible"}, [0, 1, 2, 3, 6]),
        ({"key": "8A"}, [0, 6]),
        ({"key": "A minor"}, [0, 6]),
        ({"key": "Em"}, [2]),
        ({"years": (1990, 1999)}, [1, 3, 4]),
        ({"years": (2000, 2000)}, [5]),
        ({"years": (1989, 2020), "bpm": (120, 129), "genres": ("HOUSE",)}, [0]),
    ],
)
def test_what_passes(library, wanted, rows):
    assert passing(library, **wanted) == rows


def test_of_several_songs_any_genre_and_any_key_counts(library):
    query = ["HOUSE", "DUB", "UNKNOWN"], [key_number("8A"), key_number("3A"), NO_KEY]
    assert passing(library, query, same_genre=True) == [0, 3, 4, 7]
    expected = [row for row, key in enumerate(KEYS_OF_SONGS) if any(compatible(key, own) for own in query[1])]
    assert passing(library, query, key="compatible") == expected == [0, 1, 2, 3, 5, 6]


@pytest.mark.parametrize(
    ("wanted", "query", "message"),
    [
        ({"same_genre": True}, (["UNKNOWN"], []), "the genre of the query is unknown; name one with --genre"),
        ({"same_genre": True, "genres": ("DUB",)}, QUERY, "exclude each other: the query is HOUSE"),
        (
            {"key": "compatible"},
            (["HOUSE"], [NO_KEY]),
            "the key of the query is unknown: no tag names it, no estimate is sure; name one",
        ),
        ({"key": "H"}, QUERY, "'H' is not a key, e.g. 8A"),
    ],
)
def test_a_filter_that_cannot_be_applied_is_refused(library, wanted, query, message):
    with pytest.raises(QueryError, match=message):
        passing(library, query, **wanted)


@given(st.floats(30, 320), st.floats(30, 300), st.floats(0, 50))
def test_a_tempo_fits_a_range_as_it_is_doubled_or_halved(tempo_bpm, low, width):
    bpm = (low, low + width)
    factor = tempo_factors(np.array([tempo_bpm]), bpm)[0]
    inside = [bpm[0] - ROUNDING_BPM <= one * tempo_bpm <= bpm[1] + ROUNDING_BPM for one in (1.0, 2.0, 0.5)]
    assert factor == next((one for one, fits in zip((1.0, 2.0, 0.5), inside, strict=True) if fits), 0)


@pytest.mark.parametrize("bpm", [119, 128, 174])
def test_the_tempo_of_a_tag_passes_that_range_and_no_other(bpm):
    """A song of 128 BPM, measured to a tenth, is no song of 126 or 130."""
    for measured in (bpm - 0.1, bpm, bpm + 0.1):
        passed = [whole for whole in range(bpm - 9, bpm + 10) if tempo_factors(np.array([measured]), (whole, whole))[0]]
        assert passed == [bpm]


def test_no_tempo_fits_no_range():
    assert tempo_factors(np.array([0.0, np.nan, -1.0]), (1, 1000)).tolist() == [0, 0, 0]


def conditions(library, wanted: Filters) -> list[str]:
    filters = filters_of(wanted, library, tempos_of(library.songs)[0], KEYS_OF_SONGS, *QUERY)
    return [condition_words(one.condition) for one in filters]


def test_words_of_conditions(library):
    wanted = Filters(("DUB", "HOUSE"), False, (120, 128), "compatible", (1990, 1999))
    words = conditions(library, wanted)
    assert words == [
        "genre DUB or HOUSE", "120-128 BPM ± 0.5, half or double too", "key compatible with 8A (of tags or estimates)", "year 1990-1999"
    ]  # fmt: skip
    wanted = Filters(bpm=(128, 128), key="F#m", years=(1994, 1994))
    words = conditions(library, wanted)
    assert words == ["128 BPM ± 0.5, half or double too", "key 11A (F# minor) (of tags or estimates)", "year 1994"]


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"years": (1950, 1960)}, "'year 1950-1960'; loosen it .its years are 1989 to 2020, 2 songs have none."),
        ({"bpm": (80, 90)}, "'80-90 BPM .*'; loosen it .its tempos are 65 to 258, nearest 64.6, 99.4, 123.0, 129.2"),
        (
            {"genres": ("HOUSE",), "years": (1995, 1995)},
            "without 'genre HOUSE' there are 1: loosen it|without 'year 1995' there are 2",
        ),
        ({"genres": ("DUB",), "years": (1950, 1960), "bpm": (80, 90)}, "alone leaves 0: loosen it .*, and another one"),
    ],
)
def test_where_nothing_passes_a_line_names_what_to_loosen(library, wanted, message):
    with pytest.raises(QueryError, match=message) as caught:
        passing(library, **wanted)
    assert "\n" not in str(caught.value)


def test_the_filter_without_which_most_are_left_is_named(library):
    with pytest.raises(QueryError, match="without 'genre DUB' there are 3: loosen it"):
        passing(library, genres=("DUB",), bpm=(129, 129))


def test_without_candidates_no_filter_is_named(library):
    filters = filters_of(Filters(years=(1950, 1960)), library, np.zeros(8), KEYS_OF_SONGS, *QUERY)
    assert not allowed_by(filters, np.zeros(len(library), bool)).any()


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        (bpm_range, "120-128", (120, 128)),
        (bpm_range, " 120.5 – 128 ", (120.5, 128)),
        (bpm_range, "128", (128, 128)),
        (year_range, "1990-1999", (1990, 1999)),
        (year_range, "1994", (1994, 1994)),
        (key_or_compatible, "Compatible", "compatible"),
        (key_or_compatible, "8A", "8A"),
        (key_or_compatible, "C minor", "C minor"),
        (family_weights, "timbre=2,rhythm=0.5", (("timbre", 2), ("rhythm", 0.5))),
        (family_weights, "mel=0", (("mel", 0),)),
    ],
)
def test_arguments_are_read(parse, text, value):
    assert parse(text) == value


@pytest.mark.parametrize(
    ("parse", "text", "message"),
    [
        (bpm_range, "fast", "'fast' is not a BPM range, e.g. 120-128"),
        (bpm_range, "128-120", "lower first"),
        (bpm_range, "0-128", "give 10 to 1000"),
        (bpm_range, "-5", "not a BPM range"),
        (year_range, "1999-1990", "the earlier first"),
        (year_range, "1990.5", "give whole years"),
        (key_or_compatible, "13A", "'13A' is not a key, e.g. 8A"),
        (family_weights, "timber=2", "no family 'timber'; there are timbre, harmony"),
        (family_weights, "timbre", "'timbre' is not a weight, give timbre=NUMBER, 0 or more"),
        (family_weights, "timbre=-1", "0 or more"),
        (family_weights, "timbre=nan", "0 or more"),
        (family_weights, "timbre=1,timbre=2", "timbre is given twice"),
        (family_weights, "", "no family ''"),
    ],
)
def test_arguments_that_cannot_be_read(parse, text, message):
    with pytest.raises(argparse.ArgumentTypeError, match=message):
        parse(text)


def test_every_key_can_be_given():
    for key in KEYS:
        assert key_or_compatible(key) == key
