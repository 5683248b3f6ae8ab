"""01 as a user runs it: a folder of good and bad files in, artifacts and reasons out."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile
from signals import RATE_HZ, music, noise, tone

from songmap.core.artifacts import load_library
from songmap.core.config import REPOSITORY, AudioConfig, Workspace
from songmap.core.errors import AudioError, UsageError
from songmap.extract import audio
from songmap.extract.run import embed_file, extract_library, find_songs
from songmap.extract.tags import read_tags


def script(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, REPOSITORY / "01_feature_extraction.py", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Two genres, equal names, one song without a genre, and everything that cannot be one."""
    root = tmp_path_factory.mktemp("music")
    for genre, name, samples in (
        ("House", "same name.wav", music(4)),
        ("House/Deep", "Ünïcode – 日本 🎧.flac", music(4, seed=1)),
        ("techno", "same name.wav", music(4) + noise(4)),
        ("", "loose.ogg", tone(440, 4)),
        ("Bad", "short.wav", tone(440, 1)),
        ("Bad", "silent.wav", np.zeros(5 * RATE_HZ, np.float32)),
        ("Bad", "nan.wav", np.full(5 * RATE_HZ, np.nan, np.float32)),
    ):
        path = root / genre / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, samples, RATE_HZ, subtype="FLOAT" if name == "nan.wav" else None)
    (root / "Bad" / "empty.mp3").touch()
    (root / "Bad" / "text.mp3").write_text("this is no music\n" * 100)
    (root / "Bad" / "folder.wav").mkdir()
    (root / "Bad" / "notes.txt").write_text("not looked at")
    (root / ".hidden").mkdir()
    shutil.copy(root / "loose.ogg", root / ".hidden" / "hidden.ogg")
    return root


def test_finds_songs_and_genres(folder):
    found = {str(song.path.relative_to(folder)): song.genre for song in find_songs(folder)}
    assert found["House/Deep/Ünïcode – 日本 🎧.flac"] == "HOUSE"
    assert found["techno/same name.wav"] == "TECHNO"
    assert found["loose.ogg"] == "UNKNOWN"
    assert not any("hidden" in path or "notes" in path for path in found)
    assert list(found) == sorted(found)


def test_the_script_extracts_names_failures_and_resumes(folder, tmp_path):
    first = script("--workspace", tmp_path, "--music", folder, "--workers", "2")
    assert first.returncode == 0, first.stderr
    assert first.stderr == ""
    library = load_library(Workspace(tmp_path))
    assert list(library.songs["genre"]) == ["HOUSE", "HOUSE", "UNKNOWN", "TECHNO"]
    assert library.songs["song_name"].tolist().count("same name") == 2
    for name, reason in (
        ("short.wav", "1.00 s, at least 3 s"),
        ("silent.wav", "silent"),
        ("nan.wav", "no numbers"),
        ("empty.mp3", "0 bytes"),
        ("text.mp3", "cannot be decoded"),
    ):
        line = next(line for line in first.stdout.splitlines() if name in line)
        assert reason in line
    assert "4 songs in the library, 5 failed; 9 looked at" in first.stdout
    before = {path: path.read_bytes() for path in (tmp_path / "data/processed").iterdir() if path.suffix != ".sqlite"}

    second = script("--workspace", tmp_path, "--music", folder, "--workers", "1", "--json")
    assert second.returncode == 0, second.stderr
    rows = json.loads(second.stdout)
    assert [row["file_path"] for row in rows[:4]] == library.songs["file_path"].tolist()
    assert all(row["failure"] for row in rows[4:])
    assert {path: path.read_bytes() for path in before} == before


def test_workers_change_no_byte(folder, tmp_path):
    results = []
    for workers in (1, 3):
        workspace = Workspace(tmp_path / str(workers))
        results.append(extract_library(find_songs(folder), workspace, workers).library)
    assert results[0].embeddings.tobytes() == results[1].embeddings.tobytes()
    assert results[0].songs.equals(results[1].songs)


