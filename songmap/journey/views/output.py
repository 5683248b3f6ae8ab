"""All files that people open: maps as pages and figures, figures of genres and of songs."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from songmap.core.figures import draw
from songmap.core.text import shorten
from songmap.core.workspace import Workspace
from songmap.journey.results import LibraryMaps, Projection, SongJourney
from songmap.journey.views import journey_figure, library_figures, map_figure
from songmap.journey.views.map_page import write_map_page
from songmap.journey.views.summary import fit_in_words

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Written = list[tuple[Path, str]]
"""Files, and what each shows."""


def write_library(workspace: Workspace, maps: LibraryMaps, formats: Sequence[str]) -> Written:
    """Pages and figures of a library; the kept map is listed where it is new."""
    statistics = maps.statistics
    written: Written = [(maps.fit.path, fit_in_words(maps.fit))] if maps.fit.reason else []
    for projection, other in ((maps.plane, maps.space), (maps.space, maps.plane)):
        page, other_page = workspace.page(map_name(projection)), workspace.page(map_name(other))
        write_map_page(page, projection, maps.map_songs, other_page.name)
        shows = f"interactive {projection.method} map in {projection.n_dimensions}D: search, click, listen"
        written.append((page, shows))
    for projection in (maps.plane, maps.space):
        shows = f"the map in {projection.n_dimensions}D, and how far to trust it"
        function = map_figure.map_figure
        written += _draw(workspace, formats, map_name(projection), shows, function, projection, maps.genres)
    for name, shows, figure in (
        ("genre_similarity", "similarity of songs within and between genres", library_figures.similarity_figure),
        ("tempo_and_centroid", "tempo and brightness by genre", library_figures.tempo_and_centroid_figure),
        ("keys", "keys by genre, around the circle of fifths", library_figures.key_figure),
    ):
        written += _draw(workspace, formats, name, shows, figure, statistics)
    return written


def map_name(projection: Projection) -> str:
    """Name of a map's page and figure, without suffix."""
    return f"embedding_space_{projection.n_dimensions}d"


def write_song(
    workspace: Workspace, file_name: str, song: SongJourney, maps: LibraryMaps, formats: Sequence[str]
) -> Written:
    """A song's journey to 641 numbers, and its three perspectives."""
    name = shorten(song.title, 60)
    return [
        *_draw(
            workspace, formats, f"journey_{file_name}", f"{name}: from waveform to 641 numbers",
            journey_figure.journey_figure, song,
        ),
        *_draw(
            workspace, formats, f"perspectives_{file_name}",
            f"{name}: as producer, computer and data scientist see it", journey_figure.perspectives_figure, song,
            maps.plane, maps.genres,
        ),
    ]  # fmt: skip


def _draw(
    workspace: Workspace, formats: Sequence[str], name: str, shows: str, function: Callable[..., "Figure"],
    *arguments: object,
) -> Written:  # fmt: skip
    first = draw(function, workspace.plots / f"{name}.{formats[0]}", *arguments, formats=formats)
    return [(first.with_suffix(f".{suffix}"), shows) for suffix in formats]
