"""Why two songs are alike: the similarity split into families, and what lies behind each in real units.

A similarity in a space whose coordinates are the columns is a sum over columns, each the product of how far both
songs lie from the library's mean. Two songs agree in a column where both lie on the same side of it and far
away, and differ where they lie on opposite sides; a column in which both are like most songs says little.
The 512 mel columns are told as frequency ranges.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from songmap.core.figures import GRID_COLOUR, MUTED_COLOUR, TEXT_COLOUR, drawable
from songmap.core.text import quantity, shorten
from songmap.library.keys import NO_KEY, compatible, key_name
from songmap.library.palette import FAMILY_COLOURS
from songmap.library.schema import COLUMNS, FAMILIES, column_index, family_indices
from songmap.similar.measures import Measure, measures, percentile, shown_unit
from songmap.similar.transitions import tempo_change

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Row = dict[str, Any]

_TOLD_OF_FAMILY = 3  # measures that agree and that differ, of each family
_TOLD = 6  # over all families
_LEAST = 0.005  # what adds less is not told


@dataclass(frozen=True)
class Side:
    """One of the two songs: what it is called, its genre, its ``embedding (641,)`` and unit vector, its estimated key."""

    label: str
    genre: str
    embedding: np.ndarray
    unit: np.ndarray
    key: int


def shares(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """What each coordinate of two vectors ``(d,)`` adds to their cosine, float64 ``(d,)``; 0 for a zero vector.

    The lengths are taken in float64, so that the sum is the cosine to rounding in float64.
    """
    first, second = (vector.astype(np.float64) for vector in (first, second))
    lengths = np.sqrt(np.square(first).sum() * np.square(second).sum())
    return first * second / lengths if lengths > 0 else np.zeros(len(first))


def by_family(products: np.ndarray) -> dict[str, float]:
    """Sums of what each column adds, ``products (641,)``, over the seven families."""
    return {family: float(products[family_indices(family)].sum()) for family in FAMILIES}


@dataclass(frozen=True)
class Reason:
    """Why the songs of a ``pair`` are as alike as they are.

    ``records``: one per family, then "all": what it adds, how alike both are in it alone, which measures ``agree``
    and ``differ`` most. ``sentences`` say it.
    """

    pair: tuple[Side, Side]
    similarity: float
    records: list[Row]
    sentences: list[str]

    def tables(self) -> list[tuple[str, list[Row]]]:
        """What each family adds, then the measures that agree and that differ most."""
        shares = [
            {
                "family": one["family"],
                "columns": one["columns"],
                "adds": f"{one['contribution']:6.3f}",
                "alike in it alone": f"{one['agreement']:6.3f}",
            }
            for one in self.records
        ]
        tables = [(f"A: {self.pair[0].label}   B: {self.pair[1].label}", shares)]
        for which, title in (
            ("agree", "Both stand out from the library in the same way"),
            ("differ", "They stand out in opposite ways"),
        ):
            if items := told(self.records, which):
                tables.append((title, [_told(item) for item in items]))
        return tables


def explain(first: Side, second: Side, embeddings: np.ndarray, genres: np.ndarray, place: str) -> Reason:
    """The reason for a pair. ``embeddings (n_songs, 641)`` and ``genres (n_songs,)`` of the library are the yardstick.

    ``place`` says, to follow the similarity, what is known of the second song among the first one's neighbours.
    """
    pair = first, second
    products = shares(first.unit, second.unit)
    centre = embeddings.mean(axis=0, dtype=np.float64)
    records = []
    for family in FAMILIES:
        columns = family_indices(family)
        added = [(float(products[one.columns].sum()), one) for one in measures() if one.family == family]
        added.sort(key=lambda item: -abs(item[0]))
        agree = [item for item in added if item[0] > 0 and _same_side(item[1], pair, centre)][:_TOLD_OF_FAMILY]
        differ = [item for item in added if item[0] < 0 and not _same_side(item[1], pair, centre)][:_TOLD_OF_FAMILY]
        record: Row = {
            "family": family,
            "columns": len(columns),
            "contribution": float(products[columns].sum()),
            "agreement": float(shares(first.unit[columns], second.unit[columns]).sum()),
        }
        for name, chosen in (("agree", agree), ("differ", differ)):
            record[name] = [_yardstick(one, share, pair, embeddings, genres) for share, one in chosen]
        records.append(record | {"words": _family_words(record)})
    similarity = sum(record["contribution"] for record in records)
    said = _sentences(pair, similarity, records, place)
    whole = {"family": "all", "columns": len(COLUMNS), "contribution": similarity, "agreement": similarity}
    return Reason(pair, similarity, [*records, whole | {"agree": [], "differ": [], "words": said[0]}], said)


def _same_side(one: Measure, pair: tuple[Side, Side], centre: np.ndarray) -> bool:
    """Whether both songs are above, or both below the library's mean.

    Of a single column that decides whether it adds or takes off. Bands of one frequency range can agree one by one
    while its level differs: then the range says nothing that its value would show, and is not told.
    """
    first, second = (one.values(side.embedding[None] - centre[None])[0] for side in pair)
    return bool(first * second > 0)


def told(records: Sequence[Row], which: str) -> list[Row]:
    """The measures of all families that ``agree`` or ``differ`` most, strongest first."""
    items = [item | {"family": record["family"]} for record in records for item in record[which]]
    return sorted(items, key=lambda item: -abs(item["contribution"]))[:_TOLD]


def _sentences(pair: tuple[Side, Side], similarity: float, records: Sequence[Row], place: str) -> list[str]:
    """What the numbers say, in words."""
    contributions = {record["family"]: record["contribution"] for record in records}
    for_it = [name for name in sorted(FAMILIES, key=lambda name: -contributions[name]) if contributions[name] >= _LEAST]
    against = [name for name in sorted(FAMILIES, key=contributions.__getitem__) if contributions[name] <= -_LEAST]
    said = [f"Similarity {similarity:.2f} of at most 1; 0 is about what two songs picked at random have{place}."]
    parts = [
        f"{lead} {_listed([f'{name} ({contributions[name]:+.2f})' for name in names])}"
        for lead, names in (("alike by", for_it), ("unlike by", against))
        if names
    ]
    if parts:
        said.append(_capital(f"{'; '.join(parts)}."))
    of_family = {record["family"]: record["words"] for record in records}
    said += [of_family[name] for name in (*for_it[:3], *against[:2]) if of_family[name]]
    said += _for_mixing(pair)
    return said


def why_picture(reason: Reason) -> "Figure":
    """Left what each family adds to the similarity; right both songs' percentiles in the most telling measures."""
    from matplotlib.figure import Figure

    records, similarity = reason.records[:-1], reason.similarity
    agree, differ = (told(records, which) for which in ("agree", "differ"))
    items = [*agree, *differ]
    figure = Figure(figsize=(12, 1.9 + 0.36 * max(len(items), len(FAMILIES))), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.5))
    figure.suptitle(
        f"●  A  {drawable(shorten(reason.pair[0].label, 60))}\n◇  B  {drawable(shorten(reason.pair[1].label, 60))}\n",
        ha="left", x=0.01, fontsize=11, fontweight="bold",
    )  # fmt: skip
    values = [record["contribution"] for record in records]
    rows = np.arange(len(records))
    left.barh(rows, values, color=[FAMILY_COLOURS[record["family"]] for record in records], height=0.7)
    for row, value in zip(rows, values, strict=True):
        left.annotate(
            f"{value:+.3f}", (value, row), xytext=(4 if value >= 0 else -4, 0), textcoords="offset points",
            ha="left" if value >= 0 else "right", va="center", fontsize=9,
        )  # fmt: skip
    left.axvline(0, color=MUTED_COLOUR, linewidth=0.8)
    low, high = min(0, *values), max(0, *values)
    room = 0.3 * (high - low) or 1  # for the figures
    left.set_xlim(low - room * (low < 0), high + room * (high > 0 or low == 0))
    left.set_yticks(rows, [record["family"] for record in records])
    left.tick_params(axis="y", length=0)
    left.invert_yaxis()
    left.set(xlabel="added to the similarity", title=f"The similarity, {similarity:.3f}, by family")
    _percentiles(right, items, len(agree))
    return figure


