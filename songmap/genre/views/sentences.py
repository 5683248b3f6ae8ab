"""Phrases and sentences for results of 03 that several views share. Sentences end in a full stop."""

from collections.abc import Sequence

from songmap.core.text import count_of_songs, joined, percent
from songmap.genre import results
from songmap.genre.candidates import CANDIDATES
from songmap.genre.comparison_results import CandidateScores, Choice, ChoiceScores
from songmap.genre.conformal import COVERAGE
from songmap.genre.coverage_results import ConformalCoverage
from songmap.genre.novelty_results import NoveltyScores, SongNovelty
from songmap.genre.song_results import ModelReference, NamedSong
from songmap.library.display_names import display_name

SET_NAME = f"{100 * COVERAGE:.0f} % prediction set"
NOVEL = "unlike the training data"

CONTENTS = {
    "model": "the model; its card is the .json beside it",
    "boundary_songs": "training songs, the least certain first (at most 10,000)",
    "label_issues": "songs whose label may be wrong, to listen to",
    "unknown_songs": "songs without a genre, classified",
    "genres_all_songs": "every song with its genre and the families' points",
    "plot_candidates": "all candidates, and on how many songs they were compared",
    "plot_confusion": "confusion matrices: first cross-validation repeat, test set",
    "plot_reliability": "predicted probability against accuracy: one model per song, test songs too",
    "plot_families": "what each family of columns adds, by genre",
    "plot_family_waterfall": "one song explained by families",
    "plot_shap_bar": "components by importance, for training songs",
    "plot_shap_beeswarm": "SHAP values of training songs",
    "plot_shap_dependence": "the most important components, training song by song",
    "plot_shap_waterfall": "one song explained by components",
    "plot_boundary_songs": "songs between genres",
    "report_page": "everything on one page",
    "report": "the same as JSON",
}


_STRICTEST = {
    "artist": "the strictest grouping that the tags allow",
    "album": "since no song names its artist",
    "song": "since no song names its artist or album",
}


def choice_sentence(choice: Choice) -> str:
    """Which candidate is in use, and why."""
    selected, best = CANDIDATES[choice.selected].title, CANDIDATES[choice.best].title
    if choice.selected == choice.best:
        reason = f"{selected}, whose log loss of {choice.log_loss:.2f} is the smallest; no simpler model is within one standard error."
    else:
        reason = (
            f"{selected}, the simplest whose log loss ({choice.log_loss:.2f}) is within one standard error "
            f"({choice.standard_error:.2f}) of the smallest ({choice.best_log_loss:.2f}, {best})."
        )
    if choice.model == choice.selected:
        return f"Model in use: {reason}"
    return f"Model in use: {CANDIDATES[choice.model].title}, as requested. By the scores it would be {reason}"


def choice_scores_sentence(scores: ChoiceScores | None) -> str:
    """The scores that include the choice of the model, and what intervals do not include."""
    fixed = "Intervals hold the trained models fixed: they do not show what other training songs would change."
    if scores is None:
        return f"The model was requested, so its scores include no choice. {fixed}"
    shares = sorted(scores.chosen.items(), key=lambda item: -item[1])
    chosen = joined([f"{CANDIDATES[name].title} ({percent(share)})" for name, share in shares if share >= 0.005])
    return (
        f"Including the choice of the model, accuracy is {percent(scores.accuracy)} ({percent(scores.accuracy_low)} to "
        f"{percent(scores.accuracy_high)}) and log loss {scores.log_loss:.2f} ({scores.log_loss_low:.2f} to "
        f"{scores.log_loss_high:.2f}), by bootstrap bias corrected cross-validation, whose samples chose {chosen}. {fixed}"
    )


