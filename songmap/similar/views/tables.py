"""Results as text for a terminal: sentences, then tables, each a title and its rows."""

from collections.abc import Sequence
from functools import singledispatch
from typing import Any

import numpy as np

from songmap.core.tables import format_table
from songmap.core.text import format_duration, quantity
from songmap.library.descriptors import descriptor
from songmap.library.keys import NO_KEY, key_name
from songmap.library.schema import N_COLUMNS, family_indices
from songmap.similar import results
from songmap.similar.results import Song
from songmap.similar.views import sentences
from songmap.similar.views.records import Record, records

Table = tuple[str, list[Record]]
MAX_MATRIX = 12  # genres whose table of pairs still fits a terminal


def as_text(result: results.Result) -> str:
    """What people read of a result."""
    lines = "\n".join(notes(result))
    return "\n\n".join([*([lines] if lines else []), *(format_table(rows, title) for title, rows in tables(result))])


def notes(result: results.Result) -> list[str]:
    """Sentences above the tables of a result."""
    match result:
        case results.WhyResult():
            return sentences.why_sentences(result)
        case results.EvaluateResult():
            return sentences.evaluate_notes(result)
        case results.SimilarResult() | results.CompareResult() | results.InfoResult() | results.GenresResult():
            return sentences.model_words(result.model)
    return []


def decimals(value: Any) -> Any:
    """Three decimals of a float, aligned with a minus sign, nothing for NaN; other values as they are."""
    if not isinstance(value, float):
        return value
    return "" if np.isnan(value) else f"{value:6.3f}"


@singledispatch
def tables(result: Any) -> list[Table]:
    """The tables of a result."""
    raise TypeError(f"no tables of a {type(result).__name__}")


@tables.register
def _(result: results.SimilarResult) -> list[Table]:
    figures = [{"similarity": decimals(similarity)} for similarity in result.similarities]
    return [(sentences.similar_title(result), _rows(result.songs, figures, result.tempo_factors))]


@tables.register
def _(result: results.CompareResult) -> list[Table]:
    title = f"Similarity {result.similarity:.3f}"
    title += ", and what each family adds to it" if result.contributions else ""
    families = [
        {"family": family, "columns": len(family_indices(family)), "contribution": decimals(share)}
        for family, share in result.contributions.items()
    ]
    families.append({"family": "all", "columns": N_COLUMNS, "contribution": decimals(result.similarity)})
    cells = {
        ("duration", ""): [format_duration(song.duration) for song in result.pair],
        ("key, estimated", ""): [key_name(key) for key in result.keys],
    }
    for name in result.descriptors[0]:
        cells[name, descriptor(name).unit] = [quantity(values[name]) for values in result.descriptors]
    rows = [{"descriptor": name, "unit": unit, "A": a, "B": b} for (name, unit), (a, b) in cells.items()]
    return [(title, families), (_pair_title(*result.pair), rows)]


@tables.register
def _(result: results.WhyResult) -> list[Table]:
    rows = [
        {
            "family": record["family"],
            "columns": record["columns"],
            "adds": decimals(record["contribution"]),
            "similarity within this family": decimals(record["agreement"]),
        }
        for record in records(result)
    ]
    found = [(_pair_title(*result.pair), rows)]
    if agree := sentences.most_telling(result.families, "agree"):
        found.append(("Both songs differ from the library's mean in the same direction", list(map(_telling, agree))))
    if differ := sentences.most_telling(result.families, "differ"):
        found.append(("They differ from it in opposite directions", list(map(_telling, differ))))
    return found


