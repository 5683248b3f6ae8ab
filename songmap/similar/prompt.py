"""The commands of 04, the same on the command line and at its prompt.

At a terminal the prompt has history and completion; otherwise commands are read from standard input, one
a line. A command that fails is told in one line, and the next one goes on.
"""

import argparse
import re
import shlex
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from songmap.core.cli import Parser, fraction, whole_number
from songmap.core.errors import QueryError, SongmapError, UsageError
from songmap.similar.answers import Answer, Answers

PROMPT = "songmap>"
DEFAULT_NUMBER = 10
DEFAULT_DIVERSITY = 0.5
COMMANDS = """\
similar SONG [-n 10] [--copies]           songs most like SONG; of copies one, or all
diverse SONG [-n 10] [--diversity 0.5]    like SONG, but unlike each other
compare A vs B                            how alike two songs are, and why; or two names in quotes
list [GENRE]                              all songs, or those of one genre
genres                                    similarity within and between genres"""
HELP = f"""\
{COMMANDS}
help                                      this text; similar -h tells more of a command
quit                                      leave, as does Ctrl-D; Ctrl-C stops a command

SONG is a name, a part of one, a title, "artist - title", or the path of an audio file, also of one outside
the library. A name of several words needs no quotes, except two names without "vs". --json prints records."""
_SIMILARITY = "Similarity is a cosine, -1 to 1; 0 is about what two songs of the library picked at random have."


