"""How commands are written: options between names, several songs, songs to steer away from, quotes; one-line refusals."""

import argparse
import re
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from songmap.core.errors import QueryError, UsageError
from songmap.similar import requests
from songmap.similar.requests import COMPATIBLE, Filters, Setting, renamed
from songmap.similar.terminal.commands import COMMANDS, HELP, SETTING, Command, command_of
from songmap.similar.terminal.completion import SongCompleter
from songmap.similar.terminal.prompt import line_parser
from songmap.similar.terminal.words import (
    UNLIKE,
    SeveralReadings,
    no_song,
    songs_and_away,
    split_pair,
    split_songs,
    split_steering,
    split_words,
)  # fmt: skip

SONGS = ["Ann - Night Drive", "Night Falls", 'He said "hi"', "a + b", "Élan", "Don't Stop", "x -y", "plain"]
GENRES = ["HOUSE", "HOUSE", "TRANCE", "TRANCE", "DRUM AND BASS", "HOUSE", "HOUSE", "HOUSE"]

TABLE = pd.DataFrame({"song_name": SONGS, "genre": GENRES, "artist": "", "title": ""})
TABLE.loc[len(TABLE)] = ("02", "JAZZ", "Aleksi", "Elf Land")
TABLE.loc[len(TABLE)] = ("03", "JAZZ", "Aleksi", "Frantic")
TABLE.loc[len(TABLE)] = ("04", "JAZZ", "Stephen", "Frantic")


def parse(line: str) -> argparse.Namespace:
    return line_parser()[0].parse_args(split_words(line))


def command(line: str) -> Command:
    return command_of(SETTING | vars(parse(line)))


def names(line: str) -> tuple[list[str], list[str]]:
    """Names of songs, a genre or a file that a request holds, and of songs to steer away from."""
    request = command(line).request
    one = [getattr(request, name) for name in ("song", "first", "second", "name", "file") if hasattr(request, name)]
    return [name for name in [*getattr(request, "songs", ()), *one] if name], list(getattr(request, "away", ()))


# --- words


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("similar Night Drive -n 5", ["similar", "Night", "Drive", "-n", "5"]),
        ("similar \"Night Drive\" 'a b'", ["similar", "Night Drive", "a b"]),
        ("similar Don't Stop vs Can't Go", ["similar", "Don't", "Stop", "vs", "Can't", "Go"]),
        ("""compare "It's" 'Don't Stop'""", ["compare", "It's", "Don't Stop"]),
        ("similar 'Til Dawn", ["similar", "'Til", "Dawn"]),
        ('similar "Night Drive', ["similar", '"Night', "Drive"]),
        (r'similar "He said \"hi\""', ["similar", 'He said "hi"']),
        ('similar -"Thunder Storm"', ["similar", "-Thunder Storm"]),
        ("similar #1 hit|[x]", ["similar", "#1", "hit|[x]"]),
        ("  \n", []),
    ],
)
def test_words_of_a_line(line, words):
    assert split_words(line) == words


@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Co", "Cc"]), min_size=1), min_size=1, max_size=3))
def test_double_quotes_carry_any_name(names):
    quoted = ['"' + re.sub(r'(["\\])', r"\\\1", name) + '"' for name in names]
    assert split_words(" ".join(quoted)) == names


# --- names


