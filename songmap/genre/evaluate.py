"""How good the candidates are on songs, and where possible artists, that they have never heard; which is served.

Everything is chosen on the development songs of a Plan by nested cross-validation: the candidate here, its grid and
calibration inside every fold (``learn``). The test songs are scored once, by the model of all development songs.
Rows index the material's songs. Fits run in threads, each fit in one, so that cores change no bit.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Any

import numpy as np

from songmap.core.defaults import usable_cores
from songmap.core.errors import UsageError
from songmap.genre.learn import Learned, learn, one_thread
from songmap.genre.material import Material
from songmap.genre.models import CANDIDATES, DEFAULT
from songmap.genre.scores import (
    N_DRAWS,
    N_PERMUTATIONS,
    SCORES,
    Sampled,
    per_genre_scores,
    permutation_test,
    sampled_scores,
)
from songmap.genre.splits import N_FOLDS, Fold, Plan, make_folds, subsample
from songmap.genre.verdicts import SIGNIFICANT, gap_meaning, leakage_meaning, limits, permutation_meaning

__all__ = ["SIGNIFICANT", "Evaluation", "evaluate", "final"]

COMPARE_ALL = 1_500  # development songs up to which every candidate is compared on all of them
_RUNG_FACTOR = 4
_ALWAYS = (DEFAULT, "majority")  # what others are measured by

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Evaluation:
    """What models said about songs they were not trained on, and what follows.

    ``chosen`` is the candidate to serve, ``reason`` why in a sentence. ``candidates``, ``scores``, ``per_genre`` are
    records; ``gap``, ``permutation``, ``leakage`` numbers with a sentence ``meaning``; ``limits`` sentences.
    ``out_of_fold`` float64 ``(n_songs, n_genres)``: of development songs the mean over the repeats of the models that
    had not seen them, of test songs the model of all development songs. ``judges`` are the chosen candidate's models:
    of the first repeat's folds, last of all development songs; ``fold_of (n_songs,)`` is the judge that has not seen a
    song. ``component_judges`` are those of PCA + XGBoost.
    """

    chosen: str
    reason: str
    candidates: list[dict[str, Any]]
    scores: list[dict[str, Any]]
    per_genre: list[dict[str, Any]]
    gap: dict[str, Any]
    permutation: dict[str, Any]
    leakage: dict[str, Any]
    limits: list[str]
    out_of_fold: np.ndarray
    fold_of: np.ndarray
    judges: list[Learned]
    component_judges: list[Learned]


@dataclass(frozen=True)
class _Crossed:
    """A candidate cross-validated on ``rows``: ``rounds (n_repeats, len(rows), n_genres)``, one model per first fold."""

    name: str
    rows: np.ndarray
    rounds: np.ndarray
    judges: list[Learned]
    train_accuracy: float
    sampled: Sampled

    def above(self, other: "_Crossed") -> tuple[float, float]:
        """Balanced accuracy above another's on the same songs, and the standard error of that difference."""
        name = "balanced_accuracy"
        difference = self.sampled.values[name] - other.sampled.values[name]
        return difference, float((self.sampled.draws[name] - other.sampled.draws[name]).std())


