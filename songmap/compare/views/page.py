"""The comparison as one page that needs nothing else; ``comparison.html`` is the template, in the style of 03's report."""

from typing import Any

from songmap.compare.results import Comparison
from songmap.compare.views import charts, sentences, summary
from songmap.core.pages import PageTable, page_table, render
from songmap.core.text import capitalised, readable

N_CONFUSIONS = 4  # matrices shown, of the most accurate variants
_N_ROWS = 12  # of a table, shown; the others are in a fold
_HEADINGS = {"macro F1": "macro F1", "p": "p-value", "p Holm": "p-value, Holm", "behind": "points behind the best"}
_SCORES = ("model", "features", "accuracy", "macro F1", "log loss", "calibration error", "training accuracy")
_REAL = ("model", "features", "behind", "95 %", "p", "p Holm", "equivalent", "is that real?")
_COSTS = ("model", "features", "train", "predict 1,000", "size")


def comparison_page(comparison: Comparison) -> str:
    """The page."""
    genres = [one.genre for one in comparison.data.genres]
    different = {(one.model, one.features): one for one in comparison.differences}
    rows = [summary.variant_row(one, different.get((one.model, one.features))) for one in comparison.scores]
    chosen = [place == 0 for place in range(len(rows))]
    page = render(
        "compare/views/comparison.html",
        title="Which model, which features?",
        summary=[
            sentences.main_sentence(comparison), sentences.next_sentence(comparison),
            sentences.choice_sentence(comparison), sentences.claim_sentence(comparison),
            sentences.worst_sentence(comparison.scores[0]), sentences.data_sentence(comparison),
            sentences.grouping_sentence(comparison.data),
        ],
        warnings=[
            capitalised(one)
            for one in (*sentences.warnings(comparison), sentences.left_out_sentence(comparison)) if one
        ],
        charts={
            "accuracy": charts.accuracy_chart(comparison),
            "claims": charts.claims_chart(comparison.claims),
            "sizes": charts.sizes_chart(comparison.training_sizes),
            "genres": charts.genres_chart(comparison.scores, genres),
            "confusions": [
                (sentences.variant_name(one.model, one.features), charts.best_confusion_chart(one, genres))
                for one in comparison.confusion[:N_CONFUSIONS]
            ],
        },
        tables={
            "scores": _table(rows, _SCORES, chosen),
            "differences": _table(rows[:_N_ROWS], _REAL, chosen[:_N_ROWS]),
            "all_differences": _table(rows, _REAL, chosen),
            "costs": _table(rows[:_N_ROWS], _COSTS, chosen[:_N_ROWS]),
            "all_costs": _table(rows, _COSTS, chosen),
            "importances": _table(summary.importance_rows(comparison)),
            "features": _table([vars(one) for one in comparison.feature_sets], ("name", "columns", "title")),
            "genres": _table([vars(one) for one in comparison.data.genres]),
            "points": _table(_point_rows(comparison)),
        },
        sentences=sentences,
        comparison=comparison,
        n_more=max(len(rows) - _N_ROWS, 0),
        n_shown=min(len(rows), charts.N_VARIANTS),
        n_variants=len(rows),
        has_claims=bool(comparison.claims),
        seed=comparison.seed,
    )  # fmt: skip
    return readable(page)


def _table(records: list[dict[str, Any]], columns: tuple[str, ...] = (), marked: list[bool] | None = None) -> PageTable:
    """A table; without the column of feature sets where nothing is in it."""
    columns = tuple(name for name in columns if name != "features" or any(record[name] for record in records))
    return page_table(records, columns, headings=_HEADINGS, marked=marked or ())


def _point_rows(comparison: Comparison) -> list[dict[str, Any]]:
    """Which points of the grids were chosen, in how many folds."""
    return [
        {
            "model": one.title,
            "features": one.features,
            "points chosen": "; ".join(
                f"{', '.join(f'{name} {value}' for name, value in point.items())} ({number})"
                for point, number in one.points
            ),
        }
        for one in comparison.scores
        if len(one.points) and one.points[0][0]
    ]
