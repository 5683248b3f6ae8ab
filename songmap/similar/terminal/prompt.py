"""04's prompt: a line at a time, with history and completion at a terminal, from standard input elsewhere.

At a terminal a command that fails prints one line and the next one goes on; Ctrl-C stops a command, not the
session. Lines from elsewhere stop at the first failure, except with ``keep_going``.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from songmap.core.cli import Parser, print_error
from songmap.core.errors import QueryError, SongmapError, UsageError
from songmap.core.pager import show
from songmap.core.tables import terminal_columns
from songmap.core.text import shown_path, wrapped
from songmap.library.display_names import display_names
from songmap.library.glossary import GLOSSARY, term
from songmap.library.names import EXACTLY, Ambiguous, SimilarSpelling
from songmap.similar.requests import renamed
from songmap.similar.session import Session
from songmap.similar.terminal.commands import HELP, Command, add_commands, add_setting, command_of
from songmap.similar.terminal.parser import CommandParser
from songmap.similar.terminal.reply import numbered_line, reply
from songmap.similar.terminal.words import SeveralReadings, quoted, split_words

if TYPE_CHECKING:
    from prompt_toolkit.history import History

PROMPT = "songmap>"
_CLOSE = 0.7  # letters in common of a mistyped command and the one meant, see difflib
MAX_OFFERED = 30  # songs of an ambiguous name that are offered by number


class _LineParser(Parser):
    """Parses one line of the prompt: bad usage is an error like any other, printed in one line."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message)


class _LineCommandParser(_LineParser, CommandParser):
    """Parses what follows the verb."""


def line_parser() -> tuple[Parser, dict[str, CommandParser]]:
    """The parser of the prompt's lines, and those of its commands; settings not given are not in the namespace."""
    parser = _LineParser(prog=PROMPT, add_help=False)
    shared = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    add_setting(shared)
    commands = add_commands(parser, shared, _LineCommandParser)
    commands.required = True
    for name, text in (("help", "All commands, or more of one."), ("quit", "Leave."), ("exit", "Leave.")):
        commands.add_parser(name, description=text)
    return parser, commands.choices


class Conversation:
    """The lines of one session: each command with the options ``given`` at the start, unless the line has others."""

    def __init__(self, session: Session, given: Mapping[str, Any]) -> None:
        self.session = session
        self._parser, self.commands = line_parser()
        self._given = dict(given)
        self._choices: list[Command] = []  # the commands of an offered choice, by number

    def answer(self, line: str, choose: bool = False) -> bool:
        """Print the reply to one line; whether to go on. Raises SongmapError.

        With ``choose``, at a terminal, an ambiguous name lists its songs by number, a line that is a number chooses
        one, a line without a command shows the song that it names, and what plays does so beside the prompt.
        """
        words = split_words(line)
        if not words:
            return True
        if words in (["quit"], ["exit"]):
            return False
        command = self._chosen(words) or self._parsed(words, choose)
        if command is None:
            return True
        self._choices = []
        try:
            for text in reply(self.session, command, choose):
                show(text)
        except Ambiguous as error:
            if not choose:
                raise
            self._offer_songs(command, error)
        except BrokenPipeError:  # nobody reads any more
            raise
        except OSError as error:  # a full disk, a folder that was removed
            raise UsageError(f"{error.filename}: {error.strerror}" if error.filename else str(error)) from error
        return True

    def _parsed(self, words: list[str], choose: bool) -> Command | None:
        """The command that words make, with ``choose`` `info` of a song alone; None where they want help or a choice."""
        if words[0] == "help":
            print(help_text(" ".join(words[1:]), self.commands), flush=True)
            return None
        if choose and self._is_song(words):
            words = ["info", "--", *words]
        if words[0] not in self.commands and not words[0].startswith("-"):
            raise UsageError(
                f"no command{' or song' * choose} {words[0]!r}; {_suggestion(words[0], self.commands, 'help lists the commands')}"
            )
        with suppress(SystemExit):  # --help has printed that of a command
            arguments = self._given | vars(self._parser.parse_args(words))
            try:
                return command_of(arguments, self.session.grade)
            except SeveralReadings as error:
                if not choose:
                    raise
                self._choices = [command_of(arguments | {"words": one}) for one in error.readings]
                print("This can be read in several ways. Type a number:")
                for number, one in enumerate(error.readings, start=1):
                    print(numbered_line(number, quoted(one)))
        return None

    def _is_song(self, words: list[str]) -> bool:
        """Whether a line without a command names a song; a mistyped command does only if a song has exactly that name."""
        if words[0] in self.commands or words[0].startswith("-") or (len(words) == 1 and words[0].isdecimal()):
            return False
        grade = self.session.grade(" ".join(words))
        if get_close_matches(words[0], self.commands, 1, _CLOSE) and (len(words) == 1 or not grade):
            return grade == EXACTLY
        try:
            self.session.lookup.find(" ".join(words), self.session.last)
        except Ambiguous:
            return True
        except QueryError:
            return False
        return True

    def _chosen(self, words: list[str]) -> Command | None:
        """The command of the only word, a number."""
        if len(words) > 1 or not words[0].isdecimal():
            return None
        number = int(words[0])
        if not self._choices:
            raise UsageError(f"{number} is not a command. Add one, e.g. `info {number}`")
        if not 1 <= number <= len(self._choices):
            raise UsageError(f"{number} is out of range, give 1 to {len(self._choices)}, or another command")
        return self._choices[number - 1]

    def _offer_songs(self, command: Command, error: Ambiguous) -> None:
        songs = self.session.library.songs.iloc[error.rows]
        paths = songs["file_path"].tolist()[:MAX_OFFERED]
        self._choices = [replace(command, request=renamed(command.request, error.query, path)) for path in paths]
        similar = isinstance(error, SimilarSpelling)
        none = f"No song is called {error.query!r}; {len(songs):,} have similar names"
        print(f"{none if similar else f'{len(songs):,} songs match {error.query!r}'}. Type a number:")
        labels = [f"{name} [{genre}]" for name, genre in zip(display_names(songs), songs["genre"], strict=True)]
        for number, (label, path) in enumerate(zip(labels, paths, strict=False), start=1):
            print(numbered_line(number, label, *([shown_path(path)] if labels.count(label) > 1 else [])))
        if len(songs) > MAX_OFFERED:
            print(f"     and {len(songs) - MAX_OFFERED:,} more; give more of the name")