@pytest.mark.parametrize(
    ("line", "songs", "away"),
    [
        ("similar Aurora", ["Aurora"], []),
        ("similar Aurora + Borealis -Thunder Storm -n 5", ["Aurora", "Borealis"], ["Thunder Storm"]),
        (
            "similar -n 5 Aurora -Thunder Storm -Rain + Borealis Two",
            ["Aurora", "Borealis Two"],
            ["Thunder Storm", "Rain"],
        ),
        ('similar Aurora -"Thunder Storm" -n5', ["Aurora"], ["Thunder Storm"]),
        ("similar Ann - Night Drive", ["Ann - Night Drive"], []),
        ("similar 2 + 3 -5", ["2", "3"], ["5"]),
        ("similar Aurora -nothing else", ["Aurora"], ["nothing else"]),  # not -n
        ("similar Aurora -hello", ["Aurora"], ["hello"]),  # not -h
        ('similar "a + b" + c', ["a + b", "c"], []),
        ("similar a+b x-y", ["a+b x-y"], []),
        ("similar -Rain + Aurora", ["Aurora"], ["Rain"]),
        ("similar Aurora --unlike Elf Land --unlike -Rain -n 5 --bpm 120", ["Aurora"], ["Elf Land", "-Rain"]),
        ("similar Aurora --unlike=Elf Land + Borealis", ["Aurora", "Borealis"], ["Elf Land"]),
        ("diverse -n 3 -Rain -- -Aurora --n", ["-Aurora --n"], ["Rain"]),
        ("info -- -Aurora", ["-Aurora"], []),
        ("diverse Aurora --diversity 0.3 + Borealis -Rain --json", ["Aurora", "Borealis"], ["Rain"]),
        ("playlist A B + C -n 9 + D", ["A B", "C", "D"], []),
        ("transitions A + B + A", ["A", "B", "A"], []),
        ("compare Night Drive vs Elf Land", ["Night Drive", "Elf Land"], []),
        ("why 1 vs 2", ["1", "2"], []),
        ('path "A to B" C', ["A to B", "C"], []),
        ("path A to B -n 5", ["A", "B"], []),
        ("info Ann - Night Drive", ["Ann - Night Drive"], []),
        ("list drum and bass", ["drum and bass"], []),
        ("list", [], []),
    ],
)
def test_names_of_a_line(line, songs, away):
    assert names(line) == (songs, away)


def test_options_can_be_anywhere_and_keep_their_values():
    request = parse(
        "similar Night --genre HOUSE -n 5 Drive --genre 'DRUM AND BASS' -Rain --bpm=120-128 --max-per 3 Storm "
        "--weights timbre=2,rhythm=0.5 --space scaled --csv"
    )
    assert request.words == ["Night", "Drive", "-Rain", "Storm"]
    assert (request.genres, request.number, request.bpm) == (["HOUSE", "DRUM AND BASS"], 5, (120, 128))
    assert (request.max_per_artist, request.weights) == (3, (("timbre", 2), ("rhythm", 0.5)))
    assert (request.space, request.form) == ("scaled", "spreadsheet")


@given(st.lists(st.sampled_from(["A", "B", "+", "-", "-C", "vs", '"'])))
def test_whatever_words_follow_similar_no_name_is_lost(words):
    try:
        songs, away = split_steering(words)
    except QueryError:
        assert words[:1] in ([], ["+"], ["-C"])
        return
    parts = " ".join([*songs, *away]).split()
    assert sorted(parts) == sorted(word.removeprefix("-") if word == "-C" else word for word in words if word != "+")


def test_names_are_joined_by_a_plus_that_is_a_word():
    assert split_songs(["A+B", "+", "C", "D", "+", "+", "E"]) == ("A+B", "C D", "E")


@pytest.mark.parametrize(
    ("words", "pair"),
    [
        (["A", "B"], ("A", "B")),
        (["Night", "Drive", "vs", "Elf", "Land"], ("Night Drive", "Elf Land")),
        (["Us vs Them", "B"], ("Us vs Them", "B")),
        (["Us vs Them", "vs", "B"], ("Us vs Them", "B")),
    ],
)
def test_two_songs(words, pair):
    assert split_pair(words, "vs") == pair


@pytest.mark.parametrize("words", [["A"], ["A", "B", "C"], ["A", "vs"], ["vs", "B"], ["A", "vs", "B", "vs", "C"]])
def test_not_two_songs(words):
    with pytest.raises(QueryError, match=r"two songs are needed, .*; write A vs B"):
        split_pair(words, "vs")


