"""04 as people use it: every command through the command line, lines from a pipe, and its prompt in a real terminal."""

import csv
import io
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from songmap.core.errors import UsageError
from songmap.core.text import shown_path
from songmap.core.workspace import REPOSITORY, Workspace
from songmap.library.library import Library, save_library, song_table
from songmap.library.search import NOBODY
from songmap.similar.neighbours_file import write_neighbours
from songmap.similar.terminal.commands import COMMANDS
from tests.libraries import make_library
from tests.scripts import run_script
from tests.signals import RATE_HZ, music

SCRIPT = REPOSITORY / "04_similarity_search.py"
ODD_NAMES = ['He said "hi"', "It's [bold]", "a|b", "night drive", "夜に駆ける 🎧", "x" * 120]
ESCAPE = "\x1b"


@pytest.fixture(scope="module")
def library() -> Library:
    """Eighteen songs by nine artists; two of them are called intro, and two files hold one recording."""
    made = make_library(18, names=[*ODD_NAMES, *(f"track {index:02d}" for index in range(12))])
    embeddings, songs = made.embeddings, made.songs.to_dict("records")
    for row, song in enumerate(songs):
        song["artist"], song["year"] = f"Artist {row // 2}", 1980.0 + row
    for row, folder in ((4, "A"), (5, "B")):
        songs[row] |= {
            "song_name": "intro",
            "title": "intro",
            "genre": "HOUSE",
            "file_path": f"/music/{folder}/intro.mp3",
        }
    embeddings[8] = embeddings[7]
    songs[8]["duplicate_of"] = songs[7]["file_path"]
    order = sorted(range(len(songs)), key=lambda row: songs[row]["file_path"])
    return Library(embeddings[order], song_table(songs[row] for row in order))


