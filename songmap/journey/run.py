"""The steps of 02: which songs to draw, the pictures of a library, the pictures of a song.

What is written is a list of ``(path, what it shows)``.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from songmap.core.figures import draw
from songmap.core.text import format_duration, shorten
from songmap.core.workspace import Workspace
from songmap.features.analysis import AudioAnalysis, analyse_file
from songmap.journey import library_pictures, song_pictures
from songmap.journey.colourings import key_names, library_colourings
from songmap.journey.map_page import write_map_page
from songmap.journey.position import typical_song
from songmap.journey.projection import Projection, project, trust_in_words
from songmap.journey.song_map import current_map
from songmap.library.keys import estimate_keys
from songmap.library.library import Library
from songmap.library.names import find_song
from songmap.library.recordings import recordings
from songmap.library.search import open_search
from songmap.library.spaces import build_space

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Written = list[tuple[Path, str]]
MAX_FILE_NAME_BYTES = 150
N_NEIGHBOURS = 10  # listed for each song on the pages


@dataclass(frozen=True)
class Choice:
    """A song to draw: its file, its row in the library (None: it is not in it), its part of a file name."""

    path: Path
    row: int | None
    file_name: str


def choose_songs(library: Library, queries: Sequence[str], all_songs: bool) -> list[Choice]:
    """The songs that names and files mean, each once; the most typical one without any. Raises QueryError."""
    paths = [str(path) for path in library.songs["file_path"]]
    rows: list[int] = []
    outside: list[Path] = []
    if all_songs:
        rows = list(range(len(library)))
    elif not queries:
        rows = [typical_song(library.embeddings)]
    for query in queries:
        file = Path(query).expanduser()
        if file.is_file() and str(file.resolve()) not in paths:
            outside.append(file.resolve())
        else:
            rows.append(find_song(library.songs, str(file.resolve()) if file.is_file() else query))
    outside = list(dict.fromkeys(outside))
    names = file_names([*library.songs["song_name"], *(path.stem for path in outside)])
    return [Choice(Path(paths[row]), row, names[row]) for row in dict.fromkeys(rows)] + [
        Choice(path, None, name) for path, name in zip(outside, names[len(library) :], strict=True)
    ]


def file_names(names: Sequence[str]) -> list[str]:
    """A part of a file name for each name, all different, also where case does not count."""
    taken: set[str] = set()
    result = []
    for name in names:
        plain = re.sub(r"[^\w-]+", "_", name).strip("_") or "song"
        plain = plain.encode("utf-8", "ignore")[:MAX_FILE_NAME_BYTES].decode("utf-8", "ignore")
        unique, number = plain, 2
        while unique.casefold() in taken:
            unique, number = f"{plain}_{number}", number + 1
        taken.add(unique.casefold())
        result.append(unique)
    return result


def draw_library(
    workspace: Workspace, library: Library, method: str, seed: int | None, refit: bool, formats: Sequence[str]
) -> tuple[Written, Projection]:
    """Maps in two and three dimensions and genres compared; also returns the plane that songs are placed on."""
    kept = workspace.song_map(method)
    song_map, drawn = current_map(kept, library, method, seed, refit)
    written: Written = [(kept, f"the kept map, {drawn}; later songs are placed on it")] if drawn else []
    plane, space = project(song_map, library, method)
    written += _draw_pages(workspace, library, (plane, space), song_map.seed)
    tempo_bpm, centroid_hz = library.column("tempo_bpm"), library.column("centroid_mean")
    genres, keys = library.genres, estimate_keys(library.embeddings)[0]
    for name, shows, function, *arguments in (
        *(
            (
                page_name(projection),
                f"the map in {projection.coordinates.shape[1]}D, and how far to trust it",
                library_pictures.map_picture, projection.coordinates, genres, projection.method,
                trust_in_words(projection),
            )
            for projection in (plane, space)
        ),
        (
            "genre_similarity", "how alike songs are within and between genres",
            library_pictures.genre_similarity_picture, library.embeddings, genres,
        ),
        (
            "tempo_and_centroid", "tempo and brightness by genre",
            library_pictures.tempo_and_centroid_picture, tempo_bpm, centroid_hz, genres,
        ),
        ("keys", "keys by genre, around the circle of fifths", library_pictures.key_picture, keys, genres),
    ):  # fmt: skip
        written += _draw(workspace, formats, name, shows, function, *arguments)
    return written, plane


def page_name(projection: Projection) -> str:
    """Name of a map's page and picture, without suffix."""
    return f"embedding_space_{projection.coordinates.shape[1]}d"