def graded(*songs: str):
    """A grade: names are whole (3) or a part of one (2) or several (1) of ``songs``."""

    def grade(name: str) -> int:
        holding = [song for song in songs if name.lower() in song.lower()]
        return 3 if name in songs else 2 if len(holding) == 1 else min(len(holding), 1)

    return grade


@pytest.mark.parametrize(
    ("line", "pair"),
    [
        ("path Return to Wesnoth to Elf Land", ("Return to Wesnoth", "Elf Land")),
        ("path Elf Land to Return to Wesnoth", ("Elf Land", "Return to Wesnoth")),
        ("path wesnoth elf land", ("wesnoth", "elf land")),  # no word between them
        ("why Us vs Them vs Elf Land", ("Us vs Them", "Elf Land")),
        ("compare elf vs us vs th", ("elf", "us vs th")),
        ("why elf land to us vs them", ("elf land", "us vs them")),  # the word of another command
        ("compare Return to Wesnoth vs elf", ("Return to Wesnoth", "elf")),
        ("path elf vs wesnoth", ("elf", "wesnoth")),
        ("why Retrun to Wesnoth vs elf", ("Retrun to Wesnoth", "elf")),  # of no song
    ],
)
def test_a_name_can_hold_the_word_between_two(line, pair):
    grade = graded("Return to Wesnoth", "Elf Land", "Us vs Them")
    request = command_of(SETTING | vars(parse(line)), grade).request
    assert (request.first, request.second) == pair


@pytest.mark.parametrize(
    ("line", "songs", "away"),
    [
        ("similar Sun + Moon + Elf Land", ("Sun + Moon", "Elf Land"), ()),
        ("similar Elf Land -Sun + Moon", ("Elf Land",), ("Sun + Moon",)),
        ("similar Elf + Return", ("Elf", "Return"), ()),
        ("similar no song + Elf Land", ("no song", "Elf Land"), ()),
    ],
)
def test_a_name_can_hold_a_plus(line, songs, away):
    grade = graded("Return to Wesnoth", "Elf Land", "Sun + Moon")
    request = command_of(SETTING | vars(parse(line)), grade).request
    assert (request.songs, request.away) == (songs, away)


def test_several_readings_are_listed_and_each_is_read_as_it_is():
    words = split_words("path A to B to C")
    with pytest.raises(SeveralReadings, match='can be read as "A" "B to C" or as "A to B" "C"; put names') as caught:
        split_pair(words[1:], "to", graded("A", "B to C", "A to B", "C"))
    assert [split_pair(one, "to") for one in caught.value.readings] == [("A", "B to C"), ("A to B", "C")]
    with pytest.raises(SeveralReadings) as caught:
        songs_and_away(["A", "+", "-B", UNLIKE, "C", "+", "D"], graded("A", "B", "C", "D", "C + D"))
    assert [songs_and_away(one, no_song) for one in caught.value.readings] == [
        (("A", "D"), ("B", "C")),
        (("A",), ("B", "C + D")),
    ]


