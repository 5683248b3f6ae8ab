"""Tags of every kind, as their writers leave them: clean, odd, damaged."""

import math
import shutil
import struct
from pathlib import Path

import mutagen
import numpy as np
import pytest
import soundfile
from encoding import add_audio, encode
from hypothesis import given
from hypothesis import strategies as st
from mutagen import apev2, id3, mp4
from signals import RATE_HZ, tone

from songmap.features.tags import read_tags
from songmap.library.schema import NUMBER_COLUMNS, SONG_COLUMNS

TEXTS = ("artist", "title", "album", "album_artist", "key", "tag_genre", "isrc", "musicbrainz_id")
NUMBERS = ("year", "tag_bpm", "replaygain_db")
RECORDING = "0c1d36ae-e1d9-4bd8-8ab2-3a1b1d8f0a55"
EXPECTED = {
    "artist": "Ann & Bö; Guest", "title": "<b> Lied", "album": "Platte", "album_artist": "Various", "key": "F#m",
    "tag_genre": "House; Techno", "isrc": "DEABC1234567", "musicbrainz_id": RECORDING,
    "year": 1999.0, "tag_bpm": 128.0, "replaygain_db": -6.5,
}  # fmt: skip
VORBIS = {
    "ARTIST": ["Ann & Bö", "Guest"], "Title": "<b> Lied", "album": "Platte", "albumartist": "Various",
    "initialkey": "F#m", "genre": ["House", "Techno"], "isrc": "DEABC1234567", "musicbrainz_trackid": RECORDING,
    "date": "1999-05-01", "bpm": "128.00", "replaygain_track_gain": "-6.50 dB",
}  # fmt: skip
MP4 = {
    "\xa9ART": ["Ann & Bö", "Guest"], "\xa9nam": ["<b> Lied"], "\xa9alb": ["Platte"], "aART": ["Various"],
    "\xa9gen": ["House", "Techno"], "\xa9day": ["1999-05-01T07:00:00Z"], "tmpo": [128],
    "----:com.apple.iTunes:initialkey": [b"F#m"], "----:com.apple.iTunes:ISRC": [b"DEABC1234567"],
    "----:com.apple.iTunes:MusicBrainz Track Id": [RECORDING.encode()],
    "----:com.apple.iTunes:REPLAYGAIN_TRACK_GAIN": [b"-6.50 dB"],
}  # fmt: skip
ASF = {
    "Author": ["Ann & Bö", "Guest"], "Title": ["<b> Lied"], "WM/AlbumTitle": ["Platte"], "WM/AlbumArtist": ["Various"],
    "WM/Genre": ["House", "Techno"], "WM/Year": ["1999"], "WM/BeatsPerMinute": ["128,0"], "WM/InitialKey": ["F#m"],
    "WM/ISRC": ["DEABC1234567"], "MusicBrainz/Track Id": [RECORDING], "replaygain_track_gain": ["-6.50 dB"],
}  # fmt: skip
APE = {
    "Artist": ["Ann & Bö", "Guest"], "Title": "<b> Lied", "Album": "Platte", "Album Artist": "Various",
    "Genre": ["House", "Techno"], "Year": "1999", "BPM": "128", "Key": "F#m", "ISRC": "DEABC1234567",
    "MUSICBRAINZ_TRACKID": RECORDING, "REPLAYGAIN_TRACK_GAIN": "-6.50 dB",
}  # fmt: skip


def id3_frames() -> list[id3.Frame]:
    texts = {
        "TPE1": ["Ann & Bö", "Guest"], "TIT2": ["<b> Lied"], "TALB": ["Platte"], "TPE2": ["Various"], "TKEY": ["F#m"],
        "TCON": ["House", "(18)"], "TSRC": ["DEABC1234567"], "TDRC": ["1999-05-01"], "TBPM": ["128"],
    }  # fmt: skip
    return [
        *(getattr(id3, name)(encoding=3, text=text) for name, text in texts.items()),
        id3.UFID(owner="http://musicbrainz.org", data=RECORDING.encode()),
        id3.TXXX(encoding=3, desc="REPLAYGAIN_TRACK_GAIN", text=["-6.50 dB"]),
        id3.APIC(encoding=3, mime="image/png", type=3, desc="cover", data=bytes(range(256)) * 400),
    ]