def reliability_sentence(reliability: results.Reliability, group_by: str) -> str:
    """Whether the probabilities are calibrated, as far as so many songs can show."""
    found = (
        f"The calibration error is {reliability.error:.2f}; a perfectly calibrated model shows "
        f"{reliability.calibrated_error:.2f} on as many songs"
    )
    if reliability.is_calibrated is None:
        return f"{found}. {reliability.n_groups} {group_by}s are too few to verify that probabilities are calibrated."
    if reliability.is_calibrated:
        return f"{found}, and up to {reliability.largest_calibrated_error:.2f} by chance: the probabilities are calibrated."
    return (
        f"{found}: the probabilities are not calibrated. They are {percent(reliability.confidence)} on average, and "
        f"{percent(reliability.accuracy)} of the predictions are right."
    )


def candidates_phrase(candidates: Sequence[CandidateScores]) -> str:
    """On how many songs the candidates were compared, some of them on fewer than others."""
    most = max(one.songs for one in candidates)
    n_fewer = sum(one.songs < most for one in candidates)
    if not n_fewer:
        return f"All candidates in the same folds of {count_of_songs(most)}"
    return f"Candidates in folds of {count_of_songs(most)}, {n_fewer} of them only on fewer, as given"


def grouping_sentence(grouping: results.Grouping) -> str:
    """Which songs are kept on one side of every split, and why."""
    used = grouping.group_by
    why = "as requested" if grouping.reason == "requested" else _STRICTEST[used]
    if used == "song":
        reason = "" if grouping.reason == "fallback" else f", {why}"
        sentence = f"Songs are split one by one, in each genre's proportion{reason}."
    else:
        rest = " (of one album, where the artist is unknown)" if used == "artist" else ""
        tagged = f"{grouping.n_tagged} of {grouping.n_songs} songs name their {used}"
        sentence = f"Songs of one {used}{rest} are never on both sides of a split, {why}: {tagged}."
    if grouping.exceptions:
        sentence += " Exceptions are listed under the limits."
    if grouping.n_copies:
        which = "1 is a copy" if grouping.n_copies == 1 else f"{grouping.n_copies} are copies"
        sentence += f" Files of the same recording are always on the same side ({which})."
    return sentence


def overfitting_sentence(
    gap: results.OverfittingGap, permutation: results.PermutationTest, choice: ChoiceScores | None
) -> str:
    """Accuracy on training songs beside that on others, and what to expect: the choice of the model costs some of it."""
    accuracies = f"Accuracy is {percent(gap.train_accuracy)} on training songs and {percent(gap.cv_accuracy)} on others"
    if permutation.significant is False:
        return f"{accuracies}, no better than chance: the model does not generalise."
    if choice is None:
        return f"{accuracies}; expect the second figure for new songs."
    return f"{accuracies}; with the choice of the model included, expect {percent(choice.accuracy)} for new songs."


def permutation_sentence(test: results.PermutationTest, group_by: str) -> str:
    """Whether chance could reach the recall."""
    if test.p_value is None and group_by == "song":
        return "No permutation test: songs are split one by one, and songs of one artist are not independent."
    if test.p_value is None:
        verb = "has" if len(test.scarce) == 1 else "have"
        scarce = f"{joined(test.scarce)} {verb} too few {group_by}s"
        return f"No permutation test: {scarce} to shuffle genres among them."
    runs = (
        f"With genres shuffled among {group_by}s, the best model of {test.hits} of {test.n_permutations:,} runs reached a "
        f"recall of {percent(test.recall)} ({percent(test.chance)} on average), p = {test.p_value:.3f}"
    )
    if test.significant:
        return f"{runs}: chance does not explain the recall."
    return f"{runs}: the recall is not shown to be better than chance."


def leakage_sentence(leakage: results.Leakage, group_by: str) -> str:
    """How much of the accuracy comes from having the same artists or albums in training."""
    if group_by == "song":
        return "Songs are split one by one, so leakage of artists and albums cannot be measured."
    accuracies = (
        f"Accuracy is {percent(leakage.random_accuracy)} where songs of one {group_by} may be on both sides, "
        f"{percent(leakage.grouped_accuracy)} where they are kept together"
    )
    if leakage.significant:
        return f"{accuracies}: {points(leakage.difference)} of leakage, from recognising {group_by}s instead of genres."
    error = f"two standard errors of the difference ({points(leakage.margin)})"
    return f"{accuracies}: within {error}, so no leakage is shown."