def help_text(text: str, commands: Mapping[str, CommandParser]) -> str:
    """All commands, more of one of them, or what a word of the glossary means. Raises UsageError for another word."""
    if not text:
        return HELP
    if text in commands:
        return commands[text].format_help()
    if (word := term(text)) is not None:
        return wrapped(f"{word}: {GLOSSARY[word]}", terminal_columns())
    advice = _suggestion(text, commands, f"words are {', '.join(GLOSSARY)}")
    raise UsageError(f"no command or word {text!r}; {advice}")


def _suggestion(text: str, commands: Iterable[str], otherwise: str) -> str:
    nearest = get_close_matches(text, list(commands), 1, _CLOSE)
    return f"did you mean {nearest[0]}?" if nearest else otherwise


def interact(session: Session, given: Mapping[str, Any], keep_going: bool) -> int:
    """Run commands until the end of input or ``quit``; ``given`` are the options before them.

    Returns the exit status: 0 at a terminal. Elsewhere a command that fails raises its SongmapError, with the line's
    number, or with ``keep_going`` prints it, and the status is 2 in the end.
    """
    conversation = Conversation(session, given)
    if sys.stdin.isatty():
        return _converse(conversation)
    reconfigure: Any = getattr(sys.stdin, "reconfigure", None)
    if reconfigure:  # so that a path that is not UTF-8 can be given
        reconfigure(errors="surrogateescape")
    status = 0
    for number, line in enumerate(sys.stdin, start=1):
        try:
            if not conversation.answer(line):
                break
            session.player.wait()
        except SongmapError as error:
            if not keep_going:
                raise UsageError(f"line {number}: {error}") from error
            print_error(f"line {number}: {error}")
            status = 2
    return status


def _converse(conversation: Conversation) -> int:
    read_line = _line_reader(conversation)
    library = conversation.session.library
    n_genres = len(set(library.genres))
    print_error(f"{len(library):,} songs, {n_genres:,} genres; help lists the commands, Tab completes, Ctrl-D leaves")
    while True:
        try:
            conversation.session.player.check()
            if not conversation.answer(read_line(), choose=True):
                return 0
        except SongmapError as error:
            print_error(str(error))
        except KeyboardInterrupt:
            print_error("stopped")
        except EOFError:
            return 0


def _line_reader(conversation: Conversation) -> Callable[[], str]:
    """Reads a line at the terminal, with history and completion, also where stdout goes to a file."""
    from prompt_toolkit import PromptSession
    from prompt_toolkit.application import get_app
    from prompt_toolkit.filters import Condition
    from prompt_toolkit.output.defaults import create_output

    from songmap.similar.terminal.completion import SongCompleter, tab_bindings

    songs = conversation.session.library.songs
    completer = SongCompleter(conversation.commands, songs)
    session: PromptSession[str] = PromptSession(
        f"{PROMPT} ", completer=completer, complete_in_thread=True, key_bindings=tab_bindings(completer),
        history=_history(), output=create_output(always_prefer_tty=True),
        # the menu's lines are kept free only while something is typed: they would push off the screen what was printed
        complete_while_typing=Condition(lambda: bool(get_app().current_buffer.text)),
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
