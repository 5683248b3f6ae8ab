"""Results as text for a terminal: sentences, then tables, each a title and its rows."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from songmap.core.tables import format_table
from songmap.core.text import format_duration, quantity, readable
from songmap.library.descriptors import descriptor
from songmap.library.keys import key_name
from songmap.similar import results
from songmap.similar.song import Song
from songmap.similar.space_scores import SpaceScores
from songmap.similar.views import sentences, why_sentences
from songmap.similar.views.records import Record, records

Table = tuple[str, list[Record]]
_PRECISION_HEADS = {
    "genre": "same genre", "genre_other_artists": "by another artist", "artist": "same artist", "album": "same album"
}  # fmt: skip
MAX_MATRIX = 12  # genres whose table of pairs still fits a terminal


def as_text(result: results.Result) -> str:
    """What people read of a result."""
    lines = readable("\n".join(notes(result)))
    return "\n\n".join([*([lines] if lines else []), *(format_table(rows, title) for title, rows in tables(result))])


def notes(result: results.Result) -> list[str]:
    """Sentences above the tables of a result."""
    match result:
        case results.WhyResult():
            return why_sentences.why_sentences(result)
        case results.EvaluateResult():
            return sentences.evaluate_notes(result)
        case results.InfoResult():
            return [*sentences.info_notes(result), *sentences.model_words(result.model)]
        case results.SimilarResult() | results.CompareResult() | results.GenresResult():
            return sentences.model_words(result.model)
    return []


def tables(result: results.Result) -> list[Table]:
    """The tables of a result."""
    match result:
        case results.Ranked():
            return [(sentences.ranked_title(result), _ranked_rows(result))]
        case results.CompareResult():
            return _compare_tables(result)
        case results.WhyResult():
            return _why_tables(result)
        case results.InfoResult():
            return _info_tables(result)
        case results.GenresResult(similarity):
            names = ("genre", "songs", "within", "to_others", "nearest_genre", "nearest_similarity")
            found = [(sentences.genres_title(result), _columns(records(result), *names))]
            if 1 < len(similarity.genres) <= MAX_MATRIX:
                means = zip(similarity.genres, similarity.means.tolist(), strict=True)
                matrix = [{"": genre} | dict(zip(similarity.genres, row, strict=True)) for genre, row in means]
                found.append(("Between genres", _columns(matrix, *matrix[0])))
            return found
        case results.EvaluateResult():
            return [(f"Precision at {result.nearest} and hubness of every space", _space_rows(result))]
    raise TypeError(f"no tables of a {type(result).__name__}")


def _columns(rows: Iterable[Record], *names: str, **renamed: str) -> list[Record]:
    """The columns ``names`` of records, then those under another name, as people read them."""
    of_heading = {name: name for name in names} | renamed
    return [{heading: _cell(row, name) for heading, name in of_heading.items()} for row in rows]


def _cell(row: Record, name: str) -> Any:
    """Three decimals of a figure, aligned with a minus sign, nothing for NaN; a tempo also as it fits a range."""
    value = row[name]
    if name == "duration":
        return format_duration(value)
    if name == "tempo_bpm":
        factor = row.get("tempo_factor", 1)
        played = {2.0: "double", 0.5: "half"}.get(factor)
        return f"{value:.1f} ({played}: {value * factor:.1f})" if played else round(value, 1)
    if not isinstance(value, float):
        return value
    return "" if np.isnan(value) else f"{value:6.3f}"


def _ranked_rows(result: results.Ranked) -> list[Record]:
    rows, names = records(result), ("rank", "song_name", "artist", "genre")
    match result:
        case results.DuplicatesResult():
            return [_columns([row], *row)[0] for row in rows]
        case results.OrderedResult(transitions=transitions):
            scores = [one and f"{one.score:.2f}" for one in transitions]
            why = [one and sentences.transition_words(one) for one in transitions]
            parts = zip(_columns(rows, *names), scores, why, strict=True)
            return [row | {"transition": score, "why": words} for row, score, words in parts]
    figures = [name for name in result.figures if name != "tempo_factor"]
    length = ["duration"] if isinstance(result, results.ListResult | results.FindResult) else []
    return _columns(rows, *names, *figures, "tempo_bpm", "key", *length)


def _compare_tables(result: results.CompareResult) -> list[Table]:
    title = f"Similarity {result.similarity:.3f}"
    title += ", and what each family adds to it" if result.contributions else ""
    families = [
        {"family": family, "contribution": share}
        for family, share in [*result.contributions.items(), ("all", result.similarity)]
    ]
    cells = {
        ("duration", ""): [format_duration(song.duration) for song in result.pair],
        ("key", ""): [key_name(key) for key in result.keys],
    }
    for name in result.descriptors[0]:
        cells[name, descriptor(name).unit] = [quantity(values[name]) for values in result.descriptors]
    rows = [{"descriptor": name, "unit": unit, "A": a, "B": b} for (name, unit), (a, b) in cells.items()]
    return [(title, _columns(families, *families[0])), (_pair_title(*result.pair), rows)]


def _why_tables(result: results.WhyResult) -> list[Table]:
    renamed = {"adds": "contribution", "similarity within this family": "agreement"}
    found = [(_pair_title(*result.pair), _columns(records(result), "family", "coordinates", **renamed))]
    agree, differ = (
        why_sentences.most_telling(result.families, "agree"),
        why_sentences.most_telling(result.families, "differ"),
    )
    found.append(("Both songs differ from the library's average in the same direction", list(map(_telling, agree))))
    found.append(("They differ from it in opposite directions", list(map(_telling, differ))))
    return [(title, rows) for title, rows in found if rows]


def _info_tables(result: results.InfoResult) -> list[Table]:
    song, nearest = result.song, result.nearest
    key, key_estimate = sentences.key_words(result)
    about = {
        **{name: getattr(song, name) for name in ("artist", "genre", "title", "album")},
        "year": str(song.year or ""),
        "duration": format_duration(song.duration),
        "tempo (BPM)": sentences.tempo_words(result),
        "key": key,
        "file path": song.file_path,
        **{name.replace("_", " "): value for name, value in result.tags.items()},
        "key estimate": key_estimate,
        "key tag": result.key_tag,
        "copies": "\n".join(result.copies),
        "nearest": nearest and f"{sentences.label(nearest)}, similarity {result.nearest_similarity:.3f}",
    }
    fields = [
        {"field": name, "value": value}
        for name, value in about.items()
        if value not in ("", None) and value == value  # NaN is missing
    ]
    rows = [
        {
            "descriptor": one.descriptor,
            "value": quantity(one.value),
            "unit": one.unit,
            "percentile": f"{one.percentile:.0f}",
            "library median": quantity(one.library_median),
        }
        for one in result.descriptors
    ]
    return [(sentences.label(song), fields), ("Among all songs of the library", rows)]


def _space_rows(result: results.EvaluateResult) -> list[Record]:
    rows = []
    for one in result.scores:
        hubs = {"hubness": f"{one.hubness_skewness:5.2f}", "in no list": f"{100 * one.in_no_list:.0f} %"}
        rows.append({"space": sentences.space_words(one)} | _precision_cells(one, "value") | hubs)
    for name, figure in (("by chance", "chance"), ("best possible", "best")):
        hubs = {"hubness": "", "in no list": ""}
        rows.append({"space": name} | _precision_cells(result.scores[0], figure) | hubs)
    return rows


def _precision_cells(scores: SpaceScores, figure: str) -> Record:
    cells = {}
    for kind, precision in scores.precision.items():
        value, interval = getattr(precision, figure), precision.interval
        cells[_PRECISION_HEADS[kind]] = "" if np.isnan(value) else f"{value:.3f}"
        if figure == "value" and interval is not None:
            cells[_PRECISION_HEADS[kind]] += f" ({interval[0]:.2f}–{interval[1]:.2f})"
    return cells


def _pair_title(first: Song, second: Song) -> str:
    return f"A: {sentences.label(first)}   B: {sentences.label(second)}"


def _telling(item: tuple[str, results.DescriptorContribution]) -> Record:
    family, one = item
    return {
        "family": family,
        "descriptor": one.descriptor,
        "A": quantity(one.first),
        "B": quantity(one.second),
        "unit": one.unit,
        "A percentile": f"{one.first_percentile:.0f}",
        "B percentile": f"{one.second_percentile:.0f}",
        "genre medians": ", ".join(f"{genre} {quantity(median)}" for genre, median in one.genre_medians.items()),
        "adds": f"{one.contribution:6.3f}",
    }
