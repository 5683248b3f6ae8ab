"""The two classifiers of segments that are joined: a dense network and gradient-boosted trees, on descriptors.

A third, on spectrograms, can join them: ``songmap.recording.image_member``.

``descriptors (n_segments, 157)``, ``labels (n_segments,)`` integers 0 … n_genres - 1, of which each occurs, ``groups
(n_segments,)``: songs that stay together. A fitted member is a Pipeline on raw columns ``(n_segments, 641)``.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from songmap.genre.candidates import boosted_trees
from songmap.genre.network import HIDDEN, fit_network
from songmap.library.descriptors import describe

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

MEMBERS = ("network", "xgboost")
IMAGE_MEMBER = "cnn"
NETWORK: dict[str, Any] = {"hidden_layer_sizes": HIDDEN, "alpha": 1e-2, "learning_rate_init": 1e-3}
_BATCH = 128
TREES: dict[str, Any] = {
    "n_estimators": 100, "max_depth": 3, "learning_rate": 0.15, "subsample": 0.7, "colsample_bytree": 0.3,
    "min_child_weight": 1, "reg_lambda": 1,
}  # fmt: skip


def fit_member(name: str, descriptors: np.ndarray, labels: np.ndarray, groups: np.ndarray, seed: int) -> "Pipeline":
    """One of ``MEMBERS``, fitted."""
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    scaler = StandardScaler().fit(descriptors)
    scaled = scaler.transform(descriptors)
    if name == "network":
        network = MLPClassifier(**NETWORK, batch_size=_BATCH)
        last = fit_network(network, scaled, labels, groups, seed)
    else:
        last = boosted_trees(int(labels.max()) + 1, seed, **TREES).fit(scaled, labels)
    return Pipeline([("descriptors", FunctionTransformer(describe)), ("scaler", scaler), (name, last)])
