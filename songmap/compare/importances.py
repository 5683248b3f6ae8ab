"""Which families of columns matter: permutation, impurity and SHAP side by side, of models that did not see the songs.

Columns of a family are correlated: shuffled one by one, each seems useless, since the others replace it. Families are
therefore shuffled as a whole, and shares of impurity and SHAP are summed over a family.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from songmap.compare.evaluation import Evaluator, Task, fit_nested
from songmap.compare.models import MODELS
from songmap.compare.results import FamilyImportance, Importances

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

_N_SHUFFLES = 10
_N_EXPLAINED = 50  # held-out songs of a fold


@dataclass(frozen=True)
class FoldImportance:
    """Of one fold, by family ``(n_families,)``: accuracy lost, and shares of impurity and of mean |SHAP|."""

    permutation: np.ndarray
    impurity: np.ndarray | None
    shap: np.ndarray | None


def importances(evaluator: Evaluator, tasks: Sequence[Task], trees: str | None) -> Importances:
    """Importances for the variant of ``tasks``, one per fold; ``trees`` names a model of trees on the same features."""
    features = evaluator.dataset.features[tasks[0].features]
    families = list(dict.fromkeys(features.families))
    place = np.array([families.index(one) for one in features.families])
    folds = []
    for task in tasks:
        folds.append(_fold(evaluator, task, trees, place))
        evaluator.advance(1)
    lost = np.array([one.permutation for one in folds])
    impurity = [one.impurity for one in folds if one.impurity is not None]
    shap = [one.shap for one in folds if one.shap is not None]
    each = [
        FamilyImportance(
            family, int((place == index).sum()), float(lost[:, index].mean()), float(lost[:, index].std()),
            float(np.mean([one[index] for one in impurity])) if impurity else None,
            float(np.mean([one[index] for one in shap])) if shap else None,
        )
        for index, family in enumerate(families)
    ]  # fmt: skip
    ranked = sorted(each, key=lambda one: -one.permutation)
    return Importances(tasks[0].model, tasks[0].features, trees, ranked)


def _fold(evaluator: Evaluator, task: Task, trees: str | None, place: np.ndarray) -> FoldImportance:
    values, (train, test) = evaluator.dataset.features[task.features].values, task.fold
    rows, impute = evaluator.fitter.rows(task), evaluator.dataset.impute
    pipeline, _ = fit_nested(MODELS[task.model], values[train], rows, impute)
    labels, rng = evaluator.dataset.labels[test], np.random.default_rng(evaluator.seed)
    full = (pipeline.predict_proba(values[test]).argmax(axis=1) == labels).mean()
    lost = np.zeros(place.max() + 1)
    for family in range(len(lost)):
        own = np.flatnonzero(place == family)
        for _ in range(_N_SHUFFLES):
            shuffled = values[test].copy()
            shuffled[:, own] = shuffled[rng.permutation(len(test))][:, own]
            right = (pipeline.predict_proba(shuffled).argmax(axis=1) == labels).mean()
            lost[family] += (full - right) / _N_SHUFFLES
    if trees is None:
        return FoldImportance(lost, None, None)
    fitted = pipeline if trees == task.model else fit_nested(MODELS[trees], values[train], rows, impute)[0]
    impurity = _shares(fitted[-1].feature_importances_, place)
    return FoldImportance(lost, impurity, _shares(_mean_shap(fitted, values[test][:_N_EXPLAINED]), place))


def _mean_shap(pipeline: "Pipeline", values: np.ndarray) -> np.ndarray:
    """Mean |SHAP| of every column, over songs and genres."""
    import shap

    scaled = values if len(pipeline) == 1 else pipeline[:-1].transform(values)
    explained = np.abs(shap.TreeExplainer(pipeline[-1])(scaled, check_additivity=False).values)
    return explained.mean(axis=(0, 2)) if explained.ndim == 3 else explained.mean(axis=0)


def _shares(of_columns: np.ndarray, place: np.ndarray) -> np.ndarray:
    total = np.bincount(place, of_columns)
    return total / max(float(total.sum()), np.finfo(float).tiny)
