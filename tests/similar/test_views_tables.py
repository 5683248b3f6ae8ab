"""What 04 prints fits a terminal of 80 columns and 24 lines, with the names of people's tags."""

import numpy as np
import pytest
from libraries import separable_library
from rich.cells import cell_len
from searches import Searches

from songmap.similar.requests import (
    CompareRequest,
    DuplicatesRequest,
    EvaluateRequest,
    GenresRequest,
    HubsRequest,
    InfoRequest,
    ListRequest,
    NextRequest,
    OutliersRequest,
    PathRequest,
    PlaylistRequest,
    SimilarRequest,
    TransitionsRequest,
    WhyRequest,
)  # fmt: skip

TITLES = ("Elf Land", "The Sorcerer's Apprentice, Symphonic Scherzo after a Ballad by Goethe", "夜に駆ける 🎧", "Blu")
ARTISTS = ("Aleksi Aubry-Carlson", "Joseph G. Toscano (Zhaytee) and the Orchestra of Somewhere", "", "Luna")


@pytest.fixture(scope="module")
def searches() -> Searches:
    """Ten genres of six songs, whose files are numbered in folders of an album."""
    library = separable_library(10, 6)
    songs = library.songs
    n_songs = len(songs)
    songs["title"] = [f"{TITLES[row % 4]} {row}" for row in range(n_songs)]
    songs["artist"] = [ARTISTS[row % 4] and f"{ARTISTS[row % 4]} {row // 8}" for row in range(n_songs)]
    songs["genre"] = [f"{genre} AND OTHER MUSIC" for genre in songs["genre"]]
    songs["song_name"] = [f"{row:02d}" for row in range(n_songs)]
    songs["album"] = "The Battle for Wesnoth, Original Soundtrack"
    songs["year"] = 2004.0
    songs["tempo_bpm"] = np.linspace(60, 180, n_songs)
    songs["file_path"] = [f"/music/{ARTISTS[1]}/Album of a long name {row:03d}/02.ogg" for row in range(n_songs)]
    songs.loc[1, "duplicate_of"] = songs.loc[0, "file_path"]
    return Searches(library)


@pytest.mark.parametrize(
    ("request_", "most_lines"),
    [
        (SimilarRequest(("Elf Land 4",)), 16),
        (SimilarRequest(("Elf Land 4", "Blu 7"), ("Elf Land 12",), diversity=0.5), 19),
        (WhyRequest("Elf Land 4", "Elf Land 8"), 23),
        (WhyRequest("Elf Land 4", "Goethe 21"), 23),
        (InfoRequest("Elf Land 4"), 23),
        (CompareRequest("Elf Land 4", "Goethe 21"), 36),
        (ListRequest(), 3 + 60),
        (GenresRequest(), 30),
        (DuplicatesRequest(), 12),
        (OutliersRequest(), 15),
        (HubsRequest(), 16),
        (EvaluateRequest(), 20),
        (PlaylistRequest(("Elf Land 4",), 6), 12),
        (PathRequest("Elf Land 4", "Elf Land 8"), 17),
        (TransitionsRequest(("Elf Land 4", "Elf Land 8", "Goethe 21")), 7),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, int) else None,
)
def test_answers_fit_80_columns(searches, request_, most_lines):
    text = searches.run(request_).text(80)
    lines = text.split("\n")
    assert max(map(cell_len, lines)) <= 80
    assert len(lines) <= most_lines, text


@pytest.mark.parametrize("columns", [80, 120])
def test_verbose_answers_fit_too(searches, columns):
    for one in (
        WhyRequest("Elf Land 4", "Goethe 21"),
        InfoRequest("Elf Land 4"),
        PathRequest("Elf Land 4", "Elf Land 8"),
    ):
        assert max(map(cell_len, searches.run(one).text(columns, verbose=True).split("\n"))) <= columns


def test_columns_are_chosen_by_width(searches):
    shown = searches.run(SimilarRequest(("Elf Land 4",)))
    headings = {
        columns: next(line.split() for line in shown.text(columns).split("\n") if line.startswith(" rank"))
        for columns in (60, 80, 200)
    }
    assert headings[60] == ["rank", "title", "BPM", "key", "similarity"]
    assert headings[80] == ["rank", "title", "artist", "BPM", "key", "similarity"]
    assert headings[200] == ["rank", "title", "artist", "BPM", "key", "similarity", "genre", "duration", "year"]


def test_a_song_is_found_and_named_by_its_title(searches):
    text = searches.run(InfoRequest("elf land 4")).text(80)
    assert "Elf Land 4 – Aleksi Aubry-Carlson 0 [" in text
    assert "\n 04" not in text


def test_why_begins_with_a_sentence_without_numbers(searches):
    first = searches.run(WhyRequest("Elf Land 4", "Elf Land 8")).sentences[0]
    assert first.startswith(("Both ", "A ", "They "))
    assert not any(letter.isdigit() for letter in first)


def test_similarities_have_two_decimals_and_tempos_none(searches):
    _, _, *rows = searches.run(ListRequest()).text(80).split("\n")[1:]
    assert not any("." in row.split("…")[-1] for row in rows if row.rstrip().endswith("MUSIC"))
    result = searches.run(SimilarRequest(("Elf Land 4",)))
    assert f" {result.result.figures['similarity'][0]:.2f}" in result.text(80)


def test_further_songs_have_the_numbers_that_name_them(searches):
    searches.run(SimilarRequest(("Elf Land 4",), number=3))
    further = searches.run(NextRequest(2))
    assert [line.split()[0] for line in further.text(80).split("\n")[-2:]] == ["4", "5"]
    assert searches.session.last[3:] == [song.file_path for song in further.result.songs]


@pytest.mark.parametrize("request_", [GenresRequest(), EvaluateRequest()])
def test_no_word_is_broken_in_a_narrow_terminal(searches, request_):
    shown = searches.run(request_)
    words = {word for word in shown.text(40).split() if "…" not in word and "─" not in word}
    assert words <= set(shown.text(400).split())
