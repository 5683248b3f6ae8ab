"""Excerpts of songs as spectrograms: what networks look at.

An excerpt is ``(n_bands, n_frames)`` in decibels below the maximum of its *song*, -80 … 0, as float16 (steps of at most
0.06 dB). The song's maximum, and not the excerpt's: a quiet passage then looks quiet, and the mel bands are those that the
library's columns are statistics of. Frames are centred and zero-padded, as in ``librosa.stft``. A song that is shorter than
an excerpt is followed by silence; excerpts that are nothing but silence are left out. ``songmap.spectrogram.cache`` keeps
the excerpts of a library.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np

from songmap.core.errors import AudioError, UsageError
from songmap.features import filters
from songmap.features.decode import load_audio
from songmap.features.signal import Signal, frame_count
from songmap.library.mel import mel_freqs_hz
from songmap.library.schema import LEAST_DURATION_S, AudioConfig

FLOOR_DB = -80.0
MOST_EXCERPTS = 20  # of a song
N_MFCC = 13
_AMIN = 1e-10  # power floor of decibels, librosa's
_C1_HZ = 440.0 * 2.0 ** (-45 / 12)


@dataclass(frozen=True)
class ExcerptKind:
    """A way to make spectrograms: ``n_bands`` mel bands, or semitones from C1 on where ``is_log``, by ``n_frames``.

    ``n_fft`` and ``hop_length`` are in samples at 22,050 Hz.
    """

    name: str
    n_bands: int
    n_frames: int
    n_fft: int
    hop_length: int
    is_log: bool

    @property
    def hop_s(self) -> float:
        return self.hop_length / AudioConfig().sample_rate_hz

    @property
    def length_s(self) -> float:
        return self.n_frames * self.hop_s

    @property
    def config(self) -> AudioConfig:
        return AudioConfig(
            n_fft=self.n_fft,
            hop_length=self.hop_length,
            n_mels=self.n_bands,
            min_duration_s=LEAST_DURATION_S,  # which files are songs is the library's to decide
        )


KINDS: dict[str, ExcerptKind] = {
    one.name: one
    for one in (
        # 60 ms a frame; 4,096 samples, since semitones of the bass are narrow
        ExcerptKind("image", 100, 100, 4096, 1323, True),  # 6.0 s
        ExcerptKind("frames", 128, 599, 2048, 512, False),  # 13.9 s of the extractor's mel bands
        ExcerptKind("mel", 96, 216, 2048, 512, False),  # 5.0 s
    )
}


@dataclass(frozen=True)
class FailedSong:
    """A song of the library that has no excerpts, and why."""

    file_path: str
    reason: str


@dataclass(frozen=True)
class Excerpts:
    """The excerpts of a library's songs, in the order of its rows, and of time.

    Attributes
    ----------
    kind : ExcerptKind
    values : np.ndarray, float16 (n_excerpts, n_bands, n_frames)
        Decibels, mapped into memory for reading.
    song : np.ndarray, int64 (n_excerpts,)
        Rows of the library.
    start_s : np.ndarray, float64 (n_excerpts,)
    failed : tuple of FailedSong
        Files that could not be read this time.
    """

    kind: ExcerptKind
    values: np.ndarray
    song: np.ndarray
    start_s: np.ndarray
    failed: tuple[FailedSong, ...] = field(default=())

    def of_songs(self, rows: np.ndarray) -> list[np.ndarray]:
        """Places of the excerpts of each of some rows of the library, int64."""
        bounds = (np.searchsorted(self.song, rows, side) for side in ("left", "right"))
        return [np.arange(first, end) for first, end in zip(*bounds, strict=True)]


def kind_named(name: str) -> ExcerptKind:
    """One of ``KINDS``. Raises UsageError for a name that there is not."""
    if name not in KINDS:
        raise UsageError(f"no kind of excerpt {name!r}; there are {', '.join(KINDS)}")
    return KINDS[name]


def band_frequencies_hz(kind: str) -> np.ndarray:
    """Centre frequencies of the bands of a kind, ascending, float64 ``(n_bands,)``."""
    one = kind_named(kind)
    if one.is_log:
        return _C1_HZ * 2.0 ** (np.arange(one.n_bands) / 12)
    return mel_freqs_hz(one.n_bands + 2, one.config.sample_rate_hz / 2)[1:-1]


@lru_cache(maxsize=4)
def log_bank(kind: ExcerptKind) -> filters.MelBank:
    """Triangular filters on semitones, which add up to 1: the mean power near each.

    A triangle reaches to the neighbouring semitones, but at least one FFT bin to either side: in the bass, where semitones
    are closer than bins, it interpolates between bins.
    """
    freqs_hz = filters.fft_freqs_hz(kind.config)
    centres_hz = _C1_HZ * 2.0 ** (np.arange(-1, kind.n_bands + 1) / 12)
    below_hz, above_hz = (np.maximum(np.diff(centres_hz)[part], freqs_hz[1]) for part in (slice(-1), slice(1, None)))
    distances_hz = np.subtract.outer(centres_hz[1:-1], freqs_hz)
    reach_hz = np.where(distances_hz > 0, below_hz[:, np.newaxis], above_hz[:, np.newaxis])
    weights = np.maximum(0, 1 - np.abs(distances_hz) / reach_hz)
    return filters.MelBank.of((weights / weights.sum(axis=1, keepdims=True)).astype(np.float32))


def band_powers(signal: Signal, kind: ExcerptKind, first: int, stop: int) -> np.ndarray:
    """Power of the bands in frames ``first … stop - 1`` of a signal, float32 ``(n_bands, stop - first)``."""
    from songmap.features.spectra import stft_frames
    from songmap.features.spectral_features import mel_power

    bank = log_bank(kind) if kind.is_log else filters.mel_bank(kind.config)
    power = np.empty((kind.n_bands, stop - first), np.float32)
    magnitude = np.abs(stft_frames(signal, first, stop, kind.config))
    mel_power(np.ascontiguousarray(magnitude.T), bank.weights, bank.spans, power)
    return power


def first_frames(n_frames: int, kind: ExcerptKind) -> np.ndarray:
    """The first frame of each excerpt of a song of ``n_frames``, int64 ``(n_excerpts,)``.

    As many as fit one after another, at most ``MOST_EXCERPTS``, each in the middle of an equal part of the song.
    """
    number = min(MOST_EXCERPTS, max(1, n_frames // kind.n_frames))
    centres = (np.arange(number) + 0.5) * n_frames / number
    return np.maximum(0, np.round(centres - kind.n_frames / 2)).astype(np.int64)


def excerpts_of(source: Path | str | Signal, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Excerpts of a file, or of a signal at 22,050 Hz.

    Parameters
    ----------
    source : path or Signal
    kind : str
        One of ``KINDS``.

    Returns
    -------
    values : np.ndarray, float16 (n_excerpts, n_bands, n_frames)
        Decibels below the maximum of the whole song.
    start_s : np.ndarray, float64 (n_excerpts,)

    Raises
    ------
    AudioError
        If the file cannot be decoded, is too short or silent.
    """
    from songmap.features.spectra import BLOCK_FRAMES

    one = kind_named(kind)
    signal = source if isinstance(source, Signal) else load_audio(Path(source), one.config)
    n_frames = frame_count(len(signal), one.config)
    starts = first_frames(n_frames, one)
    power = np.zeros((len(starts), one.n_bands, one.n_frames), np.float32)
    largest = 0.0
    for first in range(0, n_frames, BLOCK_FRAMES):  # the maximum is of the whole song, of which a block is in memory
        stop = min(first + BLOCK_FRAMES, n_frames)
        block = band_powers(signal, one, first, stop)
        largest = max(largest, float(block.max()))
        for excerpt, start in zip(power, starts, strict=True):
            low, high = max(first, start), min(stop, start + one.n_frames)
            if low < high:
                excerpt[:, low - start : high - start] = block[:, low - first : high - first]
    values = decibels(power, largest)
    kept = values.max(axis=(1, 2)) > FLOOR_DB
    if not kept.any():
        raise AudioError("silent but for a moment; no excerpt can be taken")
    return values[kept], starts[kept] * one.hop_s


