"""The demo's playlists are synthesised, called so, and reproducible."""

import subprocess
import sys

import numpy as np
import pytest
from libraries import make_library

from songmap.core.errors import UsageError
from songmap.core.workspace import REPOSITORY, Workspace
from songmap.demo.playlists import draw_playlists, run
from songmap.library.library import save_library
from songmap.library.m3u8 import read_playlist
from songmap.library.traits import QUALITIES, qualities


def library_of(n_songs: int):
    library = make_library(n_songs)
    library.songs["artist"] = [f"Artist {row % 6}" for row in range(n_songs)]
    library.songs["duplicate_of"] = ""
    return library


def test_most_songs_of_a_mood_are_of_its_third():
    library = library_of(60)
    drawn = draw_playlists(library)
    column = qualities(library.embeddings, np.zeros(60))[:, QUALITIES.index("brightness")]
    for number in (1, 2, 3):
        rows = drawn[f"bright {number}"]
        assert np.mean(column[rows] >= np.percentile(column, 200 / 3)) >= 0.75
        assert 7 <= len(set(rows)) == len(rows) <= 12


def test_most_songs_of_an_artists_playlist_are_of_two_artists():
    library = library_of(60)
    for name, rows in draw_playlists(library).items():
        if name.startswith("artists"):
            _, counts = np.unique(library.songs["artist"].to_numpy()[rows], return_counts=True)
            assert np.sort(counts)[-2:].sum() >= 0.75 * len(rows)


def test_the_same_seed_draws_the_same():
    library = library_of(40)
    assert draw_playlists(library, 1) == draw_playlists(library, 1) != draw_playlists(library, 2)


def test_copies_are_left_out():
    library = library_of(40)
    library.songs.loc[1, "duplicate_of"] = library.songs.loc[0, "file_path"]
    assert all(1 not in rows for rows in draw_playlists(library).values())


def test_a_small_library_is_one_line():
    with pytest.raises(UsageError, match="5 songs: playlists of a demo need 12"):
        draw_playlists(library_of(5))


def test_files_are_called_synthesised_and_read_back(tmp_path, capsys):
    library, workspace = library_of(30), Workspace(tmp_path)
    save_library(workspace, library)
    assert run(workspace, 42) == 0
    assert "synthesised playlists" in capsys.readouterr().out
    files = sorted(workspace.playlists.iterdir())
    drawn = draw_playlists(library, 42)
    assert len(files) == len(drawn)
    assert all(file.name.startswith("synthesised_") for file in files)
    paths = library.songs["file_path"].tolist()
    read = {tuple(read_playlist(file, paths)[0]) for file in files}
    assert read == {tuple(rows) for rows in drawn.values()}


def test_as_a_program_without_a_library(tmp_path):
    command = [sys.executable, "-m", "songmap.demo.playlists", str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, timeout=60)
    assert result.returncode == 2
    assert "run 01_feature_extraction.py first" in result.stderr
    assert "Traceback" not in result.stderr
