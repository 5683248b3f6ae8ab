"""Answers, the commands as people type them, the script, and its prompt in a real terminal."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from songmap.core.artifacts import Library, save_library, song_table
from songmap.core.config import REPOSITORY, AudioConfig, Workspace
from songmap.core.errors import AudioError, QueryError, UsageError
from songmap.core.nearest import build_space, most_similar
from songmap.core.schema import COLUMNS, FAMILIES
from songmap.similar import prompt
from songmap.similar.answers import Answers
from tests.libraries import labelled_library, make_library, separable_library
from tests.signals import RATE_HZ, music

SCRIPT = REPOSITORY / "04_similarity_search.py"
ODD_NAMES = ['He said "hi"', "It's [bold]", "a|b", "night drive", "夜に駆ける 🎧", "x" * 120]
RECORD_KEYS = {"rank", "song_name", "artist", "genre", "similarity", "tempo_bpm", "duration", "file_path"}


@pytest.fixture(scope="module")
def library() -> Library:
    return make_library(12, names=[*ODD_NAMES, *(f"track {index:02d}" for index in range(6))])


@pytest.fixture(scope="module")
def answers(library) -> Answers:
    return Answers(library)


@pytest.fixture(scope="module")
def workspace(library, tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("workspace")
    save_library(Workspace(root), library, AudioConfig())
    return root


def run_script(*arguments: object, text: str = "") -> subprocess.CompletedProcess:
    command = [sys.executable, str(SCRIPT), *map(str, arguments)]
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=120, cwd=REPOSITORY)


# --- answers


def test_similar_is_what_the_search_finds(library, answers):
    records = answers.similar("night drive", 4).records
    row = library.songs["song_name"].tolist().index("night drive")
    units = build_space(library.embeddings).units(library.embeddings)
    rows, similarities = most_similar(units, units[row], 4, [row])
    assert [record["file_path"] for record in records] == library.songs["file_path"].iloc[rows].tolist()
    assert [record["similarity"] for record in records] == similarities.tolist()
    assert [record["rank"] for record in records] == [1, 2, 3, 4]
    assert set(records[0]) >= RECORD_KEYS
    assert {record["query_file_path"] for record in records} == {"/music/night drive.mp3"}


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_are_found_and_shown_whole(answers, name):
    assert answers.similar(name, 1).records[0]["query_file_path"] == f"/music/{name}.mp3"
    shown = answers.similar("track 00", 99).text(as_json=False)
    assert name in shown
    assert "similarity" in shown


def test_more_songs_than_there_are_gives_all_others(library, answers):
    for answer in (answers.similar("a|b", 99), answers.diverse("a|b", 99, 0.5)):
        assert len({record["file_path"] for record in answer.records}) == len(library) - 1


def test_copies_of_a_recording_are_left_out_unless_asked_for():
    library = make_library(8)
    for copy, first in ((2, 1), (4, 3), (5, 3)):
        library.embeddings[copy] = library.embeddings[first]
        library.songs.loc[copy, "duplicate_of"] = library.songs["file_path"][first]
    answers = Answers(library)

    def listed(answer) -> list[int]:
        return sorted(library.songs["file_path"].tolist().index(record["file_path"]) for record in answer.records)

    for query in ("song 001", "song 002"):
        for answer in (answers.similar(query, 99), answers.diverse(query, 99, 0.5)):
            assert listed(answer) == [0, 3, 6, 7]
            assert "3 copies of these left out (--copies lists them)" in answer.text(as_json=False)
    alone = answers.similar("song 001", 1)
    assert "left out" in alone.text(as_json=False)
    everything = answers.similar("song 001", 99, copies=True)
    assert listed(everything) == [0, 2, 3, 4, 5, 6, 7]
    assert "left out" not in everything.text(as_json=False)
    assert "left out" not in answers.similar("song 000", 1, copies=True).text(as_json=False)


def test_equal_names_in_two_folders_need_a_path():
    records = [
        {"song_name": "intro", "file_path": f"/music/{genre}/intro.mp3", "genre": genre, "duration": 1.0, "artist": "",
         "title": "", "album": "", "year": float("nan"), "key": "", "tempo_bpm": 0.0}
        for genre in ("A", "B", "C")
    ]  # fmt: skip
    embeddings = make_library(3).embeddings
    answers = Answers(Library(embeddings, song_table(records)))
    with pytest.raises(QueryError, match=r"'intro' means 3 songs: intro \[A\]"):
        answers.similar("intro", 1)
    assert {record["file_path"] for record in answers.similar("B/intro", 9).records} == {
        "/music/A/intro.mp3",
        "/music/C/intro.mp3",
    }


def test_compare_splits_the_similarity_and_gives_facts(library, answers):
    first, second = answers.compare("night drive", "a|b").records
    assert first["similarity"] == second["similarity"]
    assert sum(first["contributions"].values()) == first["similarity"]
    assert tuple(first["contributions"]) == FAMILIES
    row = library.songs["song_name"].tolist().index("a|b")
    assert second["facts"]["centroid_mean"] == library.embeddings[row, COLUMNS.index("centroid_mean")]
    listed = {record["file_path"]: record["similarity"] for record in answers.similar("night drive", 99).records}
    assert first["similarity"] == pytest.approx(listed["/music/a|b.mp3"], abs=1e-7)
    shown = answers.compare("night drive", "a|b").text(as_json=False)
    assert f"Similarity {first['similarity']:.3f}" in shown
    assert "A: night drive [" in shown
    assert "centroid_mean" in shown


def test_genres_of_separate_clouds_are_close_within():
    answer = Answers(separable_library(3, 6)).genres()
    for record in answer.records:
        assert record["songs"] == 6
        assert record["within"] > 0.2 > record["nearest_similarity"] >= record["to_others"]
        assert record["between"][record["nearest_genre"]] == max(record["between"].values())
    assert len(answer.tables) == 2
    assert len(Answers(separable_library(13, 2)).genres().tables) == 1


def test_one_genre_has_no_others():
    record = json.loads(Answers(labelled_library(make_library(3).embeddings, ["A"] * 3)).genres().text(as_json=True))[0]
    assert (record["nearest_genre"], record["nearest_similarity"], record["to_others"]) == (None, None, None)
    assert record["within"] < 0


def test_list_by_genre(library, answers):
    assert len(answers.listing().records) == len(library)
    house = answers.listing("house").records
    assert {record["genre"] for record in house} == {"HOUSE"}
    assert len(house) == (library.genres == "HOUSE").sum()
    with pytest.raises(QueryError, match="no genre 'POLKA'; there are HOUSE, TRANCE"):
        answers.listing("POLKA")


def test_libraries_too_small_to_compare():
    with pytest.raises(QueryError, match="holds no song"):
        Answers(make_library(0))
    one = Answers(make_library(1))
    assert len(one.listing().records) == 1
    for ask in (
        lambda: one.similar("song", 1),
        lambda: one.diverse("song", 1, 0.5),
        lambda: one.compare("song", "song"),
        one.genres,
    ):
        with pytest.raises(QueryError, match="no other song to compare"):
            ask()


def test_constant_columns_and_identical_songs_are_answered():
    library = make_library(4)
    same = Library(np.repeat(library.embeddings[:1], 4, axis=0), library.songs)
    assert [record["similarity"] for record in Answers(same).similar("song 001", 9).records] == [0, 0, 0]


def test_a_file_outside_the_library_is_heard(tmp_path, answers):
    outside = tmp_path / "new song.wav"
    soundfile.write(outside, music(4.0), RATE_HZ)
    records = answers.similar(str(outside), 3).records
    assert len(records) == 3
    assert records[0]["query_file_path"] == str(outside)
    first = answers.compare(str(outside), str(outside)).records[0]
    assert 1 - 1e-6 < first["similarity"] <= 1
    assert first["genre"] == "UNKNOWN"
    broken = tmp_path / "broken.mp3"
    broken.write_text("no audio")
    with pytest.raises(AudioError, match=r"broken\.mp3"):
        answers.similar(str(broken), 1)


def test_a_file_of_the_library_is_known_by_its_path(tmp_path, monkeypatch):
    library = make_library(3)
    file = tmp_path / "song.mp3"
    file.write_text("moved and damaged since, but known")
    library.songs.loc[1, "file_path"] = str(file)
    monkeypatch.chdir(tmp_path)
    assert Answers(library).similar("./song.mp3", 9).records[0]["query_file_path"] == str(file)


@pytest.mark.parametrize("name", ["x" * 5000, "~nobody-at-all/x", "a\0b"])
def test_a_name_that_cannot_be_a_path_is_a_name(answers, name):
    with pytest.raises(QueryError):
        answers.similar(name, 1)


# --- lines


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
        ("similar #1 hit|[x]", ["similar", "#1", "hit|[x]"]),
        ("  \n", []),
    ],
)
def test_words_of_a_line(line, words):
    assert prompt.split_words(line) == words


@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Co", "Cc"]), min_size=1), min_size=1, max_size=3))
def test_double_quotes_carry_any_name(names):
    quoted = ['"' + re.sub(r'(["\\])', r"\\\1", name) + '"' for name in names]
    assert prompt.split_words(" ".join(quoted)) == names


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
    assert prompt.split_pair(words, "vs") == pair


@pytest.mark.parametrize("words", [["A"], ["A", "B", "C"], ["A", "vs"], ["vs", "B"], ["A", "vs", "B", "vs", "C"]])
def test_not_two_songs(words):
    with pytest.raises(QueryError, match=r"two songs are needed, .*; write A vs B"):
        prompt.split_pair(words, "vs")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("simlar x", "no 'simlar'; did you mean similar?"),
        ("zzz", "no 'zzz'; choose from similar, diverse, compare, playlist, radio, path, order"),
        ("similar", "required: SONG"),
        ("similar x -n 0", "0 is out of range, give at least 1"),
        ("similar x -n many", "invalid whole number value: 'many'"),
        ("diverse x --diversity 1.5", "1.5 is out of range, give 0 to 1"),
        ("genres x", "unrecognized arguments: x"),
    ],
)
def test_bad_lines_are_errors_like_any_other(line, message):
    with pytest.raises(UsageError) as caught:
        prompt.line_parser(False).parse_args(prompt.split_words(line))
    assert message in str(caught.value)


# --- the script


def test_every_command_prints_a_table_and_one_json_document(workspace):
    commands = [
        ["similar", "night", "drive", "-n", "3"],
        ["diverse", "night drive", "-n", "3", "--diversity", "0.7"],
        ["compare", 'He said "hi"', "a|b"],
        ["list", "house"],
        ["genres"],
    ]
    for command in commands:
        before = run_script("--workspace", workspace, "--json", *command)
        assert before.returncode == 0, before.stderr
        records = json.loads(before.stdout)
        assert len(records) >= 2
        assert all(isinstance(record, dict) for record in records)
        assert before.stderr == ""
    after = run_script(*commands[-1], "--workspace", workspace, "--json")
    assert after.stdout == before.stdout
    scaled = run_script(*commands[-1], "--workspace", workspace, "--json", "--space", "scaled")
    assert scaled.stdout != before.stdout
    table = run_script("--workspace", workspace, *commands[0])
    assert table.returncode == 0
    assert table.stdout.startswith("Like night drive [")
    assert re.search(r"^ +1 +\S.* -?0\.\d{3} +120$", table.stdout, re.MULTILINE)


def test_bad_usage_is_one_line_and_status_2(workspace, tmp_path):
    save_library(Workspace(tmp_path / "one"), make_library(1), AudioConfig())
    for arguments, message in (
        (["--workspace", workspace, "similar", "no such song at all"], "no song is called"),
        (["--workspace", workspace, "similar", "track"], "'track' means 6 songs"),
        (["--workspace", workspace, "similar", "a|b", "-n", "0"], "at least 1"),
        (["--workspace", tmp_path, "genres"], "run 01_feature_extraction.py first"),
        (["--workspace", tmp_path / "one", "similar", "song"], "no other song to compare"),
        (["simlar", "x"], "did you mean similar?"),
    ):
        result = run_script(*arguments)
        assert result.returncode == 2
        assert result.stdout == ""
        assert len(result.stderr.splitlines()) == 1
        assert message in result.stderr


def test_lines_from_standard_input(workspace):
    lines = [
        "similar night drive -n 1 --json",
        "",
        "similer x",
        "list polka",
        "help",
        "similar -h",
        "compare 'It's [bold]' vs a|b --json",
        "quit",
        "genres",
    ]
    result = run_script("--workspace", workspace, text="\n".join(lines))
    assert result.returncode == 2
    assert result.stderr.splitlines() == [
        "line 3: argument COMMAND: no 'similer'; did you mean similar?",
        "line 4: no genre 'polka'; there are HOUSE, TRANCE",
    ]
    decoder = json.JSONDecoder()
    first, end = decoder.raw_decode(result.stdout)
    assert len(first) == 1
    assert "compare A vs B" in result.stdout[end:]
    assert "usage: songmap> similar" in result.stdout
    pair = json.loads(result.stdout[result.stdout.rindex("\n[\n") :])
    assert [record["song_name"] for record in pair] == ["It's [bold]", "a|b"]
    whole = run_script("--workspace", workspace, "--json", text="genres\n")
    assert whole.returncode == 0
    assert {record["genre"] for record in json.loads(whole.stdout)} == {"HOUSE", "TRANCE"}


class Terminal:
    """The script at a pseudo-terminal of its own."""

    def __init__(self, *arguments: object) -> None:
        self.process, self.screen = pty.fork()
        if self.process == 0:
            os.environ |= {"TERM": "xterm", "COLUMNS": "120", "LINES": "40"}
            os.execv(sys.executable, [sys.executable, str(SCRIPT), *map(str, arguments)])
        self.seen = ""

    def wait_for(self, text: str, timeout_s: float = 60) -> str:
        """Read until ``text`` appears after what was waited for before; returns what came."""
        until = time.monotonic() + timeout_s
        while text not in self.seen:
            ready, _, _ = select.select([self.screen], [], [], max(0, until - time.monotonic()))
            assert ready, f"{text!r} did not appear in {self.seen!r}"
            self._read()
        came, self.seen = self.seen.split(text, 1)
        return came + text

    def _read(self) -> None:
        data = os.read(self.screen, 65536)
        if b"\x1b[6n" in data:  # asks where the cursor is
            os.write(self.screen, b"\x1b[1;1R")
        self.seen += data.decode(errors="replace")

    def type(self, text: str) -> None:
        os.write(self.screen, text.encode())

    def status(self) -> int:
        """Exit status; whatever is still written is read, since a full terminal blocks its writer."""
        until = time.monotonic() + 60
        while time.monotonic() < until:
            process, status = os.waitpid(self.process, os.WNOHANG)
            if process:
                os.close(self.screen)
                return os.waitstatus_to_exitcode(status)
            try:
                if select.select([self.screen], [], [], 0.05)[0]:
                    self._read()
            except OSError:  # its other end is closed
                time.sleep(0.05)
        os.kill(self.process, signal.SIGKILL)
        raise AssertionError(f"still running after {self.seen!r}")


def test_the_prompt_in_a_terminal(workspace):
    terminal = Terminal("--workspace", workspace)
    terminal.wait_for("12 songs, 2 genres")
    terminal.wait_for("songmap>")
    terminal.type("similar night drive -n 2\r")
    terminal.wait_for("Like night drive [")
    terminal.wait_for("songmap>")
    terminal.type("lits\r")
    terminal.wait_for("did you mean list?")
    terminal.wait_for("songmap>")
    terminal.type("half a comm\x03")  # Ctrl-C leaves the line, not the session
    terminal.wait_for("stopped")
    terminal.wait_for("songmap>")
    terminal.type("gen")
    terminal.wait_for("genres")  # in the menu of completions
    terminal.type("\t\r")
    terminal.wait_for("Mean similarity within genres")
    terminal.wait_for("songmap>")
    terminal.type("\x1b[A\r")  # history
    terminal.wait_for("Mean similarity within genres")
    terminal.wait_for("songmap>")
    terminal.type("\x04")
    assert terminal.status() == 0


def test_quit_leaves_the_prompt(workspace):
    terminal = Terminal("--workspace", workspace)
    terminal.wait_for("songmap>")
    terminal.type("quit\r")
    assert terminal.status() == 0
