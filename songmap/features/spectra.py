"""Samples to shared spectra: the one STFT that everything with n_fft 2048 and hop 512 uses, and the CQT.

Spectra are frames by bins and exist for one block of frames at a time, so memory does not grow with
the song. Frames are centred and the signal is padded with zeros, as in ``librosa.stft``. No result
depends on the block size: every frame is computed alone, and matrix products always have one shape.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from songmap.features import filters, kernels, medians
from songmap.features.signal import Resampler, Signal, frame_count
from songmap.library.schema import AudioConfig

BLOCK_FRAMES = 256
_FFT_FRAMES = 32  # frames transformed at once: their float64 copies stay in the processor's cache
_CQT_FRAMES, _CQT_STEP = 128, 16  # multiplied at once, at most; a multiple of what BLAS takes together


@dataclass(frozen=True)
class Block:
    """Frames ``first … first + n - 1``: ``magnitude`` float32 and ``spectrum`` complex64, ``(n, n_bins)``.

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


def stft_frames(signal: Signal, first: int, stop: int, config: AudioConfig) -> np.ndarray:
    """STFT of frames ``first … stop - 1``: complex64 ``(stop - first, n_fft // 2 + 1)``, equal to librosa's bits."""
    spectrum = np.empty((stop - first, config.n_fft // 2 + 1), np.complex64)
    _write_stft(signal, first, config, spectrum)
    return spectrum


def _write_stft(signal: Signal, first: int, config: AudioConfig, spectrum: np.ndarray) -> None:
    """Write the STFT of as many frames from ``first`` on as ``spectrum`` has rows."""
    import scipy.fft

    window, hop = filters.hann_window(config.n_fft), config.hop_length
    start = first * hop - config.n_fft // 2
    samples = signal.read(start, start + (len(spectrum) - 1) * hop + config.n_fft)
    start = min(start, 0)  # where the first frame begins in what was read
    frames = np.empty((_FFT_FRAMES, config.n_fft))
    for row in range(0, len(spectrum), _FFT_FRAMES):
        out = spectrum[row : row + _FFT_FRAMES]
        part = frames[: len(out)]
        kernels.windowed_frames(samples, start + row * hop, hop, window, part)
        kernels.round_to_single(scipy.fft.rfft(part, axis=1).view(np.float64), out.view(np.float32))


def spectrum_blocks(signal: Signal, config: AudioConfig, halo: int, block_frames: int) -> Iterator[Block]:
    """The STFT in blocks of ``block_frames`` frames with ``halo`` more magnitudes on either side.

    A block is valid until the next.
    """
    n_frames = frame_count(len(signal), config)
    shape = min(n_frames, block_frames + 2 * halo), config.n_fft // 2 + 1
    spectrum, magnitude = np.empty(shape, np.complex64), np.empty(shape, np.float32)
    low = high = 0  # frames low … high - 1 are in the buffers
    for first in range(0, n_frames, block_frames):
        stop, before, known = min(first + block_frames, n_frames), low, high
        low, high = max(0, first - halo), min(n_frames, stop + halo)
        for buffer in (spectrum, magnitude):
            buffer[: known - low] = buffer[low - before : known - before]
        new = slice(known - low, high - low)
        _write_stft(signal, known, config, spectrum[new])
        np.abs(spectrum[new], out=magnitude[new])
        yield Block(first, spectrum[first - low : stop - low], magnitude[: high - low], first - low)


def harmonic_block(block: Block, config: AudioConfig) -> np.ndarray:
    """The HPSS harmonic part of a block's spectrum (Fitzgerald 2010; margin 1, soft mask of power 2).

    Complex64 ``(n, n_bins)``; the percussive part is the rest. Changes ``block.spectrum`` in place.
    """
    harmonic, percussive = np.empty((2, *block.spectrum.shape), np.int32)
    medians.median_over_time(block.halo.view(np.int32), config.hpss_kernel, block.offset, harmonic)
    medians.median_over_frequency(block.magnitude.view(np.int32), config.hpss_kernel, percussive)
    parts = (part.view(np.float32) for part in (harmonic, percussive))
    kernels.keep_harmonic(block.spectrum.view(np.float32), block.magnitude, *parts)
    return block.spectrum


class InverseStft:
    """Overlap-adds the inverse of consecutive frames, appends finished samples to ``signal``; as ``librosa.istft``."""

    def __init__(self, n_samples: int, config: AudioConfig) -> None:
        self.signal = Signal(n_samples)
        self._n_samples, self._config = n_samples, config
        self._window = filters.hann_window(config.n_fft)
        self._next = -(config.n_fft // 2)  # sample at which the buffer begins
        self._unfinished = np.zeros(config.n_fft - config.hop_length, np.float32)
        # the sum of squared windows repeats every hop between the edges, so a short one serves any length
        n_frames = frame_count(n_samples, config)
        short = min(n_frames, 3 * config.n_fft // config.hop_length)
        self._sums = filters.window_sum_of_squares(short, config)[config.n_fft // 2 :]
        self._middle, self._repeated = short // 2 * config.hop_length, (n_frames - short) * config.hop_length

    def add(self, spectrum: np.ndarray) -> None:
        """The next frames, complex64 ``(n, n_bins)``."""
        import scipy.fft

        hop, n_fft = self._config.hop_length, self._config.n_fft
        buffer = np.zeros(len(spectrum) * hop + n_fft - hop, np.float32)
        buffer[: len(self._unfinished)] = self._unfinished
        for row in range(0, len(spectrum), _FFT_FRAMES):
            frames = scipy.fft.irfft(spectrum[row : row + _FFT_FRAMES], n=n_fft, axis=1)
            kernels.overlap_add(frames, self._window, row * hop, hop, buffer)
        self._append(buffer[: len(spectrum) * hop])
        self._unfinished = buffer[len(spectrum) * hop :]

    def finish(self) -> Signal:
        """The whole signal, after the last frame."""
        self._append(self._unfinished)
        return self.signal

    def _append(self, samples: np.ndarray) -> None:
        start, self._next = self._next, self._next + len(samples)
        samples = samples[max(0, -start) : max(0, self._n_samples - start)]
        start = max(0, start)
        self.signal.append(samples / self._window_sums(start, start + len(samples)))

    def _window_sums(self, start: int, stop: int) -> np.ndarray:
        late, hop = self._middle + self._repeated, self._config.hop_length
        early = self._sums[start : min(stop, self._middle)]
        end = self._sums[max(start, late) - self._repeated : max(stop, late) - self._repeated]
        turned = np.roll(self._sums[self._middle : self._middle + hop], -(max(start, self._middle) - self._middle))
        return np.concatenate([early, np.resize(turned, stop - start - len(early) - len(end)), end])


def cqt_octaves(signal: Signal, tuning: float, config: AudioConfig) -> Iterator[tuple[int, int, np.ndarray]]:
    """CQT magnitudes, the highest octave first, in blocks: ``(octave, first frame, float32 (36, n))``.

    ``octave`` counts from 0, the lowest.
    """
    bank = filters.cqt_bank(tuning, config.sample_rate_hz)
    n_fft, hop = 2 * bank.filters.shape[2], config.hop_length
    n_frames = frame_count(len(signal), config)  # an octave whose halved signal was rounded up could have one more
    width = _product_width(n_frames)
    frames = np.empty((2, n_fft // 2, width), np.float32)
    products = np.empty((2, filters.CQT_BINS_PER_OCTAVE, width), np.float32)
    halving = Resampler(2, 1, keep_energy=True)
    for octave in reversed(range(filters.CQT_OCTAVES)):
        # each halving of the rate weakens the response by a square root of two, which librosa restores
        scale = np.sqrt(2.0 ** (filters.CQT_OCTAVES - 1 - octave) / bank.lengths[octave]).astype(np.float32)
        apart = np.empty((hop, width - 1 + -(-n_fft // hop)), np.float32)
        for first in range(0, n_frames, width):
            start = first * hop - n_fft // 2
            samples = signal.read(start, start + apart.size)
            # beyond the end frames are zero, so that all products have one shape and round the same way
            kernels.mirrored_frames(samples, min(start, 0), apart, frames)
            np.matmul(bank.filters, frames, out=products)
            magnitude = np.empty((filters.CQT_BINS_PER_OCTAVE, min(width, n_frames - first)), np.float32)
            kernels.magnitudes(products, scale, magnitude)
            yield octave, first, magnitude
        if octave:
            signal = halving.resample(signal.blocks(), len(signal))
            hop //= 2


def _product_width(n_frames: int) -> int:
    """Frames that are multiplied at once, the same number in all products of a song: of a clip so few that they are used."""
    n_products = -(-n_frames // _CQT_FRAMES)
    return -(-n_frames // (n_products * _CQT_STEP)) * _CQT_STEP
