"""A hash of the audio alone: tags, pictures and names do not change it, other audio does."""

import os
import shutil
from pathlib import Path

import mutagen
import numpy as np
import pytest
import soundfile
from encoding import encode
from mutagen import flac, id3, mp4
from signals import music, noise

from songmap.core.errors import AudioError
from songmap.extract.content import content_hash

PICTURE = bytes(range(256)) * 2000
FFMPEG = {
    "m4a": ("aac", None),
    "alac.m4a": ("alac", None),
    "wma": ("wmav2", "fltp"),
    "wv": ("wavpack", None),
    "tta": ("tta", None),
    "aac": ("aac", None),
    "mka": ("flac", None),
}
LIBSNDFILE = ("mp3", "flac", "ogg", "opus", "wav", "aiff")
ID3 = ("mp3", "wav", "aiff", "tta")


def write(path: Path, samples) -> None:
    kind = path.name.split(".", 1)[1]
    if kind in FFMPEG:
        codec, sample_format = FFMPEG[kind]
        encode(path, samples, 44100, codec, sample_format, bit_rate=128_000)
    elif kind == "opus":
        soundfile.write(path, samples, 48000, format="OGG", subtype="OPUS")
    else:
        soundfile.write(path, samples, 44100)


def tag(path: Path, size: int, picture: bool) -> None:
    """A title of ``size`` characters and perhaps a picture, as mutagen writes them for this kind of file."""
    kind, title = path.name.split(".", 1)[1], "Title " * (size // 6)
    if kind in ID3:
        file = mutagen.File(path)
        if file.tags is None:
            file.add_tags()
        file.tags.setall("TIT2", [id3.TIT2(encoding=3, text=[title])])
        if picture:
            file.tags.add(id3.APIC(encoding=3, mime="image/jpeg", type=3, desc="cover", data=PICTURE))
    elif kind == "aac":  # has no tags of its own; ID3 in front is what people write
        file = id3.ID3()
        file.add(id3.TIT2(encoding=3, text=[title]))
        return file.save(path)
    else:
        file = mutagen.File(path)
        if kind.endswith("m4a"):
            file["\xa9nam"] = [title]
            if picture:
                file["covr"] = [mp4.MP4Cover(PICTURE, mp4.MP4Cover.FORMAT_JPEG)]
        elif kind == "wma":
            file["Title"] = [title]
        else:
            file["title"] = title
        if kind == "flac" and picture:
            cover = flac.Picture()
            cover.data = PICTURE
            file.add_picture(cover)
    return file.save()


@pytest.mark.parametrize("kind", [*LIBSNDFILE, *(kind for kind in FFMPEG if kind != "mka")])
def test_tags_pictures_and_names_change_nothing(tmp_path, kind):
    path = tmp_path / f"song.{kind}"
    write(path, music(3, 44100))
    before, size = content_hash(path), path.stat().st_size
    for length, picture in ((60, False), (90_000, False), (90_000, True), (6, False)):  # grows, then shrinks
        tag(path, length, picture)
        assert content_hash(path) == before
    assert path.stat().st_size != size
    (id3.ID3(path) if kind == "aac" else mutagen.File(path)).delete()
    moved = tmp_path / "elsewhere"
    shutil.move(path, moved)
    assert content_hash(moved) == before


def test_old_tags_of_an_mp3_change_nothing(tmp_path):
    path = tmp_path / "song.mp3"
    write(path, music(3, 44100))
    before = content_hash(path)
    file = mutagen.File(path)
    file.add_tags()
    file.tags.add(id3.TIT2(encoding=0, text=["Title"]))
    file.save(v1=2, v2_version=3, padding=lambda info: 100_000)
    assert path.read_bytes()[-128:-125] == b"TAG"
    assert content_hash(path) == before
    ape = mutagen.apev2.APEv2()
    ape["REPLAYGAIN_TRACK_GAIN"] = "-6.5 dB"
    ape["Cover Art (front)"] = mutagen.apev2.APEBinaryValue(PICTURE)
    ape.save(path)
    assert content_hash(path) == before


@pytest.mark.parametrize("kind", [*LIBSNDFILE, *FFMPEG])
def test_other_audio_differs(tmp_path, kind):
    hashes = set()
    for name, samples in (
        ("a", music(3, 44100)),
        ("b", music(3, 44100) + noise(3, 44100, 0.01)),
        ("c", music(2, 44100)),
    ):
        path = tmp_path / f"{name}.{kind}"
        write(path, samples)
        hashes |= {content_hash(path)}
    assert len(hashes) == 3


def test_the_same_bytes_at_another_rate_differ(tmp_path):
    hashes = set()
    for rate_hz in (22050, 44100):
        soundfile.write(tmp_path / "song.wav", music(3, 44100), rate_hz)
        hashes.add(content_hash(tmp_path / "song.wav"))
    assert len(hashes) == 2


def test_ogg_files_that_differ_behind_the_first_in_a_row_differ(tmp_path):
    """FFmpeg gives the packets of the first one only where the number of channels changes."""
    hashes = set()
    write(tmp_path / "first.ogg", music(2, 44100))
    for seed in (0, 1):
        stereo = np.stack([music(2, 44100, seed), noise(2, 44100)], axis=1)
        soundfile.write(tmp_path / "second.ogg", stereo, 44100)
        path = tmp_path / "both.ogg"
        path.write_bytes((tmp_path / "first.ogg").read_bytes() + (tmp_path / "second.ogg").read_bytes())
        hashes.add(content_hash(path))
    assert len(hashes) == 2


def test_what_cannot_be_taken_apart_has_the_hash_of_its_bytes(tmp_path):
    for name, text in (("a.mp3", "no music"), ("b.mp3", "no music"), ("c.mp3", "no music!")):
        (tmp_path / name).write_text(text * 50)
    hashes = [content_hash(path) for path in sorted(tmp_path.iterdir())]
    assert hashes[0] == hashes[1] != hashes[2]
    assert {len(digest) for digest in hashes} == {40}


def test_what_cannot_be_read_is_named(tmp_path):
    (tmp_path / "folder.mp3").mkdir()
    (tmp_path / "empty.mp3").touch()
    os.mkfifo(tmp_path / "pipe.mp3")
    for name, reason in (
        ("folder.mp3", "not a regular file"),
        ("pipe.mp3", "not a regular file"),
        ("empty.mp3", "0 bytes"),
        ("none.mp3", "does not exist"),
        ("x" * 5000, "File name too long"),
    ):
        with pytest.raises(AudioError, match=reason):
            content_hash(tmp_path / name)
