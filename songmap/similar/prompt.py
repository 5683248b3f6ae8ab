"""The commands of 04, the same on the command line and at its prompt.

At a terminal the prompt has history and completion; otherwise commands are read from standard input, one
a line. A command that fails is told in one line, and the next one goes on.
"""

import argparse
import json
import re
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

import pandas as pd

from songmap.core.cli import Parser, fraction, whole_number
from songmap.core.config import DEFAULT_SEED
from songmap.core.errors import QueryError, SongmapError, UsageError
from songmap.core.tables import readable
from songmap.similar.answers import Answers
from songmap.similar.m3u8 import write_playlist
from songmap.similar.player import play as player_command
from songmap.similar.playlists import MAX_PER_ARTIST
from songmap.similar.programme import PLAYLIST_SUFFIXES, Programme

PROMPT = "songmap>"
DEFAULT_NUMBER = 10
DEFAULT_PLAYLIST = 25
DEFAULT_PATH = 12
DEFAULT_DIVERSITY = 0.5
COMMANDS = """\
similar SONG [-n 10] [--copies]           songs most like SONG; of copies one, or all
diverse SONG [-n 10] [--diversity 0.5]    like SONG, but unlike each other
compare A vs B                            how alike two songs are, and why; or two names in quotes
playlist SONG [+ SONG] [-n 25]            songs like these, each following well; --start-bpm 90 --end-bpm 130
radio SONG [-n 50]                        song after song, drifting slowly, none twice
path A to B [-n 12]                       a smooth way from one song to another
order FILE.m3u8                           a playlist in its best running order
transitions FILE.m3u8 or A + B + C        how well each song follows the one before, and why
play SONG [--player "mpv"]                start your player on a song
list [GENRE]                              all songs, or those of one genre
genres                                    similarity within and between genres"""
HELP = f"""\
{COMMANDS}
help [COMMAND]                            this text, or more of one command
quit                                      leave, as does Ctrl-D; Ctrl-C stops a command

SONG is a name, a part of one, a title, "artist - title", or the path of an audio file, also of one outside
the library. A name of several words needs no quotes, except two names without "vs". --json prints records,
--m3u8 FILE writes the songs of an answer as a playlist."""
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
    playlist = command("playlist", "songs like SONG + SONG …, ordered for good transitions")
    playlist.add_argument("song", nargs="+", metavar="SONG", help="songs to begin with, joined by +")
    playlist.add_argument("-n", "--number", type=whole_number(2), default=DEFAULT_PLAYLIST, help="how many songs")
    playlist.add_argument(
        "--max-per-artist", type=whole_number(1), default=MAX_PER_ARTIST, metavar="N", help="songs of one artist"
    )
    for end in ("start", "end"):
        playlist.add_argument(
            f"--{end}-bpm",
            type=whole_number(20, 400),
            metavar="BPM",
            help=f"tempo at the {end} (default: the first song's)",
        )
    radio = command("radio", "song after song, drifting slowly, none twice")
    radio.add_argument("song", nargs="+", metavar="SONG", help="where it begins")
    radio.add_argument("-n", "--number", type=whole_number(1), help="how many songs (default: until stopped)")
    radio.add_argument("--seed", type=whole_number(0), default=DEFAULT_SEED, help="another seed is another way")
    way = command("path", "a smooth way from one song to another")
    way.add_argument("songs", nargs="+", metavar="SONG", help="A to B, or exactly two names, quoted where needed")
    way.add_argument("-n", "--number", type=whole_number(2), default=DEFAULT_PATH, help="how many songs, ends included")
    order = command("order", "a playlist in its best running order")
    order.add_argument("file", nargs="+", metavar="FILE", help="an M3U8 or M3U playlist")
    changes = command("transitions", "how well each song follows the one before, and why")
    changes.add_argument("song", nargs="+", metavar="SONG", help="a playlist file, or songs joined by +")
    for one in (similar, diverse, playlist, way, order):
        one.add_argument("--m3u8", type=Path, metavar="FILE", help="also write the songs as a playlist")
    play = command("play", "start your player on a song, or print its path where there is none")
    play.add_argument("song", nargs="+", metavar="SONG", help="name, title or path; or a playlist file")
    play.add_argument(
        "--player", metavar="COMMAND", help="program to start (default: $SONGMAP_PLAYER, then the system's)"
    )
    listing = command("list", "all songs, or those of one genre")
    listing.add_argument("genre", nargs="*", metavar="GENRE", help="genre, all of them if left out")
    command("genres", "mean similarity within and between genres")
    return commands


