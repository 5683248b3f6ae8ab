"""Samples to shared spectra: the one STFT that everything with n_fft 2048 and hop 512 uses, and the CQT.

Spectra are frames by bins and exist for one block of frames at a time, so memory does not grow with
the song. Frames are centred and the signal is padded with zeros, as in ``librosa.stft``. No result
depends on the block size: every frame is computed alone, and matrix products always have one shape.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from songmap.core.config import AudioConfig
from songmap.extract import kernels

BLOCK_FRAMES = 1024
_FFT_FRAMES = 64  # frames transformed at once: their float64 copies stay in the processor's cache
_CQT_FRAMES = 256
CQT_OCTAVES, CQT_BINS_PER_OCTAVE = 7, 36


@dataclass(frozen=True)
class Block:
    """Frames ``first … first + n``: ``magnitude`` float32 and ``spectrum`` complex64, ``(n, n_bins)``.

    ``halo`` is the magnitude of the frames with those around them that the median over time needs;
    the block begins at row ``offset`` of it.
    """

    first: int
    spectrum: np.ndarray
    halo: np.ndarray
    offset: int

    @property
    def magnitude(self) -> np.ndarray:
        return self.halo[self.offset : self.offset + len(self.spectrum)]


def frame_count(n_samples: int, hop_length: int) -> int:
    """Number of centred frames of a signal."""
    return 1 + n_samples // hop_length


@lru_cache(maxsize=4)
def hann_window(length: int) -> np.ndarray:
    """Periodic Hann window, float64 ``(length,)``, read-only."""
    import librosa

    window = np.ascontiguousarray(librosa.filters.get_window("hann", length, fftbins=True))
    window.setflags(write=False)
    return window


def stft_frames(samples: np.ndarray, first: int, stop: int, config: AudioConfig) -> np.ndarray:
    """STFT of frames ``first … stop - 1``: complex64 ``(stop - first, n_fft // 2 + 1)``, equal to librosa's bits."""
    import scipy.fft

    window = hann_window(config.n_fft)
    spectrum = np.empty((stop - first, config.n_fft // 2 + 1), np.complex64)
    frames = np.empty((_FFT_FRAMES, config.n_fft))
    for start in range(first, stop, _FFT_FRAMES):
        part = frames[: min(_FFT_FRAMES, stop - start)]
        kernels.windowed_frames(samples, start, config.hop_length, window, part)
        spectrum[start - first : start - first + len(part)] = scipy.fft.rfft(part, axis=1)
    return spectrum


def spectrum_blocks(samples: np.ndarray, config: AudioConfig, halo: int, block_frames: int) -> Iterator[Block]:
    """The STFT in blocks of ``block_frames`` frames with ``halo`` more magnitudes on either side."""
    n_frames = frame_count(len(samples), config.hop_length)
    for first in range(0, n_frames, block_frames):
        stop = min(first + block_frames, n_frames)
        low, high = max(0, first - halo), min(n_frames, stop + halo)
        around = stft_frames(samples, low, high, config)
        yield Block(first, around[first - low : stop - low], np.abs(around), first - low)


def harmonic_block(block: Block, config: AudioConfig) -> np.ndarray:
    """The HPSS harmonic part of a block's spectrum (Fitzgerald 2010; margin 1, soft mask of power 2).

    Complex64 ``(n, n_bins)``; the percussive part is the rest. Changes ``block.spectrum`` in place.
    """
    harmonic = np.empty(block.spectrum.shape, np.int32)
    percussive = np.empty_like(harmonic)
    magnitude = block.halo.view(np.int32)
    kernels.median_over_time(magnitude, config.hpss_kernel, block.offset, harmonic)
    kernels.median_over_frequency(
        magnitude[block.offset : block.offset + len(harmonic)], config.hpss_kernel, percussive
    )
    kernels.keep_harmonic(
        block.spectrum.view(np.float32), block.magnitude, harmonic.view(np.float32), percussive.view(np.float32)
    )
    return block.spectrum


def add_inverse(spectrum: np.ndarray, first: int, config: AudioConfig, out: np.ndarray) -> None:
    """Overlap-add the inverse STFT of frames ``first …`` to ``out`` float32, not yet normalised."""
    import scipy.fft

    for start in range(0, len(spectrum), _FFT_FRAMES):
        frames = scipy.fft.irfft(spectrum[start : start + _FFT_FRAMES], n=config.n_fft, axis=1)
        kernels.overlap_add(frames, hann_window(config.n_fft), first + start, config.hop_length, out)


def normalise_inverse(samples: np.ndarray, config: AudioConfig) -> None:
    """Divide an overlap-added signal in place by the sum of squared windows, as ``librosa.istft`` does.

    Between the edges that sum repeats every hop, so a short one serves any length.
    """
    import librosa

    hop, n_frames = config.hop_length, frame_count(len(samples), config.hop_length)
    short = min(n_frames, 3 * config.n_fft // hop)
    sums = librosa.filters.window_sumsquare(window="hann", n_frames=short, n_fft=config.n_fft, hop_length=hop)
    sums = sums[config.n_fft // 2 :]
    middle, repeated = short // 2 * hop, (n_frames - short) * hop
    samples[:middle] /= sums[:middle]
    samples[middle : middle + repeated].reshape(-1, hop)[:] /= sums[middle : middle + hop]
    rest = samples[middle + repeated :]
    rest /= sums[middle : middle + len(rest)]


@dataclass(frozen=True)
class CqtBank:
    """The constant-Q filters of one octave in the time domain; every other octave is the same at half the rate.

    ``filters`` float32 ``(n_fft, 72)``: real parts of 36 filters, then imaginary parts.
    ``lengths`` float64 ``(7, 36)``: filter lengths in samples at full rate, lowest octave first.
    """

    filters: np.ndarray
    lengths: np.ndarray


@lru_cache(maxsize=128)
def cqt_bank(tuning: float, sample_rate_hz: int) -> CqtBank:
    """Filters of ``librosa.cqt`` (84 semitones from C1 in thirds, Hann, sparsity 0.01) for a tuning.

    ``tuning`` is in fractions of a bin, as ``librosa.estimate_tuning`` gives it: at most a hundred
    values, so the banks are kept. A spectrum times a sparse basis is a sum over samples; doing that
    sum with dense filters is one matrix product, which is faster than transforming every frame.
    """
    import librosa
    import scipy.fft

    n_bins = CQT_OCTAVES * CQT_BINS_PER_OCTAVE
    fmin_hz = librosa.note_to_hz("C1") * 2.0 ** (tuning / CQT_BINS_PER_OCTAVE)
    freqs_hz = librosa.cqt_frequencies(n_bins, fmin=fmin_hz, bins_per_octave=CQT_BINS_PER_OCTAVE)
    ratio = 2.0 ** (2 / CQT_BINS_PER_OCTAVE)
    alpha = np.full(n_bins, (ratio - 1) / (ratio + 1))
    lengths, _ = librosa.filters.wavelet_lengths(freqs=freqs_hz, sr=sample_rate_hz, alpha=alpha)
    top = slice(-CQT_BINS_PER_OCTAVE, None)
    basis, top_lengths = librosa.filters.wavelet(freqs=freqs_hz[top], sr=sample_rate_hz, alpha=alpha[top])
    n_fft = basis.shape[1]
    spectrum = scipy.fft.fft(basis * (top_lengths[:, np.newaxis] / n_fft), axis=1)[:, : n_fft // 2 + 1]
    sparse = librosa.util.sparsify_rows(spectrum, quantile=0.01, dtype=np.complex64).toarray()
    samples = np.arange(n_fft)
    bins = np.arange(n_fft // 2 + 1)
    dense = np.exp(-2j * np.pi / n_fft * (np.outer(samples, bins) % n_fft)) @ sparse.T
    filters = np.ascontiguousarray(np.hstack([dense.real, dense.imag]).astype(np.float32))
    return CqtBank(filters, lengths.reshape(CQT_OCTAVES, CQT_BINS_PER_OCTAVE))


def cqt_octaves(samples: np.ndarray, tuning: float, config: AudioConfig) -> Iterator[tuple[int, np.ndarray]]:
    """CQT magnitudes octave by octave, the highest first: ``(octave, float32 (n_frames, 36))``.

    ``octave`` counts from 0, the lowest. The number of frames can differ by one between octaves.
    """
    bank = cqt_bank(tuning, config.sample_rate_hz)
    hop = config.hop_length
    for octave in reversed(range(CQT_OCTAVES)):
        # each halving of the rate weakens the response by a square root of two, which librosa restores
        scale = np.sqrt(2.0 ** (CQT_OCTAVES - 1 - octave) / bank.lengths[octave]).astype(np.float32)
        yield octave, _filter_octave(samples, hop, bank.filters) * scale
        if octave:
            samples = _half_rate(samples)
            hop //= 2


def _half_rate(samples: np.ndarray) -> np.ndarray:
    import librosa

    return librosa.resample(samples, orig_sr=2, target_sr=1, res_type="soxr_hq", scale=True)


def _filter_octave(samples: np.ndarray, hop: int, filters: np.ndarray) -> np.ndarray:
    """Magnitude of every filter's response at every hop, ``(n_frames, 36)``."""
    n_fft, n_outputs = filters.shape
    n_frames = frame_count(len(samples), hop)
    response = np.empty((n_frames, n_outputs // 2), np.float32)
    frames = np.empty((_CQT_FRAMES, n_fft), np.float32)
    products = np.empty((_CQT_FRAMES, n_outputs), np.float32)
    for first in range(0, n_frames, _CQT_FRAMES):
        kernels.plain_frames(samples, first, hop, frames)  # beyond the end frames are zero: one shape for all
        np.matmul(frames, filters, out=products)
        kernels.magnitudes(products, response[first : first + _CQT_FRAMES])
    return response
