"""04 · Library → which songs are alike, why, and how genres compare.

Reads data/processed/ (made by 01). Without a command it opens a prompt with the same commands; where
standard input is no terminal it reads them from there, one a line. SONG is a name, a part of one, a
title, "artist - title", or the path of an audio file, also of one outside the library.
"""

import argparse
import sys
from typing import Any

from songmap.core.artifacts import load_library
from songmap.core.cli import new_parser, script_main, workspace
from songmap.core.config import Workspace
from songmap.core.nearest import SPACES
from songmap.similar.answers import Answers
from songmap.similar.prompt import add_commands, interact, reply


def build_parser() -> argparse.ArgumentParser:
    parser = new_parser(__doc__)
    add_options(parser, space=SPACES[0], as_json=False)
    shared = argparse.ArgumentParser(add_help=False)  # the same options after the command; unset they leave the first
    shared.add_argument(
        "--workspace", type=workspace, default=argparse.SUPPRESS, metavar="DIR", help="as before COMMAND"
    )
    add_options(shared, space=argparse.SUPPRESS, as_json=argparse.SUPPRESS)
    add_commands(parser, [shared])
    return parser


def add_options(parser: argparse.ArgumentParser, space: str, as_json: bool | str) -> None:
    parser.add_argument(
        "--space", choices=SPACES, default=space,
        help="balanced: the seven families of columns decide alike; scaled: every column does, so mel bands decide 80 %%",
    )  # fmt: skip
    parser.add_argument(
        "--json",
        action="store_true",
        dest="as_json",
        default=as_json,
        help="print one JSON document per command instead of tables",
    )


def run(workspace: Workspace, space: str, as_json: bool, command: str | None, **request: Any) -> int:
    answers = Answers(load_library(workspace), space)
    if command is None:
        return interact(answers, as_json)
    for text in reply(answers, command, as_json, **request):
        print(text, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(script_main(build_parser(), run))
