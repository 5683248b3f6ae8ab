"""Candidates compared by nested cross-validation on the same folds, and the choice among them.

Fits run in threads, each fit in one, so that the number of cores changes no bit.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

import numpy as np

from songmap.core.defaults import usable_cores
from songmap.core.progress import OnProgress
from songmap.genre.candidates import CANDIDATES, DEFAULT
from songmap.genre.dataset import Dataset
from songmap.genre.fit import FittedCandidate, TrainingSongs, fit_candidate, one_thread
from songmap.genre.metrics import N_DRAWS, Sampled, sampled_scores
from songmap.genre.permutation import N_PERMUTATIONS
from songmap.genre.results import CandidateScores, Choice
from songmap.genre.splits import Fold, Plan, folds_of, subsample

COMPARE_ALL = 1_500  # development songs up to which every candidate is compared on all of them
_RUNG_FACTOR = 4
_ALWAYS = (DEFAULT, "majority")  # the references of the others


@dataclass(frozen=True)
class Settings:
    """How to evaluate.

    Attributes
    ----------
    model : str or None
        The candidate to use, whatever its scores.
    names : sequence of str
        The candidates, PCA + XGBoost and ``majority`` among them.
    n_draws, n_permutations : int
        Bootstrap samples of every interval; shuffles of the permutation test.
    compare_all : int
        Of more development songs the candidates are thinned by successive halving.
    """

    model: str | None = None
    names: Sequence[str] = tuple(CANDIDATES)
    n_draws: int = N_DRAWS
    n_permutations: int = N_PERMUTATIONS
    compare_all: int = COMPARE_ALL


@dataclass(frozen=True)
class CrossValidated:
    """A candidate on ``rows``: ``repeats_proba (n_repeats, len(rows), n_genres)``; models of the first repeat."""

    name: str
    rows: np.ndarray
    repeats_proba: np.ndarray
    fold_models: list[FittedCandidate]
    train_accuracy: float
    sampled: Sampled

    def above(self, other: "CrossValidated") -> tuple[float, float]:
        """Balanced accuracy above another's on the same songs, and the standard error of that difference."""
        name = "balanced_accuracy"
        difference = self.sampled.values[name] - other.sampled.values[name]
        return difference, float((self.sampled.draws[name] - other.sampled.draws[name]).std())


HalvingRound = dict[str, CrossValidated]


class Fits:
    """Fits candidates on folds of one dataset, several at once, and reports progress."""

    def __init__(
        self, embeddings: np.ndarray, dataset: Dataset, seed: int, n_draws: int, on_progress: OnProgress | None
    ) -> None:
        self.embeddings, self.labels, self.n_genres = embeddings, dataset.labels, len(dataset.genres)
        self.seed, self.n_draws, self.on_progress = seed, n_draws, on_progress
        self.done = self.total = 0

    def run(self, tasks: Sequence[tuple[str, np.ndarray, np.ndarray]]) -> list[FittedCandidate]:
        """A model for each task: name of a candidate, training rows, groups of all songs."""
        self.total += len(tasks)
        with ThreadPoolExecutor(usable_cores(), initializer=one_thread) as pool:
            futures = [pool.submit(self._fit, *task) for task in tasks]
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

    def _fit(self, name: str, rows: np.ndarray, groups: np.ndarray) -> FittedCandidate:
        songs = TrainingSongs(self.embeddings[rows], self.labels[rows], groups[rows], self.n_genres)
        return fit_candidate(name, songs, self.seed)

    def cross_validate(
        self, names: Sequence[str], rows: np.ndarray, repeats: list[list[Fold]], groups: np.ndarray, by: np.ndarray
    ) -> HalvingRound:
        """Candidates on the folds ``repeats`` of ``rows``; intervals resample the groups ``by``."""
        folds = [(number, fold) for number, repeat in enumerate(repeats) for fold in repeat]
        models = self.run([(name, train, groups) for name in names for _, (train, _) in folds])
        place = np.zeros(len(self.labels), np.int64)
        place[rows] = np.arange(len(rows))
        results = {}
        for index, name in enumerate(names):
            own = models[index * len(folds) : (index + 1) * len(folds)]
            repeats_proba = np.zeros((len(repeats), len(rows), self.n_genres))
            trained = []
            for model, (number, (train, test)) in zip(own, folds, strict=True):
                repeats_proba[number, place[test]] = model.predict_proba(self.embeddings[test])
                trained.append(self.accuracy(model, train))
            sampled = sampled_scores(self.labels[rows], repeats_proba, by[rows], self.seed, self.n_draws)
            results[name] = CrossValidated(
                name, rows, repeats_proba, own[: len(repeats[0])], float(np.mean(trained)), sampled
            )
        return results

    def accuracy(self, model: FittedCandidate, rows: np.ndarray) -> float:
        return float((model.predict_proba(self.embeddings[rows]).argmax(axis=1) == self.labels[rows]).mean())