def test_only_what_changed_is_done_again(tmp_path):
    music_folder = tmp_path / "music" / "A"
    music_folder.mkdir(parents=True)
    for name, samples in (("one.wav", music(4)), ("two.wav", noise(4))):
        soundfile.write(music_folder / name, samples, RATE_HZ)
    workspace = Workspace(tmp_path / "work")
    first = extract_library(find_songs(music_folder.parent), workspace, 1)
    soundfile.write(music_folder / "two.wav", tone(300, 5), RATE_HZ)
    second = extract_library(find_songs(music_folder.parent), workspace, 1)
    assert (first.n_unchanged, second.n_unchanged) == (0, 1)
    np.testing.assert_array_equal(first.library.embeddings[0], second.library.embeddings[0])
    assert (first.library.embeddings[1] != second.library.embeddings[1]).any()


@pytest.mark.parametrize("music_folder", ["nowhere", "."])
def test_no_music_is_one_line(tmp_path, music_folder):
    result = script("--workspace", tmp_path / "work", "--music", tmp_path / music_folder)
    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 1
    assert "--music" in result.stderr
    assert not (tmp_path / "work" / "data").exists()


def test_nothing_usable_overwrites_nothing(tmp_path):
    (tmp_path / "music" / "A").mkdir(parents=True)
    soundfile.write(tmp_path / "music" / "A" / "short.wav", tone(440, 1), RATE_HZ)
    result = script("--workspace", tmp_path, "--music", tmp_path / "music")
    assert result.returncode == 1
    assert "too short" in result.stdout
    assert not (tmp_path / "data" / "processed" / "embeddings_matrix.npy").exists()


def test_bad_usage_names_the_limit(tmp_path):
    result = script("--workspace", tmp_path, "--workers", "0")
    assert result.returncode == 2
    assert "at least 1" in result.stderr


