"""The maps as figures, in two and in three dimensions."""

import textwrap
from typing import TYPE_CHECKING

import numpy as np

from songmap.core.figures import MUTED_COLOUR, drawable
from songmap.core.text import shorten
from songmap.journey.results import Projection
from songmap.journey.views.summary import space_in_words, trust_in_words
from songmap.library.palette import genre_colours, genre_markers

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_EDGED = 300  # points: more are drawn smaller and without edges
CROWD = 2_000  # more are drawn in turns, and as pixels in vector formats
MAX_STEMS = 150


def map_figure(projection: Projection, genres: np.ndarray) -> "Figure":
    """The map, its legend, and how reliable it is; ``genres (n_songs,)`` of str."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 9))
    coordinates, n_dimensions = projection.coordinates, projection.n_dimensions
    axes = figure.add_axes((0.06, 0.22, 0.9, 0.72), projection="3d" if n_dimensions == 3 else None)
    draw_map(axes, projection, genres)
    if n_dimensions == 3:
        axes.tick_params(labelbottom=False, labelleft=False, labelright=False)
        axes.set(xticklabels=[], yticklabels=[], zticklabels=[], zlabel=f"{projection.method} 3 (no unit)")
        low, high = cube_limits(coordinates).T
        axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), zlim=(low[2], high[2]))
        axes.set_box_aspect((1, 1, 1), zoom=1.05)
        if len(coordinates) <= MAX_STEMS:  # down to the floor, so that one sees where in space a point is
            for x, y, z in coordinates:
                axes.plot((x, x), (y, y), (low[2], z), color=MUTED_COLOUR, linewidth=0.5, alpha=0.5, zorder=0)
    songs = f"{len(coordinates):,} songs in {n_dimensions} dimensions"
    figure.suptitle(f"{songs} ({projection.method} of {space_in_words(projection)})", x=0.06, ha="left", fontsize=14)
    legend_below(axes, trust_in_words(projection))
    return figure


def draw_map(axes: "Axes", projection: Projection, genres: np.ndarray) -> None:
    """All songs as points, with colour and marker of their genre."""
    coordinates, n_songs = projection.coordinates, projection.n_songs
    colours, markers = genre_colours(genres), genre_markers(genres)
    # in space matplotlib would fade what is far, and faded genres look like other genres
    depth = {"depthshade": False} if projection.n_dimensions == 3 else {}
    # a crowd is drawn in turns, so that no genre lies on top everywhere
    turn = np.random.default_rng(0).integers(0, 1 + n_songs // CROWD, n_songs)
    for part in range(1 + n_songs // CROWD):
        for genre in sorted(set(genres)):
            own = genres == genre
            label = f"{shorten(drawable(genre), 28)} ({own.sum():,})"
            axes.scatter(
                *coordinates[own & (turn == part)].T, s=point_size(n_songs, 46), color=colours[genre],
                marker=markers[genre], linewidths=0.6,
                edgecolors="white" if n_songs <= MAX_EDGED else "none",
                rasterized=n_songs > CROWD, label=label if part == 0 else None, **depth,
            )  # fmt: skip
    axes.set(xlabel=f"{projection.method} 1 (no unit)", ylabel=f"{projection.method} 2 (no unit)")
    axes.tick_params(labelbottom=False, labelleft=False)
    if projection.n_dimensions == 2:
        axes.tick_params(length=0)
        axes.set_aspect("equal", adjustable="datalim")
        axes.margins(0.08)


def point_size(n_points: int, size: float) -> float:
    """Area of a marker in points²: ``size``, less where many would cover each other."""
    return max(2.0, size * min(1.0, MAX_EDGED / max(n_points, 1)))


def legend_below(axes: "Axes", text: str) -> None:
    """Legend under the axis label, with ``text`` as its title."""
    handles, labels = axes.get_legend_handles_labels()
    columns = max(1, min(len(labels), 5 if max(map(len, labels)) < 24 else 3))
    legend = axes.legend(
        handles, labels, loc="upper center", bbox_to_anchor=(0.5, -0.045), ncols=columns, fontsize=9,
        title=textwrap.fill(text, 120), title_fontproperties={"size": 9}, alignment="left",
    )  # fmt: skip
    for handle in legend.legend_handles:
        if hasattr(handle, "set_sizes"):  # a crowd's points are too small to show a colour
            handle.set_sizes([40])


def plane_limits(coordinates: np.ndarray) -> np.ndarray:
    """Limits ``(n_dimensions, 2)`` that hold all points, with a margin."""
    low, high = coordinates.min(axis=0), coordinates.max(axis=0)
    margin = np.maximum(0.07 * (high - low), 1e-6)
    return np.stack([low - margin, high + margin], axis=1)


def cube_limits(coordinates: np.ndarray) -> np.ndarray:
    """Limits ``(n_dimensions, 2)`` of equal width that hold all points, so that no direction is stretched."""
    low, high = coordinates.min(axis=0), coordinates.max(axis=0)
    half = 0.55 * max(float((high - low).max()), 1e-6)
    return np.stack([(low + high) / 2 - half, (low + high) / 2 + half], axis=1)
