"""Clips below 3 s: included when --min-duration is lower, refused or left out when it is higher again."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scripts import artifacts, kept_songs, run_script
from signals import RATE_HZ, music
from waiting import wait_until

from songmap.core.errors import UsageError
from songmap.core.workspace import Workspace
from songmap.extract import executors
from songmap.extract.files import find_songs
from songmap.extract.labels import label_songs
from songmap.extract.ledger import analysis_fingerprint
from songmap.extract.options import ExtractionOptions
from songmap.extract.run import extract_library
from songmap.library.library import load_library
from songmap.library.schema import AudioConfig

LENGTHS_S = (0.1, 1.2, 2.5, 3.2)


@pytest.fixture(scope="module")
def clips(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("clips") / "A"
    folder.mkdir()
    for number, length_s in enumerate(LENGTHS_S):
        soundfile.write(folder / f"{length_s}.wav", music(length_s, seed=number), RATE_HZ)
    return folder.parent


def run(workspace: Workspace, clips: Path, *options: str) -> dict[str, str | None]:
    """The songs of a run by their names, with the reasons of those that failed."""
    result = run_script("01", "--workspace", workspace.root, "--music", clips, "--workers", "1", "--json", *options)
    assert result.returncode == 0, result.stderr
    return {Path(song["file_path"]).stem: song["failure"] for song in json.loads(result.stdout)}


def new_songs(workspace: Workspace, clips: Path, *options: str) -> int:
    result = run_script("01", "--workspace", workspace.root, "--music", clips, "--dry-run", "--json", *options)
    return json.loads(result.stdout)["new"]


def test_a_lower_limit_includes_what_was_refused_and_a_higher_one_leaves_it_out(clips, tmp_path):
    workspace = Workspace(tmp_path)
    at_least_3 = {name: f"too short: {float(name):.2f} s, at least 3 s are needed" for name in ("0.1", "1.2", "2.5")}
    assert run(workspace, clips) == {"3.2": None} | at_least_3
    before = load_library(workspace)
    assert (new_songs(workspace, clips), new_songs(workspace, clips, "--min-duration", "2")) == (0, 1)

    songs = run(workspace, clips, "--min-duration", "2")
    assert (songs["2.5"], songs["1.2"]) == (None, "too short: 1.20 s, at least 2 s are needed")
    library = load_library(workspace)
    assert library.config == AudioConfig(min_duration_s=2)
    np.testing.assert_array_equal(library.embeddings[1], before.embeddings[0])
    assert new_songs(workspace, clips, "--min-duration", "2") == 0
    from_empty = Workspace(tmp_path / "empty")
    run(from_empty, clips, "--min-duration", "2")
    assert artifacts(from_empty) == artifacts(workspace)

    assert run(workspace, clips, "--min-duration", "1", "--segments") == {
        "1.2": None, "2.5": None, "3.2": None, "0.1": "too short: 0.10 s, at least 1 s are needed",
    }  # fmt: skip
    segments = np.load(workspace.segment_embeddings)
    assert segments.shape == (3, 641)

    text = run_script("01", "--workspace", workspace.root, "--music", clips, "--no-segments").stdout
    assert "0 extracted, 1 failed" in text
    assert "Left out of the library: 2 shorter than --min-duration." in text
    assert "left out,too short" in workspace.table("extraction").read_text(encoding="utf-8")
    np.testing.assert_array_equal(load_library(workspace).embeddings, before.embeddings)


def test_executors_and_workers_agree(clips, tmp_path):
    songs = label_songs(find_songs(clips), clips, "folder")
    one, *others = (
        extract_library(songs, Workspace(tmp_path / f"{workers}{executor}"), options).library
        for workers, executor in ((1, "threads"), (2, "processes"))
        for options in [ExtractionOptions(workers, executor, min_duration_s=1)]
    )
    assert one.songs["duration"].tolist() == list(LENGTHS_S[1:])
    for other in others:
        np.testing.assert_array_equal(other.embeddings, one.embeddings)


def test_a_file_outside_the_library_may_be_as_short_as_its_songs(clips, tmp_path):
    for limit, length_s in (("2", 2.4), ("1", 1.4)):
        workspace = Workspace(tmp_path / limit)
        run(workspace, clips, "--min-duration", limit)
        query, shorter = tmp_path / f"{length_s}.wav", tmp_path / f"shorter than {limit}.wav"
        soundfile.write(query, music(length_s, seed=9), RATE_HZ)
        soundfile.write(shorter, music(float(limit) - 0.5, seed=9), RATE_HZ)
        assert run_script("04", "--workspace", workspace.root, "similar", query).returncode == 0
        refused = run_script("04", "--workspace", workspace.root, "similar", shorter)
        assert refused.returncode == 2
        assert f"at least {limit} s are needed" in refused.stderr


def test_what_has_no_columns_is_refused_in_one_line(clips, tmp_path):
    for limit in ("0.19", "0", "nan", "inf"):
        result = run_script("01", "--workspace", tmp_path, "--music", clips, "--min-duration", limit)
        assert result.returncode == 2
        assert len(result.stderr.splitlines()) == 1
        assert f"{limit} is out of range, give at least 0.2" in result.stderr
    with pytest.raises(UsageError, match=r"songs of 0\.1 s have no 641 columns; .* at least 0\.2 s"):
        ExtractionOptions(config=AudioConfig(min_duration_s=0.1))


def test_the_shortest_duration_changes_no_number():
    options = ExtractionOptions(min_duration_s=1)
    assert (options.config, options.least_duration_s) == (AudioConfig(min_duration_s=1), 1)
    assert analysis_fingerprint(options.config) == analysis_fingerprint(AudioConfig())
    longer = ExtractionOptions(min_duration_s=30)
    assert (longer.config, longer.least_duration_s) == (AudioConfig(), 30)


def test_what_is_finished_is_committed_while_the_next_song_takes_long(clips, tmp_path, monkeypatch):
    """So that a run that is killed loses little, however long its songs are."""
    workspace, order = Workspace(tmp_path), []

    def call(task: str, path: Path, options: ExtractionOptions) -> dict:
        if order:
            wait_until(lambda: kept_songs(workspace) == 1)
        order.append(path)
        return {"failure": "not music", "cause": "audio"}

    monkeypatch.setattr(executors, "call_worker", call)
    songs = label_songs(find_songs(clips), clips, "folder")[:2]
    assert len(extract_library(songs, workspace).failures) == 2
