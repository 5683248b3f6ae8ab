"""Figures of a library's genres: similarity, tempo and brightness, keys."""

import textwrap
from typing import TYPE_CHECKING

import numpy as np

from songmap.core.figures import DIVERGING_MAP, MUTED_COLOUR, SEQUENTIAL_MAP, contrast_numbers, drawable
from songmap.core.text import shorten
from songmap.journey.results import ByGenre, GenreStatistics
from songmap.journey.views.column_figures import FREQUENCY_TICKS_HZ
from songmap.journey.views.map_figure import CROWD, MAX_EDGED, point_size
from songmap.library.genre_similarity import GenreSimilarity
from songmap.library.keys import KEYS, camelot
from songmap.library.palette import genre_colours, genre_markers

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_NUMBERED_GENRES = 14
MIN_SIMILARITY_SCALE = 0.25  # smaller similarities are not shown in full colour
USUAL_TEMPOS_BPM = (60, 200)
# from A minor and C major up by fifths, minor keys first
FIFTHS = tuple(12 * mode + (start + 7 * step) % 12 for mode, start in ((1, 9), (0, 0)) for step in range(12))
GAP_COLOUR = "#eeeeee"
_TITLE = {"ha": "left", "fontsize": 13, "fontweight": "bold"}


def similarity_figure(statistics: GenreStatistics) -> "Figure":
    """Heat map of the genres' similarity."""
    import seaborn
    from matplotlib.figure import Figure

    means = statistics.similarity.means
    n_genres = len(means)
    labels = [shorten(drawable(name), 24) for name in statistics.similarity.genres]
    numbered = n_genres <= MAX_NUMBERED_GENRES
    side = min(max((0.62 if numbered else 0.34) * n_genres, 5.0), 20.0)
    figure = Figure(figsize=(side + 3.4, side + 2), layout="constrained")
    axes = figure.add_subplot()
    axes.set_facecolor(GAP_COLOUR)
    limit = float(np.abs(means[np.isfinite(means)]).max(initial=MIN_SIMILARITY_SCALE))
    bar = {"label": "mean cosine similarity of songs", "shrink": 0.8, "fraction": 0.04, "aspect": 30}
    seaborn.heatmap(
        means, ax=axes, cmap=DIVERGING_MAP, vmin=-limit, vmax=limit, square=True, annot=numbered, fmt=".2f",
        annot_kws={"fontsize": 9}, cbar_kws=bar, xticklabels=labels, yticklabels=labels,
    )  # fmt: skip
    contrast_numbers(axes)
    size = min(9.0, 50 * side / n_genres)
    axes.tick_params(axis="x", rotation=90, labelsize=size)
    axes.tick_params(axis="y", rotation=0, labelsize=size)
    note = "157 descriptors, families of equal weight, as 04 genres; 0 is unrelated"
    if np.isnan(means).any():
        note += "; grey: a genre of one song has no pair"
    figure.suptitle("Similarity of songs within and between genres", x=0.02, **_TITLE)
    axes.set_title(textwrap.fill(note, 46 if side < 8 else 90), fontsize=9.5, fontweight="normal", color=MUTED_COLOUR)
    return figure


