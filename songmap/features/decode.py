"""Decoding: a file becomes mono float32 samples at the analysis rate, as ``librosa.load`` gives them.

``load_audio`` is for a file, ``load_samples`` for samples in memory. libsndfile reads wav, flac, ogg, opus, mp3, aiff
and more; what it cannot open or does not read to the end is decoded by FFmpeg's libraries through PyAV. Content
decides: neither gets the file's name. Channels are averaged, then soxr (HQ) resamples, all in blocks: a long recording
is never held whole at its own rate.

Ogg files in a row may change channels, rate or codec: each is decoded by itself.

What is cut off or damaged is left out, as players do, as long as nearly all the rest can be decoded.
"""

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from songmap.core.errors import AudioError, TooShortError
from songmap.features.ogg import Link, have_other_forms, ogg_links
from songmap.features.signal import Resampler, Signal, room_for, write_all
from songmap.library.schema import LEAST_DURATION_S, AudioConfig

AUDIO_SUFFIXES = frozenset({
    ".mp3", ".mp2", ".flac", ".ogg", ".oga", ".opus", ".m4a", ".m4b", ".mp4", ".aac", ".alac", ".ac3",
    ".wav", ".wave", ".rf64", ".w64", ".aiff", ".aif", ".aifc", ".caf", ".au", ".snd",
    ".wma", ".asf", ".mka", ".webm", ".ape", ".wv", ".tta",
})  # fmt: skip
MAX_PEAK = 1e6  # of full scale: float files may exceed 1, but from 1e16 on their power spectrum is infinite
MAX_CHANNELS = 64
RATES_HZ = (4_000, 768_000)  # what is outside comes from damaged headers; 1 Hz would become hours of samples
_BLOCK_SAMPLES = 1 << 17
_UNREAD_BYTES = 1 << 14  # tags behind the audio may remain unread; more may be audio that the header does not count
_PROBED_BYTES = 1 << 18  # enough for an audio stream; FFmpeg's 5 MB are meant for video
_PROBED_PACKETS = 1  # in which another codec than the header's is looked for: PCM of 256 kB takes FFmpeg 9 ms
_COPIED_BYTES = 1 << 20
_PADDING_S = 0.5  # decoders differ in what they leave of a codec's padding; more is music


@dataclass(frozen=True)
class Decoded:
    """Mono ``signal`` at the analysis rate, ``duration_s``, and ``peak`` (full scale 1) of the mean of the file's channels."""

    signal: Signal
    duration_s: float
    peak: float


def load_audio(path: Path, config: AudioConfig) -> Signal:
    """The whole file as a mono signal.

    Parameters
    ----------
    path : Path
        A regular file in any format that libsndfile or FFmpeg reads.
    config : AudioConfig
        Gives the sample rate in Hz, the shortest duration in seconds and the lowest peak of full scale.

    Returns
    -------
    Signal
        Mono float32 at ``config.sample_rate_hz``.

    Raises
    ------
    AudioError
        With the reason, for what cannot be decoded and for what has no embedding: too short, silent, with
        samples that are not finite or absurdly loud.
    """
    with opened(path) as file:
        return read_audio(file, config)


def read_audio(file: BinaryIO, config: AudioConfig) -> Signal:
    """The whole of a file that ``opened`` gave, as ``load_audio`` gives it."""
    return _checked(_decode(file, config.sample_rate_hz), config)


def load_samples(samples: np.ndarray, sample_rate_hz: int, config: AudioConfig) -> Signal:
    """Floating samples ``(n,)`` or ``(n, n_channels)``, full scale 1, as ``load_audio`` gives those of a file."""
    if samples.ndim not in (1, 2) or not np.issubdtype(samples.dtype, np.floating):
        raise AudioError(
            f"samples are {samples.dtype} {samples.shape}, not floating (n_samples,) or (n_samples, n_channels)"
        )
    rows = samples.reshape(len(samples), 1 if samples.ndim == 1 else samples.shape[1])
    blocks = (rows[start : start + _BLOCK_SAMPLES].astype(np.float32) for start in range(0, len(rows), _BLOCK_SAMPLES))
    return _checked(_collect(blocks, sample_rate_hz, rows.shape[1], config.sample_rate_hz, len(rows)), config)