@tables.register
def _(result: results.InfoResult) -> list[Table]:
    song, nearest = result.song, result.nearest
    about = {
        "artist": song.artist,
        "genre": song.genre,
        "title": song.title,
        "album": song.album,
        "year": str(song.year or ""),
        "duration": format_duration(song.duration),
        "tempo (BPM)": f"{song.tempo_bpm:.1f}" if song.tempo_bpm > 0 else "unknown",
        "key, estimated": key_name(result.key) or "unknown",
        "file path": song.file_path,
        **{name.replace("_", " "): value for name, value in result.tags.items()},
        "key correlation": f"{result.key_correlation:.2f} with the key's profile" if result.key != NO_KEY else "",
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


@tables.register
def _(result: results.ListResult) -> list[Table]:
    rows = [
        row | {"duration": format_duration(song.duration)}
        for row, song in zip(_rows(result.songs, [{}] * len(result.songs)), result.songs, strict=True)
    ]
    of_genre = f" of {result.genre}" if result.genre else ""
    return [(f"{len(rows):,} {'song' if len(rows) == 1 else 'songs'}{of_genre}", rows)]


@tables.register
def _(result: results.GenresResult) -> list[Table]:
    rows = [{name: decimals(value) for name, value in one.items() if name != "between"} for one in records(result)]
    found = [(sentences.genres_title(result), rows)]
    similarity = result.similarity
    if 1 < len(similarity.genres) <= MAX_MATRIX:
        matrix = [
            {"": genre} | {name: decimals(mean) for name, mean in zip(similarity.genres, means.tolist(), strict=True)}
            for genre, means in zip(similarity.genres, similarity.means, strict=True)
        ]
        found.append(("Between genres", matrix))
    return found


@tables.register
def _(result: results.DuplicatesResult) -> list[Table]:
    if not result.songs:
        return [("Recordings in several files", [])]
    rows = [
        one | {"duration": format_duration(one["duration"]), "similarity": decimals(one["similarity"])}
        for one in records(result)
    ]
    title = f"{result.groups[-1]:,} recordings in several files; similarity to the first file: 1 is the same sound"
    return [(f"{title}, 0.5 the limit of a copy", rows)]


@tables.register
def _(result: results.OutliersResult) -> list[Table]:
    figures = [{"similarity": decimals(similarity)} for similarity in result.similarities]
    return [(sentences.outliers_title(result), _rows(result.songs, figures))]


@tables.register
def _(result: results.HubsResult) -> list[Table]:
    figures = [{"k_occurrence": count} for count in result.k_occurrence]
    return [(sentences.hubs_title(result), _rows(result.songs, figures))]


@tables.register
def _(result: results.EvaluateResult) -> list[Table]:
    def cells(values: dict[str, float]) -> Record:
        return {f"same_{kind}": "" if np.isnan(value) else f"{value:.3f}" for kind, value in values.items()}

    rows = [
        {"space": sentences.space_words(one)}
        | cells({kind: precision.value for kind, precision in one.precision.items()})
        | {"hubness": f"{one.hubness_skewness:5.2f}", "in no list": f"{100 * one.in_no_list:.0f} %"}
        for one in result.scores
    ]
    limits = result.scores[0].precision.items()
    for name, values in (
        ("by chance", {kind: precision.chance for kind, precision in limits}),
        ("best possible", {kind: precision.best for kind, precision in limits}),
    ):
        rows.append({"space": name} | cells(values) | {"hubness": "", "in no list": ""})
    return [(f"Precision at {result.nearest} and hubness of every space", rows)]


@tables.register
def _(result: results.OrderedResult) -> list[Table]:
    rows = [
        {
            "rank": rank,
            "song_name": song.song_name,
            "artist": song.artist,
            "genre": song.genre,
            "transition": transition and f"{transition.score:.2f}",
            "why": transition and sentences.transition_words(transition),
        }
        for rank, (song, transition) in enumerate(zip(result.songs, result.transitions, strict=True), start=1)
    ]
    return [(sentences.ordered_title(result), rows)]


def _pair_title(first: Song, second: Song) -> str:
    return f"A: {sentences.label(first)}   B: {sentences.label(second)}"


def _rows(songs: Sequence[Song], figures: Sequence[Record], tempo_factors: Sequence[float | None] = ()) -> list[Record]:
    """Ranked songs: ``figures`` between their names and what a DJ looks at first."""
    rows = []
    for place, (song, own) in enumerate(zip(songs, figures, strict=True)):
        tempo: float | str = round(song.tempo_bpm, 1)
        factor = tempo_factors[place] if tempo_factors else None
        if factor in (2.0, 0.5):
            played = "double" if factor == 2.0 else "half"
            tempo = f"{song.tempo_bpm:.1f} ({played}: {song.tempo_bpm * factor:.1f})"
        names = {"rank": place + 1, "song_name": song.song_name, "artist": song.artist, "genre": song.genre}
        rows.append(names | own | {"tempo_bpm": tempo, "key_estimate": song.key_estimate})
    return rows


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
        "adds": decimals(one.contribution),
    }
