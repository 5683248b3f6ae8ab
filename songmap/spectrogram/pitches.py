"""The strength of each semitone in spectrograms, by their peaks.

A semitone is a MIDI note, 69 for A at 440 Hz; other tunings are not estimated. Peaks count where bands are at most
about a semitone apart, up to 5 kHz, as in Gómez (2006), Tonal description of polyphonic audio.
"""

import numpy as np
from scipy.ndimage import uniform_filter1d

N_NOTES = 120  # up to 7.9 kHz
_HIGHEST_HZ = 5000.0
_WIDEST_SEMITONES = 1.1  # between bands
_LEAST_RISE_DB = 6.0  # above the mean of the bands around a peak
_AROUND = 11  # bands


def note_strengths(level_db: np.ndarray, frequencies_hz: np.ndarray, floor_db: float) -> np.ndarray:
    """Amplitude of the peaks near each semitone.

    Parameters
    ----------
    level_db : ndarray (n, n_bands, n_frames)
        Levels below a maximum, at most 0 dB.
    frequencies_hz : ndarray (n_bands,)
        Centres of the bands, rising.
    floor_db : float
        Peaks not above it do not count.

    Returns
    -------
    ndarray, float64 (n, n_frames, N_NOTES)
        A peak's frequency is interpolated by a parabola; its amplitude is shared between the two notes next to it.
    """
    n, _, n_frames = level_db.shape
    before, middle, after = level_db[:, :-2], level_db[:, 1:-1], level_db[:, 2:]
    around = uniform_filter1d(level_db, _AROUND, axis=1)[:, 1:-1]
    is_peak = (middle > before) & (middle >= after) & (middle > floor_db) & (middle - around >= _LEAST_RISE_DB)
    is_peak &= _is_resolved(frequencies_hz)[None, :, None]
    excerpts, bands, frames = np.nonzero(is_peak)
    low, top, high = before[is_peak], middle[is_peak], after[is_peak]
    shift = 0.5 * (low - high) / (low - 2 * top + high)
    notes = np.interp(bands + 1 + shift, np.arange(len(frequencies_hz)), _notes(frequencies_hz))
    below = np.floor(notes).astype(int)
    amplitude = 10.0 ** (top / 20)
    places = (excerpts * n_frames + frames) * N_NOTES + below
    size = n * n_frames * N_NOTES
    strengths = np.bincount(places, amplitude * (1 - (notes - below)), size)
    strengths += np.bincount(places + 1, amplitude * (notes - below), size)
    return strengths.reshape(n, n_frames, N_NOTES)


def _notes(frequencies_hz: np.ndarray) -> np.ndarray:
    """MIDI notes, not rounded."""
    return 69 + 12 * np.log2(np.maximum(frequencies_hz, 1e-3) / 440)


def _is_resolved(frequencies_hz: np.ndarray) -> np.ndarray:
    """Which bands but the first and last are near enough to their neighbours, and low enough, ``(n_bands - 2,)``."""
    distances = np.diff(_notes(frequencies_hz))
    is_near = np.maximum(distances[:-1], distances[1:]) <= _WIDEST_SEMITONES
    return is_near & (frequencies_hz[1:-1] <= _HIGHEST_HZ)
