"""Which tempo counts: the genre's octave, and tags that agree with what is measured."""

import numpy as np
import pandas as pd
import pytest

from songmap.library.tempos import MEASURED, OCTAVE, TAG, octave_factors, tempos_of

RNG = np.random.default_rng(0)


def test_songs_an_octave_from_a_clear_genre_are_moved():
    tempos = np.append(RNG.uniform(165, 182, 18), [87.0, 86.0, 344.0, 120.0, 0.0])
    factors = octave_factors(tempos, np.full(len(tempos), "DRUM AND BASS", dtype=object))
    assert factors[:18].tolist() == [1] * 18
    assert factors[18:].tolist() == [2, 2, 0.5, 1, 1]  # 120 is neither half nor double


@pytest.mark.parametrize("what", ["spread tempos", "few songs", "an unknown genre", "two halves"])
def test_where_a_genre_is_not_clear_nothing_is_moved(what):
    n_songs, genre = (9 if what == "few songs" else 40), "UNKNOWN" if what == "an unknown genre" else "X"
    tempos = {"spread tempos": RNG.uniform(60, 180, n_songs), "two halves": np.repeat([87.0, 174.0], n_songs // 2)}.get(
        what, np.append(np.full(n_songs - 1, 170.0), 85.0)
    )
    assert (octave_factors(tempos, np.full(n_songs, genre, dtype=object)) == 1).all()


def test_each_genre_has_its_own_octave():
    genres = np.repeat(np.array(["DOWNTEMPO", "JUNGLE"], dtype=object), 12)
    tempos = np.append(np.full(12, 82.0), np.full(12, 164.0))
    tempos[[3, 20]] = 164, 82
    assert np.flatnonzero(octave_factors(tempos, genres) != 1).tolist() == [3, 20]
    assert octave_factors(tempos, genres)[[3, 20]].tolist() == [0.5, 2]


@pytest.mark.parametrize(
    ("measured", "tag", "counts", "from_tag"),
    [
        (127.98, 128.0, 128.0, True),
        (87.1, 174.0, 174.0, True),  # the tag knows the octave
        (174.2, 87.0, 87.0, True),
        (128.0, 96.0, 128.0, False),  # contradicts
        (128.0, 134.0, 128.0, False),
        (0.0, 120.0, 120.0, True),  # nothing is measured that it could contradict
        (np.nan, 120.0, 120.0, True),
        (128.0, np.nan, 128.0, False),
        (0.0, np.nan, 0.0, False),
    ],
)
def test_a_tag_counts_unless_it_contradicts(measured, tag, counts, from_tag):
    songs = pd.DataFrame({"tempo_bpm": [measured], "tag_bpm": [tag], "tempo_octave": [1.0]})
    alone = 0.0 if np.isnan(measured) else measured
    own = MEASURED if alone else ""
    assert [values.tolist() for values in tempos_of(songs)] == [[counts], [TAG if from_tag else own]]
    assert [values.tolist() for values in tempos_of(songs, MEASURED)] == [[alone], [own]]


def test_a_tempo_in_the_octave_of_its_genre_says_so():
    songs = pd.DataFrame({"tempo_bpm": [174.0, 174.0, 174.0], "tag_bpm": [np.nan, 87.0, np.nan]})
    songs["tempo_octave"] = [2.0, 2.0, np.nan]  # the last is of an older version
    assert [values.tolist() for values in tempos_of(songs)] == [[174, 87, 174], [OCTAVE, TAG, MEASURED]]
