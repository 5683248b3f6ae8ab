"""Pictures of the classifier: arrays in, a matplotlib Figure out; nothing is shown, saved or loaded.

``names`` are the components' names ``(n_components,)``, ``genres`` those of the model, in label order,
``palette`` all genres of the library, by which colours are given everywhere. SHAP values are
``(n_songs, n_components, n_genres)``, in units of the margin.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from songmap.core.style import (
    AWAY_COLOUR,
    DIVERGING_MAP,
    GRID_COLOUR,
    MUTED_COLOUR,
    TEXT_COLOUR,
    TOWARDS_COLOUR,
    drawable,
    genre_colours,
    genre_markers,
    shorten,
)  # fmt: skip

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_TOP = 10
_PANELS_PER_ROW = 4


def confusion_picture(panels: dict[str, np.ndarray], genres: list[str]) -> "Figure":
    """Confusion matrices by title, counts ``(n_genres, n_genres)``; colour is the share of the true genre's songs."""
    size = 1.6 + 0.5 * len(genres)
    figure = _figure(len(panels) * size + 2.5, size + 0.8)
    axes = figure.subplots(1, len(panels), squeeze=False)[0]
    labels = [_label(genre, 18) for genre in genres]
    for place, (axis, (title, counts)) in enumerate(zip(axes, panels.items(), strict=True)):
        share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        image = axis.imshow(share, cmap="Blues", vmin=0, vmax=1)
        for row, column in np.argwhere(counts > 0):
            colour = "white" if share[row, column] > 0.55 else TEXT_COLOUR
            axis.text(column, row, f"{counts[row, column]}", ha="center", va="center", color=colour, fontsize=9)
        axis.set_xticks(range(len(genres)), labels, rotation=40, ha="right", rotation_mode="anchor")
        axis.set_yticks(range(len(genres)), labels if place == 0 else [])
        axis.tick_params(length=0)
        axis.spines[:].set_visible(False)
        axis.set(title=title, xlabel="predicted", ylabel="genre in the library" if place == 0 else "")
    figure.colorbar(image, ax=list(axes), label="share of the genre's songs", shrink=0.8)
    return figure


def importance_picture(importance: np.ndarray, names: list[str], genres: list[str], palette: Iterable[str]) -> "Figure":
    """Bars of mean absolute SHAP values ``(n_components, n_genres)``, stacked by genre; two genres have equal ones."""
    order = _strongest(importance)[::-1]
    figure = _figure(9.5, 1.5 + 0.36 * len(order) + 0.25 * np.ceil(len(genres) / 5))
    axis = figure.subplots()
    rows, left = np.arange(len(order)), np.zeros(len(order))
    if len(genres) == 2:
        axis.barh(rows, importance[order, 1], color=MUTED_COLOUR, height=0.7)
    else:
        colours, markers = genre_colours(palette), genre_markers(palette)
        for label, genre in enumerate(genres):
            hatch = "////" if markers[genre] != "o" else None  # colours that came up before
            axis.barh(
                rows, importance[order, label], left=left, height=0.7, color=colours[genre], label=_label(genre, 18),
                hatch=hatch, edgecolor="white", linewidth=0,
            )  # fmt: skip
            left += importance[order, label]
        figure.legend(loc="outside lower center", ncols=min(5, len(genres)), fontsize=9)
    axis.set_yticks(rows, [names[index] for index in order])
    axis.tick_params(axis="y", length=0)
    sides = f"towards or away from {_label(genres[1], 24)}" if len(genres) == 2 else "summed over genres"
    axis.set_xlabel(f"mean |SHAP value|, {sides} (margin)")
    _title(figure, "What the model goes by: components, their share of the variance, what a high score means")
    return figure


