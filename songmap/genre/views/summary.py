"""What 03 prints: scores, checks, genres, limits, songs between genres, one song explained, files."""

from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

from songmap.core.tables import Record, format_table
from songmap.core.text import percent, shorten, wrapped
from songmap.genre.results import FileClassification, GenreReport
from songmap.genre.views import sentences
from songmap.genre.views.limits import limit_sentence
from songmap.genre.views.narrative import narrative
from songmap.genre.views.plain_summary import plain_summary

_N_PRINTED, _MAX_NAME = 10, 36
_SCORES = "accuracy accuracy_low accuracy_high balanced_accuracy macro_f1 log_loss ece"
_SONG_LISTS = {  # title and columns
    "boundary_songs": ("Songs between genres", "genre predicted_genre probability normalised_entropy genre_set"),
    "label_issues": ("Labels to check, {} in all", "genre predicted_genre probability"),
    "unknown_songs": ("Songs without a genre, {} in all", "predicted_genre probability genre_set"),
}


def report_summary(report: GenreReport) -> str:
    """The answer for the terminal, in at most some 15 lines of 80 characters, and what to do next."""
    (page,) = (one.file for one in report.written if one.content == "report_page")
    lines = [wrapped(sentence) for sentence in plain_summary(report)]
    following = "Next: search with 04_similarity_search.py, or classify files with --classify FILE."
    return "\n".join([*lines, f"Report: {page}", following, "All tables, and one song explained: --verbose"])


def verbose_summary(report: GenreReport) -> str:
    """All tables and sentences of a report for the terminal."""
    scores = [vars(one) | {"tested_on": sentences.split_phrase(one)} for one in report.scores]
    candidates = [vars(one) | {"model": one.title} for one in report.candidates]
    families = [{"genre": one.genre, "songs": one.songs} | one.points for one in report.families]
    written = [{"file": str(one.file), "shows": sentences.CONTENTS[one.content]} for one in report.written]
    choice = [sentences.choice_sentence(report.choice), sentences.choice_scores_sentence(report.choice_scores)]
    parts = [
        _table(
            scores,
            f"tested_on {_SCORES} baseline_accuracy",
            "\n".join(["Scores on songs outside the training data", *choice]),
        ),
        _table(candidates, f"model songs {_SCORES}", sentences.candidates_phrase(report.candidates)),
        "\n".join(
            [
                *sentences.check_sentences(report),
                sentences.reliability_sentence(report.reliability, report.grouping.group_by),
            ]
        ),
        format_table([vars(one) for one in report.per_genre], "By genre: cross-validation, then test songs"),
        format_table(families, "Points of probability that each family adds towards a genre, for its own songs"),
        sentences.novelty_sentence(report.novelty),
        format_table([vars(one) for one in report.novelty.genres], "Songs of a genre left out of training"),
        "\n".join([sentences.grouping_sentence(report.grouping), *_limits(report.limits)]),
    ]
    for name, (title, columns) in _SONG_LISTS.items():
        songs = [vars(one) for one in getattr(report, name)]
        if songs:
            parts.append(_table(songs[:_N_PRINTED], f"song_name {columns}", title.format(len(songs))))
    return "\n\n".join([*parts, "\n".join(narrative(report.song)), format_table(written, "Written")])


def classification_summary(classification: FileClassification, verbose: bool = False) -> str:
    """Classified files for the terminal: a table; with ``verbose`` each file in sentences, and the model's limits."""
    names = [shorten(PurePath(one.file_path).name, _MAX_NAME) for one in classification.songs]
    table = format_table([
        {"file": name, "predicted": one.predicted_genre, "probability": percent(one.probability),
         sentences.SET_NAME: sentences.song_set(one.genre_set, one.novelty)}
        for name, one in zip(names, classification.songs, strict=True)
    ])  # fmt: skip
    if not verbose:
        return f"{table}\n\nReasons and the model's limits: --verbose"
    explained = ["\n".join([one.file_path, *narrative(one)]) for one in classification.songs]
    return "\n\n".join([table, *explained, *_limits(classification.limits)])


def classification_notes(classification: FileClassification) -> list[str]:
    """Lines for stderr on a classification: the library's state, and files without a prediction."""
    notes = {
        "unreadable": f"note: the library cannot be compared with the training data: {classification.library_error}",
        "changed": "note: the model was trained on an earlier version of this library, or on another library; "
        "run 03_genre_classifier.py without --classify",
    }
    state = notes.get(classification.library_state)
    failures = [f"not classified: {file}: {reason}" for file, reason in classification.failures]
    return [state, *failures] if state else failures


def _limits(limits: Any) -> list[str]:
    return [f"Limit: {limit_sentence(limit)}." for limit in limits]


def _table(records: Sequence[Record], columns: str, title: str) -> str:
    rows = [{name: record[name] for name in columns.split()} for record in records]
    for row, record in zip(rows, records, strict=True):
        if "genre_set" in row:  # the last column
            row[sentences.SET_NAME] = sentences.song_set(row.pop("genre_set"), record["novelty"])
    return format_table(rows, title)
