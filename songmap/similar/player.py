"""The user's player, started on a song and left to itself.

Which one: the one given, then ``$SONGMAP_PLAYER``, then what the system offers. A command may hold
arguments, as in ``mpv --no-video``; the path comes after them.
"""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from songmap.core.errors import UsageError

VARIABLE = "SONGMAP_PLAYER"
# Without a window and quiet, since they start with no terminal; then what plays only some formats.
_WITHOUT_DESKTOP = (
    "mpv --no-video --no-terminal",
    "ffplay -nodisp -autoexit -loglevel quiet",
    "cvlc --play-and-exit",
    "afplay",
    "pw-play",
    "paplay",
)
_FAILS_WITHIN_S = 0.4  # a player that cannot play says so by then; one that runs on is playing


def play(path: str | Path, player: str | None = None, fails_within_s: float = _FAILS_WITHIN_S) -> str | None:
    """Start a player on ``path``, a song or a playlist; returns the command that plays it, None if there is no player.

    The player runs on by itself, without the terminal; waited for is only whether it ends with an error at once,
    ``fails_within_s``. Then the next of the system's players is tried; one that the user chose raises UsageError,
    as does a path that does not exist.
    """
    place = Path(path).absolute()  # so that no name looks like an option
    if not place.exists():
        raise UsageError(f"{place} does not exist; was it moved? run 01_feature_extraction.py again")
    for source, chosen in (("--player", player), (f"${VARIABLE}", os.environ.get(VARIABLE))):
        if chosen and chosen.strip():
            failure = _start(command := [*_words(source, chosen), str(place)], fails_within_s)
            if failure:
                raise UsageError(f"{source} {chosen!r} {failure}; give the command of a player")
            return shlex.join(command)
    if sys.platform == "win32":
        os.startfile(place)
        return f"start {place}"
    for offered in _offered():
        command = [*shlex.split(offered), str(place)]
        if shutil.which(command[0]) and not _start(command, fails_within_s):
            return shlex.join(command)
    return None


def _words(source: str, command: str) -> list[str]:
    if shutil.which(command):  # a path with spaces or backslashes is not a list of words
        return [command]
    try:
        return shlex.split(command)
    except ValueError as error:
        raise UsageError(f"{source} {command!r} is not a command: {error}; close the quotation marks") from None


def _offered() -> tuple[str, ...]:
    """Commands to try: what opens a song on this desktop, if there is one, then players that need none."""
    if sys.platform == "darwin":
        return ("open", *_WITHOUT_DESKTOP)
    desktop = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return ("xdg-open", *_WITHOUT_DESKTOP) if desktop else _WITHOUT_DESKTOP


def _start(command: list[str], fails_within_s: float) -> str:
    """Start a process in a session of its own, with no terminal; returns how it failed at once, empty if it did not."""
    nothing = subprocess.DEVNULL
    try:
        process = subprocess.Popen(command, stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True)
    except OSError as error:
        return f"cannot be started ({error.strerror})"
    try:
        status = process.wait(fails_within_s)
    except subprocess.TimeoutExpired:
        return ""
    return f"ended at once with status {status}" if status else ""
