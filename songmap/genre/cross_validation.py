"""Cross-validation of candidates: out-of-fold probabilities, and what they decide for each fold.

A candidate's point and calibration for a fold are chosen by the out-of-fold probabilities of all other songs. Models
that predicted those were trained on songs of the fold, but one point and a few numbers are all that passes through
them; in return they are as good as the fold's own model, which models of inner folds, trained on fewer songs, are not:
calibrated by such, a model is too uncertain. For the same reason models of all songs are calibrated by more folds.

Fits run in threads, each fit in one, so that the number of cores changes no bit.
"""

from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any, TypeVar

import numpy as np

from songmap.core.defaults import usable_cores
from songmap.core.progress import OnProgress
from songmap.genre.candidates import CANDIDATES, members_of
from songmap.genre.dataset import Dataset
from songmap.genre.fit import FittedCandidate, TrainingSongs, Tuning, fit_candidate, one_thread, tune
from songmap.genre.metrics import Sampled, sampled_scores
from songmap.genre.splits import Fold, folds_of
from songmap.library.genre_model import pipeline_predict_proba

Result = TypeVar("Result")
_MORE_FOLDS = 10
_MANY_SONGS = 1_500
Points = dict[str, list[int]]  # of some candidates, indices of the points that are left to choose from


@dataclass(frozen=True)
class CrossValidated:
    """A candidate on ``rows``, by folds that are repeated.

    ``repeats_proba (n_repeats, len(rows), n_genres)`` are calibrated, ``tunings`` of the first repeat's folds;
    ``tuning`` is that of all rows.
    """

    name: str
    rows: np.ndarray
    repeats_proba: np.ndarray
    tunings: list[Tuning]
    tuning: Tuning
    sampled: Sampled


