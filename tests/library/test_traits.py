"""Traits of songs, and their words."""

import numpy as np
import pytest
from libraries import make_library

from songmap.library.schema import COLUMNS
from songmap.library.trait_words import ADJECTIVES, NOUNS, pair_sentence
from songmap.library.traits import QUALITIES, PairTraits, Trait, pair_traits, qualities, traits

C_MAJOR, G_MAJOR, F_SHARP_MAJOR = 0, 7, 6


def song_of(**columns: float) -> np.ndarray:
    embedding = np.zeros((1, len(COLUMNS)))
    for name, value in columns.items():
        embedding[0, COLUMNS.index(name)] = value
    return embedding


def test_qualities_are_what_their_names_say():
    song = song_of(
        centroid_mean=1500, rms_mean=0.2, rms_std=0.05, percussive_rms_mean=0.1, harmonic_rms_mean=0.3,
        onset_strength_mean=1.5, pulse_clarity=0.4, tempo_bpm=99,
    )  # fmt: skip
    expected = {
        "tempo": 120, "brightness": 1500, "loudness": 0.2, "dynamics": 0.25, "percussion": 0.25, "onsets": 1.5, "pulse": 0.4
    }  # fmt: skip
    assert dict(zip(QUALITIES, qualities(song, np.array([120.0]))[0], strict=True)) == pytest.approx(expected)


def test_silence_without_a_tempo_has_a_value_but_for_tempo():
    values = qualities(song_of(), np.array([0.0]))[0]
    assert np.isnan(values[0])
    assert not values[1:].any()


def test_traits_are_the_outer_thirds_of_the_library():
    library = np.tile(np.arange(99.0)[:, None], len(QUALITIES))
    for value, direction in ((0, "low"), (32, "low"), (34, None), (64, None), (66, "high"), (98, "high")):
        found = {one.direction for one in traits(library[value], library)}
        assert found == ({direction} if direction else set())


def test_equal_songs_have_no_trait():
    library = np.ones((5, len(QUALITIES)))
    assert traits(library[0], library) == ()


def test_the_clearest_trait_is_first_and_a_pair_is_as_clear_as_the_less_clear_song():
    first = (Trait("tempo", "low", 1.0), Trait("pulse", "high", 90.0), Trait("loudness", "low", 20.0))
    second = (Trait("tempo", "low", 30.0), Trait("pulse", "high", 90.0), Trait("loudness", "high", 80.0))
    pair = pair_traits(first, second)
    assert [one.quality for one in pair.shared] == ["pulse", "tempo"]
    assert pair.opposite == (Trait("loudness", "low", 20.0),)


def test_every_trait_has_words():
    assert {*ADJECTIVES, *NOUNS} == {(quality, direction) for quality in QUALITIES for direction in ("low", "high")}


@pytest.mark.parametrize(
    ("shared", "opposite", "keys", "sentence"),
    [
        (["tempo", "brightness"], [], (C_MAJOR, F_SHARP_MAJOR), "Both are slow and dark; they differ in key."),
        (["percussion"], [], (C_MAJOR, G_MAJOR), "Both have little percussion; their keys are compatible."),
        (
            [], ["tempo", "pulse"], (C_MAJOR, C_MAJOR),
            "A is slow, with a free pulse, while B is fast, with a steady pulse; they are in the same key.",
        ),
        ([], [], (-1, C_MAJOR), "They have nothing striking in common and no striking difference."),
    ],
)  # fmt: skip
def test_a_pair_in_words(shared, opposite, keys, sentence):
    low = [tuple(Trait(name, "low", 10.0) for name in names) for names in (shared, opposite)]
    assert pair_sentence(PairTraits(*low), keys) == sentence


def test_traits_of_a_library():
    library = make_library(9)
    values = qualities(np.abs(library.embeddings), library.songs["tempo_bpm"].to_numpy())
    assert all(one.quality != "tempo" for one in traits(values[0], values))  # all have the same
