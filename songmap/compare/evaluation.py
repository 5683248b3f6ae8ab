"""Fits of models on folds: nested, each in one thread, several processes at once, and kept so that a killed run goes on.

A point of a grid is chosen by inner folds of the fold's training songs, by group too: test songs decide nothing.
"""

import inspect
import pickle
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, as_completed
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

import songmap
from songmap.compare import models
from songmap.compare.dataset import Dataset
from songmap.compare.models import MODELS, Model, TrainingRows
from songmap.compare.store import FittedFold, FoldStore, key_of
from songmap.core.processes import process_pool
from songmap.core.progress import OnProgress
from songmap.genre import candidates, network
from songmap.genre.candidates import Point
from songmap.genre.fit import one_thread
from songmap.genre.metrics import LEAST
from songmap.genre.splits import Fold
from songmap.library.versions import library_versions

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

_PREDICTED = 1000  # songs of which the prediction time is measured


@dataclass(frozen=True)
class Task:
    """A model on a feature set, to be trained on the first and tested on the second rows of ``fold``.

    ``is_grouped``: inner folds keep groups together, as the fold does.
    """

    model: str
    features: str
    fold: Fold
    is_grouped: bool = True


@dataclass(frozen=True)
class Fitter:
    """Fits models on folds of one dataset: all that a process needs for that."""

    dataset: Dataset
    seed: int

    def rows(self, task: Task) -> TrainingRows:
        """What the task's model may know of its training songs."""
        train, features = task.fold[0], self.dataset.features[task.features]
        groups = self.dataset.groups[train] if task.is_grouped else np.arange(len(train))
        return TrainingRows(_own_type(self.dataset.labels)[train], groups, features.values.shape[1], self.seed)

    def fit(self, task: Task) -> FittedFold:
        """The task's model, trained and tested."""
        values, (train, test) = _own_type(self.dataset.features[task.features].values), task.fold
        started = time.thread_time()
        pipeline, point = fit_nested(MODELS[task.model], values[train], self.rows(task), self.dataset.impute)
        trained = time.thread_time()
        pipeline.predict_proba(np.resize(values[test], (_PREDICTED, values.shape[1])))
        predicted = time.thread_time()
        accuracy = float((pipeline.predict_proba(values[train]).argmax(axis=1) == self.dataset.labels[train]).mean())
        proba = pipeline.predict_proba(values[test]).astype(np.float64)
        return FittedFold(
            proba, accuracy, trained - started, predicted - trained, len(pickle.dumps(pipeline, protocol=5)), point
        )


def _own_type(values: np.ndarray) -> np.ndarray:
    """The same, with numpy's own object for its type: another, as processes receive it, makes pickled models larger."""
    return values.view(values.dtype.type)


_of_this_process: list[Fitter] = []  # where it is one of a pool: sent once, not with every task


def _start(fitter: Fitter) -> None:
    one_thread()
    _of_this_process.append(fitter)


def _fit(task: Task) -> FittedFold:
    return _of_this_process[0].fit(task)


@contextmanager
def open_evaluator(
    dataset: Dataset, seed: int, workers: int, store: FoldStore, on_progress: OnProgress | None
) -> "Iterator[Evaluator]":
    """An evaluator that fits in ``workers`` processes, or in this one; Python alone keeps threads from saving time."""
    fitter = Fitter(dataset, seed)
    with (
        nullcontext() if workers == 1 else process_pool(workers, "fits models", partial(_start, fitter)) as pool,
        one_thread(),
    ):
        yield Evaluator(fitter, pool, store, on_progress)


class Evaluator:
    """Fits models on folds of one dataset, in a pool's processes or here, and reports progress."""

    def __init__(self, fitter: Fitter, pool: Executor | None, store: FoldStore, on_progress: OnProgress | None) -> None:
        from songmap.compare import stopped_network

        self.fitter, self.dataset, self.seed = fitter, fitter.dataset, fitter.seed
        self._pool, self._store, self._on_progress = pool, store, on_progress
        self._done = self._total = 0
        code = "".join(map(inspect.getsource, (models, candidates, network, stopped_network))).encode()
        versions, dataset = repr(sorted(library_versions().items())), self.dataset
        base = (code, songmap.__version__, versions, str(self.seed), str(dataset.impute), dataset.key)
        self._bases = {name: key_of(*base, one.values) for name, one in dataset.features.items()}

    def plan(self, n_tasks: int) -> None:
        """Announce tasks, so that progress is of all there is to do."""
        self._total += n_tasks

    def run(self, tasks: Sequence[Task]) -> list[FittedFold]:
        """The fits, in the order of the tasks."""
        keys = [self._key(task) for task in tasks]
        fits = {key: fit for key in keys if (fit := self._store.get(key))}
        left = {key: task for key, task in zip(keys, tasks, strict=True) if key not in fits}
        self.advance(len(tasks) - len(left))
        for key, fit in self._fitted(left):
            fits[key] = fit
            self._store.add(key, fit)
            self.advance(1)
        return [fits[key] for key in keys]

    def _fitted(self, tasks: Mapping[str, Task]) -> Iterator[tuple[str, FittedFold]]:
        """The fits as they end, by the tasks' keys."""
        if self._pool is None:
            yield from ((key, self.fitter.fit(task)) for key, task in tasks.items())
            return
        futures = {self._pool.submit(_fit, task): key for key, task in tasks.items()}
        yield from ((futures[future], future.result()) for future in as_completed(futures))

    def advance(self, n_tasks: int) -> None:
        """Report so many tasks as finished."""
        self._done += n_tasks
        if self._on_progress:
            self._on_progress(self._done, max(self._total, self._done))

    def _key(self, task: Task) -> str:
        return key_of(self._bases[task.features], task.model, str(task.is_grouped), *task.fold)


def fit_nested(model: Model, values: np.ndarray, rows: TrainingRows, impute: bool) -> tuple["Pipeline", Point]:
    """A model fitted on training songs ``values (n_songs, n_columns)``, at the point that their inner folds choose.

    That with the highest accuracy; of equal ones that with the smallest log loss, then the first of the grid.
    """
    point = model.grid[0]
    if len(model.grid) > 1 and rows.folds:
        scores = [_inner_score(model, one, values, rows, impute) for one in model.grid]
        point = model.grid[max(range(len(scores)), key=lambda index: scores[index])]
    return model.build(point, rows, impute).fit(values, rows.labels), point


def _inner_score(
    model: Model, point: Point, values: np.ndarray, rows: TrainingRows, impute: bool
) -> tuple[float, float]:
    """Accuracy, and log loss negated, over the inner folds' test songs."""
    right, own = [], []
    for train, test in rows.folds:
        inner = replace(rows, labels=rows.labels[train], groups=rows.groups[train])
        proba = model.build(point, inner, impute).fit(values[train], inner.labels).predict_proba(values[test])
        right.append(proba.argmax(axis=1) == rows.labels[test])
        own.append(proba[np.arange(len(test)), rows.labels[test]].astype(np.float64))
    losses = -np.log(np.clip(np.concatenate(own), LEAST, None))
    return float(np.concatenate(right).mean()), -float(losses.mean())
