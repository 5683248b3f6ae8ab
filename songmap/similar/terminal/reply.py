"""What is printed, and written beside it, for a command."""

import shlex
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from songmap.core.cli import print_error
from songmap.core.errors import QueryError, UsageError
from songmap.core.figures import draw
from songmap.core.progress import OnProgress, progress
from songmap.core.serialise import to_json_line
from songmap.core.tables import csv_lines
from songmap.core.text import one_line, shown_path
from songmap.library.display_names import display_name
from songmap.library.m3u8 import write_playlist
from songmap.library.names import SimilarSpelling
from songmap.similar import results
from songmap.similar.play_results import PlayResult, StopResult
from songmap.similar.requests import RadioRequest, renamed
from songmap.similar.session import Session
from songmap.similar.terminal.commands import Command
from songmap.similar.terminal.playing import play_radio
from songmap.similar.views.records import as_csv, as_json, song_record
from songmap.similar.views.sentences import label
from songmap.similar.views.tables import as_text
from songmap.similar.views.why_figure import why_figure

_PROGRESS_FROM = 20_000  # songs from which on what compares all of them shows its progress


def reply(session: Session, command: Command, at_terminal: bool = False) -> Iterator[str]:
    """What is printed for a command, piece by piece. Raises SongmapError.

    A name that no song has is refused, except with ``fuzzy`` and where people read tables at a terminal: then the song
    with a similar name is taken, which a line on stderr says.
    """
    for_people = at_terminal and command.form == "text"
    fuzzy = command.fuzzy or for_people
    while True:
        try:
            yield from _reply(session, command, plays=for_people and command.m3u8 is None)
            return
        except SimilarSpelling as error:  # raised before anything is printed
            if len(error.rows) > 1:
                raise
            if not fuzzy:
                raise QueryError(f"{error}, or add --fuzzy") from error
            (song,) = session.lookup.songs(error.rows)
            print_error(f"no song is called {error.query!r}; did you mean {label(song)}? Showing it")
            command = replace(command, request=renamed(command.request, error.query, song.file_path))


def _reply(session: Session, command: Command, plays: bool) -> Iterator[str]:
    if isinstance(command.request, RadioRequest):
        if plays:
            yield from play_radio(session, command.request, command.setting)
            return
        yield from _radio(session, command, command.request)
        return
    with _progress(session) as on_progress:
        result = session.run(command.request, command.setting, on_progress)
    files = list(_written(result, command))
    match command.form:
        case "text":
            yield _text(result, command.verbose)
            yield from (one_line(f"written: {shown_path(file)}") for file in files)
        case "json":
            yield as_json(result)
        case "spreadsheet" | "raw" as kind:
            yield as_csv(result, kind)


def numbered_line(number: int, *parts: str) -> str:
    """A numbered line of names and paths, whatever they hold."""
    return "  ".join([f"{number:>3}", *map(one_line, parts)])


def _text(result: results.Result, verbose: bool) -> str:
    match result:
        case PlayResult(path, None):
            return one_line(f"no player found; the song is {shown_path(path)}")
        case PlayResult(path, str(player), song):
            name = Path(path).name if song is None else display_name(song.song_name, song.artist, song.title)
            return one_line(f"playing {name} by {shlex.split(player)[0]}")
        case StopResult(stopped):
            return "stopped" if stopped else "nothing is playing"
        case results.NeighboursResult(path):
            return one_line(f"written: {shown_path(path)}")
    return as_text(result, verbose)


def _written(result: results.Result, command: Command) -> Iterator[Path]:
    """Write the files of a command beside its result; which they are."""
    if command.m3u8 and isinstance(result, results.Ranked):
        write_playlist(command.m3u8, result.songs)
        yield command.m3u8
    if command.picture and isinstance(result, results.WhyResult):
        try:
            draw(why_figure, command.picture, result)
        except OSError as error:
            raise UsageError(
                f"{command.picture} cannot be written: {error.strerror}; choose another --picture FILE"
            ) from error
        yield command.picture


def _radio(session: Session, command: Command, request: RadioRequest) -> Iterator[str]:
    """One line for each song, as soon as it is wanted: a JSON object, a row of CSV, or text."""
    songs = []
    for number, song in enumerate(session.radio(request, command.setting), start=1):
        songs.append(song)
        record = song_record(song)
        match command.form:
            case "json":
                yield to_json_line(record)
            case "spreadsheet" | "raw" as kind:
                yield from csv_lines([record.keys(), record.values()] if number == 1 else [record.values()], kind)
            case _:
                yield numbered_line(number, label(song), f"{song.tempo_bpm:.0f} BPM", shown_path(song.file_path))
    if command.m3u8:
        write_playlist(command.m3u8, songs)
        if command.form == "text":
            yield one_line(f"written: {shown_path(command.m3u8)}")


@contextmanager
def _progress(session: Session) -> Iterator[OnProgress | None]:
    """For a large library a bar that appears with the first report, so that a quick result shows none."""
    with ExitStack() as stack:
        update: OnProgress | None = None

        def on_progress(done: int, total: int) -> None:
            nonlocal update
            update = update or stack.enter_context(progress("songs"))
            update(done, total)

        yield on_progress if len(session.library) >= _PROGRESS_FROM else None
