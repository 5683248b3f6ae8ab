"""The steps of 02: which songs to draw, the pictures of a library, the pictures of a song.

What is written is a list of ``(path, what it shows)``.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from songmap.core.artifacts import Library
from songmap.core.config import Workspace
from songmap.core.names import find_song
from songmap.core.style import draw, shorten
from songmap.core.tables import format_duration
from songmap.extract.hear import Heard, hear
from songmap.journey import library_pictures, song_pictures
from songmap.journey.map_page import write_map_page
from songmap.journey.position import typical_song
from songmap.journey.projection import Projection, project, trust_in_words

Written = list[tuple[Path, str]]
MAX_FILE_NAME_BYTES = 150


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


def draw_library(workspace: Workspace, library: Library, seed: int) -> tuple[Written, Projection]:
    """Maps in two and three dimensions and genres compared; also returns the plane that songs are placed on."""
    genres = library.genres
    written: Written = []
    plane = None
    for n_dimensions in (2, 3):
        projection = project(library.embeddings, n_dimensions, seed)
        plane = plane or projection
        name = f"embedding_space_{n_dimensions}d"
        trust = trust_in_words(projection)
        page = write_map_page(workspace.html / f"{name}.html", projection, library.songs)
        written.append(
            (page, f"interactive {projection.method} map in {n_dimensions}D; point at a song, click a genre")
        )
        picture = workspace.plots / f"{name}.png"
        draw(library_pictures.map_picture, picture, projection.coordinates, genres, projection.method, trust)
        written.append((picture, f"the same map in {n_dimensions}D, and how far to trust it"))
    picture = workspace.plots / "genre_similarity.png"
    draw(library_pictures.genre_similarity_picture, picture, library.embeddings, genres)
    written.append((picture, "how alike songs are within and between genres"))
    picture = workspace.plots / "tempo_and_centroid.png"
    tempo_bpm, centroid_hz = library.column("tempo_bpm"), library.column("centroid_mean")
    draw(library_pictures.tempo_and_centroid_picture, picture, tempo_bpm, centroid_hz, genres)
    written.append((picture, "tempo and brightness by genre"))
    return written, plane


def draw_song(workspace: Workspace, library: Library, choice: Choice, plane: Projection) -> Written:
    """A song's journey to 641 numbers, and its three perspectives. Raises AudioError if it cannot be heard."""
    song = drawn_song(library, choice, hear(choice.path))
    place = plane.coordinates[choice.row] if choice.row is not None else plane.place(song.embedding[np.newaxis])[0]
    journey = workspace.plots / f"journey_{choice.file_name}.png"
    draw(song_pictures.journey_picture, journey, song, library.embeddings)
    perspectives = workspace.plots / f"perspectives_{choice.file_name}.png"
    draw(
        song_pictures.perspectives_picture, perspectives, song, plane.coordinates, library.genres, place,
        plane.method, trust_in_words(plane),
    )  # fmt: skip
    name = shorten(song.title, 60)
    return [
        (journey, f"{name}: from waveform to 641 numbers"),
        (perspectives, f"{name}: as producer, computer and data scientist see it"),
    ]


def drawn_song(library: Library, choice: Choice, heard: Heard) -> song_pictures.DrawnSong:
    """What is drawn; names and embedding are the library's where the song is in it."""
    record = heard.record if choice.row is None else library.songs.iloc[choice.row].to_dict()
    tempo_bpm = heard.frames.values["tempo_bpm"]
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
        samples=heard.samples,
        sample_rate_hz=heard.sample_rate_hz,
        features=heard.frames.features,
        frame_rate_hz=heard.frames.frame_rate_hz,
        beats_s=heard.frames.beats / heard.frames.frame_rate_hz,
        tempo_bpm=tempo_bpm,
        embedding=heard.embedding if choice.row is None else library.embeddings[choice.row],
    )
