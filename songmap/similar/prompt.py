"""04's prompt: a line at a time, with history and completion at a terminal, from standard input elsewhere.

At a terminal a command that fails is told in one line and the next one goes on; Ctrl-C stops a command, not the
session. Lines from elsewhere stop at the first failure, unless told to keep going.
"""

import argparse
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from songmap.core.cli import Parser
from songmap.core.errors import SongmapError, UsageError
from songmap.core.text import readable
from songmap.library.names import Ambiguous
from songmap.similar.commands import HELP, CommandParser, add_commands, add_setting, split_words
from songmap.similar.desk import Desk, one_line

if TYPE_CHECKING:
    from prompt_toolkit.history import History

PROMPT = "songmap>"
MAX_OFFERED = 30  # songs that a name may mean that are offered by number


class _LineParser(Parser):
    """Parses one line of the prompt: bad usage is an error like any other, told in one line."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message)


class _LineCommandParser(_LineParser, CommandParser):
    """Parses what follows the verb."""


def line_parser() -> tuple[Parser, dict[str, CommandParser]]:
    """The parser of the prompt's lines, and those of its commands; settings not given leave no trace."""
    parser = _LineParser(prog=PROMPT, add_help=False)
    shared = _LineParser(add_help=False)
    add_setting(shared, missing=True)
    commands = add_commands(parser, [shared], _LineCommandParser)
    commands.required = True
    for name, text in (("help", "All commands, or more of one."), ("quit", "Leave."), ("exit", "Leave.")):
        commands.add_parser(name, description=text)
    return parser, commands.choices


class Conversation:
    """The lines of one session: each request in the ``setting`` it begins with, unless the line says otherwise."""

    def __init__(self, desk: Desk, setting: dict[str, Any]) -> None:
        self.desk = desk
        self._parser, self.commands = line_parser()
        self._setting = setting
        self._open: argparse.Namespace | None = None  # a request with a name that means several songs,
        self._name = ""  # this one,
        self._paths: list[str] = []  # which of these it is being the question

    def answer(self, line: str, ask: bool = False) -> bool:
        """Print what one line asks for; whether to go on. Raises SongmapError.

        With ``ask`` a name that means several songs lists them by number, and a line that is a number answers.
        """
        words = split_words(line)
        if not words:
            return True
        request = self._chosen(words) or self._parsed(words)
        self._open = None
        if request is None:
            return True
        if request.command in ("quit", "exit"):
            return False
        if request.command == "help":
            print(HELP, flush=True)
            return True
        try:
            for text in self.desk.reply(request):
                print(text, flush=True)
        except Ambiguous as error:
            if not ask:
                raise
            self._offer(request, error)
        except BrokenPipeError:  # nobody reads any more
            raise
        except OSError as error:  # a full disk, a folder that is gone
            raise UsageError(f"{error.filename}: {error.strerror}" if error.filename else str(error)) from error
        return True

    def _parsed(self, words: list[str]) -> argparse.Namespace | None:
        """The request that words make; None if they asked for a command's help, which is printed."""
        if words[0] == "help" and len(words) > 1:
            words = [words[1], "--help"]
        with suppress(SystemExit):  # -h has printed the help of a command
            return argparse.Namespace(**self._setting | vars(self._parser.parse_args(words)))
        return None

    def _chosen(self, words: list[str]) -> argparse.Namespace | None:
        """The open request, its name now the path of the song whose number the only word is."""
        if len(words) > 1 or not words[0].isdecimal():
            return None
        number, request = int(words[0]), self._open
        if request is None:
            raise UsageError(
                f"{number} alone asks nothing; for a song of the last answer give a command too: info {number}"
            )
        if not 1 <= number <= len(self._paths):
            raise UsageError(f"{number} is out of range, give 1 to {len(self._paths)}, or another command")
        for names in (request.songs, request.away):
            names[:] = [self._paths[number - 1] if name == self._name else name for name in names]
        return request

    def _offer(self, request: argparse.Namespace, error: Ambiguous) -> None:
        songs = self.desk.library.songs.iloc[error.rows]
        self._open, self._paths = request, songs["file_path"].tolist()[:MAX_OFFERED]
        self._name = error.query
        print(f"{self._name!r} means {len(songs):,} songs; give the number of one")
        labels = [f"{name} [{genre}]" for name, genre in zip(songs["song_name"], songs["genre"], strict=True)]
        for number, (label, path) in enumerate(zip(labels, self._paths, strict=False), start=1):
            print(one_line(f"{number:>3}", label, *([path] if labels.count(label) > 1 else [])))
        if len(songs) > MAX_OFFERED:
            print(f"     and {len(songs) - MAX_OFFERED:,} more; give more of the name")


def interact(desk: Desk, setting: dict[str, Any], keep_going: bool) -> int:
    """Answer commands until the end of input or ``quit``. Returns the exit status.

    At a terminal that is 0. Elsewhere a command that fails raises its SongmapError, with the line's number, or with
    ``keep_going`` is told, and the status is 2 in the end.
    """
    conversation = Conversation(desk, setting)
    if sys.stdin.isatty():
        return _converse(conversation)
    reconfigure: Any = getattr(sys.stdin, "reconfigure", None)
    if reconfigure:  # a path that is no UTF-8 can still be asked for
        reconfigure(errors="surrogateescape")
    status = 0
    for number, line in enumerate(sys.stdin, start=1):
        try:
            if not conversation.answer(line):
                break
        except SongmapError as error:
            if not keep_going:
                raise UsageError(f"line {number}: {error}") from error
            _tell(f"line {number}: {error}")
            status = 2
    return status


def _converse(conversation: Conversation) -> int:
    read_line = _line_reader(conversation)
    library = conversation.desk.library
    n_genres = len(set(library.genres))
    _tell(f"{len(library):,} songs, {n_genres:,} genres; help lists the commands, Tab completes, Ctrl-D leaves")
    while True:
        try:
            if not conversation.answer(read_line(), ask=True):
                return 0
        except SongmapError as error:
            _tell(str(error))
        except KeyboardInterrupt:
            _tell("stopped")
        except EOFError:
            return 0


def _line_reader(conversation: Conversation) -> Callable[[], str]:
    """Reads a line at the terminal, with history and completion, also where stdout goes to a file."""
    from prompt_toolkit import PromptSession
    from prompt_toolkit.output.defaults import create_output

    from songmap.similar.completion import SongCompleter, tab_bindings

    songs = conversation.desk.library.songs
    completer = SongCompleter(conversation.commands, songs["song_name"].tolist(), songs["genre"].tolist())
    session: PromptSession[str] = PromptSession(
        f"{PROMPT} ", completer=completer, complete_in_thread=True, key_bindings=tab_bindings(completer),
        history=_history(), output=create_output(always_prefer_tty=True),
    )  # fmt: skip
    return session.prompt


def _history() -> "History":
    """The lines of earlier sessions, in the user's state folder; of this one only where that cannot be written."""
    from prompt_toolkit.history import FileHistory, InMemoryHistory

    class KeptHistory(FileHistory):
        def store_string(self, string: str) -> None:
            with suppress(OSError):  # a full disk does not end a session
                super().store_string(string)

    try:
        state = Path(os.environ.get("XDG_STATE_HOME") or "~/.local/state").expanduser()
        file = state / "songmap" / "history"
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.open("ab").close()
    except (OSError, RuntimeError):  # RuntimeError: no home
        return InMemoryHistory()
    return KeptHistory(file)


def _tell(message: str) -> None:
    print(readable(" ".join(message.split())), file=sys.stderr, flush=True)
