"""Pictures of how good the classifier is: arrays in, a matplotlib Figure out; nothing is shown, saved or loaded.

``genres`` are those of the model, in label order, ``palette`` all genres of the library, by which colours are given
everywhere. Probabilities are ``(n_songs, n_genres)``, labels integers ``(n_songs,)``.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from songmap.core.figures import MUTED_COLOUR, TEXT_COLOUR, TOWARDS_COLOUR, drawable
from songmap.core.text import shorten
from songmap.library.palette import genre_colours, genre_markers

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def confusion_picture(panels: dict[str, np.ndarray], genres: Sequence[str]) -> "Figure":
    """Confusion matrices by title, counts ``(n_genres, n_genres)``; colour is the share of the true genre's songs."""
    many = len(genres) > 16
    size = 1.8 + (0.34 if many else 0.5) * len(genres)
    stacked = len(genres) > 8
    width, height = max(size, 3.2), size + 0.6
    shape = (len(panels), 1) if stacked else (1, len(panels))
    figure = new_figure(width * shape[1] + 2.5, height * shape[0])
    axes = figure.subplots(*shape, squeeze=False)
    names = [short(genre, 18) for genre in genres]
    for place, (axis, (title, counts)) in enumerate(zip(axes.flat, panels.items(), strict=True)):
        share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        image = axis.imshow(share, cmap="Blues", vmin=0, vmax=1)
        for row, column in np.argwhere(counts > 0):
            colour = "white" if share[row, column] > 0.55 else TEXT_COLOUR
            text = f"{counts[row, column]}"
            axis.text(column, row, text, ha="center", va="center", color=colour, fontsize=6 if many else 9)
        axis.set_xticks(range(len(genres)), names, rotation=40, ha="right", rotation_mode="anchor")
        first = stacked or place == 0
        axis.set_yticks(range(len(genres)), names if first else [])
        axis.tick_params(length=0)
        axis.spines[:].set_visible(False)
        axis.set(title=title, xlabel="predicted", ylabel="genre in the library" if first else "")
    figure.colorbar(image, ax=list(axes.flat), label="share of the genre's songs", shrink=0.8 / shape[0])
    return figure


def candidates_picture(candidates: Sequence[dict[str, Any]], chosen: str) -> "Figure":
    """Accuracy and macro F1 of every candidate on the same songs, with 95 % intervals; the served one in colour."""
    ranked = sorted(candidates, key=lambda record: record["macro_f1"])
    figure = new_figure(9.5, 1.5 + 0.34 * len(ranked))
    axes = figure.subplots(1, 2, sharey=True)
    for axis, score, title in zip(axes, ("accuracy", "macro_f1"), ("Accuracy", "Macro F1"), strict=True):
        for row, record in enumerate(ranked):
            colour = TOWARDS_COLOUR if record["model"] == chosen else MUTED_COLOUR
            axis.plot([record[f"{score}_low"], record[f"{score}_high"]], [row, row], color=colour, linewidth=2)
            axis.plot(record[score], row, "o", color=colour, markersize=7)
        axis.set(title=title, xlim=(-0.02, 1.02), ylim=(-0.6, len(ranked) - 0.4))
        axis.grid(axis="x")
        axis.tick_params(axis="y", length=0)
    names = [short(record["title"], 44) for record in ranked]
    for text, record in zip(_rows(axes[0], names), ranked, strict=True):
        text.set_fontweight("bold" if record["model"] == chosen else "normal")
    headline(figure, "Candidates in the same folds: dots, and lines that hold 95 % of resampled groups; bold is served")
    return figure


def reliability_picture(bins: Sequence[dict[str, Any]], error: float) -> "Figure":
    """How often answers of a certain probability were right; on the diagonal they are as frequent as they say.

    ``bins`` are records ``songs``, ``confidence`` (mean), ``accuracy`` and its interval ``accuracy_low``,
    ``accuracy_high``; ``error`` is the calibration error over them.
    """
    figure = new_figure(5.0, 4.4)
    axis = figure.subplots()
    axis.plot([0, 1], [0, 1], color=MUTED_COLOUR, linestyle=":", linewidth=1)
    for record in bins:
        place = record["confidence"]
        axis.plot([place] * 2, [record["accuracy_low"], record["accuracy_high"]], color=TOWARDS_COLOUR, linewidth=1.5)
        axis.plot(place, record["accuracy"], "o", color=TOWARDS_COLOUR, markersize=6)
    sizes = sorted({record["songs"] for record in bins})
    size = f"{sizes[0]}" if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"
    axis.set(xlim=(0, 1.02), ylim=(-0.02, 1.02), ylabel="share that was right, with 95 % interval")
    axis.set_xlabel(f"probability of the likeliest genre, mean of {size} songs a dot")
    axis.grid()
    headline(figure, f"Calibration: mean distance from the diagonal {error:.3f}")
    return figure


def boundary_picture(found: np.ndarray, labels: list[str], genres: Sequence[str], palette: Iterable[str]) -> "Figure":
    """Probabilities ``(n_songs, n_genres)`` of the least certain songs, the least certain on top."""
    figure = new_figure(9.5, 1.5 + 0.34 * len(found) + 0.25 * np.ceil(len(genres) / 5))
    axis = figure.subplots()
    stacked_bars(axis, found, genres, palette)
    _rows(axis, [short(text, 52) for text in labels])
    axis.set_ylim(len(found) - 0.4, -0.6)
    axis.set_xlim(0, 1)
    axis.set(title="Songs between genres", xlabel="probability by models that were trained without the song")
    figure.legend(loc="outside lower center", ncols=min(5, len(genres)), fontsize=9)
    return figure


def stacked_bars(axis: "Axes", widths: np.ndarray, genres: Sequence[str], palette: Iterable[str]) -> None:
    """One bar a row from parts ``(n_rows, n_genres)`` in the genres' colours; hatched where colours repeat."""
    colours, markers = genre_colours(palette), genre_markers(palette)
    left = np.zeros(len(widths))
    for index, genre in enumerate(genres):
        axis.barh(
            range(len(widths)), widths[:, index], left=left, height=0.72, color=colours[genre], label=short(genre, 18),
            hatch=None if markers[genre] == "o" else "////", edgecolor="white", linewidth=0,
        )  # fmt: skip
        left += widths[:, index]


def new_figure(width: float, height: float) -> "Figure":
    """An empty Figure, inches, whose parts make room for each other."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def headline(figure: "Figure", title: str) -> None:
    """Above everything, from the left edge, in as many lines as it needs."""
    figure.suptitle(drawable(title), x=0.01, ha="left", fontsize=11, fontweight="bold", wrap=True)


def short(text: str, limit: int) -> str:
    """A name from outside as a picture can show it."""
    return drawable(shorten(text, limit))


def _rows(axis: "Axes", names: list[str]) -> list[Any]:
    axis.set_yticks(range(len(names)), names)
    axis.tick_params(axis="y", length=0)
    return axis.get_yticklabels()
