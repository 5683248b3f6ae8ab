"""The report as one HTML page that needs nothing else: for the screen, dark or light, a phone, and paper."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from songmap.core.pages import PageTable, page_table, render
from songmap.core.svg import Chart
from songmap.core.tables import Record, format_cell
from songmap.core.text import capitalised, joined, percent, quantity, readable, signed
from songmap.genre.comparison_results import CandidateScores
from songmap.genre.results import GenreReport
from songmap.genre.song_results import ListedSong
from songmap.genre.views import charts, component_phrases, sentences
from songmap.genre.views.limits import VALIDITY, limit_sentences
from songmap.genre.views.narrative import answer, component_narrative, reasons
from songmap.genre.views.plain_summary import plain_summary
from songmap.genre.views.sentences import CONTENTS, SET_NAME, song_label, song_set, split_phrase
from songmap.library.palette import genre_colours
from songmap.library.trait_words import MEANING

N_SHOWN = 25  # rows in a table of songs; the CSV has all
_N_COMPONENTS = 10

_SCORES = ("accuracy", "balanced_accuracy", "macro_f1", "log_loss", "ece")
_WITH_INTERVAL = (*_SCORES, "coverage")
_HEADINGS = {  # of columns that are not headed by their names
    "split": "tested on", "title": "model", "macro_f1": "macro F1", "ece": "calibration error",
    "calibrated_ece": "calibration error if calibrated", "f1": "F1",
    "test_f1": "test F1", "baseline_accuracy": "accuracy of the most frequent genre", "importance": "mean |SHAP|",
    "predicted_genre": "predicted", "genre_set": SET_NAME, "file_path": "file",
    "auroc": "AUROC", "detected": "share detected",
}  # fmt: skip


def report_page(report: GenreReport, images: Mapping[str, bytes], library_genres: Iterable[str]) -> str:
    """The page; ``images`` are PNG files by the name of the figure, colours are given by ``library_genres``."""
    n_songs = sum(one.songs for one in report.per_genre)
    colours = genre_colours(library_genres)
    page = render(
        "genre/views/report.html",
        title=f"Genre classifier: {len(report.per_genre)} genres, {n_songs} songs",
        report=report,
        between=[one for one in report.boundary_songs if one.is_between],
        tables=_tables(report),
        charts=_charts(report, colours),
        images={name: _image(name, png) for name, png in images.items()},
        colours={one.genre: colours[one.genre] for one in report.per_genre},
        n_shown=N_SHOWN,
        sentences=sentences,
        phrases=component_phrases,
        summary=plain_summary(report),
        answer=answer(report.song),
        reasons=reasons(report.song),
        meaning=MEANING if report.song.traits else "",
        components=component_narrative(report.song),
        limits=list(map(capitalised, limit_sentences(report.limits))),
        validity=VALIDITY,
    )
    return readable(page)


def _charts(report: GenreReport, colours: Mapping[str, str]) -> dict[str, Chart]:
    return {
        **{f"confusion_{one.split}": charts.confusion_chart(one) for one in report.confusion},
        "genres": charts.genres_chart(report.per_genre),
        "reliability": charts.reliability_chart(report.reliability),
        "candidates": charts.candidates_chart(report.candidates, report.choice.model),
        "families": charts.families_chart(report.families),
        "song": charts.song_chart(report.song),
        "boundary_songs": charts.boundary_chart([one for one in report.boundary_songs if one.is_between], colours),
    }


def _tables(report: GenreReport) -> dict[str, PageTable]:
    choice, leakage, shown = report.choice, report.leakage, report.components[:_N_COMPONENTS]
    folds = {f"grouped by {report.grouping.group_by}": leakage.grouped_accuracy, "random": leakage.random_accuracy}
    per_genre = [vars(one) for one in report.per_genre]
    above = "log loss above the smallest"
    return {
        "training": _table(per_genre, ("genre", "songs")),
        "scores": _table(
            [_intervals(vars(one)) | {"split": split_phrase(one)} for one in report.scores],
            ("split", *_SCORES, "calibrated_ece", "baseline_accuracy"),
        ),
        "candidates": _table(
            [_intervals(vars(one)) | {above: _difference(one)} for one in report.candidates],
            ("title", "songs", *_SCORES, above),
            marked=[one.model == choice.model for one in report.candidates],
        ),
        "leakage": _table([{"folds": name, "accuracy": accuracy} for name, accuracy in folds.items()]),
        "per_genre": _table(per_genre),
        "families": _table([{"genre": one.genre} | _signed(one.points) for one in report.families]),
        "components": _table(
            [
                {"component": component_phrases.component_name(one.component), "importance": quantity(one.importance)}
                for one in shown
            ]
        ),
        "boundary_songs": _songs(
            [one for one in report.boundary_songs if one.is_between], "song genre predicted_genre probability genre_set"
        ),
        "label_issues": _songs(report.label_issues, "song label predicted_genre probability file_path"),
        "unknown_songs": _songs(report.unknown_songs, "song predicted_genre probability genre_set"),
        "conformal": _table(
            [_intervals(vars(one)) for one in report.conformal.per_genre], ("genre", "songs", "groups", "coverage")
        ),
        "novelty": _table([vars(one) for one in report.novelty.genres]),
        "card": _card(report.card),
    }


def _card(card: Mapping[str, Any]) -> PageTable:
    calibration = card["calibration"]
    rows = {
        "model": card["title"],
        "parameters": _pairs(card["parameters"]),
        "calibration": f"temperature {joined([f'{1 / weight:.3g}' for weight in calibration['weights']])}, weight of the "
        f"genres' shares {calibration['prior_weight']:.2g}, {percent(calibration['outlier_share'])} outliers",
        "folds": f"by {card['group_by']}, seed {card['seed']}",
        "library": card["data"],
        "columns": card["columns"],
        "versions": _pairs(card["versions"]),
    }
    return PageTable([], [[name, value] for name, value in rows.items()], [False, False], [False] * len(rows))


def _table(records: Sequence[Record], columns: Sequence[str] = (), marked: Sequence[bool] = ()) -> PageTable:
    return page_table(records, columns, headings=_HEADINGS, marked=marked)


def _songs(songs: Sequence[ListedSong], columns: str) -> PageTable:
    cells = [
        record
        | {"song": song_label(one), "label": record.get("genre"), "probability": percent(one.probability)}
        | {"file_path": "/".join(Path(one.file_path).parts[-2:])}  # not where the music is: pages are passed on
        | ({"genre_set": song_set(record["genre_set"], record["novelty"])} if "genre_set" in record else {})
        for one, record in ((one, vars(one)) for one in songs[:N_SHOWN])
    ]
    return _table(cells, columns.split())


def _intervals(scores: dict[str, Any]) -> dict[str, Any]:
    """Scores as text with their intervals, where they have some."""
    return scores | {
        name: f"{scores[name]:.3f} ({scores[f'{name}_low']:.2f}–{scores[f'{name}_high']:.2f})"
        for name in _WITH_INTERVAL
        if f"{name}_low" in scores
    }


def _signed(points: dict[str, float]) -> dict[str, str]:
    return {family: signed(number, 1) for family, number in points.items()}


def _difference(scores: CandidateScores) -> str:
    return "" if scores.model == scores.best else f"{signed(scores.difference, 3)} ± {scores.difference_error:.3f}"


def _image(name: str, png: bytes) -> dict[str, str]:
    source = f"data:image/png;base64,{base64.b64encode(png).decode()}"
    return {"caption": capitalised(CONTENTS[f"plot_{name}"]), "source": source}


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {format_cell(value)}" for name, value in values.items()) or "none"