def reply(answers: Answers, command: str, as_json: bool, **request: Any) -> Iterator[str]:
    """What is printed for a command parsed by ``add_commands``, piece by piece."""
    programme = Programme(answers)
    song = " ".join(request.get("song", ()))
    if command == "radio":
        for record in programme.radio(song, request["seed"], request["number"]):
            yield json.dumps(record, ensure_ascii=False) if as_json else _line(record)
        return
    if command == "play":
        yield _play(answers, song, request["player"])
        return
    if command == "similar":
        found = answers.similar(song, request["number"], request["copies"])
    elif command == "diverse":
        found = answers.diverse(song, request["number"], request["diversity"], request["copies"])
    elif command == "compare":
        found = answers.compare(*split_pair(request["songs"], "vs"))
    elif command == "playlist":
        ramp = request["start_bpm"], request["end_bpm"]
        found = programme.playlist(split_songs(song), request["number"], request["max_per_artist"], *ramp)
    elif command == "path":
        found = programme.path(*split_pair(request["songs"], "to"), request["number"])
    elif command == "order":
        found = programme.order(Path(" ".join(request["file"])).expanduser())
    elif command == "transitions":
        found = programme.transitions(split_songs(song))
    elif command == "list":
        found = answers.listing(" ".join(request["genre"]) or None)
    else:
        found = answers.genres()
    yield found.text(as_json)
    if request.get("m3u8"):
        write_playlist(request["m3u8"].expanduser(), pd.DataFrame(found.records))
        if not as_json:
            yield f"written: {request['m3u8']}"


def _line(record: dict[str, Any]) -> str:
    text = f"{record['song_name']} [{record['genre']}]  {record['tempo_bpm']:.0f} BPM  {record['file_path']}"
    return readable(" ".join(text.split()))


def _play(answers: Answers, song: str, player: str | None) -> str:
    is_playlist = song.lower().endswith(PLAYLIST_SUFFIXES)
    path = song if is_playlist else answers.identity_of(answers.rows([song])[0])["file_path"]
    command = player_command(path, player)
    return f"playing: {command}" if command else f"no player found; the song is {path}"


def split_songs(text: str) -> list[str]:
    """The names between plus signs that stand alone."""
    return [name for part in re.split(r"(?:^|\s)\+(?:\s|$)", text) if (name := part.strip())]


def split_pair(words: Sequence[str], between: str) -> tuple[str, str]:
    """Two names: what stands around the one word ``between``, or exactly two words. Raises QueryError."""
    if words.count(between) == 1:
        middle = words.index(between)
        pair = " ".join(words[:middle]), " ".join(words[middle + 1 :])
        if all(pair):
            return pair
    elif len(words) == 2:
        return words[0], words[1]
    raise QueryError(f"two songs are needed, not {' '.join(words)!r}; write A {between} B, or two names in quotes")


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
    if words[0] == "help" and len(words) > 1:
        words = [words[1], "--help"]
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
        for text in reply(answers, command, as_json, **request):
            print(text, flush=True)
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
        "playlist": songs, "radio": songs, "path": pair, "transitions": songs, "play": songs, "order": None,
    }  # fmt: skip
    completer = ThreadedCompleter(NestedCompleter(completers))
    session = PromptSession(f"{PROMPT} ", completer=completer, output=create_output(always_prefer_tty=True))
    return session.prompt


def _tell(message: str) -> None:
    print(" ".join(message.split()), file=sys.stderr, flush=True)
