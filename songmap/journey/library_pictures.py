"""Pictures of a whole library: maps, genres compared, tempo, brightness and key by genre.

Functions take arrays and return a Figure; ``genres`` is ``(n_songs,)`` of str.
"""

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from songmap.core.figures import DIVERGING_MAP, MUTED_COLOUR, SEQUENTIAL_MAP, drawable
from songmap.core.text import shorten
from songmap.journey.position import standardise
from songmap.journey.projection import cube_limits
from songmap.journey.song_pictures import CROWD, MAX_EDGED, draw_map, legend_below, point_size
from songmap.library.keys import KEYS, NO_KEY, camelot
from songmap.library.palette import genre_colours, genre_markers

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_NUMBERED_GENRES = 14
MAX_STEMS = 150
MIN_SIMILARITY_SCALE = 0.25  # smaller similarities are not blown up to full colour
USUAL_TEMPOS_BPM = (60, 200)
# from A minor and C major up by fifths, minor keys first
FIFTHS = tuple(12 * mode + (start + 7 * step) % 12 for mode, start in ((1, 9), (0, 0)) for step in range(12))
OCTAVE_TICKS_HZ = (250, 500, 1000, 2000, 4000, 8000)


def map_picture(coordinates: np.ndarray, genres: np.ndarray, method: str, trust: str) -> "Figure":
    """The map ``(n_songs, 2)`` or ``(n_songs, 3)``, its legend, and how far it can be trusted."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 9))
    n_dimensions = coordinates.shape[1]
    axes = figure.add_axes((0.06, 0.22, 0.9, 0.72), projection="3d" if n_dimensions == 3 else None)
    draw_map(axes, coordinates, genres, method)
    if n_dimensions == 3:
        axes.set_zlabel(f"{method} 3 (no unit)")
        axes.tick_params(labelbottom=False, labelleft=False, labelright=False)
        axes.set(xticklabels=[], yticklabels=[], zticklabels=[])
        low, high = cube_limits(coordinates).T
        axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), zlim=(low[2], high[2]))
        axes.set_box_aspect((1, 1, 1), zoom=1.05)
        if len(coordinates) <= MAX_STEMS:  # down to the floor, so that one sees where in space a point is
            for x, y, z in coordinates:
                axes.plot((x, x), (y, y), (low[2], z), color=MUTED_COLOUR, linewidth=0.5, alpha=0.5, zorder=0)
    figure.suptitle(
        f"{len(coordinates):,} songs in {n_dimensions} dimensions ({method} of 641 standardised columns)",
        x=0.06, ha="left", fontsize=14,
    )  # fmt: skip
    legend_below(axes, trust)
    return figure


def genre_similarities(embeddings: np.ndarray, genres: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Sorted genres and the mean cosine similarity of their songs, ``(n_genres, n_genres)`` in -1…1.

    Columns are standardised first, so 0 means unrelated. A song is not compared with itself: within
    a genre of one song the value is NaN.
    """
    scaled = standardise(embeddings)
    norms = np.linalg.norm(scaled, axis=1, keepdims=True)
    units = np.divide(scaled, norms, out=np.zeros_like(scaled), where=norms > 0)
    names = sorted(set(genres))
    member = np.array([genres == name for name in names], dtype=np.float64)
    counts = member.sum(axis=1)
    sums = member @ units
    totals = sums @ sums.T
    pairs = np.outer(counts, counts)
    totals[np.diag_indices_from(totals)] -= member @ np.sum(units**2, axis=1)
    pairs[np.diag_indices_from(pairs)] -= counts
    return names, np.divide(totals, pairs, out=np.full(totals.shape, np.nan), where=pairs > 0)


def genre_similarity_picture(embeddings: np.ndarray, genres: np.ndarray) -> "Figure":
    """Heat map of ``genre_similarities``."""
    from matplotlib.figure import Figure

    names, similarity = genre_similarities(embeddings, genres)
    labels = [shorten(drawable(name), 24) for name in names]
    numbered = len(names) <= MAX_NUMBERED_GENRES
    side = min(max((0.62 if numbered else 0.34) * len(names), 5.0), 20.0)
    figure = Figure(figsize=(side + 3.4, side + 2), layout="constrained")
    axes = figure.add_subplot()
    finite = np.abs(similarity[np.isfinite(similarity)])
    limit = float(finite.max(initial=MIN_SIMILARITY_SCALE))
    axes.set_facecolor("#eeeeee")
    image = axes.imshow(similarity, cmap=DIVERGING_MAP, vmin=-limit, vmax=limit)
    size = min(9.0, 50 * side / len(names))
    axes.set_xticks(range(len(names)), labels, rotation=90, fontsize=size)
    axes.set_yticks(range(len(names)), labels, fontsize=size)
    if numbered:
        for row, column in np.ndindex(similarity.shape):
            value = similarity[row, column]
            text = "–" if np.isnan(value) else f"{value:.2f}"
            colour = "white" if abs(np.nan_to_num(value)) > 0.65 * limit else "black"
            axes.text(column, row, text, ha="center", va="center", fontsize=9, color=colour)
    figure.colorbar(image, ax=axes, label="mean cosine similarity of songs", shrink=0.8, fraction=0.04, aspect=30)
    note = "standardised columns (--space scaled of 04), so 0 is unrelated"
    if np.isnan(similarity).any():
        note += "; grey: a genre of one song has no pair"
    figure.suptitle("How alike songs are within and between genres", x=0.02, ha="left", fontsize=13, fontweight="bold")
    axes.set_title(textwrap.fill(note, 46 if side < 8 else 90), fontsize=9.5, fontweight="normal", color=MUTED_COLOUR)
    return figure


