"""Two models that are equal by construction, fitted on real folds: how often their difference is called real."""

import numpy as np
import pytest

from songmap.compare.dataset import Dataset, class_sizes
from songmap.compare.evaluation import Task, open_evaluator
from songmap.compare.feature_sets import Features
from songmap.compare.results import DataSummary
from songmap.compare.scores import differences, put_together
from songmap.compare.store import open_store

N_ARTISTS, N_SONGS, N_COLUMNS = 16, 48, 6
NAMES = tuple(f"mfcc{column}" for column in range(N_COLUMNS))


def one_dataset(rng: np.random.Generator, right: float = 0.5) -> Dataset:
    """Similar songs of few artists, and two tables of them whose columns are of one distribution where ``right`` is 0.5.

    A model on one table is then exactly as good as on the other, on average over songs; on one draw of songs it is not.
    """
    groups = np.arange(N_SONGS) * N_ARTISTS // N_SONGS
    labels = groups % 2
    tables = {}
    for name, shift in (("left", 0.5), ("right", right)):
        of_artists = rng.normal(size=(N_ARTISTS, N_COLUMNS))[groups]
        values = shift * labels[:, np.newaxis] + of_artists + rng.normal(size=(N_SONGS, N_COLUMNS))
        tables[name] = Features(values, NAMES, NAMES)
    genres = class_sizes(labels, groups, ["A", "B"])
    return Dataset(tables, labels, groups, DataSummary(N_SONGS, N_ARTISTS, "artist", False, genres, [], None))


def is_real(dataset: Dataset, model: str, n_repeats: int = 3) -> bool:
    repeats = dataset.repeats(n_repeats, 0)
    tasks = {name: [Task(model, name, fold) for folds in repeats for fold in folds] for name in ("left", "right")}
    with open_store(None, dataset.key) as store, open_evaluator(dataset, 0, 1, store, None) as evaluator:
        fits = {(model, name): put_together(evaluator.run(own), repeats, dataset.labels) for name, own in tasks.items()}
    test_share = float(np.mean([len(test) / len(dataset.labels) for folds in repeats for _, test in folds]))
    (one,) = differences(fits, (model, "left"), test_share)
    return one.is_real


def share_of_real(model: str, n_runs: int) -> float:
    return np.mean([is_real(one_dataset(np.random.default_rng(seed)), model) for seed in range(n_runs)])


def test_equal_models_are_not_different_in_93_percent_of_runs():
    assert share_of_real("naive_bayes", 40) <= 0.07


@pytest.mark.slow
@pytest.mark.parametrize("model", ["naive_bayes", "lda"])
def test_equal_models_are_not_different_in_93_percent_of_many_runs(model):
    assert share_of_real(model, 300) <= 0.07


def test_models_that_are_not_equal_are_told_apart():
    assert np.mean([is_real(one_dataset(np.random.default_rng(seed), 4), "naive_bayes") for seed in range(5)]) >= 0.8
