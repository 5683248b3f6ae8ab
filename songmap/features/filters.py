"""What the analysis needs that does not depend on the song: windows, frequencies, filter banks, and a few small sums.

The definitions, and wherever possible the bits, are librosa's, which tests compare with: what HPSS leaves
in silence is rounding noise, and chroma, being normalised, raises it to full scale. librosa itself is not
imported, for that alone takes longer than a song. Frequencies are in Hz; what is returned from a cache is
shared and not to be changed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np

from songmap.library.mel import mel_freqs_hz
from songmap.library.schema import AudioConfig

CQT_OCTAVES, CQT_BINS_PER_OCTAVE = 7, 36
_A4_HZ, _C1_HZ = 440.0, 440.0 * 2.0 ** (-45 / 12)
_CQT_SPARSITY = 0.01  # share of a filter's spectral magnitudes that is left out
TUNING_STEPS = 100  # a tuning is estimated in hundredths of a bin
_TUNINGS = np.linspace(-0.5, 0.5, TUNING_STEPS + 1)
_CONTRAST_FMIN_HZ, _CONTRAST_BANDS, _CONTRAST_QUANTILE = 200.0, 6, 0.02
_TONNETZ_TURNS = (7 / 6, 3 / 2, 2 / 3)  # of fifths, minor and major thirds: half turns a semitone
_TONNETZ_RADII = (1.0, 1.0, 0.5)


@lru_cache(maxsize=64)
def hann_window(length: int) -> np.ndarray:
    """Periodic Hann window, float64 ``(length,)``."""
    return 0.5 + 0.5 * np.cos(np.linspace(-np.pi, np.pi, length + 1))[:-1]


def window_sum_of_squares(n_frames: int, config: AudioConfig) -> np.ndarray:
    """What overlapping STFT frames of squared windows add up to, float32 ``(n_fft + (n_frames - 1) * hop,)``."""
    squares = hann_window(config.n_fft) ** 2
    total = np.zeros(config.n_fft + (n_frames - 1) * config.hop_length, np.float32)
    for first in range(0, n_frames * config.hop_length, config.hop_length):
        total[first : first + config.n_fft] += squares
    return total


@lru_cache(maxsize=4)
def fft_freqs_hz(config: AudioConfig) -> np.ndarray:
    """Centre frequency of every STFT bin, float64 ``(n_bins,)``."""
    return np.fft.rfftfreq(config.n_fft, 1.0 / config.sample_rate_hz)


@dataclass(frozen=True)
class MelBank:
    """Filters over bins: ``weights`` float32 ``(n_mels, n_bins)``, non-zero within ``spans (n_mels, 2)``."""

    weights: np.ndarray
    spans: np.ndarray

    @classmethod
    def of(cls, weights: np.ndarray) -> "MelBank":
        """A bank of filters each of which is positive in one stretch of bins."""
        filled = weights > 0
        first = filled.argmax(axis=1)
        return cls(weights, np.stack([first, first + filled.sum(axis=1)], axis=1))


@lru_cache(maxsize=4)
def mel_bank(config: AudioConfig) -> MelBank:
    """Triangles between neighbouring frequencies of Slaney's mel scale, each of unit area (``librosa.filters.mel``)."""
    edges_hz = mel_freqs_hz(config.n_mels + 2, config.sample_rate_hz / 2)
    widths_hz = np.diff(edges_hz)[:, np.newaxis]
    distances_hz = np.subtract.outer(edges_hz, fft_freqs_hz(config))
    rising, falling = -distances_hz[:-2] / widths_hz[:-1], distances_hz[2:] / widths_hz[1:]
    weights = np.maximum(0, np.minimum(rising, falling)).astype(np.float32)
    weights *= (2.0 / (edges_hz[2:] - edges_hz[:-2]))[:, np.newaxis]
    return MelBank.of(weights)


