"""Odd and damaged files: what is there is decoded, or the reason is one line, never another exception."""

import io
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import av
import mutagen
import numpy as np
import pytest
import soundfile
from encoding import add_audio, encode, likeness
from mutagen import id3
from signals import music, noise, tone

from songmap.core.errors import AudioError
from songmap.core.workspace import REPOSITORY
from songmap.features import analysis
from songmap.features.decode import load_audio, opened
from songmap.library.schema import AudioConfig

RATE_HZ = 44100
CONFIG = AudioConfig(sample_rate_hz=RATE_HZ)
KINDS = {
    "mp3": ("libmp3lame", None), "flac": ("flac", None), "m4a": ("aac", None), "aac": ("aac", None),
    "wma": ("wmav2", "fltp"), "wv": ("wavpack", None), "tta": ("tta", None), "mka": ("flac", None),
    "wav": ("pcm_s16le", None), "aiff": ("pcm_s16be", None), "caf": ("pcm_s16be", None),
}  # fmt: skip


def song(duration_s: float, seed: int = 0) -> np.ndarray:
    """Mono music within full scale that does not repeat."""
    return 0.4 * music(duration_s, RATE_HZ, seed) + noise(duration_s, RATE_HZ, 0.05, seed)


def decode(path: Path) -> np.ndarray:
    signal = load_audio(path, CONFIG)
    return signal.read(0, len(signal))


def seconds(path: Path) -> float:
    return len(decode(path)) / RATE_HZ


def reason(path: Path) -> str:
    """Why a file is refused."""
    with pytest.raises(AudioError) as caught:
        load_audio(path, CONFIG)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def wav(data: bytes, claimed: int | None = None, kind=1, channels=1, rate_hz=RATE_HZ, bits=16) -> bytes:
    """A WAV file whose header says what it likes."""
    size = len(data) if claimed is None else claimed
    block = channels * bits // 8 & 0xFFFF
    form = struct.pack("<HHIIHH", kind, channels, rate_hz, rate_hz * block & 0xFFFFFFFF, block, bits)
    return (
        b"RIFF"
        + struct.pack("<I", min(size + 36, 2**32 - 1))
        + b"WAVEfmt \x10\0\0\0"
        + form
        + b"data"
        + struct.pack("<I", size)
        + data
    )


def pcm(samples: np.ndarray) -> bytes:
    return (samples * 32767).astype("<i2").tobytes()


@pytest.mark.parametrize("rate_hz", [8000, 11025, 16000, 22050, 44100, 48000, 96000, 192000])
@pytest.mark.parametrize("suffix", ["wav", "flac", "wv"])
def test_sample_rates(tmp_path, suffix, rate_hz):
    path, samples = tmp_path / f"song.{suffix}", tone(440, 4, rate_hz)
    if suffix == "wv":
        encode(path, samples, rate_hz, "wavpack")
    else:
        soundfile.write(path, samples, rate_hz)
    signal = load_audio(path, AudioConfig())
    assert len(signal) == int(np.ceil(4 * 22050))
    assert likeness(signal.read(0, len(signal)), tone(440, 4, 22050), 0)[0] > 0.999


@pytest.mark.parametrize(
    ("suffix", "codec", "most_channels", "fidelity", "gain"),
    [
        ("wav", "pcm_s16le", 8, 0.999, 0.01),
        ("flac", "flac", 8, 0.999, 0.01),
        ("wv", "wavpack", 8, 0.99, 0.01),
        ("m4a", "aac", 8, 0.85, 0.25),
        ("mka", "ac3", 6, 0.95, 0.1),
    ],
)
def test_channels_are_averaged(tmp_path, suffix, codec, most_channels, fidelity, gain):
    path = tmp_path / f"song.{suffix}"
    for channels in (1, 2, 6, 8):
        if channels > most_channels:
            continue
        samples = np.outer(song(4), np.linspace(1, 0.3, channels)).astype(np.float32)
        if channels >= 6:
            samples[:, 3] = 0  # the low-frequency channel, which lossy codecs cut off at 120 Hz
        encode(path, samples, RATE_HZ, codec, bit_rate=448_000)
        correlation, level = likeness(decode(path)[: 3 * RATE_HZ], samples.mean(axis=1), 2000)
        assert correlation > fidelity, channels
        assert abs(level - 1) < gain, channels


