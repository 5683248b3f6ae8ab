"""The user's player, started on one song at a time; what plays before ends.

Which one: the one given, then ``$SONGMAP_PLAYER``, then what the system offers. A command may hold
arguments, as in ``mpv --no-video``; the path comes after them. It must end with the song, as most do when they have no
terminal; the others get an option for it.
"""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO

from songmap.core.errors import UsageError

VARIABLE = "SONGMAP_PLAYER"
# Without a window and quiet, since they start with no terminal; then what plays only some formats; then what opens a song
# on a desktop, which ends at once and leaves the song to a program of its own, that cannot be stopped from here.
_OFFERED = (
    "mpv --no-video --no-terminal",
    "ffplay -nodisp -loglevel error",
    "cvlc",
    "play -q",
    "afplay",
    "pw-play",
    "paplay",
)
_ENDS_WITH_SONG = {"ffplay": "-autoexit", "vlc": "--play-and-exit", "cvlc": "--play-and-exit"}
_FAILS_WITHIN_S = 0.4  # a player that cannot play says so by then; one that runs on is playing
_ENDS_WITHIN_S = 2.0  # of the signal to end
_LONGEST_LINE = 200  # bytes of what a player says of a failure


class Player:
    """One song or playlist file that plays, or none."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._errors: IO[bytes] | None = None
        self._name = ""

    def play(self, path: str | Path, player: str | None = None, fails_within_s: float = _FAILS_WITHIN_S) -> str | None:
        """Start a player on ``path``, in place of what plays; returns the command that plays it, None without a player.

        Waited for is only whether it ends with an error at once, ``fails_within_s``. Then the next of the system's players
        is tried; one that the user chose raises UsageError, as does a path that does not exist.
        """
        place = Path(path).absolute()  # so that no name looks like an option
        if not place.exists():
            raise UsageError(f"{place} does not exist; was it moved? run 01_feature_extraction.py again")
        self.stop()
        for source, chosen in (("--player", player), (f"${VARIABLE}", os.environ.get(VARIABLE))):
            if chosen and chosen.strip():
                command = [*_ending(_words(source, chosen)), str(place)]
                if failure := self._start(command, fails_within_s):
                    raise UsageError(f"{source} {chosen!r} {failure}; give the command of a player")
                return shlex.join(command)
        for offered in _offered():
            command = [*_ending(shlex.split(offered)), str(place)]
            if shutil.which(command[0]) and not self._start(command, fails_within_s):
                return shlex.join(command)
        if sys.platform == "win32":
            os.startfile(place)
            return f"start {place}"
        return None

    def stop(self) -> bool:
        """End what plays; whether something did."""
        process = self._process
        playing = process is not None and process.poll() is None
        if process is not None and playing:
            _signal(process, "SIGTERM")
            try:
                process.wait(_ENDS_WITHIN_S)
            except subprocess.TimeoutExpired:
                _signal(process, "SIGKILL")
                process.wait()
        self._forget()
        return playing

    def wait(self) -> None:
        """Wait until what plays has ended. Raises UsageError if its player fails."""
        if self._process is not None:
            self._process.wait()
            self.check()

    def check(self) -> None:
        """Raises UsageError, once, if the player has failed."""
        if self._process is not None and self._process.poll() is not None:
            status, name, line = self._process.returncode, self._name, _first_line(self._errors)
            self._forget()
            if status:
                raise UsageError(f"{name} ended with {_status_words(status)}{line}")

    def _forget(self) -> None:
        if self._errors is not None:
            self._errors.close()
        self._process, self._errors = None, None

    def _start(self, command: list[str], fails_within_s: float) -> str:
        """Start a process in a session of its own, with no terminal; returns how it failed at once, empty if it did not."""
        # a pipe that nobody reads would stop a player that prints much; _forget closes the file
        errors = tempfile.TemporaryFile()  # noqa: SIM115
        nothing = subprocess.DEVNULL
        try:
            process = subprocess.Popen(command, stdin=nothing, stdout=nothing, stderr=errors, start_new_session=True)
        except OSError as error:
            errors.close()
            return f"cannot be started ({error.strerror})"
        self._process, self._errors, self._name = process, errors, command[0]
        try:
            status = process.wait(fails_within_s)
        except subprocess.TimeoutExpired:
            return ""
        if not status:
            return ""
        line = _first_line(errors)
        self._forget()
        return f"ended at once with {_status_words(status)}{line}"


def _words(source: str, command: str) -> list[str]:
    if shutil.which(command):  # a path with spaces or backslashes is not a list of words
        return [command]
    try:
        return shlex.split(command)
    except ValueError as error:
        raise UsageError(f"{source} {command!r} is not a command: {error}; close the quotation marks") from None


def _ending(command: list[str]) -> list[str]:
    """``command`` with the option that ends a player with the song, where it needs one."""
    option = _ENDS_WITH_SONG.get(Path(command[0]).stem)
    return command if option is None or option in command else [*command, option]


def _offered() -> tuple[str, ...]:
    """Commands to try."""
    if sys.platform == "darwin":
        return (*_OFFERED, "open")
    desktop = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return (*_OFFERED, "xdg-open") if desktop else _OFFERED


def _signal(process: "subprocess.Popen[bytes]", name: str) -> None:
    """Send a signal to a player and the processes that it started."""
    if sys.platform == "win32":
        process.terminate()
        return
    with suppress(ProcessLookupError):  # has ended meanwhile
        os.killpg(process.pid, getattr(signal, name))


def _status_words(status: int) -> str:
    return f"status {status}" if status > 0 else f"signal {-status}"


def _first_line(errors: IO[bytes] | None) -> str:
    """What a player says first, after a colon; empty if nothing."""
    if errors is None:
        return ""
    errors.seek(0)
    lines = errors.read(8192).decode(errors="replace").splitlines()
    line = next((line.strip() for line in lines if line.strip()), "")
    return f": {line[:_LONGEST_LINE]}" if line else ""
