"""Fitted pipelines as arrays, and back: a model file holds numbers alone, and loading it executes nothing of it.

A pipeline is a list of steps, each a ``kind`` and its arrays. Trees become XGBoost's again, scaler and PCA
scikit-learn's, since their fitted attributes are public; linear classifiers and SVMs become the classes below, which
only compute margins.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator

from songmap.library.descriptors import describe, equal_families
from songmap.library.schema import LARGEST
from songmap.library.tree_file import tree_arrays, trees_of

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

Arrays = dict[str, np.ndarray]
_FUNCTIONS = {"descriptors": describe, "families": equal_families}
_SCALER = ("mean_", "scale_", "var_")
_PCA = ("components_", "mean_", "explained_variance_", "explained_variance_ratio_")


class _Restored(BaseEstimator):  # type: ignore[misc]
    """The last step of a pipeline, fitted before it was saved; scikit-learn's Pipeline wants to see that it is."""

    def fit(self, columns: np.ndarray, labels: np.ndarray) -> "_Restored":
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True


class LinearMargins(_Restored):
    """Margins of a linear classifier, ``x @ coef.T + intercept``."""

    def __init__(self, coef: np.ndarray, intercept: np.ndarray) -> None:
        self.coef, self.intercept = coef, intercept

    def decision_function(self, columns: np.ndarray) -> np.ndarray:
        """``(n_songs, n_genres)``; of two genres those of the second, ``(n_songs,)``."""
        margins = columns @ self.coef.T + self.intercept
        return margins[:, 0] if margins.shape[1] == 1 else margins


class KernelMargins(_Restored):
    """Margins of one SVM with an RBF kernel for each genre; of two genres, for the second alone.

    ``vectors (n, n_columns)`` are all genres' support vectors, ``coef (n_genres, n)`` their weights.
    """

    def __init__(self, vectors: np.ndarray, coef: np.ndarray, intercept: np.ndarray, gamma: np.ndarray) -> None:
        self.vectors, self.coef, self.intercept, self.gamma = vectors, coef, intercept, gamma

    def decision_function(self, columns: np.ndarray) -> np.ndarray:
        """``(n_songs, n_genres)``; of two genres those of the second, ``(n_songs,)``."""
        from sklearn.metrics.pairwise import rbf_kernel

        margins = rbf_kernel(columns, self.vectors, float(self.gamma)) @ self.coef.T + self.intercept
        return margins[:, 0] if margins.shape[1] == 1 else margins


class ConstantProba(_Restored):
    """The same probabilities ``proba (n_genres,)`` for every song."""

    def __init__(self, proba: np.ndarray) -> None:
        self.proba = proba

    def predict_proba(self, columns: np.ndarray) -> np.ndarray:
        return np.tile(self.proba, (len(columns), 1))


class NetworkProba(_Restored):
    """Probabilities of a network of dense layers with rectifiers (Glorot et al. 2011), by its weights and biases."""

    def __init__(self, layers: list[tuple[np.ndarray, np.ndarray]]) -> None:
        self.layers = layers

    def predict_proba(self, columns: np.ndarray) -> np.ndarray:
        """``(n_songs, n_genres)``; the last layer's output is one logit for two genres."""
        from scipy.special import softmax

        for place, (weights, biases) in enumerate(self.layers):
            columns = columns @ weights + biases
            columns = np.maximum(columns, 0) if place + 1 < len(self.layers) else columns
        if columns.shape[1] == 1:
            columns = np.hstack([np.zeros_like(columns), columns])
        return softmax(columns.astype(np.float64), axis=1)


def pipeline_steps(pipeline: "Pipeline") -> list[tuple[str, str, Arrays]]:
    """The steps of a fitted pipeline: the name, the kind and the arrays of each."""
    return [(name, *_step(name, step)) for name, step in pipeline.steps]


