"""Synthesised sounds with and without what each probe measures, so that nothing else differs.

In a library, properties go together: where there is a kick there is a bass. Sounds that differ in one of them tell which
a filter responds to. Those of a pair have the same random numbers: pitches, times, noise. A quiet noise lies below all,
so that pauses are not digital silence, except where silence is the property.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
from scipy.signal import butter, sosfilt

from songmap.library.schema import PITCH_CLASSES, AudioConfig
from songmap.spectrogram.probes import KICK_BPM, PROBE_NAMES, SYLLABLES_HZ, VIBRATO_HZ, VOICE_HZ

RATE_HZ = AudioConfig().sample_rate_hz
_BED = 0.001  # of the noise below sounds of amplitude 1
_INTERVALS = {"minor_third": 3, "major_third": 4, "fifth": 7, "octave": 12}
_OTHER_INTERVALS = (1, 2, 6)  # none of those that are probed, nor the complement of one
_Make = Callable[[np.random.Generator, int, bool], np.ndarray]


def probe_sounds(probe: str, duration_s: float, number: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Sounds with and without the property of a probe.

    Parameters
    ----------
    probe : str
        One of ``PROBE_NAMES``.
    duration_s : float
    number : int
        Pairs of sounds.
    seed : int

    Returns
    -------
    tuple of ndarray, float32 (number, n_samples)
        With and without, at ``RATE_HZ``, of amplitude 1 at most; pairs in the same places.
    """
    size = int(np.ceil(duration_s * RATE_HZ))
    sounds: list[list[np.ndarray]] = [[], []]
    for pair in range(number):
        for has_property, made in zip((True, False), sounds, strict=True):
            random = np.random.default_rng([seed, PROBE_NAMES.index(probe), pair])
            samples = _MAKERS[probe](random, size, has_property)
            if probe != "silence":
                samples = samples + _BED * random.standard_normal(size)
            made.append((samples / np.abs(samples).max()).astype(np.float32))
    return np.stack(sounds[0]), np.stack(sounds[1])


def _times_s(size: int) -> np.ndarray:
    return np.arange(size) / RATE_HZ


def _tone(note: float | np.ndarray, size: int, n_partials: int = 4) -> np.ndarray:
    """A tone of a MIDI note that may vary, partial k of amplitude 1/k."""
    freq_hz = np.broadcast_to(440 * 2.0 ** ((np.asarray(note) - 69) / 12), size)
    phase = (2 * np.pi * (np.cumsum(freq_hz) / RATE_HZ % 1)).astype(
        np.float32
    )  # of which sines take a fifth of the time
    return sum((np.sin(number * phase) / number for number in range(1, n_partials + 1)), np.zeros(size))


def _chord(random: np.random.Generator, size: int) -> np.ndarray:
    root = random.uniform(57, 64)
    return sum((_tone(root + step, size) for step in (0, 4, 7)), np.zeros(size))


def _band_noise(random: np.random.Generator, size: int, low_hz: float, high_hz: float) -> np.ndarray:
    band = butter(4, (low_hz, high_hz), "bandpass", fs=RATE_HZ, output="sos")
    return sosfilt(band, random.standard_normal(size))


def _decays(times_s: np.ndarray, size: int, decay_s: float) -> np.ndarray:
    """An envelope that jumps to 1 at each time and falls."""
    since_s = np.full(size, np.inf)
    for start in np.round(np.sort(times_s) * RATE_HZ).astype(int):
        since_s[start:] = _times_s(size - start)
    return np.exp(-since_s / decay_s)


def _pitch_class(random: np.random.Generator, size: int, has_property: bool, number: int) -> np.ndarray:
    octave, away = (float(random.integers(*limits)) for limits in ((5, 7), (1, 12)))
    return _tone(12 * octave + number + (0 if has_property else away), size, 2)


def _interval(random: np.random.Generator, size: int, has_property: bool, semitones: int) -> np.ndarray:
    root, other = random.uniform(72, 79), random.choice(_OTHER_INTERVALS)
    return _tone(root, size, 1) + _tone(root + (semitones if has_property else other), size, 1)