def compare(fits: Fits, plan: Plan, settings: Settings) -> list[HalvingRound]:
    """Rounds of candidates, each on the same folds, the last on all development songs.

    Where these are many, candidates are thinned by successive halving (Jamieson & Talwalkar 2016): all are compared on
    a subsample of groups, the better half by balanced accuracy on one ``_RUNG_FACTOR`` times as large, and so on. The
    references of the others always stay, and so does a requested model.
    """
    groups, n_songs = plan.groups, len(plan.development)
    left, rounds = list(settings.names), []
    size = settings.compare_all // 2
    while n_songs > settings.compare_all and size < n_songs / 2:
        labels, own = fits.labels[plan.development], groups[plan.development]
        rows = plan.development[subsample(labels, own, size, fits.seed)]
        folds = folds_of(rows, fits.labels, groups, fits.seed)
        if folds:
            results = fits.cross_validate(left, rows, [folds], groups, groups)
            rounds.append(results)
            ranked = [name for name in left if name != "majority"]
            ranked.sort(key=lambda name: -results[name].sampled.values["balanced_accuracy"])
            kept = {*ranked[: (len(ranked) + 1) // 2], *_ALWAYS, settings.model}
            left = [name for name in left if name in kept]
        size *= _RUNG_FACTOR
        left = [name for name in left if (CANDIDATES[name].most_songs or np.inf) >= size]
    left = [name for name in left if (CANDIDATES[name].most_songs or np.inf) >= len(fits.labels)]
    return [*rounds, fits.cross_validate(left, plan.development, plan.repeats, groups, groups)]


def choose(results: HalvingRound, requested: str | None) -> Choice:
    """PCA + XGBoost unless another is better by more than one standard error, or requested."""
    default = results[DEFAULT]
    others = [one for name, one in results.items() if name not in _ALWAYS]
    better = [one for one in others if one.above(default)[0] > max(one.above(default)[1], 0)]
    best = max(better, key=lambda one: one.sampled.values["balanced_accuracy"], default=default)
    own, of_default = (one.sampled.values["balanced_accuracy"] for one in (best, default))
    return Choice(
        requested or best.name, best.name, DEFAULT, requested is not None, own, of_default, *best.above(default)
    )


def candidate_scores(rounds: list[HalvingRound], names: Sequence[str]) -> list[CandidateScores]:
    """Every candidate as it was in the last round that it reached, beside PCA + XGBoost on the same songs."""
    scores = []
    for name in names:
        results = next(results for results in reversed(rounds) if name in results)
        difference, error = results[name].above(results[DEFAULT])
        title, songs = CANDIDATES[name].title, len(results[name].rows)
        sampled = results[name].sampled.fields("accuracy", "macro_f1")
        scores.append(CandidateScores(name, title, songs, **sampled, difference=difference, difference_error=error))
    return scores
