"""What 06 prints: what is best and what that is worth, the first variants, warnings; all tables on request."""

from typing import Any

from songmap.compare.feature_sets import TABLE
from songmap.compare.results import Comparison, Difference, VariantScores
from songmap.compare.views import sentences
from songmap.core.tables import format_table
from songmap.core.text import one_line, p_value_text, percent, shown_path, signed, wrapped

_N_SHOWN = 5
_CUT = {"model": 20, "features": 11}
_OPTIONAL = ("calibration error", "training accuracy", "p", "features")  # the last tells variants apart


def comparison_summary(comparison: Comparison) -> str:
    """At most 20 lines in 80 columns."""
    best = comparison.scores[0]
    rows = [
        {"model": one["model"], "features": one["features"], "accuracy": one["accuracy"], "behind": one["behind"],
         "is that real?": one["is that real?"], "worst genre": one["worst genre"]}
        for one in _rows(comparison)[:_N_SHOWN]
    ]  # fmt: skip
    warned = sentences.warnings(comparison)
    lines = [
        sentences.main_sentence(comparison),
        sentences.choice_sentence(comparison),
        sentences.claim_sentence(comparison),
        sentences.worst_sentence(best),
        sentences.left_out_sentence(comparison),
    ]
    if warned:
        more = f" ({len(warned) - 1} more: --verbose)" if len(warned) > 1 else ""
        lines.append(f"Warning: {warned[0]}{more}")
    table = format_table(rows, optional=("worst genre", "features"), shortened=_CUT)
    page = next(one.path for one in comparison.written if one.content == "page")
    return "\n".join([_lines(lines), table, f"Page: {one_line(shown_path(page))}", "All tables: --verbose"])


def verbose_summary(comparison: Comparison) -> str:
    """All tables for the terminal."""
    rows = _rows(comparison)
    scores = ("model", "features", "accuracy", "macro F1", "log loss", "calibration error", "training accuracy")
    costs = ("model", "features", "train", "predict 1,000", "size")
    real = ("model", "features", "behind", "95 %", "p", "p Holm", "equivalent", "is that real?")
    genres = ("model", "features", "best genre", "worst genre")
    warned = sentences.warnings(comparison)
    parts = [
        _lines([sentences.main_sentence(comparison), sentences.next_sentence(comparison),
                sentences.choice_sentence(comparison), sentences.claim_sentence(comparison),
                sentences.data_sentence(comparison), sentences.grouping_sentence(comparison.data)]),
        _table(rows, scores, "Scores outside the training data"),
        _table(rows, real, "Points of accuracy behind the best, and whether that is real"),
        _table(rows, costs, "Processor time of a fit with its search, and of 1,000 predictions; size as a pickle"),
        _table(rows, genres, "Best and worst genre, by F1"),
        format_table(claim_rows(comparison), "Accuracy if groups were split at random (first repeat)")
        if comparison.claims else "",
        format_table(size_rows(comparison), "Accuracy of the best by the number of training songs"),
        format_table(importance_rows(comparison), importance_title(comparison)),
        format_table([{"genre": one.genre, "songs": one.songs, "groups": one.groups}
                      for one in comparison.data.genres], "Compared on"),
        _lines([*(f"Limit: {one}" for one in warned), sentences.left_out_sentence(comparison)]),
        _lines(sentences.written_lines(comparison)),
    ]  # fmt: skip
    return "\n\n".join(part for part in parts if part)


def _rows(comparison: Comparison) -> list[dict[str, Any]]:
    different = {(one.model, one.features): one for one in comparison.differences}
    return [variant_row(one, different.get((one.model, one.features))) for one in comparison.scores]


def variant_row(one: VariantScores, difference: Difference | None) -> dict[str, Any]:
    """A variant as people read it; ``difference`` is None for the best."""
    f1 = {genre.genre: genre.f1 for genre in one.genres}
    row = {
        "model": one.title,
        "features": "" if one.model == "majority" or one.features == TABLE else one.features,
        "accuracy": f"{percent(one.accuracy)} ({100 * one.accuracy_low:.0f}–{percent(one.accuracy_high)})",
        "macro F1": f"{one.macro_f1:.2f}",
        "log loss": f"{one.log_loss:.2f}",
        "calibration error": f"{one.calibration_error:.2f}",
        "training accuracy": percent(one.training_accuracy),
        "train": duration(one.train_s),
        "predict 1,000": duration(one.predict_s),
        "size": size(one.size_bytes),
        "best genre": f"{one.best_genre} {f1[one.best_genre]:.2f}",
        "worst genre": f"{one.worst_genre} {f1[one.worst_genre]:.2f}",
    }
    if difference is None:
        return row | {"behind": "", "95 %": "", "p": "", "p Holm": "", "equivalent": "", "is that real?": "the best"}
    low, high = (signed(100 * value) for value in (difference.low, difference.high))
    return row | {
        "behind": sentences.points_behind(difference),
        "95 %": f"{low} to {high}",
        "p": p_value_text(difference.p_value),
        "p Holm": p_value_text(difference.p_holm),
        "equivalent": percent(difference.equivalent),
        "is that real?": "real" if difference.is_real else "not shown",
    }


def duration(seconds: float) -> str:
    """ "0.8 ms", "12 ms", "1.2 s"."""
    return f"{seconds:.2g} s" if seconds >= 1 else f"{1000 * seconds:.2g} ms" if seconds < 0.1 else f"{seconds:.2f} s"


def size(size_bytes: float) -> str:
    """ "12 kB", "1.3 MB"."""
    return f"{size_bytes / 1e6:.1f} MB" if size_bytes >= 1e6 else f"{size_bytes / 1e3:.0f} kB"


def claim_rows(comparison: Comparison) -> list[dict[str, Any]]:
    """Accuracy with groups kept together, and split at random, model by model."""
    titles = {one.model: one.title for one in comparison.scores}
    return [
        {"model": titles[one.model], "kept together": percent(one.grouped), "split at random": percent(one.random),
         "points": signed(100 * (one.random - one.grouped))}
        for one in comparison.claims
    ]  # fmt: skip


def size_rows(comparison: Comparison) -> list[dict[str, Any]]:
    return [
        {"training songs": round(one.songs), "accuracy": percent(one.accuracy),
         "on the training songs": percent(one.training_accuracy)}
        for one in comparison.training_sizes
    ]  # fmt: skip


def importance_title(comparison: Comparison) -> str:
    one = comparison.importances
    trees = {score.model: score.title for score in comparison.scores}.get(one.trees or "")
    shares = f"; shares of impurity and of mean |SHAP| of {trees}" if trees else ""
    return f"Points of accuracy lost when a family of columns is shuffled{shares}"


def importance_rows(comparison: Comparison) -> list[dict[str, Any]]:
    return [
        {
            "family": one.family,
            "columns": one.columns,
            "shuffled": f"{round(100 * one.permutation)} ± {100 * one.permutation_std:.0f}".replace("-", "−"),
            "impurity": "" if one.impurity is None else percent(one.impurity),
            "SHAP": "" if one.shap is None else percent(one.shap),
        }
        for one in comparison.importances.families
    ]


def _table(rows: list[dict[str, Any]], columns: tuple[str, ...], title: str) -> str:
    chosen = [{name: row[name] for name in columns} for row in rows]
    return format_table(chosen, title, optional=_OPTIONAL, shortened=_CUT)


def _lines(lines: list[str]) -> str:
    return "\n".join(wrapped(one_line(line)) for line in lines if line)
