"""Tags that are bombs: bounded text and memory, and what is beside them is read all the same."""

import io
import re
import struct
import tracemalloc
import zlib
from pathlib import Path

import mutagen
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from mutagen import asf, id3
from signals import RATE_HZ, tone

from songmap.features import tag_file
from songmap.features.tag_file import MAX_FRAMES, TagFile, text_frames
from songmap.features.tags import MAX_CHARACTERS, read_tags

BOMB_CHARACTERS = 50_000_000
LONG = "Ä long name " * 10_000


def synchsafe(number: int) -> bytes:
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


def frame(name: bytes, data: bytes, version: int, flags: int = 0, size: bytes | None = None) -> bytes:
    size = size or (synchsafe(len(data)) if version == 4 else struct.pack(">I", len(data)))
    return name + size + struct.pack(">H", flags) + data


def tag(version: int, *frames: bytes, flags: int = 0, padding: int = 30) -> bytes:
    body = b"".join(frames) + bytes(padding)
    return b"ID3" + bytes([version, 0, flags]) + synchsafe(len(body)) + body


def bomb(version: int, name: bytes = b"TIT2") -> bytes:
    """A compressed frame of text that is a thousand times as long."""
    text = b"\3" + b"A" * BOMB_CHARACTERS
    size, flags = {3: (struct.pack(">I", len(text)), 0x80), 4: (synchsafe(len(text)), 0x09)}[version]
    return frame(name, size + zlib.compress(text, 9), version, flags)


def artist(version: int) -> bytes:
    return frame(b"TPE1", b"\0Ann", version)


def put(path: Path, data: bytes) -> Path:
    """A second of a tone with this ID3 tag, where its format has it."""
    soundfile.write(path, tone(440, 1), RATE_HZ)
    if path.suffix == ".mp3":
        path.write_bytes(data + path.read_bytes())
        return path
    order, container = {".wav": ("<", b"id3 "), ".aiff": (">", b"ID3 ")}[path.suffix]
    whole = path.read_bytes() + container + struct.pack(f"{order}I", len(data)) + data + b"\0" * (len(data) % 2)
    path.write_bytes(whole[:4] + struct.pack(f"{order}I", len(whole) - 8) + whole[8:])
    return path


@pytest.mark.parametrize("suffix", ["mp3", "wav", "aiff"])
@pytest.mark.parametrize("version", [3, 4])
def test_a_compressed_frame_is_left_out_before_it_is_built(tmp_path, suffix, version):
    chapter = frame(b"CHAP", b"one\0" + bytes(16) + bomb(version), version)
    path = put(
        tmp_path / f"song.{suffix}", tag(version, bomb(version), artist(version), bomb(version, b"APIC"), chapter)
    )
    assert path.stat().st_size < 500_000
    tracemalloc.start()
    record = read_tags(path)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (record["artist"], record["title"]) == ("Ann", "")
    assert peak_bytes < 20_000_000


@pytest.mark.parametrize("suffix", ["mp3", "flac", "ogg", "m4a", "wma", "wv", "mka", "aiff"])
def test_a_text_has_a_thousand_characters_at_most(tmp_path, suffix):
    path = tmp_path / f"song.{suffix}"
    if suffix == "mka":
        import av
        from encoding import add_audio

        with av.open(str(path), "w") as container:
            container.metadata.update({"ARTIST": LONG, "title": LONG})
            add_audio(container, tone(440, 1, 44100), 44100, "flac")
    elif suffix in ("mp3", "flac", "ogg", "aiff"):
        soundfile.write(path, tone(440, 1), RATE_HZ)
    else:
        from encoding import encode

        codec, sample_format = {"m4a": ("aac", None), "wma": ("wmav2", "fltp"), "wv": ("wavpack", None)}[suffix]
        encode(path, tone(440, 1, 44100), 44100, codec, sample_format, bit_rate=64_000)
    if suffix != "mka":
        file = mutagen.File(path)
        if file.tags is None:
            file.add_tags()
        if isinstance(file.tags, id3.ID3):
            file.tags.add(id3.TPE1(encoding=3, text=[LONG, LONG]))
            file.tags.add(id3.TIT2(encoding=1, text=[LONG]))
        else:
            artists, titles = {"m4a": ("\xa9ART", "\xa9nam"), "wma": ("Author", "Title")}.get(
                suffix, ("artist", "title")
            )
            # an attribute of ASF has at most 65,535 bytes here
            text = asf.ASFUnicodeAttribute(LONG[:30_000]) if suffix == "wma" else LONG
            file[artists], file[titles] = [text, text], [text]
        file.save()
    record = read_tags(path)
    assert record["artist"].startswith("Ä long name Ä")
    for name in ("artist", "title"):
        assert MAX_CHARACTERS - 1 <= len(record[name]) <= MAX_CHARACTERS  # one may be a space at the end


def test_ten_thousand_values_are_a_thousand_characters(tmp_path):
    soundfile.write(tmp_path / "song.flac", tone(440, 1), RATE_HZ)
    file = mutagen.File(tmp_path / "song.flac")
    file["artist"] = ["Ann"] * 10_000
    file.save()
    assert read_tags(tmp_path / "song.flac")["artist"] == "; ".join(["Ann"] * 100)


