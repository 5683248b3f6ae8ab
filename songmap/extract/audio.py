"""Decoding: a file becomes mono float32 samples at the analysis rate, as ``librosa.load`` gives them.

libsndfile reads wav, flac, ogg, opus, mp3 and aiff; what it cannot read (m4a, aac) FFmpeg's libraries
do through PyAV. Content decides, not the extension. Channels are averaged, then soxr (HQ) resamples.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from songmap.core.config import AudioConfig
from songmap.core.errors import AudioError

AUDIO_SUFFIXES = frozenset({".mp3", ".flac", ".ogg", ".opus", ".m4a", ".wav", ".aiff", ".aif"})
_BLOCK_SAMPLES = 1 << 19


@dataclass(frozen=True)
class Decoded:
    """Mono float32 ``samples (n,)``, full scale ±1, at ``sample_rate_hz``."""

    samples: np.ndarray
    sample_rate_hz: int

    @property
    def duration_s(self) -> float:
        return len(self.samples) / self.sample_rate_hz


def validate(decoded: Decoded, config: AudioConfig) -> None:
    """Raise AudioError for what has no embedding: too short, silent, or not finite."""
    if decoded.duration_s < config.min_duration_s:
        raise AudioError(f"too short: {decoded.duration_s:.2f} s, at least {config.min_duration_s:g} s are needed")
    low, high = float(decoded.samples.min()), float(decoded.samples.max())
    if not np.isfinite(low + high):
        raise AudioError("holds samples that are no numbers (NaN or infinite): damaged file?")
    peak = max(-low, high)
    if peak < config.silence_peak:
        raise AudioError(f"silent: peak {peak:.1e} of full scale, at least {config.silence_peak:g} is needed")


def load_audio(path: Path, config: AudioConfig) -> Decoded:
    """The whole file, validated, mono at ``config.sample_rate_hz``. Raises AudioError with the reason."""
    samples, rate_hz = decode_mono(path)
    # judged at the file's own rate: what is silent or too short need not be resampled
    validate(Decoded(samples, rate_hz), config)
    return Decoded(resample(samples, rate_hz, config.sample_rate_hz), config.sample_rate_hz)


def decode_mono(path: Path) -> tuple[np.ndarray, int]:
    """Mean of all channels, float32 ``(n,)``, and the file's own rate in Hz. Raises AudioError."""
    import soundfile

    try:
        if not path.is_file():
            raise AudioError("is no regular file" if path.exists() else "does not exist any more")
        if path.stat().st_size == 0:
            raise AudioError("empty: 0 bytes")
        with soundfile.SoundFile(path) as sound:
            return _read_blocks(sound), sound.samplerate
    except soundfile.LibsndfileError as error:
        return _decode_with_ffmpeg(path, str(error.error_string).rstrip("."))
    except OSError as error:
        raise AudioError(f"cannot be read: {error.strerror or error}") from error


def _read_blocks(sound) -> np.ndarray:
    from songmap.extract.kernels import mix_down

    blocks = []
    while True:
        block = sound.read(_BLOCK_SAMPLES, dtype="float32", always_2d=True)
        if len(block):
            mono = np.empty(len(block), np.float32)
            mix_down(block, mono)
            blocks.append(mono)
        if len(block) < _BLOCK_SAMPLES:
            return np.concatenate(blocks) if blocks else np.empty(0, np.float32)


def _decode_with_ffmpeg(path: Path, first_reason: str) -> tuple[np.ndarray, int]:
    import av

    from songmap.extract.kernels import mix_down

    blocks = []
    try:
        # before 19, PyAV refused a file for tags in an unexpected encoding unless told not to
        options = {"metadata_errors": "ignore"} if int(av.__version__.split(".")[0]) < 19 else {}
        with av.open(str(path), **options) as container:
            if not container.streams.audio:
                raise AudioError(f"no audio in it ({first_reason})")
            stream = container.streams.audio[0]
            rate_hz = stream.rate
            to_float = av.AudioResampler(format="flt")  # interleaved; keeps rate and channels
            for frame in container.decode(stream):
                for part in to_float.resample(frame):
                    block = part.to_ndarray().reshape(-1, part.layout.nb_channels)
                    mono = np.empty(len(block), np.float32)
                    mix_down(block, mono)
                    blocks.append(mono)
    except av.FFmpegError as error:
        raise AudioError(f"cannot be decoded: {first_reason}; FFmpeg: {error.strerror}") from error
    if not blocks or not rate_hz:
        raise AudioError(f"no audio in it ({first_reason})")
    return np.concatenate(blocks), rate_hz


def resample(samples: np.ndarray, rate_hz: int, target_rate_hz: int) -> np.ndarray:
    """Band-limited resampling by soxr (HQ), float32, ``ceil(n * target / rate)`` long as in librosa."""
    import librosa

    return librosa.resample(samples, orig_sr=rate_hz, target_sr=target_rate_hz, res_type="soxr_hq")