@lru_cache(maxsize=4)
def contrast_bands(config: AudioConfig) -> tuple[np.ndarray, np.ndarray]:
    """Bins ``(7, 2)`` of the octave bands of spectral contrast, and how many extremes of each count ``(7,)``.

    As in librosa, a band also takes the bin below it, all but the highest give up their last bin,
    and the number of extremes (2 %) is counted before that.
    """
    freqs_hz = fft_freqs_hz(config)
    edges_hz = [0.0, *(_CONTRAST_FMIN_HZ * 2.0 ** np.arange(_CONTRAST_BANDS + 1))]
    bands, most = [], []
    for index, (low_hz, high_hz) in enumerate(pairwise(edges_hz)):
        inside = np.flatnonzero((freqs_hz >= low_hz) & (freqs_hz <= high_hz))
        first = inside[0] - (index > 0)
        last_band = index == _CONTRAST_BANDS
        stop = len(freqs_hz) if last_band else inside[-1] + 1
        most.append(max(1, int(np.rint(_CONTRAST_QUANTILE * (stop - first)))))
        bands.append((first, stop if last_band else stop - 1))
    return np.array(bands), np.array(most)


@dataclass(frozen=True)
class CqtBank:
    """The constant-Q filters of one octave in the time domain; every other octave is the same at half the rate.

    Tap ``i`` of a filter is the conjugate of tap ``(n_fft + 1 - i) % n_fft``. So its real part is multiplied by the sum of
    the two samples and its imaginary part by their difference: half as many products.

    ``filters`` float32 ``(2, 36, n_fft / 2)``: real, then imaginary parts of taps ``1 … n_fft / 2`` of 36 filters, in the
    order of ``kernels.mirrored_frames``.
    ``lengths`` float64 ``(7, 36)``: filter lengths in samples at full rate, lowest octave first.
    """

    filters: np.ndarray
    lengths: np.ndarray


