"""01 as a user runs it: a folder of good and bad files in, artifacts and reasons out."""

import csv
import fcntl
import json
import os
import resource
import select
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import termios
import zlib
from contextlib import closing
from pathlib import Path

import mutagen
import numpy as np
import pytest
import soundfile
from mutagen import id3
from scripts import artifacts, extract, extract_command, kept_songs, run_script, wait_for_songs, write_songs
from signals import RATE_HZ, clicks, music, noise, tone

from songmap.core.errors import AudioError, SchemaError
from songmap.core.workspace import Workspace
from songmap.extract.files import find_songs
from songmap.extract.labels import label_songs
from songmap.extract.options import ExtractionOptions
from songmap.extract.run import extract_library
from songmap.extract.views import tables
from songmap.features.analysis import analyse_file
from songmap.library.library import load_library
from songmap.library.schema import MEASURED_SINCE


def songs_of(music_folder: Path):
    return label_songs(find_songs(music_folder), music_folder, "folder")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Two genres, equal names, one song without a genre, and everything that cannot be one."""
    root = tmp_path_factory.mktemp("music")
    for genre, name, samples in (
        ("House", "same name.wav", music(4)),
        ("House/Deep", "Ünïcode – 日本 🎧.flac", music(4, seed=1) + tone(330, 4)),
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
    os.mkfifo(root / "Bad" / "pipe.mp3")
    (root / "Bad" / "folder.wav").mkdir()
    (root / "Bad" / "notes.txt").write_text("not looked at")
    return root


def test_the_script_extracts_names_failures_and_resumes(folder, tmp_path):
    first = extract("--workspace", tmp_path, "--music", folder, "--workers", "2")  # as a user runs it
    assert first.returncode == 0, first.stderr
    assert first.stderr == ""
    library = load_library(Workspace(tmp_path))
    assert list(library.songs["genre"]) == ["HOUSE", "HOUSE", "UNKNOWN", "TECHNO"]
    assert library.songs["song_name"].tolist().count("same name") == 2
    with (tmp_path / "outputs" / "extraction.csv").open(encoding="utf-8") as stream:
        ledger = {Path(row["file_path"]).name: row["reason"] for row in csv.DictReader(stream) if row["reason"]}
    for name, reason in (
        ("short.wav", "1.00 s, at least 3 s"),
        ("silent.wav", "silent"),
        ("nan.wav", "not finite"),
        ("empty.mp3", "0 bytes"),
        ("text.mp3", "cannot be decoded"),
        ("pipe.mp3", "not a regular file"),
        ("folder.wav", "not a regular file"),
    ):
        line = next(line for line in first.stdout.splitlines() if name in line)
        assert reason in line
        assert reason in ledger[name]
    assert "4 songs in the library: 4 extracted, 7 failed, 0 unchanged." in first.stdout
    before = artifacts(Workspace(tmp_path))

    second = run_script("01", "--workspace", tmp_path, "--music", folder, "--workers", "1", "--json")
    assert second.returncode == 0, second.stderr
    rows = json.loads(second.stdout)
    assert [row["file_path"] for row in rows[:4]] == library.songs["file_path"].tolist()
    assert all(row["failure"] for row in rows[4:])
    assert artifacts(Workspace(tmp_path)) == before


def test_workers_and_executors_change_no_byte(tmp_path):
    write_songs(tmp_path / "music", 5)
    results = []
    for options in (ExtractionOptions(1), ExtractionOptions(3), ExtractionOptions(2, "processes")):
        workspace = Workspace(tmp_path / f"{options.workers}")
        results.append(extract_library(songs_of(tmp_path / "music"), workspace, options).library)
    for result in results[1:]:
        assert result.embeddings.tobytes() == results[0].embeddings.tobytes()
        assert result.songs.equals(results[0].songs)


def test_only_what_changed_is_decoded_again(tmp_path):
    """New samples are analysed again; a move, a new name, new tags or a touch are recognised; what is missing leaves."""
    music_folder = tmp_path / "music"
    write_songs(music_folder, 5)
    shutil.copytree(music_folder / "A", music_folder / "B")
    for path in (music_folder / "B").iterdir():  # the same names, but other songs
        samples, rate_hz = soundfile.read(path)
        soundfile.write(path.with_suffix(".mp3"), samples[::-1] + tone(500, 4)[: len(samples)], rate_hz)
        path.unlink()
    workspace = Workspace(tmp_path / "work")

    def run():
        return extract_library(songs_of(music_folder), workspace, ExtractionOptions(2))

    def tally(extraction):
        counts = extraction.tally
        return counts.n_extracted, counts.n_recognised, counts.n_unchanged, len(extraction.failures)

    first = run()
    assert tally(first) == (10, 0, 0, 0)
    assert tally(run()) == (0, 0, 10, 0)

    a, b = music_folder / "A", music_folder / "B"
    (a / "00.wav").rename(b / "moved and renamed.wav")
    (a / "01.wav").unlink()
    os.utime(a / "02.wav")
    soundfile.write(a / "03.wav", noise(5), RATE_HZ)
    tagged = mutagen.File(b / "04.mp3")
    tagged.add_tags()
    tagged.tags.add(id3.TPE1(encoding=3, text=["Ann"]))
    tagged.save()
    second = run()
    assert tally(second) == (1, 3, 5, 0)

    def by_name(extraction):
        names = extraction.library.songs["genre"] + "/" + extraction.library.songs["song_name"]
        return dict(zip(names, extraction.library.embeddings, strict=True))

    before, after = by_name(first), by_name(second)
    np.testing.assert_array_equal(after["B/moved and renamed"], before["A/00"])
    np.testing.assert_array_equal(after["A/02"], before["A/02"])
    assert (after["A/03"] != before["A/03"]).any()
    assert "A/01" not in after
    songs = second.library.songs.set_index("song_name")
    assert songs.loc["04", "artist"].tolist() == ["", "Ann"]
    assert tally(run()) == (0, 0, 9, 0)


def test_songs_that_take_each_others_names_keep_their_numbers(tmp_path):
    """Tracks renumbered: every name was known, and stands for another song now; two songs even swap."""
    music_folder = tmp_path / "music"
    write_songs(music_folder, 5)
    workspace = Workspace(tmp_path / "work")

    def run():
        return extract_library(songs_of(music_folder), workspace)

    before = run().library.embeddings
    becomes = {0: 1, 1: 0, 2: 3, 3: 4, 4: 2}
    for old in becomes:
        (music_folder / "A" / f"{old:02d}.wav").rename(music_folder / "A" / f"x{old}")
    for old, new in becomes.items():
        (music_folder / "A" / f"x{old}").rename(music_folder / "A" / f"{new:02d}.wav")
    second = run()
    assert (second.tally.n_extracted, second.tally.n_recognised, second.failures) == (0, 5, [])
    for old, new in becomes.items():
        np.testing.assert_array_equal(second.library.embeddings[new], before[old])


def test_failures_are_tried_again_only_with_the_option_or_when_changed(tmp_path):
    (tmp_path / "music" / "A").mkdir(parents=True)
    path = tmp_path / "music" / "A" / "short.wav"
    soundfile.write(path, tone(440, 1), RATE_HZ)
    workspace = Workspace(tmp_path / "work")
    plain = ("--workspace", workspace.root, "--music", tmp_path / "music")
    assert "too short" in run_script("01", *plain).stdout
    dry = json.loads(run_script("01", *plain, "--dry-run", "--json").stdout)
    assert {kind for kind, number in dry.items() if number} == {"failed_before"}
    assert json.loads(run_script("01", *plain, "--dry-run", "--json", "--retry-failed").stdout)["new"] == 1
    soundfile.write(path, tone(440, 5), RATE_HZ)
    assert "1 song in the library: 1 extracted, 0 failed" in run_script("01", *plain).stdout


def test_a_ledger_of_another_version_survives_every_run(tmp_path):
    write_songs(tmp_path / "music", 2)
    workspace = Workspace(tmp_path / "work")
    plain = ("--workspace", workspace.root, "--music", tmp_path / "music")
    assert run_script("01", *plain).returncode == 0
    with closing(sqlite3.connect(workspace.ledger)) as ledger, ledger:
        ledger.execute("PRAGMA user_version=6")
        ledger.execute("PRAGMA wal_checkpoint")
    before = workspace.ledger.read_bytes()
    for options in (("--dry-run",), ()):
        result = run_script("01", *plain, *options)
        assert (result.returncode, len(result.stderr.splitlines())) == (2, 1)
        assert "is a ledger of version 6" in result.stderr
        assert workspace.ledger.read_bytes() == before


def test_a_damaged_row_is_analysed_again(tmp_path):
    write_songs(tmp_path / "music", 3)
    workspace = Workspace(tmp_path / "work")
    plain = ("--workspace", workspace.root, "--music", tmp_path / "music")
    assert run_script("01", *plain).returncode == 0
    before = artifacts(workspace)
    with closing(sqlite3.connect(workspace.ledger)) as ledger, ledger:
        ledger.execute("UPDATE songs SET embedding=X'0000803f' WHERE rowid=1")
        ledger.execute("UPDATE songs SET record='{' WHERE rowid=2")
    assert "2 new to extract" in run_script("01", *plain, "--dry-run").stdout
    assert "3 songs in the library: 2 extracted, 0 failed, 1 unchanged." in run_script("01", *plain).stdout
    assert artifacts(workspace) == before


def test_limit_and_dry_run(tmp_path):
    write_songs(tmp_path / "music", 4)
    plain = ("--workspace", tmp_path / "work", "--music", tmp_path / "music")
    dry = run_script("01", *plain, "--dry-run")
    assert (dry.returncode, dry.stdout[:28]) == (0, "4 new to extract, 0 to check")
    assert not (tmp_path / "work").exists()
    assert (
        "3 songs in the library: 3 extracted, 0 failed, 0 unchanged, 1 left"
        in run_script("01", *plain, "--limit", "3").stdout
    )
    assert (
        "4 songs in the library: 1 extracted, 0 failed, 3 unchanged." in run_script("01", *plain, "--limit", "3").stdout
    )


def make_older(workspace: Workspace) -> None:
    """Take what version 0.3 added from the ledger, and the table, as if the library had been made before."""
    with closing(sqlite3.connect(workspace.ledger)) as ledger, ledger:
        for path, text in ledger.execute("SELECT path, record FROM songs").fetchall():
            record = {name: value for name, value in json.loads(text).items() if name not in MEASURED_SINCE}
            ledger.execute("UPDATE songs SET record=? WHERE path=?", (json.dumps(record | {"tempo_bpm": 129.2}), path))
        for table in ("songs", "displaced"):
            ledger.execute(f"ALTER TABLE {table} DROP COLUMN checksum")
        ledger.execute("PRAGMA user_version=3")
    workspace.songs.unlink()  # which that version did not write


def test_a_library_of_an_older_version_is_completed_by_a_run(tmp_path):
    write_songs(tmp_path / "music", 3)
    workspace = Workspace(tmp_path / "work")
    plain = ("--workspace", workspace.root, "--music", tmp_path / "music")
    assert run_script("01", *plain).returncode == 0
    before = artifacts(workspace)
    make_older(workspace)

    with pytest.raises(SchemaError, match=r"made by an earlier version; run 01_feature_extraction\.py again"):
        load_library(workspace)

    assert "0 new to extract, 3 of an older version to decode again" in run_script("01", *plain, "--dry-run").stdout
    first = run_script("01", *plain, "--limit", "1")
    assert "3 songs were extracted by an older version" in first.stderr
    assert (
        "3 songs in the library: 1 extracted, 0 failed, 0 unchanged, 2 left" in first.stdout
    )  # none is lost meanwhile
    assert load_library(workspace).songs["tempo_octave"].notna().sum() == 1
    last = run_script("01", *plain, "--workers", "1")
    assert "2 extracted, 0 failed, 1 unchanged." in last.stdout
    assert artifacts(workspace) == before
    assert run_script("01", *plain).stderr == ""


def test_a_song_of_an_older_version_that_moved_is_decoded_again(tmp_path):
    write_songs(tmp_path / "music", 2)
    workspace = Workspace(tmp_path / "work")
    plain = ("--workspace", workspace.root, "--music", tmp_path / "music")
    assert run_script("01", *plain).returncode == 0
    make_older(workspace)
    (tmp_path / "music" / "A" / "00.wav").rename(tmp_path / "music" / "A" / "moved.wav")
    assert run_script("01", *plain).returncode == 0
    assert load_library(workspace).songs["tempo_octave"].tolist() == [1, 1]


def test_a_tempo_of_another_octave_than_its_genres_is_moved_and_marked(tmp_path):
    """Of eleven songs one is measured at half the tempo of the others; a genre of three does not decide."""
    for genre, n_songs in (("A", 11), ("B", 3)):
        for number in range(n_songs):
            bpm = 64 if number == 2 else 126 + number / 2
            path = tmp_path / "music" / genre / f"{number:02d}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, clicks(bpm, 10), RATE_HZ)
    plain = ("--workspace", tmp_path / "work", "--music", tmp_path / "music")
    assert run_script("01", *plain).returncode == 0
    library = load_library(Workspace(tmp_path / "work"))
    songs = library.songs.set_index(library.songs["genre"] + library.songs["song_name"])
    assert 60 < library.column("tempo_bpm")[2] < 68  # what librosa finds stays in the matrix
    assert (songs.loc["A02", "tempo_octave"], songs.loc["B02", "tempo_octave"]) == (2, 1)
    assert songs.loc["A02", "tempo_bpm"] == pytest.approx(128, abs=0.3)
    assert songs.loc["B02", "tempo_bpm"] == pytest.approx(64, abs=0.3)
    assert (songs["tempo_octave"].drop("A02") == 1).all()


def test_a_second_run_at_the_same_time_is_refused(tmp_path):
    write_songs(tmp_path / "music", 6, 20)
    work = Workspace(tmp_path / "work")
    plain = ("--workspace", work.root, "--music", tmp_path / "music")
    with subprocess.Popen(extract_command(*plain), stdout=subprocess.PIPE) as first:
        wait_for_songs(work, 1, first)
        second = run_script("01", *plain)
        assert (second.returncode, len(second.stderr.splitlines())) == (2, 1)
        assert "another run" in second.stderr
        first.communicate(timeout=300)
    assert first.returncode == 0
    assert kept_songs(work) == 6


@pytest.fixture(scope="module")
def twelve(tmp_path_factory) -> tuple[Path, dict[str, bytes]]:
    """Songs that take a while, and what a run that nobody ends makes of them."""
    root = tmp_path_factory.mktemp("twelve")
    write_songs(root / "music", 12, 20, times=2)
    assert run_script("01", "--workspace", root / "whole", "--music", root / "music").returncode == 0
    return root / "music", artifacts(Workspace(root / "whole"))


def check_ended(work: Workspace, twelve: tuple[Path, dict[str, bytes]], is_saved: bool) -> None:
    """An ended run has what it finished, in the library too if it was not killed, and another completes it."""
    kept = kept_songs(work)
    assert 2 <= kept < 12
    assert work.embeddings.exists() == is_saved
    again = run_script("01", "--workspace", work.root, "--music", twelve[0])
    assert again.returncode == 0, again.stderr
    assert f"{12 - kept} extracted, 0 failed, {kept} unchanged" in again.stdout
    assert artifacts(work) == twelve[1]


@pytest.mark.parametrize(
    "number", [signal.SIGKILL, *(pytest.param(one, marks=pytest.mark.slow) for one in (signal.SIGINT, signal.SIGTERM))]
)
def test_an_ended_run_goes_on_where_it_was(twelve, tmp_path, number):
    work = Workspace(tmp_path)
    command = extract_command("--workspace", work.root, "--music", twelve[0], "--workers", "1")
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, process_group=0) as victim:
        wait_for_songs(work, 2, victim)
        os.killpg(victim.pid, number)  # as a terminal and a service manager do
        errors = victim.communicate(timeout=60)[1]
    assert victim.returncode == (128 + number if number != signal.SIGKILL else -signal.SIGKILL)
    if number != signal.SIGKILL:
        assert "run again to resume" in errors
        assert "Traceback" not in errors
    check_ended(work, twelve, is_saved=number != signal.SIGKILL)


def test_a_run_whose_terminal_is_closed_saves_what_is_finished(twelve, tmp_path):
    work = Workspace(tmp_path)
    command = extract_command("--workspace", work.root, "--music", twelve[0], "--workers", "1")
    ours, terminal = os.openpty()

    def take_terminal() -> None:
        os.setsid()
        fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)

    streams = {"stdin": terminal, "stdout": terminal, "stderr": terminal}
    with subprocess.Popen(command, preexec_fn=take_terminal, **streams) as victim:
        os.close(terminal)
        while kept_songs(work) < 2 and victim.poll() is None:
            if select.select([ours], [], [], 0.1)[0]:  # what nobody reads would stop the progress bar
                os.read(ours, 1 << 16)
        os.close(ours)
        assert victim.wait(60) == 128 + signal.SIGHUP
    check_ended(work, twelve, is_saved=True)


@pytest.mark.parametrize("music_folder", ["nowhere", "."])
def test_no_music_is_one_line(tmp_path, music_folder):
    result = run_script("01", "--workspace", tmp_path / "work", "--music", tmp_path / music_folder)
    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 1
    assert "--music" in result.stderr
    assert not (tmp_path / "work" / "data").exists()


def test_nothing_usable_overwrites_nothing(tmp_path):
    (tmp_path / "music" / "A").mkdir(parents=True)
    soundfile.write(tmp_path / "music" / "A" / "short.wav", tone(440, 1), RATE_HZ)
    result = run_script("01", "--workspace", tmp_path, "--music", tmp_path / "music")
    assert result.returncode == 1
    assert "too short" in result.stdout
    assert not (tmp_path / "data" / "processed" / "embeddings_matrix.npy").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--workers", "0"], "at least 1"),
        (["--executor", "dask"], "--scheduler tcp://HOST:PORT"),
        (["--labels", "nowhere.csv"], "nowhere.csv"),
    ],
)
def test_bad_usage_is_one_line(folder, tmp_path, arguments, message):
    result = run_script("01", "--workspace", tmp_path, "--music", folder, *arguments)
    assert (result.returncode, len(result.stderr.splitlines())) == (2, 1)
    assert message in result.stderr


def test_a_workspace_that_cannot_be_written_is_one_line(folder, tmp_path):
    (tmp_path / "data").write_text("a file where a folder should be")
    in_the_way = run_script("01", "--workspace", tmp_path, "--music", folder)
    assert (in_the_way.returncode, len(in_the_way.stderr.splitlines())) == (2, 1)
    assert str(tmp_path / "data") in in_the_way.stderr


def test_a_full_disk_is_one_line_and_breaks_nothing(tmp_path):
    """A limit on the size of files stands in for a full disk: both make writes fail half way."""
    write_songs(tmp_path / "music", 8)
    work = Workspace(tmp_path / "work")
    plain = ("--workspace", work.root, "--music", tmp_path / "music")

    def small_files() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))

    full = extract(*plain, preexec_fn=small_files)
    assert (full.returncode, len(full.stderr.splitlines())) == (2, 1), full.stderr
    assert "disk" in full.stderr
    again = run_script("01", *plain)
    assert again.returncode == 0
    assert len(load_library(work)) == 8


def test_a_truncated_file_is_shorter_or_refused_but_never_garbage(folder, tmp_path):
    whole = (folder / "House" / "Deep" / "Ünïcode – 日本 🎧.flac").read_bytes()
    for tenth in range(1, 10):
        path = tmp_path / f"{tenth}.flac"
        path.write_bytes(whole[: len(whole) * tenth // 10])
        try:
            analysis = analyse_file(path)
            embedding, record = analysis.embedding, analysis.record
        except AudioError as error:
            assert "\n" not in str(error)
        else:
            assert np.isfinite(embedding).all()
            assert record["duration"] <= 4.1


def test_content_decides_not_the_extension(folder, tmp_path):
    disguised = tmp_path / "song.mp3"
    shutil.copy(folder / "loose.ogg", disguised)
    np.testing.assert_array_equal(analyse_file(disguised).embedding, analyse_file(folder / "loose.ogg").embedding)


@pytest.mark.skipif(sys.platform != "linux", reason="only here may a file name be any bytes")
def test_a_name_that_is_not_utf8_is_a_song_like_others(folder, tmp_path):
    music_folder = tmp_path / "music" / "A"
    music_folder.mkdir(parents=True)
    shutil.copy(folder / "loose.ogg", music_folder / os.fsdecode(b"caf\xe9.ogg"))
    (music_folder / os.fsdecode(b"text\xe9.mp3")).write_text("no music")
    result = run_script("01", "--workspace", tmp_path, "--music", tmp_path / "music")
    assert result.returncode == 0, result.stderr
    assert "1 song in the library: 1 extracted, 1 failed" in result.stdout
    library = load_library(Workspace(tmp_path))
    assert library.songs["song_name"].tolist() == ["caf�"]
    assert os.fsencode(library.songs["file_path"].iloc[0]).endswith(b"caf\xe9.ogg")
    assert "caf�.ogg" in (tmp_path / "outputs" / "extraction.csv").read_text(encoding="utf-8")


def test_tag_bombs_cost_nothing_but_their_titles(tmp_path):
    """Compressed titles of 100 million characters; the record of one used to be more than SQLite takes."""
    (tmp_path / "music" / "A").mkdir(parents=True)
    packed = zlib.compress(b"\3" + b"A" * 100_000_000, 9)
    frame = b"TIT2" + struct.pack(">IHI", len(packed) + 4, 0x80, 100_000_001) + packed
    header = b"ID3\3\0\0" + bytes(len(frame) >> shift & 0x7F for shift in (21, 14, 7, 0))
    for index in range(2):
        path = tmp_path / "music" / "A" / f"{index}.mp3"
        soundfile.write(path, music(4, seed=index), RATE_HZ)
        path.write_bytes(header + frame + path.read_bytes())
    result = run_script("01", "--workspace", tmp_path, "--music", tmp_path / "music")
    assert "2 songs in the library: 2 extracted, 0 failed" in result.stdout, result.stderr
    assert load_library(Workspace(tmp_path)).songs["title"].str.len().max() <= 1000


def test_labels_and_duplicates_reach_the_table(tmp_path):
    write_songs(tmp_path / "music", 3)
    samples, _ = soundfile.read(tmp_path / "music" / "A" / "00.wav")
    soundfile.write(tmp_path / "music" / "copy.mp3", samples, RATE_HZ)
    (tmp_path / "genres.csv").write_text(
        "file,genre,mood\n00.wav,Soul,calm\n01.wav,Funk,wild\n02.wav,Funk,\ncopy.mp3,Soul,\n"
    )
    result = run_script(
        "01", "--workspace", tmp_path, "--music", tmp_path / "music", "--labels", tmp_path / "genres.csv"
    )
    assert result.returncode == 0, result.stderr
    songs = load_library(Workspace(tmp_path)).songs
    assert songs["genre"].tolist() == ["SOUL", "FUNK", "FUNK", "SOUL"]
    assert songs["mood"].tolist() == ["calm", "wild", "", ""]
    assert songs["duplicate_of"].tolist() == ["", "", "", str(tmp_path / "music" / "A" / "00.wav")]
    assert "The same recording in several files, 1 group;" in result.stdout
    with (tmp_path / "outputs" / "duplicates.csv").open(encoding="utf-8") as stream:
        assert [row["song_name"] for row in csv.DictReader(stream)] == ["00", "copy"]


def test_a_file_that_is_not_a_ledger_is_named(folder, tmp_path):
    workspace = Workspace(tmp_path)
    workspace.processed.mkdir(parents=True)
    workspace.ledger.write_text("this is no database, but long enough to be looked at " * 40)
    result = run_script("01", "--workspace", tmp_path, "--music", folder)
    assert result.returncode == 2
    assert "library.sqlite" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_run_is_the_only_one_until_its_tables_are_written(tmp_path, monkeypatch):
    write_songs(tmp_path / "music", 1)
    workspace = Workspace(tmp_path / "work")
    plain = ("--workspace", workspace.root, "--music", tmp_path / "music")
    others, write = [], tables.write_atomically

    def meanwhile(path, content):
        others.append(run_script("01", *plain))
        write(path, content)

    monkeypatch.setattr(tables, "write_atomically", meanwhile)
    assert run_script("01", *plain).returncode == 0
    assert len(others) == 2
    for other in others:
        assert other.returncode == 2
        assert "is in use: another run extracts to this workspace; wait, or end it" in other.stderr
        assert len(other.stderr.splitlines()) == 1


def test_what_a_killed_save_left_is_finished_or_removed_by_the_next_run(tmp_path):
    write_songs(tmp_path / "music", 1)
    workspace = Workspace(tmp_path / "work")
    plain = ("--workspace", workspace.root, "--music", tmp_path / "music")
    assert run_script("01", *plain).returncode == 0
    before = artifacts(workspace)
    left = [workspace.processed / ".embeddings_matrix.ab3_x9zz.npy", workspace.processed / ".song_data.ab3_x9zz.pkl"]
    left += [workspace.outputs / ".duplicates.ab3_x9zz.csv", workspace.processed / ".library.new" / "half"]
    for path in left:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(bytes(9))
    assert run_script("01", *plain).returncode == 0
    assert not [path for path in left if path.exists() or (path.parent.name == ".library.new" and path.parent.exists())]
    assert artifacts(workspace) == before
