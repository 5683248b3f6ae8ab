"""Results as text for a terminal: sentences, then tables, each a title and its rows.

Tables fit the terminal: the least important columns are left out, titles and names are cut. With ``verbose`` there are
all sentences and tables that a result has.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from songmap.core.tables import format_table, terminal_columns
from songmap.core.text import format_duration, quantity, readable, shown_path, wrapped
from songmap.library.descriptors import descriptor
from songmap.library.keys import NO_KEY, camelot, key_name
from songmap.library.trait_words import MEANING
from songmap.similar import results
from songmap.similar.space_scores import SpaceScores
from songmap.similar.transitions import Transition
from songmap.similar.views import sentences, why_sentences
from songmap.similar.views.records import Record, records

_PRECISION_HEADS = {
    "genre": "same genre", "genre_other_artists": "by another artist", "artist": "same artist", "album": "same album"
}  # fmt: skip
_NAMES = {"title": 28, "artist": 16, "genre": 10}  # the least characters of a cell that is cut
_N_UNUSUAL = 5  # descriptors


@dataclass(frozen=True)
class Table:
    """A title, rows, and which columns can be left out or cut, see ``format_table``."""

    title: str
    rows: list[Record]
    optional: tuple[str, ...] = ()
    shortened: Mapping[str, int] = field(default_factory=dict)

    def text(self) -> str:
        return format_table(self.rows, self.title, optional=self.optional, shortened=self.shortened)


def as_text(result: results.Result, verbose: bool = False) -> str:
    """What people read of a result."""
    lines = [wrapped(readable(note), terminal_columns()) for note in notes(result, verbose)]
    return "\n\n".join(["\n".join(lines)] * bool(lines) + [table.text() for table in tables(result, verbose)])


def notes(result: results.Result, verbose: bool = False) -> list[str]:
    """Sentences above the tables of a result."""
    match result:
        case results.WhyResult():
            more = [MEANING, *why_sentences.family_sentences(result)] if verbose else []
            return [*why_sentences.why_sentences(result), *more]
        case results.EvaluateResult():
            return [*sentences.evaluate_notes(result), *(sentences.evaluate_meaning(result) if verbose else [])]
        case results.InfoResult():
            more = [MEANING, *sentences.info_notes(result)] if verbose else []
            return [*sentences.info_sentences(result), *more, *sentences.model_words(result.model)]
        case results.SimilarResult():
            return sentences.similar_notes(result)
        case results.CompareResult() | results.GenresResult():
            return sentences.model_words(result.model)
    return []


def tables(result: results.Result, verbose: bool = False) -> list[Table]:
    """The tables of a result."""
    match result:
        case results.DuplicatesResult():
            return [_duplicates_table(result)]
        case results.OrderedResult():
            return [_ordered_table(result, verbose)]
        case results.Ranked():
            return [_ranked_table(result)]
        case results.CompareResult():
            return _compare_tables(result)
        case results.WhyResult():
            return _why_tables(result, verbose)
        case results.InfoResult():
            return _info_tables(result, verbose)
        case results.GenresResult():
            return _genres_tables(result)
        case results.EvaluateResult():
            title = f"Precision at {result.nearest} and hubness of every space"
            optional = tuple(_PRECISION_HEADS[kind] for kind in ("genre_other_artists", "album", "artist"))
            return [Table(title, _space_rows(result), (*optional, "in no list"))]
    raise TypeError(f"no tables of a {type(result).__name__}")


def _columns(rows: Iterable[Record], *names: str, **renamed: str) -> list[Record]:
    """The columns ``names`` of records, then those under another name, as people read them."""
    of_heading = {name: name for name in names} | renamed
    return [{heading: _cell(row[name]) for heading, name in of_heading.items()} for row in rows]


def _cell(value: Any) -> Any:
    """Two decimals of a figure, aligned with a minus sign, nothing for NaN."""
    if not isinstance(value, float):
        return value
    return "" if np.isnan(value) else f"{value:5.2f}"


def _bpm(tempo_bpm: float, factor: float = 1.0) -> int | str | None:
    """A tempo in whole BPM, and as it fits a range; nothing where it is unknown."""
    played = {2.0: "double", 0.5: "half"}.get(factor)
    whole = round(tempo_bpm) or None
    return f"{whole} ({played}: {tempo_bpm * factor:.0f})" if played else whole


def _ranked_table(result: results.Ranked) -> Table:
    rows = []
    for place, song in enumerate(result.songs):
        figures = {name: values[place] for name, values in result.figures.items()}
        factor = figures.pop("tempo_factor", 1.0)
        rows.append(
            {"rank": result.first_rank + place, "title": song.display_title, "artist": song.artist}
            | {"BPM": _bpm(song.tempo_bpm, factor), "key": song.key}
            | {name: _cell(value) for name, value in figures.items()}
            | {"genre": song.genre, "duration": format_duration(song.duration), "year": song.year and str(song.year)}
        )
    return Table(sentences.ranked_title(result), rows, ("year", "duration", "genre", "artist", "key", "BPM"), _NAMES)


def _duplicates_table(result: results.DuplicatesResult) -> Table:
    figures = zip(result.figures["group"], result.figures["similarity"], strict=True)
    rows = [
        {"rank": place, "group": group, "title": song.display_title, "similarity": _cell(similarity)}
        | {"duration": format_duration(song.duration), "file": shown_path(song.file_path)}
        for place, ((group, similarity), song) in enumerate(zip(figures, result.songs, strict=True), start=1)
    ]
    return Table(sentences.ranked_title(result), rows, ("duration", "title"), {"title": 12})


def _ordered_table(result: results.OrderedResult, verbose: bool) -> Table:
    rows = []
    for place, (song, change) in enumerate(zip(result.songs, result.transitions, strict=True), start=1):
        row = {"rank": place, "title": song.display_title, "artist": song.artist}
        row |= {"BPM": _tempo_change(change) if change else str(_bpm(song.tempo_bpm) or "")}
        row |= {"key": _key_change(change) if change else song.key, "score": _cell(change and change.score)}
        why = {"why": change and sentences.transition_words(change)} if verbose else {"genre": song.genre}
        rows.append(row | why)
    return Table(sentences.ranked_title(result), rows, ("genre", "artist"), _NAMES | {"title": 24})


def _tempo_change(change: Transition) -> str:
    """ "137 → 113", and whether half or double matches."""
    before, after = (f"{tempo:.0f}" if tempo > 0 else "?" for tempo in change.tempos_bpm)
    played = {0.5: " (half)", 2.0: " (double)"}.get(change.tempo_factor, "") if change.tempo_fit == 1 else ""
    return f"{before} → {after}{played}"


def _key_change(change: Transition) -> str:
    """ "6B → 4A"."""
    return " → ".join("?" if key == NO_KEY else camelot(key) for key in change.keys)


def _genres_tables(result: results.GenresResult) -> list[Table]:
    similarity = result.similarity
    names = ("genre", "songs", "within", "to_others", "nearest_genre")
    rows = _columns(records(result), *names, similarity="nearest_similarity")
    least = {"genre": 10, "nearest_genre": 10}
    found = [Table(sentences.genres_title(result), rows, ("similarity", "nearest_genre"), least)]
    n_genres = len(similarity.genres)
    if 1 < n_genres <= (terminal_columns() - 16) // 7:  # columns of 5 with a gap of 2 beside names of at least 10
        pairs = zip(similarity.genres, similarity.means.tolist(), strict=True)
        matrix = [
            {"no": number, "genre": genre} | {str(other): value for other, value in enumerate(means, start=1)}
            for number, (genre, means) in enumerate(pairs, start=1)
        ]
        found.append(Table("Between genres", _columns(matrix, *matrix[0]), (), least))
    return found


def _compare_tables(result: results.CompareResult) -> list[Table]:
    title = f"Similarity {result.similarity:.2f}"
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
    return [Table(title, _columns(families, *families[0])), Table(sentences.pair_title(result.pair), rows)]


def _why_tables(result: results.WhyResult, verbose: bool) -> list[Table]:
    renamed = {"adds": "contribution", "similarity within this family": "agreement"}
    title, rows = sentences.pair_title(result.pair), records(result)
    if not verbose:
        return [Table(title, _columns(rows[:-1], "family", **renamed))]  # the last is their sum
    families = Table(title, _columns(rows, "family", "coordinates", **renamed))
    telling = {which: why_sentences.most_telling(result.families, which) for which in ("agree", "differ")}
    titles = {
        "agree": "Both songs differ from the library's average in the same direction",
        "differ": "They differ from it in opposite directions",
    }
    optional = ("genre medians", "family")
    return [
        families,
        *(Table(titles[one], list(map(_telling, some)), optional) for one, some in telling.items() if some),
    ]


def _info_tables(result: results.InfoResult, verbose: bool) -> list[Table]:
    song, nearest = result.song, result.nearest
    key, key_estimate = sentences.key_words(result)
    about = {
        "genre": song.genre,
        "album": f"{song.album} ({song.year})" if song.album and song.year else song.album or str(song.year or ""),
        "duration": format_duration(song.duration),
        "tempo (BPM)": sentences.tempo_words(result),
        "key": key,
        "file": shown_path(song.file_path),
        "copies": "\n".join(map(shown_path, result.copies)),
        "nearest": nearest and f"{sentences.label(nearest)}, similarity {result.nearest_similarity:.2f}",
    }
    if verbose:
        about |= {name.replace("_", " "): value for name, value in result.tags.items()}
        about |= {"key estimate": key_estimate, "key tag": result.key_tag}
    fields = [
        {"field": name, "value": value}
        for name, value in about.items()
        if value not in ("", None) and value == value  # NaN is missing
    ]
    unusual = sorted(result.descriptors, key=lambda one: -abs(one.percentile - 50))[:_N_UNUSUAL]
    rows = [
        {
            "descriptor": one.descriptor,
            "value": quantity(one.value),
            "unit": one.unit,
            "percentile": f"{one.percentile:.0f}",
            "library median": quantity(one.library_median),
        }
        for one in (result.descriptors if verbose else unusual)
    ]
    title = "Among all songs of the library" if verbose else "Most unusual among the songs of the library"
    return [Table(sentences.label(song), fields), Table(title, rows)]


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
        cells[_PRECISION_HEADS[kind]] = "" if np.isnan(value) else f"{value:.2f}"
        if figure == "value" and interval is not None:
            cells[_PRECISION_HEADS[kind]] += f" ({interval[0]:.2f}–{interval[1]:.2f})"
    return cells


def _telling(item: tuple[str, results.DescriptorContribution]) -> Record:
    family, one = item
    return {
        "family": family,
        "descriptor": one.descriptor,
        "A": quantity(one.first),
        "B": quantity(one.second),
        "unit": one.unit,
        "percentiles": f"{one.first_percentile:.0f}, {one.second_percentile:.0f}",
        "adds": f"{one.contribution:6.3f}",
        "genre medians": ", ".join(f"{genre} {quantity(median)}" for genre, median in one.genre_medians.items()),
    }