@pytest.fixture(scope="module")
def workspace(library, tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("workspace")
    save_library(Workspace(root), library)
    return root


def run(*arguments: object, text: str = "") -> subprocess.CompletedProcess:
    return run_script("04", *arguments, stdin=text)


# --- commands


def test_every_command_answers_in_every_form(workspace, tmp_path):
    """The same lines as tables, JSON and CSV."""
    song = tmp_path / "new song.wav"
    soundfile.write(song, music(4.0), RATE_HZ)
    playlist, picture = tmp_path / "list.m3u8", tmp_path / "why.png"
    lines = {
        "similar": f"similar night drive + a|b -track 03 -n 4 --m3u8 '{playlist}'",
        "diverse": "diverse night drive -n 3 --diversity 0.7",
        "compare": "compare It's [bold] vs a|b",
        "why": f"why night drive vs a|b --picture '{picture}'",
        "info": f"info {song}",
        "list": "list house -n 2",
        "next": "next",
        "find": "find track 1",
        "genres": "genres",
        "duplicates": "duplicates",
        "outliers": "outliers -n 3",
        "hubs": "hubs -n 3",
        "evaluate": "evaluate",
        "neighbours": f"neighbours --k 3 --out '{tmp_path / 'near.npz'}'",
        "playlist": "playlist night drive + a|b -n 6",
        "radio": "radio night drive -n 4",
        "path": "path night drive to a|b -n 5",
        "order": f"order '{playlist}'",
        "transitions": f"transitions '{playlist}'",
        "play": f"play '{playlist}' --player true",
        "stop": "stop",
    }
    assert set(lines) == set(re.findall(r"^\w+", COMMANDS, re.MULTILINE))
    text = "\n".join(lines.values())
    tables, records, table = (run("--workspace", workspace, *form, text=text) for form in ([], ["--json"], ["--csv"]))
    for result in (tables, records, table):
        assert (result.returncode, result.stderr) == (0, "")
        assert ESCAPE not in result.stdout
    documents = list(json_documents(records.stdout))
    assert len(documents) == len(lines) - 1 + 4  # radio prints a document for each of its four songs
    for document in documents:
        assert document and all(isinstance(record, dict) for record in document)
    assert len(documents[0]) == 4
    assert f"written: {shown_path(playlist)}" in tables.stdout
    assert f"written: {shown_path(picture)}" in tables.stdout
    assert picture.stat().st_size > 10_000
    assert tables.stdout.startswith("Similar to night drive")
    assert table.stdout.splitlines()[0].startswith("rank,song_name,artist,genre,similarity")


def json_documents(text: str):
    decoder, place = json.JSONDecoder(), 0
    while text[place:].strip():
        document, place = decoder.raw_decode(text, place + len(text[place:]) - len(text[place:].lstrip()))
        yield document if isinstance(document, list) else [document]


def test_a_command_on_the_command_line_is_that_of_the_prompt(workspace):
    words = ["similar", "night", "drive", "-n", "3", "+", "a|b", "-track 03"]
    before = run("--workspace", workspace, "--json", *words)
    assert before.returncode == 0, before.stderr
    assert len(json.loads(before.stdout)) == 3
    assert run(*words, "--workspace", workspace, "--json").stdout == before.stdout
    lines = run("--workspace", workspace, "--json", text='similar night drive -n 3 + a|b -"track 03"\n')
    assert lines.stdout == before.stdout
    assert run("--workspace", workspace, *words, "--space", "scaled", "--json").stdout != before.stdout
    table = run("--workspace", workspace, *words)
    assert table.returncode == 0
    assert re.search(r"^ +1 +\S.* -?0\.\d\d ", table.stdout, re.MULTILINE)


def test_the_script_runs_on_its_own(workspace):
    command = [sys.executable, str(SCRIPT), "--workspace", str(workspace), "list", "house", "--json"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == run("--workspace", workspace, "list", "house", "--json").stdout


def test_csv_is_read_by_others(workspace, library):
    found = run("--workspace", workspace, "similar", 'He said "hi"', "-n", "99", "--max-per-artist", "9", "--csv")
    rows = list(csv.DictReader(io.StringIO(found.stdout)))
    names = [row["song_name"] for row in rows]
    assert {"a|b", "It's [bold]", "夜に駆ける 🎧"} - {'He said "hi"'} <= set(names)
    similarities = [float(row["similarity"]) for row in rows]
    assert similarities == sorted(similarities, reverse=True)


def test_settings_of_one_line_do_not_stay(workspace):
    text = "similar a|b -n 3\nsimilar a|b -n 3 --space scaled\nsimilar a|b -n 3 --weights mel=9\nsimilar a|b -n 3\n"
    first, scaled, weighted, again = json_documents(run("--workspace", workspace, "--json", text=text).stdout)
    assert first == again
    assert scaled != first != weighted
    from_start = run("--workspace", workspace, "--json", "--weights", "mel=9", "similar", "a|b", "-n", "3")
    assert json.loads(from_start.stdout) == weighted


def test_bad_usage_is_one_line_and_status_2(workspace, tmp_path):
    save_library(Workspace(tmp_path / "one"), make_library(1))
    for arguments, message in (
        (["--workspace", workspace, "similar", "no such song at all"], "no song is called"),
        (["--workspace", workspace, "similar", "track"], "10 songs match 'track'"),
        (["--workspace", workspace, "similar", "a|b", "-n", "0"], "at least 1"),
        (["--workspace", workspace, "similar", "a|b", "--bpm", "500-600"], "BPM"),
        (["--workspace", workspace, "similar", "a|b", "--genre", "polka"], "no genre 'polka'"),
        (["--workspace", workspace, "similar", "a|b", "--space", "classifier"], "03_genre_classifier.py"),
        (["--workspace", workspace, "similar", tmp_path], "folder"),
        (
            ["--workspace", workspace, "why", "a|b", "track 03", "--picture", tmp_path / "no" / "such" / "a.xyz"],
            "a.xyz",
        ),
        (
            ["--workspace", workspace, "why", "a|b", "track 03", "--picture", "/proc/a.png"],
            "/proc/a.png cannot be written",
        ),
        (["--workspace", workspace, "neighbours", "--out", "a.txt"], "a.txt does not end in .npz or .csv or .parquet"),
        (["--workspace", workspace, "neighbours", "--out", "/proc/a.npz"], "/proc/a.npz cannot be written"),
        (["--workspace", tmp_path, "genres"], "run 01_feature_extraction.py first"),
        (["--workspace", tmp_path / "one", "similar", "song"], "no other song to compare"),
        (["simlar", "x"], "did you mean similar?"),
    ):
        result = run(*arguments)
        assert result.returncode == 2, (arguments, result)
        assert result.stdout == ""
        assert len(result.stderr.splitlines()) == 1, result.stderr
        assert message in result.stderr


@pytest.mark.parametrize("format_of_pairs", ["csv", "parquet"])
def test_neighbours_of_all_songs_are_written_for_other_programs(workspace, library, tmp_path, format_of_pairs):
    if format_of_pairs == "parquet":
        pytest.importorskip("pyarrow")
    files = [tmp_path / "near.npz", tmp_path / f"near.{format_of_pairs}"]
    result = run("--workspace", workspace, text="".join(f"neighbours --k 4 --out {file}\n" for file in files))
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [f"written: {shown_path(file)}" for file in files]
    content = np.load(files[0])
    paths = library.songs["file_path"].tolist()
    assert content["file_path"].tolist() == paths
    assert content["rows"].shape == content["similarities"].shape == (18, 4)
    (alone,) = json_documents(
        run("--workspace", workspace, "--json", "similar", "a|b", "-n", "4", "--max-per-artist", "9").stdout
    )
    row = paths.index("/music/a|b.mp3")
    assert [paths[other] for other in content["rows"][row]] == [record["file_path"] for record in alone]
    pairs = (pd.read_csv if format_of_pairs == "csv" else pd.read_parquet)(files[1])
    assert list(pairs.columns) == ["song", "rank", "neighbour", "similarity"]
    own = pairs[pairs["song"] == paths[row]]
    assert own["rank"].tolist() == [1, 2, 3, 4]
    assert own["neighbour"].tolist() == [record["file_path"] for record in alone]
    assert own["similarity"].tolist() == pytest.approx([record["similarity"] for record in alone])


def test_parquet_without_its_library_is_one_line_and_leaves_no_file(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "pyarrow", None)  # as if it were not installed
    monkeypatch.setitem(sys.modules, "fastparquet", None)
    with pytest.raises(UsageError, match="needs pyarrow, which is not installed"):
        write_neighbours(tmp_path / "a.parquet", ["/a", "/b"], np.array([[1], [0]]), np.ones((2, 1)))
    assert not list(tmp_path.iterdir())


def test_a_song_with_fewer_neighbours_has_fewer_pairs(tmp_path):
    rows = np.array([[1, NOBODY], [0, NOBODY], [0, 1]])
    write_neighbours(tmp_path / "a.csv", ["/a", "/b", '/ü, "c"'], rows, np.where(rows == NOBODY, np.nan, 0.5))
    pairs = pd.read_csv(tmp_path / "a.csv")
    assert pairs["song"].tolist() == ["/a", "/b", '/ü, "c"', '/ü, "c"']
    assert pairs["rank"].tolist() == [1, 1, 1, 2]
    assert pairs["similarity"].tolist() == [0.5] * 4


def test_tags_of_tempo_count_unless_measured_is_preferred(library, tmp_path):
    songs = library.songs.assign(tempo_bpm=129.94, tag_bpm=130.0)
    save_library(Workspace(tmp_path), Library(library.embeddings, songs))
    for options, expected in (([], (130, "tag")), (["--tempo", "measured"], (129.94, "measured"))):
        for line in ("list house", "similar a|b -n 2", "radio a|b -n 2", "playlist a|b -n 3"):
            found = run("--workspace", tmp_path, *options, "--json", text=f"{line}\n")
            assert found.returncode == 0, found.stderr
            for document in json_documents(found.stdout):
                assert {(record["tempo_bpm"], record["tempo_source"]) for record in document} == {expected}
    after = run("--workspace", tmp_path, "list", "house", "--tempo", "measured", "--csv")
    assert {row["tempo_bpm"] for row in csv.DictReader(io.StringIO(after.stdout))} == {"129.94"}
    wrong = run("--workspace", tmp_path, "list", "--tempo", "guessed")
    assert (wrong.returncode, len(wrong.stderr.splitlines())) == (2, 1)


# --- names with typing errors


def test_a_name_with_typing_errors_is_refused_in_scripts_unless_fuzzy(workspace):
    refused = "did you mean night drive – Artist 1 [TRANCE]? Give the name as it is, or add --fuzzy"
    for form in ([], ["--json"], ["--csv"]):
        result = run("--workspace", workspace, *form, "similar", "nigth dirve", "-n", "2")
        assert (result.returncode, result.stdout) == (2, "")
        assert refused in result.stderr
        exact = run("--workspace", workspace, *form, "similar", "night drive", "-n", "2")
        fuzzy = run("--workspace", workspace, *form, "similar", "nigth dirve", "-n", "2", "--fuzzy")
        assert (fuzzy.returncode, fuzzy.stdout) == (0, exact.stdout)
        assert (
            fuzzy.stderr
            == "no song is called 'nigth dirve'; did you mean night drive – Artist 1 [TRANCE]? Showing it\n"
        )
    piped = run("--workspace", workspace, text="similar nigth dirve -n 2\n")
    assert (piped.returncode, piped.stdout) == (2, "")
    assert refused in piped.stderr
    both = run("--workspace", workspace, "--fuzzy", text="compare nigth dirve vs It is [bold]\n")
    assert both.returncode == 0
    assert len(both.stderr.splitlines()) == 2


def test_several_similar_names_are_not_guessed(workspace):
    result = run("--workspace", workspace, "info", "trakc 0", "--fuzzy")
    assert (result.returncode, result.stdout) == (2, "")
    assert "did you mean" in result.stderr


def test_a_name_like_no_other_offers_none(workspace):
    result = run("--workspace", workspace, "similar", "no such song (((", "--fuzzy")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "04_similarity_search.py: no song is called 'no such song ((('\n"


# --- lines from elsewhere


def test_lines_stop_at_the_first_failure(workspace):
    result = run("--workspace", workspace, text="genres\n\nlist polka\ngenres\n")
    assert result.returncode == 2
    assert result.stderr == "04_similarity_search.py: line 3: no genre or artist 'polka'; genres are HOUSE, TRANCE\n"
    assert result.stdout.count("Mean similarity within genres") == 1


def test_lines_that_keep_going(workspace):
    lines = [
        "similar night drive -n 1 --json",
        "",
        "similer x",
        "list polka",
        "3",
        "intro",
        "info intro",
        "help",
        "similar -h",
        "help playlist",
        'compare "It\'s [bold]" vs a|b --json',
        "quit",
        "genres",
    ]
    result = run("--workspace", workspace, "--keep-going", text="\n".join(lines))
    assert result.returncode == 2
    errors = result.stderr.splitlines()
    assert errors[0] == "line 3: no command 'similer'; did you mean similar?"
    assert errors[1] == "line 4: no genre or artist 'polka'; genres are HOUSE, TRANCE"
    assert errors[2].startswith("line 5: 3 is not a command. Add one, e.g. `info 3`")
    assert errors[3].startswith("line 6: no command 'intro'")
    assert errors[4].startswith("line 7: 2 songs match 'intro'")
    assert len(errors) == 5
    first, end = json.JSONDecoder().raw_decode(result.stdout)
    assert len(first) == 1
    assert "compare A vs B" in result.stdout[end:]
    assert "usage: songmap> similar" in result.stdout
    assert "--start-bpm" in result.stdout
    pair = json.loads(result.stdout[result.stdout.rindex("\n[\n") :])
    assert [record["song_name"] for record in pair] == ["It's [bold]", "a|b"]
    assert run("--workspace", workspace, "--keep-going", text="genres\n").returncode == 0


def test_numbers_name_the_songs_of_the_last_answer(workspace):
    lines = [
        "similar a|b -n 3",
        "info 2",
        "compare 1 3 --space scaled",
        "similar 2 -3 -n 1",
        "playlist 1 -n 2",
        "info 1",
    ]
    like, info, pair, near, playlist, first = json_documents(
        run("--workspace", workspace, "--json", text="\n".join(lines)).stdout
    )
    assert info[0]["file_path"] == like[1]["file_path"]
    assert [record["file_path"] for record in pair] == [like[0]["file_path"], like[2]["file_path"]]
    assert near[0]["query_file_path"] == like[1]["file_path"]
    assert playlist[0]["file_path"] == near[0]["file_path"] == first[0]["file_path"]


def test_next_shows_more_of_the_last_answer_and_keeps_its_numbers(workspace):
    lines = ["similar a|b -n 3 --space scaled", "next", "next -n 2", "info 7", "list house -n 2", "next -n 99", "next"]
    result = run("--workspace", workspace, "--json", "--keep-going", text="\n".join(lines))
    first, second, third, info, listed, others = json_documents(result.stdout)
    shown = [*first, *second, *third]
    (whole,) = json_documents(run("--workspace", workspace, "--json", text="similar a|b -n 8 --space scaled").stdout)
    assert [record["rank"] for record in shown] == list(range(1, 9))
    assert shown == whole
    assert info[0]["file_path"] == shown[6]["file_path"]
    assert [record["rank"] for record in [*listed, *others]] == list(range(1, 11))
    assert result.stderr == "line 7: these were all: the last answer has 10 songs and goes no further\n"
    alone = run("--workspace", workspace, "next")
    assert (alone.returncode, alone.stdout) == (2, "")
    assert "there is nothing to go on with; next follows similar, diverse, find" in alone.stderr
    lines = ["find track -n 3", "similar 2 -n 2", "next", "similar 'track 03' -n 4"]
    numbered = list(json_documents(run("--workspace", workspace, "--json", text="\n".join(lines)).stdout))
    assert numbered[0][1]["song_name"] == "track 03"
    assert [*numbered[1], *numbered[2]] == numbered[3]  # the number is that of the answer before
    diverse = run("--workspace", workspace, "--json", text="diverse a|b -n 4\nnext\n").stdout
    assert len({record["file_path"] for page in json_documents(diverse) for record in page}) == 8


def test_find_and_list_by_artist(workspace):
    def found(line: str) -> list[dict]:
        result = run("--workspace", workspace, "--json", text=line)
        assert result.returncode == 0, result.stderr
        (records,) = json_documents(result.stdout)
        return records

    assert {record["artist"] for record in found("find ÁRTIST 3")} == {"Artist 3"}
    assert [record["song_name"] for record in found("find drive NIGHT trance")] == ["night drive"]
    assert [record["song_name"] for record in found("find nihgt")] == ["night drive"]
    assert {record["artist"] for record in found("list artist 3")} == {"Artist 3"}
    assert len(found("list artist 3")) == 2
    for line, message in (
        ("find zzzzqqq", "no song has 'zzzzqqq' in title, artist, album or genre"),
        ("list tranze", "no genre or artist 'tranze'; did you mean TRANCE?"),
        ("list artist", "9 genres and artists match 'artist': Artist 0, Artist 1"),
    ):
        result = run("--workspace", workspace, text=line)
        assert (result.returncode, result.stdout) == (2, "")
        assert message in result.stderr


def test_help_defines_the_words_of_results(workspace):
    result = run("--workspace", workspace, "--keep-going", text="help hub\nhelp 90 % set\nhelp entrpy\nhelp zzzz\n")
    hub, genre_set, entropy = result.stdout.splitlines()
    assert hub.startswith("hub: A song that is among the nearest of very many others")
    assert genre_set.startswith("90 % set: ")
    assert entropy.startswith("entropy: ")
    assert result.stderr.startswith("line 4: no command or word 'zzzz'; words are family, hub, entropy")


def test_help_is_a_command_without_a_library_too(tmp_path):
    def asked(*words):
        return run("--workspace", tmp_path, "help", *words)

    assert all(command.split()[0] in asked().stdout for command in COMMANDS.splitlines() if not command.startswith(" "))
    assert asked("hub").stdout.startswith("hub: A song that is among the nearest of very many others")
    assert asked("90", "%", "set").stdout.startswith("90 % set: ")
    assert asked("similar").stdout.startswith("usage: 04_similarity_search.py similar [-h]")
    result = asked("zzzz")
    assert (result.returncode, result.stdout) == (2, "")
    assert "no command or word 'zzzz'; words are family, hub" in result.stderr


# --- the prompt


class Terminal:
    """The script at a pseudo-terminal of its own."""

    def __init__(self, *arguments: object, **environment: str) -> None:
        self.process, self.screen = pty.fork()
        if self.process == 0:
            os.environ |= {"TERM": "xterm", "COLUMNS": "120", "LINES": "40"} | environment
            os.execv(sys.executable, [sys.executable, str(SCRIPT), *map(str, arguments)])
        self.seen = ""

    def wait_for(self, text: str, timeout_s: float = 60) -> str:
        """Read until ``text`` appears after what was waited for before; returns what was read."""
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

    def enter(self, line: str, answer: str) -> str:
        """Type a line at the prompt and read up to ``answer``."""
        self.wait_for("songmap>")
        self.type(f"{line}\r")
        return self.wait_for(answer)

    def leave(self) -> None:
        self.wait_for("songmap>")
        self.type("quit\r")
        assert self.status() == 0

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


@pytest.fixture
def terminal(workspace, tmp_path):
    return Terminal("--workspace", workspace, XDG_STATE_HOME=str(tmp_path))


def test_a_session_at_a_terminal(terminal):
    terminal.wait_for("18 songs, 2 genres")
    terminal.enter("similar night drive -n 2", "Similar to night drive")
    terminal.enter("lits", "did you mean list?")
    terminal.wait_for("songmap>")
    terminal.type("half a comm\x03")  # Ctrl-C leaves the line, not the session
    terminal.wait_for("stopped")
    terminal.enter("genres", "Mean similarity within genres")
    terminal.enter("\x1b[A", "Mean similarity within genres")  # the line before
    terminal.wait_for("songmap>")
    terminal.type("\x04")
    assert terminal.status() == 0


def test_tab_completes_at_once_and_from_the_menu(terminal):
    terminal.wait_for("songmap>")
    terminal.type("gen\t\r")  # faster than any menu
    terminal.wait_for("Mean similarity within genres")
    terminal.wait_for("songmap>")
    terminal.type("info saı\x7fi\t\r")  # in the middle of a name, which is then quoted
    terminal.wait_for('He said "hi" – Artist 0 [')
    terminal.wait_for("songmap>")
    terminal.type("info track 0")
    terminal.wait_for("track 03")  # in the menu
    terminal.type("\t\t\r")
    terminal.wait_for("track 03 – Artist 3 [")
    terminal.leave()


def test_equal_names_are_answered_by_number(terminal):
    listed = terminal.enter("similar intro -n 2", "2  intro – Artist 2 [")
    assert "2 songs match 'intro'. Type a number:" in listed
    assert "/music/A/intro.mp3" in listed
    terminal.enter("7", "7 is out of range, give 1 to 2")
    terminal.enter("2", "Similar to intro – Artist 2 [")
    terminal.enter("compare intro vs a|b", "2  intro – Artist 2 [")
    terminal.enter("genres", "Mean similarity within genres")
    terminal.enter("2", "2 is not a command")  # the choice is no longer open
    terminal.leave()


def test_a_name_with_typing_errors_is_announced(terminal, workspace, tmp_path):
    terminal.enter("similar nigth dirve -n 2", "did you mean night drive – Artist 1 [TRANCE]? Showing it")
    terminal.wait_for("Similar to night drive")
    terminal.enter("info nigth dirve --json", "or add --fuzzy")  # what programs read is not guessed here either
    terminal.enter("info trakc 0", "have similar names. Type a number:")
    terminal.enter("1", "track ")
    terminal.leave()
    alone = Terminal("--workspace", workspace, "info", "nigth dirve", XDG_STATE_HOME=str(tmp_path))
    alone.wait_for("did you mean night drive – Artist 1 [TRANCE]? Showing it")
    alone.wait_for("duration")
    assert alone.status() == 0


def test_ctrl_c_stops_a_command_and_not_the_session(terminal, tmp_path):
    endless = tmp_path / "endless.m3u8"
    os.mkfifo(endless)
    terminal.wait_for("songmap>")
    terminal.type(f"order {endless}\r")
    writer, until = None, time.monotonic() + 60
    while writer is None:
        assert time.monotonic() < until
        with suppress(OSError):  # no reader yet
            writer = os.open(endless, os.O_WRONLY | os.O_NONBLOCK)
    for _ in range(100):  # one that comes just before reading begins has an effect only once something is read
        terminal.type("\x03")
        with suppress(AssertionError):
            terminal.wait_for("stopped", timeout_s=0.5)
            break
    else:
        pytest.fail("Ctrl-C does not stop a command")
    os.close(writer)
    terminal.enter("genres", "Mean similarity within genres")
    terminal.leave()


def test_history_is_kept_over_sessions(workspace, tmp_path):
    for line in ("list house", "\x1b[A"):
        terminal = Terminal("--workspace", workspace, XDG_STATE_HOME=str(tmp_path))
        terminal.enter(line, "songs of HOUSE")
        terminal.wait_for("songmap>")
        terminal.type("\x04")
        assert terminal.status() == 0
    assert (tmp_path / "songmap" / "history").read_text().count("+list house") == 1


def test_where_history_cannot_be_kept_the_session_has_its_own(workspace, tmp_path):
    (tmp_path / "file").touch()
    terminal = Terminal("--workspace", workspace, XDG_STATE_HOME=str(tmp_path / "file"))
    terminal.enter("genres", "Mean similarity within genres")
    terminal.enter("\x1b[A", "Mean similarity within genres")
    terminal.leave()


def test_colours_are_for_terminals_that_want_them(workspace, tmp_path):
    for environment, coloured in (({}, True), ({"NO_COLOR": "1"}, False)):
        terminal = Terminal("--workspace", workspace, "list", "house", XDG_STATE_HOME=str(tmp_path), **environment)
        assert (ESCAPE in terminal.wait_for("a|b")) == coloured
        assert terminal.status() == 0


# --- what plays


PLAYABLE = [
    "Return to Wesnoth", "Elf Land", "Elf Land to song 1", "song 1 to song 2", *(f"song {number}" for number in range(5))
]  # fmt: skip


@pytest.fixture(scope="module")
def playable(tmp_path_factory) -> Path:
    """A workspace of songs whose files exist, and a player that logs in its folder what it plays."""
    root = tmp_path_factory.mktemp("playable")
    made = make_library(len(PLAYABLE), names=PLAYABLE)
    for row, name in enumerate(made.songs["song_name"]):
        (root / f"{row}.mp3").touch()
        made.songs.loc[row, ["file_path", "artist"]] = [str(root / f"{row}.mp3"), f"Artist {name}"]
    save_library(Workspace(root), made)
    player = root / "player"
    player.write_text(
        f"#!/bin/sh\necho $$ >> '{root}/played'\n[ $(wc -l < '{root}/played') = 1 ] && exec /bin/sleep ${{FIRST_LASTS_S:-600}}\nexec /bin/sleep 600\n"
    )
    player.chmod(0o755)
    return root


def playing(root: Path) -> list[bool]:
    """Whether each process that the player was runs."""
    processes = (root / "played").read_text().split()
    states = [Path(f"/proc/{process}/stat") for process in processes]
    return [state.exists() and state.read_text().rpartition(")")[2].split()[0] != "Z" for state in states]


@pytest.fixture
def beside(playable, tmp_path):
    """Starts the prompt of the playable workspace with its player."""
    (playable / "played").write_text("")

    def start(**environment: str) -> Terminal:
        environment |= {"XDG_STATE_HOME": str(tmp_path), "SONGMAP_PLAYER": str(playable / "player")}
        return Terminal("--workspace", playable, **environment)

    return start


linux = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes in /proc")


@linux
def test_one_song_plays_beside_the_prompt_and_none_after_it(playable, beside):
    terminal = beside()
    terminal.enter("play elf land", "playing Elf Land – Artist Elf Land by")
    terminal.enter("play song 3", "playing song 3")
    assert playing(playable) == [False, True]
    terminal.enter("stop", "stopped")
    assert playing(playable) == [False, False]
    terminal.enter("stop", "nothing is playing")
    terminal.enter(
        "play song 1 --player 'sh -c \"echo no device >&2; exit 3\"'", "ended at once with status 3: no device"
    )
    terminal.enter("play song 2", "playing song 2")
    terminal.leave()
    assert playing(playable) == [False, False, False]


@linux
@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGHUP, marks=pytest.mark.slow)])
def test_nothing_plays_on_after_a_signal(playable, beside, number):
    terminal = beside()
    terminal.enter("play song 2", "playing song 2")
    terminal.wait_for("songmap>")
    os.kill(terminal.process, number)
    assert terminal.status() == 128 + number
    assert playing(playable) == [False]