def conformal_sentence(conformal: ConformalCoverage) -> str:
    """How often the conformal sets contain the true genre."""
    interval = f"{percent(conformal.coverage_low)} to {percent(conformal.coverage_high)}"
    size = f"{conformal.mean_size:.2g}"
    return (
        f"The {SET_NAME}s contain the true genre of {percent(conformal.coverage)} of {conformal.songs} songs not "
        f"used to set the threshold (95 % interval over resampled groups: {interval}); they have on average "
        f"{size} {'genre' if size == '1' else 'genres'}, and {percent(conformal.sets_of_one)} of them one."
    )


def novelty_sentence(novelty: NoveltyScores) -> str:
    """When a song is unlike the training data, and how well such songs are detected."""
    return (
        f"A song is {NOVEL} if its distance from the nearest genre exceeds {novelty.threshold:.2f} standard deviations "
        "of the genre (root mean square over descriptors, families of equal weight). The threshold is meant to be "
        f"exceeded by {percent(novelty.wanted)} of new songs of these genres: set without a song's fold, "
        f"{percent(novelty.false_alarms)} of {novelty.songs} songs exceed it. For genres outside the training data, "
        f"each genre was left out in turn: AUROC {novelty.auroc:.2f} on average against held-out songs of the others "
        "(0.5: no better than guessing)."
    )


def check_sentences(report: results.GenreReport) -> list[str]:
    """Leakage, overfitting and the permutation test."""
    group_by = report.grouping.group_by
    return [
        leakage_sentence(report.leakage, group_by),
        overfitting_sentence(report.overfitting, report.permutation, report.choice_scores),
        permutation_sentence(report.permutation, group_by),
    ]


def model_sentence(report: results.GenreReport) -> str:
    """Which model is in use."""
    return f"Model in use: {CANDIDATES[report.choice.model].title}."


def between_sentence(report: results.GenreReport) -> str:
    """How many songs are between genres, and what that means."""
    number = sum(one.is_between for one in report.boundary_songs)
    rule = f"its {SET_NAME} has several genres, and the second is at least half as probable as the first"
    of_all = f"{count_of_songs(number) if number else 'None'} of {len(report.boundary_songs):,}"
    return f"{of_all}: a song is between genres if {rule}."


def song_label(song: NamedSong) -> str:
    """A song's name for people: title and artist."""
    return display_name(song.song_name, song.artist, song.title)


def model_phrase(reference: ModelReference) -> str:
    """Which model classified a song."""
    if reference.kind == "fold":
        return f"the model of fold {reference.fold}, trained without it"
    if reference.kind == "development":
        return "the model trained without the test songs"
    includes = ", including this recording" if reference.includes_song else ""
    return f"the model of all {reference.n_songs} songs{includes}"


def split_phrase(scores: results.SplitScores) -> str:
    """What scores were tested on."""
    if scores.split == "test":
        return f"{scores.n_songs} test songs"
    times = "once" if scores.n_repeats == 1 else f"{scores.n_repeats} times"
    return f"{scores.n_folds}-fold cross-validation, {times}"


def song_set(genres: Sequence[str], novelty: SongNovelty) -> str:
    """The prediction set of a song, unless it is unlike the training data."""
    return NOVEL if novelty.is_novel else set_phrase(genres)


def set_phrase(genres: Sequence[str], most: int = 3) -> str:
    """ "A, B or C"; of more than ``most`` genres the first and how many others."""
    named = genres if len(genres) <= most else [*genres[: most - 1], f"{len(genres) - most + 1} others"]
    return joined(named, "or")


def points(share: float) -> str:
    """Hundredths of a probability or accuracy."""
    number = round(100 * share)
    return f"{number} {'point' if number == 1 else 'points'}"
