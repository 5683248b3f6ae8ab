"""Probes: known properties of sound, each measured as one number per excerpt, to compare filters' activations with.

One number per excerpt, since a vibrato or a beat exists over seconds and not at a frame, and since networks too pool
their activations over an excerpt. All are computed from the spectrograms that networks see, ``(n, n_bands, n_frames)``
in dB below a maximum: what is not in those no filter can respond to, and no audio is decoded again. Levels are clipped
60 dB below the maximum, so that a noise floor counts for nothing.

References
----------
Pitch classes: Gómez (2006), Tonal description of polyphonic audio for music content processing. Vibrato, 4-8 Hz:
Regnier & Peeters (2009), Singing voice detection in music tracks using direct voice vibrato detection. Onset strength:
Bello et al. (2005), A tutorial on onset detection in music signals. Periodicity: Ellis (2007), Beat tracking by dynamic
programming. Syllables, 3-8 Hz: Scheirer & Slaney (1997), Construction and evaluation of a robust multifeature
speech/music discriminator. Centroid and flatness: Peeters (2004), A large set of audio features.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from scipy.ndimage import uniform_filter1d

from songmap.core.progress import OnProgress
from songmap.library.schema import PITCH_CLASSES
from songmap.spectrogram.pitches import N_NOTES, note_strengths

FLOOR_DB = -60.0
BASS_HZ = 150.0
VIBRATO_HZ = (4.0, 8.0)
VOICE_HZ = (300.0, 3400.0)  # a telephone's
SYLLABLES_HZ = (3.0, 8.0)
KICK_BPM = (100.0, 160.0)
_AROUND = 11  # bands
_STEADY_DB = 3.0
_SMOOTHING_S = 0.12
_BLOCK = 32  # excerpts at a time


@dataclass(frozen=True)
class Spectrograms:
    """Some excerpts: ``level_db (n, n_bands, n_frames)`` of at least ``FLOOR_DB``, and what several probes need of them."""

    level_db: np.ndarray
    frequencies_hz: np.ndarray
    frame_rate_hz: float

    @cached_property
    def power(self) -> np.ndarray:
        """``(n, n_bands, n_frames)``, relative to the maximum."""
        return 10.0 ** (self.level_db / 10)

    @cached_property
    def frame_level_db(self) -> np.ndarray:
        """Level of the mean power of all bands, ``(n, n_frames)``."""
        return 10 * np.log10(self.power.mean(axis=1))

    @cached_property
    def is_sounding(self) -> np.ndarray:
        """Frames with a band above the floor, ``(n, n_frames)``."""
        return self.level_db.max(axis=1) > FLOOR_DB

    @cached_property
    def notes(self) -> np.ndarray:
        """Strength of each semitone, ``(n, n_frames, N_NOTES)``; see ``pitches``."""
        return note_strengths(self.level_db, self.frequencies_hz, FLOOR_DB)

    @cached_property
    def pitch_classes(self) -> np.ndarray:
        """Strength of each pitch class, C first, ``(n, n_frames, 12)``."""
        return self.notes.reshape(*self.notes.shape[:2], N_NOTES // 12, 12).sum(axis=2)

    def band_level_db(self, low_hz: float, high_hz: float) -> np.ndarray:
        """Mean level of the bands from ``low_hz`` to ``high_hz``, ``(n, n_frames)``."""
        return self.level_db[:, (self.frequencies_hz >= low_hz) & (self.frequencies_hz <= high_hz)].mean(axis=1)

    def modulation(self, levels: np.ndarray, low_hz: float, high_hz: float) -> np.ndarray:
        """The part of ``levels (…, n_frames)`` that varies at ``low_hz`` to ``high_hz``, as a spectrum.

        The real part of the product of one with another's conjugate, summed, is their covariance.
        """
        n_frames = levels.shape[-1]
        window = np.hanning(n_frames)
        rates_hz = np.fft.rfftfreq(n_frames, 1 / self.frame_rate_hz)
        chosen = (rates_hz >= low_hz) & (rates_hz <= high_hz)
        spectrum = np.fft.rfft((levels - levels.mean(axis=-1, keepdims=True)) * window)[..., chosen]
        return spectrum * np.sqrt(2 / np.mean(window**2)) / n_frames


@dataclass(frozen=True)
class Probe:
    """``measure`` gives a number in ``unit`` for each excerpt, ``(n,)``: more of the property is higher."""

    name: str
    unit: str
    measure: Callable[[Spectrograms], np.ndarray]


def probe_values(
    values: np.ndarray, frequencies_hz: np.ndarray, frame_rate_hz: float, on_progress: OnProgress | None = None
) -> np.ndarray:
    """All probes of excerpts.

    Parameters
    ----------
    values : ndarray (n, n_bands, n_frames)
        Levels in dB below a maximum, at most 0; may be mapped into memory.
    frequencies_hz : ndarray (n_bands,)
        Centres of the bands, rising.
    frame_rate_hz : float
        Frames per second.
    on_progress : callable, optional
        Called with the numbers of finished and of all excerpts.

    Returns
    -------
    ndarray, float64 (n, n_probes)
        A column for each of ``PROBES``.
    """
    result = np.empty((len(values), len(PROBES)))
    for start in range(0, len(values), _BLOCK):
        level_db = np.maximum(values[start : start + _BLOCK].astype(np.float32), FLOOR_DB)
        spectrograms = Spectrograms(level_db, frequencies_hz, frame_rate_hz)
        result[start : start + _BLOCK] = np.stack([probe.measure(spectrograms) for probe in PROBES], axis=1)
        if on_progress is not None:
            on_progress(min(start + _BLOCK, len(values)), len(values))
    return result


def _mean_of_frames(values: np.ndarray, chosen: np.ndarray, otherwise: float) -> np.ndarray:
    """Mean over ``chosen (n, n_frames)`` frames; ``otherwise`` where there are none."""
    counts = chosen.sum(axis=1)
    sums = np.where(chosen, values, 0.0).sum(axis=1)
    return np.where(counts > 0, sums / np.maximum(counts, 1), otherwise)


def _pitch_class(excerpts: Spectrograms, number: int) -> np.ndarray:
    """Share of one pitch class in the strength of all, mean over frames with a pitch; equal shares without one."""
    total = excerpts.pitch_classes.sum(axis=2)
    shares = excerpts.pitch_classes[..., number] / np.where(total > 0, total, 1.0)
    return _mean_of_frames(shares, total > 0, 1 / 12)


def _interval(excerpts: Spectrograms, semitones: int) -> np.ndarray:
    """Circular autocorrelation of the 12 pitch classes at so many semitones, mean over frames with a pitch.

    A dyad of the interval gives 0.4, one pitch class and noise -1/11. A sixth has the value of a third, and a fourth that
    of a fifth; partials of one tone are a fifth and a major third too.
    """
    centred = excerpts.pitch_classes - excerpts.pitch_classes.mean(axis=2, keepdims=True)
    norm = (centred**2).sum(axis=2)
    products = (centred * np.roll(centred, semitones, axis=2)).sum(axis=2)
    return _mean_of_frames(products / np.where(norm > 0, norm, 1.0), norm > 0, -1 / 11)


def _octave(excerpts: Spectrograms) -> np.ndarray:
    """Autocorrelation of the semitones at 12, mean over frames with a pitch; first partials are an octave too."""
    norm = (excerpts.notes**2).sum(axis=2)
    products = (excerpts.notes[..., :-12] * excerpts.notes[..., 12:]).sum(axis=2)
    return _mean_of_frames(products / np.where(norm > 0, norm, 1.0), norm > 0, 0.0)


def _vibrato(excerpts: Spectrograms) -> np.ndarray:
    """Modulation at 4-8 Hz in opposite phase on both sides of a band, in dB; in equal phase, as of a tremolo, negative.

    A tone that moves up and down raises the bands above it while it lowers those below. Levels are those above the mean
    of the bands around, which drums raise at once; bands count by that too, so that tones count and noise does not.
    """
    above = excerpts.level_db - uniform_filter1d(excerpts.level_db, _AROUND, axis=1)
    spectrum = excerpts.modulation(above, *VIBRATO_HZ)
    products = -(spectrum[:, :-2] * spectrum[:, 2:].conj()).real.sum(axis=2)
    weights = np.maximum(above, 0).mean(axis=2)[:, 1:-1]
    total = weights.sum(axis=1)
    amount = (products * weights).sum(axis=1) / np.where(total > 0, total, 1.0)
    return np.sign(amount) * np.sqrt(np.abs(amount))


def _bass_level(excerpts: Spectrograms) -> np.ndarray:
    """Mean level of the bands below 150 Hz."""
    return excerpts.band_level_db(0, BASS_HZ).mean(axis=1)


def _kick_periodicity(excerpts: Spectrograms) -> np.ndarray:
    """Highest autocorrelation of the rise of the bass from frame to frame, at the periods of 100-160 BPM."""
    rise = np.maximum(np.diff(excerpts.band_level_db(0, BASS_HZ), axis=1), 0)
    rise -= rise.mean(axis=1, keepdims=True)
    power = (rise**2).mean(axis=1)
    slow, fast = (60 * excerpts.frame_rate_hz / bpm for bpm in KICK_BPM)
    lags = range(int(fast), min(int(np.ceil(slow)), rise.shape[1] - 1) + 1)
    products = np.stack([(rise[:, lag:] * rise[:, :-lag]).mean(axis=1) for lag in lags])
    return products.max(axis=0) / np.where(power > 0, power, 1.0)


def _broadband_hits(excerpts: Spectrograms) -> np.ndarray:
    """Rise of the level from frame to frame, median over bands, mean over time, in dB per second."""
    rise = np.maximum(np.diff(excerpts.level_db, axis=2), 0)
    return np.median(rise, axis=1).mean(axis=1) * excerpts.frame_rate_hz


def _sustained(excerpts: Spectrograms) -> np.ndarray:
    """Share of bands and seconds with sound whose level has a standard deviation below 3 dB; 0 without sound."""
    size = max(1, round(_SMOOTHING_S * excerpts.frame_rate_hz))
    levels = 10 * np.log10(uniform_filter1d(excerpts.power, size, axis=2))
    n, n_bands, n_frames = levels.shape
    second = min(n_frames, round(excerpts.frame_rate_hz))
    seconds = levels[..., : n_frames // second * second].reshape(n, n_bands, -1, second)
    has_sound = seconds.mean(axis=3) > FLOOR_DB + 10
    is_steady = has_sound & (seconds.std(axis=3) < _STEADY_DB)
    return is_steady.sum(axis=(1, 2)) / np.maximum(has_sound.sum(axis=(1, 2)), 1)


def _noisiness(excerpts: Spectrograms) -> np.ndarray:
    """Spectral flatness of the bands: geometric over arithmetic mean of power, in dB, mean over frames with sound."""
    flatness = excerpts.level_db.mean(axis=1) - excerpts.frame_level_db
    return _mean_of_frames(flatness, excerpts.is_sounding, FLOOR_DB)


def _brightness(excerpts: Spectrograms) -> np.ndarray:
    """Centroid of the bands' power, mean over frames with sound."""
    sums = np.einsum("nbt,b->nt", excerpts.power, excerpts.frequencies_hz)
    return _mean_of_frames(sums / excerpts.power.sum(axis=1), excerpts.is_sounding, 0.0)