def test_frames_are_counted(monkeypatch):
    monkeypatch.setattr(tag_file, "MAX_FRAMES", 3)
    whole = tag(4, *(frame(b"TIT2", b"\0" + bytes([65 + number]), 4) for number in range(5)))
    lean = text_frames(whole)
    assert re.findall(rb"TIT2", lean) == [b"TIT2"] * 3
    assert MAX_FRAMES == 10_000


def test_no_more_than_a_limit_is_read_of_a_file(tmp_path):
    path = tmp_path / "song.flac"
    with path.open("wb") as stream:
        stream.truncate(tag_file.MAX_READ_BYTES + 1)
    with path.open("rb", buffering=0) as file:
        reader = TagFile(file, "song.flac")
        assert len(reader.read(1000)) == 1000
        with pytest.raises(OSError, match="File too large"):
            reader.read()
        reader.seek(-10, 2)
        assert (len(reader.read(2**62)), reader.read(1)) == (10, b"")
        with pytest.raises(OSError, match="Invalid"):
            reader.seek(-1)


def unsynchronised(data: bytes) -> bytes:
    return re.sub(rb"\xff(?=[\xe0-\xff\0])", b"\xff\0", data)


TEXT = "ÿ\0Ÿ àÿ"
UTF16 = b"\1" + TEXT.encode("utf-16")
TAGS = {
    "plain 3": tag(3, frame(b"TPE1", UTF16, 3), frame(b"TIT2", b"\0Lied", 3)),
    "plain 4": tag(4, frame(b"TPE1", UTF16, 4), frame(b"TIT2", b"\0Lied", 4)),
    "unsynchronised 3": tag(3, unsynchronised(frame(b"TPE1", UTF16, 3) + frame(b"TIT2", b"\0Lied", 3)), flags=0x80),
    "unsynchronised 4": tag(
        4, frame(b"TPE1", unsynchronised(UTF16), 4, 2), frame(b"TIT2", b"\0Lied", 4, 2), flags=0x80
    ),
    "by the header only": tag(4, frame(b"TPE1", unsynchronised(UTF16), 4), frame(b"TIT2", b"\0Lied", 4), flags=0x80),
    "of a frame only": tag(4, frame(b"TPE1", unsynchronised(UTF16), 4, 2), frame(b"TIT2", b"\0Lied", 4)),
    "not unsynchronised at all": tag(3, frame(b"TPE1", UTF16, 3), frame(b"TIT2", b"\0Lied", 3), flags=0x80),
    "extended 3": tag(3, b"\0\0\0\6" + bytes(6), frame(b"TPE1", UTF16, 3), frame(b"TIT2", b"\0Lied", 3), flags=0x40),
    "extended 4": tag(4, synchsafe(6) + b"\1\0", frame(b"TPE1", UTF16, 4), frame(b"TIT2", b"\0Lied", 4), flags=0x40),
    "extended by mistake": tag(3, frame(b"TPE1", UTF16, 3), frame(b"TIT2", b"\0Lied", 3), flags=0x40),
    "sizes of iTunes": tag(
        4, frame(b"TALB", b"\0" + b"A" * 199, 4, size=struct.pack(">I", 200)), frame(b"TPE1", UTF16, 4),
        frame(b"TIT2", b"\0Lied", 4),
    ),
    "data length": tag(4, frame(b"TPE1", synchsafe(len(UTF16)) + UTF16, 4, 1), frame(b"TIT2", b"\0Lied", 4)),
    "names of version 2": tag(3, frame(b"TP1\0", UTF16, 3), frame(b"TT2\0", b"\0Lied", 3)),
    "version 2": tag(
        2, b"TP1" + len(UTF16).to_bytes(3, "big") + UTF16, b"PIC\0\0\6\0PNG\0\0", b"TT2\0\0\5\0Lied"
    ),
    "behind a picture": tag(3, frame(b"APIC", b"\0image/png\0\3\0" + bytes(200_000), 3), frame(b"TPE1", UTF16, 3),
                            frame(b"TIT2", b"\0Lied", 3)),
    "no padding": tag(4, frame(b"TPE1", UTF16, 4), frame(b"TIT2", b"\0Lied", 4), padding=0),
}  # fmt: skip


@pytest.mark.parametrize("kind", TAGS)
def test_tags_of_all_versions_are_read_as_mutagen_reads_them(tmp_path, kind):
    (tmp_path / "song.mp3").write_bytes(TAGS[kind] + b"\xff\xfb\x90\x64" * 200)
    read, whole = id3.ID3(io.BytesIO(text_frames(TAGS[kind]))), id3.ID3(io.BytesIO(TAGS[kind]))
    assert read["TPE1"].text == whole["TPE1"].text == TEXT.split("\0")
    assert read["TIT2"].text == whole["TIT2"].text == ["Lied"]
    record = read_tags(tmp_path / "song.mp3")
    assert (record["artist"], record["title"]) == ("ÿ; Ÿ àÿ", "Lied")


@given(st.binary(max_size=200), st.integers(0, 5), st.integers(0, 255), st.sampled_from([b"", *TAGS.values()]))
def test_any_bytes_stay_a_tag_of_the_same_length(data, version, flags, whole):
    raw = b"ID3" + bytes([version, 0, flags]) + synchsafe(len(whole[10:] + data)) + whole[10:] + data
    assert len(text_frames(raw)) == len(raw)
    assert text_frames(raw).startswith(raw[:5])
