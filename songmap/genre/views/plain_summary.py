"""What a listener wants to know of a classifier first, in a few sentences; the details follow elsewhere."""

from songmap.core.text import count_of_songs, joined
from songmap.genre.candidates import CANDIDATES
from songmap.genre.results import ConfusionMatrix, GenreReport, SplitScores
from songmap.genre.views.limits import limit_sentences

_MOST_CONFUSED, _MOST_LIMITS = 2, 2


def plain_summary(report: GenreReport) -> list[str]:
    """Sentences: how many songs are right, which genres are confused, what to check, what limits this."""
    tested, crossed = report.scores
    parts = [
        _accuracy_sentence(report, crossed),
        f"Of {count_of_songs(tested.n_songs)} set aside from every choice, "
        f"{round(tested.accuracy * tested.n_songs)} are right.",
        _chance_sentence(report),
        _confusion_sentence(report.confusion[0]),
        _check_sentence(report),
        f"Model in use: {CANDIDATES[report.choice.model].title}.",
        _limits_sentence(report),
    ]
    return [one for one in parts if one]


def _accuracy_sentence(report: GenreReport, crossed: SplitScores) -> str:
    scores = report.choice_scores or crossed
    of_others = {"artist": " by other artists", "album": " from other albums", "song": ""}[report.grouping.group_by]
    of_others = "" if report.grouping.exceptions else of_others
    low, high = (round(100 * value) for value in (scores.accuracy_low, scores.accuracy_high))
    return (
        f"Of 100 new songs{of_others}, about {round(100 * scores.accuracy)} would be predicted right ({low} to {high}); "
        f"{round(100 * crossed.baseline_accuracy)} by always predicting the most frequent genre."
    )


def _chance_sentence(report: GenreReport) -> str:
    significant = report.permutation.significant
    if significant is None:
        return "Whether that is more than chance cannot be tested: some genres have too few artists."
    return "" if significant else "That is not shown to be better than chance."


def _confusion_sentence(matrix: ConfusionMatrix) -> str:
    pairs = [
        (count, sum(row), genre, matrix.genres[column])
        for genre, row in zip(matrix.genres, matrix.counts, strict=True)
        for column, count in enumerate(row)
        if count and matrix.genres[column] != genre
    ]
    if not pairs:
        return "No song is predicted as another genre in cross-validation."
    pairs.sort(key=lambda pair: -pair[0])
    named = [f"{count} of {total} {genre} as {other}" for count, total, genre, other in pairs[:_MOST_CONFUSED]]
    return f"Most often confused, in cross-validation: {joined(named)}."


def _check_sentence(report: GenreReport) -> str:
    parts = []
    if report.label_issues:
        parts.append(f"{count_of_songs(len(report.label_issues))} whose label may be wrong (label_issues.csv)")
    if report.unknown_songs:
        parts.append(f"{count_of_songs(len(report.unknown_songs))} without a genre, now classified (unknown_songs.csv)")
    return f"To check: {joined(parts)}." if parts else ""


def _limits_sentence(report: GenreReport) -> str:
    sentences = limit_sentences(report.limits)
    shown = sentences[:_MOST_LIMITS]
    more = len(sentences) - len(shown)
    if not shown:
        return ""
    return f"Limits: {'; '.join(shown)}{f'; and {more} more' if more else ''}."
