"""Figures of one song: its way from waveform to 641 numbers, and three ways to look at it."""

import textwrap
from typing import TYPE_CHECKING

import numpy as np

from songmap.core.figures import DIVERGING_MAP, SEQUENTIAL_MAP, drawable
from songmap.core.text import count_of_songs, format_duration, shorten
from songmap.journey.results import Projection, SongJourney
from songmap.journey.views.column_figures import draw_columns, frequency_ticks
from songmap.journey.views.map_figure import draw_map, legend_below
from songmap.journey.views.summary import song_facts, trust_in_words
from songmap.library.palette import GENRE_COLOURS
from songmap.library.schema import PITCH_CLASSES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure
    from matplotlib.gridspec import GridSpec

    Panel = tuple[Axes, Axes]

MAX_DRAWN_BEATS = 160
STAR_COLOUR = "#F0E442"
CENTROID_COLOUR = "#7FFFD4"  # seen on every colour of the spectrogram
TICK_STEPS_S = (0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800)


def journey_figure(song: SongJourney) -> "Figure":
    """From waveform to embedding; the last step as positions in the library."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(15, 23), layout="constrained")
    upper, lower = figure.subfigures(2, 1, height_ratios=(11.6, 11.4))
    _write_title(figure, song)
    grid = upper.add_gridspec(5, 2, width_ratios=(70, 1), height_ratios=(1.5, 3, 2.4, 2.1, 1.4))
    _draw_waveform(upper.add_subplot(grid[0, 0]), song, "1 · Waveform: amplitude over time")
    mel = "2 · Mel spectrogram: energy in 128 mel bands, and the spectral centroid"
    _draw_spectrogram(_panel(upper, grid, 1), song, mel)
    _draw_mfcc(_panel(upper, grid, 2), song)
    _draw_chroma(_panel(upper, grid, 3), song)
    _draw_onsets(upper.add_subplot(grid[4, 0]), song)
    draw_columns(lower, song.position, song.bands_hz)
    return figure


def perspectives_figure(song: SongJourney, projection: Projection, genres: np.ndarray) -> "Figure":
    """One song as a producer, a computer and a data scientist see it; a star marks its place on the map."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 17), layout="constrained")
    _write_title(figure, song)
    grid = figure.add_gridspec(3, 2, width_ratios=(70, 1), height_ratios=(1.6, 3.2, 7))
    waveform, spectrogram = figure.add_subplot(grid[0, 0]), _panel(figure, grid, 1)
    _draw_waveform(waveform, song, "Waveform (producer's view): loud and quiet, hits and breaks")
    computer = "Mel spectrogram (computer's view): energy of each frequency over time"
    _time_axis(_draw_spectrogram(spectrogram, song, computer), song, labels=True)
    axes = figure.add_subplot(grid[2, 0])
    draw_map(axes, projection, genres)
    star = {"marker": "*", "color": STAR_COLOUR, "markeredgecolor": "black", "linestyle": ""}
    axes.plot(*song.place, **star, markersize=26)
    axes.plot([], [], **star, markersize=11, label="this song")
    axes.set_title(f"Map (data scientist's view): its place among {count_of_songs(projection.n_songs)}")
    legend_below(axes, trust_in_words(projection))
    return figure


def _write_title(figure: "Figure", song: SongJourney) -> None:
    """At most two lines of title, so that even signs as wide as high fit, and one line of facts."""
    lines = textwrap.wrap(shorten(drawable(song.title), 120), 62)
    lines.append(shorten(drawable(song_facts(song)), 110))
    figure.suptitle("\n".join(lines), x=0.01, ha="left", fontsize=14)


def _time_axis(axes: "Axes", song: SongJourney, *, labels: bool = False) -> None:
    from matplotlib.ticker import FixedLocator

    step_s = next((step for step in TICK_STEPS_S if song.duration_s / step <= 12), TICK_STEPS_S[-1])
    ticks_s = np.arange(0, song.duration_s, step_s)
    axes.set_xlim(0, song.duration_s)
    axes.xaxis.set_major_locator(FixedLocator(ticks_s))
    axes.tick_params(labelbottom=labels)
    if labels:
        axes.set_xticklabels([f"{tick:g}" if step_s < 1 else format_duration(tick) for tick in ticks_s])
        axes.set_xlabel("time (s)" if step_s < 1 else "time (min:s)")


def _draw_waveform(axes: "Axes", song: SongJourney, title: str) -> None:
    wave = song.waveform
    axes.stairs(wave.high, wave.edges_s, baseline=wave.low, fill=True, color=GENRE_COLOURS[0])
    peak = max(float(np.abs([wave.low.min(), wave.high.max()]).max()), 1e-6)
    axes.set(ylim=(-1.08 * peak, 1.08 * peak), ylabel="amplitude", title=title)
    _time_axis(axes, song)