def _draw_pages(
    workspace: Workspace, library: Library, projections: tuple[Projection, Projection], seed: int
) -> Written:
    """The interactive maps; a song's neighbours there are those that 04 finds."""
    search = open_search(library, build_space(library.embeddings, "balanced"))
    files = recordings(library.songs)  # of other recordings with several files, one is listed
    rows, similarities = search.neighbours(min(N_NEIGHBOURS, len(np.unique(files)) - 1), files)
    colourings = library_colourings(workspace, library, seed)
    songs = library.songs.assign(key_estimate=key_names(library.embeddings))
    pages = [workspace.html / f"{page_name(projection)}.html" for projection in projections]
    for projection, page, other in zip(projections, pages, reversed(pages), strict=True):
        write_map_page(page, projection, songs, colourings, rows, similarities, other.name)
    return [
        (page, f"interactive {projection.method} map in {projection.coordinates.shape[1]}D: search, click, listen")
        for projection, page in zip(projections, pages, strict=True)
    ]


def draw_song(
    workspace: Workspace, library: Library, choice: Choice, plane: Projection, formats: Sequence[str]
) -> Written:
    """A song's journey to 641 numbers, and its three perspectives. Raises AudioError if it cannot be analysis."""
    song = drawn_song(library, choice, analyse_file(choice.path))
    place = plane.coordinates[choice.row] if choice.row is not None else plane.place(song.embedding[np.newaxis])[0]
    name = shorten(song.title, 60)
    return [
        *_draw(
            workspace, formats, f"journey_{choice.file_name}", f"{name}: from waveform to 641 numbers",
            song_pictures.journey_picture, song, library.embeddings,
        ),
        *_draw(
            workspace, formats, f"perspectives_{choice.file_name}",
            f"{name}: as producer, computer and data scientist see it", song_pictures.perspectives_picture, song,
            plane.coordinates, library.genres, place, plane.method, trust_in_words(plane),
        ),
    ]  # fmt: skip


def _draw(
    workspace: Workspace, formats: Sequence[str], name: str, shows: str, function: Callable[..., "Figure"],
    *arguments: object,
) -> Written:  # fmt: skip
    first = draw(function, workspace.plots / f"{name}.{formats[0]}", *arguments, formats=formats)
    return [(first.with_suffix(f".{suffix}"), shows) for suffix in formats]


def drawn_song(library: Library, choice: Choice, analysis: AudioAnalysis) -> song_pictures.DrawnSong:
    """What is drawn; names and embedding are the library's where the song is in it."""
    record = analysis.record if choice.row is None else library.songs.iloc[choice.row].to_dict()
    tempo_bpm = analysis.frames.values["tempo_bpm"]
    facts = (
        shorten(record["artist"], 30),
        shorten(record["genre"], 20) if choice.row is not None else "not in the library",
        f"key {shorten(record['key'], 12)}" if record["key"] else "",
        format_duration(record["duration"]),
        f"{tempo_bpm:.1f} BPM" if tempo_bpm > 0 else "",
    )
    return song_pictures.DrawnSong(
        title=record["title"] or record["song_name"],
        facts=" · ".join(fact for fact in facts if fact),
        samples=analysis.samples,
        sample_rate_hz=analysis.sample_rate_hz,
        features=analysis.frames.features,
        frame_rate_hz=analysis.frames.frame_rate_hz,
        beats_s=analysis.frames.beats / analysis.frames.frame_rate_hz,
        tempo_bpm=tempo_bpm,
        embedding=analysis.embedding if choice.row is None else library.embeddings[choice.row],
    )
