"""Sentences on a comparison, for the terminal and the page."""

from songmap.compare.feature_sets import TABLE
from songmap.compare.models import MODELS
from songmap.compare.results import Comparison, DataSummary, Difference, TableChecks, VariantScores
from songmap.compare.statistics import ROPE
from songmap.core.text import capitalised, count_of_songs, joined, percent, shown_path
from songmap.genre.views.limits import limit_sentence

_FEW, _LIKELY = 3, 0.95
SHARED = {  # by what groups are: what test songs have nothing of in training
    "artist": "songs by other artists", "album": "songs from other albums", "song": "other songs", "row": "other songs",
    "column": "rows of other groups", "pattern": "rows of other groups", "pieces": "pieces of other songs",
}  # fmt: skip
_SPLIT = {  # by what groups are: random folds
    "artist": "songs of one artist", "album": "songs of one album", "song": "copies of a song",
    "column": "rows of one group", "pattern": "rows of one group", "pieces": "pieces of one song", "row": "equal rows",
}  # fmt: skip
CONTENTS = {
    "page": "the comparison as a page", "table": "all variants with their scores, costs and differences from the best",
    "genres": "precision, recall and F1 of every genre by every variant", "report": "everything, for programs",
    "export_csv": "the 641 columns with names, genres and groups", "export_parquet": "the same for pandas and others",
}  # fmt: skip


def variant_name(model: str, features: str) -> str:
    """ "shrinkage LDA on descriptors"."""
    return MODELS[model].title if model == "majority" or features == TABLE else f"{MODELS[model].title} on {features}"


def main_sentence(comparison: Comparison) -> str:
    """Which is best, by how much, and from which others it does not differ."""
    best, others = comparison.scores[0], [one for one in comparison.differences if one.model != "majority"]
    start = (
        f"On {SHARED['song' if comparison.data.exceptions else comparison.data.grouped_by]}, the best is {variant_name(best.model, best.features)} "
        f"({percent(best.accuracy)} right, {percent(best.accuracy_low)} to {percent(best.accuracy_high)})"
    )
    if not others:
        return f"{start}."
    n_others, n_unclear = len(others), sum(not one.is_real for one in others)
    if n_others == 1:
        name = variant_name(others[0].model, others[0].features)
        return f"{start}; {name} is {'not ' * n_unclear}shown to be worse."
    if n_unclear in (0, n_others):
        return f"{start}; {'none' if n_unclear else 'each'} of the {n_others} others is shown to be worse."
    return (
        f"{start}; {n_others - n_unclear} of the {n_others} others "
        f"{'is' if n_others - n_unclear == 1 else 'are'} shown to be worse."
    )


def next_sentence(comparison: Comparison) -> str:
    """The variant after the best, and whether the difference is real."""
    others = [one for one in comparison.differences if one.model != "majority"]
    return difference_sentence(others[0]) if others else ""


def difference_sentence(one: Difference) -> str:
    """How far a variant is from the best, and what that means."""
    number = round(100 * one.difference)
    behind = "less than 1 point" if number == 0 else "1 point" if number == 1 else f"{number} points"
    points = f"{behind} of accuracy behind" if one.difference else "as accurate"
    name = capitalised(variant_name(one.model, one.features))
    numbers = f"p = {one.p_holm:.2g} after Holm's correction, {percent(one.equivalent)} probably within ±{100 * ROPE:.0f} point"
    if one.is_real:
        return f"{name} is {points}, a real difference ({numbers})."
    if one.equivalent >= _LIKELY:
        return f"{name} is {points}: equivalent in practice ({numbers})."
    return f"{name} is {points}: not shown to be a real difference ({numbers})."


def points_behind(one: Difference) -> str:
    """Points of accuracy behind the best, whole: "0", "<1", "12"."""
    number = round(100 * one.difference)
    return "<1" if one.difference and not number else str(number)


def choice_sentence(comparison: Comparison) -> str:
    """What to expect with the choice among so many included."""
    one, number = comparison.choice, sum(one.model != "majority" for one in comparison.scores)
    return (
        f"The best of {number} is partly best by luck: choosing it on other songs gives {percent(one.accuracy)} "
        f"({percent(one.low)} to {percent(one.high)})."
    )


def claim_sentence(comparison: Comparison) -> str:
    """What random folds would have claimed; empty where groups are single songs."""
    claims = [one for one in comparison.claims if one.model != "majority"]
    if not claims:
        return ""
    most = max(claims, key=lambda one: one.random - one.grouped)
    mean = sum(one.random - one.grouped for one in claims) / len(claims)
    what = _SPLIT[comparison.data.grouped_by]
    number = abs(round(100 * mean))
    points = f"{number} point{'s' * (number != 1)} {'higher' if mean >= 0 else 'lower'}" if number else "the same"
    return (
        f"With {what} on both sides of the split, accuracy would be {points} on average over "
        f"{len(claims)} models, at most {percent(most.random)} instead of {percent(most.grouped)} "
        f"({variant_name(most.model, most.features)}{first_repeat(comparison)})."
    )


