"""Pictures of one song: its way from waveform to 641 numbers, and three ways to look at it.

Functions take arrays and return a Figure. Frame features are ``(size, n_frames)``, frames
``1 / frame_rate_hz`` seconds apart, the first at 0 s; long songs are drawn from at most
``MAX_DRAWN_COLUMNS`` means (the waveform from minima and maxima), however long they are.
"""

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from songmap.core.figures import DIVERGING_MAP, SEQUENTIAL_MAP, drawable
from songmap.core.text import format_duration, shorten
from songmap.journey.column_panels import draw_columns, frequency_ticks, mel_bands_hz
from songmap.library.palette import GENRE_COLOURS, genre_colours, genre_markers
from songmap.library.schema import PITCH_CLASSES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure
    from matplotlib.gridspec import GridSpec

MAX_DRAWN_COLUMNS = 1600
MAX_DRAWN_BEATS = 160
MAX_EDGED = 300  # points: more are drawn smaller and without edges
CROWD = 2_000  # more are drawn in turns, and as pixels in vector formats
STAR_COLOUR = "#F0E442"
CENTROID_COLOUR = "#7FFFD4"  # seen on every colour of the spectrogram
TICK_STEPS_S = (0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800)


@dataclass(frozen=True)
class DrawnSong:
    """What is drawn of one song.

    ``samples`` mono ``(n,)``; ``features`` has ``mel`` (dB re maximum), ``mfcc``, ``chroma``,
    ``centroid`` (Hz) and ``onset_strength``; ``beats_s (n_beats,)``; ``embedding (641,)``.
    """

    title: str
    facts: str
    samples: np.ndarray
    sample_rate_hz: int
    features: Mapping[str, np.ndarray]
    frame_rate_hz: float
    beats_s: np.ndarray
    tempo_bpm: float
    embedding: np.ndarray

    @property
    def duration_s(self) -> float:
        return len(self.samples) / self.sample_rate_hz


def envelope(samples: np.ndarray, limit: int = MAX_DRAWN_COLUMNS) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Edges ``(n + 1,)`` in samples and minimum and maximum between them, both ``(n,)``; n is at most ``limit``."""
    edges = _edges(len(samples), limit)
    return edges, np.minimum.reduceat(samples, edges[:-1]), np.maximum.reduceat(samples, edges[:-1])


def condense(feature: np.ndarray, limit: int = MAX_DRAWN_COLUMNS) -> np.ndarray:
    """``(size, n_frames)`` to at most ``limit`` columns, each the mean of the frames it stands for."""
    edges = _edges(feature.shape[1], limit)
    return np.add.reduceat(feature, edges[:-1], axis=1, dtype=np.float64) / np.diff(edges)


def _edges(count: int, limit: int) -> np.ndarray:
    return np.linspace(0, count, min(count, limit) + 1).astype(np.int64)


def journey_picture(song: DrawnSong, library: np.ndarray) -> "Figure":
    """From waveform to embedding; the last step as positions in ``library``, embeddings ``(n_songs, 641)``."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(15, 23), layout="constrained")
    upper, lower = figure.subfigures(2, 1, height_ratios=(11.6, 11.4))
    _write_title(figure, song)
    grid = upper.add_gridspec(5, 2, width_ratios=(70, 1), height_ratios=(1.5, 3, 2.4, 2.1, 1.4))
    _draw_waveform(upper.add_subplot(grid[0, 0]), song, "1 · Waveform: the air's movement, as recorded")
    _draw_spectrogram(
        upper, grid, 1, song, "2 · Mel spectrogram: energy in 128 bands spaced as the ear does, and its centroid"
    )
    _draw_mfcc(upper, grid, 2, song)
    _draw_chroma(upper, grid, 3, song)
    _draw_onsets(upper.add_subplot(grid[4, 0]), song)
    draw_columns(lower, song.embedding, library, song.sample_rate_hz)
    return figure