def _checked(decoded: Decoded, config: AudioConfig) -> Signal:
    """The signal, if there is enough of it for an embedding."""
    least_s = max(config.min_duration_s, LEAST_DURATION_S)
    if decoded.duration_s < least_s:
        raise TooShortError(decoded.duration_s, least_s)
    if decoded.peak < config.silence_peak:
        raise AudioError(f"silent: peak {decoded.peak:.1e} of full scale, at least {config.silence_peak:g} is needed")
    if decoded.peak > MAX_PEAK:
        raise AudioError(f"too loud: peak {decoded.peak:.1e} of full scale, at most {MAX_PEAK:g}; damaged file?")
    return decoded.signal


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The file, open to read, if it is regular and not empty. Raises AudioError, also for errors while reading.

    Whatever else is read of a song is read from this descriptor: another file may take its path at any time.
    """
    try:
        if not path.exists():
            raise AudioError("does not exist")
        _check_regular(path.stat())  # before opening: to open a device may already do something
        with open(path, "rb", buffering=0, opener=_open_at_once) as file:
            status = os.fstat(file.fileno())
            _check_regular(status)  # it may have become another file meanwhile
            if status.st_size == 0:
                raise AudioError("empty: 0 bytes")
            yield file
    except OSError as error:
        raise AudioError(f"cannot be read: {error.strerror or error}") from error


def _open_at_once(path: str, flags: int) -> int:
    """Open without waiting for the writer of a FIFO. Windows has neither FIFOs nor the flag."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _check_regular(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise AudioError("is not a regular file")


def _decode(file: BinaryIO, rate_hz: int) -> Decoded:
    """By libsndfile; by FFmpeg where that fails, or where it ends early and FFmpeg does not."""
    import soundfile

    size = os.fstat(file.fileno()).st_size
    links = ogg_links(file)
    if have_other_forms(links):
        return _decode_links(file, links, rate_hz)
    decoded = None
    file.seek(0)  # libsndfile begins where the descriptor is
    try:
        with soundfile.SoundFile(file.fileno(), closefd=False) as sound:
            decoded = _collect(_read_blocks(sound), sound.samplerate, sound.channels, rate_hz, sound.frames)
            missing_s = sound.frames / sound.samplerate - decoded.duration_s
        # a damaged MP3 frame ends libsndfile's reading without an error; MP3 and Ogg files may be several in a row
        unread = sound.format in ("MP3", "OGG") and os.lseek(file.fileno(), 0, os.SEEK_CUR) < size - _UNREAD_BYTES
        if decoded.duration_s and missing_s < _PADDING_S and not unread and len(links) < 2:
            return decoded
    except soundfile.SoundFileError:
        pass  # FFmpeg gives the reason
    other = _decode_with_ffmpeg(file, rate_hz)
    return other if decoded is None or other.duration_s > decoded.duration_s + _PADDING_S else decoded


def _decode_links(file: BinaryIO, links: list[Link], rate_hz: int) -> Decoded:
    """Each link of a chained Ogg file by itself, since decoders end where channels, rate or codec change."""
    signal, duration_s, peak, lost_bytes = Signal(), 0.0, 0.0, 0
    for number, link in enumerate(links, 1):
        with tempfile.TemporaryFile(prefix="songmap-", buffering=0) as part:
            _copy(file, link, part)
            try:
                decoded = _decode(part, rate_hz)
            except AudioError as error:
                lost_bytes += link.stop - link.start
                if lost_bytes > (links[-1].stop - links[0].start) // 10:
                    raise AudioError(
                        f"damaged: part {number} of {len(links)}, at most a tenth may be ({error})"
                    ) from error
                continue
        for block in decoded.signal.blocks():
            signal.append(block)
        duration_s, peak = duration_s + decoded.duration_s, max(peak, decoded.peak)
    return Decoded(signal, duration_s, peak)


def _copy(file: BinaryIO, link: Link, part: BinaryIO) -> None:
    file.seek(link.start)
    missing = link.stop - link.start
    while missing and (data := file.read(min(_COPIED_BYTES, missing))):  # which may be less than was asked for
        missing -= len(data)
        with room_for("parts"):
            write_all(part, np.frombuffer(data, np.uint8))


