"""The commands of 04 and their options, on the command line as at the prompt, and the requests that they become."""

import argparse
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from songmap.core.cli import CSV_HELP, file_of, fraction, whole_number
from songmap.core.defaults import DEFAULT_SEED
from songmap.core.tables import CSV_KINDS
from songmap.library.spaces import SPACES
from songmap.library.tempos import TEMPO_SOURCES
from songmap.similar import requests
from songmap.similar.requests import CURVES, MAX_PER_ARTIST, PURPOSES, Filters, Setting
from songmap.similar.terminal.arguments import bpm_range, family_weights, key_or_compatible, year_range
from songmap.similar.terminal.parser import CommandParser
from songmap.similar.terminal.words import UNLIKE, Grade, no_song, songs_and_away, songs_of, split_pair

COMMANDS = """\
find WORDS                   songs with all words in title, artist, album, genre
similar SONG [-n 10]         songs most similar to SONG, to SONG + SONG, or to
                             SONG -SONG: + joins songs, - steers away from one
diverse SONG                 similar to SONG, but not to each other
compare A vs B               how similar two songs are, their descriptors
why A vs B                   what makes two songs similar or different
info SONG                    everything known of a song
list [GENRE or ARTIST]       all songs, or those of a genre or an artist
next [-n 10]                 more of the last answer
genres                       similarity within and between genres
duplicates                   files of the same recording
outliers [-n 10]             songs least similar to any other
hubs [-n 10]                 songs that are among the nearest of very many
evaluate                     how well each space finds genre, artist and album
neighbours --out FILE.npz    nearest songs of every song; or .csv, .parquet
playlist SONG [-n 25]        similar songs with good transitions; --for dj;
                             --energy rise; --start-bpm 90 --end-bpm 130
radio SONG [-n 50]           plays song after song, drifting slowly
path A to B [-n 12]          a smooth way from one song to another
order FILE.m3u8              a playlist in its best running order
transitions FILE.m3u8        how well each song follows the last; or A + B
play SONG                    play a song in place of what plays; --player "mpv"
stop                         stop what plays"""
HELP = f"""\
{COMMANDS}
help [COMMAND or WORD]       more of a command; what "hub" or "90 % set" means
quit                         leave, as does Ctrl-D; Ctrl-C stops a command

SONG is a name, a part of one, a title, "artist - title", the number of a song
in the last answer, or an audio file, also of one outside the library. A name
alone shows its info. --unlike SONG is -SONG, also where the name begins with -.
similar, diverse, playlist, radio and path take --genre --same-genre
--bpm 120-128 --key compatible --year 1990-1999; those with songs --m3u8 FILE;
all commands --space, --weights timbre=2,rhythm=0.5, --correct-hubs, --fuzzy,
--tempo measured, --verbose, --json and --csv (--csv raw for programs: without
the ' that keeps a spreadsheet from taking text for a formula)."""
_SIMILARITY = "Similarity is a cosine, -1 to 1; why says what two songs picked at random have."
SETTING = asdict(Setting()) | {"fuzzy": False, "form": "text", "verbose": False}  # where nothing is given
BETWEEN = {"compare": "vs", "why": "vs", "path": "to"}  # the word between the two names of a command


@dataclass(frozen=True)
class Command:
    """A request, the setting to compare songs in, the ``form`` to print, with ``verbose`` all of it, and files to write.

    A form is text, json, or a kind of CSV, one of ``CSV_KINDS``.

    With ``fuzzy`` the song with a similar spelling is taken where a name is that of no song.
    """

    request: requests.Request | requests.RadioRequest
    setting: Setting
    form: str = "text"
    m3u8: Path | None = None
    picture: Path | None = None
    fuzzy: bool = False
    verbose: bool = False


def command_of(arguments: Mapping[str, Any], grade: Grade = no_song) -> Command:
    """The command of parsed ``arguments`` by name; ``grade`` decides where words can be read in several ways.

    Raises QueryError where words do not form the names it needs, SeveralReadings.
    """
    setting = Setting(**{field.name: arguments[field.name] for field in fields(Setting)})
    files = arguments.get("m3u8"), arguments.get("picture")
    form, fuzzy, verbose = (arguments[name] for name in ("form", "fuzzy", "verbose"))
    return Command(_request(arguments, grade), setting, form, *files, fuzzy, verbose)


