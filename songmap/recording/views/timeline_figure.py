"""The picture of a recording: its genres' probabilities over time, and its parts."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from songmap.core.figures import TEXT_COLOUR, drawable
from songmap.core.text import format_duration, percent
from songmap.genre.views.figures import headline, legend_below, new_figure, short
from songmap.library.palette import genre_colours
from songmap.recording.results import RecordingAnswer
from songmap.recording.views.layers import layers, tick_times_s
from songmap.recording.views.sentences import answer_sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LABEL_SHARE = 0.011  # of the width, that a character of a part's label takes


def timeline_figure(answer: RecordingAnswer, library_genres: Iterable[str]) -> "Figure":
    """Smoothed probabilities as a stacked area, raw ones as thin lines, parts above."""
    genres = [*library_genres]
    times_s, stack = layers(answer, genres)
    figure = new_figure(10, 4.2)
    strip, axis = figure.subplots(2, 1, sharex=True, height_ratios=[1, 9])
    below, below_raw = np.zeros(len(times_s)), np.zeros(len(times_s))
    for layer in stack:
        top, below_raw = below + layer.smoothed, below_raw + layer.raw
        name = f"{short(layer.name, 18)} {percent(layer.share)}"
        hatch = "////" if layer.is_repeated else None
        axis.fill_between(
            times_s, below, top, color=layer.colour, label=name, hatch=hatch, edgecolor="white", linewidth=0
        )
        if layer is not stack[-1]:
            axis.plot(times_s, below_raw, color=TEXT_COLOUR, linewidth=0.6, alpha=0.6)
        below = top
    for part in answer.parts[1:]:
        axis.axvline(part.start_s, color="white", linewidth=1.5)
        axis.axvline(part.start_s, color=TEXT_COLOUR, linewidth=0.8, linestyle=(0, (4, 3)))
    _draw_parts(strip, answer, genre_colours([*genres, *answer.genres]))
    ticks = tick_times_s(answer.duration_s, 11)
    axis.set_xticks(ticks, [format_duration(time) for time in ticks])
    axis.set(xlim=(0, answer.duration_s), ylim=(0, 1), xlabel="time", ylabel="probability of genre")
    axis.set_yticks(np.linspace(0, 1, 5), [f"{share:.0%}" for share in np.linspace(0, 1, 5)])
    headline(figure, answer_sentence(answer))
    legend_below(figure, *axis.get_legend_handles_labels())
    return figure


def _draw_parts(axis: "Axes", answer: RecordingAnswer, colours: dict[str, str]) -> None:
    """A strip of the parts in their genres' colours, with names where there is room."""
    for part in answer.parts:
        length_s = part.end_s - part.start_s
        bar = {"facecolor": colours[part.genre], "edgecolor": "white", "alpha": 0.45}
        axis.broken_barh([(part.start_s, length_s)], (0, 1), **bar)
        room = int(length_s / answer.duration_s / _LABEL_SHARE)
        label = short(part.genre, 30)
        if len(label) <= room:
            axis.text(part.start_s + length_s / 2, 0.45, drawable(label), ha="center", va="center", fontsize=9)
    axis.set(ylim=(0, 1))
    axis.axis("off")