class CrossValidator:
    """Fits candidates on folds of one dataset, several at once, and reports progress."""

    def __init__(
        self, embeddings: np.ndarray, dataset: Dataset, seed: int, n_draws: int, on_progress: OnProgress | None
    ) -> None:
        self.embeddings, self.labels, self.n_genres = embeddings, dataset.labels, len(dataset.genres)
        self.seed, self.n_draws, self.on_progress = seed, n_draws, on_progress
        self.done = self.total = 0

    def fit(self, name: str, tuned: Sequence[tuple[np.ndarray, Tuning]]) -> list[FittedCandidate]:
        """A model of a candidate for each of some training rows and their tunings."""
        return self._run([partial(self._fit, name, rows, tuning) for rows, tuning in tuned])

    def _fit(self, name: str, rows: np.ndarray, tuning: Tuning) -> FittedCandidate:
        songs = TrainingSongs(self.embeddings[rows], self.labels[rows], self.n_genres)
        return fit_candidate(name, songs, tuning, self.seed)

    def accuracy(self, model: FittedCandidate, rows: np.ndarray) -> float:
        return float((model.predict_proba(self.embeddings[rows]).argmax(axis=1) == self.labels[rows]).mean())

    def cross_validate(
        self,
        names: Sequence[str],
        rows: np.ndarray,
        repeats: list[list[Fold]],
        groups: np.ndarray,
        points: Points | None = None,
    ) -> dict[str, CrossValidated]:
        """Candidates on folds of some rows.

        Parameters
        ----------
        names : sequence of str
        rows : np.ndarray
        repeats : list of list of Fold
            Folds of the rows, once or more.
        groups : np.ndarray, shape (n_songs,)
            Songs that are not independent; intervals resample them.
        points : dict, optional
            The points to choose from, where they are not all.
        """
        members = list(dict.fromkeys(member for name in names for member in members_of(name)))
        left = {member: list(range(len(CANDIDATES[member].grid(self.labels[rows])))) for member in members}
        left |= {name: own for name, own in (points or {}).items() if name in left}
        proba, results = self._out_of_fold(left, rows, repeats), {}
        for name in names:
            indices, combined = self._combined(name, left, proba, rows)
            results[name] = self._tuned(name, combined, indices, rows, repeats, groups)
        return results

    def _combined(
        self, name: str, left: Points, proba: dict[str, np.ndarray], rows: np.ndarray
    ) -> tuple[list[int], np.ndarray]:
        """The points of a candidate whose members' points are left, and its probabilities, as ``tune`` takes them."""
        members = members_of(name)
        every = product(*(range(len(CANDIDATES[member].grid(self.labels[rows]))) for member in members))
        chosen = {
            index: [proba[member][left[member].index(one)] for one, member in zip(point, members, strict=True)]
            for index, point in enumerate(every)
            if all(one in left[member] for one, member in zip(point, members, strict=True))
        }
        return list(chosen), np.array(list(chosen.values()))

    def retuned(self, name: str, tuning: Tuning, rows: np.ndarray, groups: np.ndarray) -> Tuning:
        """The point of a tuning, calibrated for the model of all ``rows``.

        The margins of LDA, for one, shrink with more training songs, and a calibration for models of four fifths of them
        makes the model of all too uncertain. Hence more folds, whose models are trained on nearly all songs; where these
        are many, a fifth makes no difference.
        """
        folds = folds_of(rows, self.labels, groups, self.seed, _MORE_FOLDS) if len(rows) <= _MANY_SONGS else []
        if not folds:
            return tuning
        sizes = [len(CANDIDATES[member].grid(self.labels[rows])) for member in members_of(name)]
        indices = np.unravel_index(tuning.point, sizes)
        left = {member: [int(index)] for member, index in zip(members_of(name), indices, strict=True)}
        points, proba = self._combined(name, left, self._out_of_fold(left, rows, [folds]), rows)
        return tune(name, proba, self.labels[rows], groups[rows], points)

    def _tuned(
        self,
        name: str,
        proba: np.ndarray,
        points: list[int],
        rows: np.ndarray,
        repeats: list[list[Fold]],
        groups: np.ndarray,
    ) -> CrossValidated:
        """A candidate's probabilities in each fold, with the point and the calibration that other folds choose."""
        labels, n_rows = self.labels[rows], len(rows)
        repeats_proba, tunings = np.zeros(proba.shape[2:]), []
        for number, folds in enumerate(repeats):
            for _, fold in folds:
                test = np.searchsorted(rows, fold)
                others = np.setdiff1d(np.arange(n_rows), test)
                tuning = tune(name, proba[:, :, :, others], labels[others], groups[rows][others], points)
                raw = proba[points.index(tuning.point), :, number][:, test]
                repeats_proba[number, test] = tuning.calibration.apply(raw)
                if number == 0:
                    tunings.append(tuning)
        final = tune(name, proba, labels, groups[rows], points)
        sampled = sampled_scores(labels, repeats_proba, groups[rows], self.seed, self.n_draws)
        return CrossValidated(name, rows, repeats_proba, tunings, final, sampled)

    def _out_of_fold(self, left: Points, rows: np.ndarray, repeats: list[list[Fold]]) -> dict[str, np.ndarray]:
        """Probabilities ``(n_points, n_repeats, len(rows), n_genres)`` of candidates at the points left of each."""
        tasks, places = [], []
        for name, points in left.items():
            for number, folds in enumerate(repeats):
                for train, test in folds:
                    for together in self._fitted_together(name, points, train):
                        tasks.append(partial(self._predict, name, together, train, test))
                        places.append((name, [points.index(one) for one in together], number, test))
        proba = {name: np.zeros((len(points), len(repeats), len(rows), self.n_genres)) for name, points in left.items()}
        for (name, indices, number, test), values in zip(places, self._run(tasks), strict=True):
            proba[name][np.array(indices)[:, np.newaxis], number, np.searchsorted(rows, test)] = values
        return proba

    def _fitted_together(self, name: str, points: list[int], train: np.ndarray) -> list[list[int]]:
        """Points that differ in the number of trees alone are one fit: the first trees of many are those of few."""
        grid, fits = CANDIDATES[name].grid(self.labels[train]), dict[Hashable, list[int]]()
        for index in points:
            key = tuple((key, value) for key, value in grid[index].items() if key != "trees")
            fits.setdefault(key, []).append(index)
        return list(fits.values())

    def _predict(self, name: str, points: list[int], train: np.ndarray, test: np.ndarray) -> np.ndarray:
        """Probabilities ``(len(points), len(test), n_genres)`` before calibration, of points fitted together."""
        grid = CANDIDATES[name].grid(self.labels[train])
        largest = max((grid[index] for index in points), key=lambda point: point.get("trees", 0))
        pipeline = CANDIDATES[name].fit(largest, self.embeddings[train], self.labels[train], self.n_genres, self.seed)
        if len(points) == 1:
            return pipeline_predict_proba(pipeline, self.embeddings[test])[np.newaxis]
        columns = pipeline[:-1].transform(self.embeddings[test].astype(np.float64))
        parts = [pipeline[-1].predict_proba(columns, iteration_range=(0, grid[index]["trees"])) for index in points]
        return np.stack(parts).astype(np.float64)

    def _run(self, tasks: Sequence[Callable[[], Result]]) -> list[Result]:
        self.total += len(tasks)
        with ThreadPoolExecutor(usable_cores(), initializer=one_thread) as pool:
            futures: list[Any] = [pool.submit(task) for task in tasks]
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
