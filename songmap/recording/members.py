"""The two classifiers of segments that are joined: a dense network and gradient-boosted trees, on descriptors.

A third, on spectrograms, can join them: ``songmap.recording.image_member``.

``descriptors (n_segments, 157)``, ``labels (n_segments,)`` integers 0 … n_genres - 1, of which each occurs, ``groups
(n_segments,)``: songs that stay together. A fitted member is a Pipeline on raw columns ``(n_segments, 641)``.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from songmap.genre.candidates import boosted_trees
from songmap.genre.splits import make_folds
from songmap.library.descriptors import describe
from songmap.library.genre_model import LEAST

if TYPE_CHECKING:
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import Pipeline

MEMBERS = ("network", "xgboost")
IMAGE_MEMBER = "cnn"
HIDDEN = (256, 128, 64)
NETWORK: dict[str, Any] = {"hidden_layer_sizes": HIDDEN, "alpha": 1e-2, "learning_rate_init": 1e-3}
BATCH = 128
TREES: dict[str, Any] = {
    "n_estimators": 100, "max_depth": 3, "learning_rate": 0.15, "subsample": 0.7, "colsample_bytree": 0.3,
    "min_child_weight": 1, "reg_lambda": 1,
}  # fmt: skip
MAX_EPOCHS, PATIENCE = 60, 6
_VALIDATION_FOLDS = 8  # one of them decides when the network's training stops


def fit_member(name: str, descriptors: np.ndarray, labels: np.ndarray, groups: np.ndarray, seed: int) -> "Pipeline":
    """One of ``MEMBERS``, fitted."""
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    scaler = StandardScaler().fit(descriptors)
    scaled = scaler.transform(descriptors)
    if name == "network":
        last = fit_network(scaled, labels, groups, seed)
    else:
        last = boosted_trees(int(labels.max()) + 1, seed, **TREES).fit(scaled, labels)
    return Pipeline([("descriptors", FunctionTransformer(describe)), ("scaler", scaler), (name, last)])


def fit_network(scaled: np.ndarray, labels: np.ndarray, groups: np.ndarray, seed: int) -> "MLPClassifier":
    """The network of the epoch with the smallest log loss on segments of songs that stay out of its training.

    scikit-learn's own early stopping takes segments at random, others of whose song are trained on: it stops too late.
    Where the groups allow no such split, training ends after ``PATIENCE`` epochs.
    """
    from sklearn.neural_network import MLPClassifier

    network = MLPClassifier(**NETWORK | {"batch_size": min(BATCH, len(labels))}, random_state=seed)
    scaled, classes = scaled.astype(np.float32), np.unique(labels)
    folds = make_folds(labels, groups, _VALIDATION_FOLDS, seed)
    if not folds:
        for _ in range(PATIENCE):
            network.partial_fit(scaled, labels, classes=classes)
        return network
    train, validation = folds[0]
    network.batch_size = min(BATCH, len(train))
    least, best, since = np.inf, None, 0
    for _ in range(MAX_EPOCHS):
        network.partial_fit(scaled[train], labels[train], classes=classes)
        own = network.predict_proba(scaled[validation])[np.arange(len(validation)), labels[validation]].astype(
            np.float64
        )
        loss = float(-np.log(np.clip(own, LEAST, None)).mean())
        since += 1
        if loss < least:
            weights = [one.copy() for one in network.coefs_], [one.copy() for one in network.intercepts_]
            least, best, since = loss, weights, 0
        elif since == PATIENCE:
            break
    if best is not None:
        network.coefs_, network.intercepts_ = best
    return network
