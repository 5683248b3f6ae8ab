"""Every format that can be encoded here is decoded to what went in."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import soundfile
from encoding import encode, likeness
from signals import music

from songmap.features.decode import AUDIO_SUFFIXES, load_audio
from songmap.library.schema import AudioConfig

SECONDS = 3.2


@cache
def source(rate_hz: int, channels: int) -> np.ndarray:
    """Music within full scale, float32 ``(n, channels)``; every channel is at another level."""
    return np.outer(0.4 * music(SECONDS, rate_hz), np.linspace(1, 0.5, channels)).astype(np.float32)


def assert_heard(path: Path, samples: np.ndarray, rate_hz: int, padding_s: float, fidelity: float, gain: float) -> None:
    """The decoded file lasts as long as the samples and correlates with their mean, at about their level."""
    loaded = load_audio(path, AudioConfig(sample_rate_hz=rate_hz))
    decoded, mono = loaded.read(0, len(loaded)), samples.mean(axis=1)
    assert abs(len(decoded) - len(mono)) <= padding_s * rate_hz
    n = min(len(decoded), len(mono))
    correlation, level = likeness(decoded[:n], mono[:n], int(padding_s * rate_hz))
    assert correlation > fidelity
    assert abs(level - 1) < gain


def by_libsndfile(container: str, subtype: str) -> Callable[..., None]:
    return lambda path, samples, rate_hz: soundfile.write(path, samples, rate_hz, format=container, subtype=subtype)


def by_ffmpeg(codec: str, *arguments: str) -> Callable[..., None]:
    return lambda path, samples, rate_hz: encode(path, samples, rate_hz, codec, *arguments, bit_rate=192_000)


# suffix, encoder, padding in s, correlation, deviation of the level
LOSSLESS = [
    *((suffix, by_libsndfile(container, subtype), 0, 0.9999, 0.001)
      for suffix, container, subtypes in (
        ("wav", "WAV", ("PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE")),
        ("wav", "WAVEX", ("PCM_16", "PCM_24", "FLOAT")),
        ("wav", "RF64", ("PCM_16", "FLOAT")),
        ("w64", "W64", ("PCM_24",)),
        ("aiff", "AIFF", ("PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE")),
        ("flac", "FLAC", ("PCM_16", "PCM_24")),
        ("caf", "CAF", ("PCM_16", "ALAC_16", "ALAC_24")),
        ("au", "AU", ("PCM_16", "FLOAT")),
      ) for subtype in subtypes),
    ("m4a", by_ffmpeg("alac"), 0, 0.9999, 0.001),
    ("mka", by_ffmpeg("flac"), 0, 0.9999, 0.001),
    ("ogg", by_ffmpeg("flac"), 0, 0.9999, 0.001),
    ("mp4", by_ffmpeg("alac"), 0, 0.9999, 0.001),
]  # fmt: skip
LOSSY = [
    ("wav", by_libsndfile("WAV", "PCM_U8"), 0, 0.99, 0.01),
    ("wav", by_libsndfile("WAV", "ALAW"), 0, 0.99, 0.01),
    ("wav", by_libsndfile("WAV", "ULAW"), 0, 0.99, 0.01),
    ("aifc", by_libsndfile("AIFF", "ULAW"), 0, 0.99, 0.01),
    ("wv", by_ffmpeg("wavpack"), 0, 0.99, 0.01),
    ("tta", by_ffmpeg("tta"), 0, 0.99, 0.01),
    ("wav", by_libsndfile("WAV", "IMA_ADPCM"), 0.05, 0.98, 0.03),
    ("ogg", by_libsndfile("OGG", "VORBIS"), 0.05, 0.9, 0.2),
    ("mp3", by_ffmpeg("libmp3lame"), 0.05, 0.9, 0.2),
    ("mp2", by_ffmpeg("mp2"), 0.06, 0.9, 0.2),
    ("m4a", by_ffmpeg("aac"), 0.06, 0.9, 0.2),
    ("aac", by_ffmpeg("aac", "fltp", "adts"), 0.06, 0.9, 0.2),
    ("wma", by_ffmpeg("wmav2", "fltp", "asf"), 0.06, 0.9, 0.2),
    ("wma", by_ffmpeg("wmav1", "fltp", "asf"), 0.06, 0.9, 0.2),
    ("wav", by_ffmpeg("libmp3lame"), 0.06, 0.9, 0.2),
]
AT_48_KHZ = [
    ("opus", by_libsndfile("OGG", "OPUS"), 0.05, 0.9, 0.2),
    ("webm", by_ffmpeg("libopus", "flt"), 0.05, 0.9, 0.2),
    ("mka", by_ffmpeg("libopus", "flt"), 0.05, 0.9, 0.2),
    ("ac3", by_ffmpeg("ac3"), 0.06, 0.9, 0.2),
]


def name_of(value: object) -> str | None:
    return value if isinstance(value, str) else None


@pytest.mark.parametrize(("suffix", "write", "padding_s", "fidelity", "gain"), [*LOSSLESS, *LOSSY], ids=name_of)
@pytest.mark.parametrize("channels", [1, 2])
def test_a_format_gives_what_went_in(tmp_path, suffix, write, padding_s, fidelity, gain, channels):
    path, samples = tmp_path / f"song.{suffix}", source(44100, channels)
    write(path, samples, 44100)
    assert_heard(path, samples, 44100, padding_s, fidelity, gain)


@pytest.mark.parametrize(("suffix", "write", "padding_s", "fidelity", "gain"), AT_48_KHZ, ids=name_of)
def test_a_format_of_48_khz_gives_what_went_in(tmp_path, suffix, write, padding_s, fidelity, gain):
    path, samples = tmp_path / f"song.{suffix}", source(48000, 2)
    write(path, samples, 48000)
    assert_heard(path, samples, 48000, padding_s, fidelity, gain)


def test_every_format_tried_is_looked_for():
    assert {f".{case[0]}" for case in [*LOSSLESS, *LOSSY, *AT_48_KHZ]} <= AUDIO_SUFFIXES
    assert all(suffix == suffix.lower() for suffix in AUDIO_SUFFIXES)
