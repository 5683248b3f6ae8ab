"""The picture of a recording: its genres' probabilities over time, and its parts."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from songmap.core.figures import drawable, headline, legend_below, new_figure, short
from songmap.core.text import format_duration, percent
from songmap.library.palette import genre_colours
from songmap.recording.results import RecordingAnswer
from songmap.recording.views.layers import Layer, layers, tick_times_s
from songmap.recording.views.sentences import answer_sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LABEL_SHARE = 0.0095  # of the width, that a character of a part's label takes


def timeline_figure(answer: RecordingAnswer, library_genres: Iterable[str]) -> "Figure":
    """Smoothed probabilities as a stacked area, the parts above, below a lower one of raw probabilities."""
    genres = [*library_genres]
    times_s, stack = layers(answer, genres)
    figure = new_figure(10, 4.6)
    strip, axis, raw = figure.subplots(3, 1, sharex=True, height_ratios=[1, 9, 2])
    _draw_stack(axis, times_s, [layer.smoothed for layer in stack], stack)
    _draw_stack(raw, times_s, [layer.raw for layer in stack], stack)
    for part in answer.parts[1:]:
        for area in (axis, raw):
            area.axvline(part.start_s, color="white", linewidth=1.5)
    _draw_parts(strip, answer, genre_colours([*genres, *answer.genres]))
    ticks = tick_times_s(answer.duration_s, 11)
    raw.set_xticks(ticks, [format_duration(time) for time in ticks])
    raw.set(xlim=(0, answer.duration_s), xlabel="time (min:s)", yticks=[])
    raw.set_ylabel("before\nsmoothing", rotation=0, ha="right", va="center", fontsize=9)
    axis.set_yticks(np.linspace(0, 1, 5), [percent(share) for share in np.linspace(0, 1, 5)])
    axis.set_ylabel("probability of genre")
    headline(figure, answer_sentence(answer))
    legend_below(figure, *axis.get_legend_handles_labels())
    return figure


def _draw_stack(axis: "Axes", times_s: np.ndarray, shares: Sequence[np.ndarray], stack: Sequence[Layer]) -> None:
    """Areas one on the other, hatched where a colour is another genre's too."""
    below = np.zeros(len(times_s))
    for layer, own in zip(stack, shares, strict=True):
        name, hatch = f"{short(layer.name, 18)} {percent(layer.share)}", "////" if layer.is_repeated else None
        looks = {"facecolor": layer.colour, "edgecolor": "white", "linewidth": 0, "hatch": hatch}
        axis.fill_between(times_s, below, below + own, label=name, **looks)
        below = below + own
    axis.set_ylim(0, 1)


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
