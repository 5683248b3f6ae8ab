"""The commands of 04: how each is written, on the command line as at the prompt, and what it prints.

A line is a verb, names and options in any order. Names need no quotes where words decide: ``+`` joins songs, a
word that begins with ``-`` and is no option begins a song to steer away from, ``vs`` and ``to`` part two.
"""

import argparse
import re
import shlex
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from songmap.core.cli import Parser, fraction, whole_number
from songmap.core.defaults import DEFAULT_SEED
from songmap.core.errors import QueryError
from songmap.library.spaces import SPACES
from songmap.similar.filters import Filters, bpm_range, family_weights, key_wish, year_range

COMMANDS = """\
similar SONG [+ SONG] [-SONG] [-n 10]     songs most like SONG, like all that + joins, unlike those after -
diverse SONG [--diversity 0.5]            like SONG, but unlike each other
compare A vs B                            how alike two songs are, and their facts side by side
why A vs B [--picture FILE.png]           what makes two songs alike or different, family by family
info SONG                                 what is known of a song
list [GENRE]                              all songs, or those of one genre
genres                                    similarity within and between genres
duplicates                                files of one recording
outliers [-n 10]                          songs that are like no other
hubs [-n 10]                              songs that are among the nearest of very many
evaluate                                  which space finds the same genre, artist and album best
neighbours --k 20 --out FILE.npz          the nearest songs of every song, as .npz, .csv or .parquet
playlist SONG [+ SONG] [-n 25]            songs like these, each following well; --start-bpm 90 --end-bpm 130
radio SONG [-n 50]                        song after song, drifting slowly, none twice
path A to B [-n 12]                       a smooth way from one song to another
order FILE.m3u8                           a playlist in its best running order
transitions FILE.m3u8 or A + B + C        how well each song follows the one before, and why
play SONG [--player "mpv"]                start your player on a song"""
HELP = f"""\
{COMMANDS}
help [COMMAND]                            this text, or more of one command
quit                                      leave, as does Ctrl-D; Ctrl-C stops a command

SONG is a name, a part of one, a title, "artist - title", the number of a song in the last answer, or the path
of an audio file, also of one outside the library. A name of several words needs no quotes, except two names
without "vs" or "to". similar and diverse take --genre --same-genre --bpm 120-128 --key compatible
--year 1990-1999 --max-per-artist 2 --copies; all commands --space, --weights timbre=2,rhythm=0.5,
--correct-hubs, --json and --csv. --m3u8 FILE writes the songs of an answer as a playlist."""
_SIMILARITY = "Similarity is a cosine, -1 to 1; 0 is about what two songs of the library picked at random have."
SETTING = ("space", "weights", "correct_hubs", "form")  # options of every command
BETWEEN = {"compare": "vs", "why": "vs", "path": "to"}  # the word between the two names of a command
_BEGINS_WITH_DASH = re.compile("-.")


class CommandParser(Parser):
    """A command's parser: options stand anywhere between names; with ``steers``, -NAME is a name too."""

    steers = False

    @property
    def options(self) -> dict[str, argparse.Action]:
        """Every way to write an option."""
        return self._option_string_actions

    @property
    def holds(self) -> argparse.Action | None:
        """What its words without an option are."""
        return next((action for action in self._actions if not action.option_strings), None)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        return super().parse_known_args(self._arranged(list(args or ())), namespace)

    def _arranged(self, words: list[str]) -> list[str]:
        """The options, each with its value, then the words of names."""
        options: list[str] = []
        names: list[str] = []
        while words:
            word = words.pop(0)
            if word == "--":
                names += words
                break
            with_number = re.fullmatch(r"-[a-z]\d+", word)  # -n5
            option = self._option(word[:2] if with_number else word)
            if option is None and (not _BEGINS_WITH_DASH.match(word) or (self.steers and not word.startswith("--"))):
                names.append(word)
                continue
            options.append(word)
            if option is not None and option.nargs is None and not with_number and "=" not in word:
                if not words:
                    self.error(f"argument {word}: expected one argument")
                options.append(words.pop(0))
        return [*options, *(["--"] if any(map(_BEGINS_WITH_DASH.match, names)) else []), *names]

    def _option(self, word: str) -> argparse.Action | None:
        """The option that a word names, a long one by its beginning too."""
        known, word = self.options, word.split("=")[0]
        if word.startswith("--"):
            return known.get(word) or next((known[name] for name in known if name.startswith(word)), None)
        if word.startswith("-") and f"-{word}" in known:
            self.error(f"no option {word}; did you mean -{word}?")
        return known.get(word)