def _collect(blocks: Iterator[np.ndarray], own_rate_hz: int, channels: int, rate_hz: int, expected: int = 0) -> Decoded:
    """Mix down, watch and resample blocks of float32 ``(n, channels)``, about ``expected`` samples of each channel."""
    if not 1 <= channels <= MAX_CHANNELS:
        raise AudioError(f"{channels} channels, 1 to {MAX_CHANNELS} can be read; damaged header?")
    if not RATES_HZ[0] <= own_rate_hz <= RATES_HZ[1]:
        raise AudioError(f"sample rate {own_rate_hz} Hz, {RATES_HZ[0]} to {RATES_HZ[1]} can be read; damaged header?")
    n_samples, peak = 0, 0.0

    def mono() -> Iterator[np.ndarray]:
        nonlocal n_samples, peak
        for block in blocks:
            samples = _mix_down(block)
            n_samples += len(samples)
            loudest = max(-float(samples.min()), float(samples.max()))
            if not np.isfinite(loudest):
                raise AudioError("holds samples that are not finite (NaN or infinite): damaged file?")
            peak = max(peak, loudest)
            yield samples

    signal = Resampler(own_rate_hz, rate_hz).resample(mono(), expected)
    return Decoded(signal, n_samples / own_rate_hz, peak)


def _read_blocks(sound: Any) -> Iterator[np.ndarray]:
    """Each block is valid until the next."""
    block = np.empty((_BLOCK_SAMPLES, sound.channels), np.float32)
    # sound.read would first count what remains, which is negative behind a damaged Ogg page
    while n_samples := sound.buffer_read_into(block, "float32"):
        yield block[:n_samples]


def _decode_with_ffmpeg(file: BinaryIO, rate_hz: int) -> Decoded:
    with demuxed(file) as (container, stream):
        own_rate_hz, channels = stream.codec_context.sample_rate, stream.codec_context.channels
        return _collect(_frame_blocks(container, stream, own_rate_hz), own_rate_hz, channels, rate_hz)


@contextmanager
def demuxed(file: BinaryIO) -> Iterator[tuple[Any, Any]]:
    """PyAV's container and the audio stream to decode, the default one or the first. Raises AudioError."""
    import av
    from av.stream import Disposition

    # before 19, PyAV refused a file for tags in an unexpected encoding by default
    ignore = {"metadata_errors": "ignore"} if int(av.__version__.split(".")[0]) < 19 else {}
    file.seek(0)
    # a text that is a playlist to FFmpeg may not make it open other files, let alone addresses
    options = {"fd": str(file.fileno()), "protocol_whitelist": "fd"}
    options |= {"probesize": str(_PROBED_BYTES), "max_probe_packets": str(_PROBED_PACKETS)}
    try:
        container = av.open("fd:", options=options, **ignore)
    except (av.FFmpegError, ValueError) as error:  # ValueError: of FFmpeg's EINVAL
        reason = getattr(error, "strerror", None) or error
        raise AudioError(f"cannot be decoded: no audio, cut off, or of an unknown format ({reason})") from error
    with container:
        # a stream of an unknown codec has no context
        streams = [stream for stream in container.streams.audio if stream.codec_context is not None]
        if not streams:
            raise AudioError("cannot be decoded: holds no audio")
        default = [stream for stream in streams if stream.disposition & Disposition.default]
        stream = (default or streams)[0]
        yield container, stream


def packets(container: Any, stream: Any) -> Iterator[Any]:
    """The stream's packets, as far as they can be read; the last is empty and makes a decoder give what it holds."""
    import av

    demuxer = container.demux(stream)
    while True:
        try:
            packet = next(demuxer, None)
        except av.FFmpegError:  # damaged or cut off here; what came before is good
            packet = None
        if packet is None:
            return
        yield packet


def _frame_blocks(container: Any, stream: Any, rate_hz: int) -> Iterator[np.ndarray]:
    import av

    form: tuple[str, str, int] | None = None
    to_float: Any = None
    n_packets = n_damaged = 0
    for packet in packets(container, stream):
        n_packets += 1
        try:
            frames = packet.decode()
        except (av.FFmpegError, ValueError):  # ValueError: of a codec that FFmpeg does not know
            n_damaged += 1
            continue
        for frame in frames:
            if form != (form := (frame.format.name, frame.layout.name, frame.sample_rate)):
                # interleaved, channels as they are; a rate that changes midway is made the first one
                to_float = av.AudioResampler(format="flt", rate=rate_hz)
            for part in to_float.resample(frame):
                yield part.to_ndarray().reshape(-1, part.layout.nb_channels)
    if n_damaged > 1 + n_packets // 10:
        raise AudioError(f"damaged: {n_damaged} of {n_packets} packets cannot be decoded, at most a tenth may be")


def _mix_down(samples: np.ndarray) -> np.ndarray:
    from songmap.features import kernels

    mono = np.empty(len(samples), np.float32)
    kernels.mix_down(samples, mono)
    return mono
