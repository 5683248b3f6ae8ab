"""Figures of what drives the classifier: results in, a matplotlib Figure out; nothing is shown, saved or loaded.

Families are in points (hundredths) of probability, components in SHAP values (margin).
"""

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from songmap.core.figures import (
    AWAY_COLOUR,
    DIVERGING_MAP,
    GRID_COLOUR,
    MUTED_COLOUR,
    TOWARDS_COLOUR,
    drawable,
    headline,
    legend_below,
    new_figure,
    short,
)  # fmt: skip
from songmap.core.text import percent, shorten, signed
from songmap.genre.component_attribution import ComponentSample
from songmap.genre.results import FamilyMeans, GenreReport
from songmap.genre.song_results import SongExplanation
from songmap.genre.views.component_phrases import component_name, components_title
from songmap.genre.views.figures import name_rows, panels, stacked_bars
from songmap.genre.views.sentences import model_phrase, song_label
from songmap.library.palette import FAMILY_COLOURS, genre_colours, genre_markers
from songmap.library.schema import FAMILIES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_TOP = 10
_PANELS_PER_ROW = 4
_N_DEPENDENCE = 4  # components whose dependence is drawn


def families_figure(families: Sequence[FamilyMeans]) -> "Figure":
    """What each family adds towards a genre for the genre's own songs, as bars."""
    figure = new_figure(9.5, 1.9 + 0.42 * len(families))
    axis = figure.subplots()
    points = pd.DataFrame([one.points for one in families])
    points.plot.barh(
        stacked=True, ax=axis, width=0.7, color=FAMILY_COLOURS, edgecolor="white", linewidth=0.6, legend=False
    )
    axis.axvline(0, color=MUTED_COLOUR, linewidth=1)
    name_rows(axis, [short(one.genre, 28) for one in families])
    axis.set_xlabel("points of probability that a family adds towards the genre, mean over the genre's songs")
    figure.legend(loc="outside lower center", ncols=len(FAMILIES), fontsize=9, columnspacing=1.2, handlelength=1.2)
    headline(figure, "What separates the genres: the seven families of columns (exact Shapley values)")
    return figure


def importance_figure(report: GenreReport, sample: ComponentSample) -> "Figure":
    """Bars of mean absolute SHAP values, stacked by genre; two genres have equal ones."""
    importance, names, genres = sample.attribution.importance, _names(sample), _genres(report)
    order = strongest(importance)[:_TOP]
    figure = new_figure(9.5, 1.5 + 0.36 * len(order) + 0.25 * np.ceil(len(genres) / 5))
    axis = figure.subplots()
    if len(genres) == 2:
        axis.barh(range(len(order)), importance[order, 1], color=MUTED_COLOUR, height=0.7)
    else:
        stacked_bars(axis, importance[order], genres, sample.library_genres)
        legend_below(figure, *axis.get_legend_handles_labels())
    name_rows(axis, [names[index] for index in order])
    sides = f"towards or away from {short(genres[1], 24)}" if len(genres) == 2 else "summed over genres"
    axis.set_xlabel(f"mean |SHAP value|, {sides} (margin)")
    what = "components, their share of the variance, and what a high score means (training songs)"
    headline(figure, f"{components_title(report)}: {what}")
    return figure


def beeswarm_figure(report: GenreReport, sample: ComponentSample) -> "Figure":
    """Every song's SHAP value per component, coloured by its score there: a panel for every genre, one for both of two."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    values, deviations, importance = (
        sample.attribution.values,
        sample.attribution.deviations,
        sample.attribution.importance,
    )
    names, genres = _names(sample), _genres(report)
    order = strongest(importance)[:_TOP][::-1]
    shown = [1] if len(genres) == 2 else range(len(genres))
    n_rows = -(-len(shown) // _PANELS_PER_ROW)
    width, height = 5.5 if len(shown) == 1 else 2.6, 1.2 + 0.38 * len(order)
    figure = new_figure(5.3 + width * min(_PANELS_PER_ROW, len(shown)), n_rows * height)
    axes = panels(figure, len(shown), _PANELS_PER_ROW, sharey=True, sharex=True)
    colours = ScalarMappable(Normalize(-2, 2), DIVERGING_MAP)
    colour_of = colours.to_rgba(deviations[:, order].T.ravel())
    for axis, label in zip(axes, shown, strict=True):
        towards = values[:, order, label].T
        heights = np.concatenate([place + _spread(own) for place, own in enumerate(towards)])
        axis.axvline(0, color=GRID_COLOUR, zorder=0)
        axis.scatter(towards.ravel(), heights, s=14, c=colour_of, linewidths=0.3, edgecolors=MUTED_COLOUR)
        axis.set(title=short(genres[label], 28 if len(shown) == 1 else 13), xlabel="SHAP value (margin)")
        axis.tick_params(axis="y", length=0)
    for axis in axes[-_PANELS_PER_ROW:]:  # the lowest of each column
        axis.tick_params(labelbottom=True)
    axes[0].set_yticks(range(len(order)), [names[index] for index in order])
    scale = "the song's score on the component (SD)"
    figure.colorbar(colours, ax=figure.axes, label=scale, extend="both", shrink=min(1, 0.9 / n_rows))
    headline(figure, f"{components_title(report)}: what the components of training songs add towards each genre")
    return figure


def family_waterfall_figure(song: SongExplanation) -> "Figure":
    """From the mean probability of the background to a song's, family by family."""
    steps, base = [(one.family, 100 * one.adds) for one in song.families], 100 * song.background[song.predicted_genre]
    note = "families of columns; the base is the mean of the background songs"
    title = f"{song.predicted_genre} {percent(song.probability)}, by {model_phrase(song.fold_model)}"
    scale = f"probability of {song.predicted_genre} in points"
    return _waterfall_figure(f"{_song_name(song)}: {title}", steps, base, scale, note, 1)


