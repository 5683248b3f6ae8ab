"""What 07 prints: which wins, what the network brings; all tables on request; predictions of files."""

from typing import Any

from songmap.compare.views.sentences import points_behind
from songmap.core.errors import AudioError
from songmap.core.tables import format_table
from songmap.core.text import capitalised, one_line, p_value_text, percent, shown_path, wrapped
from songmap.spectrogram.results import JOINED, NETWORK, NetworkReport, Prediction
from songmap.spectrogram.views import sentences

_CUT = {"model": 30}


def network_summary(report: NetworkReport) -> str:
    """At most 20 lines in 80 columns."""
    warned = sentences.warnings(report)
    lines = [sentences.main_sentence(report), sentences.network_sentence(report), sentences.joined_sentence(report)]
    if warned:
        more = f" ({len(warned) - 1} more: --verbose)" if len(warned) > 1 else ""
        lines.append(f"Warning: {warned[0]}{more}")
    table = _table(report, ("model", "accuracy", "log loss", "behind", "is that real?"))
    page = next(one.path for one in report.written if one.content == "page")
    return "\n".join([_lines(lines), table, f"Page: {one_line(shown_path(page))}", "All tables: --verbose"])


def verbose_summary(report: NetworkReport) -> str:
    """All tables for the terminal."""
    parts = [
        _lines([sentences.main_sentence(report), sentences.network_sentence(report), sentences.joined_sentence(report),
                sentences.difference_sentence(report), sentences.data_sentence(report),
                sentences.split_sentence(report)]),
        _table(report, ("model", "accuracy", "macro F1", "log loss"), "Scores outside the training data"),
        _table(report, ("model", "calibration error", "training accuracy"),
               "Calibration; training accuracy is on the songs trained on"),
        _table(report, ("model", "behind", "p Holm", "is that real?"), "Points behind the best, and whether that is real"),
        format_table(genre_rows(report), "F1 of every genre"),
        format_table(curve_rows(report), "Trainings: the epoch in use is that of the smallest loss on validation songs"),
        format_table([{"setting": name, "value": value} for name, value in report.settings.items()], "Settings"),
        _lines([f"Limit: {one}" for one in sentences.warnings(report)]),
        _lines(sentences.written_lines(report)),
    ]  # fmt: skip
    return "\n\n".join(part for part in parts if part)


def score_rows(report: NetworkReport) -> list[dict[str, Any]]:
    """The variants as people read them, the most accurate first."""
    different = {(one.model, one.features): one for one in report.differences}
    rows = []
    for one in report.scores:
        difference = different.get((one.model, one.features))
        name = capitalised(sentences.variant_name(report, one.model, one.features))
        rows.append({
            "model": "Network and the best other, joined" if one.model == JOINED else name,
            "accuracy": f"{percent(one.accuracy)} ({100 * one.accuracy_low:.0f}–{percent(one.accuracy_high)})",
            "macro F1": f"{one.macro_f1:.2f}",
            "log loss": f"{one.log_loss:.2f}",
            "calibration error": f"{one.calibration_error:.2f}",
            "training accuracy": "" if one.model == JOINED else percent(one.training_accuracy),
            "behind": points_behind(difference) if difference else "",
            "p Holm": p_value_text(difference.p_holm) if difference else "",
            "is that real?": "the best" if difference is None else "real" if difference.is_real else "not shown",
        })  # fmt: skip
    return rows


def genre_rows(report: NetworkReport) -> list[dict[str, Any]]:
    """F1 of every genre by the network, and by the best other."""
    own = sentences.score_of(report, NETWORK)
    other = next(one for one in report.scores if (one.model, one.features) == report.partner)
    name = sentences.variant_name(report, *report.partner)
    return [
        {"genre": one.genre, "network": f"{one.f1:.2f}", name: f"{two.f1:.2f}"}
        for one, two in zip(own.genres, other.genres, strict=True)
    ]


def curve_rows(report: NetworkReport) -> list[dict[str, Any]]:
    """A row per training."""
    rows = []
    for curve in report.curves:
        best = curve.epochs[curve.best_epoch - 1]
        rows.append({
            "training": sentences.curve_name(report, curve),
            "songs": curve.songs,
            "validation": curve.validation_songs,
            "epochs": len(curve.epochs),
            "in use": curve.best_epoch,
            "loss": f"{best.loss:.2f}",
            "validation loss": "" if best.validation_loss is None else f"{best.validation_loss:.2f}",
            "validation right": "" if best.validation_accuracy is None else percent(best.validation_accuracy),
        })  # fmt: skip
    return rows


def prediction_line(file: str, result: Prediction | AudioError) -> str:
    """A file's genre and the probability, or why there is none."""
    if isinstance(result, AudioError):
        return one_line(f"{shown_path(file)}: {result}")
    ranked = sorted(result.probabilities.items(), key=lambda item: -item[1])
    named = ", ".join(f"{genre} {percent(share)}" for genre, share in ranked[:3])
    return one_line(f"{shown_path(file)}: {named}")


def _table(report: NetworkReport, columns: tuple[str, ...], title: str = "") -> str:
    rows = [{name: row[name] for name in columns} for row in score_rows(report)]
    return format_table(rows, title, optional=("is that real?",), shortened=_CUT)


def _lines(lines: list[str]) -> str:
    return "\n".join(wrapped(one_line(line)) for line in lines if line)
