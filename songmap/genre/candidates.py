"""The candidates: Pipelines on raw columns ``(n_songs, 641)``, their grids of parameters, and the references.

Labels are integers ``(n_songs,)``, 0 … n_genres - 1. A candidate's grid is a list of points, the simplest first.
Linear candidates and the SVM see the 157 descriptors, trees the 641 columns.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from songmap.library.descriptors import describe, equal_families
from songmap.library.schema import FAMILIES, N_COLUMNS

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

# In order of simplicity: how a candidate decides can be read from its weights, from songs near the boundary, from
# trees on components, from trees on columns, not at all.
CHOSEN_FROM = ("lda", "logistic", "svm", "pca_xgboost", "xgboost", "average")
EXPLAINED = "pca_xgboost"  # always trained, evaluated and explained with SHAP values
REFERENCES = ("published", "majority")  # used on request only
PUBLISHED_COMPONENTS = 15
# Tuned for two genres and 300 songs. A tree's leaf must hold a Hessian of min_child_weight, and of two genres a song
# brings at most p(1 - p) = 0.25 of it: with 48 songs the published 5, with gamma 2, forbids every split.
PUBLISHED: dict[str, float] = {
    "n_estimators": 50, "max_depth": 2, "learning_rate": 0.03, "subsample": 0.6, "colsample_bytree": 0.6,
    "min_child_weight": 5, "gamma": 2, "reg_alpha": 0.5, "reg_lambda": 2,
}  # fmt: skip
COMPONENTS = ((1 / 8, 50), (1 / 2, 120))  # per training song, at most
TREES = (50, 100, 200)  # all taken from one fit
LEARNING_RATE = 0.1

Point = dict[str, Any]
Step = tuple[str, Any]


@dataclass(frozen=True)
class Candidate:
    """A model that can be fitted.

    Attributes
    ----------
    title : str
    steps : callable
        ``steps(point, n_songs, n_genres, seed)`` gives the Pipeline's steps for so many training songs.
    grid : callable
        ``grid(labels)`` gives the points to choose from for these training songs, always equally many.
    members : tuple of str
        Of a geometric mean, the candidates whose probabilities are multiplied; it has no steps of its own.
    weighted : bool
        The last step takes sample weights, by which all genres have equal weight.
    calibrated : bool
        Its probabilities are calibrated.
    most_songs : int or None
        It is never fitted on more, where that would take hours.
    has_components : bool
        It is trees on principal components, which SHAP values explain.
    """

    title: str
    steps: Callable[[Point, int, int, int], list[Step]] = lambda point, n_songs, n_genres, seed: []
    grid: Callable[[np.ndarray], list[Point]] = lambda labels: [{}]
    members: tuple[str, ...] = ()
    weighted: bool = False
    calibrated: bool = True
    most_songs: int | None = None
    has_components: bool = False

    def build(self, point: Point, n_songs: int, n_genres: int, seed: int) -> "Pipeline":
        """Its Pipeline for so many training songs, not fitted."""
        from sklearn.pipeline import Pipeline

        return Pipeline(self.steps(point, n_songs, n_genres, seed))

    def fit(self, point: Point, embeddings: np.ndarray, labels: np.ndarray, n_genres: int, seed: int) -> "Pipeline":
        """Its Pipeline fitted on ``(n_songs, 641)`` and ``(n_songs,)``; every genre must occur."""
        pipeline = self.build(point, len(labels), n_genres, seed)
        weights = {}
        if self.weighted:
            weight = len(labels) / (n_genres * np.bincount(labels, minlength=n_genres))
            weights = {f"{pipeline.steps[-1][0]}__sample_weight": weight[labels]}
        return pipeline.fit(embeddings.astype(np.float64), labels, **weights)


def _columns() -> list[Step]:
    """Standardised columns."""
    from sklearn.preprocessing import StandardScaler

    return [("scaler", StandardScaler())]


def _descriptors() -> list[Step]:
    """Standardised descriptors."""
    from sklearn.preprocessing import FunctionTransformer

    return [("descriptors", FunctionTransformer(describe)), *_columns()]


def _components(number: int, n_songs: int) -> Any:
    """PCA with ``number`` components, at most ``n_songs - 1``: more directions than that do not vary."""
    from sklearn.decomposition import PCA

    # the covariance's eigenvectors, where there are more songs than columns: the same axes, much sooner
    solver = "full" if n_songs <= N_COLUMNS else "covariance_eigh"
    return PCA(max(1, min(number, n_songs - 1, N_COLUMNS)), svd_solver=solver)


def boosted_trees(n_genres: int, seed: int, **parameters: float) -> Any:
    """One thread, since the sums of several differ in their last bits and then choose other splits."""
    from xgboost import XGBClassifier

    objective = "binary:logistic" if n_genres == 2 else "multi:softprob"
    return XGBClassifier(**parameters, objective=objective, tree_method="hist", n_jobs=1, random_state=seed)


def _adapted_trees(point: Point, n_genres: int, seed: int, columns: float) -> Any:
    """Trees whose leaves hold at least one song, against a pull to zero (lambda) of one song, at the first tree.

    Before the first tree a song's Hessian is p(1 - p), twice that with more than two genres (XGBoost's softmax), at
    p = 1 / n_genres: fixed limits would demand ever larger leaves, the more genres there are.
    """
    hessian = (1 if n_genres == 2 else 2) * (1 - 1 / n_genres) / n_genres
    return boosted_trees(
        n_genres, seed, n_estimators=point["trees"], max_depth=point["depth"], learning_rate=LEARNING_RATE,
        subsample=0.7, colsample_bytree=columns, min_child_weight=hessian, reg_lambda=hessian,
    )  # fmt: skip


def _depths(labels: np.ndarray) -> tuple[int, int]:
    """Depths worth trying: interactions need songs per genre."""
    per_genre = len(labels) / len(np.unique(labels))
    return (1, 2) if per_genre < 50 else (2, 3) if per_genre < 500 else (2, 4)


def _component_grid(labels: np.ndarray) -> list[Point]:
    few, many = (int(np.clip(len(labels) * share, 4, most)) for share, most in COMPONENTS)
    names = ("components", "depth", "trees")
    return [dict(zip(names, point, strict=True)) for point in product((few, many), _depths(labels), TREES)]


def _column_grid(labels: np.ndarray) -> list[Point]:
    return [{"depth": _depths(labels)[0], "trees": trees} for trees in TREES]


def _pca_xgboost(point: Point, n_songs: int, n_genres: int, seed: int) -> list[Step]:
    trees = _adapted_trees(point, n_genres, seed, 0.7)
    return [*_columns(), ("pca", _components(point["components"], n_songs)), ("trees", trees)]


def _published(point: Point, n_songs: int, n_genres: int, seed: int) -> list[Step]:
    trees = boosted_trees(n_genres, seed, **PUBLISHED)
    return [*_columns(), ("pca", _components(PUBLISHED_COMPONENTS, n_songs)), ("trees", trees)]


def _xgboost(point: Point, n_songs: int, n_genres: int, seed: int) -> list[Step]:
    return [*_columns(), ("trees", _adapted_trees(point, n_genres, seed, 0.1))]


def _lda(point: Point, n_songs: int, n_genres: int, seed: int) -> list[Step]:
    """Shrinkage as by Ledoit & Wolf (2004); all genres have equal weight."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    even = np.full(n_genres, 1 / n_genres)
    return [*_descriptors(), ("lda", LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto", priors=even))]


def _logistic(point: Point, n_songs: int, n_genres: int, seed: int) -> list[Step]:
    from sklearn.linear_model import LogisticRegression

    return [*_descriptors(), ("logistic", LogisticRegression(C=point["C"], max_iter=2000, tol=1e-3))]


def _svm(point: Point, n_songs: int, n_genres: int, seed: int) -> list[Step]:
    """One SVM for each genre against all others; families of descriptors have equal weight in its distances.

    Margins of one genre against the rest are comparable between genres, and so can be calibrated together. The squared
    distance of two songs, divided by the number of families, is 2 on average.
    """
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.preprocessing import FunctionTransformer
    from sklearn.svm import SVC

    svm = OneVsRestClassifier(SVC(C=point["C"], gamma=1 / len(FAMILIES), class_weight="balanced", cache_size=500))
    return [*_descriptors(), ("families", FunctionTransformer(equal_families)), ("svm", svm)]


def _majority(point: Point, n_songs: int, n_genres: int, seed: int) -> list[Step]:
    from sklearn.dummy import DummyClassifier

    return [("majority", DummyClassifier(strategy="prior"))]


def _strengths(*values: float) -> Callable[[np.ndarray], list[Point]]:
    return lambda labels: [{"C": value} for value in values]


CANDIDATES: dict[str, Candidate] = {
    "lda": Candidate("shrinkage LDA", _lda),
    "logistic": Candidate("logistic regression", _logistic, _strengths(1e-2, 1e-1, 1), weighted=True),
    "svm": Candidate("RBF SVM", _svm, _strengths(1, 10), most_songs=4_000),
    "pca_xgboost": Candidate("PCA + XGBoost", _pca_xgboost, _component_grid, weighted=True, has_components=True),
    "xgboost": Candidate("XGBoost", _xgboost, _column_grid, weighted=True),
    "average": Candidate("LDA × XGBoost, geometric mean", members=("lda", "xgboost")),
    "published": Candidate("PCA + XGBoost, published parameters", _published, calibrated=False, has_components=True),
    "majority": Candidate("most frequent genre", _majority, calibrated=False),
}


def members_of(name: str) -> tuple[str, ...]:
    """The candidates with a Pipeline that a candidate consists of: itself, or those of a geometric mean."""
    return CANDIDATES[name].members or (name,)


def points_of(name: str, labels: np.ndarray) -> list[tuple[Point, ...]]:
    """What there is to choose from for these training songs: a point for each member."""
    return list(product(*(CANDIDATES[member].grid(labels) for member in members_of(name))))