@lru_cache(maxsize=128)
def cqt_bank(tuning: float, sample_rate_hz: int) -> CqtBank:
    """Filters of ``librosa.cqt`` (84 semitones from C1 in thirds, Hann, sparsity 0.01) for a tuning.

    ``tuning`` is in fractions of a bin, as ``fullest_tuning`` gives it: at most a hundred values, so the
    banks are kept. A spectrum times a sparse basis is a sum over samples; doing that sum with dense
    filters is one matrix product, which is faster than transforming every frame.
    """
    import scipy.fft

    n_bins = CQT_OCTAVES * CQT_BINS_PER_OCTAVE
    lowest_hz = _C1_HZ * 2.0 ** (tuning / CQT_BINS_PER_OCTAVE)
    freqs_hz = lowest_hz * 2.0 ** (np.arange(n_bins) / CQT_BINS_PER_OCTAVE)
    ratio = 2.0 ** (2 / CQT_BINS_PER_OCTAVE)
    quality = 1.0 / ((ratio - 1) / (ratio + 1))
    lengths = quality * sample_rate_hz / freqs_hz
    basis = cqt_wavelets(freqs_hz[-CQT_BINS_PER_OCTAVE:], lengths[-CQT_BINS_PER_OCTAVE:], sample_rate_hz)
    n_fft = basis.shape[1]
    spectrum = scipy.fft.fft(basis * (lengths[-CQT_BINS_PER_OCTAVE:, np.newaxis] / n_fft), axis=1)
    kept = without_smallest(spectrum[:, : n_fft // 2 + 1], _CQT_SPARSITY).astype(np.complex64)
    # frames are real, so only half of the spectrum is there, and a product of spectra is one with its transform
    dense = scipy.fft.fft(kept.astype(np.complex128), n=n_fft, axis=1)
    # only magnitudes are used: each filter is turned by the phase with which it is its own conjugate mirrored
    mirrored = np.roll(dense[:, ::-1], 2, axis=1)
    dense = dense * np.exp(-0.5j * np.angle((dense * mirrored).sum(axis=1, keepdims=True)))
    half = dense[:, 1 : n_fft // 2 + 1]
    filters = np.stack([half.real, half.imag]).astype(np.float32)
    return CqtBank(filters, lengths.reshape(CQT_OCTAVES, CQT_BINS_PER_OCTAVE))


def cqt_wavelets(freqs_hz: np.ndarray, lengths: np.ndarray, sample_rate_hz: int) -> np.ndarray:
    """Complex tones under Hann windows of ``lengths`` samples, magnitudes adding up to 1, centred.

    Complex64 ``(n_freqs, n_fft)`` with the power of two that holds the longest (``librosa.filters.wavelet``).
    """
    wavelets = np.zeros((len(freqs_hz), 2 ** int(np.ceil(np.log2(lengths.max())))), np.complex64)
    for wavelet, freq_hz, length in zip(wavelets, freqs_hz, lengths, strict=True):
        samples = np.arange(-length // 2, length // 2)
        phase = samples * 2 * np.pi * freq_hz / sample_rate_hz
        tone = (np.cos(phase) + 1j * np.sin(phase)) * hann_window(len(samples))
        start = (len(wavelet) - len(tone)) // 2
        wavelet[start : start + len(tone)] = normalise(tone, np.sum)
    return wavelets


def without_smallest(rows: np.ndarray, quantile: float) -> np.ndarray:
    """``rows`` complex ``(n, size)``, the smallest numbers of each set to 0: at most ``quantile`` of its sum."""
    magnitude = np.abs(rows)
    ordered = np.sort(magnitude, axis=1)
    share = np.cumsum(ordered / magnitude.sum(axis=1, keepdims=True), axis=1)
    smallest = np.take_along_axis(ordered, np.argmin(share < quantile, axis=1)[:, np.newaxis], axis=1)
    return np.where(magnitude >= smallest, rows, 0)


def chroma_fold(n_chroma: int) -> np.ndarray:
    """The pitch class, C first, of each CQT bin of an octave: float32 ``(n_chroma, 36)`` of zeros and ones."""
    per_class = CQT_BINS_PER_OCTAVE // n_chroma
    classes = np.repeat(np.eye(n_chroma, dtype=np.float32), per_class, axis=1)
    return np.roll(classes, -(per_class // 2), axis=1)  # a class is centred on its note


def tonnetz_basis(n_chroma: int) -> np.ndarray:
    """Coordinates of each pitch class on the circles of fifths, minor and major thirds, ``(6, n_chroma)``.

    Harte, Sandler & Gasser 2006; sine and cosine of each circle, in librosa's order.
    """
    semitones = np.linspace(0, 12, num=n_chroma, endpoint=False)
    angles = np.multiply.outer(np.repeat(_TONNETZ_TURNS, 2), semitones)
    angles[::2] -= 0.5
    return np.repeat(_TONNETZ_RADII, 2)[:, np.newaxis] * np.cos(np.pi * angles)


def lag_tempi_bpm(n_lags: int, config: AudioConfig) -> np.ndarray:
    """Tempo that has its beats ``0 … n_lags - 1`` frames apart, float64 ``(n_lags,)``; lag 0 is infinitely fast."""
    return np.append(np.inf, 60.0 * config.sample_rate_hz / (config.hop_length * np.arange(1.0, n_lags)))


def normalise(values: np.ndarray, length: Callable[..., np.ndarray], axis: int = 0) -> np.ndarray:
    """``values`` divided by ``length`` (``np.max``, ``np.sum``) of their magnitudes along ``axis``; same dtype.

    What has no length to speak of is left as it is (``librosa.util.normalize``).
    """
    size = length(np.abs(values).astype(np.float64), axis=axis, keepdims=True)
    size[size < np.finfo(values.dtype).tiny] = 1.0
    return (values / size).astype(values.dtype)


def autocorrelation(values: np.ndarray) -> np.ndarray:
    """Sums of products of ``values (…, n)`` with themselves ``0 … n - 1`` places on, same shape, by FFT."""
    import scipy.fft

    n_values = values.shape[-1]
    n_fft = scipy.fft.next_fast_len(2 * n_values - 1, real=True)
    spectrum = scipy.fft.rfft(values, n=n_fft)
    return scipy.fft.irfft(spectrum.real**2 + spectrum.imag**2, n=n_fft)[..., :n_values]


def tuning_steps(pitches_hz: np.ndarray) -> np.ndarray:
    """How far ``pitches_hz (n,)`` are off the bins of a CQT tuned to 440 Hz: uint8, hundredths of a bin above -0.5."""
    deviation = np.mod(CQT_BINS_PER_OCTAVE * np.log2(pitches_hz / (_A4_HZ / 16)), 1.0)
    deviation[deviation >= 0.5] -= 1.0
    return (np.searchsorted(_TUNINGS, deviation, side="right") - 1).astype(np.uint8)


def fullest_tuning(counts: np.ndarray) -> float:
    """The tuning that most pitches have, -0.5…0.49 of a bin; ``counts (100,)`` of ``tuning_steps`` (``librosa.pitch_tuning``)."""
    return float(_TUNINGS[np.argmax(counts)])