def _panel(figure: "Figure | SubFigure", grid: "GridSpec", row: int) -> "Panel":
    """Axes in the first column of a row, and for their bar of colours in the second."""
    return figure.add_subplot(grid[row, 0]), figure.add_subplot(grid[row, 1])


def _draw_frames(
    panel: "Panel", feature: np.ndarray, song: SongJourney, bar: dict[str, str], **options: object
) -> "Axes":
    """A condensed feature over time. A frame is centred on its time: half of the first lies before 0 s."""
    frames, axes = song.frames, panel[0]
    extent = (-0.5 / frames.frame_rate_hz, (frames.n_frames - 0.5) / frames.frame_rate_hz, -0.5, len(feature) - 0.5)
    image = axes.imshow(feature, origin="lower", aspect="auto", interpolation="nearest", extent=extent, **options)
    axes.figure.colorbar(image, cax=panel[1], **bar)
    _time_axis(axes, song)
    return axes


def _times_s(song: SongJourney) -> np.ndarray:
    """Times of the condensed frames."""
    return np.linspace(0, (song.frames.n_frames - 1) / song.frames.frame_rate_hz, len(song.frames.centroid_hz))


def _draw_spectrogram(panel: "Panel", song: SongJourney, title: str) -> "Axes":
    bar = {"label": "dB re maximum"}
    axes = _draw_frames(panel, song.frames.mel_db, song, bar, cmap=SEQUENTIAL_MAP, vmin=-80, vmax=0)
    frequency_ticks(axes.yaxis, song.bands_hz)
    axes.plot(
        _times_s(song), np.interp(song.frames.centroid_hz, song.bands_hz, np.arange(len(song.bands_hz))),
        color=CENTROID_COLOUR, linewidth=0.9, label=f"spectral centroid, mean {song.frames.mean_centroid_hz:,.0f} Hz",
    )  # fmt: skip
    axes.legend(
        loc="lower right", bbox_to_anchor=(1, 1), fontsize=9, borderaxespad=0.2, borderpad=0.3,
        labelcolor="white", frameon=True, facecolor="black", framealpha=1,
    )  # fmt: skip
    axes.set(ylabel="frequency (Hz)", title=title)
    return axes


def _draw_mfcc(panel: "Panel", song: SongJourney) -> None:
    mfcc, bar = song.frames.mfcc, {"label": "dB", "extend": "both"}
    limit = max(song.frames.mfcc_limit, 1e-6)  # the first is a level, far beyond the others
    axes = _draw_frames(panel, mfcc, song, bar, cmap=DIVERGING_MAP, vmin=-limit, vmax=limit)
    axes.set_yticks(np.arange(0, len(mfcc), 3), [str(number + 1) for number in range(0, len(mfcc), 3)])
    title = "3 · MFCC: the spectrum's shape in 20 numbers, its timbre (the first is its level, beyond the scale)"
    axes.set(ylabel="coefficient", title=title)


def _draw_chroma(panel: "Panel", song: SongJourney) -> None:
    bar = {"label": "share of the strongest"}
    axes = _draw_frames(panel, song.frames.chroma, song, bar, cmap=SEQUENTIAL_MAP, vmin=0, vmax=1)
    axes.set_yticks(range(len(PITCH_CLASSES)), PITCH_CLASSES, fontsize=8)
    axes.set(ylabel="pitch class", title="4 · Chroma: energy of each pitch class, all octaves")


def _draw_onsets(axes: "Axes", song: SongJourney) -> None:
    onsets = song.frames.onset_strength
    axes.plot(_times_s(song), onsets, color=GENRE_COLOURS[0], linewidth=0.9, label="onset strength")
    top = 1.1 * max(float(onsets.max()), 1e-6)
    step = 1
    while len(song.beats_s) / step > MAX_DRAWN_BEATS:
        step *= 2
    label = "tracked beat" if step == 1 else f"1 of {step} tracked beats"
    axes.vlines(song.beats_s[::step], 0, top, color=GENRE_COLOURS[1], linewidth=1.8, alpha=0.45, label=label)
    axes.set(ylim=(0, top), ylabel="rise (dB)")
    tempo = f"{song.tempo_bpm:.1f} BPM" if song.tempo_bpm > 0 else "no tempo"
    axes.set_title(f"5 · Onset strength: onsets of notes and drums; {len(song.beats_s):,} beats, {tempo}", pad=10)
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, fontsize=9, borderaxespad=0.2)
    _time_axis(axes, song, labels=True)
