"""What 01 prints, from results alone."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from libraries import make_library

from songmap.core.workspace import Workspace
from songmap.extract.results import Extraction, ExtractionTally, Failure, LabelSource, SongDeviation, Verification
from songmap.extract.statistics import feature_ranges, genre_statistics
from songmap.extract.views.summary import plan_text, summary, verification_text
from songmap.extract.views.tables import duplicate_rows
from songmap.library.recordings import DuplicateGroup


def text_of(tally: ExtractionTally, failures=(), n_songs: int = 4) -> str:
    library = make_library(n_songs)
    extraction = Extraction(library, [], list(failures), tally, LabelSource("folder", "default"))
    return summary(extraction, genre_statistics(library), feature_ranges(library), Workspace(Path("/songs")))


def test_a_run_says_how_the_songs_came_about_and_how_fast():
    text = text_of(ExtractionTally(3, 1, 0, 2, 3600.0, 12.5), [Failure(Path("/music/x.mp3"), "silent")])
    assert (
        "4 songs in the library: 3 extracted, 1 failed, 0 unchanged, "
        "1 recognised after a move or a change of tags, 2 left for the next run." in text
    )
    assert "\n1:00:00 of audio extracted in 0:12: 288 × real time.\n" in text
    assert re.search(r"\n\nNext: \S+ \S*02_embedding_journey.py --workspace /songs$", text)
    assert "/music/x.mp3" in text
    written = ("embeddings_matrix.npy", "song_table.npz", "song_data.pkl", "manifest.json")
    assert all(f"/songs/data/processed/{name}\n" in text for name in written)
    assert "/songs/outputs/extraction.csv\n /songs/outputs/duplicates.csv\n" in text


def test_a_run_that_extracts_nothing_has_no_rate():
    text = text_of(ExtractionTally(0, 0, 4, 0, 0.0, 0.1))
    assert "\n4 songs in the library: 0 extracted, 0 failed, 4 unchanged.\n" in text
    assert "real time" not in text
    assert "no library was written" in text_of(ExtractionTally(0, 0, 0, 0, 0.0, 0.1), n_songs=0)


def test_it_fits_80_columns(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    failures = [Failure(Path("/music/Some Artist of a long name/Some Album/A Song of many words.mp3"), "silent " * 20)]
    text = text_of(ExtractionTally(3, 1, 0, 2, 3600.0, 12.5), failures)
    assert max(map(len, text.split("\n"))) <= 80
    assert "words.mp3 " in text


def test_duplicates_are_named_by_title():
    library = make_library(2)
    library.songs["title"] = ["Elf Land", "Elf Land (remaster)"]
    groups = [DuplicateGroup(np.array([0, 1]), np.array([1.0, 0.9]))]
    extraction = Extraction(
        library, groups, [], ExtractionTally(2, 0, 0, 0, 1.0, 0.1), LabelSource("folder", "default")
    )
    text = summary(extraction, genre_statistics(library), feature_ranges(library), Workspace(Path("/songs")))
    assert re.search(r" 1 +Elf Land \(remaster\) +1:01 +0.90 +/music/song 001.mp3", text)


def test_only_the_first_failures_are_printed():
    text = text_of(ExtractionTally(0, 0, 4, 0, 0.0, 0.1), [Failure(Path(f"/{n:02d}.mp3"), "silent") for n in range(30)])
    assert "/19.mp3" in text
    assert "/20.mp3" not in text
    assert "all in /songs/outputs/extraction.csv" in text


def test_a_plan_is_one_sentence_of_numbers():
    counts = {"unchanged": 1, "failed_before": 2, "changed_or_moved": 3, "new": 4, "outdated": 0, "without_segments": 0}
    assert plan_text(counts) == (
        "4 new to extract, 3 to check for changes or moves, 1 unchanged, 2 that failed before and have not "
        "changed. Nothing was done."
    )
    again = "4 new to extract, 5 of an older version to decode again for exact tempos, 3 to check"
    assert plan_text(counts | {"outdated": 5}).startswith(again)


@pytest.mark.parametrize(("deviation", "sentence"), [(0.25, "All are within"), (12.0, "Not all are within")])
def test_a_comparison_names_the_largest_deviation(deviation, sentence):
    song = SongDeviation("/music/x.mp3", deviation, "rms_mean", 0.1, 0.2)
    failed = SongDeviation("/music/y.mp3", failure="does not exist")
    text = verification_text(Verification(2, song, (song, failed), deviation <= 1))
    assert f"Largest of 2 songs: {deviation:.3f} × the tolerance, rms_mean of x.mp3. {sentence}" in text
    assert "does not exist" in text


def test_a_comparison_without_songs():
    failed = SongDeviation("/music/y.mp3", failure="does not exist")
    assert "None of 1 song could be compared." in verification_text(Verification(1, None, (failed,), False))


def test_duplicates_are_rows():
    songs = pd.DataFrame({
        "song_name": ["a", "b", "c"], "genre": ["X", "X", "Y"], "duration": [60.0, 61.0, 62.0],
        "file_path": ["/a", "/b", "/c"],
    })  # fmt: skip
    groups = [DuplicateGroup(np.array([0, 2]), np.array([1.0, 1.0]))]
    rows = duplicate_rows(groups, songs)
    assert [(row["group"], row["file_path"], row["similarity"]) for row in rows] == [(1, "/a", 1.0), (1, "/c", 1.0)]
    assert rows[1]["song_name"] == "c"
    assert rows[1]["genre"] == "Y"
    assert rows[1]["duration"] == 62.0
