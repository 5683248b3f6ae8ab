"""What 03 prints: scores, checks, genres, limits, songs between genres, one song explained, files."""

from typing import Any

from songmap.core.tables import format_table
from songmap.genre.results import FileClassification, GenreReport, Record
from songmap.genre.views.limits import limit_sentence
from songmap.genre.views.narrative import narrative
from songmap.genre.views.sentences import (
    CONTENTS,
    SET_NAME,
    check_sentences,
    choice_sentence,
    grouping_sentence,
    set_phrase,
    split_phrase,
)

_N_PRINTED = 10
_SCORES = ("accuracy", "accuracy_low", "accuracy_high", "balanced_accuracy", "macro_f1", "log_loss", "ece")
_PREDICTION = ("predicted_genre", "probability")


def report_summary(report: GenreReport) -> str:
    """A report for the terminal."""
    scores = [{"tested_on": split_phrase(one)} | _fields(one, *_SCORES, "baseline_accuracy") for one in report.scores]
    families = [_fields(one, "genre", "songs") | one["points"] for one in report.families]
    written = [{"file": str(one.file), "shows": CONTENTS[one.content]} for one in report.written]
    issues, unknown = report.label_issues, report.unknown_songs
    return "\n\n".join(
        [
            format_table(scores, f"Scores on songs outside the training data\n{choice_sentence(report.choice)}"),
            format_table(
                [{"model": one["title"]} | _fields(one, *_SCORES) for one in report.candidates],
                "All candidates in the same folds",
            ),
            "\n".join(check_sentences(report)),
            format_table(report.per_genre, "By genre: cross-validation, then test songs"),
            format_table(families, "Points of probability that each family adds towards a genre, for its own songs"),
            "\n".join([grouping_sentence(report.grouping), *_limits(report.limits)]),
            _songs(
                report.boundary_songs, "Songs between genres", "genre", *_PREDICTION, "normalised_entropy", SET_NAME
            ),
            *([_songs(issues, f"Labels to check, {len(issues)} in all", "genre", *_PREDICTION)] if issues else []),
            *(
                [_songs(unknown, f"Songs without a genre, {len(unknown)} in all", *_PREDICTION, SET_NAME)]
                if unknown
                else []
            ),
            "\n".join(narrative(report.song)),
            format_table(written, "Written"),
        ]
    )


def classification_summary(classification: FileClassification) -> str:
    """Classified files for the terminal: a table, each file in sentences, the model's limits."""
    rows = [_fields(vars(one), "file_path", *_PREDICTION, SET_NAME) for one in classification.songs]
    explained = ["\n".join([one.file_path, *narrative(one)]) for one in classification.songs]
    return "\n\n".join([format_table(rows, "Genres"), *explained, *_limits(classification.limits)])


def classification_notes(classification: FileClassification) -> list[str]:
    """Lines for stderr on a classification: the library's state, and files without a prediction."""
    notes = {
        "unreadable": f"note: the library cannot be compared with the training data: {classification.library_error}",
        "changed": "note: the model was trained on another state of this library, or another one; "
        "run 03_genre_classifier.py without --classify",
    }
    state = notes.get(classification.library_state)
    failures = [f"not classified: {file}: {reason}" for file, reason in classification.failures]
    return [state, *failures] if state else failures


def _limits(limits: Any) -> list[str]:
    return [f"Limit: {limit_sentence(limit)}." for limit in limits]


def _songs(songs: list[Record], title: str, *names: str) -> str:
    return format_table([_fields(one, "song_name", *names) for one in songs[:_N_PRINTED]], title)


def _fields(record: Record, *names: str) -> Record:
    return {name: set_phrase(record["genre_set"]) if name == SET_NAME else record[name] for name in names}
