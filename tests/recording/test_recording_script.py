"""05 as a user runs it: first use, answers, files, and what goes wrong."""

import csv
import json
import os
import shutil
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from libraries import make_library
from recorded import BEATS, DRONES, N_SONGS, samples, write_wav
from scripts import run_script
from signals import RATE_HZ

from songmap.core.serialise import plain
from songmap.core.workspace import Workspace
from songmap.library.library import save_library
from songmap.recording.card import training_of
from songmap.recording.run import load_recording_classifier

HOSTILE = "<img src=x onerror='window.hacked=1'> & {{ 7 * 7 }} \x1b[31m"


@dataclass(frozen=True)
class FirstUse:
    """A recording that begins as BEATS and ends as DRONES, classified by a workspace that had no classifier yet."""

    workspace: Workspace
    recording: Path
    playlist: Path
    result: subprocess.CompletedProcess[str]

    def run(self, *arguments: str | Path, **options) -> subprocess.CompletedProcess[str]:
        return run_script("05", "--workspace", self.workspace.root, *arguments, **options)


@pytest.fixture(scope="module")
def first_use(tmp_path_factory: pytest.TempPathFactory) -> FirstUse:
    workspace = Workspace(tmp_path_factory.mktemp("workspace"))
    for genre in (BEATS, DRONES):
        for seed in range(N_SONGS):
            write_wav(workspace.music / genre / f"Artist {seed}" / f"{genre} {seed}.wav", samples(genre, seed, 9))
    extracted = run_script("01", "--workspace", workspace.root, "--segments", "6/3")
    assert extracted.returncode == 0, extracted.stderr
    recording = write_wav(workspace.root / "from a friend.wav", samples(BEATS, 7, 36), samples(DRONES, 8, 36))
    playlist = workspace.root / "next.m3u8"
    arguments = ("--workspace", workspace.root, recording, "--chapters", "--m3u8", playlist, "-n", "4")
    return FirstUse(workspace, recording, playlist, run_script("05", *arguments))


def test_first_use_trains_and_says_so(first_use):
    assert first_use.result.returncode == 0, first_use.result.stderr
    assert first_use.result.stderr == "no classifier yet: training one on 24 segments\n"
    again = first_use.run(first_use.recording, "-n", "4")
    assert (again.returncode, again.stderr) == (0, "")
    assert again.stdout.splitlines()[:6] == first_use.result.stdout.splitlines()[:6]


def test_the_answer_says_when_which_genre(first_use):
    lines = first_use.result.stdout.splitlines()
    assert lines[0] == f"from a friend is {BEATS} until 0:36, then {DRONES}."
    assert max(map(len, (line for line in lines if "outputs" not in line))) <= 80
    table = [line.split() for line in lines if line.startswith(" 0:")]
    assert [row[:2] for row in table] == [["0:00–0:36", BEATS], ["0:36–1:12", DRONES]]


def test_everything_is_written_and_named(first_use):
    workspace = first_use.workspace
    page, picture = workspace.page("recording_from_a_friend"), workspace.plots / "recording_from_a_friend.png"
    table, chapters = (workspace.outputs / f"recording_from_a_friend.{suffix}" for suffix in ("csv", "txt"))
    assert "held fixed" not in page.read_text("utf-8")  # no network of spectrograms is joined
    for path in (page, picture, table, chapters):
        assert path.is_file() and path.name in first_use.result.stdout
    with table.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["genre"] for row in rows] == [BEATS, DRONES]
    assert rows[0]["start_s"] == "0.000" and rows[0]["end_s"] == rows[1]["start_s"]
    for row in rows:
        assert float(row[f"probability_{BEATS}"]) + float(row[f"probability_{DRONES}"]) == pytest.approx(1, abs=1e-5)
        assert Path(row["nearest_file_path"]).is_file()
    lines = chapters.read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[0] for line in lines] == [f"00:00:00 {BEATS}", f"00:00:36 {DRONES}"]
    entries = [line for line in first_use.playlist.read_text(encoding="utf-8").splitlines() if line[0] != "#"]
    assert len(entries) == 4
    assert all((first_use.playlist.parent / entry).is_file() for entry in entries)