def perspectives_picture(
    song: DrawnSong, coordinates: np.ndarray, genres: np.ndarray, place: np.ndarray, method: str, trust: str
) -> "Figure":
    """One song as a producer, a computer and a data scientist see it; ``place (2,)`` is starred on the map."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 17), layout="constrained")
    _write_title(figure, song)
    grid = figure.add_gridspec(3, 2, width_ratios=(70, 1), height_ratios=(1.6, 3.2, 7))
    _draw_waveform(
        figure.add_subplot(grid[0, 0]), song, "A producer sees the waveform: loud and quiet, hits and breaks"
    )
    spectrogram = _draw_spectrogram(
        figure, grid, 1, song, "A computer sees the mel spectrogram: how much of each frequency, moment by moment"
    )
    _time_axis(spectrogram, song, labels=True)
    axes = figure.add_subplot(grid[2, 0])
    draw_map(axes, coordinates, genres, method)
    star = {"marker": "*", "color": STAR_COLOUR, "markeredgecolor": "black", "linestyle": ""}
    axes.plot(*place, **star, markersize=26)
    axes.plot([], [], **star, markersize=11, label="this song")
    axes.set_title(f"A data scientist sees its place among {len(coordinates):,} songs")
    legend_below(axes, trust)
    return figure


def draw_map(axes: "Axes", coordinates: np.ndarray, genres: np.ndarray, method: str) -> None:
    """All songs as points ``(n_songs, 2 or 3)``, with colour and marker of their genre."""
    colours, markers = genre_colours(genres), genre_markers(genres)
    n_songs = len(coordinates)
    # in space matplotlib would fade what is far, and faded genres look like other genres
    depth = {"depthshade": False} if coordinates.shape[1] == 3 else {}
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
    axes.set_xlabel(f"{method} 1 (no unit)")
    axes.set_ylabel(f"{method} 2 (no unit)")
    axes.tick_params(labelbottom=False, labelleft=False)
    if coordinates.shape[1] == 2:
        axes.tick_params(length=0)
        axes.set_aspect("equal", adjustable="datalim")
        axes.margins(0.08)


def point_size(n_points: int, size: float) -> float:
    """Area of a marker in points²: ``size``, less where many would cover each other."""
    return max(2.0, size * min(1.0, MAX_EDGED / max(n_points, 1)))


def legend_below(axes: "Axes", text: str) -> None:
    """Legend under the axis label, and ``text`` in words below it."""
    handles, labels = axes.get_legend_handles_labels()
    columns = max(1, min(len(labels), 5 if max(map(len, labels)) < 24 else 3))
    legend = axes.legend(
        handles, labels, loc="upper center", bbox_to_anchor=(0.5, -0.045), ncols=columns, fontsize=9,
        title=textwrap.fill(text, 120), title_fontproperties={"size": 9}, alignment="left",
    )  # fmt: skip
    for handle in legend.legend_handles:
        if hasattr(handle, "set_sizes"):  # a crowd's points are too small to show a colour
            handle.set_sizes([40])


def _write_title(figure: "Figure", song: DrawnSong) -> None:
    """At most two lines of title, so that even signs as wide as high fit, and one line of facts."""
    lines = textwrap.wrap(shorten(drawable(song.title), 120), 62)
    lines.append(shorten(drawable(song.facts), 110))
    figure.suptitle("\n".join(lines), x=0.01, ha="left", fontsize=14)


def _time_axis(axes: "Axes", song: DrawnSong, *, labels: bool = False) -> None:
    from matplotlib.ticker import FixedLocator

    step_s = next((step for step in TICK_STEPS_S if song.duration_s / step <= 12), TICK_STEPS_S[-1])
    ticks_s = np.arange(0, song.duration_s, step_s)
    axes.set_xlim(0, song.duration_s)
    axes.xaxis.set_major_locator(FixedLocator(ticks_s))
    axes.tick_params(labelbottom=labels)
    if labels:
        axes.set_xticklabels([f"{tick:g}" if step_s < 1 else format_duration(tick) for tick in ticks_s])
        axes.set_xlabel("time (s)" if step_s < 1 else "time (min:s)")


def _draw_waveform(axes: "Axes", song: DrawnSong, title: str) -> None:
    edges, low, high = envelope(song.samples)
    axes.stairs(high, edges / song.sample_rate_hz, baseline=low, fill=True, color=GENRE_COLOURS[0])
    peak = max(float(np.abs([low.min(), high.max()]).max()), 1e-6)
    axes.set_ylim(-1.08 * peak, 1.08 * peak)
    axes.set_ylabel("amplitude")
    axes.set_title(title)
    _time_axis(axes, song)


def _draw_frames(axes: "Axes", feature: np.ndarray, song: DrawnSong, **options: object) -> object:
    """A feature over time. A frame's picture is centred on its time: half a frame lies before 0 s."""
    frame_s = 1 / song.frame_rate_hz
    extent = (-frame_s / 2, (feature.shape[1] - 0.5) * frame_s, -0.5, len(feature) - 0.5)
    image = axes.imshow(
        condense(feature), origin="lower", aspect="auto", interpolation="nearest", extent=extent, **options
    )
    _time_axis(axes, song)
    return image