def _step(name: str, step: Any) -> tuple[str, Arrays]:
    from sklearn.decomposition import PCA
    from sklearn.dummy import DummyClassifier
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.neural_network import MLPClassifier
    from sklearn.preprocessing import FunctionTransformer, StandardScaler
    from xgboost import XGBClassifier

    match step:
        case FunctionTransformer():
            return name, {}
        case StandardScaler():
            return "scaler", {one: getattr(step, one) for one in _SCALER}
        case PCA():
            return "pca", {one: getattr(step, one) for one in _PCA} | {"noise": np.array(step.noise_variance_)}
        case XGBClassifier():
            return "trees", tree_arrays(step)
        case OneVsRestClassifier():
            return "kernel", _kernel_arrays(step.estimators_)
        case KernelMargins():
            return "kernel", {name: getattr(step, name) for name in ("vectors", "coef", "intercept", "gamma")}
        case MLPClassifier():
            return "network", _layer_arrays(zip(step.coefs_, step.intercepts_, strict=True))
        case NetworkProba():
            return "network", _layer_arrays(step.layers)
        case DummyClassifier():
            return "constant", {"proba": step.class_prior_}
        case _:
            return "linear", {"coef": step.coef_, "intercept": step.intercept_}


def compact(pipeline: "Pipeline") -> "Pipeline":
    """The same pipeline, an SVM for each genre as one step with every support vector once.

    It predicts several times sooner, since most vectors support many genres.
    """
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.pipeline import Pipeline

    name, last = pipeline.steps[-1]
    if not isinstance(last, OneVsRestClassifier):
        return pipeline
    return Pipeline([*pipeline.steps[:-1], (name, KernelMargins(**_kernel_arrays(last.estimators_)))])


def _layer_arrays(layers: Iterable[tuple[np.ndarray, np.ndarray]]) -> Arrays:
    arrays: Arrays = {}
    for place, (weights, biases) in enumerate(layers):
        arrays |= {f"weights{place}": weights, f"biases{place}": biases}
    return arrays


def _kernel_arrays(svms: list[Any]) -> Arrays:
    every = np.concatenate([svm.support_vectors_ for svm in svms])
    vectors, place = np.unique(every, axis=0, return_inverse=True)
    coef, row = (
        np.zeros((len(svms), len(vectors))),
        np.repeat(np.arange(len(svms)), [len(svm.support_) for svm in svms]),
    )
    np.add.at(coef, (row, place.ravel()), np.concatenate([svm.dual_coef_[0] for svm in svms]))
    intercept = np.concatenate([svm.intercept_ for svm in svms])
    return {"vectors": vectors, "coef": coef, "intercept": intercept, "gamma": np.array(svms[0].gamma)}


def pipeline_of(steps: list[tuple[str, str, Mapping[str, np.ndarray]]]) -> "Pipeline":
    """The pipeline of ``pipeline_steps``. Raises ValueError, KeyError or TypeError for what is none."""
    from sklearn.pipeline import Pipeline

    return Pipeline([(name, _restored(kind, arrays)) for name, kind, arrays in steps])


def _restored(kind: str, arrays: Mapping[str, np.ndarray]) -> Any:
    from sklearn.decomposition import PCA
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    match kind:
        case "scaler":
            if (arrays["scale_"] < 1 / LARGEST).any():
                raise ValueError("a scale of 0")
            return _with(StandardScaler(), {name: arrays[name] for name in _SCALER}, len(arrays["mean_"]))
        case "pca":
            fitted = {name: arrays[name] for name in _PCA} | {"noise_variance_": float(arrays["noise"])}
            pca = _with(PCA(len(arrays["components_"])), fitted, arrays["components_"].shape[1])
            pca.n_components_ = len(pca.components_)
            return pca
        case "trees":
            return trees_of(arrays)
        case "kernel":
            return KernelMargins(arrays["vectors"], arrays["coef"], arrays["intercept"], arrays["gamma"])
        case "linear":
            return LinearMargins(arrays["coef"], arrays["intercept"])
        case "network":
            return NetworkProba([(arrays[f"weights{n}"], arrays[f"biases{n}"]) for n in range(len(arrays) // 2)])
        case "constant":
            return ConstantProba(arrays["proba"])
        case _:
            return FunctionTransformer(_FUNCTIONS[kind])


def _with(estimator: Any, fitted: Mapping[str, Any], n_columns: int) -> Any:
    for name, value in fitted.items():
        setattr(estimator, name, value)
    estimator.n_features_in_ = n_columns
    return estimator