def test_json_is_the_result_serialised(first_use):
    result = first_use.run(first_use.recording, "--json")
    classifier = load_recording_classifier(first_use.workspace)
    answers = json.loads(result.stdout)
    assert answers == [json.loads(json.dumps(plain(classifier.classify(first_use.recording))))]
    assert answers[0]["parts"][1]["genre"] == DRONES
    assert len(answers[0]["timeline"]["proba"]) == len(answers[0]["timeline"]["start_s"])


def test_training_again_prints_the_scores_of_the_card(first_use, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    result = first_use.run("--train")
    assert result.returncode == 0, result.stderr
    card = load_recording_classifier(first_use.workspace).card
    assert len(training_of(card).scores) == 6
    for text in ("by artist", "at random", "XGBoost", "joined", "24 segments of 6 s, from 12 songs"):
        assert text in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80
    as_json = first_use.run("--train", "--json")
    assert json.loads(as_json.stdout) == plain(training_of(card))


def test_a_wav_file_is_read_from_a_pipe(first_use):
    """With the header of a program that cannot go back to write the length, as ffmpeg's."""
    data = (30000 * samples(BEATS, 7, 12).clip(-1, 1)).astype("<i2").tobytes()
    unknown = (0xFFFFFFFF).to_bytes(4, "little")
    rates = RATE_HZ.to_bytes(4, "little") + (2 * RATE_HZ).to_bytes(4, "little")
    kind = b"WAVEfmt " + (16).to_bytes(4, "little") + b"\1\0\1\0" + rates + b"\2\0\x10\0"
    content = b"RIFF" + unknown + kind + b"data" + unknown + data
    reading, writing = os.pipe()

    def write() -> None:
        with os.fdopen(writing, "wb") as stream:
            stream.write(content)

    writer = threading.Thread(target=write)
    writer.start()
    with os.fdopen(reading, encoding="utf-8") as stdin:
        result = first_use.run("-", "--json", stdin=stdin)
    writer.join()
    (answer,) = json.loads(result.stdout)
    assert (answer["title"], answer["file_path"], answer["duration_s"]) == ("standard input", "", 12.0)
    page = first_use.workspace.page("recording_standard_input").read_text(encoding="utf-8")
    assert '<audio id="recording"' not in page


def test_files_that_fail_are_named_and_the_others_go_on(first_use, tmp_path):
    good = write_wav(tmp_path / "good.wav", samples(DRONES, 3, 8))
    second = write_wav(tmp_path / "b" / "good.wav", samples(BEATS, 4, 8))
    short, silent = (
        write_wav(tmp_path / "short.wav", samples(BEATS, 1, 1)),
        write_wav(tmp_path / "silent.wav", np.zeros(8 * RATE_HZ)),
    )
    damaged = tmp_path / "damaged.mp3"
    damaged.write_bytes(b"ID3" + bytes(5000))
    result = first_use.run(short, good, silent, damaged, second, tmp_path / "missing.wav")
    assert result.returncode == 1
    lines = result.stderr.splitlines()
    failed = (short, silent, damaged, tmp_path / "missing.wav")
    reasons = ("too short", "silent", "", "does not exist")
    assert len(lines) == len(failed)
    for line, path, reason in zip(lines, failed, reasons, strict=True):
        assert line.startswith(f"not classified: {path}: ") and reason in line
    answers = [line for line in result.stdout.splitlines() if line.startswith("good ")]
    assert [BEATS in line for line in answers] == [False, True]
    for name in ("good", "good_2"):
        assert first_use.workspace.page(f"recording_{name}").is_file()
        assert (first_use.workspace.plots / f"recording_{name}.png").is_file()


def test_recordings_of_a_folder(first_use, tmp_path):
    write_wav(tmp_path / "mixes" / "a.wav", samples(DRONES, 3, 8))
    write_wav(tmp_path / "mixes" / "deeper" / "b.wav", samples(BEATS, 4, 8))
    result = first_use.run(tmp_path / "mixes", "--json")
    assert (result.returncode, result.stderr) == (0, "")
    assert [Path(answer["file_path"]).name for answer in json.loads(result.stdout)] == ["a.wav", "b.wav"]
    (tmp_path / "empty").mkdir()
    result = first_use.run(tmp_path / "empty", "--train")
    assert (result.returncode, result.stdout) == (2, "")
    assert f"there is no audio file in {tmp_path / 'empty'}; " in result.stderr


def test_a_song_of_the_library_is_recognised_as_training_data(first_use):
    result = first_use.run(first_use.workspace.music / BEATS / "Artist 2" / f"{BEATS} 2.wav")
    assert "trained on this recording" in result.stdout
    assert " Artist 2 " not in result.stdout.split("Hear next")[1]


def test_names_can_hold_anything(first_use, tmp_path):
    recording = write_wav(tmp_path / "hostile.wav", samples(BEATS, 3, 8))
    recording = recording.rename(tmp_path / f"{HOSTILE}.wav")
    result = first_use.run(recording)
    assert result.returncode == 0, result.stderr
    assert "\x1b" not in result.stdout
    (page,) = first_use.workspace.html.glob("recording_img_*.html")
    text = page.read_text(encoding="utf-8")
    assert "<img" not in text and "&lt;img" in text
    assert "{{ 7 * 7 }}" in text and "\x1b" not in text


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "give a FILE"),
        (["song.wav", "--m3u8", "next.txt"], "does not end in .m3u8"),
        (["song.wav", "-n", "0"], "give 1 to"),
        (["--record", "0"], "give 1 to"),
    ],
)
def test_bad_usage_is_one_line(first_use, arguments, reason):
    result = first_use.run(*arguments)
    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 1 and reason in result.stderr


