"""The report as one HTML page that needs nothing else: for the screen, dark or light, a phone, and paper."""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from songmap.core.pages import render
from songmap.core.tables import format_cell
from songmap.core.text import percent, readable
from songmap.genre.candidates import CANDIDATES
from songmap.genre.results import GenreReport
from songmap.genre.views.limits import limit_sentence
from songmap.genre.views.narrative import narrative
from songmap.genre.views.sentences import (
    CONTENTS,
    SET_NAME,
    choice_sentence,
    component_name,
    components_sentence,
    conformal_sentence,
    grouping_sentence,
    leakage_sentence,
    overfitting_sentence,
    permutation_sentence,
    set_phrase,
    split_phrase,
)
from songmap.library.schema import FAMILIES

N_SHOWN = 25  # rows in a table of songs; the CSV has all
_N_COMPONENTS = 10
_LONG = 28  # characters in a cell before its words are wrapped

_SCORES = {
    "accuracy": "accuracy", "balanced_accuracy": "balanced accuracy", "macro_f1": "macro F1", "log_loss": "log loss",
    "ece": "calibration error",
}  # fmt: skip
_PER_GENRE = {
    "genre": "genre", "songs": "songs", "precision": "precision", "recall": "recall", "f1": "F1",
    "test_precision": "test precision", "test_recall": "test recall", "test_f1": "test F1",
}  # fmt: skip


@dataclass(frozen=True)
class Table:
    """Cells as text; ``numeric`` columns are aligned to the right, ``marked`` rows are bold."""

    headings: list[str]
    rows: list[list[str]]
    numeric: list[bool]
    marked: list[bool]


def report_page(report: GenreReport, images: Mapping[str, bytes]) -> str:
    """The page; ``images`` are PNG files by the name of the figure."""
    n_songs = sum(one.songs for one in report.per_genre)
    page = render(
        "genre/views/report.html",
        title=f"Genre classifier: {len(report.per_genre)} genres, {n_songs} songs",
        report=report,
        tables=_tables(report),
        images={name: _image(name, png) for name, png in images.items()},
        long=_LONG,
        n_shown=N_SHOWN,
        grouping=grouping_sentence(report.grouping),
        choice=choice_sentence(report.choice),
        leakage=leakage_sentence(report.leakage, report.grouping.group_by),
        overfitting=overfitting_sentence(report.overfitting, report.permutation),
        permutation=permutation_sentence(report.permutation, report.grouping.group_by),
        conformal=conformal_sentence(report.conformal),
        components=components_sentence(report),
        narrative=narrative(report.song),
        limits=[_capitalised(limit_sentence(limit)) for limit in report.limits],
    )
    return readable(page)


def _tables(report: GenreReport) -> dict[str, Table]:
    default, used = report.choice.default, report.choice.model
    return {
        "training": _table(report.per_genre, {name: _PER_GENRE[name] for name in ("genre", "songs")}),
        "scores": _table(
            report.scores,
            {"split": "tested on", **_SCORES, "baseline_accuracy": "accuracy of the most frequent genre"},
            lambda one: {"split": split_phrase(one)} | _intervals(one),
        ),
        "candidates": _table(
            report.candidates,
            {"title": "model", **_SCORES, "difference": f"balanced accuracy against {CANDIDATES[default].title}"},
            lambda one: _intervals(one)
            | {"difference": "" if one.model == default else f"{one.difference:+.3f} ± {one.difference_error:.3f}"},
            marked=lambda one: one.model == used,
        ),
        "leakage": _table(
            [(f"grouped by {report.grouping.group_by}", report.leakage.grouped_accuracy),
             ("random", report.leakage.random_accuracy)],
            {"folds": "folds", "accuracy": "accuracy"},
            lambda one: {"folds": one[0], "accuracy": one[1]},
        ),
        "per_genre": _table(report.per_genre, _PER_GENRE),
        "families": _table(
            report.families,
            {"genre": "genre", **{family: family for family in FAMILIES}},
            lambda one: {family: f"{points:+.1f}" for family, points in one.points.items()},
        ),
        "components": _table(
            report.components[:_N_COMPONENTS],
            {"component": "component", "importance": "mean |SHAP|"},
            lambda one: {"component": component_name(one.component)},
        ),
        "boundary_songs": _table(
            report.boundary_songs[:N_SHOWN],
            {"song_name": "song", "genre": "genre", "predicted_genre": "predicted", "probability": "probability",
             "genre_set": SET_NAME, "normalised_entropy": "normalised entropy"},
            _song,
        ),
        "label_issues": _table(
            report.label_issues[:N_SHOWN],
            {"song_name": "song", "genre": "label", "predicted_genre": "predicted", "probability": "probability",
             "file_path": "file"},
            _song,
        ),
        "unknown_songs": _table(
            report.unknown_songs[:N_SHOWN],
            {"song_name": "song", "predicted_genre": "predicted", "probability": "probability", "genre_set": SET_NAME},
            _song,
        ),
        "card": _card(report.card),
    }  # fmt: skip


def _card(card: Mapping[str, Any]) -> Table:
    calibration = card["calibration"]
    rows = {
        "model": card["title"],
        "parameters": _pairs(card["parameters"]),
        "calibration": f"temperature {calibration['temperature']:.3g}, weight of the genres' shares "
        f"{calibration['prior_weight']:.2g}",
        "folds": f"by {card['group_by']}, seed {card['seed']}",
        "library": card["data"],
        "columns": card["columns"],
        "versions": _pairs(card["versions"]),
    }
    return Table([], [[name, value] for name, value in rows.items()], [False, False], [False] * len(rows))


def _table(
    results: Sequence[Any],
    headings: Mapping[str, str],
    cells: Callable[[Any], dict[str, Any]] = lambda one: {},
    marked: Callable[[Any], bool] = lambda one: False,
) -> Table:
    """A row per result: its fields, or what ``cells`` gives instead; numbers with three decimals."""
    rows = []
    for one in results:
        own = cells(one)
        rows.append([own[name] if name in own else getattr(one, name) for name in headings])
    numeric = [all(isinstance(value, int | float) for value in column) for column in zip(*rows, strict=True)]
    texts = [[f"{value:.3f}" if isinstance(value, float) else format_cell(value) for value in row] for row in rows]
    return Table(list(headings.values()), texts, numeric, [marked(one) for one in results])


def _intervals(one: Any) -> dict[str, str]:
    """Scores as text, with their intervals where there are some."""
    return {
        name: f"{getattr(one, name):.3f} ({getattr(one, f'{name}_low'):.2f}–{getattr(one, f'{name}_high'):.2f})"
        for name in _SCORES
        if hasattr(one, f"{name}_low")
    }


def _song(one: Any) -> dict[str, str]:
    cells = {"probability": percent(one.probability)}
    return cells | ({"genre_set": set_phrase(one.genre_set)} if hasattr(one, "genre_set") else {})


def _image(name: str, png: bytes) -> dict[str, str]:
    source = f"data:image/png;base64,{base64.b64encode(png).decode()}"
    return {"caption": _capitalised(CONTENTS[f"plot_{name}"]), "source": source}


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {format_cell(value)}" for name, value in values.items()) or "none"


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]
