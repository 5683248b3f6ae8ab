"""Entries of playlists become songs of the library: by path, by tags, by spelling, and never by a guess."""

import numpy as np
import pytest
from libraries import labelled_library

from songmap.communities import matching
from songmap.communities.graph_results import Entry, Playlist
from songmap.communities.matching import match_playlists
from songmap.library.library import Library

TITLES = [
    "Elf Land",
    "Café del Mar",
    "Part 1",
    "Part 2",
    "Elf Land",
    "Same",
    "Same",
    "Stage A",
    "Stage B",
    "Pride - In Two Parts",
]
ARTISTS = [
    "Ann",
    "Bob feat. Cy",
    "Kenta Cho",
    "Kenta Cho",
    "Other",
    "Twin",
    "Twin",
    "Aleksi Aubry-Carlson",
    "Aleksi Aubry-Carlson",
    "U",
]


@pytest.fixture(scope="module")
def library() -> Library:
    made = labelled_library(np.zeros((len(TITLES), 641)), ["HOUSE"] * len(TITLES), ARTISTS)
    made.songs["title"] = TITLES
    made.songs["duplicate_of"] = ""
    return made


def matched(library, *entries: Entry):
    """Rows of one playlist of these entries, and the report."""
    found, report = match_playlists([Playlist("list", None, entries)], library)
    return [] if not len(found) else found.rows[0].tolist(), report


def test_by_path_also_on_another_machine(library):
    other = "C:\\Users\\x\\music\\002.mp3"
    rows, report = matched(library, Entry(("/music/001.mp3",), "wrong", "wrong"), Entry((other,), "", ""))
    assert rows == [1, 2]
    assert (report.by_path, report.by_tags, report.by_spelling, report.n_not_matched) == (2, 0, 0, 0)


def test_a_file_name_is_no_match_where_the_title_is_another(library):
    rows, report = matched(library, Entry(("/elsewhere/music/002.mp3",), "Somebody", "Unrelated Words"))
    assert rows == []
    assert report.n_not_matched == 1


def test_by_path_through_a_link(library, tmp_path):
    songs = library.songs.copy()
    file = tmp_path / "real.mp3"
    file.write_bytes(b"x")
    (tmp_path / "link.mp3").symlink_to(file)
    songs.loc[0, "file_path"] = str(file.resolve())
    rows, _ = matched(Library(library.embeddings, songs), Entry((str(tmp_path / "link.mp3"),), "", ""))
    assert rows == [0]


@pytest.mark.parametrize(
    ("entry", "row"),
    [
        (Entry((), "ANN", "elf land"), 0),
        (Entry((), "bob", "Cafe del Mar"), 1),  # accents and guests aside
        (Entry((), "Bob ft. Dee", "Café del Mar"), 1),
        (Entry((), "", "part 2"), 3),  # a title alone, of one song
        (Entry((), "Ann, Bob", "Elf Land - 2011 Remaster"), 0),
        (Entry((), "Ann;Zoe", "Elf Land (feat. Zoe) (Remastered 2009)"), 0),
        (Entry((), "Elf", "Elf Land - Remastered"), None),
        (Entry((), "Ann", "Elf Land - Remix"), None),  # another recording
        (Entry((), "Pride", "In Two Parts"), 9),  # a title with a dash
        (Entry(("/x/07 - Ann - Elf Land.flac",), "", ""), 0),  # a file's name
        (Entry(("/x/Part_1.flac",), "", ""), 2),
    ],
)
def test_by_tags(library, entry, row):
    rows, report = matched(library, entry)
    assert rows == ([] if row is None else [row])
    assert (report.by_path, report.by_tags, report.by_spelling) == (0, row is not None, 0)


@pytest.mark.parametrize("entry", [Entry((), "", "Elf Land"), Entry((), "Twin", "Same")])
def test_what_names_several_recordings_is_not_guessed(library, entry):
    rows, report = matched(library, entry)
    assert rows == []
    assert (report.n_ambiguous, report.n_not_matched) == (1, 0)


def test_copies_of_a_recording_are_its_first_file(library):
    songs = library.songs.copy()
    songs.loc[6, "duplicate_of"] = songs.loc[5, "file_path"]
    rows, report = matched(
        Library(library.embeddings, songs), Entry((), "Twin", "Same"), Entry(("/music/006.mp3",), "", "")
    )
    assert rows == [5]
    assert (report.by_path, report.by_tags, report.n_matched_songs) == (1, 1, 1)


@pytest.mark.parametrize(
    ("artist", "title", "row"),
    [
        ("Aleksi Aubri-Carlson", "Stage B", 8),
        ("Kenta Choo", "Part 1", 2),
        ("Bob", "Caffé del Maar", 1),
        ("Kenta Cho", "Part 3", None),  # numbers must be equal
        ("Aleksi Aubry-Carlson", "Stage C", None),  # and single letters
        ("Aleksi Aubry-Carlson", "Frantic", None),  # a long name of an artist is not enough
        ("", "Elf Lnad", None),  # nor is a title alone
        ("Nobody", "Unheard", None),
    ],
)
def test_by_spelling(library, artist, title, row):
    rows, report = matched(library, Entry((), artist, title))
    assert rows == ([] if row is None else [row])
    assert report.by_spelling == (row is not None)
    assert report.spelling_cutoff == matching.SPELLING_CUTOFF


def test_the_report_adds_up_and_names_what_did_not_match(library):
    entries = [Entry(("/music/000.mp3",), "", ""), Entry((), "Twin", "Same"), Entry((), "Kenta Choo", "Part 1")]
    entries += [Entry((), "Ann", "Elf Land"), *[Entry((), "X", f"Song {number}") for number in range(30)]]
    found, report = match_playlists(
        [Playlist("a", None, tuple(entries)), Playlist("b", None, tuple(entries[4:]))], library
    )
    assert found.names == ("a",)
    assert found.rows[0].tolist() == [0, 2]  # once each, in playing order
    parts = report.by_path, report.by_tags, report.by_spelling, report.n_ambiguous, report.n_not_matched
    assert parts == (1, 1, 1, 1, 60)
    assert sum(parts) == report.n_entries
    assert (report.n_playlists, report.n_playlists_matched, report.n_matched_songs) == (2, 1, 2)
    assert report.not_matched == tuple(f"X - Song {number}" for number in range(matching.N_LISTED))


def test_too_many_for_spelling_are_counted(library, monkeypatch):
    monkeypatch.setattr(matching, "MAX_COMPARISONS", 2 * len(TITLES))
    _, report = matched(library, *[Entry((), "X", f"Song {number}") for number in range(5)])
    assert (report.n_not_matched, report.n_not_compared) == (5, 3)


def test_a_remaster_that_is_in_the_library_itself_is_that_one(library):
    songs = library.songs.copy()
    songs.loc[[0, 4], ["artist", "title"]] = [["Ann", "Elf Land"], ["Ann", "Elf Land (Remastered 2009)"]]
    own = Library(library.embeddings, songs)
    rows, _ = matched(own, Entry((), "Ann", "Elf Land (Remastered 2009)"), Entry((), "Ann", "Elf Land"))
    assert rows == [4, 0]
    rows, report = matched(own, Entry((), "Ann", "Elf Land - 2011 Remaster"))
    assert (rows, report.n_ambiguous) == ([], 1)