class _Work:
    """Fits candidates on folds of one material, several at once, and tells how far it is."""

    def __init__(
        self, embeddings: np.ndarray, material: Material, seed: int, n_draws: int, on_progress: Progress | None
    ) -> None:
        self.embeddings, self.labels, self.n_genres = embeddings, material.labels, len(material.genres)
        self.seed, self.n_draws, self.on_progress = seed, n_draws, on_progress
        self.done = self.total = 0

    def learned(self, tasks: Sequence[tuple[str, np.ndarray, np.ndarray]]) -> list[Learned]:
        """A model for each task: name of a candidate, rows to learn from, groups of all songs."""
        self.total += len(tasks)
        with ThreadPoolExecutor(usable_cores(), initializer=one_thread) as pool:
            futures = [pool.submit(self._learn, *task) for task in tasks]
            try:
                for future in as_completed(futures):
                    future.result()
                    self.done += 1
                    if self.on_progress:
                        self.on_progress(self.done, self.total)
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        return [future.result() for future in futures]

    def _learn(self, name: str, rows: np.ndarray, groups: np.ndarray) -> Learned:
        return learn(name, self.embeddings[rows], self.labels[rows], groups[rows], self.n_genres, self.seed)

    def crossed(
        self, names: Sequence[str], rows: np.ndarray, repeats: list[list[Fold]], groups: np.ndarray, by: np.ndarray
    ) -> dict[str, _Crossed]:
        """Candidates on the folds ``repeats`` of ``rows``; groups ``by`` are what intervals resample."""
        folds = [(number, fold) for number, repeat in enumerate(repeats) for fold in repeat]
        models = self.learned([(name, train, groups) for name in names for _, (train, _) in folds])
        place = np.zeros(len(self.labels), np.int64)
        place[rows] = np.arange(len(rows))
        found = {}
        for index, name in enumerate(names):
            own = models[index * len(folds) : (index + 1) * len(folds)]
            rounds = np.zeros((len(repeats), len(rows), self.n_genres))
            trained = []
            for model, (number, (train, test)) in zip(own, folds, strict=True):
                rounds[number, place[test]] = model.probabilities(self.embeddings[test])
                trained.append(self.accuracy(model, train))
            sampled = sampled_scores(self.labels[rows], rounds, by[rows], self.seed, self.n_draws)
            found[name] = _Crossed(name, rows, rounds, own[: len(repeats[0])], float(np.mean(trained)), sampled)
        return found

    def accuracy(self, model: Learned, rows: np.ndarray) -> float:
        return float((model.probabilities(self.embeddings[rows]).argmax(axis=1) == self.labels[rows]).mean())


def evaluate(
    embeddings: np.ndarray,
    material: Material,
    plan: Plan,
    seed: int,
    model: str | None = None,
    on_progress: Progress | None = None,
    n_draws: int = N_DRAWS,
    n_permutations: int = N_PERMUTATIONS,
    names: Sequence[str] = tuple(CANDIDATES),
    compare_all: int = COMPARE_ALL,
) -> Evaluation:
    """Compare the candidates on ``embeddings (n_songs, 641)``, rows as the material's, and judge the one to serve.

    ``model`` names the one to serve, whatever its scores. ``names`` are the candidates, PCA + XGBoost and "majority"
    among them; of more than ``compare_all`` development songs they are thinned on the way. Raises UsageError for a
    ``model`` that would take hours for so many songs.
    """
    _check(model, len(material.labels))
    work = _Work(embeddings, material, seed, n_draws, on_progress)
    with one_thread():
        rounds = _compared(work, plan, names, compare_all, model)
        crossed = rounds[-1]
        chosen, reason = _choice(crossed, model)
        labels, development, test = material.labels, plan.development, plan.test
        own, majority = crossed[chosen], crossed["majority"]
        last = list(dict.fromkeys((chosen, DEFAULT, "majority")))
        models = dict(zip(last, work.learned([(name, development, plan.groups) for name in last]), strict=True))
        tested = {
            name: sampled_scores(
                labels[test], models[name].probabilities(embeddings[test])[np.newaxis], plan.groups[test], seed, n_draws
            )
            for name in (chosen, "majority")
        }
        permutation = permutation_test(
            labels[development], own.rounds.argmax(axis=2), plan.groups[development], seed, n_permutations
        )
        permutation["meaning"] = permutation_meaning(**permutation, unit=plan.group_by)
        leakage = _leakage(work, own, plan, material.recordings)
    said = models[chosen].probabilities(embeddings[test])
    out_of_fold, fold_of = np.zeros((len(labels), said.shape[1])), np.full(len(labels), len(own.judges))
    out_of_fold[development], out_of_fold[test] = own.rounds.mean(axis=0), said
    for number, (_, fold) in enumerate(plan.repeats[0]):
        fold_of[fold] = number
    n_folds, n_repeats = len(plan.repeats[0]), len(plan.repeats)
    times = ", once" if n_repeats == 1 else f", {n_repeats} times"
    scores = [
        _score_record(
            f"{len(test)} test songs", tested[chosen], tested["majority"], work.accuracy(models[chosen], development)
        ),
        _score_record(f"{n_folds}-fold cross-validation{times}", own.sampled, majority.sampled, own.train_accuracy),
    ]
    per_genre = [
        {"genre": genre, "songs": int((labels == label).sum()), **crossed_one}
        | {f"test_{name}": value for name, value in tested_one.items()}
        for label, (genre, crossed_one, tested_one) in enumerate(
            zip(
                material.genres,
                per_genre_scores(labels[development], own.rounds),
                per_genre_scores(labels[test], said[np.newaxis]),
                strict=True,
            )
        )
    ]
    gap = {"train_accuracy": own.train_accuracy, "cv_accuracy": own.sampled.values["accuracy"]}
    gap["meaning"] = gap_meaning(**gap, p_value=permutation["p_value"])
    warnings = limits(
        CANDIDATES[chosen].title,
        len(development),
        all(
            np.ptp(own.rounds[0][np.searchsorted(development, fold)], axis=0).max() == 0 for _, fold in plan.repeats[0]
        ),
        permutation["p_value"],
        tested[chosen].values["accuracy"],
        len(set(plan.groups[test])),
        plan.group_by,
    )
    return Evaluation(
        chosen=chosen,
        reason=reason,
        candidates=_candidate_records(rounds, names),
        scores=scores,
        per_genre=per_genre,
        gap=gap,
        permutation=permutation,
        leakage=leakage,
        limits=warnings,
        out_of_fold=out_of_fold,
        fold_of=fold_of,
        judges=[*own.judges, models[chosen]],
        component_judges=[*crossed[DEFAULT].judges, models[DEFAULT]],
    )