def spectrogram_of(signal: Signal, kind: str) -> np.ndarray:
    """The whole of a signal at 22,050 Hz as excerpts show it, float16 ``(n_bands, n_frames)``: decibels below its maximum."""
    from songmap.features.spectra import BLOCK_FRAMES

    one = kind_named(kind)
    power = np.empty((one.n_bands, frame_count(len(signal), one.config)), np.float32)
    blocks = [slice(first, first + BLOCK_FRAMES) for first in range(0, power.shape[1], BLOCK_FRAMES)]
    for block in blocks:
        power[:, block] = band_powers(signal, one, block.start, min(block.stop, power.shape[1]))
    result, largest = np.empty(power.shape, np.float16), float(power.max())
    for block in blocks:
        result[:, block] = decibels(power[:, block], largest)
    return result


def excerpts_at(spectrogram: np.ndarray, starts: np.ndarray, kind: ExcerptKind) -> np.ndarray:
    """Excerpts float16 ``(n, n_bands, n_frames)`` that begin at frames ``starts`` of a ``spectrogram_of``; then silence."""
    values = np.full((len(starts), kind.n_bands, kind.n_frames), FLOOR_DB, np.float16)
    for excerpt, start in zip(values, starts, strict=True):
        here = spectrogram[:, start : start + kind.n_frames]
        excerpt[:, : here.shape[1]] = here
    return values


def decibels(power: np.ndarray, largest: float) -> np.ndarray:
    """Decibels of power below ``largest``, at least ``FLOOR_DB``, float16 (``librosa.power_to_db``)."""
    levels = np.log10(np.maximum(power, _AMIN))
    levels = 10 * (levels - np.float32(np.log10(max(largest, _AMIN))))
    return np.clip(levels, FLOOR_DB, 0).astype(np.float16)


def mfcc_of(values: np.ndarray) -> np.ndarray:
    """The first ``N_MFCC`` cepstral coefficients of mel excerpts ``(n, n_mels, n_frames)``, float32 ``(n, 13, n_frames)``.

    Orthonormal DCT-II, as in ``librosa.feature.mfcc``.
    """
    import scipy.fft

    return scipy.fft.dct(values.astype(np.float32), axis=1, norm="ortho")[:, :N_MFCC]