def tempo_and_centroid_picture(tempo_bpm: np.ndarray, centroid_hz: np.ndarray, genres: np.ndarray) -> "Figure":
    """Tempo and mean spectral centroid, both ``(n_songs,)``, of every song, genre by genre, with medians.

    Songs without a tempo (0 BPM) are counted, not drawn.
    """
    from matplotlib.figure import Figure

    names = sorted(set(genres), reverse=True)
    figure = Figure(figsize=(14, 2.6 + 0.42 * len(names)), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    without = int(np.sum(tempo_bpm <= 0))
    _draw_by_genre(left, np.where(tempo_bpm > 0, tempo_bpm, np.nan), genres, names)
    if without == len(tempo_bpm):
        left.set_xlim(USUAL_TEMPOS_BPM)
    left.set_xlabel("tempo (BPM)" + (f"; {without} without a tempo" if without else ""))
    left.set_title("Tempo: how fast")
    _draw_by_genre(right, centroid_hz, genres, names)
    right.set_xscale("log", base=2)
    right.set_xticks(OCTAVE_TICKS_HZ, [f"{hz:,}" for hz in OCTAVE_TICKS_HZ])
    positive = centroid_hz[centroid_hz > 0]
    right.set_xlim(0.85 * positive.min(initial=500.0), 1.18 * positive.max(initial=4000.0))
    right.set_xlabel("mean spectral centroid (Hz)")
    right.set_title("Centroid: how bright")
    left.set_yticks(range(len(names)), _counted(names, genres))
    left.set_ylim(-0.7, len(names) - 0.3)
    figure.suptitle("Tempo and brightness by genre; bars: medians", x=0.01, ha="left", fontsize=13, fontweight="bold")
    return figure


def key_picture(keys: np.ndarray, genres: np.ndarray) -> "Figure":
    """Share of each genre's songs in each key, ``keys (n_songs,)`` as ``core.keys`` numbers them.

    Columns go round the circle of fifths; relative minor and major stand at the same place of their halves.
    Songs without a key are counted, not drawn.
    """
    from matplotlib.figure import Figure

    names = sorted(set(genres))
    n_songs = np.array([np.sum(genres == name) for name in names])
    counts = np.array([[np.sum(keys[genres == name] == key) for key in FIFTHS] for name in names])
    shares = 100 * counts / n_songs[:, None]
    figure = Figure(figsize=(14, 2.9 + 0.34 * len(names)), layout="constrained")
    halves = figure.subplots(1, 2, sharey=True)
    for axes, half, title in zip(halves, (slice(0, 12), slice(12, 24)), ("Minor keys", "Major keys"), strict=True):
        image = axes.imshow(
            np.where(counts[:, half], shares[:, half], np.nan), cmap=f"{SEQUENTIAL_MAP}_r", vmin=0,
            vmax=max(1.15 * shares.max(), 1), aspect="auto",
        )  # fmt: skip
        labels = [f"{KEYS[key].split()[0]}{'m' if key >= 12 else ''}\n{camelot(key)}" for key in FIFTHS[half]]
        axes.set_xticks(range(12), labels, fontsize=9)
        axes.tick_params(length=0)
        axes.set_title(title)
        axes.set_xlabel("key, and its place on the Camelot wheel; to the right a fifth higher")
        if len(names) <= MAX_NUMBERED_GENRES:
            for row, column in np.argwhere(counts[:, half]):
                dark = shares[:, half][row, column] > 0.5 * shares.max()
                text = f"{counts[:, half][row, column]:,}"
                axes.text(column, row, text, ha="center", va="center", fontsize=8, color="white" if dark else "black")
    halves[0].set_yticks(range(len(names)), _counted(names, genres))
    figure.colorbar(image, ax=halves, label="% of the genre's songs", fraction=0.03, aspect=12, pad=0.01)
    without = int(np.sum(keys == NO_KEY))
    note = f"; {without:,} without a key" if without else ""
    figure.suptitle(
        f"Keys by genre, estimated from chroma{note}", x=0.01, ha="left", fontsize=13, fontweight="bold"
    )  # fmt: skip
    return figure


def _counted(names: Sequence[str], genres: np.ndarray) -> list[str]:
    return [f"{shorten(drawable(name), 26)} ({np.sum(genres == name):,})" for name in names]


def _draw_by_genre(axes: "Axes", values: np.ndarray, genres: np.ndarray, names: list[str]) -> None:
    colours, markers = genre_colours(genres), genre_markers(genres)
    for row, name in enumerate(names):
        own = np.sort(values[(genres == name) & np.isfinite(values)])
        # spread by rank, so that equal values stay visible; the golden ratio keeps neighbours apart
        offset = (np.arange(1, len(own) + 1) * 0.618034) % 1 * 0.5 - 0.25
        crowded = len(own) > MAX_EDGED  # white edges would wash out where points are densest
        axes.scatter(
            own, row + offset, s=point_size(len(own), 30), color=colours[name], marker=markers[name], zorder=3,
            edgecolors="none" if crowded else "white", linewidths=0.5, alpha=0.4 if crowded else 1,
            rasterized=len(own) > CROWD,
        )  # fmt: skip
        if len(own):
            median = np.median(own)
            axes.vlines(median, row - 0.36, row + 0.36, color="black", linewidth=2, zorder=4 if crowded else 2)
    axes.grid(axis="x")
    axes.set_axisbelow(True)
