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
from songmap.genre import metrics
from songmap.genre.candidates import CANDIDATES, DEFAULT
from songmap.genre.comparison import CrossValidated, Fits, Settings, candidate_scores, choose, compare
from songmap.genre.conformal import coverage
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
from songmap.genre.permutation import permutation_test
from songmap.genre.results import (
    ClassifierScores,
    ConfusionMatrix,
    GenreScores,
    Leakage,
    OverfittingGap,
    PermutationTest,
    SplitScores,
)
from songmap.genre.splits import Plan, folds_of

_FEW_GROUPS = 10  # intervals of fewer are rough


@dataclass(frozen=True)
class Evaluation(ClassifierScores):
    """Scores of the candidates, the choice among them, and the models of the chosen one.

    ``fold_models`` are the chosen candidate's: of the first repeat's folds, last of all development songs; ``fold_of
    (n_songs,)`` is the index of the one trained without a song, ``out_of_fold (n_songs, n_genres)`` its probabilities.
    ``default_models`` are those of PCA + XGBoost.
    """

    fold_of: np.ndarray
    out_of_fold: np.ndarray
    fold_models: list[FittedCandidate]
    default_models: list[FittedCandidate]


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
    if settings.model is not None:
        _check(settings.model, len(dataset.labels))
    fits = Fits(embeddings, dataset, seed, settings.n_draws, on_progress)
    labels, genres, development, test = dataset.labels, dataset.genres, plan.development, plan.test
    with one_thread():
        rounds = compare(fits, plan, settings)
        choice = choose(rounds[-1], settings.model)
        own, majority = rounds[-1][choice.model], rounds[-1]["majority"]
        names = list(dict.fromkeys((choice.model, DEFAULT, "majority")))
        models = dict(zip(names, fits.run([(name, development, plan.groups) for name in names]), strict=True))
        compared = [own, *(one for name, one in rounds[-1].items() if name != choice.model)]
        permutation = permutation_test(
            labels[development], np.stack([one.repeats_proba.argmax(axis=2) for one in compared]),
            plan.groups[development], seed, settings.n_permutations, scarce_genres(plan, genres),
        )  # fmt: skip
        leakage = _leakage(fits, own, plan, dataset.recordings)
        fold_models = [*own.fold_models, models[choice.model]]
        fold_of = np.full(len(labels), len(own.fold_models))
        for number, (_, fold) in enumerate(plan.repeats[0]):
            fold_of[fold] = number
        out_of_fold = np.empty((len(labels), len(genres)))
        for number, model in enumerate(fold_models):
            out_of_fold[fold_of == number] = model.predict_proba(embeddings[fold_of == number])
        tested, tested_majority = (
            metrics.sampled_scores(labels[test], proba[np.newaxis], plan.groups[test], seed, settings.n_draws)
            for proba in (out_of_fold[test], models["majority"].predict_proba(embeddings[test]))
        )
    scores = [
        _scores(
            tested, tested_majority, fits.accuracy(models[choice.model], development),
            split="test", n_songs=len(test), n_folds=0, n_repeats=0,
        ),
        _scores(
            own.sampled, majority.sampled, own.train_accuracy,
            split="cross_validation", n_songs=len(development), n_folds=len(plan.repeats[0]),
            n_repeats=len(plan.repeats),
        ),
    ]  # fmt: skip
    constant = _is_constant(own, plan)
    cv_genres = metrics.per_genre_scores(labels[development], own.repeats_proba)
    test_genres = metrics.per_genre_scores(labels[test], out_of_fold[np.newaxis, test], "test_")
    return Evaluation(
        choice=choice,
        grouping=plan.grouping,
        limits=[*plan.limits, *score_limits(choice.model, constant, permutation, tested.values["accuracy"], plan)],
        scores=scores,
        candidates=candidate_scores(rounds, settings.names),
        leakage=leakage,
        overfitting=OverfittingGap(own.train_accuracy, own.sampled.values["accuracy"]),
        permutation=permutation,
        reliability=metrics.reliability(labels, out_of_fold),
        conformal=coverage(out_of_fold, labels, fold_of, plan.groups, genres, seed),
        per_genre=[
            GenreScores(genre, int((labels == label).sum()), **cv_genres[label], **test_genres[label])
            for label, genre in enumerate(genres)
        ],
        confusion=[
            ConfusionMatrix(
                "cross_validation", genres, metrics.confusion(labels[development], out_of_fold[development])
            ),
            ConfusionMatrix("test", genres, metrics.confusion(labels[test], out_of_fold[test])),
        ],
        fold_of=fold_of,
        out_of_fold=out_of_fold,
        fold_models=fold_models,
        default_models=[*rounds[-1][DEFAULT].fold_models, models[DEFAULT]],
    )


def scarce_genres(plan: Plan, genres: list[str]) -> list[str]:
    """Genres that are split more finely than by artist or album, since these are too few or span genres."""
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


def _check(name: str, n_songs: int) -> None:
    if name not in CANDIDATES:
        raise UsageError(f"there is no model {name!r}; there are {', '.join(CANDIDATES)}")
    title, most = CANDIDATES[name].title, CANDIDATES[name].most_songs
    if most is not None and n_songs > most:
        raise UsageError(
            f"{title} is fitted on at most {most:,} songs, here are {n_songs:,}: it would take hours; choose another "
            f"of {', '.join(CANDIDATES)}"
        )


def _is_constant(own: CrossValidated, plan: Plan) -> bool:
    places = [np.searchsorted(plan.development, fold) for _, fold in plan.repeats[0]]
    return all(np.ptp(own.repeats_proba[0, place], axis=0).max() == 0 for place in places)


def _scores(sampled: metrics.Sampled, majority: metrics.Sampled, train_accuracy: float, **split: Any) -> SplitScores:
    return SplitScores(
        **split,
        **sampled.fields(*metrics.SCORES),
        baseline_accuracy=majority.values["accuracy"],
        baseline_macro_f1=majority.values["macro_f1"],
        train_accuracy=train_accuracy,
    )


def _leakage(fits: Fits, own: CrossValidated, plan: Plan, recordings: np.ndarray) -> Leakage:
    """The same candidate on as many random folds, which split artists and albums but never copies of a recording."""
    mixed = own
    if plan.grouping.group_by != "song":
        repeats = []
        for number, grouped in enumerate(plan.repeats):
            folds = folds_of(plan.development, fits.labels, recordings, fits.seed + 1000 * number, len(grouped))
            repeats.append(folds or grouped)  # copies leave no others
        mixed = fits.cross_validate([own.name], plan.development, repeats, recordings, plan.groups)[own.name]
    return leakage(fits.labels[plan.development], own, mixed)


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
        for first, second in zip(grouped.repeats_proba, random.repeats_proba, strict=True)
    ]
    if len(differences) > 1:
        variance += np.var(differences, ddof=1) / len(differences)
    return Leakage(accuracies[0], accuracies[1], accuracies[1] - accuracies[0], float(np.sqrt(variance)))
