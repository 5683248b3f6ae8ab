"""Decoding: a file becomes mono float32 samples at the analysis rate, as ``librosa.load`` gives them.

libsndfile reads wav, flac, ogg, opus, mp3 and aiff; what it cannot open (m4a, aac) FFmpeg's libraries
do through PyAV. Content decides, not the extension. Channels are averaged, then soxr (HQ) resamples,
all in blocks: a long recording is never held whole at its own rate.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from songmap.core.config import AudioConfig
from songmap.core.errors import AudioError
from songmap.extract.signal import Signal, resample

AUDIO_SUFFIXES = frozenset({".mp3", ".flac", ".ogg", ".opus", ".m4a", ".wav", ".aiff", ".aif"})
_BLOCK_SAMPLES = 1 << 17


def load_audio(path: Path, config: AudioConfig) -> Signal:
    """The whole file, mono at ``config.sample_rate_hz``.

    Raises AudioError with the reason for what cannot be decoded and for what has no embedding: too
    short, silent, or with samples that are no numbers.
    """
    rate_hz, blocks = open_mono(path)
    n_samples, peak = 0, 0.0

    def watched() -> Iterator[np.ndarray]:
        nonlocal n_samples, peak
        for block in blocks:
            n_samples += len(block)
            loudest = max(-float(block.min()), float(block.max()))
            if not np.isfinite(loudest):
                raise AudioError("holds samples that are no numbers (NaN or infinite): damaged file?")
            peak = max(peak, loudest)
            yield block

    signal = resample(watched(), rate_hz, config.sample_rate_hz)
    duration_s = n_samples / rate_hz
    if duration_s < config.min_duration_s:
        raise AudioError(f"too short: {duration_s:.2f} s, at least {config.min_duration_s:g} s are needed")
    if peak < config.silence_peak:
        raise AudioError(f"silent: peak {peak:.1e} of full scale, at least {config.silence_peak:g} is needed")
    return signal


def open_mono(path: Path) -> tuple[int, Iterator[np.ndarray]]:
    """The file's own rate in Hz, and the mean of its channels in blocks, float32. Raises AudioError, also later."""
    import soundfile

    try:
        if not path.is_file():
            raise AudioError("is no regular file" if path.exists() else "does not exist")
        if path.stat().st_size == 0:
            raise AudioError("empty: 0 bytes")
        sound = soundfile.SoundFile(os.fsencode(path))  # bytes: a file name need not be UTF-8
    except soundfile.LibsndfileError:
        return _open_with_ffmpeg(path)
    except OSError as error:
        raise AudioError(f"cannot be read: {error.strerror or error}") from error
    return sound.samplerate, _read_blocks(sound)


def _read_blocks(sound) -> Iterator[np.ndarray]:
    import soundfile

    with sound:
        while True:
            try:
                block = sound.read(_BLOCK_SAMPLES, dtype="float32", always_2d=True)
            except soundfile.LibsndfileError as error:
                at_s = sound.tell() / sound.samplerate
                raise AudioError(f"cannot be decoded beyond {at_s:.0f} s: {error.error_string}") from error
            if len(block):
                yield _mix_down(block)
            if len(block) < _BLOCK_SAMPLES:
                return


def _open_with_ffmpeg(path: Path) -> tuple[int, Iterator[np.ndarray]]:
    import av

    # before 19, PyAV refused a file for tags in an unexpected encoding unless told not to
    options = {"metadata_errors": "ignore"} if int(av.__version__.split(".")[0]) < 19 else {}
    try:
        container = av.open(path.open("rb"), **options)
        stream = next(iter(container.streams.audio), None)
    except av.FFmpegError as error:
        raise AudioError(
            f"cannot be decoded, no audio format that libsndfile or FFmpeg know: {error.strerror}"
        ) from error
    if stream is None or not stream.rate:
        container.close()
        raise AudioError("cannot be decoded: holds no audio")
    return stream.rate, _decode_blocks(container, stream)


def _decode_blocks(container, stream) -> Iterator[np.ndarray]:
    import av

    with container:
        to_float = av.AudioResampler(format="flt")  # interleaved; keeps rate and channels
        try:
            for frame in container.decode(stream):
                for part in to_float.resample(frame):
                    yield _mix_down(part.to_ndarray().reshape(-1, part.layout.nb_channels))
        except av.FFmpegError as error:
            raise AudioError(f"cannot be decoded: {error.strerror}") from error


def _mix_down(samples: np.ndarray) -> np.ndarray:
    from songmap.extract import kernels

    mono = np.empty(len(samples), np.float32)
    kernels.mix_down(samples, mono)
    return mono