def add_setting(parser: argparse.ArgumentParser, missing: bool) -> None:
    """Add the options that every command has; with ``missing`` those not given leave no trace."""

    def default(value: Any) -> Any:
        return argparse.SUPPRESS if missing else value

    parser.add_argument(
        "--space", choices=SPACES, default=default(SPACES[0]),
        help="balanced: the seven families of columns decide alike; scaled: every column does, so mel bands decide "
        "80 %%; pca: their principal components; classifier: what the model of 03 says",
    )  # fmt: skip
    parser.add_argument(
        "--weights", type=family_weights, default=default(None), metavar="FAMILY=W,…",
        help="how much families count, such as timbre=2,rhythm=0.5; 1 where not given",
    )  # fmt: skip
    parser.add_argument(
        "--correct-hubs", action="store_true", default=default(False),
        help="correct for songs that are near to very many (mutual proximity)",
    )  # fmt: skip
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        "--json", dest="form", action="store_const", const="json", default=default("text"),
        help="print one JSON document per command instead of tables",
    )  # fmt: skip
    form.add_argument(
        "--csv", dest="form", action="store_const", const="csv", default=default("text"), help="print CSV instead"
    )


def add_commands(
    parser: argparse.ArgumentParser,
    shared: Sequence[argparse.ArgumentParser],
    parser_class: type[CommandParser] = CommandParser,
) -> Any:
    """Add the commands to ``parser``, each with the options of ``shared``; returns where more can be added."""
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands", parser_class=parser_class)

    def command(name: str, text: str) -> CommandParser:
        description = f"{text[0].upper()}{text[1:]}. {_SIMILARITY}"
        return commands.add_parser(name, help=text, description=description, parents=list(shared))

    def songs(one: CommandParser, text: str) -> None:
        one.add_argument("words", nargs="+", metavar="SONG", help=text)

    def number(one: CommandParser, default: int | None, least: int = 1) -> None:
        text = "how many songs" if default else "how many songs (default: until stopped)"
        one.add_argument("-n", "--number", type=whole_number(least), default=default, metavar="N", help=text)

    similar = command("similar", "songs most like SONG")
    diverse = command("diverse", "songs like SONG, but unlike each other (maximal marginal relevance)")
    for one in (similar, diverse):
        one.steers = True
        songs(one, "a song to be like, + SONG more of them, -SONG one to steer away from; audio files too")
        number(one, 10)
        _add_filters(one)
    diverse.add_argument(
        "--diversity", type=fraction, default=0.5, metavar="D",
        help="0 is the same as similar, 1 looks only at how unlike each other they are",
    )  # fmt: skip
    compare = command("compare", "how alike two songs are, what each family of columns adds, facts side by side")
    why = command("why", "what makes two songs alike or different: families, and columns in real units")
    for one in (compare, why):
        songs(one, "A vs B, or exactly two names, quoted where needed")
    why.add_argument("--picture", type=_file_of(".png"), metavar="FILE.png", help="also draw it")
    songs(command("info", "what is known of a song"), "name, title or path; or another audio file")
    listing = command("list", "all songs, or those of one genre")
    listing.add_argument("words", nargs="*", metavar="GENRE", help="genre, all of them if left out")
    command("genres", "mean similarity within and between genres")
    command("duplicates", "files of one recording")
    number(command("outliers", "songs that are like no other"), 10)
    number(command("hubs", "songs that are among the nearest of very many"), 10)
    command("evaluate", "which space finds songs of the same genre, artist and album, and has fewest hubs")
    neighbours = command("neighbours", "the nearest songs of every song, into a file for other programs")
    neighbours.add_argument("-k", "--k", type=whole_number(1), default=20, metavar="K", help="neighbours of each song")
    neighbours.add_argument(
        "--out", type=_file_of(".npz", ".csv", ".parquet"), required=True, metavar="FILE", help=".npz, .csv or .parquet"
    )
    playlist = command("playlist", "songs like SONG + SONG …, ordered for good transitions")
    songs(playlist, "songs to begin with, joined by +")
    number(playlist, 25, least=2)
    _add_max_per_artist(playlist)
    for end in ("start", "end"):
        playlist.add_argument(
            f"--{end}-bpm", type=whole_number(20, 400), metavar="BPM",
            help=f"tempo at the {end} (default: the first song's)",
        )  # fmt: skip
    radio = command("radio", "song after song, drifting slowly, none twice")
    songs(radio, "where it begins")
    number(radio, None)
    radio.add_argument("--seed", type=whole_number(0), default=DEFAULT_SEED, help="another seed is another way")
    way = command("path", "a smooth way from one song to another")
    songs(way, "A to B, or exactly two names, quoted where needed")
    number(way, 12, least=2)
    order = command("order", "a playlist in its best running order")
    order.add_argument("words", nargs="+", metavar="FILE", help="an M3U8 or M3U playlist")
    songs(command("transitions", "how well each song follows the one before, and why"), "a playlist file, or A + B + C")
    for one in (similar, diverse, listing, playlist, way, order):
        one.add_argument(
            "--m3u8", type=_file_of(".m3u8", ".m3u"), metavar="FILE", help="also write the songs as a playlist"
        )
    play = command("play", "start your player on a song, or print its path where there is none")
    songs(play, "name, title or path; or a playlist file")
    play.add_argument(
        "--player", metavar="COMMAND", help="program to start (default: $SONGMAP_PLAYER, then the system's)"
    )
    return commands


