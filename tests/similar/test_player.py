"""Players are started as the user's machine would: real programs, no terminal, nothing waited for."""

import os
import shlex
import signal
import sys
import time
from pathlib import Path

import pytest

from songmap.core.errors import UsageError
from songmap.similar.player import play

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


def played(program: Path) -> list[str]:
    return program.with_name(f"{program.name}.played").read_text().splitlines()


def test_the_chosen_player_gets_its_arguments_and_the_path(song, programs, monkeypatch):
    monkeypatch.setenv("SONGMAP_PLAYER", str(programs("other")))
    program = programs("loud")
    assert (
        play(song, "loud --volume 3 'two words'", PATIENTLY_S)
        == f"loud --volume 3 'two words' {shlex.quote(str(song))}"
    )
    assert played(program) == ["--volume", "3", "two words", str(song)]


def test_a_player_with_a_space_in_its_path_needs_no_quotes(song, programs):
    program = programs("my player")
    play(song, str(program), PATIENTLY_S)
    assert played(program) == [str(song)]


def test_the_variable_comes_next_then_the_desktop_then_players_without_one(song, programs, monkeypatch):
    players = {name: programs(name) for name in ("chosen", "xdg-open", "mpv", "ffplay")}
    monkeypatch.setenv("SONGMAP_PLAYER", "chosen -x")
    assert play(song, None, PATIENTLY_S).split()[:2] == ["chosen", "-x"]
    monkeypatch.setenv("SONGMAP_PLAYER", "")
    if sys.platform != "darwin":
        assert play(song, None, PATIENTLY_S).startswith("mpv --no-video --no-terminal ")
        monkeypatch.setenv("DISPLAY", ":0")
        assert play(song, None, PATIENTLY_S).startswith("xdg-open ")
        assert played(players["xdg-open"]) == [str(song)]


def test_an_offered_player_that_fails_makes_way_for_the_next(song, programs):
    programs("mpv", status=2)
    second = programs("ffplay")
    assert play(song, None, PATIENTLY_S).startswith("ffplay -nodisp -autoexit ")
    assert played(second)[-1] == str(song)
    second.unlink()
    assert play(song, None, PATIENTLY_S) is None


def test_without_any_player_there_is_none_and_no_error(song, programs):
    assert play(song) is None


def test_a_relative_path_is_not_an_option_of_the_player(song, programs, monkeypatch):
    monkeypatch.chdir(song.parent)
    program = programs("loud")
    play(song.name, "loud", PATIENTLY_S)
    assert played(program) == [str(song)]


def test_the_player_runs_on_without_the_terminal(song, programs):
    facts = song.parent / "facts"
    record = f"""
        {{ for stream in 0 1 2; do [ -t $stream ] && echo terminal; done; echo $$; }} > {shlex.quote(str(facts))}.new
        /bin/mv {shlex.quote(str(facts))}.new {shlex.quote(str(facts))}
        exec /bin/sleep 600"""
    programs("long", record)
    assert play(song, "long").startswith("long ")  # returns, though the player does not
    for _ in range(600):
        if facts.exists():
            break
        time.sleep(0.1)
    process = int(facts.read_text())  # one line: no stream is a terminal
    try:
        assert os.getsid(process) == process != os.getsid(0)
    finally:
        os.kill(process, signal.SIGKILL)


@pytest.mark.parametrize(
    ("player", "message"),
    [
        ("no-such-player --x", "cannot be started .No such file"),
        ("broken", "ended at once with status 3"),
        ("loud 'open", "No closing quotation"),
    ],
)
def test_a_chosen_player_that_fails_is_one_line(song, programs, monkeypatch, player, message):
    programs("broken", status=3)
    programs("mpv")
    with pytest.raises(UsageError, match=rf"^--player .*{message}"):
        play(song, player, PATIENTLY_S)
    monkeypatch.setenv("SONGMAP_PLAYER", player)
    with pytest.raises(UsageError, match=rf"^\$SONGMAP_PLAYER .*{message}"):
        play(song, None, PATIENTLY_S)


def test_a_song_that_does_not_exist_is_refused(tmp_path, programs):
    with pytest.raises(UsageError, match="does not exist"):
        play(tmp_path / "gone.mp3", "loud")
