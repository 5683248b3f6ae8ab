"""How good the candidates are on songs, and where possible artists, outside their training data; which one is used.

Everything is chosen on the development songs of a Plan by nested cross-validation: the candidate in ``comparison``, its
grid and calibration inside every fold (``fit``). The test songs are scored once, by the model of all development songs.
Rows index the dataset's songs.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from songmap.core.errors import UsageError
from songmap.core.progress import OnProgress
from songmap.genre.candidates import CANDIDATES, DEFAULT
from songmap.genre.comparison import CrossValidated, Fits, Settings, candidate_scores, choose, compare
from songmap.genre.dataset import Dataset
from songmap.genre.fit import FittedCandidate, TrainingSongs, fit_candidate, one_thread
from songmap.genre.limits import (
    AllTestSongsCorrect,
    ConstantPredictions,
    FewGroups,
    FewTestGroups,
    Limit,
    NoGroupedSplit,
    NotBetterThanChance,
)
from songmap.genre.metrics import SCORES, Sampled, per_genre_scores, sampled_scores
from songmap.genre.permutation import permutation_test
from songmap.genre.results import (
    CandidateScores,
    Choice,
    GenreScores,
    Leakage,
    OverfittingGap,
    PermutationTest,
    SplitScores,
)
from songmap.genre.splits import Plan, make_folds

_FEW_GROUPS = 10  # intervals of fewer are rough


@dataclass(frozen=True)
class Evaluation:
    """Scores of the candidates, the choice among them, and the models of the chosen one.

    ``scores`` are of the test songs, then of cross-validation. ``fold_models`` are the chosen candidate's: of the first
    repeat's folds, last of all development songs; ``fold_of (n_songs,)`` is the index of the one trained without a
    song. ``component_models`` are those of PCA + XGBoost.
    """

    choice: Choice
    candidates: list[CandidateScores]
    scores: list[SplitScores]
    per_genre: list[GenreScores]
    overfitting: OverfittingGap
    permutation: PermutationTest
    leakage: Leakage
    limits: list[Limit]
    fold_of: np.ndarray
    fold_models: list[FittedCandidate]
    component_models: list[FittedCandidate]


def evaluate(
    embeddings: np.ndarray,
    dataset: Dataset,
    plan: Plan,
    seed: int,
    settings: Settings | None = None,
    on_progress: OnProgress | None = None,
) -> Evaluation:
    """Compare the candidates and evaluate the one to use.

    Parameters
    ----------
    embeddings : np.ndarray, shape (n_songs, 641)
        Of the dataset's songs.
    dataset : Dataset
    plan : Plan
    seed : int
    settings : Settings, optional
    on_progress : callable, optional
        Called with the numbers of finished and of planned fits.

    Raises
    ------
    UsageError
        For a requested model that does not exist, or that would take hours for so many songs.
    """
    settings = settings or Settings()
    _check(settings.model, len(dataset.labels))
    fits = Fits(embeddings, dataset, seed, settings.n_draws, on_progress)
    labels, development, test = dataset.labels, plan.development, plan.test
    with one_thread():
        rounds = compare(fits, plan, settings)
        last_round = rounds[-1]
        choice = choose(last_round, settings.model)
        own, majority = last_round[choice.model], last_round["majority"]
        names = list(dict.fromkeys((choice.model, DEFAULT, "majority")))
        models = dict(zip(names, fits.run([(name, development, plan.groups) for name in names]), strict=True))
        test_proba = {name: models[name].predict_proba(embeddings[test]) for name in (choice.model, "majority")}
        tested = {
            name: sampled_scores(labels[test], proba[np.newaxis], plan.groups[test], seed, settings.n_draws)
            for name, proba in test_proba.items()
        }
        others = [one for name, one in last_round.items() if name != choice.model]
        permutation = permutation_test(
            labels[development], np.stack([one.rounds.argmax(axis=2) for one in (own, *others)]),
            plan.groups[development], seed, settings.n_permutations, scarce_genres(plan, dataset.genres),
        )  # fmt: skip
        leakage = _leakage(fits, own, plan, dataset.recordings)
    fold_of = np.full(len(labels), len(own.fold_models))
    for number, (_, fold) in enumerate(plan.repeats[0]):
        fold_of[fold] = number
    scores = [
        _split_scores(
            tested[choice.model], tested["majority"], fits.accuracy(models[choice.model], development),
            split="test", n_songs=len(test), n_folds=0, n_repeats=0,
        ),
        _split_scores(
            own.sampled, majority.sampled, own.train_accuracy,
            split="cross_validation", n_songs=len(development), n_folds=len(plan.repeats[0]), n_repeats=len(plan.repeats),
        ),
    ]  # fmt: skip
    crossed_genres = per_genre_scores(labels[development], own.rounds)
    tested_genres = per_genre_scores(labels[test], test_proba[choice.model][np.newaxis])
    per_genre = [
        GenreScores(
            genre,
            int((labels == label).sum()),
            **crossed_genres[label],
            **{f"test_{name}": value for name, value in tested_genres[label].items()},
        )
        for label, genre in enumerate(dataset.genres)
    ]
    return Evaluation(
        choice=choice,
        candidates=candidate_scores(rounds, settings.names),
        scores=scores,
        per_genre=per_genre,
        overfitting=OverfittingGap(own.train_accuracy, own.sampled.values["accuracy"]),
        permutation=permutation,
        leakage=leakage,
        limits=score_limits(choice.model, _is_constant(own, plan), permutation, scores[0].accuracy, plan),
        fold_of=fold_of,
        fold_models=[*own.fold_models, models[choice.model]],
        component_models=[*last_round[DEFAULT].fold_models, models[DEFAULT]],
    )


def scarce_genres(plan: Plan, genres: list[str]) -> list[str]:
    """Genres whose songs are split one by one though their artists or albums are known."""
    if any(isinstance(limit, NoGroupedSplit) for limit in plan.limits):
        return genres
    return [limit.genre for limit in plan.limits if isinstance(limit, FewGroups)]


def fit_final(embeddings: np.ndarray, dataset: Dataset, name: str, seed: int) -> FittedCandidate:
    """The candidate ``name`` fitted on all songs of the dataset: what is saved and used."""
    _check(name, len(dataset.labels))
    with one_thread():
        songs = TrainingSongs(embeddings, dataset.labels, dataset.groups, len(dataset.genres))
        return fit_candidate(name, songs, seed)


def score_limits(
    model: str, constant: bool, permutation: PermutationTest, test_accuracy: float, plan: Plan
) -> list[Limit]:
    """What the scores of a candidate do not show; ``constant``: it gives every song the same probabilities."""
    limits: list[Limit] = []
    group_by, n_test_groups = plan.grouping.group_by, len(set(plan.groups[plan.test]))
    if constant:
        limits.append(ConstantPredictions(model, len(plan.development)))
    elif permutation.p_value is not None and not permutation.significant:
        limits.append(NotBetterThanChance(model, permutation.p_value))
    if test_accuracy == 1:
        lowest = 0.05 ** (1 / n_test_groups)  # all right although each is wrong with 1 - lowest: 5 % (exact binomial)
        limits.append(AllTestSongsCorrect(n_test_groups, group_by, lowest))
    elif n_test_groups < _FEW_GROUPS:
        limits.append(FewTestGroups(n_test_groups, group_by))
    return limits


def _check(name: str | None, n_songs: int) -> None:
    if name is None:
        return
    if name not in CANDIDATES:
        raise UsageError(f"there is no model {name!r}; there are {', '.join(CANDIDATES)}")
    most = CANDIDATES[name].most_songs
    if most is not None and n_songs > most:
        raise UsageError(
            f"{CANDIDATES[name].title} is fitted on at most {most:,} songs, here are {n_songs:,}: it would take hours; "
            f"choose another of {', '.join(CANDIDATES)}"
        )


def _is_constant(own: CrossValidated, plan: Plan) -> bool:
    return all(
        np.ptp(own.rounds[0][np.searchsorted(plan.development, fold)], axis=0).max() == 0 for _, fold in plan.repeats[0]
    )


def _split_scores(sampled: Sampled, majority: Sampled, train_accuracy: float, **split: Any) -> SplitScores:
    return SplitScores(
        **split,
        **sampled.record(*SCORES),
        baseline_accuracy=majority.values["accuracy"],
        baseline_macro_f1=majority.values["macro_f1"],
        train_accuracy=train_accuracy,
    )


def _leakage(fits: Fits, own: CrossValidated, plan: Plan, recordings: np.ndarray) -> Leakage:
    """The same candidate on as many random folds, which split artists and albums but never files of the same recording."""
    mixed, labels = own, fits.labels[plan.development]
    if plan.grouping.group_by != "song":
        repeats = []
        for number, grouped in enumerate(plan.repeats):
            folds = make_folds(labels, recordings[plan.development], len(grouped), fits.seed + 1000 * number)
            rows = [(plan.development[train], plan.development[test]) for train, test in folds]
            repeats.append(rows or grouped)  # copies leave no others
        mixed = fits.cross_validate([own.name], plan.development, repeats, recordings, plan.groups)[own.name]
    return leakage(labels, own, mixed)


def leakage(labels: np.ndarray, grouped: CrossValidated, random: CrossValidated) -> Leakage:
    """Accuracy in random folds less that in folds that keep groups together.

    Parameters
    ----------
    labels : np.ndarray, shape (n_songs,)
    grouped, random : CrossValidated
        The same candidate on as many folds of each kind, equally often repeated.

    Returns
    -------
    Leakage
        Its standard error has two parts: which groups there are (bootstrap), and how the songs fell into folds
        (variance over the repeats). Without the second, one library in ten without any leakage would show some.
    """
    scores = grouped.sampled, random.sampled
    accuracies = [one.values["accuracy"] for one in scores]
    variance = (scores[1].draws["accuracy"] - scores[0].draws["accuracy"]).var()
    differences = [
        (second.argmax(axis=1) == labels).mean() - (first.argmax(axis=1) == labels).mean()
        for first, second in zip(grouped.rounds, random.rounds, strict=True)
    ]
    if len(differences) > 1:
        variance += np.var(differences, ddof=1) / len(differences)
    return Leakage(accuracies[0], accuracies[1], accuracies[1] - accuracies[0], float(np.sqrt(variance)))