def final(embeddings: np.ndarray, material: Material, name: str, seed: int) -> Learned:
    """The candidate ``name`` learned from all songs of the material: what is saved and served."""
    _check(name, len(material.labels))
    with one_thread():
        return learn(name, embeddings, material.labels, material.groups, len(material.genres), seed)


def _check(name: str | None, n_songs: int) -> None:
    if name is None:
        return
    if name not in CANDIDATES:
        raise UsageError(f"there is no model {name!r}; there are {', '.join(CANDIDATES)}")
    most = CANDIDATES[name].most_songs
    if most is not None and n_songs > most:
        raise UsageError(
            f"{CANDIDATES[name].title} is fitted on at most {most:,} songs, here are {n_songs:,}: it would take hours; "
            f"ask for another of {', '.join(CANDIDATES)}"
        )


def _compared(
    work: _Work, plan: Plan, names: Sequence[str], compare_all: int, asked: str | None
) -> list[dict[str, _Crossed]]:
    """Rounds of candidates, each on the same folds, the last on all development songs.

    Where these are many, candidates are thinned by successive halving (Jamieson & Talwalkar 2016): all are compared on
    a subsample of groups, the better half by balanced accuracy on one ``_RUNG_FACTOR`` times as large, and so on. What
    others are measured by always stays, and so does the one asked for.
    """
    groups, n_songs = plan.groups, len(plan.development)
    left, rounds = list(names), []
    size = compare_all // 2
    while n_songs > compare_all and size < n_songs / 2:
        labels, own = work.labels[plan.development], groups[plan.development]
        rows = plan.development[subsample(labels, own, size, work.seed)]
        folds = [
            (rows[train], rows[test]) for train, test in make_folds(work.labels[rows], groups[rows], N_FOLDS, work.seed)
        ]
        if folds:
            found = work.crossed(left, rows, [folds], groups, groups)
            rounds.append(found)
            ranked = sorted(
                (name for name in left if name != "majority"),
                key=lambda name: -found[name].sampled.values["balanced_accuracy"],
            )
            kept = {*ranked[: (len(ranked) + 1) // 2], *_ALWAYS, asked}
            left = [name for name in left if name in kept]
        size *= _RUNG_FACTOR
        left = [name for name in left if (CANDIDATES[name].most_songs or np.inf) >= size]
    left = [name for name in left if (CANDIDATES[name].most_songs or np.inf) >= len(work.labels)]
    return [*rounds, work.crossed(left, plan.development, plan.repeats, groups, groups)]


def _choice(crossed: dict[str, _Crossed], asked: str | None) -> tuple[str, str]:
    """The candidate to serve and why: PCA + XGBoost unless another is better by more than one standard error."""
    default = crossed[DEFAULT]
    title, value = CANDIDATES[DEFAULT].title, default.sampled.values["balanced_accuracy"]
    others = [one for name, one in crossed.items() if name not in _ALWAYS]
    better = [one for one in others if one.above(default)[0] > max(one.above(default)[1], 0)]
    best = max(better, key=lambda one: one.sampled.values["balanced_accuracy"], default=None)
    if best is None:
        reason = f"{title} is the default, and no other is better by more than one standard error"
    else:
        difference, error = best.above(default)
        reason = (
            f"its balanced accuracy of {best.sampled.values['balanced_accuracy']:.2f} is better than the {value:.2f} of "
            f"{title} by {difference:.3f}, more than one standard error of the difference ({error:.3f})"
        )
    winner = best.name if best else DEFAULT
    if asked is None or asked == winner:
        return winner, f"{CANDIDATES[winner].title} is served: {reason}."
    return (
        asked,
        f"{CANDIDATES[asked].title} is served as asked for; by the scores it would be {CANDIDATES[winner].title}: {reason}.",
    )


def _candidate_records(rounds: list[dict[str, _Crossed]], names: Sequence[str]) -> list[dict[str, Any]]:
    """Every candidate as it was in the last round that it reached, beside PCA + XGBoost on the same songs."""
    records = []
    for name in names:
        crossed = next(crossed for crossed in reversed(rounds) if name in crossed)
        difference, error = crossed[name].above(crossed[DEFAULT])
        records.append(
            {"model": name, "title": CANDIDATES[name].title, "songs": len(crossed[name].rows)}
            | crossed[name].sampled.record("accuracy", "macro_f1")
            | {"difference": difference, "difference_error": error}
        )
    return records


def _score_record(tested_on: str, sampled: Sampled, majority: Sampled, train_accuracy: float) -> dict[str, Any]:
    return {
        "tested_on": tested_on,
        **sampled.record(*SCORES),
        "baseline_accuracy": majority.values["accuracy"],
        "baseline_macro_f1": majority.values["macro_f1"],
        "train_accuracy": train_accuracy,
    }


def _leakage(work: _Work, own: _Crossed, plan: Plan, recordings: np.ndarray) -> dict[str, Any]:
    """The same candidate on random folds, which tear artists and albums apart but no files of one recording."""
    mixed, labels = own, work.labels[plan.development]
    if plan.group_by != "song":
        repeats = [
            [
                (plan.development[train], plan.development[test])
                for train, test in make_folds(labels, recordings[plan.development], N_FOLDS, work.seed + 1000 * number)
            ]
            or plan.repeats[number]  # copies leave no others
            for number in range(len(plan.repeats))
        ]
        mixed = work.crossed([own.name], plan.development, repeats, recordings, plan.groups)[own.name]
    grouped, random = own.sampled.values["accuracy"], mixed.sampled.values["accuracy"]
    error = float((mixed.sampled.draws["accuracy"] - own.sampled.draws["accuracy"]).std())
    meaning = leakage_meaning(grouped, random, error, plan.group_by)
    return {"grouped_accuracy": grouped, "random_accuracy": random, "difference": random - grouped, "meaning": meaning}