def _percentiles(axis: Any, items: Sequence[Row], n_agree: int) -> None:
    parts = [words for words, some in (("agree", n_agree > 0), ("differ", len(items) > n_agree)) if some]
    if not parts:
        axis.set(title="They neither agree nor differ in anything")
        axis.set_axis_off()
        return
    axis.set(title=f"Where they {', then where they '.join(parts)}")
    axis.set(xlim=(-4, 104), xlabel="percentile in the library; numbers are the songs' values, A then B")
    rows = np.arange(len(items)) + 0.6 * (np.arange(len(items)) >= n_agree)
    for row, item in zip(rows, items, strict=True):
        ends = item["first_percentile"], item["second_percentile"]
        axis.plot(ends, (row, row), color=GRID_COLOUR, linewidth=2.5, zorder=1)
    for name, marker, face in (("first", "o", TEXT_COLOUR), ("second", "D", "none")):
        places = [item[f"{name}_percentile"] for item in items]
        axis.scatter(places, rows, marker=marker, s=42, facecolor=face, edgecolor=TEXT_COLOUR, zorder=2)
    axis.set_yticks(rows, [f"{item['measure']}" for item in items], fontsize=9)
    values = [f"{quantity(item['first'])}   {quantity(item['second'])} {shown_unit(item['unit'])}" for item in items]
    beside = axis.secondary_yaxis("right")
    beside.set_yticks(rows, values, fontsize=9)
    for one in (axis, beside):
        one.tick_params(axis="y", length=0)
        one.spines[["left", "right"]].set_visible(False)
    axis.grid(axis="x")
    axis.set_axisbelow(True)
    axis.invert_yaxis()


