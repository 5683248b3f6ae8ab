"""Filters by their definition, what they are called, and which one a line says to loosen."""

import argparse

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from libraries import make_library

from songmap.core.errors import QueryError
from songmap.library.keys import KEYS, NO_KEY, compatible, key_number
from songmap.library.schema import AudioConfig
from songmap.similar.filters import (  # fmt: skip
    Filters,
    allowed_by,
    bpm_range,
    family_weights,
    held_filters,
    key_wish,
    tempo_factors,
    year_range,
)

FRAMES_PER_MINUTE = 60 * AudioConfig().frame_rate_hz
ASKED = ["HOUSE"], [key_number("8A")]


@pytest.fixture(scope="module")
def library():
    library = make_library(8, genres=["HOUSE", "TRANCE", "UNKNOWN", "DUB"])
    library.songs["tempo_bpm"] = [129.2, 64.6, 258.4, 0.0, 143.55, 123.05, 99.4, 136.0]
    library.songs["year"] = [1989, 1990, np.nan, 1995, 1999, 2000, np.nan, 2020]
    return library


KEYS_OF_SONGS = np.array([key_number(text) for text in ("8A", "8B", "9A", "7A", "9B", "3A", "8A", "")])


def passing(library, asked=ASKED, **wishes) -> list[int]:
    held = held_filters(Filters(**wishes), library, KEYS_OF_SONGS, *asked)
    return np.flatnonzero(allowed_by(held, np.ones(len(library), bool))).tolist()


@pytest.mark.parametrize(
    ("wishes", "rows"),
    [
        ({}, [0, 1, 2, 3, 4, 5, 6, 7]),
        ({"genres": ("HOUSE",)}, [0, 4]),
        ({"genres": ("HOUSE", "DUB")}, [0, 3, 4, 7]),
        ({"same_genre": True}, [0, 4]),
        ({"same_genre": True, "genres": ("HOUSE", "DUB")}, [0, 4]),
        ({"bpm": (120, 128)}, [0, 1, 2, 5]),
        ({"bpm": (60, 70)}, [0, 1, 4, 5, 7]),  # 143.55 stands for 139.6 to 147.7
        ({"bpm": (128, 128)}, [0, 1, 2]),
        ({"bpm": (100, 101)}, [6]),
        ({"key": "compatible"}, [0, 1, 2, 3, 6]),
        ({"key": "8A"}, [0, 6]),
        ({"key": "A minor"}, [0, 6]),
        ({"key": "Em"}, [2]),
        ({"years": (1990, 1999)}, [1, 3, 4]),
        ({"years": (2000, 2000)}, [5]),
        ({"years": (1989, 2020), "bpm": (120, 128), "genres": ("HOUSE",)}, [0]),
    ],
)
def test_what_passes(library, wishes, rows):
    assert passing(library, **wishes) == rows


def test_of_several_songs_any_genre_and_any_key_counts(library):
    asked = ["HOUSE", "DUB", "UNKNOWN"], [key_number("8A"), key_number("3A"), NO_KEY]
    assert passing(library, asked, same_genre=True) == [0, 3, 4, 7]
    expected = [row for row, key in enumerate(KEYS_OF_SONGS) if any(compatible(key, own) for own in asked[1])]
    assert passing(library, asked, key="compatible") == expected == [0, 1, 2, 3, 5, 6]


@pytest.mark.parametrize(
    ("wishes", "asked", "message"),
    [
        ({"same_genre": True}, (["UNKNOWN"], []), "has no genre that others could share; name one with --genre"),
        ({"same_genre": True, "genres": ("DUB",)}, ASKED, "leave none: the song asked for is HOUSE"),
        ({"key": "compatible"}, (["HOUSE"], [NO_KEY]), "no key that could be estimated; name one"),
        ({"key": "H"}, ASKED, "no key 'H'; give one like 8A"),
    ],
)
def test_a_filter_without_sense_is_refused(library, wishes, asked, message):
    with pytest.raises(QueryError, match=message):
        passing(library, asked, **wishes)


@given(st.floats(40, 320), st.floats(0, 60))
def test_a_tempo_in_the_range_passes_as_it_is_measured(tempo_bpm, width):
    """The measured tempo is the nearest whole number of frames between beats; so it is for its half and double."""
    bpm = (max(tempo_bpm - width, 1), tempo_bpm)
    for taken, factor in ((tempo_bpm, {1}), (tempo_bpm / 2, {1, 2}), (tempo_bpm * 2, {1, 2, 0.5})):
        measured = FRAMES_PER_MINUTE / round(FRAMES_PER_MINUTE / taken)
        assert tempo_factors(np.array([measured]), bpm)[0] in factor


