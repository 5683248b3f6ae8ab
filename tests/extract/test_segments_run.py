"""01 --segments: saved with the library, kept up to date, resumed after kill -9, refused where they do not fit."""

import json
import os
import signal
import subprocess

import numpy as np
import pandas as pd
import pytest
from scripts import extract_command, kept_songs, run_script, wait_for_songs, write_songs

from songmap.core.errors import SchemaError
from songmap.core.workspace import Workspace
from songmap.extract.segments import nearest_to_mean
from songmap.library.library import load_library
from songmap.library.segments import Segments, SegmentSettings, SongSegments, validate_segments
from songmap.library.segments_file import load_segments

N_SONGS = 8
NAMES = ("segment_embeddings.npy", "segment_table.npz", "segment_data.pkl", "manifest.json")


def run(work: Workspace, *options) -> str:
    result = run_script("01", "--workspace", work.root, "--music", work.root.parent / "music", *options)
    assert result.returncode == 0, result.stderr
    return result.stdout


def contents(work: Workspace) -> dict[str, bytes]:
    return {name: (work.processed / name).read_bytes() for name in NAMES}


@pytest.fixture(scope="module")
def segmented(tmp_path_factory) -> Workspace:
    root = tmp_path_factory.mktemp("segmented")
    write_songs(root / "music", N_SONGS, 12, times=3)
    work = Workspace(root / "work")
    assert f"{N_SONGS} extracted" in run(work, "--segments", "6/3", "--workers", "2")
    return work


def test_segments_are_saved_with_the_library(segmented):
    library = load_library(segmented)
    segments = load_segments(segmented, library)
    assert segments.settings == SegmentSettings(6, 3)
    assert segments.embeddings.shape == (len(segments), 641)
    table = segments.table
    assert list(table) == ["file_path", "song_name", "genre", "artist", "start_s", "end_s"]
    assert list(dict.fromkeys(table["file_path"])) == library.songs["file_path"].tolist()
    longest = table.groupby("file_path")["end_s"].max()
    assert (library.songs.set_index("file_path")["duration"] - longest).between(-0.01, 1.51).all()
    pd.testing.assert_frame_equal(pd.read_pickle(segmented.segments_pickle), table)


def test_a_run_that_is_killed_goes_on_where_it_was(segmented, tmp_path):
    work = Workspace(tmp_path / "work")
    (tmp_path / "music").symlink_to(segmented.root.parent / "music")
    music = segmented.root.parent / "music"
    command = extract_command("--workspace", work.root, "--music", music, "--workers", "1", "--segments", "6/3")
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, process_group=0) as victim:
        wait_for_songs(work, 2, victim)
        os.killpg(victim.pid, signal.SIGKILL)
    kept = kept_songs(work)
    assert 2 <= kept < N_SONGS
    result = run_script("01", "--workspace", work.root, "--music", music, "--segments", "6/3")
    assert f"{N_SONGS - kept} extracted, 0 failed, {kept} unchanged" in result.stdout
    assert contents(work) == contents(segmented)


def test_later_runs_keep_segments_up_to_date_until_they_are_not_wanted(tmp_path):
    write_songs(tmp_path / "music", 2, 8)
    work = Workspace(tmp_path / "work")
    assert "2 extracted" in run(work)
    with pytest.raises(SchemaError, match="has no segments; run 01"):
        load_segments(work, load_library(work))
    plan = run_script("01", "--workspace", work.root, "--music", tmp_path / "music", "--segments", "5/5", "--dry-run")
    assert "2 to decode again for their segments" in plan.stdout
    assert "2 extracted" in run(work, "--segments", "5/5")
    (tmp_path / "music" / "A" / "02.wav").write_bytes((tmp_path / "music" / "A" / "00.wav").read_bytes())
    assert "segments of 5 s, 5 s apart" in run(work)
    segments = load_segments(work, load_library(work))
    by_song = segments.table.groupby("file_path", sort=True).size().tolist()
    assert len(by_song) == 3 and by_song[0] == by_song[2]
    assert "0 extracted" in run(work, "--representative", "1")
    assert len(load_segments(work, load_library(work))) == 3
    assert "0 extracted" in run(work, "--no-segments")
    assert not work.segment_embeddings.exists()
    assert "segments of" not in run(work)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda manifest: manifest["segments"].update(version=0), "of another version; run 01_feature_extraction.py"),
        (lambda manifest: manifest["segments"].update(length_s="long"), "has no settings of segments"),
        (lambda manifest: manifest["sha256"].update({"segment_table.npz": "0"}), "is not the file that manifest.json"),
    ],
)
def test_segments_that_do_not_fit_are_refused_in_one_line(segmented, tmp_path, change, reason):
    work = Workspace(tmp_path)
    work.processed.mkdir(parents=True)
    for path in segmented.processed.iterdir():
        if path.is_file():
            (work.processed / path.name).write_bytes(path.read_bytes())
    manifest = json.loads(work.manifest.read_text())
    change(manifest)
    work.manifest.write_text(json.dumps(manifest))
    with pytest.raises(SchemaError, match=reason) as error:
        load_segments(work, load_library(work))
    assert "\n" not in str(error.value)


def test_segments_of_other_songs_are_refused(segmented):
    library = load_library(segmented)
    segments = load_segments(segmented, library)
    other = Segments(segments.embeddings, segments.table.assign(file_path="/other.mp3"), segments.settings)
    with pytest.raises(SchemaError, match="not those of the songs"):
        validate_segments(other, library.songs)


def test_representative_segments_are_the_nearest_to_the_mean():
    numbers = np.zeros((4, 641), np.float32)
    numbers[:, 0] = [10, 11, 12, 40]  # the first MFCC
    (kept,) = nearest_to_mean([SongSegments(np.arange(8.0).reshape(4, 2), numbers)], 2)
    np.testing.assert_array_equal(kept.embeddings[:, 0], [11, 12])


@pytest.mark.parametrize("text", ["3/1", "30/40", "a/b", "30/"])
def test_lengths_out_of_range_are_one_line(tmp_path, text):
    result = run_script("01", "--workspace", tmp_path, "--segments", text)
    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 1
