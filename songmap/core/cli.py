"""What every script's command line shares: the workspace argument, and errors as one line.

Exit status: 0 done; 1 ran, but nothing usable came out or something asked for failed; 2 bad usage or
unusable input; 128 + n ended by signal n: 130 by Ctrl-C, 143 by SIGTERM, 129 by a terminal that was closed.
"""

import argparse
import difflib
import errno
import logging
import os
import signal
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from songmap.core.errors import SongmapError
from songmap.core.streams import open_streams
from songmap.core.tables import CSV_KINDS, terminal_columns
from songmap.core.text import one_line, shorten, wrapped
from songmap.core.workspace import Workspace

# Ctrl-C, a request to end, and the closing of the terminal, which Windows does not have
ENDING_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
_A_FILE = "a file is where a folder must be: move it, or choose another place"
_READ_ONLY = "change its permissions, or choose another place"
_ADVICE = {
    errno.ENOENT: "check how it is written",
    errno.ENOTDIR: _A_FILE,
    errno.EEXIST: _A_FILE,
    errno.EISDIR: "give a file, not a folder",
    errno.EACCES: _READ_ONLY,
    errno.EPERM: _READ_ONLY,
    errno.EROFS: "choose another place",
    errno.ENOSPC: "free some space, or choose another place",
    errno.ENAMETOOLONG: "give a shorter one",
}
_LONGEST_PATH = 300  # that is printed of a path that no system takes
CSV_HELP = "text in CSV files: what a spreadsheet would take for a formula gets ' in front; raw, for programs, has none"


class _HelpFormatter(argparse.ArgumentDefaultsHelpFormatter):
    """Shows defaults, except where there is none to show, and fills the paragraphs of a description."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n\n".join(textwrap.fill(" ".join(part.split()), width) for part in text.split("\n\n"))

    def _get_help_string(self, action: argparse.Action) -> str | None:
        if action.default in (None, False, argparse.SUPPRESS, [], ()):
            return action.help
        if isinstance(action.default, list | tuple):
            return f"{action.help} (default: {' '.join(map(str, action.default))})"
        return super()._get_help_string(action)


class Parser(argparse.ArgumentParser):
    """Reports bad usage in one line with exit status 2, a mistyped choice with the nearest valid one."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"formatter_class": _HelpFormatter} | options)

    def error(self, message: str) -> NoReturn:
        print_error(f"{self.prog}: {message} (see {self.prog} --help)")
        self.exit(2)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        return super().parse_known_args(self.with_values(sys.argv[1:] if args is None else args), namespace)

    def with_values(self, words: Sequence[str]) -> list[str]:
        """Words in which an option whose value may be left out has one; it takes a word only if that is a choice."""
        optional = {name: one for name, one in self._option_string_actions.items() if one.nargs == "?" and one.choices}
        left, result = list(words), []
        while left and left[0] != "--":
            word = left.pop(0)
            if (option := optional.get(word)) and option.choices:
                word = f"{word}={left.pop(0) if left and left[0] in option.choices else option.const}"
            result.append(word)
        return result + left

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            choices = [str(choice) for choice in action.choices]
            nearest = difflib.get_close_matches(str(value), choices, 1)
            listed = (" or " if any("," in choice for choice in choices) else ", ").join(choices)
            advice = f"did you mean {nearest[0]}?" if nearest else f"choose from {listed}"
            raise argparse.ArgumentError(action, f"no {value!r}; {advice}")


class _OneLine(logging.Formatter):
    """Warnings as one line, whatever names they hold."""

    def format(self, record: logging.LogRecord) -> str:
        return one_line(super().format(record))


def new_parser(description: str) -> argparse.ArgumentParser:
    """A parser with ``--workspace``, its description the script's docstring."""
    parser = Parser(description=description)
    help_text = "folder that holds data/ models/ outputs/"
    parser.add_argument("--workspace", type=workspace, default=Workspace.default(), metavar="DIR", help=help_text)
    return parser


def add_csv(parser: argparse.ArgumentParser) -> None:
    """Add ``--csv`` to a script that writes tables."""
    parser.add_argument("--csv", choices=CSV_KINDS, default=CSV_KINDS[0], dest="csv_kind", help=CSV_HELP)


def workspace(text: str) -> Workspace:
    """Argument type: a workspace folder, which need not exist."""
    if os.path.isfile(os.path.expanduser(text)):  # noqa: PTH111, PTH113 - Path.is_file raises for names too long
        raise argparse.ArgumentTypeError(f"{text} is a file, give a folder")
    return Workspace(Path(text).expanduser().resolve())