@given(st.integers(8, 80), st.floats(30, 300), st.floats(0, 50))
def test_a_tempo_that_passes_could_be_of_a_song_in_the_range(frames, low, width):
    bpm = (low, low + width)
    factor = tempo_factors(np.array([FRAMES_PER_MINUTE / frames]), bpm)[0]
    true = FRAMES_PER_MINUTE / np.linspace(frames - 0.5, frames + 0.5, 101)
    inside = {one: ((one * true >= bpm[0]) & (one * true <= bpm[1])).any() for one in (1.0, 2.0, 0.5)}
    if factor == 0:
        assert not any(inside.values())
    else:
        assert factor * true.min() <= bpm[1]
        assert factor * true.max() >= bpm[0]
        assert not any(inside[one] for one in (1.0, 2.0, 0.5)[: (1.0, 2.0, 0.5).index(factor)])


def test_no_tempo_fits_no_range():
    assert tempo_factors(np.array([0.0, np.nan, -1.0]), (1, 1000)).tolist() == [0, 0, 0]


def test_words_say_what_is_held(library):
    wishes = Filters(("DUB", "HOUSE"), False, (120, 128), "compatible", (1990, 1999))
    words = [held.words for held in held_filters(wishes, library, KEYS_OF_SONGS, *ASKED)]
    assert words == [
        "genre DUB or HOUSE", "120-128 BPM as near as tempo is measured, half or double too", "key that goes with 8A (estimates)", "year 1990-1999"
    ]  # fmt: skip
    wishes = Filters(bpm=(128, 128), key="F#m", years=(1994, 1994))
    words = [held.words for held in held_filters(wishes, library, KEYS_OF_SONGS, *ASKED)]
    assert words == [
        "128 BPM as near as tempo is measured, half or double too",
        "key 11A (F# minor) (estimates)",
        "year 1994",
    ]


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        ({"years": (1950, 1960)}, "'year 1950-1960'; loosen that .its years go from 1989 to 2020, 2 songs have none."),
        (
            {"bpm": (80, 90)},
            "'80-90 BPM .*'; loosen that .its tempos are 65 to 258, next to it 64.6, 99.4, 123.0, 129.2",
        ),
        (
            {"genres": ("HOUSE",), "years": (1995, 1995)},
            "without 'genre HOUSE' 1 do: loosen that|without 'year 1995' 2 do",
        ),
        (
            {"genres": ("DUB",), "years": (1950, 1960), "bpm": (80, 90)},
            "alone leaves 0: loosen that .*, and another one",
        ),
    ],
)
def test_where_nothing_passes_a_line_names_what_to_loosen(library, wishes, message):
    with pytest.raises(QueryError, match=message) as caught:
        passing(library, **wishes)
    assert "\n" not in str(caught.value)


def test_the_filter_without_which_most_are_left_is_named(library):
    with pytest.raises(QueryError, match="without 'genre DUB' 3 do: loosen that"):
        passing(library, genres=("DUB",), bpm=(128, 128))


def test_without_candidates_no_filter_is_to_blame(library):
    held = held_filters(Filters(years=(1950, 1960)), library, KEYS_OF_SONGS, *ASKED)
    assert not allowed_by(held, np.zeros(len(library), bool)).any()


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        (bpm_range, "120-128", (120, 128)),
        (bpm_range, " 120.5 – 128 ", (120.5, 128)),
        (bpm_range, "128", (128, 128)),
        (year_range, "1990-1999", (1990, 1999)),
        (year_range, "1994", (1994, 1994)),
        (key_wish, "Compatible", "compatible"),
        (key_wish, "8A", "8A"),
        (key_wish, "C minor", "C minor"),
        (family_weights, "timbre=2,rhythm=0.5", {"timbre": 2, "rhythm": 0.5}),
        (family_weights, "mel=0", {"mel": 0}),
    ],
)
def test_wishes_are_read(parse, text, value):
    assert parse(text) == value


@pytest.mark.parametrize(
    ("parse", "text", "message"),
    [
        (bpm_range, "fast", "'fast' is no range of BPM, like 120-128"),
        (bpm_range, "128-120", "lower first"),
        (bpm_range, "0-128", "give 10 to 1000"),
        (bpm_range, "-5", "no range"),
        (year_range, "1999-1990", "the earlier first"),
        (year_range, "1990.5", "give whole ones"),
        (key_wish, "13A", "no key '13A'; give one like 8A"),
        (family_weights, "timber=2", "no family 'timber'; there are timbre, harmony"),
        (family_weights, "timbre", "'timbre' is no weight, give timbre=NUMBER, 0 or more"),
        (family_weights, "timbre=-1", "0 or more"),
        (family_weights, "timbre=nan", "0 or more"),
        (family_weights, "timbre=1,timbre=2", "timbre is given twice"),
        (family_weights, "", "no family ''"),
    ],
)
def test_wishes_that_cannot_be_read(parse, text, message):
    with pytest.raises(argparse.ArgumentTypeError, match=message):
        parse(text)


def test_every_key_can_be_wished():
    for key in KEYS:
        assert key_wish(key) == key
