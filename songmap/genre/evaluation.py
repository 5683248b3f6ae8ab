"""How good the candidates are on songs, and where possible artists, outside their training data; which one is used.

Everything is chosen on the development songs of a Plan by cross-validation: the candidate in ``comparison``, its point
and calibration in ``cross_validation``. The test songs are scored once, by the model of all development songs.
Rows index the dataset's songs.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from songmap.core.errors import UsageError
from songmap.core.progress import OnProgress
from songmap.genre import metrics
from songmap.genre.candidates import CANDIDATES, EXPLAINED
from songmap.genre.comparison import Settings, candidate_scores, choice_scores, choose, compare, most_songs
from songmap.genre.conformal import coverage
from songmap.genre.cross_validation import CrossValidated, CrossValidator
from songmap.genre.dataset import Dataset
from songmap.genre.fit import FittedCandidate, TrainingSongs, Tuning, fit_candidate, one_thread
from songmap.genre.limits import FewGroups, NoGroupedSplit
from songmap.genre.permutation import permutation_test
from songmap.genre.results import ClassifierScores, ConfusionMatrix, GenreScores, Leakage, OverfittingGap, SplitScores
from songmap.genre.score_limits import score_limits, size_limits
from songmap.genre.splits import Plan, folds_of


@dataclass(frozen=True)
class Evaluation(ClassifierScores):
    """Scores of the candidates, the choice among them, and the models of the chosen one.

    ``fold_models`` are the chosen candidate's: of the first repeat's folds, last of all development songs; ``fold_of
    (n_songs,)`` is the index of the one trained without a song, ``out_of_fold (n_songs, n_genres)`` its probabilities.
    ``component_models`` are those of PCA + XGBoost. ``tunings`` for models of all songs are by the candidate's name.
    """

    fold_of: np.ndarray
    out_of_fold: np.ndarray
    fold_models: list[FittedCandidate]
    component_models: list[FittedCandidate]
    tunings: dict[str, Tuning]


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
    validator = CrossValidator(embeddings, dataset, seed, settings.n_draws, on_progress)
    labels, genres, development, test = dataset.labels, dataset.genres, plan.development, plan.test
    own_labels, own_groups = labels[development], plan.groups[development]
    with one_thread():
        rounds = compare(validator, plan, settings)
        results = rounds[-1]
        choice = choose(results, own_labels, own_groups, settings.model)
        own, majority = results[choice.model], results["majority"]
        trains = [train for train, _ in plan.repeats[0]]
        # the calibration of PCA + XGBoost matters where it is used; its explanations are of margins
        tunings = {name: [results[name].tuning] * 2 for name in (EXPLAINED, choice.model)}
        tunings[choice.model] = [
            validator.retuned(choice.model, own.tuning, rows, plan.groups)
            for rows in (development, np.arange(len(labels)))
        ]
        models = {name: _models(validator, results[name], tuning, plan) for name, (tuning, _) in tunings.items()}
        (majority_model,) = validator.fit("majority", [(development, majority.tuning)])
        compared = [own, *(one for name, one in results.items() if name != choice.model)]
        permutation = permutation_test(
            own_labels, np.stack([one.repeats_proba.argmax(axis=2) for one in compared]),
            own_groups, seed, settings.n_permutations, scarce_genres(plan, genres),
        )  # fmt: skip
        leakage = _leakage(validator, own, plan, dataset.recordings)
        fold_models = models[choice.model]
        fold_of = plan.fold_of
        out_of_fold = np.empty((len(labels), len(genres)))
        for number, model in enumerate(fold_models):
            out_of_fold[fold_of == number] = model.predict_proba(embeddings[fold_of == number])
        majority_proba = majority_model.predict_proba(embeddings[test])
        train_accuracies = [
            validator.accuracy(model, train) for model, train in zip(fold_models, [*trains, development], strict=True)
        ]
    tested, tested_majority = (
        metrics.sampled_scores(labels[test], proba[np.newaxis], plan.groups[test], seed, settings.n_draws)
        for proba in (out_of_fold[test], majority_proba)
    )
    cv_train_accuracy = float(np.mean(train_accuracies[:-1]))
    scores = [
        _scores(
            tested, tested_majority, labels[test], out_of_fold[np.newaxis, test], seed,
            split="test", n_songs=len(test), n_folds=0, n_repeats=0, train_accuracy=train_accuracies[-1],
        ),
        _scores(
            own.sampled, majority.sampled, own_labels, own.repeats_proba, seed,
            split="cross_validation", n_songs=len(development), n_folds=len(trains), n_repeats=len(plan.repeats),
            train_accuracy=cv_train_accuracy,
        ),
    ]  # fmt: skip
    constant = _is_constant(own, plan)
    reliability = metrics.reliability(labels, out_of_fold, plan.groups, seed)
    cv_genres = metrics.per_genre_scores(own_labels, own.repeats_proba)
    test_genres = metrics.per_genre_scores(labels[test], out_of_fold[np.newaxis, test], "test_")
    return Evaluation(
        choice=choice,
        choice_scores=None
        if choice.requested
        else choice_scores(results, own_labels, own_groups, seed, settings.n_draws),
        grouping=plan.grouping,
        limits=[
            *plan.limits,
            *score_limits(choice.model, constant, permutation, tested.values["accuracy"], plan),
            *size_limits(labels[test], genres, reliability, plan.grouping.group_by),
        ],
        scores=scores,
        candidates=candidate_scores(rounds, settings.names, labels, plan.groups),
        leakage=leakage,
        overfitting=OverfittingGap(cv_train_accuracy, own.sampled.values["accuracy"]),
        permutation=permutation,
        reliability=reliability,
        conformal=coverage(out_of_fold, labels, fold_of, plan.groups, genres, seed),
        per_genre=[
            GenreScores(genre, int((labels == label).sum()), **cv_genres[label], **test_genres[label])
            for label, genre in enumerate(genres)
        ],
        confusion=[
            ConfusionMatrix("cross_validation", genres, metrics.confusion(own_labels, out_of_fold[development])),
            ConfusionMatrix("test", genres, metrics.confusion(labels[test], out_of_fold[test])),
        ],
        fold_of=fold_of,
        out_of_fold=out_of_fold,
        fold_models=fold_models,
        component_models=models[EXPLAINED],
        tunings={name: final for name, (_, final) in tunings.items()},
    )


def scarce_genres(plan: Plan, genres: list[str]) -> list[str]:
    """Genres that are split more finely than by artist or album, since these are too few or span genres."""
    if any(isinstance(limit, NoGroupedSplit) for limit in plan.limits):
        return genres
    return [limit.genre for limit in plan.limits if isinstance(limit, FewGroups)]


def fit_final(embeddings: np.ndarray, dataset: Dataset, name: str, tuning: Tuning, seed: int) -> FittedCandidate:
    """The candidate ``name`` fitted on all songs of the dataset: what is saved and used."""
    with one_thread():
        return fit_candidate(name, TrainingSongs(embeddings, dataset.labels, len(dataset.genres)), tuning, seed)


def _check(name: str, n_songs: int) -> None:
    if name not in CANDIDATES:
        raise UsageError(f"there is no model {name!r}; there are {', '.join(CANDIDATES)}")
    if n_songs > most_songs(name):
        raise UsageError(
            f"{CANDIDATES[name].title} is fitted on at most {most_songs(name):,} songs, here are {n_songs:,}: it would take hours; choose another "
            f"of {', '.join(CANDIDATES)}"
        )


def _is_constant(own: CrossValidated, plan: Plan) -> bool:
    places = [np.searchsorted(plan.development, fold) for _, fold in plan.repeats[0]]
    return all(np.ptp(own.repeats_proba[0, place], axis=0).max() == 0 for place in places)


def _scores(
    sampled: metrics.Sampled, majority: metrics.Sampled, labels: np.ndarray, rounds: np.ndarray, seed: int, **more: Any
) -> SplitScores:
    return SplitScores(
        **more,
        **sampled.fields(*metrics.SCORES),
        ece=metrics.calibration_error(labels, rounds),
        calibrated_ece=float(np.mean([metrics.calibrated_errors(one.max(axis=1), seed).mean() for one in rounds])),
        baseline_accuracy=majority.values["accuracy"],
        baseline_macro_f1=majority.values["macro_f1"],
    )


def _models(validator: CrossValidator, one: CrossValidated, final: Tuning, plan: Plan) -> list[FittedCandidate]:
    """A candidate's models of the first repeat's folds, and last of all development songs, with the ``final`` tuning."""
    rows = [*(train for train, _ in plan.repeats[0]), plan.development]
    return validator.fit(one.name, list(zip(rows, [*one.tunings, final], strict=True)))


def _leakage(validator: CrossValidator, own: CrossValidated, plan: Plan, recordings: np.ndarray) -> Leakage:
    """The same candidate on as many random folds, which split artists and albums but never copies of a recording."""
    mixed = own
    if plan.grouping.group_by != "song":
        repeats = []
        for number, grouped in enumerate(plan.repeats):
            seed = validator.seed + 1000 * number
            folds = folds_of(plan.development, validator.labels, recordings, seed, len(grouped))
            repeats.append(folds or grouped)  # copies leave no others
        mixed = validator.cross_validate([own.name], plan.development, repeats, plan.groups)[own.name]
    return leakage(validator.labels[plan.development], own, mixed)


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