def song(folder: Path, suffix: str) -> Path:
    """A second of a tone without tags."""
    path = folder / f"x.{suffix}"
    if suffix in ("mp3", "flac", "ogg", "wav", "aiff"):
        soundfile.write(path, tone(440, 1), RATE_HZ)
    elif suffix == "opus":
        soundfile.write(path, tone(440, 1, 48000), 48000, format="OGG", subtype="OPUS")
    else:
        codec, sample_format = {
            "m4a": ("aac", None), "wma": ("wmav2", "fltp"), "wv": ("wavpack", None), "tta": ("tta", None),
            "aac": ("aac", None),
        }[suffix]  # fmt: skip
        encode(path, tone(440, 1, 44100), 44100, codec, sample_format, bit_rate=64_000)
    return path


def with_id3(path: Path, *frames: id3.Frame, **how) -> Path:
    tags = id3.ID3()
    for frame in frames:
        tags.add(frame)
    tags.save(path, **how)
    return path


def raw_id3(text: bytes, frame: bytes = b"TPE1", encoding: int = 0) -> bytes:
    """An ID3v2.3 tag of one text frame with these very bytes."""
    content = bytes([encoding]) + text
    body = frame + struct.pack(">IH", len(content), 0) + content
    size = bytes(len(body) >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x03\x00\x00" + size + body


def assert_record(record: dict[str, str | float]) -> None:
    """Complete, of the right types, one line each, and text that any file can hold."""
    assert set(record) == {*TEXTS, *NUMBERS}
    for name in TEXTS:
        assert record[name] == " ".join(record[name].split())
        record[name].encode("utf-8")
        assert not any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in record[name])
    assert all(isinstance(record[name], float) and not math.isinf(record[name]) for name in NUMBERS)


def test_the_library_has_a_column_for_every_tag():
    assert {*TEXTS, *NUMBERS} <= set(SONG_COLUMNS)
    assert set(NUMBERS) <= set(NUMBER_COLUMNS)


@pytest.mark.parametrize("suffix", ["mp3", "wav", "aiff", "tta", "aac"])
def test_id3(tmp_path, suffix):
    path = song(tmp_path, suffix)
    if suffix in ("wav", "aiff"):
        file = mutagen.File(path)
        file.add_tags()
        for frame in id3_frames():
            file.tags.add(frame)
        file.save()
    else:
        with_id3(path, *id3_frames())
    assert read_tags(path) == EXPECTED


@pytest.mark.parametrize(
    ("suffix", "tags"), [("flac", VORBIS), ("ogg", VORBIS), ("opus", VORBIS), ("m4a", MP4), ("wma", ASF), ("wv", APE)]
)
def test_other_tags(tmp_path, suffix, tags):
    file = mutagen.File(song(tmp_path, suffix))
    file.update(tags)
    file.save()
    assert read_tags(Path(file.filename)) == EXPECTED


def test_matroska(tmp_path):
    import av

    path = tmp_path / "x.mka"
    with av.open(str(path), "w") as container:
        container.metadata.update({"ARTIST": "Ann & Bö", "title": "<b>", "DATE_RELEASED": "1999", "DATE": "1999"})
        add_audio(container, tone(440, 1, 44100), 44100, "flac")
    record = read_tags(path)
    assert (record["artist"], record["title"], record["year"]) == ("Ann & Bö", "<b>", 1999)


def test_riff_info(tmp_path):
    path = tmp_path / "x.wav"
    with soundfile.SoundFile(path, "w", RATE_HZ, 1) as sound:
        sound.artist, sound.title = "Ann", "Lied"
        sound.write(tone(440, 1))
    assert (read_tags(path)["artist"], read_tags(path)["title"]) == ("Ann", "Lied")


