"""The score of a change from one song to the next: its parts against their definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from songmap.library.keys import KEYS, NO_KEY, camelot, compatible
from songmap.similar.transitions import (
    NO_ARTIST,
    UNKNOWN,
    Tracks,
    artist_codes,
    key_fit,
    pairwise_scores,
    scores,
    similarity_fit,
    tempo_change,
    tempo_distance,
    tempo_fit,
    transitions,
)
from tests.tracks import search_of

bpms = st.floats(20, 400)


def tracks_of(cosines_to_first, tempos, keys) -> Tracks:
    """Song 0, and songs of given similarity to it."""
    units = np.zeros((len(tempos), 641), dtype=np.float32)
    units[:, 0] = cosines_to_first
    units[:, 1] = np.sqrt(1 - np.square(cosines_to_first))
    codes = np.arange(len(tempos))
    return Tracks(search_of(units), np.array(tempos, dtype=float), np.array(keys), codes, codes)


def key(code: str) -> int:
    return next(key for key in range(len(KEYS)) if camelot(key) == code)


@given(bpms, bpms)
def test_tempo_fits_the_same_up_and_down_and_at_half_and_double(before, after):
    fit = tempo_fit(before, after)
    assert 0 < fit <= 1
    assert tempo_fit(after, before) == pytest.approx(fit)
    if 0.5 <= after / before <= 1:
        assert tempo_fit(before, 2 * after) == pytest.approx(fit)
    if 1 <= after / before <= 2:
        assert tempo_fit(before, after / 2) == pytest.approx(fit)


def test_six_percent_are_free_and_every_further_six_halve():
    assert tempo_fit(100, [100, 94.4, 106, 50, 200, 53, 212]).tolist() == [1] * 7
    assert tempo_fit(100, [100 * 1.06**2, 100 / 1.06**2, 100 * 1.06**3]) == pytest.approx([0.5, 0.5, 0.25])
    further = tempo_fit(100, np.linspace(106.1, 140, 50))
    assert (np.diff(further) < 0).all()
    assert tempo_fit(40, 160) == pytest.approx(tempo_fit(40, 640), abs=1e-3) == pytest.approx(0, abs=1e-3)


def test_what_remains_of_a_tempo_change_is_exact():
    factor, change = tempo_change(np.array([128, 140, 70, 0, np.nan]), np.array([126, 71, 139, 120, 120]))
    np.testing.assert_array_equal(factor, [1, 0.5, 2, np.nan, np.nan])
    np.testing.assert_allclose(change, [126 / 128 - 1, 142 / 140 - 1, 139 / 140 - 1, np.nan, np.nan])
    assert tempo_distance(100, [106, 100 / 1.06]) == pytest.approx([1, 1])


def test_unknown_tempos_and_keys_are_neutral():
    assert tempo_fit([0, 120, np.nan, 0], [120, 0, 120, 0]).tolist() == [UNKNOWN] * 4
    assert key_fit([NO_KEY, 3, NO_KEY], [3, NO_KEY, NO_KEY]).tolist() == [UNKNOWN] * 3


def test_keys_fit_by_the_notes_that_they_share():
    scale = {
        number: {(pitch + step) % 12 for step in ((0, 2, 4, 5, 7, 9, 11) if not minor else (0, 2, 3, 5, 7, 8, 10))}
        for number in range(24)
        for minor, pitch in [divmod(number, 12)]
    }
    for first in range(24):
        for second in range(24):
            common = (len(scale[first] & scale[second]) - 2) / 5
            expected = max(common - 0.1 * (first // 12 != second // 12), 0)
            assert key_fit(first, second) == pytest.approx(expected)
            assert (key_fit(first, second) > 0.75) == compatible(first, second)
    assert key_fit(key("8A"), [key("8A"), key("8B"), key("9A"), key("7A")]) == pytest.approx([1, 0.9, 0.8, 0.8])


def test_a_score_is_the_weighted_mean_of_its_parts():
    tracks = tracks_of([1, 0.4, -1, 1, 0], [120, 120 * 1.06**2, 170, 120, 0], [0, 0, 6, 0, NO_KEY])
    parts = [(0.52, 0.5, 1), (0, float(tempo_fit(120, 170)), 0), (1, 1, 1), (0.2, 0.5, 0.5)]
    expected = [0.6 * similarity + 0.25 * tempo + 0.15 * harmony for similarity, tempo, harmony in parts]
    assert scores(tracks, 0, [1, 2, 3, 4]) == pytest.approx(expected)


def test_more_similar_is_always_better():
    fits = similarity_fit(np.linspace(-1, 1, 41))
    assert (np.diff(fits) > 0).all()
    assert fits[[0, 20, 40]] == pytest.approx([0, 0.2, 1])


@given(st.integers(0, 1000), st.integers(1, 8))
def test_scores_are_equal_in_both_directions_and_within_range(seed, n_songs):
    rng = np.random.default_rng(seed)
    tracks = tracks_of(rng.uniform(-1, 1, n_songs), rng.uniform(0, 240, n_songs), rng.integers(-1, 24, n_songs))
    matrix = pairwise_scores(tracks, np.arange(n_songs))
    assert matrix.shape == (n_songs, n_songs)
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-12)
    assert ((matrix >= 0) & (matrix <= 1 + 1e-12)).all()
    changes = transitions(tracks, np.arange(n_songs))
    assert [change.score for change in changes] == pytest.approx(np.diag(matrix, 1))
    assert [change.rows for change in changes] == [(row, row + 1) for row in range(n_songs - 1)]


def test_a_transition_holds_the_parts_of_its_score():
    tracks = tracks_of([1, 0.71], [128, 126], [key("8A"), key("9A")])
    change = transitions(tracks, [0, 1])[0]
    assert change.tempo_fit == tempo_fit(128, 126) == 1
    assert change.key_fit == key_fit(key("8A"), key("9A"))
    assert change.keys_compatible
    assert not transitions(tracks_of([1, 0.71], [128, 126], [key("8A"), key("3B")]), [0, 1])[0].keys_compatible


def test_artists_are_distinguished_but_not_by_case_accents_or_guests():
    codes = artist_codes(["Björk", "bjork", "", "Ann", "BJÖRK ", "  ", "Various Artists", "Björk feat. Ann"])
    assert codes[0] == codes[1] == codes[4] == codes[7] != codes[3]
    assert codes[2] == codes[5] == codes[6] == NO_ARTIST
    assert len(artist_codes([])) == 0
