"""Training curves, as a chart of the page and as a figure."""

import math
from itertools import pairwise
from typing import TYPE_CHECKING

from songmap.core import svg
from songmap.core.figures import AWAY_COLOUR, MUTED_COLOUR, TOWARDS_COLOUR
from songmap.core.svg import Chart
from songmap.spectrogram.results import NetworkReport

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_LOSS = 2.0  # of the chart, in nats; what is above is drawn there


def training_chart(report: NetworkReport) -> Chart:
    """Loss of every training by epochs, on training excerpts and on validation songs; a point at the epoch in use."""
    left, top, width, height = 50.0, 8.0, 300.0, 170.0
    most = max(2, max(len(curve.epochs) for curve in report.curves))
    highest = _highest(report)

    def place(epoch: int, loss: float) -> tuple[float, float]:
        return left + width * (epoch - 1) / (most - 1), top + height * (1 - min(loss, highest) / highest)

    marks = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        _, y = place(1, share * highest)
        label = f"{share * highest:.2f}"
        marks += [
            svg.line(left, y, left + width, y, "grid"),
            svg.text(left - 4, y + 4, label, anchor="end", small=True),
        ]
    for epoch in sorted({1, (1 + most) // 2, most}):
        x = place(epoch, 0)[0]
        marks.append(svg.text(x, top + height + 14, str(epoch), anchor="middle", small=True))
    for name, style in (("loss", "other"), ("validation_loss", "used")):
        for curve in report.curves:
            losses = [getattr(one, name) for one in curve.epochs]
            points = [place(epoch, loss) for epoch, loss in enumerate(losses, 1) if loss is not None]
            marks += [svg.line(*before, *after, style) for before, after in pairwise(points)]
    for curve in report.curves:
        best = curve.epochs[curve.best_epoch - 1]
        loss = best.loss if best.validation_loss is None else best.validation_loss
        which = "all songs" if curve.fold is None else f"fold {curve.fold + 1}"
        marks.append(
            svg.circle(*place(curve.best_epoch, loss), f"{which}: epoch {curve.best_epoch}, {loss:.2f}", "used")
        )
    marks.append(svg.text(left + width / 2, top + height + 30, "epoch", anchor="middle"))
    marks.append(svg.upward(10, top + height / 2, "log loss (nats)", anchor="middle"))
    return Chart("Loss of every training by epochs", svg.WIDTH, top + height + 36, marks)


def _highest(report: NetworkReport) -> float:
    """The largest loss that is drawn, in fifths of a nat."""
    return min(_MOST_LOSS, math.ceil(5 * _largest_loss(report)) / 5)


def cut_at(report: NetworkReport) -> float | None:
    """The loss at which larger ones are drawn; None where there are none."""
    return _MOST_LOSS if _largest_loss(report) > _MOST_LOSS else None


def _largest_loss(report: NetworkReport) -> float:
    epochs = [one for curve in report.curves for one in curve.epochs]
    return max([one.loss for one in epochs] + [one.validation_loss or 0.0 for one in epochs])


def training_figure(report: NetworkReport) -> "Figure":
    """Loss and accuracy of every training by epochs."""
    from matplotlib import pyplot
    from matplotlib.ticker import MaxNLocator

    figure, axes = pyplot.subplots(1, 2, figsize=(10, 4), layout="constrained")
    for axis, name, title in zip(axes, ("loss", "accuracy"), ("Loss (nats)", "Accuracy"), strict=True):
        for place, curve in enumerate(report.curves):
            epochs = range(1, len(curve.epochs) + 1)
            own = [getattr(one, name) for one in curve.epochs]
            outside = [getattr(one, f"validation_{name}") for one in curve.epochs]
            labels = (
                ("training excerpts, masked and mixed", "validation songs", "epoch in use")
                if not place
                else (None,) * 3
            )
            axis.plot(epochs, own, color=MUTED_COLOUR, linewidth=1, alpha=0.7, label=labels[0])
            if None not in outside:
                axis.plot(epochs, outside, color=TOWARDS_COLOUR, linewidth=1, alpha=0.8, label=labels[1])
                best = curve.best_epoch
                axis.plot(best, outside[best - 1], "o", color=AWAY_COLOUR, markersize=5, label=labels[2])
        axis.set_title(title)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.set_xlabel("epoch")
        axis.grid(axis="y")
    axes[0].set_ylim(0, _highest(report))
    axes[1].set_ylim(0, 1.02)
    axes[1].legend(loc="lower right")
    return figure
