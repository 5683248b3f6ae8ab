"""Probes measure what they are named after, on sounds that differ in nothing else."""

import numpy as np
import pytest
from signals import RATE_HZ, clicks, music, noise, speech, tone

from songmap.features.signal import Signal
from songmap.spectrogram.excerpts import KINDS, band_frequencies_hz, excerpts_of
from songmap.spectrogram.pitches import note_strengths
from songmap.spectrogram.probe_sounds import probe_sounds
from songmap.spectrogram.probes import FLOOR_DB, PROBE_NAMES, probe_values

_PAIRS = 3


def probes_of(sounds: np.ndarray, kind: str = "image") -> dict[str, np.ndarray]:
    """Every probe of sounds, each an excerpt."""
    values = np.concatenate([excerpts_of(Signal.of(samples), kind)[0] for samples in sounds])
    measured = probe_values(values, band_frequencies_hz(kind), 1 / KINDS[kind].hop_s)
    return dict(zip(PROBE_NAMES, measured.T, strict=True))


@pytest.mark.parametrize(
    ("kind", "probe"),
    [("image", name) for name in PROBE_NAMES[12:]] + [("frames", name) for name in ("major_third", "vibrato", "level")],
)
def test_a_probe_is_higher_for_every_sound_with_its_property(kind, probe):
    have, lack = (probes_of(sounds, kind)[probe] for sounds in probe_sounds(probe, KINDS[kind].length_s, _PAIRS, 1))
    assert have.shape == lack.shape == (_PAIRS,)
    assert (have > lack).all()


@pytest.mark.parametrize("probe", PROBE_NAMES[:12])
def test_a_pitch_class_is_most_of_its_tones(probe):
    have, lack = (probes_of(sounds)[probe] for sounds in probe_sounds(probe, 6.0, 2, 1))
    assert have.min() > 0.9
    assert lack.max() < 0.1


def test_a_vibrato_scores_high_on_vibrato_and_low_on_bass_and_a_tremolo_does_not():
    time_s = np.arange(6 * RATE_HZ) / RATE_HZ
    movement = 2.0 ** (0.5 / 12 * np.sin(2 * np.pi * 6 * time_s))
    vibrato = np.sin(2 * np.pi * np.cumsum(440 * movement) / RATE_HZ)
    tremolo = tone(440, 6) * (1 + 0.5 * np.sin(2 * np.pi * 6 * time_s))
    measured = probes_of(np.stack([vibrato, tremolo, tone(440, 6), noise(6), tone(80, 6)]))
    assert measured["vibrato"].argmax() == 0
    assert measured["vibrato"][0] > 3 * np.abs(measured["vibrato"][1:4]).max()
    assert measured["bass_level"][0] < FLOOR_DB + 2 < measured["bass_level"][4] - 10


def test_intervals_are_the_correlation_of_two_pitch_classes():
    dyads = np.stack([tone(440, 6, level=0.4) + tone(440 * 2 ** (steps / 12), 6, level=0.4) for steps in (3, 4, 7, 12)])
    measured = probes_of(dyads)
    for place, name in enumerate(("minor_third", "major_third", "fifth")):
        expected = np.full(4, -0.2)
        expected[place], expected[3] = 0.4, -1 / 11
        np.testing.assert_allclose(measured[name], expected, atol=0.03)
    np.testing.assert_allclose(measured["octave"], [0, 0, 0, 0.5], atol=0.05)


def test_kinds_of_music_differ_as_people_would_expect():
    measured = probes_of(np.stack([music(6), speech(6), clicks(124, 6), noise(6)]))
    assert measured["kick_periodicity"].argmin() in (1, 3)
    assert measured["broadband_hits"].argmax() == 2
    assert measured["noisiness"].argmin() == 0
    assert measured["vocal_modulation"][1] > 10 * measured["vocal_modulation"][3]


@pytest.mark.parametrize("kind", KINDS)
def test_silence_and_a_constant_have_finite_values(kind):
    one = KINDS[kind]
    values = np.stack([np.full((one.n_bands, one.n_frames), level, np.float16) for level in (-80, 0)])
    measured = probe_values(values, band_frequencies_hz(kind), 1 / one.hop_s)
    assert np.isfinite(measured).all()
    assert measured[:, PROBE_NAMES.index("silence")].tolist() == [1, 0]
    assert measured[0, PROBE_NAMES.index("level")] == pytest.approx(FLOOR_DB)


def test_blocks_change_nothing():
    values = np.random.default_rng(0).uniform(-80, 0, (40, 100, 100)).astype(np.float16)
    together = probe_values(values, band_frequencies_hz("image"), 1 / 0.06)
    apart = np.concatenate(
        [probe_values(values[place : place + 1], band_frequencies_hz("image"), 1 / 0.06) for place in range(40)]
    )
    np.testing.assert_allclose(together, apart, rtol=1e-6, atol=1e-9)


def test_a_peak_between_bands_is_shared_by_its_notes():
    frequencies_hz = 440 * 2.0 ** (np.arange(-6, 7) / 12)
    level_db = np.full((1, 13, 1), -60.0)
    level_db[0, 5:8, 0] = -20, 0, -10  # the parabola's top is a sixth of a band above 440 Hz
    strengths = note_strengths(level_db, frequencies_hz, -60.0)[0, 0]
    shift = 0.5 * (-20 + 10) / (-20 - 10)
    assert strengths[69] == pytest.approx(1 - shift)
    assert strengths[70] == pytest.approx(shift)
    assert strengths.sum() == pytest.approx(1)


def test_sounds_are_the_same_for_the_same_seed():
    first, again, other = (probe_sounds("vibrato", 1.0, 2, seed)[0] for seed in (3, 3, 4))
    assert (first == again).all()
    assert (first != other).any()
    assert np.abs(first).max(axis=1) == pytest.approx(1)
