"""What 03 prints: scores, checks, genres, limits, songs between genres, one song explained, files."""

import os
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import Any

from songmap.core.tables import format_table
from songmap.core.text import one_line, percent, shown_path, wrapped
from songmap.genre.comparison_results import CandidateScores
from songmap.genre.results import FileClassification, GenreReport, SplitScores
from songmap.genre.song_results import BoundarySong, LabelIssue, UnknownSong
from songmap.genre.views import sentences
from songmap.genre.views.limits import limit_sentences
from songmap.genre.views.narrative import component_narrative, narrative
from songmap.genre.views.plain_summary import plain_summary

_N_PRINTED = 10
_CUT = {
    "song": 24,
    "file": 24,
    "model": 24,
    "tested on": 24,
    "genre": 14,
    "predicted": 14,
}  # columns that are cut before others are, to so many characters


def report_summary(report: GenreReport) -> str:
    """The answer for the terminal, in at most some 15 lines of 80 characters, and what to do next."""
    (page,) = (one.file for one in report.written if one.content == "report_page")
    lines = [wrapped(one_line(sentence)) for sentence in plain_summary(report)]
    following = "Next: search with 04_similarity_search.py, or classify with --classify FOLDER."
    return "\n".join(
        [*lines, f"Report: {one_line(shown_path(page))}", following, "All tables, and one song explained: --verbose"]
    )


def verbose_summary(report: GenreReport) -> str:
    """All tables and sentences of a report for the terminal."""
    written = [{"file": shown_path(one.file), "shows": sentences.CONTENTS[one.content]} for one in report.written]
    parts = [
        _lines([sentences.choice_sentence(report.choice), sentences.choice_scores_sentence(report.choice_scores)]),
        format_table(
            [{"tested on": sentences.split_phrase(one)} | _scores(one)
             | {"baseline": percent(one.baseline_accuracy)} for one in report.scores],
            "Scores on songs outside the training data; the baseline: the most frequent genre",
            shortened=_CUT,
        ),
        format_table(
            [{"model": one.title, "songs": one.songs} | _scores(one) for one in report.candidates],
            sentences.candidates_phrase(report.candidates),
            shortened=_CUT,
        ),
        _lines(
            [
                *sentences.check_sentences(report),
                sentences.reliability_sentence(report.reliability, report.grouping.group_by),
            ]
        ),
        format_table(
            [{name: percent(value) if isinstance(value, float) else value for name, value in vars(one).items()}
             for one in report.per_genre],
            "By genre: cross-validation, then test songs",
            optional=("test_f1", "f1"),
            shortened=_CUT,
        ),
        format_table(
            [{"genre": one.genre, "songs": one.songs} | {family: round(points) for family, points in one.points.items()}
             for one in report.families],
            "Points of probability that each family adds towards a genre, for its own songs",
            shortened=_CUT,
        ),
        _lines([sentences.novelty_sentence(report.novelty)]),
        format_table(
            [{"genre": one.genre, "songs": one.songs, "AUROC": f"{one.auroc:.2f}", "detected": percent(one.detected)}
             for one in report.novelty.genres],
            "Songs of a genre left out of training",
            shortened=_CUT,
        ),
        _lines([sentences.grouping_sentence(report.grouping), *_limits(report.limits)]),
        *_song_lists(report),
        _lines([*narrative(report.song), *component_narrative(report.song)]),
        format_table(written, "Written"),
    ]  # fmt: skip
    return "\n\n".join(parts)


def _scores(one: SplitScores | CandidateScores) -> dict[str, str]:
    interval = f"({percent(one.accuracy_low)} to {percent(one.accuracy_high)})"
    return {
        "accuracy": f"{percent(one.accuracy)} {interval}",
        "macro F1": f"{one.macro_f1:.2f}",
        "log loss": f"{one.log_loss:.2f}",
    }


def _song_lists(report: GenreReport) -> Iterator[str]:
    """Tables of the songs between genres, of labels to check, and of songs without a genre, where there are some."""
    lists: dict[str, Sequence[BoundarySong | LabelIssue | UnknownSong]] = {
        "Songs between genres": [one for one in report.boundary_songs if one.is_between],
        "Labels to check": report.label_issues,
        "Songs without a genre": report.unknown_songs,
    }
    for title, songs in lists.items():
        if songs:
            shown = [_listed(one) for one in songs[:_N_PRINTED]]
            heading = f"{title}, {len(songs)} in all"
            yield format_table(shown, heading, optional=(sentences.SET_NAME,), shortened=_CUT)


def _listed(one: BoundarySong | LabelIssue | UnknownSong) -> dict[str, str]:
    row = {"song": sentences.song_label(one)}
    if not isinstance(one, UnknownSong):
        row["genre"] = one.genre
    row |= {"predicted": one.predicted_genre, "probability": percent(one.probability)}
    return (
        row
        if isinstance(one, LabelIssue)
        else row | {sentences.SET_NAME: sentences.song_set(one.genre_set, one.novelty)}
    )


def classification_summary(classification: FileClassification, verbose: bool = False) -> str:
    """Classified files for the terminal, a line each; with ``verbose`` each in sentences too, and the model's limits.

    Files are named from the folder on that all of them are in.
    """
    songs = classification.songs
    if not songs:
        return "no file could be classified"
    names = _names([one.file_path for one in songs])
    table = format_table([
        {"file": name, "genre": sentences.NOVEL if one.novelty.is_novel else one.predicted_genre,
         "probability": "" if one.novelty.is_novel else percent(one.probability)}
        for name, one in zip(names, songs, strict=True)
    ], shortened={"file": 24, "genre": 24})  # fmt: skip
    if not verbose:
        return f"{table}\n\nReasons and the model's limits: --verbose"
    limits = _limits(classification.limits)
    explained = [_lines([one.file_path, *narrative(one), *component_narrative(one)]) for one in songs]
    return "\n\n".join([table, *explained, *([_lines(limits)] if limits else [])])


def _names(paths: Sequence[str]) -> list[str]:
    """Paths from the folder on that all of them are in."""
    folder = os.path.commonpath([PurePath(path).parent for path in paths])
    return [str(PurePath(path).relative_to(folder)) for path in paths]


def classification_notes(classification: FileClassification) -> list[str]:
    """Lines for stderr on a classification: the library's state, and files without a prediction."""
    notes = {
        "unreadable": f"note: the library cannot be compared with the training data: {classification.library_error}",
        "changed": "note: the model was trained on an earlier version of this library, or on another library; "
        "run 03_genre_classifier.py without --classify",
    }
    state = notes.get(classification.library_state)
    failures = [f"not classified: {file}: {reason}" for file, reason in classification.failures]
    return list(map(one_line, [state, *failures] if state else failures))


def _lines(sentences: Sequence[str]) -> str:
    return "\n".join(wrapped(one_line(sentence)) for sentence in sentences)


def _limits(limits: Any) -> list[str]:
    return [f"Limit: {sentence}." for sentence in limit_sentences(limits)]
