"""The commands of 04 and their options, on the command line as at the prompt, and the requests that they become."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from songmap.core.cli import fraction, whole_number
from songmap.core.defaults import DEFAULT_SEED
from songmap.library.spaces import SPACES
from songmap.similar import requests
from songmap.similar.requests import MAX_PER_ARTIST, Filters, Setting
from songmap.similar.terminal.arguments import bpm_range, family_weights, file_of, key_or_compatible, year_range
from songmap.similar.terminal.parser import CommandParser
from songmap.similar.terminal.words import split_pair, split_songs, split_steering

COMMANDS = """\
similar SONG [+ SONG] [-SONG] [-n 10]     songs most similar to SONG; + joins songs, - steers away from one
diverse SONG [--diversity 0.5]            songs similar to SONG, but not to each other
compare A vs B                            how similar two songs are, and their descriptors side by side
why A vs B [--picture FILE.png]           what makes two songs similar or different, family by family
info SONG                                 everything known of a song
list [GENRE]                              all songs, or those of one genre
genres                                    similarity within and between genres
duplicates                                files of the same recording
outliers [-n 10]                          songs least similar to any other
hubs [-n 10]                              songs that are among the nearest of very many
evaluate                                  how well each space finds the same genre, artist and album
neighbours --k 20 --out FILE.npz          the nearest songs of every song, as .npz, .csv or .parquet
playlist SONG [+ SONG] [-n 25]            similar songs with good transitions; --start-bpm 90 --end-bpm 130
radio SONG [-n 50]                        song after song, drifting slowly, none twice
path A to B [-n 12]                       a smooth way from one song to another
order FILE.m3u8                           a playlist in its best running order
transitions FILE.m3u8 or A + B + C        how well each song follows the one before, and why
play SONG [--player "mpv"]                start your player on a song"""
HELP = f"""\
{COMMANDS}
help [COMMAND]                            this text, or more of one command
quit                                      leave, as does Ctrl-D; Ctrl-C stops a command

