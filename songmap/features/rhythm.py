"""Rhythm from the onset envelope: onset strength, tempo, beats, their regularity, pulse clarity.

An envelope is ``(n_frames,)``, one value per hop; tempo is in BPM, beats are frame indices.
"""

import numpy as np

from songmap.features import filters, kernels, spectra
from songmap.library.schema import AudioConfig

_TEMPOGRAM_S, _START_BPM, _MAX_BPM = 8.0, 120.0, 320.0
_TEMPO_FRAMES = 64  # transformed at once: they stay in the processor's cache
_TIGHTNESS = 100.0
_PULSE_BPM = (30.0, 300.0)
_MOST_BEATS = 32  # the longest lag, in beats, that a tempo is measured at
_STEADY = 0.5  # of the first peak's height: where the peak at twice the lag is lower, the tempo is not that steady
_AGREEMENT_BPM = 0.25  # by which regression and autocorrelation may differ: tempos that drift differ by less
_NEAR_BEAT = 2  # frames around a tracked beat in which its onset is looked for
_MAD_TO_STD = 1.4826  # of a normal distribution


def onset_strength(mel_db: np.ndarray, config: AudioConfig) -> np.ndarray:
    """Median rise of the mel bands from frame to frame, ``(1, n_frames)``, dB (the beat tracker's envelope).

    ``librosa.onset.onset_strength`` with ``aggregate=np.median``: shifted to the centre of its frames.
    """
    delay, (n_mels, n_frames) = 1 + config.n_fft // (2 * config.hop_length), mel_db.shape
    envelope = np.zeros(n_frames + delay, mel_db.dtype)
    for first in range(0, n_frames - 1, spectra.BLOCK_FRAMES):
        part = mel_db[:, first : first + spectra.BLOCK_FRAMES + 1]
        rise = np.ascontiguousarray(np.maximum(0, np.diff(part, axis=1)).T)
        rise.sort(axis=1)  # in SIMD, unlike the selection of np.median
        envelope[delay + first : delay + first + len(rise)] = rise[:, (n_mels - 1) // 2 : n_mels // 2 + 1].mean(axis=1)
    return envelope[np.newaxis, :n_frames]


def tempo(envelope: np.ndarray, config: AudioConfig) -> float:
    """Tempo in BPM of an onset envelope ``(n_frames,)``; 0 where there is no onset.

    The lag with the largest mean autocorrelation in windows of 8 s, weighted by a log-normal prior
    around 120 BPM (Ellis 2007), as in ``librosa.feature.tempo``, whose tempogram is never computed. An autocorrelation is
    the inverse transform of a power spectrum, and its maximum, at lag 0, the energy of the window. So the mean of
    normalised autocorrelations is the inverse transform of the mean of power spectra, each divided by its energy.
    """
    import scipy.fft

    if not envelope.any():
        return 0.0
    size = int(_TEMPOGRAM_S * config.sample_rate_hz) // config.hop_length
    n_fft = scipy.fft.next_fast_len(2 * size - 1, real=True)
    padded = np.pad(envelope, size // 2, mode="linear_ramp", end_values=0)
    windows = np.lib.stride_tricks.sliding_window_view(padded, size)[: len(envelope)]
    window, power = filters.hann_window(size), np.zeros(n_fft // 2 + 1)
    for first in range(0, len(envelope), _TEMPO_FRAMES):
        frames = windows[first : first + _TEMPO_FRAMES] * window
        energies = np.einsum("tn,tn->t", frames, frames)
        energies[energies < np.finfo(np.float64).tiny] = 1.0
        spectrum = scipy.fft.rfft(frames, n=n_fft)
        power += (1 / energies) @ (spectrum.real**2 + spectrum.imag**2)
    mean = scipy.fft.irfft(power, n=n_fft)[:size] / len(envelope)
    bpm = filters.lag_tempi_bpm(size, config)
    with np.errstate(divide="ignore"):  # lag 0 is infinitely fast, and excluded
        prior = -0.5 * (np.log2(bpm) - np.log2(_START_BPM)) ** 2
    prior[bpm >= _MAX_BPM] = -np.inf
    return float(bpm[np.argmax(np.log1p(1e6 * mean) + prior)])


def track_beats(envelope: np.ndarray, tempo_bpm: float, config: AudioConfig) -> np.ndarray:
    """Frame indices of beats, int ``(n_beats,)``, by dynamic programming (Ellis 2007, ``librosa.beat.beat_track``).

    The best chain of onsets about a beat apart, traced back from the last good end; weak beats at
    either edge are left out.
    """
    if tempo_bpm <= 0:
        return np.empty(0, int)
    period = round(60 * config.frame_rate_hz / tempo_bpm)
    onsets = envelope / (envelope.std(ddof=1) + np.finfo(np.float32).tiny)
    window = np.exp(-0.5 * (np.arange(-period, period + 1) * 32.0 / period) ** 2)
    lags = np.arange(max(1, round(period / 2)), 2 * period + 1)
    penalties = _TIGHTNESS * (np.log(lags) - np.log(period)) ** 2
    local, total, previous = kernels.beat_scores(onsets.astype(np.float64), window, lags[0], penalties)

    rises, falls = np.diff(total, prepend=total[0]) > 0, np.diff(total, append=-np.inf) <= 0
    peaks = np.flatnonzero(rises & falls)
    good = peaks[total[peaks] >= 0.5 * np.median(total[peaks])] if len(peaks) else peaks
    beat = int(good[-1]) if len(good) else len(total) - 1
    chain = []
    while beat >= 0:
        chain.append(beat)
        beat = int(previous[beat])
    beats = np.array(chain[::-1])
    smooth = np.convolve(local[beats], np.hanning(5))[2 : len(local) + 2]
    strong = np.flatnonzero(local > 0.5 * np.sqrt(np.mean(smooth**2)))
    return beats[(beats >= strong[0]) & (beats <= strong[-1])] if len(strong) else beats[:0]


def refined_tempo(envelope: np.ndarray, tempo_bpm: float, beats: np.ndarray, config: AudioConfig) -> float:
    """Tempo in BPM, no longer in whole frames per beat as ``tempo`` gives it; 0 where there is none.

    The slope of beat times over beat numbers by least squares. Beats that are missing or too many bend that line, so
    where it is more than 0.25 BPM off the autocorrelation's, that one is taken.

    Parameters
    ----------
    envelope : np.ndarray, (n_frames,)
        Onset strength.
    tempo_bpm : float
        What ``tempo`` gives: a whole number of frames per beat.
    beats : np.ndarray, int (n_beats,)
        Frame indices, as ``track_beats`` gives them.
    config : AudioConfig
    """
    if tempo_bpm <= 0:
        return 0.0
    period = _autocorrelation_period(envelope, 60 * config.frame_rate_hz / tempo_bpm)
    by_correlation = 60 * config.frame_rate_hz / period
    if len(beats) < 3:
        return by_correlation
    numbers = np.arange(len(beats)) - (len(beats) - 1) / 2
    by_regression = float(60 * config.frame_rate_hz * (numbers @ numbers) / (numbers @ beats))
    return by_regression if abs(by_regression - by_correlation) <= _AGREEMENT_BPM else by_correlation


def _autocorrelation_period(envelope: np.ndarray, period: float) -> float:
    """Frames per beat, where ``period`` is that within half a frame: from peaks at 1, 2, 4, … 32 beats.

    Each peak is the vertex of a parabola. Its error in frames stays while the lag doubles, so that per beat it halves;
    the lags end where the peak at twice the lag is not one, or much lower.
    """
    centred = envelope - envelope.mean(dtype=np.float64)
    n_lags = len(centred) // 2
    correlation = filters.autocorrelation(centred)[:n_lags] / (len(centred) - np.arange(n_lags))
    n_beats, first = 1, 0.0
    while n_beats <= _MOST_BEATS:
        expected = round(n_beats * period)
        if expected + 2 >= n_lags:
            break
        lag = expected - 1 + int(np.argmax(correlation[expected - 1 : expected + 2]))
        before, peak, after = correlation[lag - 1 : lag + 2]
        if not (before <= peak >= after and peak > _STEADY * first):
            break
        if n_beats == 1:
            first = float(peak)
        period = (lag + _vertex(before, peak, after)) / n_beats
        n_beats *= 2
    return float(period)


def _vertex(before: float, peak: float, after: float) -> float:
    """Where the parabola through three values has its maximum, -0.5…0.5 from the middle one, which is the largest."""
    curvature = before - 2 * peak + after
    return float(0.5 * (before - after) / curvature) if curvature < 0 else 0.0


def beat_interval_std_s(beats: np.ndarray, config: AudioConfig) -> float:
    """Standard deviation of the time between beats in seconds; 0 when fewer than three beats.

    Beats are whole frames of 23 ms. Of a steady tempo whose period is not a whole number of frames, intervals alternate
    between two neighbours, which alone gives up to 11.6 ms: see ``beat_deviation_s`` for how regular beats are.
    """
    return float(np.diff(beats).std() / config.frame_rate_hz) if len(beats) >= 3 else 0.0


def beat_deviation_s(envelope: np.ndarray, beats: np.ndarray, config: AudioConfig) -> float:
    """How much the time between beats varies, in seconds, finer than a frame; NaN when fewer than three beats.

    Each beat is moved to the centre of mass of the largest onset within two frames; the median absolute deviation of the
    intervals, scaled to the standard deviation of a normal distribution, is not affected by a few wrong beats. A metronome
    has 1 to 6 ms, which is what two frames of an envelope can tell.
    """
    if len(beats) < 3:
        return float("nan")
    places = []
    for beat in beats:
        first = max(int(beat) - _NEAR_BEAT, 0)
        peak = first + int(np.argmax(envelope[first : beat + _NEAR_BEAT + 1]))
        first = max(peak - _NEAR_BEAT, 0)
        onset = envelope[first : peak + _NEAR_BEAT + 1].astype(np.float64)
        onset -= onset.min()
        mass = onset.sum()
        places.append(first + np.arange(len(onset)) @ onset / mass if mass > 0 else float(peak))
    intervals = np.diff(places)
    deviation = np.median(np.abs(intervals - np.median(intervals)))
    return float(_MAD_TO_STD * deviation / config.frame_rate_hz)


def pulse_clarity(envelope: np.ndarray, config: AudioConfig) -> float:
    """Largest autocorrelation coefficient of the onset envelope at lags of 30-300 BPM, 0…1.

    The envelope is centred first, so that a steady level is not counted as a pulse (Lartillot et al. 2008, "MaxAutocor").
    """
    centred = envelope - envelope.mean(dtype=np.float64)
    slowest, fastest = (60 * config.frame_rate_hz / bpm for bpm in _PULSE_BPM)
    lags = filters.autocorrelation(centred)[: int(slowest) + 1]
    first = int(np.ceil(fastest))
    if lags[0] <= 0 or len(lags) <= first:
        return 0.0
    return float(np.clip(lags[first:].max() / lags[0], 0, 1))