def _request(arguments: Mapping[str, Any], grade: Grade) -> requests.Request | requests.RadioRequest:
    """The request whose fields are the arguments of the same name, and the names that the words form."""
    request, words = arguments["request"], arguments.get("words", [])
    names = {field.name for field in fields(request)}
    csv_kind = {"csv_kind": arguments["form"]} if arguments["form"] in CSV_KINDS else {}
    values = (
        dict.fromkeys(("song", "name", "file"), " ".join(words) or None)
        | csv_kind
        | dict(arguments)
        | {"words": tuple(words)}
    )  # --out is a file too
    if "away" in names:
        values["songs"], values["away"] = songs_and_away(words, grade)
    elif "songs" in names:
        values["songs"] = songs_of(words, grade)
    elif "first" in names:
        values["first"], values["second"] = split_pair(words, BETWEEN[arguments["command"]], grade)
    if "filters" in names:
        given = {field.name: arguments[field.name] for field in fields(Filters) if field.name in arguments}
        values["filters"] = Filters(**given | {"genres": tuple(given["genres"])})
    result: requests.Request = request(**{name: values[name] for name in names & values.keys()})
    return result


def add_setting(parser: argparse.ArgumentParser) -> None:
    """Add the options that every command has; their defaults, where a parser wants some, are ``SETTING``."""
    add = parser.add_argument
    text = (
        "balanced: 157 descriptors, the seven families have equal weight; scaled: 641 columns have, so mel bands 80 %%; "
        "balanced641: columns, families have equal weight; classifier: probabilities of the genre model of 03; "
        "cnn: vectors of the network of spectrograms of 07, of the library's songs alone"
    )
    add("--space", choices=SPACES, metavar="SPACE", help=text)
    text = "weights of families, such as timbre=2,rhythm=0.5; 1 where not given"
    add("--weights", type=family_weights, metavar="FAMILY=W,…", help=text)
    text = "correct for songs that are near to very many (mutual proximity)"
    add("--correct-hubs", action="store_true", help=text)
    text = "tag: the tempo that a tag names counts, unless it contradicts what is measured; measured: tags do not count"
    add("--tempo", choices=TEMPO_SOURCES, help=text)
    text = "without a terminal too: where no song has a name, take the song with a similar one"
    add("--fuzzy", action="store_true", help=text)
    add("--verbose", action="store_true", help="print more than fits a small terminal: details, and what figures mean")
    add = parser.add_mutually_exclusive_group().add_argument
    text = "print one JSON document per command instead of tables"
    add("--json", dest="form", action="store_const", const="json", help=text)
    text = f"print CSV instead; {CSV_HELP}"
    add("--csv", dest="form", nargs="?", const=CSV_KINDS[0], choices=CSV_KINDS, metavar="raw", help=text)


Option = tuple[tuple[str, ...], dict[str, Any]]  # what ``add_argument`` takes


def _option(*names: str, **settings: Any) -> Option:
    return names, settings


def _words(text: str, metavar: str = "SONG", nargs: str = "+") -> Option:
    return _option("words", nargs=nargs, metavar=metavar, help=text)


def _number(default: int | None, least: int = 1, text: str = "how many songs") -> Option:
    return _option("-n", "--number", type=whole_number(least), default=default, metavar="N", help=text)


# fmt: off
_MAX_PER_ARTIST = _option("--max-per-artist", type=whole_number(1), default=MAX_PER_ARTIST, metavar="N",
                          help="songs of one artist; similar and diverse exceed it rather than list songs that are not similar")
_CONDITIONS = (
    _option("--genre", dest="genres", action="append", default=[], metavar="GENRE",
            help="only songs of this genre; may be repeated"),
    _option("--same-genre", action="store_true", help="only songs of the query's genre"),
    _option("--bpm", type=bpm_range, metavar="120-128", help="only this tempo, its half or its double"),
    _option("--key", type=key_or_compatible, metavar="KEY",
            help="only keys, of tags or estimates, that mix with the query's (compatible), or one: 8A, F#m"),
    _option("--year", dest="years", type=year_range, metavar="1990-1999", help="only songs tagged with these years"),
)
_FILTERS = (
    *_CONDITIONS,
    _MAX_PER_ARTIST,
    _option("--copies", action="store_true", help="every file of a recording, not only the first"),
)
_UNLIKE = _option(UNLIKE, metavar="SONG", help="a song to steer away from, as -SONG, also one whose name begins with -")
_DIVERSITY = _option("--diversity", type=fraction, default=0.5, metavar="D",
                     help="0 is the same as similar, 1 regards only how dissimilar they are to each other")
_PICTURE = _option("--picture", type=file_of(".png"), metavar="FILE.png", help="also draw it")
_K = _option("-k", "--k", dest="number", type=whole_number(1), default=20, metavar="K", help="neighbours of each song")
_OUT = _option("--out", dest="file", type=file_of(".npz", ".csv", ".parquet"), required=True, metavar="FILE",
               help=".npz, .csv or .parquet")
_RAMP = [
    _option(f"--{end}-bpm", type=whole_number(20, 400), metavar="BPM", help=f"tempo at the {end} (default: the first song's); no further than the library's tempos reach")
    for end in ("start", "end")
]
_PURPOSE = _option("--for", dest="purpose", choices=PURPOSES, default=PURPOSES[0],
                   help="dj: neighbours have tempos and keys that mix, where there are such songs")