def beeswarm_picture(values: np.ndarray, scores: np.ndarray, names: list[str], genres: list[str]) -> "Figure":
    """Every song's SHAP value per component, coloured by its score ``(n_songs, n_components)`` there."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    order = _strongest(np.abs(values).mean(axis=0))[::-1]
    shown = [1] if len(genres) == 2 else list(range(len(genres)))
    columns = min(_PANELS_PER_ROW, len(shown))
    n_rows = -(-len(shown) // columns)
    width = 5.5 if len(shown) == 1 else 2.6
    figure = _figure(4.5 + width * columns + 0.8, n_rows * (1.2 + 0.38 * len(order)))
    axes = figure.subplots(n_rows, columns, squeeze=False, sharey=True, sharex=True)
    deviations = scores / np.where(scores.std(axis=0) > 0, scores.std(axis=0), 1.0)
    colours = ScalarMappable(Normalize(-2, 2), DIVERGING_MAP)
    for axis, label in zip(axes.flat, shown, strict=False):
        axis.axvline(0, color=GRID_COLOUR, zorder=0)
        for row, index in enumerate(order):
            towards = values[:, index, label]
            axis.scatter(
                towards, row + _spread(towards), s=14, c=colours.to_rgba(deviations[:, index]), linewidths=0.3,
                edgecolors=MUTED_COLOUR,
            )  # fmt: skip
        axis.set(title=f"towards {_label(genres[label], 20)}", xlabel="SHAP value (margin)")
        axis.tick_params(axis="y", length=0)
    for axis in list(axes.flat)[len(shown) :]:
        axis.set_visible(False)
    axes[0, 0].set_yticks(range(len(order)), [names[index] for index in order])
    figure.colorbar(
        colours, ax=axes, label="the song's score on the component (SD)", extend="both", shrink=min(1, 0.9 / n_rows)
    )
    return figure


def waterfall_picture(towards: np.ndarray, base: float, names: list[str], title: str, genre: str) -> "Figure":
    """From the base to one song's margin, component by component; ``towards`` ``(n_components,)`` SHAP values."""
    order = np.argsort(-np.abs(towards), kind="stable")
    steps = [(names[index], towards[index]) for index in order[: _TOP - 1]]
    rest = order[_TOP - 1 :]
    if len(rest):
        steps.append((f"{len(rest)} other components" if len(rest) > 1 else names[rest[0]], towards[rest].sum()))
    figure = _figure(9.5, 1.9 + 0.4 * len(steps))
    axis = figure.subplots()
    place = base
    for row, (_, step) in enumerate(steps):
        colour = TOWARDS_COLOUR if step > 0 else AWAY_COLOUR
        axis.barh(row, step, left=place, color=colour, height=0.62)
        axis.annotate(
            f"{round(step, 2) + 0.0:+.2f}", (max(place, place + step), row), (4, 0), textcoords="offset points", va="center", fontsize=9,
            color=colour,
        )  # fmt: skip
        axis.plot([place + step] * 2, [row - 0.31, row + 1.31], color=MUTED_COLOUR, linewidth=0.7)
        place += step
    axis.axvline(base, color=MUTED_COLOUR, linestyle=":", linewidth=1, zorder=0)
    axis.set_yticks(range(len(steps)), [name for name, _ in steps])
    axis.set_ylim(len(steps) - 0.2, -0.7)
    edges = base + np.concatenate([[0.0], np.cumsum([step for _, step in steps])])
    room = 0.05 * max(np.ptp(edges), 0.1)
    axis.set_xlim(edges.min() - room, edges.max() + 3 * room)
    axis.tick_params(axis="y", length=0)
    axis.set_xlabel(
        f"margin towards {_label(genre, 24)}: from {base:+.2f}, the base (dotted), to {place:+.2f}, this song\n"
        "components of the model that judged it; their words describe a positive score"
    )
    _title(figure, title)
    return figure


def dependence_picture(
    scores: np.ndarray,
    towards: np.ndarray,
    named: np.ndarray,
    name: str,
    genre: str,
    genres: list[str],
    palette: Iterable[str],
) -> "Figure":
    """SHAP value towards ``genre`` over the score on one component, both ``(n_songs,)``, songs marked by genre."""
    figure = _figure(8.5, 4.8)
    axis = figure.subplots()
    axis.axhline(0, color=GRID_COLOUR, zorder=0)
    colours, markers = genre_colours(palette), genre_markers(palette)
    for own in genres:
        mine = named == own
        axis.scatter(
            scores[mine], towards[mine], s=26, color=colours[own], marker=markers[own], alpha=0.85, linewidths=0.4,
            edgecolors="white", label=_label(own, 20),
        )  # fmt: skip
    axis.set(title=name, xlabel="score on the component", ylabel=f"SHAP value towards {_label(genre, 20)} (margin)")
    figure.legend(loc="outside right upper", fontsize=9, title="genre in the library", alignment="left")
    return figure


def boundary_picture(found: np.ndarray, labels: list[str], genres: list[str], palette: Iterable[str]) -> "Figure":
    """Probabilities ``(n_songs, n_genres)`` of the least certain songs, the least certain on top."""
    figure = _figure(9.5, 1.5 + 0.34 * len(found) + 0.25 * np.ceil(len(genres) / 5))
    axis = figure.subplots()
    colours, markers = genre_colours(palette), genre_markers(palette)
    left = np.zeros(len(found))
    for index, genre in enumerate(genres):
        hatch = "////" if markers[genre] != "o" else None
        axis.barh(
            range(len(found)), found[:, index], left=left, height=0.72, color=colours[genre], hatch=hatch,
            edgecolor="white", linewidth=0, label=_label(genre, 18),
        )  # fmt: skip
        left += found[:, index]
    axis.set_yticks(range(len(found)), [_label(text, 52) for text in labels])
    axis.tick_params(axis="y", length=0)
    axis.set_ylim(len(found) - 0.4, -0.6)
    axis.set_xlim(0, 1)
    axis.set(title="Songs between genres", xlabel="probability by a model that was trained without the song")
    figure.legend(loc="outside lower center", ncols=min(5, len(genres)), fontsize=9)
    return figure


def _figure(width: float, height: float) -> "Figure":
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _title(figure: "Figure", title: str) -> None:
    """Above everything, from the left edge, in as many lines as it needs."""
    figure.suptitle(drawable(title), x=0.01, ha="left", fontsize=11, fontweight="bold", wrap=True)


def _label(text: str, limit: int) -> str:
    return drawable(shorten(text, limit))


def _strongest(importance: np.ndarray) -> np.ndarray:
    """Indices of the ``_TOP`` components with the largest sum over genres, largest first."""
    return np.argsort(-importance.sum(axis=1), kind="stable")[:_TOP]


def _spread(values: np.ndarray) -> np.ndarray:
    """Offsets -0.35 … 0.35 that keep points of a row apart: songs in one of 40 bins are stacked around the middle."""
    span = np.ptp(values)
    bins = np.floor((values - values.min()) / span * 39.999).astype(int) if span > 0 else np.zeros(len(values), int)
    offsets = np.zeros(len(values))
    for place in np.unique(bins):
        mine = np.flatnonzero(bins == place)
        turn = np.arange(1, len(mine) + 1) // 2 * np.where(np.arange(len(mine)) % 2, 1, -1)
        offsets[mine] = turn * min(0.09, 0.7 / len(mine))
    return offsets