def test_a_truncated_file_is_shorter_or_refused_but_never_garbage(folder, tmp_path):
    whole = (folder / "House" / "Deep" / "Ünïcode – 日本 🎧.flac").read_bytes()
    for tenth in range(1, 10):
        path = tmp_path / f"{tenth}.flac"
        path.write_bytes(whole[: len(whole) * tenth // 10])
        try:
            embedding, record = embed_file(path)
        except AudioError as error:
            assert "\n" not in str(error)
        else:
            assert np.isfinite(embedding).all()
            assert record["duration"] <= 4.1


def test_content_decides_not_the_extension(folder, tmp_path):
    disguised = tmp_path / "song.mp3"
    shutil.copy(folder / "loose.ogg", disguised)
    np.testing.assert_array_equal(embed_file(disguised)[0], embed_file(folder / "loose.ogg")[0])


@pytest.mark.skipif(sys.platform != "linux", reason="only here may a file name be any bytes")
def test_a_name_that_is_no_utf8_is_a_song_like_others(folder, tmp_path):
    music_folder = tmp_path / "music" / "A"
    music_folder.mkdir(parents=True)
    shutil.copy(folder / "loose.ogg", music_folder / os.fsdecode(b"caf\xe9.ogg"))
    (music_folder / os.fsdecode(b"text\xe9.mp3")).write_text("no music")
    result = script("--workspace", tmp_path, "--music", tmp_path / "music")
    assert result.returncode == 0, result.stderr
    assert "1 songs in the library, 1 failed" in result.stdout
    library = load_library(Workspace(tmp_path))
    assert library.songs["song_name"].tolist() == ["caf�"]
    assert os.fsencode(library.songs["file_path"].iloc[0]).endswith(b"caf\xe9.ogg")


def test_m4a_is_decoded(tmp_path):
    import av

    path = tmp_path / "song.m4a"
    samples = music(5, 44100)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples[np.newaxis], format="fltp", layout="mono")
        frame.sample_rate = 44100
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    heard = audio.load_audio(path, AudioConfig())
    assert abs(len(heard) / RATE_HZ - 5) < 0.1
    decoded, original = heard.read(20000, 60000), librosa.resample(samples, orig_sr=44100, target_sr=RATE_HZ)
    similarity = np.correlate(original[15000:65000], decoded, "valid").max() / np.square(original[20000:60000]).sum()
    assert 0.9 < similarity < 1.1


@pytest.mark.parametrize("suffix", ["mp3", "flac", "ogg", "wav", "aiff"])
def test_tags_are_read_in_every_format(tmp_path, suffix):
    import mutagen
    from mutagen import id3

    path = tmp_path / f"x.{suffix}"
    soundfile.write(path, tone(440, 1), RATE_HZ)
    tagged = mutagen.File(path)
    if suffix in ("flac", "ogg"):
        tagged.update({"artist": ["Ann & Bö", "Guest"], "title": "<b>", "date": "1999-05-01", "initialkey": "F#m"})
    else:
        if tagged.tags is None:
            tagged.add_tags()
        for frame, text in (("TPE1", "Ann & Bö"), ("TIT2", "<b>"), ("TDRC", "1999-05-01"), ("TKEY", "F#m")):
            tagged.tags.add(getattr(id3, frame)(encoding=3, text=[text]))
    tagged.save()
    tags = read_tags(path)
    assert (tags["artist"], tags["title"], tags["year"], tags["key"]) == ("Ann & Bö", "<b>", 1999, "F#m")


def test_tags_that_do_not_exist_are_empty(tmp_path):
    plain, named = tmp_path / "x.wav", tmp_path / "Some One - A Title.wav"
    for path in (plain, named):
        soundfile.write(path, tone(440, 1), RATE_HZ)
    tags = read_tags(plain)
    assert (tags["artist"], tags["title"], tags["album"], tags["key"]) == ("", "", "", "")
    assert np.isnan(tags["year"])
    assert (read_tags(named)["artist"], read_tags(named)["title"]) == ("Some One", "A Title")


def test_a_ledger_that_is_none_is_named(folder, tmp_path):
    workspace = Workspace(tmp_path)
    workspace.processed.mkdir(parents=True)
    workspace.ledger.write_text("this is no database, but long enough to be looked at " * 40)
    result = script("--workspace", tmp_path, "--music", folder)
    assert result.returncode == 2
    assert "library.sqlite" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    with pytest.raises(UsageError):
        find_songs(tmp_path / "nowhere")


def test_a_killed_run_goes_on_where_it_was(tmp_path):
    music_folder = tmp_path / "music" / "A"
    music_folder.mkdir(parents=True)
    for index in range(12):
        soundfile.write(music_folder / f"{index:02d}.wav", music(20, seed=index), RATE_HZ)
    work = Workspace(tmp_path / "killed")
    arguments = ["--workspace", str(work.root), "--music", str(music_folder.parent), "--workers", "1"]
    victim = subprocess.Popen([sys.executable, REPOSITORY / "01_feature_extraction.py", *arguments])
    deadline = time.monotonic() + 120
    while kept_songs(work) < 2 and victim.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    victim.send_signal(signal.SIGKILL)
    assert victim.wait() == -signal.SIGKILL
    kept = kept_songs(work)
    assert 2 <= kept < 12
    assert not work.embeddings.exists()

    again = script(*arguments)
    assert again.returncode == 0, again.stderr
    assert f"{12 - kept} looked at in this run, {kept} unchanged" in again.stdout
    whole = Workspace(tmp_path / "whole")
    assert script("--workspace", str(whole.root), *arguments[2:]).returncode == 0
    for name in ("embeddings_matrix.npy", "song_data.pkl", "manifest.json"):
        assert (work.processed / name).read_bytes() == (whole.processed / name).read_bytes()


def kept_songs(workspace: Workspace) -> int:
    """Songs in a ledger that another process writes."""
    try:
        with closing(sqlite3.connect(f"file:{workspace.ledger}?mode=ro", uri=True)) as connection:
            return connection.execute("SELECT count(*) FROM songs").fetchone()[0]
    except sqlite3.Error:  # not there yet
        return 0