def test_content_decides_not_the_name(tmp_path):
    for suffix in ("mp3", "m4a", "flac", "wma", "wav"):
        path = tmp_path / f"song.{suffix}"
        encode(path, song(4), RATE_HZ, *KINDS[suffix], bit_rate=128_000)
        expected = decode(path)
        for name in ("disguised.wav", "disguised.mp3", "disguised.raw", "disguised", "concat:disguised.m3u8"):
            shutil.copy(path, tmp_path / name)
            np.testing.assert_array_equal(decode(tmp_path / name), expected)


def test_a_cover_is_not_the_audio_and_may_be_large(tmp_path):
    path = tmp_path / "song.mp3"
    soundfile.write(path, song(4), RATE_HZ)
    before = decode(path)
    file = mutagen.File(path)
    file.add_tags()
    file.tags.add(
        id3.APIC(encoding=3, mime="image/jpeg", type=3, desc="", data=b"\xff\xd8\xff" + bytes(range(256)) * 60_000)
    )
    file.save()
    np.testing.assert_array_equal(decode(path), before)


def test_of_several_streams_the_default_or_else_the_first_is_heard(tmp_path):
    path, spoken, played = tmp_path / "song.mka", tone(300, 4, RATE_HZ), song(4)
    for default in (None, 1):
        with av.open(str(path), "w") as container:
            streams = [container.add_stream("flac", rate=RATE_HZ, layout="mono") for _ in range(2)]
            for index, stream in enumerate(streams):
                if default is not None:
                    stream.disposition = av.stream.Disposition.default if index == default else av.stream.Disposition(0)
            for stream, samples in zip(streams, (spoken, played), strict=True):
                frame = av.AudioFrame.from_ndarray(
                    (samples * 32767).astype(np.int16)[np.newaxis], format="s16", layout="mono"
                )
                frame.sample_rate, frame.pts = RATE_HZ, 0
                for packet in [*stream.encode(frame), *stream.encode(None)]:
                    container.mux(packet)
        match = likeness(decode(path), played if default else spoken, 0)
        assert match[0] > 0.999, default


def test_a_video_is_heard(tmp_path):
    path = tmp_path / "song.mp4"
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=5)
        video.width = video.height = 64
        video.pix_fmt = "yuv420p"
        add_audio(container, song(4), RATE_HZ, "aac")
        for frame in [av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8))] * 20 + [None]:
            container.mux(video.encode(frame))
    assert abs(seconds(path) - 4) < 0.1


def test_an_image_has_no_audio(tmp_path):
    path = tmp_path / "cover.mp3"
    with av.open(str(path), "w", format="image2") as container:
        stream = container.add_stream("png", rate=1)
        stream.width = stream.height = 64
        stream.pix_fmt = "rgb24"
        for packet in stream.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8))):
            container.mux(packet)
    assert "no audio" in reason(path)


def test_a_format_that_changes_midway_is_decoded_through(tmp_path):
    path, parts = tmp_path / "song.aac", []
    for rate_hz, channels in ((44100, 2), (22050, 1), (44100, 1)):
        samples = np.outer(0.4 * music(3, rate_hz), np.ones(channels))
        encode(path, samples, rate_hz, "aac", None, "adts")
        parts.append(path.read_bytes())
    path.write_bytes(b"".join(parts))
    assert abs(seconds(path) - 9) < 0.3


def test_mp3_headers_may_be_absent_or_wrong(tmp_path):
    path = tmp_path / "song.mp3"
    encode(path, song(6), RATE_HZ, "libmp3lame", bit_rate=128_000)
    raw = path.read_bytes()
    at = raw.index(b"Info") + 8  # number of frames
    for n_frames in (10, 1_000_000):
        path.write_bytes(raw[:at] + struct.pack(">I", n_frames) + raw[at + 4 :])
        assert abs(seconds(path) - 6) < 0.1
    path.write_bytes(raw[raw.index(b"\xff\xfb", at) :])
    assert abs(seconds(path) - 6) < 0.1
    path.write_bytes(b"\0" * 5000 + raw)
    assert abs(seconds(path) - 6) < 0.1