def test_without_segments_01_is_named(tmp_path):
    workspace = Workspace(tmp_path)
    save_library(workspace, make_library(14))
    for arguments in (["song.wav"], ["--train"]):
        result = run_script("05", "--workspace", tmp_path, *arguments)
        assert result.returncode == 2
        assert result.stderr.count("\n") == 1
        assert "run 01_feature_extraction.py --segments first" in result.stderr


def test_a_model_of_an_earlier_library_is_noted(first_use, tmp_path):
    workspace = Workspace(shutil.copytree(first_use.workspace.root, tmp_path / "copy"))
    save_library(workspace, make_library(14))
    recording = write_wav(tmp_path / "new.wav", samples(BEATS, 3, 8))
    result = run_script("05", "--workspace", workspace.root, recording)
    assert result.returncode == 0
    assert "earlier version of this library" in result.stderr
    assert "moment" not in result.stdout  # the new library has no segments


def test_recording_needs_a_program(first_use, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    result = first_use.run("--record", "1")
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1 and "arecord" in result.stderr and "ffmpeg" in result.stderr
    assert not first_use.workspace.recordings.exists()


@pytest.mark.slow
def test_degraded_copies_are_trained_with_and_not_tested_on(first_use):
    plain = json.loads(run_script("05", "--workspace", first_use.workspace.root, "--train", "--json").stdout)
    result = run_script("05", "--workspace", first_use.workspace.root, "--train", "--augment", "--json")
    training = json.loads(result.stdout)
    assert result.returncode == 0, result.stderr
    assert (plain["n_augmented"], training["n_segments"]) == (0, plain["n_segments"])
    assert 1.5 < training["n_augmented"] / training["n_segments"] < 2.5
    assert run_script("05", "--workspace", first_use.workspace.root, "--augment").returncode == 2