def add_commands(parser: argparse.ArgumentParser, shared: Sequence[argparse.ArgumentParser] = ()) -> Any:
    """Add the sub-commands to ``parser``, each with the options of ``shared``; returns where more can be added."""
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")

    def command(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(
            name, help=text, description=f"{text[0].upper()}{text[1:]}. {_SIMILARITY}",
            parents=list(shared),
        )  # fmt: skip

    similar = command("similar", "songs most like SONG")
    diverse = command("diverse", "songs like SONG, but unlike each other (maximal marginal relevance)")
    for one in (similar, diverse):
        one.add_argument("song", nargs="+", metavar="SONG", help="name, title or path; or another audio file")
        one.add_argument("-n", "--number", type=whole_number(1), default=DEFAULT_NUMBER, help="how many songs")
        one.add_argument("--copies", action="store_true", help="list every file of a recording, not only the first")
    diverse.add_argument(
        "--diversity", type=fraction, default=DEFAULT_DIVERSITY, metavar="D",
        help="0 is the same as similar, 1 looks only at how unlike each other they are",
    )  # fmt: skip
    compare = command("compare", "how alike two songs are, what each family of columns adds, facts side by side")
    compare.add_argument("songs", nargs="+", metavar="SONG", help="A vs B, or exactly two names, quoted where needed")
    listing = command("list", "all songs, or those of one genre")
    listing.add_argument("genre", nargs="*", metavar="GENRE", help="genre, all of them if left out")
    command("genres", "mean similarity within and between genres")
    return commands


def answer(answers: Answers, command: str, **request: Any) -> Answer:
    """What ``answers`` says to a command parsed by ``add_commands``."""
    if command == "similar":
        return answers.similar(" ".join(request["song"]), request["number"], request["copies"])
    if command == "diverse":
        return answers.diverse(" ".join(request["song"]), request["number"], request["diversity"], request["copies"])
    if command == "compare":
        return answers.compare(*split_pair(request["songs"]))
    if command == "list":
        return answers.list(" ".join(request["genre"]) or None)
    return answers.genres()


def split_pair(words: Sequence[str]) -> tuple[str, str]:
    """Two names: what stands around the one word ``vs``, or exactly two words. Raises QueryError."""
    if words.count("vs") == 1:
        middle = words.index("vs")
        pair = " ".join(words[:middle]), " ".join(words[middle + 1 :])
        if all(pair):
            return pair
    elif len(words) == 2:
        return words[0], words[1]
    raise QueryError(f"compare takes two songs, not {' '.join(words)!r}; write A vs B, or two names in quotes")


def split_words(line: str) -> list[str]:
    """The words of a line, quoted as in a shell; an apostrophe inside a word, or one never closed, is a letter."""
    hidden = re.sub(r"(?<=\w)'(?=\w)", "\ue000", line)
    try:
        words = shlex.split(hidden)
    except ValueError:  # a quote that is not closed
        words = hidden.split()
    return [word.replace("\ue000", "'") for word in words]


class _LineParser(Parser):
    """Parses one line of the prompt: bad usage is an error like any other, told in one line."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message)


def line_parser(as_json: bool) -> argparse.ArgumentParser:
    """The parser of the prompt's lines; ``as_json`` is the default of each line's ``--json``."""
    parser = _LineParser(prog=PROMPT, add_help=False)
    shared = _LineParser(add_help=False)
    shared.add_argument("--json", action="store_true", dest="as_json", default=as_json, help="print records as JSON")
    commands = add_commands(parser, [shared])
    commands.required = True
    for name in ("help", "quit", "exit"):
        commands.add_parser(name, add_help=False)
    return parser


def interact(answers: Answers, as_json: bool) -> int:
    """Answer commands until the end of input or ``quit``. Returns the exit status.

    That is 0 at a terminal; otherwise 0 or, if a command failed, 2.
    """
    parser = line_parser(as_json)
    if sys.stdin.isatty():
        return _converse(parser, answers)
    reconfigure: Any = getattr(sys.stdin, "reconfigure", None)
    if reconfigure:  # a path that is no UTF-8 can still be asked for
        reconfigure(errors="surrogateescape")
    status = 0
    for number, line in enumerate(sys.stdin, start=1):
        try:
            if not _execute(parser, answers, line):
                break
        except SongmapError as error:
            _tell(f"line {number}: {error}")
            status = 2
    return status


def _converse(parser: argparse.ArgumentParser, answers: Answers) -> int:
    read_line = _line_reader(answers)
    n_songs, n_genres = len(answers.library), len(set(answers.library.genres))
    _tell(f"{n_songs:,} songs, {n_genres:,} genres; help lists the commands, Ctrl-D leaves")
    while True:
        try:
            if not _execute(parser, answers, read_line()):
                return 0
        except SongmapError as error:
            _tell(str(error))
        except KeyboardInterrupt:
            _tell("stopped")
        except EOFError:
            return 0


def _execute(parser: argparse.ArgumentParser, answers: Answers, line: str) -> bool:
    """Do what one line asks for; whether to go on. Raises SongmapError."""
    words = split_words(line)
    if not words:
        return True
    try:
        request = vars(parser.parse_args(words))
    except SystemExit:  # -h has printed the help of a command
        return True
    command = request.pop("command")
    if command in ("quit", "exit"):
        return False
    if command == "help":
        print(HELP, flush=True)
    else:
        as_json = request.pop("as_json")
        print(answer(answers, command, **request).text(as_json), flush=True)
    return True


def _line_reader(answers: Answers) -> Callable[[], str]:
    """Reads a line at the terminal, with history and completion, also where stdout goes to a file."""
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import Completer, NestedCompleter, ThreadedCompleter, WordCompleter
    from prompt_toolkit.output.defaults import create_output

    names = sorted(set(answers.library.songs["song_name"]))
    songs = WordCompleter(names, ignore_case=True, sentence=True, match_middle=True)
    # a quoted name that is being typed, or a word without quotes
    pair = WordCompleter([f'"{name}"' for name in names], ignore_case=True, pattern=re.compile(r'"[^"]*"?|[^\s"]+'))
    genres = WordCompleter(sorted(set(answers.library.genres)), ignore_case=True, sentence=True)
    completers: dict[str, Completer | None] = {
        "similar": songs, "diverse": songs, "compare": pair, "list": genres, "genres": None, "help": None, "quit": None,
    }  # fmt: skip
    completer = ThreadedCompleter(NestedCompleter(completers))
    session = PromptSession(f"{PROMPT} ", completer=completer, output=create_output(always_prefer_tty=True))
    return session.prompt


def _tell(message: str) -> None:
    print(" ".join(message.split()), file=sys.stderr, flush=True)