def test_id3v1_alone(tmp_path):
    path = song(tmp_path, "mp3")
    with path.open("ab") as file:
        file.write(b"TAG" + b"Lied".ljust(30, b"\0") + "Bö".encode("latin-1").ljust(30) + b"\0" * 30 + b"1999")
        file.write(b"\0" * 30 + bytes([17]))
    record = read_tags(path)
    assert (record["title"], record["artist"], record["year"], record["tag_genre"]) == ("Lied", "Bö", 1999, "Rock")


def test_id3v23_and_apev2_together(tmp_path):
    path = with_id3(
        song(tmp_path, "mp3"), id3.TPE1(encoding=1, text=["AC/DC"]), id3.TYER(encoding=0, text=["1999"]), v2_version=3
    )
    ape = apev2.APEv2()
    ape.update({"REPLAYGAIN_TRACK_GAIN": "-3.25 dB", "Artist": "other"})
    ape.save(path)
    record = read_tags(path)
    assert (record["artist"], record["year"], record["replaygain_db"]) == ("AC/DC", 1999, -3.25)


def test_relative_volume_of_id3(tmp_path):
    path = with_id3(song(tmp_path, "mp3"), id3.RVA2(desc="track", channel=1, gain=-4.5, peak=1))
    assert read_tags(path)["replaygain_db"] == -4.5


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (["(17)"], "Rock"),
        (["17"], "Rock"),
        (["(17)(18)"], "Rock; Techno"),
        (["(RX)"], "Remix"),
        (["A\0B"], "A; B"),
        ([""], ""),
    ],
)
def test_genres_of_id3(tmp_path, written, read):
    assert read_tags(with_id3(song(tmp_path, "mp3"), id3.TCON(encoding=3, text=written)))["tag_genre"] == read


def test_genre_number_of_mp4(tmp_path):
    path = song(tmp_path, "m4a")
    file = mp4.MP4(path)
    file["\xa9gen"] = "Rock"
    file.save()
    data = path.read_bytes()
    at = data.index(b"\xa9gen")  # the same 28 bytes as a numbered genre and padding
    assert struct.unpack(">I", data[at - 4 : at])[0] == 28
    path.write_bytes(data[:at] + b"gnre" + struct.pack(">I4sIIHxx", 20, b"data", 0, 0, 18) + data[at + 24 :])
    assert read_tags(path)["tag_genre"] == "Rock"


@pytest.mark.parametrize(
    ("name", "text", "field", "value"),
    [
        ("bpm", "128.00", "tag_bpm", 128), ("bpm", "128,5", "tag_bpm", 128.5), ("bpm", "128 BPM", "tag_bpm", 128),
        ("bpm", "0", "tag_bpm", None), ("bpm", "10000", "tag_bpm", None), ("bpm", "fast", "tag_bpm", None),
        ("bpm", "nan", "tag_bpm", None), ("bpm", "-128", "tag_bpm", None), ("bpm", "9" * 500, "tag_bpm", None),
        ("date", "1999", "year", 1999), ("date", "19990501", "year", 1999), ("date", "05/2003", "year", 2003),
        ("date", "0", "year", None), ("date", "0000", "year", None), ("date", "99999", "year", None),
        ("date", "unknown", "year", None), ("originaldate", "1971-01-02", "year", 1971), ("year", "1980", "year", 1980),
        ("replaygain_track_gain", "+3,5 dB", "replaygain_db", 3.5), ("replaygain_track_gain", "-6.5", "replaygain_db", -6.5),
        ("replaygain_track_gain", "-600 dB", "replaygain_db", None), ("replaygain_track_gain", "inf", "replaygain_db", None),
    ],
)  # fmt: skip
def test_numbers(tmp_path, name, text, field, value):
    file = mutagen.File(song(tmp_path, "flac"))
    file[name] = text
    file.save()
    record = read_tags(Path(file.filename))
    assert_record(record)
    assert record[field] == value or (value is None and math.isnan(record[field]))


