"""04 · Library → which songs are similar, why, and which go well after each other.

Reads data/processed/ (made by 01). Without a command it opens a prompt with the same commands; where
standard input is not a terminal it reads them from there, one a line. SONG is a name, a part of one, a
title, "artist - title", or the path of an audio file, also of one outside the library; A + B are several
songs, -C one to steer away from.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from songmap.core.cli import new_parser, script_main
from songmap.core.cli import workspace as workspace_type
from songmap.core.workspace import Workspace
from songmap.similar.terminal.commands import SETTING, add_commands, add_setting, command_of


def build_parser() -> argparse.ArgumentParser:
    parser = new_parser(__doc__)
    add_setting(parser)
    parser.set_defaults(**SETTING)
    text = "without a terminal: go on after a command that fails"
    parser.add_argument("--keep-going", action="store_true", help=text)
    # the same options after the command; unset they leave the first
    shared = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    shared.add_argument("--workspace", type=workspace_type, metavar="DIR", help="as before COMMAND")
    add_setting(shared)
    add_commands(parser, shared)
    return parser


def run(workspace: Workspace, keep_going: bool, **arguments: Any) -> int:
    from songmap.core.pager import show
    from songmap.library.library import load_library
    from songmap.similar.session import Session
    from songmap.similar.terminal.playing import ending_with_script
    from songmap.similar.terminal.prompt import interact
    from songmap.similar.terminal.reply import reply

    session = Session(load_library(workspace), workspace)
    with ending_with_script(session.player):
        if not arguments["command"]:
            return interact(session, arguments, keep_going)
        for text in reply(session, command_of(arguments, session.grade), at_terminal=sys.stdout.isatty()):
            show(text)
        session.player.wait()
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    return script_main(build_parser(), run, argv)


if __name__ == "__main__":
    sys.exit(main())
