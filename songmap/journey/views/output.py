"""All files that people open: maps as pages and figures, figures of genres and of songs."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from songmap.core.figures import draw
from songmap.core.workspace import Workspace
from songmap.journey.results import LibraryMaps, Projection, SongJourney
from songmap.journey.views.journey_figure import journey_figure, perspectives_figure
from songmap.journey.views.library_figures import key_figure, similarity_figure, tempo_and_centroid_figure
from songmap.journey.views.map_figure import map_figure
from songmap.journey.views.map_page import write_map_page

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Written = list[tuple[Path, str]]
"""Files, and what each shows."""


def write_library(workspace: Workspace, maps: LibraryMaps, formats: Sequence[str]) -> Written:
    """Pages and figures of a library; the saved map is listed where it is new.

    Statistics of genres are those of the default space: maps of another one come without them.
    """
    written: Written = [(maps.fit.path, "saved map")] if maps.fit.reason else []
    for projection, other in ((maps.plane, maps.space), (maps.space, maps.plane)):
        page, other_page = workspace.page(map_name(projection)), workspace.page(map_name(other))
        write_map_page(page, projection, maps.map_songs, other_page.name)
        shows = f"interactive map in {projection.n_dimensions}D"
        written.append((page, shows))
    drawn = partial(_draw, workspace, formats)
    for projection in (maps.plane, maps.space):
        shows = f"map in {projection.n_dimensions}D"
        written += drawn(map_name(projection), shows, map_figure, projection, maps.genres)
    if maps.plane.space != "balanced":
        return written
    written += drawn("genre_similarity", "similarity of genres", similarity_figure, maps.statistics)
    written += drawn("tempo_and_centroid", "tempo, brightness", tempo_and_centroid_figure, maps.statistics)
    return written + drawn("keys", "keys by genre", key_figure, maps.statistics)


def map_name(projection: Projection) -> str:
    """Name of a map's page and figure, without suffix."""
    of_space = "" if projection.space == "balanced" else f"{projection.space}_"
    return f"embedding_space_{of_space}{projection.n_dimensions}d"


def write_song(
    workspace: Workspace, file_name: str, song: SongJourney, maps: LibraryMaps, formats: Sequence[str]
) -> Written:
    """The figures of a song: from waveform to 641 numbers, and its three perspectives."""
    drawn = partial(_draw, workspace, formats)
    journey = drawn(f"journey_{file_name}", "song in 641 numbers", journey_figure, song)
    shows = "song on the map"
    return journey + drawn(f"perspectives_{file_name}", shows, perspectives_figure, song, maps.plane, maps.genres)


def _draw(
    workspace: Workspace, formats: Sequence[str], name: str, shows: str, make: Callable[..., "Figure"], *values: object
) -> Written:
    first = draw(make, workspace.plots / f"{name}.{formats[0]}", *values, formats=formats)
    return [(first.with_suffix(f".{suffix}"), shows) for suffix in formats]
