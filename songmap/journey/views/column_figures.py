"""The last step of a song's journey: its 641 numbers by family, each as its position in the library.

Units differ between columns, so the colour is a percentile. In a library of one song there is none;
then the columns that are single numbers are written out with their values.
"""

from typing import TYPE_CHECKING

import numpy as np

from songmap.core.figures import DIVERGING_MAP, MUTED_COLOUR
from songmap.core.text import quantity
from songmap.journey.percentiles import MIN_SONGS_UNUSUAL, N_UNUSUAL
from songmap.journey.results import LibraryPosition, UnusualColumn
from songmap.library.descriptors import COLUMN_LABELS
from songmap.library.palette import FAMILY_COLOURS, GENRE_COLOURS
from songmap.library.schema import (
    COLUMN_UNIT,
    FAMILIES,
    FEATURES,
    N_COLUMNS,
    Feature,
    block_slice,
    column_index,
    family_indices,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import SubFigure
    from matplotlib.image import AxesImage

FREQUENCY_TICKS_HZ = (250, 500, 1000, 2000, 4000, 8000)
MEL_LINES = (("p75", "75th percentile"), ("mean", "mean"), ("p50", "median"), ("p25", "25th percentile"))
_UNITS = {"0…1": "(0…1)", "-1…1": "(−1…1)", "dB below maximum": "dB re maximum"}  # others as the schema has them


def draw_columns(figure: "SubFigure", position: LibraryPosition, bands_hz: np.ndarray) -> None:
    """The 641 numbers as seven strips of library positions, mel also as its four curves, and the most unusual columns.

    ``bands_hz (128,)`` are the mel bands' centres.
    """
    heights = (*[0.45] * (len(FAMILIES) - 1), 1.1, 2.6, 1.9)
    grid = figure.add_gridspec(len(FAMILIES) + 2, 2, width_ratios=(70, 1), height_ratios=heights)
    _draw_mel_curves(figure.add_subplot(grid[-2, 0]), position, bands_hz)
    if position.percentiles is None:
        _write_single_numbers(figure.add_subplot(grid[: len(FAMILIES), 0]), position.embedding)
        return
    for row, family in enumerate(FAMILIES):
        axes = figure.add_subplot(grid[row, 0])
        image = _draw_strip(axes, family, position.percentiles, bands_hz)
        if row == 0:
            among = f"the library's {position.n_songs:,} songs"
            axes.set_title(f"6 · {N_COLUMNS} numbers: each one's percentile among {among}", pad=8)
    bar = figure.colorbar(image, cax=figure.add_subplot(grid[: len(FAMILIES), 1]), ticks=(0, 25, 50, 75, 100))
    bar.set_label("percentile in the library")
    _write_unusual(figure.add_subplot(grid[-1, 0]), position)


def frequency_ticks(axis: "Axis", bands_hz: np.ndarray) -> None:
    """Round frequencies on an axis that counts bands."""
    ticks_hz = [hz for hz in FREQUENCY_TICKS_HZ if bands_hz[0] <= hz <= bands_hz[-1]]
    axis.set_ticks(np.interp(ticks_hz, bands_hz, np.arange(len(bands_hz))), [f"{hz:,}" for hz in ticks_hz])


def column_label(column: str) -> str:
    """A column's name in words."""
    return COLUMN_LABELS[column_index(column)]


def with_unit(value: float, column: str) -> str:
    """A value with the unit of its column; where there is no unit, with the column's range."""
    unit = COLUMN_UNIT[column_index(column)]
    return f"{quantity(round(value, 6) + 0.0)} {_UNITS.get(unit, unit)}".replace("-", "−")


def unusual_in_words(unusual: UnusualColumn) -> tuple[str, str, str, str]:
    """Column, value, position, and the library's median."""
    value, median = (with_unit(number, unusual.column) for number in (unusual.value, unusual.median))
    away = f"{abs(unusual.z_score):.1f} standard deviations {'above' if unusual.z_score > 0 else 'below'} the mean"
    position = f"percentile {unusual.percentile:.0f}, {away}"
    return column_label(unusual.column), value, position, f"library's median {median}"


def _write_single_numbers(axes: "Axes", embedding: np.ndarray) -> None:
    """What can be shown without a library: the columns that are one number each, with value and unit."""
    axes.set_axis_off()
    axes.set_title(
        f"6 · {N_COLUMNS} numbers: percentiles need a library of two songs or more; "
        "the values of the features that are one number each:"
    )
    names = [name for block in FEATURES if block.size == 1 for name in block.names]
    lines = -(-len(names) // 2)
    axes.set(xlim=(0, 1), ylim=(lines, 0))
    for place, name in enumerate(names):
        column, line = divmod(place, lines)
        value = with_unit(float(embedding[column_index(name)]), name)
        axes.text(0.5 * column, line + 0.5, column_label(name), va="center", fontweight="bold")
        axes.text(0.5 * column + 0.22, line + 0.5, value, va="center")


def _draw_strip(axes: "Axes", family: str, ranks: np.ndarray, bands_hz: np.ndarray) -> "AxesImage":
    """One family's columns left to right, blocks named below; mel as four rows over frequency."""
    indices = family_indices(family)
    values = ranks[indices][np.newaxis]
    if family == "mel":
        values = np.stack([ranks[block_slice("mel", statistic)] for statistic, _ in MEL_LINES])
    rows, width = values.shape
    image = axes.imshow(values, aspect="auto", cmap=DIVERGING_MAP, vmin=0, vmax=100, interpolation="nearest")
    style = {"rotation": 0, "ha": "right", "va": "center", "fontsize": 9.5, "fontweight": "bold"}
    axes.set_ylabel(f"{family}\n{len(indices)}", labelpad=6, **style)
    axes.spines["left"].set(color=FAMILY_COLOURS[family], linewidth=6)
    if family == "mel":
        axes.set_yticks(range(rows), [statistic for statistic, _ in MEL_LINES], fontsize=8)
        axes.yaxis.labelpad = 2
        frequency_ticks(axes.xaxis, bands_hz)
        axes.tick_params(labelbottom=False)
        return image
    blocks = [block for block in FEATURES if block.family == family]
    starts = np.cumsum([0, *(block.size for block in blocks)])
    axes.vlines(starts[1:-1] - 0.5, -0.5, 0.5, color="black", linewidth=1.2)
    axes.set_yticks([])
    axes.set_xticks((starts[:-1] + starts[1:] - 1) / 2, [_block_label(block, width) for block in blocks], fontsize=7.5)
    axes.tick_params(axis="x", length=0, pad=2)
    return image


def _block_label(block: Feature, width: int) -> str:
    """A block's name, on two lines where its cells are few of the strip's ``width``."""
    name = block.feature.replace("_", " ")
    if block.statistic == "value":
        return name
    size = f" ({block.size})" if block.size > 1 else ""
    separator = "\n" if block.size * 8 < width else " "
    return f"{name}{separator}{block.statistic}{size}"


def _draw_mel_curves(axes: "Axes", position: LibraryPosition, bands_hz: np.ndarray) -> None:
    for (statistic, label), colour in zip(MEL_LINES, GENRE_COLOURS, strict=False):
        axes.plot(position.embedding[block_slice("mel", statistic)], color=colour, linewidth=1.6, label=label)
    if position.mel_median_db is not None:
        label = "mean, median of the library"
        axes.plot(position.mel_median_db, color=MUTED_COLOUR, linestyle="--", linewidth=1.3, label=label)
    frequency_ticks(axes.xaxis, bands_hz)
    axes.set(xlim=(-0.5, len(bands_hz) - 0.5), xlabel="frequency (Hz)", ylabel="dB re maximum")
    axes.grid(axis="y")
    axes.legend(loc="lower left", ncols=5, fontsize=8.5)
    low, high = axes.get_ylim()
    axes.set_ylim(low - 0.22 * (high - low), high)  # room for the legend below the curves


def _write_unusual(axes: "Axes", position: LibraryPosition) -> None:
    axes.set_axis_off()
    axes.set(xlim=(0, 1), ylim=(N_UNUSUAL + 0.2, -0.4))
    axes.set_title("Most unusual columns (one per feature)")
    if not position.unusual:
        note = f"At least {MIN_SONGS_UNUSUAL} songs that differ are needed to call something unusual."
        axes.text(0, 0.5, note, va="center", fontsize=10)
    for line, unusual in enumerate(position.unusual):
        for x, text in zip((0.0, 0.24, 0.41, 0.75), unusual_in_words(unusual), strict=True):
            axes.text(x, line + 0.5, text, va="center", fontsize=10, fontweight="bold" if x == 0 else "normal")