def _draw_spectrogram(figure: "Figure | SubFigure", grid: "GridSpec", row: int, song: DrawnSong, title: str) -> "Axes":
    axes = figure.add_subplot(grid[row, 0])
    mel = song.features["mel"]
    bands_hz = mel_bands_hz(len(mel), song.sample_rate_hz)
    image = _draw_frames(axes, mel, song, cmap=SEQUENTIAL_MAP, vmin=-80, vmax=0)
    frequency_ticks(axes.yaxis, bands_hz)
    centroid_hz = condense(song.features["centroid"])[0]
    times_s = np.linspace(0, (song.features["centroid"].shape[1] - 1) / song.frame_rate_hz, len(centroid_hz))
    axes.plot(
        times_s, np.interp(centroid_hz, bands_hz, np.arange(len(bands_hz))), color=CENTROID_COLOUR, linewidth=0.9,
        label=f"spectral centroid, mean {song.features['centroid'].mean():,.0f} Hz",
    )  # fmt: skip
    axes.legend(loc="upper right", fontsize=9, labelcolor="white", frameon=True, facecolor="black", framealpha=0.6)
    axes.set_ylabel("frequency (Hz)")
    axes.set_title(title)
    figure.colorbar(image, cax=figure.add_subplot(grid[row, 1]), label="dB re maximum")
    return axes


def _draw_mfcc(figure: "SubFigure", grid: "GridSpec", row: int, song: DrawnSong) -> None:
    axes = figure.add_subplot(grid[row, 0])
    mfcc = song.features["mfcc"]
    limit = max(float(np.percentile(np.abs(mfcc[1:]), 99.5)), 1e-6)  # the first is a level, far beyond the others
    image = _draw_frames(axes, mfcc, song, cmap=DIVERGING_MAP, vmin=-limit, vmax=limit)
    axes.set_yticks(np.arange(0, len(mfcc), 3), [str(number + 1) for number in range(0, len(mfcc), 3)])
    axes.set_ylabel("coefficient")
    axes.set_title(
        "3 · MFCC: the spectrum's shape in 20 numbers, its timbre (the first is its level, beyond the scale)"
    )
    figure.colorbar(image, cax=figure.add_subplot(grid[row, 1]), label="dB", extend="both")


def _draw_chroma(figure: "SubFigure", grid: "GridSpec", row: int, song: DrawnSong) -> None:
    axes = figure.add_subplot(grid[row, 0])
    image = _draw_frames(axes, song.features["chroma"], song, cmap=SEQUENTIAL_MAP, vmin=0, vmax=1)
    axes.set_yticks(range(len(PITCH_CLASSES)), PITCH_CLASSES, fontsize=8)
    axes.set_ylabel("pitch class")
    axes.set_title("4 · Chroma: how much of each note, whatever its octave")
    figure.colorbar(image, cax=figure.add_subplot(grid[row, 1]), label="share of the strongest")


def _draw_onsets(axes: "Axes", song: DrawnSong) -> None:
    onsets = condense(song.features["onset_strength"])[0]
    times_s = np.linspace(0, (song.features["onset_strength"].shape[1] - 1) / song.frame_rate_hz, len(onsets))
    axes.plot(times_s, onsets, color=GENRE_COLOURS[0], linewidth=0.9, label="onset strength")
    top = 1.1 * max(float(onsets.max()), 1e-6)
    step = 1
    while len(song.beats_s) / step > MAX_DRAWN_BEATS:
        step *= 2
    axes.vlines(
        song.beats_s[::step], 0, top, color=GENRE_COLOURS[1], linewidth=1.8, alpha=0.45,
        label="tracked beat" if step == 1 else f"1 of {step} tracked beats",
    )  # fmt: skip
    axes.set_ylim(0, top)
    axes.set_ylabel("rise (dB)")
    tempo = f"{song.tempo_bpm:.1f} BPM" if song.tempo_bpm > 0 else "no tempo found"
    axes.set_title(f"5 · Onset strength: where something starts; {len(song.beats_s):,} beats, {tempo}", pad=10)
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, fontsize=9, borderaxespad=0.2)
    _time_axis(axes, song, labels=True)