def test_r128_gain_of_opus_is_that_of_replaygain(tmp_path):
    file = mutagen.File(song(tmp_path, "opus"))
    file["R128_TRACK_GAIN"] = "-2944"  # Q7.8: -11.5 dB to -23 LUFS, -6.5 dB to -18 LUFS
    file.save()
    assert read_tags(Path(file.filename))["replaygain_db"] == -6.5


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        ("Café".encode(), "Café"),  # UTF-8 declared as Latin-1
        ("Café".encode("latin-1"), "Café"),
        ("Мумий".encode(), "Мумий"),
        ("It’s".encode("cp1252"), "It’s"),
        ("Кино".encode("cp1251"), "Êèíî"),  # nothing says that it is Cyrillic
        (b"line\r\nline\x07\x00", "line line"),
    ],
)
def test_badly_encoded_text(tmp_path, stored, read):
    path = song(tmp_path, "mp3")
    path.write_bytes(raw_id3(stored) + path.read_bytes())
    assert read_tags(path)["artist"] == read


@given(
    stored=st.binary(min_size=1, max_size=60),
    encoding=st.integers(0, 5),
    frame=st.sampled_from([b"TPE1", b"TCON", b"TDRC", b"TBPM"]),
)
def test_any_bytes_are_text_or_nothing(tmp_path_factory, stored, encoding, frame):
    path = tmp_path_factory.getbasetemp() / "any.mp3"
    path.write_bytes(raw_id3(stored, frame, encoding) + b"\xff\xfb\x90\x64" * 200)
    assert_record(read_tags(path))


@pytest.mark.parametrize("suffix", ["mp3", "flac", "ogg", "opus", "m4a", "wma", "wv", "wav", "aiff"])
def test_damaged_tags_lose_no_song(tmp_path, suffix):
    path = song(tmp_path, suffix)
    file = mutagen.File(path)
    if suffix in ("mp3", "wav", "aiff"):
        if file.tags is None:
            file.add_tags()
        for frame in id3_frames():
            file.tags.add(frame)
    else:
        file.update({"m4a": MP4, "wma": ASF, "wv": APE}.get(suffix, VORBIS))
    file.save()
    whole, random = path.read_bytes(), np.random.default_rng(0)
    for _ in range(60):
        damaged = bytearray(whole[: random.integers(len(whole) // 10, len(whole) + 1)])
        for region in (slice(0, 3000), slice(-3000, None)):  # where tags are
            part = np.frombuffer(damaged[region], np.uint8).copy()
            part[random.integers(len(part), size=12)] = random.integers(256, size=12)
            damaged[region] = part.tobytes()
        path.write_bytes(damaged)
        assert_record(read_tags(path))


def test_tags_that_do_not_exist_are_empty(tmp_path):
    for name in ("x.wav", "not there.mp3"):
        if name == "x.wav":
            song(tmp_path, "wav")
        record = read_tags(tmp_path / name)
        assert [record[field] for field in TEXTS] == [""] * len(TEXTS)
        assert all(math.isnan(record[field]) for field in NUMBERS)


def test_artist_and_title_come_from_the_name_where_no_tag_says_them(tmp_path):
    path = tmp_path / "Some One - A - Title.flac"
    shutil.copy(song(tmp_path, "flac"), path)
    assert (read_tags(path)["artist"], read_tags(path)["title"]) == ("Some One", "A - Title")
    file = mutagen.File(path)
    file["title"] = "Another"
    file.save()
    assert (read_tags(path)["artist"], read_tags(path)["title"]) == ("Some One", "Another")
    file["artist"] = "Tagged"
    file.save()
    assert (read_tags(path)["artist"], read_tags(path)["title"]) == ("Tagged", "Another")


@pytest.mark.parametrize(
    ("name", "artist", "title"),
    [
        ("01 - Title", "", ""),
        ("01 - Ann - Title", "Ann", "Title"),
        ("1-02. Ann - Title", "Ann", "Title"),
        ("A1 - Title", "", ""),
        ("808 State - Pacific", "808 State", "Pacific"),
        ("50 Cent - Title", "50 Cent", "Title"),
        ("2-4 Grooves - Title", "2-4 Grooves", "Title"),
    ],
)
def test_a_track_number_is_no_artist(tmp_path, name, artist, title):
    path = tmp_path / f"{name}.wav"
    path.touch()
    assert (read_tags(path)["artist"], read_tags(path)["title"]) == (artist, title)