# --- refusals


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("simlar x", "no 'simlar'; did you mean similar?"),
        ("zzz", "no 'zzz'; choose from similar, diverse, compare, why, info, find, list, next, genres"),
        ("similar", "required: SONG"),
        ("similar x -n 0", "0 is out of range, give at least 1"),
        ("similar x -n many", "'many' is not a whole number, give at least 1"),
        ("similar x -json", "no option -json; did you mean --json?"),
        ("similar x --jsn", "unrecognized arguments: --jsn"),
        ("similar x --json --csv", "not allowed with argument --json"),
        ("similar x --bpm 128-120", "lower first"),
        ("similar x --bpm fast", "is not a BPM range, e.g. 120-128"),
        ("similar x --key H", "'H' is not a key, e.g. 8A"),
        ("similar x --year 90s", "is not a year range"),
        ("similar x --max-per-artist 0", "0 is out of range, give at least 1"),
        ("similar x --weights bass=2", "no family 'bass'; there are timbre"),
        ("similar x --space cubic", "no 'cubic'; choose from balanced, scaled"),
        ("similar x --genre", "--genre: expected one argument"),
        ("diverse x --diversity 1.5", "1.5 is out of range, give 0 to 1"),
        ("playlist x -Rain", "unrecognized arguments: -Rain"),
        ("compare A vs B -json", "no option -json; did you mean --json?"),
        ("neighbours --k 0 --out a.npz", "0 is out of range, give at least 1"),
        ("neighbours", "required: --out"),
        ("similar x --m3u8 song.mp3", "song.mp3 does not end in .m3u8 or .m3u"),
        ("neighbours --out a.txt", "a.txt does not end in .npz or .csv or .parquet"),
        ("playlist x --start-bpm 10", "10 is out of range, give 20 to 400"),
        ("genres x", "unrecognized arguments: x"),
    ],
)
def test_bad_lines_are_errors_like_any_other(line, message):
    with pytest.raises(UsageError) as caught:
        parse(line)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("line", "request_of_it"),
    [
        (
            "similar A + B -C --genre X --bpm 120-128 --key compatible --year 1994 --copies",
            requests.SimilarRequest(
                ("A", "B"), ("C",), 10, Filters(("X",), False, (120, 128), COMPATIBLE, (1994, 1994), 2, True)
            ),
        ),
        ("diverse A --diversity 0.3 -n 4", requests.SimilarRequest(("A",), (), 4, diversity=0.3)),
        ("compare A vs B", requests.CompareRequest("A", "B")),
        ("why A vs B", requests.WhyRequest("A", "B")),
        ("info A B", requests.InfoRequest("A B")),
        ("list", requests.ListRequest()),
        ("genres", requests.GenresRequest()),
        ("duplicates", requests.DuplicatesRequest()),
        ("outliers -n 3", requests.OutliersRequest(3)),
        ("hubs", requests.HubsRequest(10)),
        ("evaluate", requests.EvaluateRequest()),
        ("neighbours --k 3 --out a.npz", requests.NeighboursRequest(Path("a.npz"), 3)),
        ("playlist A + B --start-bpm 90", requests.PlaylistRequest(("A", "B"), 25, Filters(), 90, None)),
        ("radio A --seed 3", requests.RadioRequest("A", None, 3)),
        ("path A to B", requests.PathRequest("A", "B", 12)),
        ("order a b.m3u8", requests.OrderRequest("a b.m3u8")),
        ("transitions A + B", requests.TransitionsRequest(("A", "B"))),
        ("play A --player mpv", requests.PlayRequest("A", "mpv")),
        ("stop", requests.StopRequest()),
        ("find elf land -n 5", requests.FindRequest(("elf", "land"), 5)),
        ("list Ann Lee -n 3", requests.ListRequest("Ann Lee", 3)),
        ("next -n 4", requests.NextRequest(4)),
        ("next", requests.NextRequest()),
        (
            "playlist A --for dj --bpm 120",
            requests.PlaylistRequest(("A",), filters=Filters(bpm=(120, 120)), purpose="dj"),
        ),
        ("radio A --genre X --player mpv", requests.RadioRequest("A", filters=Filters(("X",)), player="mpv")),
        ("path A to B --key 8A", requests.PathRequest("A", "B", filters=Filters(key="8A"))),
    ],
)
def test_each_command_becomes_a_request(line, request_of_it):
    assert command(line) == Command(request_of_it, Setting())


def test_setting_and_output_of_a_command():
    one = command("why A vs B --space scaled --weights mel=2 --correct-hubs --json --picture a.png")
    assert one.setting == Setting("scaled", (("mel", 2),), True)
    assert (one.form, one.m3u8, one.picture) == ("json", None, Path("a.png"))
    assert command("list --csv --m3u8 a.m3u8") == Command(
        requests.ListRequest(), Setting(), "spreadsheet", Path("a.m3u8")
    )


