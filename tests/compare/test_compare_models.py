"""The table of models: every one is fitted, and as its description says."""

import warnings

import numpy as np
import pytest

from songmap.compare.evaluation import fit_nested
from songmap.compare.models import MODELS, TrainingRows, model_names
from songmap.compare.store import open_store
from songmap.core.errors import SchemaError, UsageError
from songmap.genre.fit import one_thread

RNG = np.random.default_rng(0)
LABELS = np.repeat([0, 1, 2], 10)
VALUES = RNG.normal(size=(30, 4)) + 3 * LABELS[:, np.newaxis]
ROWS = TrainingRows(LABELS, np.arange(30) // 2, 4, seed=0)


@pytest.fixture(autouse=True)
def single_thread():
    with one_thread():
        yield


@pytest.mark.parametrize("name", MODELS)
def test_every_model_fits_a_small_table(name):
    """Fewer columns than PCA takes components; no warning, such as of a network that has not converged."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pipeline, point = fit_nested(MODELS[name], VALUES, ROWS, impute=False)
    proba = pipeline.predict_proba(VALUES)
    assert proba.shape == (30, 3)
    assert proba.sum(axis=1) == pytest.approx(1)
    assert point in MODELS[name].grid
    if name != "majority":
        assert (proba.argmax(axis=1) == LABELS).mean() > 0.9


@pytest.mark.parametrize("name", MODELS)
def test_every_model_fits_a_genre_of_three_songs(name):
    """The fewest that a fold is trained on: inner folds leave one of them, which cannot be divided again."""
    labels = np.array([0] * 3 + [1] * 20)
    values = np.random.default_rng(0).normal(size=(23, 4)) + 3 * labels[:, np.newaxis]
    rows = TrainingRows(labels, np.array([0, 1, 1, *range(2, 22)]), 4, seed=0)
    pipeline, _ = fit_nested(MODELS[name], values, rows, impute=False)
    assert np.isfinite(pipeline.predict_proba(values)).all()


def test_published_points():
    forest = MODELS["forest_published"].build(MODELS["forest_published"].grid[0], ROWS)[-1]
    assert (forest.max_depth, forest.min_samples_split, forest.n_estimators) == (None, 3, 70)
    extra = MODELS["extra_trees_published"].build(MODELS["extra_trees_published"].grid[0], ROWS)[-1]
    assert (extra.max_depth, extra.min_samples_split, extra.n_estimators) == (None, 4, 50)
    network = MODELS["dense_published"].build(MODELS["dense_published"].grid[0], ROWS).fit(VALUES, LABELS)[-1]
    assert network.hidden_layer_sizes == (256, 128, 64)
    assert network.n_iter_ == 250


def test_a_stopped_network_is_that_of_the_epoch_with_the_smallest_loss_on_other_groups():
    """Labels are of groups, so that training songs of the same group say nothing of other groups: it stops at once."""
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(24), 4)
    labels = rng.permutation(np.arange(24) % 2)[groups]
    values = rng.normal(size=(24, 8))[groups] + 0.05 * rng.normal(size=(96, 8))
    by_group, by_row = (
        MODELS["dense_stopped"].build({"batch": 32, "alpha": 1e-2}, TrainingRows(labels, own, 8, 0)).fit(values, labels)
        for own in (groups, np.arange(96))
    )
    assert by_group[-1].network_.t_ < by_row[-1].network_.t_ / 2  # rows trained on, epoch by epoch


def test_inner_folds_keep_groups_together():
    assert len(ROWS.folds) == 3
    for train, test in ROWS.folds:
        assert not set(ROWS.groups[train]) & set(ROWS.groups[test])


def test_missing_values_are_filled_by_the_training_songs():
    values = VALUES.copy()
    values[0, 0] = np.nan
    pipeline, _ = fit_nested(MODELS["lda"], values, ROWS, impute=True)
    assert pipeline[0].statistics_[0] == pytest.approx(np.nanmedian(values[:, 0]))


def test_an_unknown_model_is_an_error():
    assert model_names(["lda"]) == ["lda", "majority"]
    with pytest.raises(UsageError, match="no model 'lad'"):
        model_names(["lad"])


def test_a_store_that_cannot_be_opened_need_not_be_deleted(tmp_path):
    with pytest.raises(SchemaError, match="is the disk full or read-only"), open_store(tmp_path, "data"):
        pass