_ENERGY = _option("--energy", choices=CURVES, help="how level and onset strength change from the first song to the last")
_SEED = _option("--seed", type=whole_number(0), default=DEFAULT_SEED, help="another seed gives another order of songs")
_M3U8 = _option("--m3u8", type=file_of(".m3u8", ".m3u"), metavar="FILE", help="also write the songs as a playlist")
_PLAYER = _option("--player", metavar="COMMAND", help="program to start (default: $SONGMAP_PLAYER, then the system's)")
# fmt: on


def add_commands(parser: argparse.ArgumentParser, shared: Any, kind: type[CommandParser] = CommandParser) -> Any:
    """Add the commands to ``parser``, each with the options of the parser ``shared``; returns where more can be added."""
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands", parser_class=kind)

    def command(name: str, text: str, request: type, *options: Option) -> None:
        """A command, the request it makes, and what it takes besides the options of all."""
        description = f"{text[0].upper()}{text[1:]}. {_SIMILARITY}"
        one: CommandParser = commands.add_parser(name, help=text, description=description, parents=[shared])
        one.set_defaults(request=request)
        one.steers = request is requests.SimilarRequest
        for names, settings in options:
            one.add_argument(*names, **settings)

    query = _words("a song of the query, + SONG more of them, -SONG one to steer away from; audio files too")
    quoted = "or exactly two names, quoted where needed"
    # fmt: off
    command("similar", "songs most similar to SONG", requests.SimilarRequest, query, _number(10), _UNLIKE, *_FILTERS,
            _M3U8)
    command("diverse", "songs similar to SONG, but not to each other (maximal marginal relevance)",
            requests.SimilarRequest, query, _number(10), _UNLIKE, *_FILTERS, _DIVERSITY, _M3U8)
    command("compare", "how similar two songs are, what each family adds, descriptors side by side",
            requests.CompareRequest, _words(f"A vs B, {quoted}"))
    command("why", "what makes two songs similar or different: families, and descriptors in real units",
            requests.WhyRequest, _words(f"A vs B, {quoted}"), _PICTURE)
    command("info", "everything known of a song", requests.InfoRequest,
            _words("name, title or path; or another audio file"))
    command("find", "songs whose title, artist, album and genre hold all words", requests.FindRequest,
            _words("words or parts of words; where no song has them, similar spellings count", "WORD"), _number(20), _M3U8)
    command("list", "all songs, or those of a genre or an artist", requests.ListRequest,
            _words("genre or artist, all songs if left out", "GENRE", "*"),
            _number(None, text="how many songs (default: all)"), _M3U8)
    command("next", "more of the last answer of similar, diverse, find, list, outliers or hubs", requests.NextRequest,
            _number(None, text="how many songs (default: as many as before)"), _M3U8)
    command("genres", "mean similarity within and between genres", requests.GenresRequest)
    command("duplicates", "files of the same recording", requests.DuplicatesRequest)
    command("outliers", "songs least similar to any other", requests.OutliersRequest, _number(10))
    command("hubs", "songs that are among the nearest of very many", requests.HubsRequest, _number(10))
    command("evaluate", "how well each space finds songs of the same genre, artist and album, and how many hubs it has",
            requests.EvaluateRequest)
    command("neighbours", "the nearest songs of every song, as a file for other programs",
            requests.NeighboursRequest, _K, _OUT)
    command("playlist", "songs similar to SONG + SONG …, ordered for good transitions", requests.PlaylistRequest,
            _words("songs to begin with, joined by +"), _number(25, 2), *_CONDITIONS, _MAX_PER_ARTIST, _PURPOSE, _ENERGY, *_RAMP, _M3U8)
    command("radio", "song after song, drifting slowly, none twice: played at a terminal, else printed",
            requests.RadioRequest, _words("where it begins"),
            _number(None, text="how many songs (default: until stopped)"), *_CONDITIONS, _SEED, _PLAYER, _M3U8)
    command("path", "a smooth way from one song to another", requests.PathRequest,
            _words(f"A to B, {quoted}"), _number(12, 2), *_CONDITIONS, _M3U8)
    command("order", "a playlist in its best running order", requests.OrderRequest,
            _words("an M3U8 or M3U playlist", "FILE"), _M3U8)
    command("transitions", "how well each song follows the one before, and why", requests.TransitionsRequest,
            _words("a playlist file, or A + B + C"))
    command("play", "play a song in place of what plays, or print its path where there is no player",
            requests.PlayRequest, _words("name, title or path; or a playlist file"), _PLAYER)
    command("stop", "stop what plays", requests.StopRequest)
    # fmt: on
    return commands
