"""Charts of the page, in the coordinates of ``songmap.core.svg``."""

from collections.abc import Sequence
from itertools import pairwise

from songmap.compare.results import Comparison, Confusion, SplitClaim, TrainingSize, VariantScores
from songmap.compare.views.sentences import variant_name
from songmap.core import svg
from songmap.core.svg import Chart
from songmap.core.text import percent
from songmap.genre.results import ConfusionMatrix
from songmap.genre.views.charts import confusion_chart

N_VARIANTS = 30
_LABEL, _MARGIN = 112.0, 300.0  # widths of a genre's and a variant's name, at most


def accuracy_chart(comparison: Comparison) -> Chart:
    """Accuracy of variants with 95 % intervals; those not shown to be worse than the best are emphasised."""
    worse = {(one.model, one.features) for one in comparison.differences if one.is_real}
    shown = comparison.scores[:N_VARIANTS]
    step, left, width = 32.0, 4.0, svg.WIDTH - 8.0
    baseline = next((one.accuracy for one in comparison.scores if one.model == "majority"), 0.0)
    bottom = step * len(shown) + 4
    chance, marks = left + width * baseline, list[svg.Mark]()
    for row, one in enumerate(shown):
        y, style = row * step, "other" if (one.model, one.features) in worse else "used"
        name, value = variant_name(one.model, one.features), percent(one.accuracy)
        low, high, at = (left + width * share for share in (one.accuracy_low, one.accuracy_high, one.accuracy))
        marks += [
            svg.text(left, y + 12, svg.fitted(name, width - 40), style=style),
            svg.text(left + width, y + 12, value, anchor="end", style=style),
            svg.line(left, y + 22, left + width, y + 22, "grid"),
            svg.line(chance, y + 17, chance, y + 27, "diagonal"),
            svg.line(low, y + 22, high, y + 22, f"interval {style}"),
            svg.circle(at, y + 22, f"{name}: {value}", style),
        ]
    marks += [
        svg.text(left, bottom + 12, "0 %", small=True),
        svg.text(left + width, bottom + 12, "100 %", anchor="end", small=True),
        svg.text(chance, bottom + 12, "most frequent genre", anchor="middle", small=True),
    ]
    return Chart("Accuracy of every variant with 95 % intervals", svg.WIDTH, bottom + 18, marks)


def claims_chart(claims: Sequence[SplitClaim]) -> Chart:
    """Accuracy with groups kept together, and split at random, model by model."""
    marks, start, step = [], 4.0, 42.0
    scale = svg.WIDTH - start - 42
    for row, one in enumerate(claims):
        y, title = row * step, svg.fitted(variant_name(one.model, one.features), scale)
        marks.append(svg.text(start, y + 12, title))
        for place, (share, style) in enumerate(((one.grouped, "strong"), (one.random, "weak"))):
            top = y + 16 + place * 11
            marks.append(svg.rect((start, top, scale * share, 9), style, tip=f"{title}: {percent(share)}"))
            marks.append(svg.text(start + scale * share + 4, top + 8, percent(share), small=True))
    return Chart("Accuracy with groups kept together and split at random", svg.WIDTH, step * len(claims), marks)


def sizes_chart(sizes: Sequence[TrainingSize]) -> Chart:
    """Accuracy by the number of training songs, on other songs and on the training songs themselves."""
    left, top, width, height = 54.0, 8.0, 284.0, 170.0
    most = max(one.songs for one in sizes)

    def place(songs: float, accuracy: float) -> tuple[float, float]:
        return left + width * songs / most, top + height * (1 - accuracy)

    marks = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        _, y = place(0, share)
        marks += [svg.line(left, y, left + width, y, "grid"), svg.text(left - 5, y + 4, percent(share), anchor="end")]
    for one in sizes:
        marks.append(
            svg.text(place(one.songs, 0)[0], top + height + 14, f"{one.songs:,.0f}", anchor="middle", small=True)
        )
    for name, style in (("training_accuracy", "other"), ("accuracy", "used")):
        points = [place(one.songs, getattr(one, name)) for one in sizes]
        for before, after in pairwise(points):
            marks.append(svg.line(*before, *after, style))
        for one, point in zip(sizes, points, strict=True):
            marks.append(svg.circle(*point, f"{one.songs:,.0f} songs: {percent(getattr(one, name))}", style))
    marks.append(svg.text(left + width / 2, top + height + 30, "training songs", anchor="middle"))
    marks.append(svg.upward(10, top + height / 2, "accuracy", anchor="middle"))
    return Chart("Accuracy by the number of training songs", svg.WIDTH, top + height + 36, marks)


def genres_chart(scores: Sequence[VariantScores], genres: Sequence[str]) -> Chart:
    """F1 of every genre, a column each, by variants, a row each."""
    height, names = 24.0, [svg.fitted(genre, _LABEL) for genre in genres]
    top = max(map(svg.text_width, names)) + 8
    cell = max(26.0, min(44.0, (svg.WIDTH - 160.0) / len(genres)))
    variants = [variant_name(one.model, one.features) for one in scores[:N_VARIANTS]]
    margin = max(svg.WIDTH - cell * len(genres), min(_MARGIN, max(map(svg.text_width, variants)) + 8))
    marks = [svg.upward(margin + (column + 0.5) * cell + 4, top - 5, name) for column, name in enumerate(names)]
    for row, (one, name) in enumerate(zip(scores, variants, strict=False)):
        y = top + row * height
        marks.append(svg.text(margin - 6, y + 16, svg.fitted(name, margin - 8), anchor="end"))
        for column, score in enumerate(one.genres):
            x, tip = margin + column * cell, f"{name}, {score.genre}: F1 {score.f1:.2f}"
            marks.append(svg.rect((x, y, cell - 1, height - 1), "cell", opacity=0.75 * score.f1, tip=tip))
            marks.append(svg.text(x + cell / 2, y + 16, f"{score.f1:.2f}".lstrip("0"), anchor="middle"))
    shown = min(len(scores), N_VARIANTS)
    return Chart(
        "F1 of every genre by every variant", max(svg.WIDTH, margin + cell * len(genres)), top + height * shown, marks
    )


def best_confusion_chart(one: Confusion, genres: Sequence[str]) -> Chart:
    return confusion_chart(ConfusionMatrix("cross_validation", list(genres), one.counts))