SONG is a name, a part of one, a title, "artist - title", the number of a song in the last result, or the path
of an audio file, also of one outside the library. A name of several words needs no quotes, except two names
without "vs" or "to". similar and diverse take --genre --same-genre --bpm 120-128 --key compatible
--year 1990-1999 --max-per-artist 2 --copies; all commands --space, --weights timbre=2,rhythm=0.5,
--correct-hubs, --json and --csv. --m3u8 FILE writes the songs of a result as a playlist."""
_SIMILARITY = "Similarity is a cosine, -1 to 1; two songs of the library picked at random have about 0."
BETWEEN = {"compare": "vs", "why": "vs", "path": "to"}  # the word between the two names of a command


@dataclass(frozen=True)
class Output:
    """How a result is shown: ``form`` is text, json or csv; ``m3u8`` and ``picture`` are files to write too."""

    form: str = "text"
    m3u8: Path | None = None
    picture: Path | None = None


@dataclass(frozen=True)
class Command:
    """A request, the setting to compare songs in, and how the result is shown."""

    request: requests.Request | requests.RadioRequest
    setting: Setting
    output: Output


def command_of(arguments: Mapping[str, Any]) -> Command:
    """The command of parsed ``arguments`` by name. Raises QueryError where words do not form the names it needs."""
    return Command(
        request=arguments["make_request"](arguments),
        setting=setting_of(arguments),
        output=Output(arguments["form"], arguments.get("m3u8"), arguments.get("picture")),
    )


def setting_of(arguments: Mapping[str, Any]) -> Setting:
    return Setting(arguments["space"], arguments["weights"], arguments["correct_hubs"])


def add_setting(parser: argparse.ArgumentParser, missing: bool) -> None:
    """Add the options that every command has; with ``missing`` those not given are not in the namespace."""

    def default(value: Any) -> Any:
        return argparse.SUPPRESS if missing else value

    parser.add_argument(
        "--space", choices=SPACES, default=default(SPACES[0]),
        help="balanced: the seven families of columns have equal weight; scaled: all columns have, so mel bands 80 %%; "
        "pca: their principal components; classifier: probabilities of the genre model of 03",
    )  # fmt: skip
    parser.add_argument(
        "--weights", type=family_weights, default=default(()), metavar="FAMILY=W,…",
        help="weights of families, such as timbre=2,rhythm=0.5; 1 where not given",
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
    parser: argparse.ArgumentParser, shared: Sequence[Any], parser_class: type[CommandParser] = CommandParser
) -> Any:
    """Add the commands to ``parser``, each with the options of ``shared``; returns where more can be added."""
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands", parser_class=parser_class)

    def command(name: str, text: str, request: Callable[[Mapping[str, Any]], Any], words: str = "") -> CommandParser:
        """A command, the request it makes of parsed arguments, and what its words are where it needs some."""
        description = f"{text[0].upper()}{text[1:]}. {_SIMILARITY}"
        one: CommandParser = commands.add_parser(name, help=text, description=description, parents=list(shared))
        one.set_defaults(make_request=request)
        if words:
            one.add_argument("words", nargs="+", metavar="SONG", help=words)
        return one

    similar = command(
        "similar", "songs most similar to SONG",
        lambda a: requests.SimilarRequest(*split_steering(a["words"]), a["number"], _filters(a)),
    )  # fmt: skip
    diverse = command(
        "diverse", "songs similar to SONG, but not to each other (maximal marginal relevance)",
        lambda a: requests.DiverseRequest(*split_steering(a["words"]), a["number"], a["diversity"], _filters(a)),
    )  # fmt: skip
    for one in (similar, diverse):
        one.steers = True
        text = "a song of the query, + SONG more of them, -SONG one to steer away from; audio files too"
        one.add_argument("words", nargs="+", metavar="SONG", help=text)
        _add_number(one, 10)
        _add_filters(one)
    diverse.add_argument(
        "--diversity", type=fraction, default=0.5, metavar="D",
        help="0 is the same as similar, 1 regards only how dissimilar they are to each other",
    )  # fmt: skip
    pair = "A vs B, or exactly two names, quoted where needed"
    command(
        "compare", "how similar two songs are, what each family of columns adds, descriptors side by side",
        lambda a: requests.CompareRequest(*split_pair(a["words"], BETWEEN["compare"])), pair,
    )  # fmt: skip
    why = command(
        "why", "what makes two songs similar or different: families, and descriptors in real units",
        lambda a: requests.WhyRequest(*split_pair(a["words"], BETWEEN["why"])), pair,
    )  # fmt: skip
    why.add_argument("--picture", type=file_of(".png"), metavar="FILE.png", help="also draw it")
    command(
        "info", "everything known of a song", lambda a: requests.InfoRequest(" ".join(a["words"])),
        "name, title or path; or another audio file",
    )  # fmt: skip
    listing = command(
        "list", "all songs, or those of one genre", lambda a: requests.ListRequest(" ".join(a["words"]) or None)
    )
    listing.add_argument("words", nargs="*", metavar="GENRE", help="genre, all of them if left out")
    command("genres", "mean similarity within and between genres", lambda a: requests.GenresRequest())
    command("duplicates", "files of the same recording", lambda a: requests.DuplicatesRequest())
    outliers = command("outliers", "songs least similar to any other", lambda a: requests.OutliersRequest(a["number"]))
    hubs = command("hubs", "songs that are among the nearest of very many", lambda a: requests.HubsRequest(a["number"]))
    for one in (outliers, hubs):
        _add_number(one, 10)
    command(
        "evaluate", "how well each space finds songs of the same genre, artist and album, and how many hubs it has",
        lambda a: requests.EvaluateRequest(),
    )  # fmt: skip
    neighbours = command(
        "neighbours", "the nearest songs of every song, as a file for other programs",
        lambda a: requests.NeighboursRequest(a["out"], a["k"]),
    )  # fmt: skip
    neighbours.add_argument("-k", "--k", type=whole_number(1), default=20, metavar="K", help="neighbours of each song")
    neighbours.add_argument(
        "--out", type=file_of(".npz", ".csv", ".parquet"), required=True, metavar="FILE", help=".npz, .csv or .parquet"
    )
    _add_orders(command, (similar, diverse, listing))
    play = command(
        "play", "start your player on a song, or print its path where there is none",
        lambda a: requests.PlayRequest(" ".join(a["words"]), a["player"]), "name, title or path; or a playlist file",
    )  # fmt: skip
    play.add_argument(
        "--player", metavar="COMMAND", help="program to start (default: $SONGMAP_PLAYER, then the system's)"
    )
    return commands


def _add_orders(command: Callable[..., CommandParser], ranked: Sequence[CommandParser]) -> None:
    """Add the commands that put songs in an order, and to them and to ``ranked`` the option to write a playlist."""
    playlist = command(
        "playlist", "songs similar to SONG + SONG …, ordered for good transitions",
        lambda a: requests.PlaylistRequest(
            split_songs(a["words"]), a["number"], a["max_per_artist"], a["start_bpm"], a["end_bpm"]
        ),
        "songs to begin with, joined by +",
    )  # fmt: skip
    _add_number(playlist, 25, least=2)
    _add_max_per_artist(playlist)
    for end in ("start", "end"):
        playlist.add_argument(
            f"--{end}-bpm", type=whole_number(20, 400), metavar="BPM",
            help=f"tempo at the {end} (default: the first song's)",
        )  # fmt: skip
    radio = command(
        "radio", "song after song, drifting slowly, none twice",
        lambda a: requests.RadioRequest(" ".join(a["words"]), a["number"], a["seed"]), "where it begins",
    )  # fmt: skip
    _add_number(radio, None)
    radio.add_argument(
        "--seed", type=whole_number(0), default=DEFAULT_SEED, help="another seed gives another order of songs"
    )
    path = command(
        "path", "a smooth way from one song to another",
        lambda a: requests.PathRequest(*split_pair(a["words"], BETWEEN["path"]), a["number"]),
        "A to B, or exactly two names, quoted where needed",
    )  # fmt: skip
    _add_number(path, 12, least=2)
    order = command(
        "order", "a playlist in its best running order", lambda a: requests.OrderRequest(" ".join(a["words"]))
    )
    order.add_argument("words", nargs="+", metavar="FILE", help="an M3U8 or M3U playlist")
    command(
        "transitions", "how well each song follows the one before, and why",
        lambda a: requests.TransitionsRequest(split_songs(a["words"])), "a playlist file, or A + B + C",
    )  # fmt: skip
    for one in (*ranked, playlist, path, order):
        text = "also write the songs as a playlist"
        one.add_argument("--m3u8", type=file_of(".m3u8", ".m3u"), metavar="FILE", help=text)


def _filters(arguments: Mapping[str, Any]) -> Filters:
    return Filters(
        genres=tuple(arguments["genre"]),
        same_genre=arguments["same_genre"],
        bpm=arguments["bpm"],
        key=arguments["key"],
        years=arguments["year"],
        max_per_artist=arguments["max_per_artist"],
        copies=arguments["copies"],
    )


def _add_number(parser: CommandParser, default: int | None, least: int = 1) -> None:
    text = "how many songs" if default else "how many songs (default: until stopped)"
    parser.add_argument("-n", "--number", type=whole_number(least), default=default, metavar="N", help=text)


def _add_filters(parser: CommandParser) -> None:
    add = parser.add_argument
    add("--genre", action="append", default=[], metavar="GENRE", help="only songs of this genre; may be repeated")
    add("--same-genre", action="store_true", help="only songs of the query's genre")
    add("--bpm", type=bpm_range, metavar="120-128", help="only this tempo, its half or its double")
    add(
        "--key", type=key_or_compatible, metavar="KEY",
        help="only keys, which are estimates, that mix with the query's (compatible), or one: 8A, F#m",
    )  # fmt: skip
    add("--year", type=year_range, metavar="1990-1999", help="only songs tagged with these years")
    _add_max_per_artist(parser)
    add("--copies", action="store_true", help="every file of a recording, not only the first")


def _add_max_per_artist(parser: CommandParser) -> None:
    parser.add_argument(
        "--max-per-artist", type=whole_number(1), default=MAX_PER_ARTIST, metavar="N", help="songs of one artist"
    )