def component_waterfall_figure(report: GenreReport) -> "Figure":
    """From the base margin of the trees to the explained song's, component by component."""
    song = report.song
    if song.components is None:
        raise ValueError("a song explained without components has no waterfall of them")
    steps = [(component_name(one.component), one.shap) for one in song.components.contributions]
    title = f"{_song_name(song)}: what components add towards {song.predicted_genre}, {components_title(report)}"
    scale, note = f"margin towards {song.predicted_genre}", "words describe a positive score on the component"
    return _waterfall_figure(title, steps, song.components.base, scale, note, 2)


def _waterfall_figure(
    title: str, steps: list[tuple[str, float]], base: float, scale: str, note: str, digits: int
) -> "Figure":
    """From ``base`` step by step, the largest first, to one song; ``scale`` is the axis, ``note`` a line below it."""
    shown, rest = steps[: _TOP - 1], steps[_TOP - 1 :]
    if rest:
        name = f"{len(rest)} others" if len(rest) > 1 else rest[0][0]
        shown = [*shown, (name, float(np.sum([step for _, step in rest])))]
    figure = new_figure(9.5, 1.9 + 0.4 * len(shown))
    axis = figure.subplots()
    sizes = np.array([step for _, step in shown])
    edges = base + np.cumsum([0.0, *sizes])
    colours = [TOWARDS_COLOUR if step > 0 else AWAY_COLOUR for step in sizes]
    axis.barh(range(len(shown)), sizes, left=edges[:-1], color=colours, height=0.62)
    for row, (step, colour) in enumerate(zip(sizes, colours, strict=True)):
        axis.annotate(
            signed(step, digits), (max(edges[row : row + 2]), row), (4, 0),
            textcoords="offset points", va="center", fontsize=9, color=colour,
        )  # fmt: skip
    rows = np.arange(len(shown) - 1)
    axis.vlines(edges[1:-1], rows - 0.31, rows + 1.31, color=MUTED_COLOUR, linewidth=0.7)
    axis.axvline(base, color=MUTED_COLOUR, linestyle=":", linewidth=1, zorder=0)
    name_rows(axis, [name for name, _ in shown])
    axis.set_ylim(len(shown) - 0.2, -0.7)
    room = 0.05 * max(np.ptp(edges), 0.1)
    axis.set_xlim(edges.min() - room, edges.max() + 3 * room)
    first, last = (f"{edge:.{digits}f}".replace("-", "−") for edge in (base, edges[-1]))
    scale = f"{scale}: from {first} (dotted) to {last}, this song"
    axis.set_xlabel(f"{drawable(scale)}\n{note}")
    headline(figure, title)
    return figure


def _song_name(song: SongExplanation) -> str:
    return shorten(song_label(song), 60)


def dependence_figure(report: GenreReport, sample: ComponentSample) -> "Figure":
    """SHAP values over scores on the most important components, each towards the genre that it moves most."""
    attribution, names, genres = sample.attribution, _names(sample), _genres(report)
    order = strongest(attribution.importance)[:_N_DEPENDENCE]
    height = 3.7 * -(-len(order) // 2) + 0.3 * np.ceil(len(genres) / 5)
    figure = new_figure(1 + 5.4 * min(2, len(order)), height)
    axes = panels(figure, len(order), 2)
    colours, markers = genre_colours(sample.library_genres), genre_markers(sample.library_genres)
    for axis, index in zip(axes, order, strict=True):
        side = 1 if len(genres) == 2 else int(attribution.importance[index].argmax())
        axis.axhline(0, color=GRID_COLOUR, zorder=0)
        for genre in genres:
            own = sample.song_genres == genre
            axis.scatter(
                attribution.scores[own, index], attribution.values[own, index, side], s=24, color=colours[genre],
                marker=markers[genre], alpha=0.85, linewidths=0.4, edgecolors="white", label=short(genre, 20),
            )  # fmt: skip
        axis.set_title(textwrap.fill(names[index], 52), fontsize=10)
        axis.set(xlabel="score on the component", ylabel=f"towards {short(genres[side], 20)} (SHAP, margin)")
    legend_below(figure, *axes[0].get_legend_handles_labels())
    headline(figure, f"{components_title(report)}: what its most important components add, training songs")
    return figure


def _names(sample: ComponentSample) -> list[str]:
    return [component_name(component) for component in sample.components]


def _genres(report: GenreReport) -> list[str]:
    return [one.genre for one in report.per_genre]


def strongest(importance: np.ndarray) -> np.ndarray:
    """Indices of rows by their sum, largest first: of components, given their importance for every genre."""
    return np.argsort(-importance.sum(axis=1), kind="stable")


def _spread(values: np.ndarray) -> np.ndarray:
    """Offsets -0.35 … 0.35 that keep points of a row apart: songs in one of 40 bins are stacked around the middle."""
    span = np.ptp(values) or 1.0
    bins = pd.Series(np.floor((values - values.min()) / span * 39.999))
    of_bin = bins.groupby(bins)
    number, size = of_bin.cumcount().to_numpy(), of_bin.transform("size").to_numpy()
    return (number + 1) // 2 * np.where(number % 2, 1, -1) * np.minimum(0.09, 0.7 / size)