def _yardstick(one: Measure, share: float, pair: tuple[Side, Side], embeddings: np.ndarray, genres: np.ndarray) -> Row:
    library = one.values(embeddings)
    first, second = (float(one.values(side.embedding[None])[0]) for side in pair)
    medians = {
        genre: float(np.median(library[genres == genre]))
        for genre in dict.fromkeys(side.genre for side in pair)
        if (genres == genre).any()
    }
    return {
        "measure": one.name,
        "unit": one.unit,
        "first": first,
        "second": second,
        "first_percentile": percentile(library, first),
        "second_percentile": percentile(library, second),
        "library_mean": float(library.mean()),
        "genre_medians": medians,
        "contribution": share,
    }


def _told(item: Row) -> Row:
    medians = ", ".join(f"{genre} {quantity(median)}" for genre, median in item["genre_medians"].items())
    return {
        "family": item["family"],
        "measure": item["measure"],
        "A": quantity(item["first"]),
        "B": quantity(item["second"]),
        "unit": item["unit"],
        "A percentile": f"{item['first_percentile']:.0f}",
        "B percentile": f"{item['second_percentile']:.0f}",
        "genre medians": medians,
        "adds": f"{item['contribution']:6.3f}",
    }


def _family_words(record: Row) -> str:
    """For example "Rhythm adds 0.14: pulse clarity 0.42 and 0.45, both above the library's mean of 0.31."; empty for next to nothing."""
    share = record["contribution"]
    if abs(share) < _LEAST:
        return ""
    wanted = record["agree"] if share > 0 else record["differ"]
    other = record["differ"] if share > 0 else record["agree"]
    parts = [_item_words(item) for item in wanted[:2]] or ["a little of many columns"]
    if other and abs(other[0]["contribution"]) >= max(_LEAST, abs(share) / 4):
        parts.append(f"but {_item_words(other[0])}")
    verb = "adds" if share > 0 else "takes off"
    return f"{_capital(record['family'])} {verb} {abs(share):.2f}: {'; '.join(parts)}."


def _item_words(item: Row) -> str:
    sides = [np.sign(item[name] - item["library_mean"]) for name in ("first", "second")]
    unit = shown_unit(item["unit"])
    values = f"{quantity(item['first'])} and {quantity(item['second'])}{f' {unit}' if unit else ''}"
    where = {
        (1, 1): ", both above",
        (-1, -1): ", both below",
        (1, -1): ", above and below",
        (-1, 1): ", below and above",
    }
    beside = f"{where[tuple(sides)]} the library's mean of {quantity(item['library_mean'])}" if all(sides) else ""
    return f"{item['measure']} {values}{beside}"


def _for_mixing(pair: tuple[Side, Side]) -> list[str]:
    tempos = [float(side.embedding[column_index("tempo_bpm")]) for side in pair]
    said = []
    if min(tempos) > 0:
        factor, change = tempo_change(*tempos)
        taken = {0.5: "twice B is ", 1.0: "B is ", 2.0: "half of B is "}[float(factor)]
        off = f"{taken}{100 * float(change):+.1f} % off A" if abs(change) >= 0.0005 else f"{taken}as fast as A"
        said.append(f"Tempo {tempos[0]:.1f} and {tempos[1]:.1f} BPM: {off}.")
    if NO_KEY not in (pair[0].key, pair[1].key):
        fit = "go together" if compatible(pair[0].key, pair[1].key) else "clash"
        said.append(
            f"Keys are estimated as {key_name(pair[0].key)} and {key_name(pair[1].key)}, which {fit} on the Camelot wheel."
        )
    return said


def _listed(parts: Sequence[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
