"""Samples that may be longer than memory should hold: appended in order, read by range."""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import FileIO
from typing import BinaryIO

import numpy as np

from songmap.core.errors import AudioError
from songmap.library.schema import AudioConfig

IN_MEMORY_SAMPLES = 1 << 24  # 64 MB, a good 12 minutes at 22,050 Hz; what is longer goes to a temporary file
_BLOCK_SAMPLES = 1 << 17  # a whole number of hops, as RMS and zero crossings need
_ITEM_BYTES = 4


class Signal:
    """Mono float32 samples. Short ones stay in memory, long ones in an unnamed temporary file.

    Not thread-safe.

    Parameters
    ----------
    expected : int
        How many samples will be appended, as far as that is known: many go to the file from the beginning, for others
        there is room at once.
    """

    def __init__(self, expected: int = 0) -> None:
        self._in_memory = expected <= IN_MEMORY_SAMPLES
        self._samples = np.empty(expected if self._in_memory else 0, np.float32)
        self._length = 0
        self._file: FileIO | None = None

    @classmethod
    def of(cls, samples: np.ndarray) -> "Signal":
        """A signal of samples that are in memory: copied unless float32 in one piece that may be written to."""
        signal = cls()
        signal._samples, signal._length = np.require(samples, np.float32, ["C", "W", "A"]), len(samples)
        return signal

    def __len__(self) -> int:
        return self._length

    def append(self, samples: np.ndarray) -> None:
        """Add float32 ``(n,)`` at the end. Raises AudioError if there is no room for a temporary file."""
        length = self._length + len(samples)
        self._in_memory = self._in_memory and length <= IN_MEMORY_SAMPLES
        if self._in_memory:
            if length > len(self._samples):
                grown = np.empty(max(length, 2 * len(self._samples)), np.float32)
                grown[: self._length] = self._samples[: self._length]
                self._samples = grown
            self._samples[self._length : length] = samples
        else:
            self._write(samples)
        self._length = length

    def _write(self, samples: np.ndarray) -> None:
        with room_for("samples"):
            if self._file is None:  # it lives as long as the signal
                self._file = tempfile.TemporaryFile(prefix="songmap-", buffering=0)  # noqa: SIM115
                write_all(self._file, self._samples[: self._length])
                self._samples = np.empty(0, np.float32)
            self._file.seek(0, 2)
            write_all(self._file, samples)

    def read(self, start: int, stop: int) -> np.ndarray:
        """Samples ``start … stop - 1``, without those that do not exist; not to be changed."""
        start, stop = max(0, start), min(stop, self._length)
        if self._file is None:
            return self._samples[start:stop]
        samples = np.empty(max(0, stop - start), np.float32)
        self._file.seek(start * _ITEM_BYTES)
        missing = samples.data.cast("B")
        while missing and (got := self._file.readinto(missing)):
            missing = missing[got:]
        return samples

    def blocks(self) -> Iterator[np.ndarray]:
        """All samples in blocks of one size, a whole number of hops; the last may be shorter."""
        for start in range(0, self._length, _BLOCK_SAMPLES):
            yield self.read(start, start + _BLOCK_SAMPLES)


@contextmanager
def room_for(what: str) -> Iterator[None]:
    """Raise AudioError where a temporary file for ``what`` of a song cannot be written."""
    try:
        yield
    except OSError as error:
        place = f"{tempfile.gettempdir()}: {error.strerror}"
        raise AudioError(f"its {what} cannot be written to {place}; make room there, or set TMPDIR") from error


def write_all(file: BinaryIO | FileIO, numbers: np.ndarray) -> None:
    """Write the bytes of ``numbers``; to an unbuffered file, which takes less at once where the disk is nearly full."""
    missing = np.ascontiguousarray(numbers).data.cast("B")
    while missing:
        missing = missing[file.write(missing) :]


class Resampler:
    """Band-limited resampling by soxr (HQ), of one signal after the other, bit for bit as ``librosa.resample``.

    Not thread-safe.

    Parameters
    ----------
    rate_hz, target_rate_hz : float
        Only their ratio counts.
    keep_energy : bool
        Divide by the square root of the ratio, as librosa does for ``scale=True``.
    """

    def __init__(self, rate_hz: float, target_rate_hz: float, *, keep_energy: bool = False) -> None:
        import soxr

        self._ratio, self._keep_energy = float(target_rate_hz) / rate_hz, keep_energy
        self._stream = (
            None
            if rate_hz == target_rate_hz
            else soxr.ResampleStream(rate_hz, target_rate_hz, 1, dtype="float32", quality="soxr_hq")
        )

    def resample(self, blocks: Iterable[np.ndarray], expected: int = 0) -> Signal:
        """``ceil(n * target / rate)`` samples; ``expected`` is ``n``, the number in all blocks, as far as that is known."""
        out, n_samples = Signal(self._length(expected)), 0
        if self._stream is None:
            for block in blocks:
                out.append(block)
            return out
        self._stream.clear()  # costs less than another stream
        for block in blocks:
            n_samples += len(block)
            self._keep(self._stream.resample_chunk(block), out, n_samples)
        self._keep(self._stream.resample_chunk(np.empty(0, np.float32), last=True), out, n_samples)
        out.append(np.zeros(self._length(n_samples) - len(out), np.float32))
        return out

    def _length(self, n_samples: int) -> int:
        return int(np.ceil(n_samples * self._ratio))

    def _keep(self, samples: np.ndarray, out: Signal, n_samples: int) -> None:
        from songmap.features import kernels

        if self._keep_energy:
            kernels.divide(samples, np.sqrt(self._ratio))
        out.append(samples[: self._length(n_samples) - len(out)])


def frame_count(n_samples: int, config: AudioConfig) -> int:
    """Number of centred frames of a signal of ``n_samples``."""
    return 1 + n_samples // config.hop_length
