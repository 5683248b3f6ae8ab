"""Players are started as the user's machine would: real programs, no terminal, one at a time."""

import os
import shlex
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from songmap.core.errors import UsageError
from songmap.similar.player import Player

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="players are shell scripts here")
PATIENTLY_S = 60.0  # for programs that fail, on a machine that is busy


@pytest.fixture
def song(tmp_path) -> Path:
    path = tmp_path / "-song with 'quotes'.mp3"
    path.write_bytes(b"")
    return path


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """A folder that is all of PATH, no desktop, no player chosen; adds programs to it."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    for name in ("SONGMAP_PLAYER", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)

    def add(name: str, body: str = "", status: int = 0) -> Path:
        program = folder / name
        played = shlex.quote(str(folder / f"{name}.played"))
        program.write_text(f"#!/bin/sh\nprintf '%s\\n' \"$@\" > {played}\n{body}\nexit {status}\n")
        program.chmod(0o755)
        return program

    return add


@pytest.fixture
def player():
    made = Player()
    yield made
    made.stop()


def until(condition: Callable[[], object], value: Callable[[], str] = str) -> str:
    """Wait for a condition, then return a value."""
    for _ in range(600):
        if condition():
            return value()
        time.sleep(0.05)
    raise AssertionError("waited in vain")


def has_ended(process: int) -> bool:
    """Whether there is no such process, or one that has ended but was not waited for."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state == "Z"


def played(program: Path) -> list[str]:
    return program.with_name(f"{program.name}.played").read_text().splitlines()


def test_the_chosen_player_gets_its_arguments_and_the_path(song, programs, player, monkeypatch):
    monkeypatch.setenv("SONGMAP_PLAYER", str(programs("other")))
    program = programs("loud")
    assert (
        player.play(song, "loud --volume 3 'two words'", PATIENTLY_S)
        == f"loud --volume 3 'two words' {shlex.quote(str(song))}"
    )
    assert played(program) == ["--volume", "3", "two words", str(song)]


def test_a_player_with_a_space_in_its_path_needs_no_quotes(song, programs, player):
    program = programs("my player")
    player.play(song, str(program), PATIENTLY_S)
    assert played(program) == [str(song)]


def test_the_variable_comes_next_then_players_that_can_be_stopped_then_the_desktop(song, programs, player, monkeypatch):
    players = {name: programs(name) for name in ("chosen", "xdg-open", "mpv", "ffplay")}
    monkeypatch.setenv("SONGMAP_PLAYER", "chosen -x")
    assert player.play(song, None, PATIENTLY_S).split()[:2] == ["chosen", "-x"]
    monkeypatch.setenv("SONGMAP_PLAYER", "")
    monkeypatch.setenv("DISPLAY", ":0")
    assert player.play(song, None, PATIENTLY_S).startswith("mpv --no-video --no-terminal ")
    if sys.platform != "darwin":
        for name in ("mpv", "ffplay"):
            players[name].unlink()
        assert player.play(song, None, PATIENTLY_S).startswith("xdg-open ")
        assert played(players["xdg-open"]) == [str(song)]


def test_an_offered_player_that_fails_makes_way_for_the_next(song, programs, player):
    programs("mpv", status=2)
    second = programs("ffplay")
    assert player.play(song, None, PATIENTLY_S).startswith("ffplay -nodisp -loglevel error -autoexit ")
    assert played(second)[-1] == str(song)
    second.unlink()
    assert player.play(song, None, PATIENTLY_S) is None


def test_without_any_player_there_is_none_and_no_error(song, programs, player):
    assert player.play(song) is None


def test_a_relative_path_is_not_an_option_of_the_player(song, programs, player, monkeypatch):
    monkeypatch.chdir(song.parent)
    program = programs("loud")
    player.play(song.name, "loud", PATIENTLY_S)
    assert played(program) == [str(song)]


def test_the_player_has_no_terminal_and_ends_when_it_is_stopped_with_what_it_started(song, programs, player):
    facts = song.parent / "facts"
    record = f"""
        {{ for stream in 0 1 2; do [ -t $stream ] && echo terminal; done; echo $$; }} > {shlex.quote(str(facts))}.new
        /bin/sleep 600 &
        echo $! >> {shlex.quote(str(facts))}.new
        /bin/mv {shlex.quote(str(facts))}.new {shlex.quote(str(facts))}
        wait"""
    programs("long", record)
    assert player.play(song, "long").startswith("long ")  # returns, though the player does not
    processes = [int(line) for line in until(facts.exists, facts.read_text).splitlines()]  # no stream is a terminal
    assert [os.getsid(process) for process in processes] == [processes[0]] * 2
    assert processes[0] != os.getsid(0)
    assert player.stop()
    for process in processes:
        until(lambda process=process: has_ended(process))
    assert not player.stop()


def test_play_replaces_what_plays(song, programs, player):
    programs("long", f"echo $$ >> {shlex.quote(str(song.parent))}/processes\nexec /bin/sleep 600")
    for number in range(1, 4):
        player.play(song, "long")
        processes = [int(line) for line in (song.parent / "processes").read_text().splitlines()]
        assert len(processes) == number
        assert [has_ended(process) for process in processes] == [True] * (number - 1) + [False]
    with pytest.raises(UsageError, match="does not exist"):
        player.play(song.parent / "missing.mp3", "long")
    assert not has_ended(processes[-1])  # what cannot be played replaces nothing


def test_a_player_that_does_not_end_by_itself_is_killed(song, programs, player, monkeypatch):
    monkeypatch.setattr("songmap.similar.player._ENDS_WITHIN_S", 0.2)
    programs("stubborn", "trap '' TERM\nwhile :; do /bin/sleep 0.1; done")
    player.play(song, "stubborn")
    assert player.stop()


def test_a_player_that_fails_later_is_reported_once(song, programs, player):
    programs("late", "/bin/sleep 0.3\necho >&2\necho 'no device' >&2\necho more >&2", status=4)
    player.play(song, "late", 0.05)
    player.check()  # nothing to report yet
    with pytest.raises(UsageError, match=r"^late ended with status 4: no device$"):
        player.wait()
    player.check()
    programs("fine")
    player.play(song, "fine", PATIENTLY_S)
    player.wait()


def test_players_that_stay_open_are_given_the_option_to_end(song, programs, player):
    for name, option in (("vlc", "--play-and-exit"), ("ffplay", "-autoexit")):
        program = programs(name)
        player.play(song, f"{name} -x", PATIENTLY_S)
        player.play(song, f"{name} {option}", PATIENTLY_S)
        assert played(program) == [option, str(song)]
        player.play(song, f"{name} -x", PATIENTLY_S)
        assert played(program) == ["-x", option, str(song)]


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ("no-such-player --x", "cannot be started .No such file"),
        ("broken", "ended at once with status 3: no such device; give"),
        ("loud 'open", "No closing quotation"),
    ],
)
def test_a_chosen_player_that_fails_is_one_line(song, programs, player, monkeypatch, chosen, message):
    programs("broken", "echo 'no such device' >&2", status=3)
    programs("mpv")
    with pytest.raises(UsageError, match=rf"^--player .*{message}"):
        player.play(song, chosen, PATIENTLY_S)
    monkeypatch.setenv("SONGMAP_PLAYER", chosen)
    with pytest.raises(UsageError, match=rf"^\$SONGMAP_PLAYER .*{message}"):
        player.play(song, None, PATIENTLY_S)


def test_a_song_that_does_not_exist_is_refused(tmp_path, programs, player):
    with pytest.raises(UsageError, match="does not exist"):
        player.play(tmp_path / "missing.mp3", "loud")