def first_repeat(comparison: Comparison) -> str:
    """Of scores that are of the first repeat alone, where there are more."""
    return ", first repeat" if comparison.n_repeats > 1 else ""


def worst_sentence(best: VariantScores) -> str:
    """Best and worst genre of the best variant."""
    f1 = {one.genre: one.f1 for one in best.genres}
    return (
        f"Its best genre is {best.best_genre} (F1 {f1[best.best_genre]:.2f}), its worst {best.worst_genre} "
        f"(F1 {f1[best.worst_genre]:.2f})."
    )


def data_sentence(comparison: Comparison) -> str:
    """What was compared, and how."""
    data, features = comparison.data, [one.name for one in comparison.feature_sets]
    named = f"{len(features)} feature sets" if len(features) > _FEW else joined(features)
    named = f" on {named}" if features != [TABLE] else ""
    what = f"{data.songs:,} rows" if data.checks else count_of_songs(data.songs)
    models = {one.model for one in comparison.scores}
    baseline = " and the most frequent genre" if "majority" in models else ""
    return (
        f"{len(models - {'majority'})} models{named}{baseline}; {what} in {len(data.genres)} genres, {data.groups:,} groups; "
        f"{comparison.n_folds} folds{f', {comparison.n_repeats} times' if comparison.n_repeats > 1 else ''}, the same for all."
    )


def sizes_sentence(comparison: Comparison) -> str:
    """Whether the last training songs helped."""
    best = comparison.scores[0]
    steps = [f"{percent(one.accuracy)} with {one.songs:.0f}" for one in comparison.training_sizes[-2:]]
    name = capitalised(variant_name(best.model, best.features))
    return f"{name} by training songs: {joined(steps)}{first_repeat(comparison)}."


def importances_sentence(comparison: Comparison) -> str:
    """What the shares of families are."""
    best, trees = comparison.scores[0], comparison.importances.trees
    shares = (
        f" Beside that, shares of {MODELS[trees].title}: of the impurity that its splits remove, and of mean |SHAP|."
        if trees
        else ""
    )
    return (
        f"Points of accuracy that {variant_name(best.model, best.features)} loses on other songs when a family of columns "
        f"is shuffled, mean ± standard deviation over folds.{shares}"
    )


def grouping_sentence(data: DataSummary) -> str:
    """What is never on both sides of a split."""
    exceptions = ", except in genres of too few of them" if data.exceptions else ""
    if data.grouped_by == "row" or (data.groups == data.songs and data.checks):
        return "Every row counts as a song of its own."
    return f"{_SPLIT[data.grouped_by].capitalize()} are never on both sides of a split{exceptions}."


def warnings(comparison: Comparison) -> list[str]:
    """What limits the comparison, the most serious first."""
    data, lines = comparison.data, []
    if data.checks:
        lines += _check_sentences(data.checks)
    lines += [f"{limit_sentence(one)}." for one in data.limits]
    return lines


def left_out_sentence(comparison: Comparison) -> str:
    """Which models were not fitted, and why; empty where all were."""
    if not comparison.left_out:
        return ""
    titles = joined([MODELS[name].title for name in comparison.left_out])
    columns = max(one.columns for one in comparison.feature_sets)
    return f"Left out, too slow on {comparison.data.songs:,} rows, {columns:,} columns: {titles}."


def _check_sentences(checks: TableChecks) -> list[str]:
    lines = []
    if checks.unnamed_pieces:
        lines.append(
            f"The rows look like pieces of songs: the nearest row is the one before or after in "
            f"{percent(checks.neighbour_share)} of rows, {percent(checks.neighbour_chance)} in random order. Nothing says "
            "which are of one song (--group), so that pieces are on both sides of splits: the scores are too high."
        )
    if checks.n_equal_rows:
        one = checks.equal_rows[0]
        kind = "equal or nearly equal" if checks.searched_near else "equal"
        different = sum(not pair.same_genre for pair in checks.equal_rows)
        genres = f", {different} of them of different genres" if different else ""
        lines.append(
            f"{checks.n_equal_rows:,} pairs of rows of different songs are {kind}{genres}, e.g. {one.first} and "
            f"{one.second}: leakage for whoever splits them. Here they stay together."
        )
    if checks.small_classes:
        few = joined([f"{one.genre} ({one.songs} rows, {one.groups} groups)" for one in checks.small_classes])
        lines.append(f"Left out, too few to be split: {few}.")
    if checks.constant_columns:
        named, more = checks.constant_columns[:_FEW], len(checks.constant_columns) - _FEW
        lines.append(f"Left out, one value in all rows: {', '.join(named)}{f' and {more} more' if more > 0 else ''}.")
    if checks.missing_values:
        lines.append(f"Missing values, filled with medians of training songs: {checks.missing_values:,}.")
    return lines


def written_lines(comparison: Comparison) -> list[str]:
    """Where the page and the tables are."""
    return [f"{shown_path(one.path)}: {CONTENTS[one.content]}" for one in comparison.written]
