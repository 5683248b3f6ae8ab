"""Results as records for programs: a list of objects, which JSON and CSV hold."""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from functools import singledispatch
from typing import Any

from songmap.core.serialise import plain, to_json
from songmap.core.text import readable
from songmap.similar import results
from songmap.similar.results import Song, Transition

Record = dict[str, Any]


def as_json(result: results.Result) -> str:
    """One JSON document."""
    return to_json(records(result))


def as_csv(result: results.Result) -> str:
    """CSV under a line of names; a list or object in a record is JSON in its cell, what is missing is empty."""
    rows = records(result)
    if not rows:
        return ""
    cells = ([_cell(value) for value in record.values()] for record in rows)
    return "".join(f"{line}\n" for line in csv_lines([list(rows[0]), *cells]))


def csv_lines(rows: Iterable[Iterable[Any]]) -> Iterable[str]:
    """Each row as a line of CSV."""
    for row in rows:
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow(row)
        yield readable(line.getvalue().removesuffix("\n"))


def _cell(value: Any) -> Any:
    value = plain(value)
    return json.dumps(value, ensure_ascii=False, indent=1) if isinstance(value, Mapping | list) else value


def song_record(song: Song) -> Record:
    return dict(vars(song))


def ranked(songs: Iterable[Song], extra: Iterable[Mapping[str, Any]]) -> list[Record]:
    """Songs with their rank, and what a result says of each after its names."""
    rows = []
    for rank, (song, more) in enumerate(zip(songs, extra, strict=True), start=1):
        record = song_record(song)
        names = {name: record.pop(name) for name in ("song_name", "artist", "genre")}
        rows.append({"rank": rank} | names | dict(more) | record)
    return rows


@singledispatch
def records(result: Any) -> list[Record]:
    """The records of a result; ``rank`` counts its songs from 1."""
    raise TypeError(f"no records of a {type(result).__name__}")


@records.register
def _(result: results.SimilarResult) -> list[Record]:
    paths = {"query_file_path": " + ".join(song.file_path for song in result.query)}
    if result.away:
        paths["away_file_path"] = " + ".join(song.file_path for song in result.away)
    extra = [
        {"similarity": similarity} | ({} if factor is None else {"tempo_factor": factor})
        for similarity, factor in zip(result.similarities, result.tempo_factors, strict=True)
    ]
    return [record | paths for record in ranked(result.songs, extra)]


@records.register
def _(result: results.CompareResult) -> list[Record]:
    return [
        song_record(song)
        | {"similarity": result.similarity, "contributions": dict(result.contributions), "descriptors": dict(values)}
        for song, values in zip(result.pair, result.descriptors, strict=True)
    ]


@records.register
def _(result: results.WhyResult) -> list[Record]:
    paths = {f"{which}_file_path": song.file_path for which, song in zip(("first", "second"), result.pair, strict=True)}
    whole = results.FamilyContribution(
        "all", sum(family.columns for family in result.families), result.similarity, result.similarity
    )
    return [plain(family) | paths for family in (*result.families, whole)]


@records.register
def _(result: results.InfoResult) -> list[Record]:
    nearest = result.nearest
    return [
        song_record(result.song)
        | dict(result.tags)
        | {
            "key_correlation": result.key_correlation,
            "key_tag": result.key_tag,
            "copies": list(result.copies),
            "nearest": nearest and {"similarity": result.nearest_similarity} | song_record(nearest),
            "descriptors": plain(result.descriptors),
        }
    ]


@records.register
def _(result: results.ListResult) -> list[Record]:
    return ranked(result.songs, [{}] * len(result.songs))


@records.register
def _(result: results.GenresResult) -> list[Record]:
    similarity = result.similarity
    rows = []
    for index, genre in enumerate(similarity.genres):
        between = dict(zip(similarity.genres, similarity.means[index], strict=True))
        within = between.pop(genre)
        nearest = similarity.nearest[index]
        rows.append(
            {
                "genre": genre,
                "songs": int(similarity.counts[index]),
                "within": within,
                "to_others": similarity.to_others[index],
                "nearest_genre": nearest,
                "nearest_similarity": None if nearest is None else between[nearest],
                "between": between,
            }
        )
    return rows


@records.register
def _(result: results.DuplicatesResult) -> list[Record]:
    return [
        {
            "rank": rank,
            "group": group,
            "song_name": song.song_name,
            "genre": song.genre,
            "duration": song.duration,
            "similarity": similarity,
            "file_path": song.file_path,
        }
        for rank, (song, group, similarity) in enumerate(
            zip(result.songs, result.groups, result.similarities, strict=True), start=1
        )
    ]


@records.register
def _(result: results.OutliersResult) -> list[Record]:
    return ranked(result.songs, [{"similarity": similarity} for similarity in result.similarities])


@records.register
def _(result: results.HubsResult) -> list[Record]:
    return ranked(result.songs, [{"k_occurrence": count} for count in result.k_occurrence])


@records.register
def _(result: results.EvaluateResult) -> list[Record]:
    rows = []
    for scores in result.scores:
        record: Record = {"space": scores.space, "hubs_corrected": scores.hubs_corrected, "queries": scores.queries}
        for kind, precision in scores.precision.items():
            record |= {
                f"same_{kind}": precision.value,
                f"same_{kind}_queries": precision.queries,
                f"same_{kind}_chance": precision.chance,
                f"same_{kind}_best": precision.best,
            }
        rows.append(record | {"hubness_skewness": scores.hubness_skewness, "in_no_list": scores.in_no_list})
    return rows


@records.register
def _(result: results.OrderedResult) -> list[Record]:
    return ranked(result.songs, map(_transition_record, result.transitions))


@records.register(results.NeighboursResult | results.PlayResult)
def _(result: results.NeighboursResult | results.PlayResult) -> list[Record]:
    return [asdict(result)]


def _transition_record(transition: Transition | None) -> Record:
    """Scores of the transition to a song, and of what they consist."""
    names = ("similarity", "tempo_factor", "tempo_change", "tempo_fit", "key_fit")
    return {"transition": transition and transition.score} | {
        name: None if transition is None else getattr(transition, name) for name in names
    }