def _add_filters(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--genre", action="append", default=[], metavar="GENRE", help="only songs of this genre; may be repeated"
    )
    parser.add_argument("--same-genre", action="store_true", help="only songs of the genre asked with")
    parser.add_argument("--bpm", type=bpm_range, metavar="120-128", help="only this tempo, its half or its double")
    parser.add_argument(
        "--key",
        type=key_wish,
        metavar="KEY",
        help="only keys, which are estimates, that mix (compatible), or one: 8A, F#m",
    )
    parser.add_argument(
        "--year", type=year_range, metavar="1990-1999", help="only songs that a tag says are of these years"
    )
    _add_max_per_artist(parser)
    parser.add_argument("--copies", action="store_true", help="every file of a recording, not only the first")


def _add_max_per_artist(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--max-per-artist", type=whole_number(1), default=Filters.max_per_artist, metavar="N",
        help="songs of one artist",
    )  # fmt: skip


def _file_of(*suffixes: str) -> Callable[[str], Path]:
    """Type of an argument that is a file to write in one of some formats."""

    def parse(text: str) -> Path:
        if Path(text).suffix.lower() not in suffixes:
            raise argparse.ArgumentTypeError(f"{text} does not end in {' or '.join(suffixes)}")
        return Path(text).expanduser()

    return parse


def names_of(command: str, words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Names that the words of a command hold: of songs, a genre or a file, and of songs to steer away from."""
    if command in ("similar", "diverse"):
        return split_steering(words)
    if command in ("playlist", "transitions"):
        return split_songs(words), []
    if command in BETWEEN:
        return split_pair(words, BETWEEN[command]), []
    return [" ".join(words)] if words else [], []


def split_steering(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Names to be like, and names to steer away from: what ``+`` and words that begin with ``-`` begin."""
    likes: list[list[str]] = [[]]
    away: list[list[str]] = []
    current = likes[0]
    for word in words:
        if word == "+":
            likes.append(current := [])
        elif _BEGINS_WITH_DASH.match(word):
            away.append(current := [word[1:]])
        else:
            current.append(word)
    songs = [" ".join(name) for name in likes if name]
    if not songs:
        raise QueryError("a song to be like is needed before those to steer away from; give SONG -SONG")
    return songs, [" ".join(name) for name in away]


def split_songs(words: Sequence[str]) -> list[str]:
    """The names between plus signs that stand alone."""
    names = [list(group) for plus, group in groupby(words, "+".__eq__) if not plus]
    return [" ".join(name) for name in names]


def split_pair(words: Sequence[str], between: str) -> list[str]:
    """Two names: what stands around the one word ``between``, or exactly two words. Raises QueryError."""
    if words.count(between) == 1:
        middle = words.index(between)
        pair = [" ".join(words[:middle]), " ".join(words[middle + 1 :])]
        if all(pair):
            return pair
    elif len(words) == 2:
        return list(words)
    raise QueryError(f"two songs are needed, not {' '.join(words)!r}; write A {between} B, or two names in quotes")


def split_words(line: str) -> list[str]:
    """The words of a line, quoted as in a shell; an apostrophe inside a word, or one never closed, is a letter."""
    hidden = re.sub(r"(?<=\w)'(?=\w)", "\ue000", line)
    try:
        words = shlex.split(hidden)
    except ValueError:  # a quote that is not closed
        words = hidden.split()
    return [word.replace("\ue000", "'") for word in words]
