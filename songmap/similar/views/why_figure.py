"""Why two songs are similar, drawn: what each family adds, and both songs' percentiles in the main descriptors."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from songmap.core.figures import GRID_COLOUR, MUTED_COLOUR, TEXT_COLOUR, drawable
from songmap.core.text import quantity, shorten
from songmap.library.palette import FAMILY_COLOURS
from songmap.similar.results import DescriptorContribution, WhyResult
from songmap.similar.views.sentences import label
from songmap.similar.views.why_sentences import most_telling

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def why_figure(result: WhyResult) -> "Figure":
    """Left what each family adds to the similarity; right both songs' percentiles in the main descriptors."""
    from matplotlib.figure import Figure

    agree, differ = ([item for _, item in most_telling(result.families, which)] for which in ("agree", "differ"))
    height = 1.9 + 0.36 * max(len(agree) + len(differ), len(result.families))
    figure = Figure(figsize=(12, height), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.5))
    first, second = (drawable(shorten(label(song), 60)) for song in result.pair)
    figure.suptitle(f"●  A  {first}\n◇  B  {second}\n", ha="left", x=0.01, fontsize=11, fontweight="bold")
    _draw_families(left, result)
    _draw_percentiles(right, agree, differ)
    return figure


def _draw_families(axes: Any, result: WhyResult) -> None:
    families = [one.family for one in result.families]
    values = [one.contribution for one in result.families]
    bars = axes.barh(families, values, color=[FAMILY_COLOURS[family] for family in families], height=0.7)
    axes.bar_label(bars, [f"{value:+.2f}" for value in values], padding=4, fontsize=9)
    axes.axvline(0, color=MUTED_COLOUR, linewidth=0.8)
    low, high = min(0, *values), max(0, *values)
    room = 0.3 * (high - low) or 1  # for the figures
    axes.set_xlim(low - room * (low < 0), high + room * (high > 0 or low == 0))
    axes.tick_params(axis="y", length=0)
    axes.invert_yaxis()
    axes.set(xlabel="contribution to the similarity", title=f"Similarity {result.similarity:.2f} by family")


def _draw_percentiles(
    axes: Any, agree: Sequence[DescriptorContribution], differ: Sequence[DescriptorContribution]
) -> None:
    parts = [words for words, some in (("agree", agree), ("differ", differ)) if some]
    if not parts:
        axes.set(title="They neither agree nor differ in any descriptor")
        axes.set_axis_off()
        return
    items = [*agree, *differ]
    axes.set(title=f"Where they {', then where they '.join(parts)}")
    axes.set(xlim=(-4, 104), xlabel="percentile in the library; numbers are the songs' values, A then B")
    rows = np.arange(len(items)) + 0.6 * (np.arange(len(items)) >= len(agree))
    firsts, seconds = [one.first_percentile for one in items], [one.second_percentile for one in items]
    axes.hlines(rows, firsts, seconds, color=GRID_COLOUR, linewidth=2.5, zorder=1)
    for places, marker, face in ((firsts, "o", TEXT_COLOUR), (seconds, "D", "none")):
        axes.scatter(places, rows, marker=marker, s=42, facecolor=face, edgecolor=TEXT_COLOUR, zorder=2)
    axes.set_yticks(rows, [one.descriptor for one in items], fontsize=9)
    beside = axes.secondary_yaxis("right")
    values = [f"{quantity(one.first)}   {quantity(one.second)} {one.unit}" for one in items]
    beside.set_yticks(rows, values, fontsize=9)
    for one in (axes, beside):
        one.tick_params(axis="y", length=0)
        one.spines[["left", "right"]].set_visible(False)
    axes.grid(axis="x")
    axes.set_axisbelow(True)
    axes.invert_yaxis()