def _vibrato(random: np.random.Generator, size: int, has_property: bool) -> np.ndarray:
    note, rate_hz, semitones = random.uniform(60, 79), random.uniform(VIBRATO_HZ[0] + 0.5, VIBRATO_HZ[1] - 1), 0.6
    movement = semitones * np.sin(2 * np.pi * rate_hz * _times_s(size)) if has_property else 0.0
    return _tone(note + movement, size)


def _bass(random: np.random.Generator, size: int, has_property: bool) -> np.ndarray:
    return _tone(random.uniform(29, 41) + (0 if has_property else 36), size, 2)


def _kick(random: np.random.Generator, size: int, has_property: bool) -> np.ndarray:
    beat_s = 60 / random.uniform(*KICK_BPM)
    beats_s = np.arange(0, size / RATE_HZ - 0.1, beat_s)
    times_s = beats_s if has_property else random.uniform(0, beats_s[-1], len(beats_s))
    return np.sin(2 * np.pi * 60 * _times_s(size)) * _decays(times_s, size, 0.06)


def _hits(random: np.random.Generator, size: int, has_property: bool) -> np.ndarray:
    times_s = random.uniform(0, size / RATE_HZ, max(2, int(4 * size / RATE_HZ)))
    envelope = _decays(times_s, size, 0.05)
    return random.standard_normal(size) * (envelope if has_property else np.sqrt(np.mean(envelope**2)))


def _sustained(random: np.random.Generator, size: int, has_property: bool) -> np.ndarray:
    times_s = np.arange(random.uniform(0, 0.3), size / RATE_HZ, 0.35)
    envelope = _decays(times_s, size, 0.1)
    return _chord(random, size) * (np.sqrt(np.mean(envelope**2)) if has_property else envelope)


def _noisy(random: np.random.Generator, size: int, has_property: bool) -> np.ndarray:
    low_hz = random.uniform(150, 300)
    noise = _band_noise(random, size, low_hz, 5000)
    tones = sum((_tone(69 + 12 * np.log2(hz / 440), size, 1) for hz in np.geomspace(low_hz, 5000, 8)), np.zeros(size))
    return noise if has_property else tones


def _bright(random: np.random.Generator, size: int, has_property: bool) -> np.ndarray:
    low_hz = random.uniform(300, 500)
    shift = 8 if has_property else 1
    return _band_noise(random, size, low_hz * shift, 2 * low_hz * shift)


def _syllables(random: np.random.Generator, size: int, has_property: bool) -> np.ndarray:
    rate_hz, phase = random.uniform(SYLLABLES_HZ[0] + 0.5, SYLLABLES_HZ[1] - 1), random.uniform(0, 2 * np.pi)
    envelope = 10 ** (np.sin(2 * np.pi * rate_hz * _times_s(size) + phase) - 1)
    return _band_noise(random, size, *VOICE_HZ) * (envelope if has_property else np.sqrt(np.mean(envelope**2)))


def _silent(random: np.random.Generator, size: int, has_property: bool) -> np.ndarray:
    samples = _chord(random, size)
    if has_property:
        samples[int(random.uniform(0.1, 0.5) * size) :] = 0
    return samples


def _loud(random: np.random.Generator, size: int, has_property: bool) -> np.ndarray:
    """Levels are relative to a song's maximum: a tenth of a second of it makes the rest quiet."""
    samples = random.standard_normal(size)
    start = int(random.uniform(0, 0.9) * size)
    if not has_property:
        samples[start : start + RATE_HZ // 10] *= 30
    return samples


_MAKERS: dict[str, _Make] = {
    **{name: partial(_pitch_class, number=number) for number, name in enumerate(PROBE_NAMES[: len(PITCH_CLASSES)])},
    **{name: partial(_interval, semitones=semitones) for name, semitones in _INTERVALS.items()},
    "vibrato": _vibrato,
    "bass_level": _bass,
    "kick_periodicity": _kick,
    "broadband_hits": _hits,
    "sustained": _sustained,
    "noisiness": _noisy,
    "brightness": _bright,
    "vocal_modulation": _syllables,
    "silence": _silent,
    "level": _loud,
}
