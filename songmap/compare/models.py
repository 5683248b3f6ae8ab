"""The models that are compared: scikit-learn estimators with the points of their grids, all in ``MODELS``.

One line there adds a model: what makes the steps of its Pipeline for some training songs, and the points to choose from.
Where it is the model of 03, it is built by ``songmap.genre.candidates``; its descriptors step is left out, since the
features are what is compared. Every fit runs in one thread, and its seed is the comparison's.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from songmap.core.errors import UsageError
from songmap.genre.candidates import CANDIDATES, Point, Step
from songmap.genre.network import HIDDEN
from songmap.genre.splits import Fold, make_folds

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

INNER_FOLDS = 3
_MOST_LDA = 2000  # columns: its time grows with their number cubed
_ENDLESS = 1e9  # an improvement that no epoch reaches


@dataclass(frozen=True)
class TrainingRows:
    """What a model may know of its training songs beside their features: ``labels`` and ``groups (n_songs,)``."""

    labels: np.ndarray
    groups: np.ndarray
    n_columns: int
    seed: int

    @property
    def n_classes(self) -> int:
        return int(self.labels.max()) + 1

    @cached_property
    def folds(self) -> list[Fold]:
        """Inner folds, by group where that is possible, else by song; none where a class has one song."""
        by_group = make_folds(self.labels, self.groups, INNER_FOLDS, self.seed, least_training=1)
        return by_group or make_folds(self.labels, np.arange(len(self.labels)), INNER_FOLDS, self.seed, 1)


@dataclass(frozen=True)
class Model:
    """A model: its Pipeline's steps for a point of its ``grid`` and some training songs.

    It is not fitted on more than ``most_songs`` or ``most_columns``, where that would take hours. ``has_trees``: its last
    step has an importance of every column.
    """

    title: str
    steps: Callable[[Point, TrainingRows], list[Step]]
    grid: tuple[Point, ...] = ({},)
    most_songs: float = np.inf
    most_columns: float = np.inf
    has_trees: bool = False

    def build(self, point: Point, rows: TrainingRows, impute: bool = False) -> "Pipeline":
        """Its Pipeline, not fitted; ``impute``: missing values become the median of the training songs."""
        from sklearn.impute import SimpleImputer
        from sklearn.pipeline import Pipeline

        first = [("imputer", SimpleImputer(strategy="median", keep_empty_features=True))] if impute else []
        return Pipeline([*first, *self.steps(point, rows)])


def _grid(**values: tuple[Any, ...]) -> tuple[Point, ...]:
    return tuple(dict(zip(values, point, strict=True)) for point in product(*values.values()))


def _scaled(name: str, estimator: Any) -> list[Step]:
    from sklearn.preprocessing import StandardScaler

    return [("scaler", StandardScaler()), (name, estimator)]


def _candidate(name: str) -> Callable[[Point, TrainingRows], list[Step]]:
    """The steps of a candidate of 03, without its descriptors."""

    def steps(point: Point, rows: TrainingRows) -> list[Step]:
        built = CANDIDATES[name].build(point, len(rows.labels), rows.n_classes, rows.seed)
        kept = [(step, estimator) for step, estimator in built.steps if step != "descriptors"]
        if name == "pca_xgboost":
            built.named_steps["pca"].n_components = min(point["components"], rows.n_columns, len(rows.labels) - 1)
        return kept

    return steps


def _dense(point: Point, rows: TrainingRows) -> list[Step]:
    """So many epochs, no more and no fewer: after the first, none counts as an improvement."""
    from sklearn.neural_network import MLPClassifier

    epochs, batch = point["epochs"], min(point["batch"], len(rows.labels))
    network = MLPClassifier(
        HIDDEN, batch_size=batch, alpha=point["alpha"], max_iter=epochs + 1, tol=_ENDLESS,
        n_iter_no_change=epochs - 2, random_state=rows.seed,
    )  # fmt: skip
    return _scaled("network", network)


def _dense_stopped(point: Point, rows: TrainingRows) -> list[Step]:
    """Training stops by songs of other groups, which scikit-learn's own early stopping does not keep apart."""
    from sklearn.neural_network import MLPClassifier

    from songmap.compare.stopped_network import StoppedNetwork

    network = MLPClassifier(HIDDEN, batch_size=point["batch"], alpha=point["alpha"])
    return _scaled("network", StoppedNetwork(network, np.unique(rows.groups, return_inverse=True)[1], rows.seed))


def _forest(point: Point, rows: TrainingRows) -> list[Step]:
    from sklearn.ensemble import RandomForestClassifier

    return [("trees", RandomForestClassifier(**point, n_jobs=1, random_state=rows.seed))]


