"""Keys: the estimate on chords and scales, keys as tags write them, the Camelot wheel."""

import librosa
import numpy as np
import pytest
from signals import RATE_HZ

from songmap.library.keys import (
    ESTIMATE,
    KEYS,
    LEAST_MARGIN,
    NO_KEY,
    TAG,
    camelot,
    compatible,
    estimate_keys,
    key_margins,
    key_name,
    key_number,
    keys_of,
    wheel_steps,
)
from songmap.library.schema import N_COLUMNS, block_slice


def with_chroma(chroma: np.ndarray) -> np.ndarray:
    embeddings = np.zeros((len(chroma), N_COLUMNS), np.float32)
    embeddings[:, block_slice("chroma", "mean")] = chroma
    return embeddings


def test_scales_are_recognised_in_every_transposition():
    scales = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 11)}
    for index, key in enumerate(KEYS):
        chroma = np.full(12, 0.1)
        for step in scales[key.split()[1]]:
            chroma[(index + step) % 12] += 0.5
        for step in (0, scales[key.split()[1]][2], 7):
            chroma[(index + step) % 12] += 0.4
        keys, strength = estimate_keys(with_chroma(chroma[None]))
        assert KEYS[keys[0]] == key
        assert 0.7 < strength[0] <= 1


C_MAJOR = np.array([5, 2, 3.5, 2, 4.5, 4, 2, 4.5, 2, 3.5, 1.5, 4])
BOTH = C_MAJOR + np.roll(C_MAJOR, 6)  # as much C major as F# major


def test_the_margin_is_small_where_two_keys_fit():
    sure, unsure = key_margins(with_chroma(np.stack([C_MAJOR, BOTH])))
    assert sure > 2 * LEAST_MARGIN
    assert unsure < LEAST_MARGIN / 3
    assert key_margins(with_chroma(np.full((1, 12), 0.7))).tolist() == [0]
    shifted = [key_margins(with_chroma(np.roll(C_MAJOR, shift)[None]))[0] for shift in range(12)]
    np.testing.assert_allclose(shifted, sure, atol=1e-6)


@pytest.mark.parametrize(
    ("tag", "chroma", "key", "source"),
    [
        ("", C_MAJOR, "C major", ESTIMATE),
        ("", BOTH, None, ""),  # low margins count as unknown
        ("Gb", BOTH, "F# major", TAG),
        ("nonsense", C_MAJOR, "C major", ESTIMATE),
        ("Am", C_MAJOR, "A minor", TAG),  # the relative: the tag knows the tonic
        ("9B", C_MAJOR, "G major", TAG),
        ("F#", C_MAJOR, "C major", ESTIMATE),  # contradicts what is sure
        ("Dm", np.full(12, 0.7), "D minor", TAG),
        ("", np.full(12, 0.7), None, ""),
    ],
)
def test_a_tag_counts_unless_it_contradicts_a_sure_estimate(tag, chroma, key, source):
    keys, sources = keys_of([tag], with_chroma(chroma[None]))
    assert (keys.tolist(), sources.tolist()) == ([KEYS.index(key) if key else NO_KEY], [source])


def test_an_audible_cadence_is_in_its_key():
    """A minor: i iv V i with sounding tones, through librosa's chroma."""
    chords = [(57, 60, 64), (57, 62, 65), (56, 59, 64), (57, 60, 64)]
    time_s = np.arange(RATE_HZ) / RATE_HZ
    signal = np.concatenate(
        [sum(np.sin(2 * np.pi * librosa.midi_to_hz(note) * time_s) for note in chord) for chord in chords]
    )
    chroma = librosa.feature.chroma_cqt(y=signal.astype(np.float32), sr=RATE_HZ).mean(axis=1)
    assert KEYS[estimate_keys(with_chroma(chroma[None]))[0][0]] == "A minor"


def test_no_tonality_is_no_key():
    keys, strength = estimate_keys(with_chroma(np.stack([np.zeros(12), np.full(12, 0.7)])))
    assert keys.tolist() == [NO_KEY, NO_KEY]
    assert strength.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("A", "A major"), ("Am", "A minor"), ("F#m", "F# minor"), ("Gb", "F# major"), ("Bbm", "A# minor"),
        ("B♭ minor", "A# minor"), ("c maj", "C major"), ("DM", "D major"), ("8A", "A minor"), ("08b", "C major"),
        ("12A", "C# minor"), ("Eb min", "D# minor"), ("bb", "A# major"), ("Cb", "B major"),
    ],
)  # fmt: skip
def test_tags_name_keys(text, key):
    assert KEYS[key_number(text)] == key


@pytest.mark.parametrize("text", ["", "o", "13A", "0A", "H", "A minor-ish", "120"])
def test_other_texts_name_none(text):
    assert key_number(text) == NO_KEY


def test_the_camelot_wheel():
    """As printed on the wheel of harmonic mixing."""
    expected = {"A minor": "8A", "C major": "8B", "E minor": "9A", "G major": "9B", "F major": "7B", "G# minor": "1A",
                "B major": "1B", "C# minor": "12A", "E major": "12B", "F minor": "4A", "G# major": "4B"}  # fmt: skip
    assert {key: camelot(KEYS.index(key)) for key in expected} == expected
    assert len({camelot(key) for key in range(24)}) == 24
    a_minor = KEYS.index("A minor")
    assert [KEYS[key] for key in range(24) if compatible(a_minor, key)] == ["C major", "D minor", "E minor", "A minor"]
    assert not compatible(a_minor, NO_KEY)


def test_steps_on_the_wheel_count_fifths():
    """Major keys k fifths apart share 7 - k notes; a minor key has the notes of its relative."""
    scale = np.zeros((24, 12), bool)
    for key in range(24):
        scale[key, (key + np.array((0, 2, 4, 5, 7, 9, 11) if key < 12 else (0, 2, 3, 5, 7, 8, 10))) % 12] = True
    shared = scale.astype(int) @ scale.T
    fifths, other_mode = wheel_steps(np.arange(24)[:, None], np.arange(24))
    np.testing.assert_array_equal(shared, np.maximum(7 - fifths, 2))
    np.testing.assert_array_equal(other_mode, (np.arange(24)[:, None] < 12) != (np.arange(24) < 12))


def test_many_keys_at_once_are_what_each_is_alone():
    keys = np.arange(-1, 24)
    expected = [[bool(compatible(key, other)) for other in keys] for key in keys.tolist()]
    np.testing.assert_array_equal(compatible(keys[:, None], keys), expected)
    assert not compatible(keys, NO_KEY).any()
    assert compatible(keys[1:, None], keys[1:]).sum(axis=1).tolist() == [4] * 24


def test_a_key_for_people():
    assert key_name(KEYS.index("F# minor")) == "11A (F# minor)"
    assert key_name(NO_KEY) == ""
