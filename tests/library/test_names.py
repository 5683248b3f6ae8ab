"""Names as people type them: exactly one song, or a line that lists what they may have meant."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from songmap.core.errors import QueryError
from songmap.core.text import normalise
from songmap.library.display_names import display_name, display_names, display_titles
from songmap.library.names import MAX_LISTED, Ambiguous, Names, SimilarSpelling, artist_name, find_song
from tests.libraries import make_library


def table(*rows: tuple[str, str, str, str]) -> pd.DataFrame:
    """Songs from (file_path, genre, artist, title); the song's name is the file's stem."""
    return pd.DataFrame(
        {
            "song_name": [path.rsplit("/", 1)[-1].rsplit(".", 1)[0] for path, *_ in rows],
            "file_path": [path for path, *_ in rows],
            "genre": [genre for _, genre, *_ in rows],
            "artist": [artist for *_, artist, _ in rows],
            "title": [title for *_, title in rows],
        }
    )


SONGS = table(
    ("HOUSE/01 cafe.mp3", "HOUSE", "Anna Öberg", "Café del Mar"),
    ("HOUSE/02 night.mp3", "HOUSE", "Björk", "Night"),
    ("TECHNO/intro.mp3", "TECHNO", "", ""),
    ("TRANCE/intro.mp3", "TRANCE", "", ""),
    ("TRANCE/夜に駆ける.mp3", "TRANCE", "", ""),
    ("TRANCE/long ride.mp3", "TRANCE", "X", "The Long Ride Home"),
    ("TRANCE/b/long ride.mp3", "TRANCE", "Y", "Another Ride"),
)


@pytest.mark.parametrize(
    ("query", "row"),
    [
        ("HOUSE/02 night.mp3", 1),
        ("01 CAFE", 0),
        ("02 night.mp3", 1),
        ("cafe del mar", 0),
        ("CAFÉ  del mar", 0),
        ("anna oberg - cafe del mar", 0),
        ("techno/INTRO.mp3", 2),
        ("del mar", 0),
        ("夜に", 4),
        ("bjork", 1),
        ("TRANCE/b/", 6),
        ("trance/intro", 3),
    ],
)
def test_a_name_finds_its_song(query: str, row: int) -> None:
    assert find_song(SONGS, query) == row


@pytest.mark.parametrize(
    "tag", ["Various Artists", "VARIOUS", "V.A.", "va", "V/A", " Various  Artists ", "Sampler", "Unknown Artist",
            "Verschiedene Künstler", "", "Various Artists feat. Ann"],
)  # fmt: skip
def test_a_tag_that_names_no_artist_is_empty(tag: str) -> None:
    assert artist_name(tag) == ""


@pytest.mark.parametrize(
    ("tag", "artist"),
    [
        ("Ann feat. Bo", "ann"), ("Ann ft. Bo & Cy", "ann"), ("ANN FEATURING BO", "ann"), ("Ann (feat. Bo)", "ann"),
        ("Änn [ft Bo]", "ann"), ("Ann ft.Bo", "ann"), ("Simon & Garfunkel", "simon & garfunkel"),
        ("Earth, Wind & Fire", "earth, wind & fire"), ("Little Feat", "little feat"), ("Ann vs. Bo", "ann vs. bo"),
        ("Little Feat & Friends", "little feat & friends"), ("Daft Punk", "daft punk"), ("Feat. Bo", "feat. bo"),
        ("Vanessa Various", "vanessa various"), ("Defeat X", "defeat x"),
    ],
)  # fmt: skip
def test_an_artist_is_named_without_guests(tag: str, artist: str) -> None:
    assert artist_name(tag) == artist


def test_an_exact_name_wins_over_longer_names_that_contain_it() -> None:
    songs = table(("A/night.mp3", "A", "", ""), ("A/night drive.mp3", "A", "", ""), ("night/x.mp3", "A", "", ""))
    assert find_song(songs, "Night") == 0


def test_several_songs_are_listed_with_genres() -> None:
    with pytest.raises(QueryError, match=r"2 songs match 'intro': intro \[TECHNO\], intro \[TRANCE\]; give more"):
        find_song(SONGS, "intro")


def test_equal_names_in_one_genre_are_told_apart_by_path() -> None:
    songs = table(("TRANCE/ride.mp3", "TRANCE", "X", "Ride"), ("TRANCE/b/02.mp3", "TRANCE", "X", "Ride"))
    with pytest.raises(QueryError, match=r"Ride – X \[TRANCE\] \(TRANCE/ride.mp3\), .* \(TRANCE/b/02.mp3\)"):
        find_song(songs, "ride")


def test_songs_are_listed_by_title_and_artist() -> None:
    with pytest.raises(QueryError, match=r"The Long Ride Home – X \[TRANCE\], Another Ride – Y \[TRANCE\];"):
        find_song(SONGS, "long ride")


def test_a_path_from_the_list_can_be_given_back() -> None:
    for row, path in enumerate(SONGS["file_path"]):
        assert find_song(SONGS, path) == row


def test_long_lists_are_cut_and_counted() -> None:
    songs = table(*((f"A/take {number:02d}.mp3", "A", "", "") for number in range(25)))
    with pytest.raises(QueryError, match=f"25 songs match.* and {25 - MAX_LISTED} more") as caught:
        find_song(songs, "take")
    assert str(caught.value).count("[A]") == MAX_LISTED
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("query", "row"), [("cafe dle mar", 0), ("The Lomg Ride Hom", 5), ("nigth", 1), ("Ana Oberg - Cafe del Ma", 0)]
)
def test_a_similar_spelling_is_named_and_never_taken(query: str, row: int) -> None:
    with pytest.raises(
        SimilarSpelling, match=r"no song is called .*; did you mean .*\? Give the name as it is"
    ) as caught:
        find_song(SONGS, query)
    assert caught.value.rows == [row]
    assert caught.value.query == query


def test_equally_similar_spellings_are_all_named() -> None:
    songs = table(("A/wonder a.mp3", "A", "", ""), ("A/wonder b.mp3", "A", "", ""), ("A/quiet.mp3", "A", "", ""))
    with pytest.raises(SimilarSpelling, match="did you mean wonder a") as caught:
        find_song(songs, "wonderr")
    assert caught.value.rows == [0, 1]


@pytest.mark.parametrize(
    "query",
    [
        "zzzz qqqq",
        "no such song (((",  # has letters of a short name in it
        "the night of the long knives and others",  # holds a name, of which it is not most
        "Anna",
    ],
)
def test_what_is_not_most_of_a_name_is_not_offered(query: str) -> None:
    songs = table(("A/no.mp3", "A", "Marco Fiamma", "Perché No"), ("A/night.mp3", "A", "Björk", "Night"))
    with pytest.raises(QueryError) as caught:
        find_song(songs, query)
    assert type(caught.value) is QueryError
    assert str(caught.value) == f"no song is called {query!r}"


@given(query=st.text(min_size=1, max_size=12), title=st.text(min_size=1, max_size=12))
@settings(max_examples=100, deadline=None)
def test_a_similar_spelling_has_most_letters_of_query_and_name(query: str, title: str) -> None:
    songs = table(("A/\u3042.mp3", "A", "", title))
    try:
        find_song(songs, query)
    except SimilarSpelling:
        shorter, longer = sorted((len(normalise(query)), len(normalise(title))))
        assert shorter >= 0.6 * longer  # at most `shorter` letters can be in common
    except QueryError:
        pass


@pytest.mark.parametrize("query", ["", "   ", "\u0301"])
def test_an_empty_name_is_refused(query: str) -> None:
    with pytest.raises(QueryError, match="the name is empty"):
        find_song(SONGS, query)


def test_an_empty_library_is_one_line() -> None:
    with pytest.raises(QueryError, match="no song is called 'x'"):
        find_song(table(), "x")


def test_voiced_kana_stay_apart_while_accents_go() -> None:
    assert normalise("Ça Va  É") == "ca va e"
    assert normalise("が") != normalise("か")
    assert normalise("한글") == "한글"


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("Don't Stop", "Don’t Stop"),
        ('7" mix', "7” mix"),
        ("Anna - Night", "Anna – Night"),
        ("MO", "MØ"),
        ("Love ❤", "Love ❤️"),
        ("Ægir", "AEGIR"),
        ("strasse", "Straße"),
    ],
)
def test_signs_that_no_keyboard_has_are_typed_plainly(typed: str, written: str) -> None:
    assert normalise(typed) == normalise(written)


def test_an_ambiguous_name_says_which_rows_it_means() -> None:
    with pytest.raises(Ambiguous) as caught:
        find_song(SONGS, "intro")
    assert caught.value.rows == [2, 3]


@pytest.mark.parametrize("name", ["a[b]c", "a|b", 'He said "hi"', "It's", "🎧 night", "x.*y", "(live)", "1", "\\"])
def test_signs_in_names_mean_themselves(name: str) -> None:
    songs = table(("A/axbxc.mp3", "A", "", ""), (f"A/take {name} two.mp3", "A", "", ""), ("B/other.mp3", "B", "", ""))
    assert find_song(songs, name) == 1
    assert find_song(songs, f"take {name} two") == 1


TEXTS = st.lists(st.text("aB é\n.-", max_size=4), min_size=1, max_size=12)


@given(names=TEXTS, artists=TEXTS, query=st.text("aB é.-", min_size=1, max_size=3))
@settings(max_examples=150, deadline=None)
def test_the_search_in_one_text_is_the_search_in_each_name(names: list[str], artists: list[str], query: str) -> None:
    """Equal or holding names, row by row, as the definition says."""
    rows = [(f"G/{row}x", "G", artist, name) for row, (name, artist) in enumerate(zip(names, artists, strict=False))]
    songs = table(*rows)
    wanted = normalise(query)
    own = [
        {
            normalise(text)
            for text in (song_name, title, *((f"{artist} - {title}", f"{title} - {artist}") if artist else ()))
        }
        for song_name, artist, title in zip(songs["song_name"], songs["artist"], display_titles(songs), strict=True)
    ]
    equal = [row for row, texts in enumerate(own) if wanted in texts]
    holding = [row for row, texts in enumerate(own) if any(wanted in text for text in texts)]
    expected = equal or holding
    try:
        found = [Names(songs).find(query)]
    except Ambiguous as error:
        found = sorted(error.rows)
    except QueryError:
        found = []
    if expected and wanted:
        assert found == expected


def test_a_displayed_name_finds_its_song() -> None:
    songs = table(
        ("Kenta Cho - gunroar_gr1.hq.ogg", "TECHNO", "Kenta Cho", ""), ("A/02.ogg", "ROCK", "Aleksi", "Elf Land")
    )
    assert display_names(songs) == ["gunroar gr1 – Kenta Cho", "Elf Land – Aleksi"]
    assert display_name("ÁNN – Blue", "Ann") == "Blue – Ann"  # whatever case, accents and dash
    assert display_titles(songs) == ["gunroar gr1", "Elf Land"]
    assert [find_song(songs, name) for name in [*display_names(songs), *display_titles(songs)]] == [0, 1, 0, 1]


def test_numbers_need_no_leading_zeros_nor_words_the_signs_between_them():
    songs = make_library(5, names=["blues.00001", "blues.00010", "hop - 07 x", "track_07", "Seven (7)"]).songs
    names = Names(songs)
    expected = {
        "blues 1": "blues.00001", "Blues 10": "blues.00010", "blues-00010": "blues.00010",
        "hop 7": "hop - 07 x", "track 7": "track_07", "seven 007": "Seven (7)",
    }  # fmt: skip
    assert {query: songs["song_name"][names.find(query)] for query in expected} == expected
    with pytest.raises(Ambiguous):
        names.find("07")
    with pytest.raises(QueryError):
        names.find("blues 0")  # words and numbers are whole


def test_grades_of_names():
    names = Names(make_library(3, names=["Night", "Night Drive", "Night Falls"]).songs)
    queries = ("night", "/music/Night.mp3", "drive", "night-falls", "night ", "igh", "zzz", "")
    assert [names.grade(query) for query in queries] == [3, 3, 2, 2, 3, 1, 0, 0]
