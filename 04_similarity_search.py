"""04 · Library → which songs are similar, why, and which go well after each other.

Reads data/processed/ (made by 01). Without a command it opens a prompt with the same commands; where
standard input is not a terminal it reads them from there, one a line. SONG is a name, a part of one, a
title, "artist - title", or the path of an audio file, also of one outside the library; A + B are several
songs, -C one to steer away from.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from songmap.core.cli import new_parser, script_main
from songmap.core.cli import workspace as workspace_type
from songmap.core.text import capitalised
from songmap.core.workspace import Workspace
from songmap.similar.terminal.commands import SETTING, add_commands, add_setting, command_of
from songmap.similar.terminal.parser import CommandParser


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
    commands = add_commands(parser, shared)
    text = "more of a command, or what a word of the results means"
    one = commands.add_parser("help", help=text, description=f"{capitalised(text)}.", parents=[shared])
    one.add_argument("words", nargs="*", metavar="WORD", help="a command or a word; all commands if left out")
    parser.set_defaults(commands=commands.choices)
    return parser


def run(workspace: Workspace, keep_going: bool, commands: Mapping[str, CommandParser], **arguments: Any) -> int:
    from songmap.core.pager import show
    from songmap.library.library import load_library
    from songmap.similar.session import Session
    from songmap.similar.terminal.playing import ending_with_script
    from songmap.similar.terminal.prompt import help_text, interact
    from songmap.similar.terminal.reply import reply

    if arguments["command"] == "help":
        show(help_text(" ".join(arguments["words"]), commands))
        return 0
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
