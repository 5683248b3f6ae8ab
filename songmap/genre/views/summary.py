"""What 03 prints: scores, checks, genres, limits, songs between genres, one song explained, files."""

from typing import Any

from songmap.core.tables import format_table
from songmap.genre.results import FileClassification, GenreReport
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


def report_summary(report: GenreReport) -> str:
    """A report for the terminal."""
    songs = [
        ("Songs between genres", [_row(one, "genre", "predicted_genre", "probability", "normalised_entropy", SET_NAME)
                                  for one in report.boundary_songs[:_N_PRINTED]]),
        ("Labels to check", [_row(one, "genre", "predicted_genre", "probability") for one in report.label_issues]),
        ("Songs without a genre", [_row(one, "predicted_genre", "probability", SET_NAME) for one in report.unknown_songs]),
    ]  # fmt: skip
    return "\n\n".join(
        [
            format_table(
                [
                    {"tested_on": split_phrase(one)} | _fields(one, *_SCORES, "baseline_accuracy")
                    for one in report.scores
                ],
                f"Scores on songs outside the training data\n{choice_sentence(report.choice)}",
            ),
            format_table(
                [{"model": one.title} | _fields(one, *_SCORES) for one in report.candidates],
                "All candidates in the same folds",
            ),
            "\n".join(check_sentences(report)),
            format_table([vars(one) for one in report.per_genre], "By genre: cross-validation, then test songs"),
            format_table(
                [_fields(one, "genre", "songs") | one.points for one in report.families],
                "Points of probability that each family adds towards a genre, for its own songs",
            ),
            "\n".join([grouping_sentence(report.grouping), *_limits(report.limits)]),
            format_table(songs[0][1], songs[0][0]),
            *(format_table(rows[:_N_PRINTED], f"{title}, {len(rows)} in all") for title, rows in songs[1:] if rows),
            "\n".join(narrative(report.song)),
            format_table(
                [{"file": str(one.file), "shows": CONTENTS[one.content]} for one in report.written], "Written"
            ),
        ]
    )


def classification_summary(classification: FileClassification) -> str:
    """Classified files for the terminal: a table, each file in sentences, the model's limits."""
    rows = [_fields(one, "file_path", "predicted_genre", "probability") | _set(one) for one in classification.songs]
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


def _row(song: Any, *names: str) -> dict[str, Any]:
    row = {"song_name": song.song_name} | _fields(song, *(name for name in names if name != SET_NAME))
    return row | (_set(song) if SET_NAME in names else {})


def _set(song: Any) -> dict[str, str]:
    return {SET_NAME: set_phrase(song.genre_set)}


def _fields(result: Any, *names: str) -> dict[str, Any]:
    return {name: getattr(result, name) for name in names}