def test_damage_in_the_middle_loses_no_more_than_it_hit(tmp_path):
    path = tmp_path / "song.mp3"
    encode(path, song(20), RATE_HZ, "libmp3lame", bit_rate=128_000)
    damaged, random = bytearray(path.read_bytes()), np.random.default_rng(0)
    for at in random.integers(len(damaged) // 4, len(damaged) // 2, 60):
        damaged[at] = random.integers(256)
    path.write_bytes(damaged)
    assert abs(seconds(path) - 20) < 1


def test_files_in_a_row_are_one(tmp_path):
    for suffix in ("mp3", "ogg", "opus"):
        parts = []
        for seed in (0, 1):
            stream = io.BytesIO()
            rate_hz = 48000 if suffix == "opus" else RATE_HZ
            samples = np.tile(0.4 * music(4, rate_hz, seed) + noise(4, rate_hz, 0.05, seed), 2)
            subtype = {"ogg": "VORBIS", "opus": "OPUS", "mp3": None}[suffix]
            soundfile.write(stream, samples, rate_hz, format="MP3" if suffix == "mp3" else "OGG", subtype=subtype)
            parts.append(stream.getvalue())
        (tmp_path / f"song.{suffix}").write_bytes(b"".join(parts))
        assert abs(seconds(tmp_path / f"song.{suffix}") - 16) < 0.2, suffix


def ogg(duration_s: float, rate_hz: int, channels: int, subtype: str, seed: int = 0) -> bytes:
    """A song in an Ogg file; written in parts, since libsndfile's encoder takes no more at once."""
    samples, stream = 0.4 * music(duration_s, rate_hz, seed), io.BytesIO()
    with soundfile.SoundFile(stream, "w", rate_hz, channels, subtype, format="OGG") as sound:
        for start in range(0, len(samples), 4096):
            sound.write(np.outer(samples[start : start + 4096], np.ones(channels)))
    return stream.getvalue()


@pytest.mark.parametrize(
    "forms",
    [
        [(44100, 1, "VORBIS"), (44100, 2, "VORBIS")], [(44100, 1, "VORBIS"), (22050, 1, "VORBIS")],
        [(48000, 1, "OPUS"), (48000, 2, "OPUS")], [(48000, 1, "VORBIS"), (48000, 1, "OPUS")],
        [(44100, 2, "VORBIS"), (22050, 1, "VORBIS"), (44100, 2, "VORBIS")],
    ],
)  # fmt: skip
def test_ogg_files_in_a_row_may_change_channels_rate_and_codec(tmp_path, forms):
    path, expected = tmp_path / "song.ogg", []
    parts = [ogg(4 + 4 * index, *form, seed=index) for index, form in enumerate(forms)]
    for part in parts:
        path.write_bytes(part)
        expected.append(decode(path))
    path.write_bytes(b"".join(parts))
    np.testing.assert_array_equal(decode(path), np.concatenate(expected))


def test_a_damaged_ogg_file_in_a_row_is_left_out_or_the_reason(tmp_path):
    path = tmp_path / "song.ogg"
    first, damaged, last = ogg(30, 44100, 2, "VORBIS"), bytearray(ogg(1, 22050, 1, "VORBIS")), ogg(4, 48000, 1, "OPUS")
    damaged[60:] = bytes(len(damaged) - 60)  # what remains names its form
    assert len(damaged) < len(first) // 10
    path.write_bytes(first + damaged + last)
    assert abs(seconds(path) - 34) < 0.1
    path.write_bytes(last + damaged)
    assert "part 2 of 2" in reason(path)


@pytest.mark.parametrize("claimed", [0, 2**32 - 1, 2**32 - 16, None])
def test_a_wav_is_as_long_as_it_is(tmp_path, claimed):
    path, samples = tmp_path / "song.wav", song(4)
    path.write_bytes(wav(pcm(samples), claimed))
    assert len(decode(path)) == len(samples)
    path.write_bytes(wav(pcm(samples)[:-RATE_HZ], claimed or 2 * len(samples)))
    assert len(decode(path)) == len(samples) - RATE_HZ // 2


@pytest.mark.parametrize(
    ("header", "named"),
    [
        ({"channels": 0}, "0 channels"), ({"channels": 1000}, "1000 channels"), ({"channels": 65535}, "channels"),
        ({"rate_hz": 0}, "cannot be decoded"), ({"rate_hz": 1}, "1 Hz"), ({"rate_hz": 2**31 - 1}, "2147483647 Hz"),
        ({"bits": 0}, ""), ({"kind": 0xABCD}, ""),
    ],
)  # fmt: skip
def test_absurd_headers_are_named(tmp_path, header, named):
    (tmp_path / "song.wav").write_bytes(wav(pcm(song(4)), **header))
    assert named in reason(tmp_path / "song.wav")


@pytest.mark.parametrize(
    ("samples", "subtype", "named"),
    [
        (np.zeros(5 * RATE_HZ), "PCM_16", "silent"), (np.zeros(0), "PCM_16", "0.00 s"), (np.ones(1), "PCM_16", "0.00 s"),
        (np.full(5 * RATE_HZ, np.nan), "FLOAT", "not finite"), (np.full(5 * RATE_HZ, np.inf), "FLOAT", "not finite"),
        (np.full(5 * RATE_HZ, 1e300), "DOUBLE", "not finite"), (np.full(5 * RATE_HZ, 1e9), "FLOAT", "too loud"),
    ],
)  # fmt: skip
def test_samples_without_an_embedding_are_named(tmp_path, samples, subtype, named):
    soundfile.write(tmp_path / "song.wav", samples, RATE_HZ, subtype=subtype)
    assert named in reason(tmp_path / "song.wav")


def test_a_single_number_that_is_none_is_found(tmp_path):
    samples = tone(440, 8, RATE_HZ)
    samples[-1] = np.nan
    soundfile.write(tmp_path / "song.wav", samples, RATE_HZ, subtype="FLOAT")
    assert "not finite" in reason(tmp_path / "song.wav")


def test_float_files_may_be_louder_than_full_scale(tmp_path):
    soundfile.write(tmp_path / "song.wav", 30_000 * tone(440, 4, RATE_HZ), RATE_HZ, subtype="FLOAT")
    assert decode(tmp_path / "song.wav").max() == pytest.approx(15_000, rel=0.01)


@pytest.mark.parametrize("suffix", KINDS)
def test_a_file_cut_off_anywhere_is_as_long_as_what_is_there(tmp_path, suffix):
    path, samples = tmp_path / f"song.{suffix}", song(8)
    encode(path, samples, RATE_HZ, *KINDS[suffix], bit_rate=128_000)
    whole = path.read_bytes()
    for tenth in range(1, 10):
        path.write_bytes(whole[: len(whole) * tenth // 10])
        if suffix == "m4a":  # where the audio lies is written at its end
            assert "cut off" in reason(path)
            continue
        try:
            decoded = decode(path)
        except AudioError as error:
            assert tenth <= 3, error
            continue
        assert len(decoded) <= len(samples) * (tenth + 1) / 10 + 4000
        if tenth in (5, 9):
            assert len(decoded) >= len(samples) * (tenth - 2) / 10
            assert likeness(decoded, samples[: len(decoded)], 2500)[0] > 0.9


@pytest.mark.parametrize("suffix", [*KINDS, "ogg"])
def test_any_damage_ends_in_samples_or_a_reason(tmp_path, suffix):
    path, random = tmp_path / f"song.{suffix}", np.random.default_rng(7)
    if suffix == "ogg":
        soundfile.write(path, song(4), RATE_HZ)
    else:
        encode(path, song(4), RATE_HZ, *KINDS[suffix], bit_rate=128_000)
    whole = path.read_bytes()
    for round_ in range(20):
        damaged = np.frombuffer(whole, np.uint8).copy()
        reach = 400 if round_ % 2 else len(damaged)  # headers, or anywhere
        damaged[random.integers(reach, size=1 + round_)] = random.integers(256, size=1 + round_)
        path.write_bytes(damaged.tobytes())
        try:
            assert np.isfinite(decode(path)).all()
        except AudioError as error:
            assert "\n" not in str(error)


def test_a_playlist_opens_no_other_file(tmp_path):
    soundfile.write(tmp_path / "song.wav", song(4), RATE_HZ)
    for name, text in (
        ("a.mp3", "ffconcat version 1.0\nfile song.wav\n"),
        ("b.mp3", "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:4,\nsong.wav\n#EXT-X-ENDLIST\n"),
    ):
        (tmp_path / name).write_text(text)
        assert "cannot be decoded" in reason(tmp_path / name)


def test_what_is_no_file_is_named(tmp_path):
    (tmp_path / "folder.mp3").mkdir()
    (tmp_path / "loop.mp3").symlink_to("loop.mp3")
    os.mkfifo(tmp_path / "pipe.mp3")
    (tmp_path / "text.mp3").write_text("this is no music\n" * 100)
    (tmp_path / "tags only.mp3").touch()
    tags = id3.ID3()
    tags.add(id3.TIT2(encoding=3, text=["Title"]))
    tags.save(tmp_path / "tags only.mp3")
    for name, named in (
        ("folder.mp3", "not a regular file"), ("pipe.mp3", "not a regular file"), ("none.mp3", "does not exist"),
        ("loop.mp3", ""), ("x" * 5000, "File name too long"), ("text.mp3", "cannot be decoded"),
        ("tags only.mp3", "cannot be decoded"),
    ):  # fmt: skip
        assert named in reason(tmp_path / name)


def test_what_takes_the_place_of_a_file_is_refused(tmp_path, monkeypatch):
    """Between its status and its opening: a FIFO must not be waited for, a device not be read."""
    soundfile.write(tmp_path / "song.wav", song(4), RATE_HZ)
    os.mkfifo(tmp_path / "pipe.wav")
    status = (tmp_path / "song.wav").stat()
    monkeypatch.setattr(Path, "stat", lambda self, **options: status)
    monkeypatch.setattr(Path, "is_file", lambda self: True)
    for path in (tmp_path / "pipe.wav", Path("/dev/zero")):
        with pytest.raises(AudioError, match="is not a regular file"), opened(path):
            pass


def test_tags_are_those_of_the_file_that_was_decoded(tmp_path, monkeypatch):
    path = tmp_path / "song.mp3"
    soundfile.write(path, song(4), RATE_HZ)
    tags = id3.ID3()
    tags.add(id3.TIT2(encoding=3, text=["Title"]))
    tags.save(path)
    read_audio = analysis.decode.read_audio

    def then_swap(file, config):
        signal = read_audio(file, config)
        path.unlink()
        os.mkfifo(path)
        return signal

    monkeypatch.setattr(analysis.decode, "read_audio", then_swap)
    assert analysis.analyse_file(path).tags["title"] == "Title"


def test_a_full_disk_for_long_recordings_is_named(tmp_path):
    """In a process whose files may not grow, as on a full disk."""
    soundfile.write(tmp_path / "song.wav", song(4), RATE_HZ)
    program = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from songmap.core.workspace import REPOSITORY; from songmap.features import decode, signal as samples; from songmap.library.schema import AudioConfig\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "samples.IN_MEMORY_SAMPLES = 1000\n"
        "decode.load_audio(Path(sys.argv[1]), AudioConfig())\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try: decode.load_audio(Path(sys.argv[1]), AudioConfig())\n"
        "except decode.AudioError as error: print(error)\n"
    )
    command = [sys.executable, "-c", program, tmp_path / "song.wav"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, timeout=120)
    assert "TMPDIR" in result.stdout, result.stderr
