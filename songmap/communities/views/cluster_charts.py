"""Charts of 08's page, in the coordinates of ``songmap.core.svg``."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from songmap.communities.agreement_results import Contingency
from songmap.communities.results import SongPlaces, SpaceClusters
from songmap.core import svg
from songmap.core.svg import Chart
from songmap.core.text import count_of_songs
from songmap.library.palette import UNKNOWN_COLOUR, genre_colours, looks

Legend = list[tuple[str, str]]
"""Colour and name of each group."""

_LARGEST = 12  # groups with a colour of their own, and communities in the contingency table


def count_charts(one: SpaceClusters) -> list[tuple[str, Chart]]:
    """Elbow, silhouette, gap statistic and stability by the number of clusters."""
    inertia = one.counts[0].inertia
    return [
        ("Elbow: inertia", _count_chart("Inertia", one, [("inertia", "used")])),
        ("Silhouette, and in data without clusters",
         _count_chart("Silhouette", one, [("reference_silhouette", "other"), ("silhouette", "used")])),
        ("Gap statistic", _count_chart("Gap statistic", one, [("gap", "used")])),
        ("Stability in bootstrap samples", _count_chart("Stability", one, [("stability", "used")])),
    ] if inertia > 0 else []  # fmt: skip


def _count_chart(label: str, one: SpaceClusters, lines: Sequence[tuple[str, str]]) -> Chart:
    left, top, width, height = 54.0, 8.0, 290.0, 130.0
    values = [getattr(count, name) for name, _ in lines for count in one.counts]
    low, high = min(*values, 0.0), max(values)
    span, last = (high - low) or 1.0, max(one.counts[-1].clusters, 3)

    def place(clusters: int, value: float) -> tuple[float, float]:
        return left + width * (clusters - 2) / (last - 2), top + height * (high - value) / span

    marks = []
    for value in (low, (low + high) / 2, high):
        _, y = place(2, value)
        number = f"{value:,.0f}" if high >= 10 else f"{value:.2f}"
        marks += [svg.line(left, y, left + width, y, "grid"), svg.text(left - 5, y + 4, number, anchor="end")]
    x, _ = place(one.chosen, low)
    marks.append(svg.line(x, top, x, top + height, "diagonal"))
    for count in one.counts:
        if count.clusters % 2 == 0 or last < 10:
            marks.append(
                svg.text(
                    place(count.clusters, 0)[0], top + height + 14, str(count.clusters), anchor="middle", small=True
                )
            )
    for name, style in lines:
        points = [place(count.clusters, getattr(count, name)) for count in one.counts]
        marks += [svg.line(*before, *after, style) for before, after in pairwise(points)]
        for count, point in zip(one.counts, points, strict=True):
            tip = f"{count.clusters} clusters: {getattr(count, name):.3g}"
            marks.append(svg.circle(*point, tip, style))
    marks.append(svg.text(left + width / 2, top + height + 30, "clusters", anchor="middle"))
    return Chart(f"{label} by the number of clusters", svg.WIDTH, top + height + 36, marks)


def contingency_chart(table: Contingency) -> Chart:
    """Songs of each cluster, a row, in each of the largest communities, a column; shaded by share of the cluster."""
    margin, top, height = 76.0, 44.0, 26.0
    communities = table.communities[:_LARGEST]
    largest = f"{int(table.counts[:, : len(communities)].max()):,}"
    cell = max(24.0, svg.text_width(largest) + 6, min(44.0, (svg.WIDTH - margin) / len(communities)))
    marks = [svg.text(margin, 12, "community", small=True)]
    for column, community in enumerate(communities):
        marks.append(svg.text(margin + (column + 0.5) * cell, top - 8, f"{community + 1}", anchor="middle"))
    for row, cluster in enumerate(table.clusters):
        y, total = top + row * height, max(int(table.counts[row].sum()), 1)
        marks.append(svg.text(margin - 6, y + 17, f"cluster {cluster + 1}", anchor="end"))
        for column, community in enumerate(communities):
            x, count = margin + column * cell, int(table.counts[row, column])
            tip = f"cluster {cluster + 1}, community {community + 1}: {count_of_songs(count)}"
            marks.append(svg.rect((x, y, cell - 1, height - 1), "cell", opacity=0.05 + 0.7 * count / total, tip=tip))
            if count:
                marks.append(svg.text(x + cell / 2, y + 17, f"{count:,}", anchor="middle"))
    width = max(svg.WIDTH, margin + cell * len(communities))
    return Chart("Songs of each cluster in each community", width, top + height * len(table.clusters) + 4, marks)


def legends(places: SongPlaces, space: str) -> dict[str, Legend]:
    """Colours of clusters, genres and communities."""
    clusters, communities = (np.unique(one).tolist() for one in (places.clusters[space], places.communities))
    colours = genre_colours(places.genres)
    result = {
        "cluster": _numbered(clusters),
        "genre": [(colour, genre) for genre, colour in colours.items() if genre in set(places.genres)],
    }
    if any(one >= 0 for one in communities):
        result["community"] = _numbered(communities)
    return result


def _numbered(numbers: Sequence[int]) -> Legend:
    """The largest groups, then all others in grey, then those in none."""
    shown = [one for one in numbers if 0 <= one < _LARGEST]
    legend = [(look[0], f"{one + 1}") for look, one in zip(looks(len(shown)), shown, strict=True)]
    if any(one >= _LARGEST or one < 0 for one in numbers):
        legend.append((UNKNOWN_COLOUR, "others or none"))
    return legend


def pictures(places: SongPlaces, space: str) -> list[tuple[str, Chart]]:
    """A picture per method; each point has a colour by cluster, by genre and by community."""
    genre = genre_colours(places.genres)
    numbered = [colour for colour, _, _ in looks(_LARGEST)]

    def colour_of(number: int) -> str:
        return numbered[number] if 0 <= number < _LARGEST else UNKNOWN_COLOUR

    drawn = []
    for method, points in places.pictures.items():
        low, span = points.min(axis=0), max(np.ptp(points, axis=0).max(), 1e-12)
        height = 12 + (svg.WIDTH - 12) * np.ptp(points, axis=0)[1] / span
        marks = []
        for row, point in zip(places.shown.tolist(), (points - low) / span, strict=True):
            cluster, community = int(places.clusters[space][row]), int(places.communities[row])
            tip = f"{places.names[row]}: cluster {cluster + 1}, {places.genres[row]}"
            tip += f", community {community + 1}" if community >= 0 else ""
            mark = svg.circle(6 + (svg.WIDTH - 12) * point[0], 6 + (svg.WIDTH - 12) * point[1], tip, "song")
            style = (
                f"--cluster:{colour_of(cluster)};--genre:{genre[places.genres[row]]};--community:{colour_of(community)}"
            )
            marks.append(replace(mark, attributes=mark.attributes | {"r": 3, "style": style}))
        drawn.append((method, Chart(f"Songs by {method}", svg.WIDTH, height, marks)))
    return drawn