def whole_number(minimum: int, maximum: int | None = None) -> Callable[[str], int]:
    """Argument type: an integer within limits, both included."""

    limit = f"at least {minimum}" if maximum is None else f"{minimum} to {maximum}"

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{shorten(text, 80)!r} is not a whole number, give {limit}") from None
        if value < minimum or (maximum is not None and value > maximum):
            raise argparse.ArgumentTypeError(f"{value} is out of range, give {limit}")
        return value

    return parse


def number_from(minimum: float) -> Callable[[str], float]:
    """Argument type: a number of at least ``minimum``."""

    def parse(text: str) -> float:
        value = _number(text, f"at least {minimum:g}")
        if not minimum <= value < float("inf"):
            raise argparse.ArgumentTypeError(f"{text} is out of range, give at least {minimum:g}")
        return value

    return parse


def _number(text: str, limit: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{shorten(text, 80)!r} is not a number, give {limit}") from None


def fraction(text: str) -> float:
    """Argument type: a number between 0 and 1, both included."""
    value = _number(text, "0 to 1")
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is out of range, give 0 to 1")
    return value


def file_of(*suffixes: str) -> Callable[[str], Path]:
    """Argument type: a file to write, whose name has one of these endings."""

    def parse(text: str) -> Path:
        if Path(text).suffix.lower() not in suffixes:
            raise argparse.ArgumentTypeError(f"{text} does not end in {' or '.join(suffixes)}")
        return Path(text).expanduser()

    return parse


def print_error(message: str) -> None:
    """One line on stderr, whatever the message holds; at a terminal continued after a word where it is longer."""
    text = one_line(message)
    print(wrapped(text, terminal_columns()) if sys.stderr.isatty() else text, file=sys.stderr, flush=True)


@contextmanager
def stop_on_signal(advice: str) -> Iterator[Callable[[], int]]:
    """The first of ``ENDING_SIGNALS`` prints ``advice``, a second ends the process.

    The yielded function returns the number of the first, 0 before there was one.
    """
    first = 0

    def on_signal(number: int, frame: Any) -> None:
        nonlocal first
        if first:
            if sys.stderr.isatty():
                os.write(2, b"\x1b[?25h\n")  # the progress bar hides the cursor
            os._exit(128 + number)
        first = number
        for stream in terminals:
            if not os.isatty(stream):  # closed: whatever is printed from here on would fail
                os.dup2(nowhere, stream)
        print(f"\n{advice}", file=sys.stderr, flush=True)

    terminals = [stream for stream in (1, 2) if os.isatty(stream)]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    before = {number: signal.getsignal(number) for number in ENDING_SIGNALS}
    # nohup has a process ignore that its terminal is closed
    handled = [number for number in before if before[number] != signal.SIG_IGN or number == signal.SIGINT]
    for number in handled:
        signal.signal(number, on_signal)
    try:
        yield lambda: first
    finally:
        for number in handled:
            signal.signal(number, before[number])
        os.close(nowhere)


def script_main(parser: argparse.ArgumentParser, run: Callable[..., int], argv: Sequence[str] | None = None) -> int:
    """Run a script: parse, call ``run`` with the arguments by name, report errors as one line on stderr.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Its program name begins every error line.
    run : callable
        Takes the parsed arguments as keywords; returns the exit status.
    argv : sequence of str, optional
        The arguments; by default those of the process.

    Returns
    -------
    int
        Exit status. Errors of the code itself are not caught.
    """
    open_streams()
    arguments = vars(parser.parse_args(argv))
    warnings, log = logging.StreamHandler(sys.stderr), logging.getLogger("songmap")
    warnings.setFormatter(_OneLine(f"{parser.prog}: %(message)s"))
    log.addHandler(warnings)
    try:
        status = run(**arguments)
        sys.stdout.flush()
        return status
    except SongmapError as error:
        message = str(error)
    except BrokenPipeError:  # the reader, e.g. `head`, has closed its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:  # full disk, read-only or missing folder
        place = f"{shorten(str(error.filename), _LONGEST_PATH)}: " if error.filename else ""
        advice = f"; {_ADVICE[error.errno]}" if error.errno in _ADVICE else ""
        message = f"{place}{error.strerror or error}{advice}"
    except UnicodeEncodeError as error:  # a name for a file that the locale cannot write
        if sys.getfilesystemencoding() == "utf-8":
            raise
        message = f"{error.object} cannot be the name of a file in this locale; set LC_ALL=C.UTF-8 or PYTHONUTF8=1"
    except KeyboardInterrupt:
        print(f"\n{parser.prog}: interrupted", file=sys.stderr)
        return 130
    finally:
        log.removeHandler(warnings)
    print_error(f"{parser.prog}: {message}")
    return 2