@linux
def test_radio_plays_song_after_song_until_ctrl_c_twice(playable, beside):
    terminal = beside(FIRST_LASTS_S="1.2")
    terminal.enter("radio elf land", "Ctrl-C: next song; twice: end")
    terminal.wait_for("1  Elf Land – Artist Elf Land  120 BPM")
    terminal.wait_for("  2  ")  # by itself
    time.sleep(0.3)  # until the line is printed, and the end of the song awaited
    terminal.type("\x03")
    terminal.wait_for("  3  ")
    assert playing(playable) == [False, False, True]
    for _ in range(20):  # the second one within a second
        terminal.type("\x03")
        with suppress(AssertionError):
            terminal.wait_for("stopped", timeout_s=0.5)
            break
    assert True not in playing(playable)
    terminal.enter("radio song 1 --player true", "ended before the song did")
    terminal.leave()


def test_without_a_terminal_radio_prints_and_play_waits(playable):
    (playable / "played").write_text("")
    result = run("--workspace", playable, "radio", "elf land", "-n", "3", "--m3u8", playable / "radio.m3u8")
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["1", "2", "3", "written:"]
    assert (playable / "radio.m3u8").read_text().count("#EXTINF") == 3
    assert (playable / "played").read_text() == ""
    late = "sh -c 'sleep 0.6; echo lost the device >&2; exit 5'"
    result = run("--workspace", playable, "play", "elf land", "--player", late)
    assert result.returncode == 2
    assert result.stderr == "04_similarity_search.py: sh ended with status 5: lost the device\n"


def test_a_song_alone_shows_its_info_and_readings_are_chosen(playable, tmp_path):
    terminal = Terminal("--workspace", playable, XDG_STATE_HOME=str(tmp_path))
    terminal.enter("elf land", "duration")
    terminal.enter("similr elf land", "no command or song 'similr'; did you mean similar?")
    terminal.enter("qwerty there", "no command or song 'qwerty'; help lists the commands")
    terminal.enter("path return to wesnoth to elf land -n 3", "Return to Wesnoth")
    terminal.enter("path elf land to song 1 to song 2 -n 3", "can be read in several ways. Type a number:")
    terminal.wait_for('1  "elf land" "song 1 to song 2"')
    terminal.wait_for('2  "elf land to song 1" "song 2"')
    terminal.enter("2", "From Elf Land to song 1")
    terminal.enter("path song 1 to song 3 to song 4", "two songs are needed")
    terminal.enter("similar 99", "99 is not a number of the last answer, which has 3 songs")
    terminal.enter("help family", "family: One of seven groups")
    terminal.leave()