def _vocal_modulation(excerpts: Spectrograms) -> np.ndarray:
    """Standard deviation of the level of 300-3,400 Hz, of its changes at 3-8 Hz, the rate of syllables; drums have it too."""
    spectrum = excerpts.modulation(excerpts.band_level_db(*VOICE_HZ), *SYLLABLES_HZ)
    return np.sqrt((np.abs(spectrum) ** 2).sum(axis=1))


def _silence(excerpts: Spectrograms) -> np.ndarray:
    return 1 - excerpts.is_sounding.mean(axis=1)


def _level(excerpts: Spectrograms) -> np.ndarray:
    return excerpts.frame_level_db.mean(axis=1)


_INTERVALS = {"minor_third": 3, "major_third": 4, "fifth": 7}
PROBES: Sequence[Probe] = (
    *(
        Probe(f"pitch_class_{name.lower().replace('#', '_sharp')}", "0…1", partial(_pitch_class, number=number))
        for number, name in enumerate(PITCH_CLASSES)
    ),
    *(Probe(name, "-1…1", partial(_interval, semitones=size)) for name, size in _INTERVALS.items()),
    Probe("octave", "0…1", _octave),
    Probe("vibrato", "dB", _vibrato),
    Probe("bass_level", "dB", _bass_level),
    Probe("kick_periodicity", "-1…1", _kick_periodicity),
    Probe("broadband_hits", "dB/s", _broadband_hits),
    Probe("sustained", "0…1", _sustained),
    Probe("noisiness", "dB", _noisiness),
    Probe("brightness", "Hz", _brightness),
    Probe("vocal_modulation", "dB", _vocal_modulation),
    Probe("silence", "0…1", _silence),
    Probe("level", "dB", _level),
)
PROBE_NAMES = tuple(probe.name for probe in PROBES)