def tempo_and_centroid_figure(statistics: GenreStatistics) -> "Figure":
    """Tempo and mean spectral centroid of every song, genre by genre, with medians.

    Songs without a tempo are counted, not drawn.
    """
    from matplotlib.figure import Figure

    similarity, tempo_bpm, centroid_hz = statistics.similarity, statistics.tempo_bpm, statistics.centroid_hz
    n_genres = len(similarity.genres)
    figure = Figure(figsize=(14, 2.6 + 0.42 * n_genres), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    _draw_by_genre(left, tempo_bpm, similarity.genres)
    if not any(map(len, tempo_bpm.values)):
        left.set_xlim(USUAL_TEMPOS_BPM)
    without = f"; {tempo_bpm.n_unknown} without a tempo" if tempo_bpm.n_unknown else ""
    left.set(xlabel=f"tempo (BPM){without}", title="Tempo: how fast")
    _draw_by_genre(right, centroid_hz, similarity.genres)
    right.set_xscale("log", base=2)
    right.set_xticks(FREQUENCY_TICKS_HZ, [f"{hz:,}" for hz in FREQUENCY_TICKS_HZ])
    positive = np.concatenate([values[values > 0] for values in centroid_hz.values])
    right.set_xlim(0.85 * positive.min(initial=500.0), 1.18 * positive.max(initial=4000.0))
    right.set(xlabel="mean spectral centroid (Hz)", title="Centroid: how bright")
    left.set_yticks(range(n_genres), _counted(similarity))
    left.set_ylim(n_genres - 0.3, -0.7)
    figure.suptitle("Tempo and brightness by genre; bars: medians", x=0.01, **_TITLE)
    return figure


def key_figure(statistics: GenreStatistics) -> "Figure":
    """Share of each genre's songs in each key.

    Columns go round the circle of fifths; relative minor and major are at the same place of their halves. Songs without
    a key are counted, not drawn.
    """
    import seaborn
    from matplotlib.figure import Figure

    similarity, keys = statistics.similarity, statistics.keys
    n_genres = len(similarity.genres)
    figure = Figure(figsize=(14, 2.9 + 0.34 * n_genres), layout="constrained")
    halves = figure.subplots(1, 2, sharey=True)
    highest = max(1.15 * keys.shares.max(), 1)
    for axes, half, title in zip(halves, (FIFTHS[:12], FIFTHS[12:]), ("Minor keys", "Major keys"), strict=True):
        labels = [f"{KEYS[key].split()[0]}{'m' if key >= 12 else ''}\n{camelot(key)}" for key in half]
        counts = keys.counts[:, half]
        seaborn.heatmap(
            keys.shares[:, half], mask=counts == 0, ax=axes, cmap=f"{SEQUENTIAL_MAP}_r", vmin=0, vmax=highest,
            annot=counts if n_genres <= MAX_NUMBERED_GENRES else None, fmt=",d", annot_kws={"fontsize": 8}, cbar=False,
            xticklabels=labels, yticklabels=_counted(similarity),
        )  # fmt: skip
        contrast_numbers(axes)
        axes.spines[["left", "bottom"]].set_visible(True)
        axes.tick_params(length=0, rotation=0)
        axes.tick_params(axis="x", labelsize=9)
        axes.set(title=title, xlabel="key, and its place on the Camelot wheel; to the right a fifth higher")
    colours = halves[0].collections[0]
    figure.colorbar(colours, ax=halves, label="% of the genre's songs", fraction=0.03, aspect=12, pad=0.01)
    note = f"; {keys.n_unknown:,} without a key" if keys.n_unknown else ""
    figure.suptitle(f"Keys by genre, estimated from chroma{note}", x=0.01, **_TITLE)
    return figure


def _counted(similarity: GenreSimilarity) -> list[str]:
    """Genres with their numbers of songs."""
    pairs = zip(similarity.genres, similarity.counts, strict=True)
    return [f"{shorten(drawable(name), 26)} ({count:,})" for name, count in pairs]


def _draw_by_genre(axes: "Axes", quantity: ByGenre, genres: tuple[str, ...]) -> None:
    colours, markers = genre_colours(genres), genre_markers(genres)
    for row, (name, own, median) in enumerate(zip(genres, quantity.values, quantity.medians, strict=True)):
        # spread by rank, so that equal values stay visible; the golden ratio keeps neighbours apart
        offset = (np.arange(1, len(own) + 1) * 0.618034) % 1 * 0.5 - 0.25
        crowded = len(own) > MAX_EDGED  # white edges would wash out where points are densest
        axes.scatter(
            own, row - offset, s=point_size(len(own), 30), color=colours[name], marker=markers[name], zorder=3,
            edgecolors="none" if crowded else "white", linewidths=0.5, alpha=0.4 if crowded else 1,
            rasterized=len(own) > CROWD,
        )  # fmt: skip
        if len(own):
            axes.vlines(median, row - 0.36, row + 0.36, color="black", linewidth=2, zorder=4 if crowded else 2)
    axes.grid(axis="x")
    axes.set_axisbelow(True)