def test_a_name_is_replaced_wherever_a_request_has_it():
    request = requests.SimilarRequest(("A", "B"), ("A",), filters=Filters(genres=("A",)))
    assert renamed(request, "A", "/a") == requests.SimilarRequest(("/a", "B"), ("/a",), filters=Filters(genres=("A",)))
    assert renamed(requests.PlayRequest("A", "A"), "A", "/a") == requests.PlayRequest("/a", "A")
    assert renamed(requests.PathRequest("A", "B"), "B", "/b") == requests.PathRequest("A", "/b")


def test_only_songs_to_steer_away_from_are_refused():
    with pytest.raises(QueryError, match="a song is needed before those to steer away from"):
        names("similar -Rain")


def test_the_help_lists_every_command():
    commands = set(line_parser()[1]) - {"help", "quit", "exit"}
    assert set(re.findall(r"^\w+", COMMANDS, re.MULTILINE)) == commands
    assert max(map(len, HELP.splitlines())) <= 80


# --- completion


def offered(line: str) -> list[str]:
    """Lines that completing makes of one."""
    completer = SongCompleter(line_parser()[1], TABLE)
    document = Document(line)
    return [
        line[: len(line) + found.start_position] + found.text
        for found in completer.get_completions(document, CompleteEvent())
    ]


@pytest.mark.parametrize(
    ("line", "lines"),
    [
        ("gen", ["genres"]),
        ("help tr", ["help transitions"]),
        ("similar night d", ["similar Ann - Night Drive"]),
        ("similar NIGHT", ["similar Night Falls", "similar Ann - Night Drive"]),
        ("similar elan", ["similar Élan"]),
        ("similar Élan + night f", ["similar Élan + Night Falls"]),
        ("similar Élan -night f", ["similar Élan -Night Falls"]),
        ('similar Élan -"night f', ['similar Élan -"Night Falls"']),
        ("similar Élan -n 5 + pla", ["similar Élan -n 5 + plain"]),
        ("similar said", [r'similar "He said \"hi\""']),
        ("similar a +", ['similar "a + b"']),
        ("similar don", ['similar "Don\'t Stop"']),
        ("similar x -", ['similar "x -y"']),
        ("similar elf", ["similar Elf Land"]),
        ("similar aleksi", ["similar Elf Land", "similar Frantic – Aleksi"]),
        ("similar frant", ["similar Frantic – Aleksi", "similar Frantic – Stephen"]),
        ("similar 02", ["similar Elf Land"]),
        ("compare night f", ['compare "Night Falls"']),
        ('compare "Night Falls" pla', ['compare "Night Falls" plain']),
        ("compare Night Falls vs pla", ["compare Night Falls vs plain"]),
        ("path plain to night f", ['path plain to "Night Falls"']),
        ("list drum", ["list DRUM AND BASS"]),
        ("similar plain --same", ["similar plain --same-genre"]),
        ("similar plain --genre TR", ["similar plain --genre TRANCE"]),
        ("similar plain --genre dr", ["similar plain --genre DRUM AND BASS"]),
        ("similar plain --space s", ["similar plain --space scaled"]),
        ("similar plain -n 5", []),
        ("order no such file", []),
        ("genres ", []),
        ("nothing at all", []),
    ],
)
def test_completions(line, lines):
    assert offered(line) == lines


@pytest.mark.parametrize("name", SONGS)
def test_a_completed_name_is_read_as_it_is(name):
    assert names(offered(f"similar {name[:3]}")[0] + " -n 3")[0] == [name]


def test_files_are_completed_where_a_file_can_be(tmp_path):
    (tmp_path / "list.m3u8").touch()
    for line in (f"order {tmp_path}/li", f"similar {tmp_path}/li", f"similar plain --m3u8 {tmp_path}/li"):
        (completed,) = offered(line)
        assert completed.endswith(f"{tmp_path}/list.m3u8")
