"""Spectra to frame features: one number or vector per frame of 512 samples, by librosa's definitions.

A feature is ``(size, n_frames)``. Where a definition refers to the whole song (decibels below its
maximum, 80 dB of range, its tuning) the blocks only collect, and the values follow at the end.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from songmap.core.errors import SchemaError
from songmap.features import filters, kernels, rhythm, spectra, spectral_features
from songmap.features.signal import Signal, frame_count
from songmap.library.schema import AudioConfig

_AMIN = 1e-10  # power floor of decibels and flatness
_TOP_DB = 80.0
_PEAKS_FMIN_HZ, _PEAKS_FMAX_HZ = 150.0, 4000.0
_DELTA_REACH = 4  # frames on either side
_ZERO_CROSSING_THRESHOLD = 1e-10


@dataclass(frozen=True)
class SongFrames:
    """All frame features of a song, by the names of the schema, and what is one number per song.

    Attributes
    ----------
    features : dict of str to np.ndarray, float (size, n_frames)
        ``mfcc, mfcc_delta, chroma, centroid, rolloff, bandwidth, contrast, flatness, zero_crossing_rate, rms,
        tonnetz, mel, onset_strength, harmonic_rms, percussive_rms``; units as in ``songmap.library.schema.FEATURES``.
    values : dict of str to float
        ``tempo_bpm, beat_interval_std_s, pulse_clarity, harmonic_rms_mean, percussive_rms_mean``, columns of the
        schema, and ``refined_tempo_bpm, beat_deviation_s``, which are finer than a frame.
    beats : np.ndarray, int (n_beats,)
        Frame indices.
    frame_rate_hz : float
        Frames per second; the first frame is centred at 0 s.
    """

    features: dict[str, np.ndarray]
    values: dict[str, float]
    beats: np.ndarray
    frame_rate_hz: float


def analyse(signal: Signal, config: AudioConfig, block_frames: int = spectra.BLOCK_FRAMES) -> SongFrames:
    """Compute every frame feature of a signal.

    Parameters
    ----------
    signal : Signal
        Mono, at ``config.sample_rate_hz``; at least nine frames.
    config : AudioConfig
        Frame and hop length in samples, numbers of bands.
    block_frames : int
        Frames that are in memory at the same time. It changes no bit of the result.

    Returns
    -------
    SongFrames

    Raises
    ------
    SchemaError
        For settings under which the columns would mean something else; kernels rely on some of them.
    """
    if other := config.other_setting():
        raise SchemaError(other)
    collected, harmonic = _collect(signal, config, block_frames)
    mel_db, both = power_to_db(collected.mel), zip(signal.blocks(), harmonic.blocks(), strict=True)
    features = {
        "mfcc": mfcc(mel_db, config.n_mfcc),
        "chroma": chroma(signal, tuning_of_peaks(collected.tuning_peaks), config),
        "tonnetz": tonnetz(chroma(harmonic, _tuning_of(harmonic, config, block_frames), config)),
        "contrast": power_to_db(collected.contrast_peak) - power_to_db(collected.contrast_valley),
        "onset_strength": rhythm.onset_strength(mel_db, config),
        "zero_crossing_rate": zero_crossing_rate(signal, config),
        "rms": rms(signal.blocks(), len(signal), config),
        "harmonic_rms": rms(harmonic.blocks(), len(signal), config),
        # the two parts add up to the mix, so the percussive one needs no inverse transform of its own
        "percussive_rms": rms((mix - part for mix, part in both), len(signal), config),
    }
    mel_db -= mel_db.max()
    features["mel"] = mel_db
    for name, row in zip(("centroid", "bandwidth", "rolloff", "flatness"), collected.shapes, strict=True):
        features[name] = row[np.newaxis]
    features["mfcc_delta"] = delta(features["mfcc"])
    values, beats = measure(features, config)
    return SongFrames(features, values, beats, config.frame_rate_hz)


def measure(features: dict[str, np.ndarray], config: AudioConfig) -> tuple[dict[str, float], np.ndarray]:
    """``values`` and ``beats`` of ``SongFrames``, of its ``features``."""
    envelope = features["onset_strength"][0]
    tempo_bpm = rhythm.tempo(envelope, config)
    beats = rhythm.track_beats(envelope, tempo_bpm, config)
    values = {
        "tempo_bpm": tempo_bpm,
        "beat_interval_std_s": rhythm.beat_interval_std_s(beats, config),
        "refined_tempo_bpm": rhythm.refined_tempo(envelope, tempo_bpm, beats, config),
        "beat_deviation_s": rhythm.beat_deviation_s(envelope, beats, config),
        "pulse_clarity": rhythm.pulse_clarity(envelope, config),
        "harmonic_rms_mean": float(features["harmonic_rms"].mean()),
        "percussive_rms_mean": float(features["percussive_rms"].mean()),
    }
    return values, beats


@dataclass(frozen=True)
class _Collected:
    """What the pass over the blocks leaves: mel power, spectral shapes, extremes of contrast, peaks for the tuning."""

    mel: np.ndarray
    shapes: np.ndarray
    contrast_peak: np.ndarray
    contrast_valley: np.ndarray
    tuning_peaks: list[tuple[np.ndarray, np.ndarray]]


def _collect(signal: Signal, config: AudioConfig, block_frames: int) -> tuple[_Collected, Signal]:
    """One pass over the STFT: features that need nothing but their frame, and the harmonic signal."""
    n_frames = frame_count(len(signal), config)
    bank, freqs_hz = filters.mel_bank(config), filters.fft_freqs_hz(config)
    bands, most = filters.contrast_bands(config)
    mel, shapes = np.empty((config.n_mels, n_frames), np.float32), np.empty((4, n_frames))
    peak, valley = np.empty((2, len(bands), n_frames))
    collected = _Collected(mel, shapes, peak, valley, [])
    harmonic = spectra.InverseStft(len(signal), config)
    for block in spectra.spectrum_blocks(signal, config, config.hpss_kernel // 2, block_frames):
        for first in range(0, len(block.magnitude), spectral_features.TILE_FRAMES):
            tile = np.ascontiguousarray(block.magnitude[first : first + spectral_features.TILE_FRAMES].T)
            here = slice(block.first + first, block.first + first + tile.shape[1])
            spectral_features.mel_power(tile, bank.weights, bank.spans, collected.mel[:, here])
            spectral_features.spectral_shapes(tile, freqs_hz, config.roll_percent, _AMIN, collected.shapes[:, here])
            spectral_features.contrast_extremes(tile, bands, most, peak[:, here], valley[:, here])
        collected.tuning_peaks.append(_tuning_peaks(block.magnitude, config))
        harmonic.add(spectra.harmonic_block(block, config))
    return collected, harmonic.finish()


def power_to_db(power: np.ndarray) -> np.ndarray:
    """Decibels, at most 80 dB below the largest of the song, in place (librosa.power_to_db)."""
    np.maximum(power, _AMIN, out=power)
    np.log10(power, out=power)
    power *= 10
    return np.maximum(power, power.max() - _TOP_DB, out=power)


def mfcc(mel_db: np.ndarray, n_mfcc: int) -> np.ndarray:
    """Mel-frequency cepstral coefficients ``(n_mfcc, n_frames)`` (Davis & Mermelstein 1980; orthonormal DCT-II)."""
    import scipy.fft

    coefficients = np.empty((n_mfcc, mel_db.shape[1]), mel_db.dtype)
    for first in range(0, mel_db.shape[1], spectra.BLOCK_FRAMES):
        here = slice(first, first + spectra.BLOCK_FRAMES)
        coefficients[:, here] = scipy.fft.dct(mel_db[:, here], axis=0, norm="ortho")[:n_mfcc]
    return coefficients


def delta(feature: np.ndarray) -> np.ndarray:
    """Slope of the line that fits nine frames best (Savitzky-Golay), same shape; per frame (librosa.feature.delta).

    Near either end it is that of the first or last nine frames; there must be nine.
    """
    steps = np.arange(-_DELTA_REACH, _DELTA_REACH + 1)
    slopes, inside = np.empty_like(feature), slice(_DELTA_REACH, feature.shape[1] - _DELTA_REACH)
    for slope, row in zip(slopes, feature, strict=True):
        slope[inside] = np.correlate(row, steps / np.sum(steps**2))
    slopes[:, : inside.start], slopes[:, inside.stop :] = slopes[:, inside][:, :1], slopes[:, inside][:, -1:]
    return slopes


def block_peaks(magnitude: np.ndarray, config: AudioConfig) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies in Hz and magnitudes of the spectral peaks between 150 and 4,000 Hz, both ``(n_peaks,)``."""
    freqs_hz = filters.fft_freqs_hz(config)
    first, last = np.searchsorted(freqs_hz, [_PEAKS_FMIN_HZ, _PEAKS_FMAX_HZ])
    # of two neighbours at most one is a local maximum
    size = len(magnitude) * ((last - first) // 2 + 1)
    pitches, strengths = np.empty(size, np.float32), np.empty(size, np.float32)
    n_peaks = kernels.spectral_peaks(magnitude, first, last, config.sample_rate_hz / config.n_fft, pitches, strengths)
    return pitches[:n_peaks].copy(), strengths[:n_peaks].copy()


def tuning_of_peaks(peaks: list[tuple[np.ndarray, np.ndarray]]) -> float:
    """Deviation from 440 Hz in fractions of a CQT bin, -0.5…0.49, of the stronger half of all peaks.

    ``peaks`` are tuning steps and magnitudes of each block; 0 where there is none. ``librosa.estimate_tuning`` with 36
    bins an octave.
    """
    together = np.concatenate([strengths for _, strengths in peaks])
    if not len(together):
        return 0.0
    middle = np.median(together, overwrite_input=True)
    counts = np.zeros(filters.TUNING_STEPS, int)
    for steps, strengths in peaks:
        counts += np.bincount(steps[strengths >= middle], minlength=filters.TUNING_STEPS)
    return filters.fullest_tuning(counts)


def _tuning_of(signal: Signal, config: AudioConfig, block_frames: int) -> float:
    blocks = spectra.spectrum_blocks(signal, config, 0, block_frames)
    return tuning_of_peaks([_tuning_peaks(block.magnitude, config) for block in blocks])


def _tuning_peaks(magnitude: np.ndarray, config: AudioConfig) -> tuple[np.ndarray, np.ndarray]:
    pitches_hz, strengths = block_peaks(magnitude, config)
    return filters.tuning_steps(pitches_hz), strengths


def chroma(signal: Signal, tuning: float, config: AudioConfig) -> np.ndarray:
    """CQT chroma, C first, each frame's maximum 1: float32 ``(12, n_frames)`` (librosa.feature.chroma_cqt)."""
    fold = filters.chroma_fold(config.n_chroma)
    total = np.zeros((config.n_chroma, frame_count(len(signal), config)), np.float32)
    for _, first, magnitude in spectra.cqt_octaves(signal, tuning, config):
        total[:, first : first + magnitude.shape[1]] += fold @ magnitude
    return filters.normalise(total, np.max)


def tonnetz(chroma_of_harmonic: np.ndarray) -> np.ndarray:
    """Tonal centroid: fifths, minor, major thirds as points in three planes, ``(6, n_frames)`` (Harte et al. 2006)."""
    basis, shares = filters.tonnetz_basis(len(chroma_of_harmonic)), filters.normalise(chroma_of_harmonic, np.sum)
    return np.einsum("pc,cn->pn", basis, shares, optimize=True)  # rounds as in librosa, unlike a plain product


def rms(blocks: Iterable[np.ndarray], n_samples: int, config: AudioConfig) -> np.ndarray:
    """Root mean square of each centred, zero-padded frame, ``(1, n_frames)``, amplitude (librosa.feature.rms).

    ``blocks`` of samples hold whole hops, but for the last; a frame is a whole number of hops.
    """
    hops = []
    for block in blocks:
        hops.append(np.empty(-(-len(block) // config.hop_length)))
        kernels.hop_power(block, config.hop_length, hops[-1])
    power = _sum_over_frames(np.concatenate(hops), n_samples, config)
    return np.sqrt(power / config.n_fft)[np.newaxis]


def zero_crossing_rate(signal: Signal, config: AudioConfig) -> np.ndarray:
    """Sign changes per sample in each centred frame, ``(1, n_frames)``, 0…1 (librosa.feature.zero_crossing_rate)."""
    counts, before = [], signal.read(0, 1)[0]
    for block in signal.blocks():
        counts.append(np.empty((-(-len(block) // config.hop_length), 2), np.int64))
        kernels.zero_crossings(block, before, config.hop_length, _ZERO_CROSSING_THRESHOLD, counts[-1])
        before = block[-1]
    crossings, at_first = np.concatenate(counts).T
    total = _sum_over_frames(crossings, len(signal), config)
    lead = config.n_fft // 2 // config.hop_length  # frames before this one begin before the signal
    excluded = at_first[: max(0, len(total) - lead)]
    total[lead : lead + len(excluded)] -= excluded
    return total[np.newaxis] / config.n_fft


def _sum_over_frames(hops: np.ndarray, n_samples: int, config: AudioConfig) -> np.ndarray:
    """Sums over centred frames of what is known per hop, ``(n_frames,)``; zero beyond the signal."""
    per_frame, n_frames = config.n_fft // config.hop_length, frame_count(n_samples, config)
    padded = np.zeros(n_frames + per_frame, hops.dtype)
    padded[per_frame // 2 : per_frame // 2 + len(hops)] = hops
    total = padded[:n_frames].copy()
    for part in range(1, per_frame):
        total += padded[part : part + n_frames]
    return total
