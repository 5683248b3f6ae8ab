"""Results as records for programs: a list of objects, which JSON and CSV hold."""

from dataclasses import asdict, astuple
from typing import Any

from songmap.core.serialise import plain, to_json
from songmap.core.tables import CsvKind, csv_lines
from songmap.library.genre_similarity import GenreSimilarity
from songmap.library.keys import NO_KEY, camelot
from songmap.similar import results
from songmap.similar.play_results import PlayResult, StopResult
from songmap.similar.song import Song
from songmap.similar.space_scores import SpaceScores

Record = dict[str, Any]
_PRECISION = ("", "_queries", "_chance", "_best", "_labels", "_interval")


def as_json(result: results.Result) -> str:
    """One JSON document."""
    return to_json(records(result))


def as_csv(result: results.Result, kind: CsvKind = "spreadsheet") -> str:
    """CSV under a line of names; see ``songmap.core.tables.csv_lines``."""
    rows = records(result)
    if not rows:
        return ""
    return "".join(f"{line}\n" for line in csv_lines([rows[0].keys(), *(row.values() for row in rows)], kind))


def song_record(song: Song) -> Record:
    return dict(vars(song))


def records(result: results.Result) -> list[Record]:
    """The records of a result; ``rank`` counts its songs from 1."""
    match result:
        case results.SimilarResult(query=query, away=away):
            paths = {"query_file_path": " + ".join(song.file_path for song in query)}
            if away:
                paths["away_file_path"] = " + ".join(song.file_path for song in away)
            return [record | paths for record in _ranked(result)]
        case results.DuplicatesResult():
            names = ("rank", "group", "song_name", "genre", "duration", "similarity", "file_path")
            return [{name: record[name] for name in names} for record in _ranked(result)]
        case results.Ranked():
            return _ranked(result)
        case results.CompareResult(pair, similarity, contributions):
            shared = {"similarity": similarity, "contributions": dict(contributions)}
            both = zip(pair, result.descriptors, strict=True)
            return [song_record(song) | shared | {"descriptors": dict(values)} for song, values in both]
        case results.WhyResult((first, second), similarity, families):
            paths = {"first_file_path": first.file_path, "second_file_path": second.file_path}
            n_coordinates = sum(family.coordinates for family in families)
            whole = results.FamilyContribution("all", n_coordinates, similarity, similarity)
            return [plain(family) | paths for family in (*families, whole)]
        case results.InfoResult():
            return [_info_record(result)]
        case results.GenresResult(similarity):
            return [_genre_record(similarity, place) for place in range(len(similarity.genres))]
        case results.EvaluateResult():
            return [_space_record(scores) for scores in result.scores]
        case results.NeighboursResult() | PlayResult() | StopResult():
            return [asdict(result)]


def _ranked(result: results.Ranked) -> list[Record]:
    """Songs with their rank, and the figures of each after its names."""
    rows = []
    for place, song in enumerate(result.songs):
        record = song_record(song)
        names = {name: record.pop(name) for name in ("song_name", "artist", "genre")}
        figures = {name: values[place] for name, values in result.figures.items()}
        rows.append({"rank": result.first_rank + place} | names | figures | record)
    return rows


def _info_record(result: results.InfoResult) -> Record:
    nearest = result.nearest
    return {
        **song_record(result.song),
        **result.tags,
        "measured_tempo_bpm": result.measured_tempo_bpm,
        "tempo_octave": result.tempo_octave,
        "beat_deviation_s": result.beat_deviation_s,
        "key_estimate": None if result.key_estimate == NO_KEY else camelot(result.key_estimate),
        "key_correlation": result.key_correlation,
        "key_margin": result.key_margin,
        "key_tag": result.key_tag,
        "copies": list(result.copies),
        "nearest": nearest and {"similarity": result.nearest_similarity} | song_record(nearest),
        "descriptors": plain(result.descriptors),
    }


def _genre_record(similarity: GenreSimilarity, place: int) -> Record:
    between = dict(zip(similarity.genres, similarity.means[place], strict=True))
    nearest = similarity.nearest[place]
    return {
        "genre": similarity.genres[place],
        "songs": int(similarity.counts[place]),
        "within": between.pop(similarity.genres[place]),
        "to_others": similarity.to_others[place],
        "nearest_genre": nearest,
        "nearest_similarity": None if nearest is None else between[nearest],
        "between": between,
    }


def _space_record(scores: SpaceScores) -> Record:
    record = dict(vars(scores))
    hubs = {name: record.pop(name) for name in ("hubness_skewness", "in_no_list")}
    for kind, precision in record.pop("precision").items():
        record |= {f"same_{kind}{name}": value for name, value in zip(_PRECISION, astuple(precision), strict=True)}
    return record | hubs
