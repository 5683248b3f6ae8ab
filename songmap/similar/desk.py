"""Where one library is asked: a request as ``commands`` parses it, and what is printed for it.

Answers are made for each setting (space, weights, correction of hubs) when a request first needs them, and kept.
The songs of the last answer have numbers, which later requests can give in place of a name, in any setting.
"""

import argparse
import csv
import io
import json
import os
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from songmap.core.errors import QueryError, UsageError
from songmap.core.serialise import to_json
from songmap.core.text import readable
from songmap.core.workspace import Workspace
from songmap.library.library import Library
from songmap.similar.answers import Answer, Answers
from songmap.similar.commands import names_of
from songmap.similar.export import write_neighbours
from songmap.similar.filters import Filters
from songmap.similar.m3u8 import write_playlist
from songmap.similar.player import play
from songmap.similar.programme import PLAYLIST_SUFFIXES, Programme

KEPT_SETTINGS = 4  # whose answers are kept: of a large library each takes some memory


class Desk:
    """The answers about one library."""

    def __init__(self, library: Library, workspace: Workspace | None = None) -> None:
        self.library = library
        self._workspace = workspace
        self._programme = lru_cache(KEPT_SETTINGS)(self._new_programme)
        self._last: list[int] = []

    def reply(self, request: argparse.Namespace) -> Iterator[str]:
        """What is printed for a request of ``commands.add_commands``, piece by piece. Raises SongmapError.

        Where a name means several songs, ``request.songs`` and ``request.away`` hold the names that were read.
        """
        if not hasattr(request, "songs"):
            request.songs, request.away = names_of(request.command, getattr(request, "words", []))
            songs = [] if request.command in ("list", "order") else [*request.songs, *request.away]
            for name in songs:
                if os.sep in name and _is_folder(name):
                    raise QueryError(f"{name} is a folder; give one of its files, or run 01 with --music {name}")
        programme = self._programme(request.space, tuple((request.weights or {}).items()), request.correct_hubs)
        programme.answers.last = self._last
        try:
            if request.command == "radio":
                yield from _radio(programme, request)
            elif request.command == "play":
                yield _play(programme.answers, request)
            elif request.command == "neighbours":
                yield _export(programme.answers, request)
            else:
                answer = _answer(programme, request)
                yield {"text": answer.text, "json": lambda: answer.text(True), "csv": answer.csv}[request.form]()
                yield from _written(answer, request)
        finally:
            self._last = programme.answers.last

    def _new_programme(self, space: str, weights: tuple[tuple[str, float], ...], correct_hubs: bool) -> Programme:
        return Programme(Answers(self.library, self._workspace, space, dict(weights) or None, correct_hubs))


def _is_folder(text: str) -> bool:
    try:
        return Path(text).expanduser().is_dir()
    except (OSError, RuntimeError, ValueError):  # no path
        return False


def one_line(number: str, *parts: str) -> str:
    """A numbered line of names and paths, whatever they hold."""
    return readable("  ".join([number, *(" ".join(part.split()) for part in parts)]))


def _answer(programme: Programme, ask: argparse.Namespace) -> Answer:
    answers, songs = programme.answers, ask.songs
    match ask.command:
        case "similar":
            return answers.similar(songs, ask.away, ask.number, _filters(ask))
        case "diverse":
            return answers.diverse(songs, ask.away, ask.number, ask.diversity, _filters(ask))
        case "compare":
            return answers.compare(*songs)
        case "why":
            return _why(answers, ask)
        case "info":
            return answers.info(songs[0])
        case "list":
            return answers.listing(songs[0] if songs else None)
        case "outliers":
            return answers.outliers(ask.number)
        case "hubs":
            return answers.hubs(ask.number)
        case "playlist":
            return programme.playlist(songs, ask.number, ask.max_per_artist, ask.start_bpm, ask.end_bpm)
        case "path":
            return programme.path(*songs, ask.number)
        case "order":
            return programme.order(Path(songs[0]).expanduser())
        case "transitions":
            return programme.transitions(songs)
    return {"genres": answers.genres, "duplicates": answers.duplicates, "evaluate": answers.evaluate}[ask.command]()


def _why(answers: Answers, ask: argparse.Namespace) -> Answer:
    try:
        return answers.why(*ask.songs, ask.picture)
    except OSError as error:
        raise UsageError(f"{ask.picture} cannot be written: {error.strerror}; choose another --picture FILE") from error


def _filters(ask: argparse.Namespace) -> Filters:
    return Filters(
        tuple(ask.genre),
        ask.same_genre,
        ask.bpm,
        ask.key,
        ask.year,
        max_per_artist=ask.max_per_artist,
        copies=ask.copies,
    )


def _written(answer: Answer, ask: argparse.Namespace) -> Iterator[str]:
    """Write the answer as a playlist if asked to; in ``text`` form say what files were written."""
    playlist, picture = getattr(ask, "m3u8", None), getattr(ask, "picture", None)
    if playlist:
        write_playlist(playlist, answer.records)
    if ask.form == "text":
        yield from (f"written: {file}" for file in (playlist, picture) if file)


def _radio(programme: Programme, ask: argparse.Namespace) -> Iterator[str]:
    """One line for each song, as soon as it is wanted: a JSON object, a row of CSV, or text."""
    for number, record in enumerate(programme.radio(ask.songs[0], ask.seed, ask.number), start=1):
        if ask.form == "json":
            yield json.dumps(record, ensure_ascii=False)
        elif ask.form == "csv":
            yield from ([_csv_line(record)] if number == 1 else [])
            yield _csv_line(record.values())
        else:
            tempo = f"{record['tempo_bpm']:.1f} BPM"
            yield one_line(f"{number:>3}", f"{record['song_name']} [{record['genre']}]", tempo, record["file_path"])


def _csv_line(values: Iterable[Any]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(values)
    return readable(line.getvalue())


def _play(answers: Answers, ask: argparse.Namespace) -> str:
    song = ask.songs[0]
    path = (
        song if song.lower().endswith(PLAYLIST_SUFFIXES) else answers.identity_of(answers.rows([song])[0])["file_path"]
    )
    command = play(path, ask.player)
    if ask.form == "text":
        return f"playing: {command}" if command else f"no player found; the song is {path}"
    return _told({"file_path": path, "player": command}, ask.form)


def _export(answers: Answers, ask: argparse.Namespace) -> str:
    rows, similarities = answers.neighbours(ask.k)
    write_neighbours(ask.out, answers.library.songs["file_path"].tolist(), rows, similarities)
    if ask.form == "text":
        return f"written: {ask.out}"
    return _told({"file_path": str(ask.out), "songs": len(rows), "neighbours": rows.shape[1]}, ask.form)


def _told(record: dict[str, Any], form: str) -> str:
    """One record as a JSON document or as CSV."""
    return to_json([record]) if form == "json" else f"{_csv_line(record)}\n{_csv_line(record.values())}"
