"""Songs that play while 04 runs: radio, and the end of what plays with the end of the script."""

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from songmap.core.cli import ENDING_SIGNALS
from songmap.core.errors import UsageError
from songmap.core.text import one_line
from songmap.library.display_names import display_name
from songmap.similar.player import Player
from songmap.similar.requests import RadioRequest, Setting
from songmap.similar.session import Session
from songmap.similar.song import Song

_TWICE_WITHIN_S = 1.0  # Ctrl-C once goes to the next song, twice ends radio
_LISTED = 25  # songs that radio lists without a player, unless a number is given
_NO_PLAYER = "no player found, so radio only lists songs; give one, e.g. --player 'mpv --no-video'"
_TOO_SHORT_S = 1.0  # a player that ends sooner, with a longer song, has only handed it on


@contextmanager
def ending_with_script(player: Player) -> Iterator[None]:
    """Nothing plays on after the block, however it ends: by an error, Ctrl-C, SIGTERM, or a terminal that is closed."""

    def end(number: int, frame: Any) -> None:
        raise SystemExit(128 + number)

    # nohup has a process ignore that its terminal is closed
    numbers = [
        number for number in ENDING_SIGNALS if number != signal.SIGINT and signal.getsignal(number) != signal.SIG_IGN
    ]
    before = {number: signal.signal(number, end) for number in numbers}
    try:
        yield
    finally:
        player.stop()
        for number, handler in before.items():
            signal.signal(number, handler)


def play_radio(session: Session, request: RadioRequest, setting: Setting) -> Iterator[str]:
    """Play song after song, each announced by a line; Ctrl-C goes to the next one, twice within a second it ends radio.

    Without a player the lines alone. Raises UsageError if the player fails.
    """
    interrupted, player = -_TWICE_WITHIN_S, session.player
    try:
        for number, song in enumerate(session.radio(request, setting), start=1):
            started = time.monotonic()
            try:
                command = player.play(song.file_path, request.player)
                if number == 1:
                    yield "Ctrl-C: next song; twice: end" if command else _NO_PLAYER
                yield radio_line(number, song)
                player.wait()
            except KeyboardInterrupt:
                if time.monotonic() - interrupted < _TWICE_WITHIN_S:
                    raise
                interrupted = time.monotonic()
                print("next song", file=sys.stderr, flush=True)
                continue
            if command is None:
                if number == _LISTED and request.number is None:
                    return
            elif time.monotonic() - started < min(_TOO_SHORT_S, song.duration / 2):
                raise UsageError(f"{command} ended before the song did; give another --player, e.g. 'mpv --no-video'")
    finally:
        player.stop()


def radio_line(number: int, song: Song) -> str:
    """Number, name, tempo and key of a song."""
    name = display_name(song.song_name, song.artist, song.title)
    tempo = [f"{song.tempo_bpm:.0f} BPM"] if song.tempo_bpm > 0 else []
    return "  ".join([f"{number:>3}", *map(one_line, [name, *tempo, *([song.key] if song.key else [])])])