def _extra_trees(point: Point, rows: TrainingRows) -> list[Step]:
    from sklearn.ensemble import ExtraTreesClassifier

    return [("trees", ExtraTreesClassifier(**point, n_jobs=1, random_state=rows.seed))]


def _svm(point: Point, rows: TrainingRows) -> list[Step]:
    """Probabilities by Platt's sigmoid on songs of inner folds, on the training songs where a genre has only one."""
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.svm import SVC

    svm = SVC(C=point["C"], gamma="scale", class_weight="balanced", cache_size=500)
    everything = np.arange(len(rows.labels))
    return _scaled("svm", CalibratedClassifierCV(svm, ensemble=False, cv=rows.folds or [(everything, everything)]))


def _knn(point: Point, rows: TrainingRows) -> list[Step]:
    from sklearn.neighbors import KNeighborsClassifier

    return _scaled("knn", KNeighborsClassifier(min(point["n_neighbors"], len(rows.labels))))


def _naive_bayes(point: Point, rows: TrainingRows) -> list[Step]:
    from sklearn.naive_bayes import GaussianNB

    return _scaled("naive_bayes", GaussianNB())


def _members(rows: TrainingRows, *names: str) -> list[tuple[str, Any]]:
    """Some models at the first point of their grids."""
    return [(name, MODELS[name].build(MODELS[name].grid[0], rows)) for name in names]


def _average(point: Point, rows: TrainingRows) -> list[Step]:
    from sklearn.ensemble import VotingClassifier

    return [("average", VotingClassifier(_members(rows, "lda", "xgboost"), voting="soft"))]


def _stacking(point: Point, rows: TrainingRows) -> list[Step]:
    """A logistic regression on the members' probabilities for songs of inner folds."""
    from sklearn.ensemble import StackingClassifier
    from sklearn.linear_model import LogisticRegression

    members = _members(rows, "lda", "xgboost", "forest")
    stack = StackingClassifier(members, LogisticRegression(), cv=rows.folds, stack_method="predict_proba")
    return [("stacking", stack)]


MODELS: dict[str, Model] = {
    "lda": Model("shrinkage LDA", _candidate("lda"), most_columns=_MOST_LDA),
    "logistic": Model("logistic regression", _candidate("logistic"), _grid(C=(1e-2, 1e-1, 1))),
    "svm": Model("RBF SVM", _svm, _grid(C=(1, 10)), most_songs=10_000),
    "knn": Model("k nearest neighbours", _knn, _grid(n_neighbors=(5, 1, 15)), most_songs=50_000),
    "naive_bayes": Model("Gaussian naive Bayes", _naive_bayes),
    "forest": Model(
        "random forest", _forest, has_trees=True,
        grid=_grid(max_depth=(None,), min_samples_split=(2, 6), n_estimators=(100,)),
    ),
    "forest_published": Model(
        "random forest (published)", _forest, has_trees=True,
        grid=_grid(max_depth=(None,), min_samples_split=(3,), n_estimators=(70,)),
    ),
    "extra_trees": Model(
        "extra trees", _extra_trees, has_trees=True,
        grid=_grid(max_depth=(None,), min_samples_split=(2, 6), n_estimators=(100,)),
    ),
    "extra_trees_published": Model(
        "extra trees (published)", _extra_trees, has_trees=True,
        grid=_grid(max_depth=(None,), min_samples_split=(4,), n_estimators=(50,)),
    ),
    "xgboost": Model("XGBoost", _candidate("xgboost"), _grid(depth=(2, 4), trees=(100,)), has_trees=True),
    "pca_xgboost": Model(
        "PCA + XGBoost", _candidate("pca_xgboost"), _grid(components=(8, 30), depth=(2,), trees=(100,))
    ),
    "dense_published": Model(
        "dense network (published)", _dense, _grid(epochs=(250,), batch=(256,), alpha=(0.0,))
    ),
    "dense": Model("dense network (tuned)", _dense, _grid(epochs=(60,), batch=(32,), alpha=(1e-2, 1.0))),
    "dense_stopped": Model("dense network (early stopping)", _dense_stopped, _grid(batch=(32,), alpha=(1e-2, 1.0))),
    "average": Model("average of LDA and XGBoost", _average, most_columns=_MOST_LDA),
    "stacking": Model("stacking (LDA, XGBoost, forest)", _stacking, most_columns=_MOST_LDA),
    "majority": Model("most frequent genre", _candidate("majority")),
}  # fmt: skip


def model_names(requested: list[str]) -> list[str]:
    """Names of models, ``all`` replaced, each once, ``majority`` among them. Raises UsageError for an unknown name."""
    names = [name for one in requested for name in (MODELS if one == "all" else (one,))]
    for name in names:
        if name not in MODELS:
            raise UsageError(f"no model {name!r}; there are {', '.join([*MODELS, 'all'])}")
    return list(dict.fromkeys([*names, "majority"]))
