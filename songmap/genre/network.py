"""A dense network whose training stops early, by songs of groups that it is not trained on.

scikit-learn's own early stopping takes rows at random: others of their artist, or of their song, are trained on, so that it
stops too late.
"""

from typing import TYPE_CHECKING

import numpy as np

from songmap.genre.splits import make_folds
from songmap.library.genre_model import LEAST

if TYPE_CHECKING:
    from sklearn.neural_network import MLPClassifier

HIDDEN = (256, 128, 64)
MAX_EPOCHS, PATIENCE = 60, 6
_VALIDATION_FOLDS = 8  # one of them decides when training stops


def fit_network(
    network: "MLPClassifier", scaled: np.ndarray, labels: np.ndarray, groups: np.ndarray, seed: int
) -> "MLPClassifier":
    """The network of the epoch with the smallest log loss on rows that stay out of its training.

    Where the groups allow no such split, training ends after ``PATIENCE`` epochs.

    Parameters
    ----------
    network : MLPClassifier
        Not fitted; ``batch_size`` is at most the number of training rows.
    scaled : np.ndarray, shape (n_rows, n_columns)
        Standardised columns.
    labels, groups : np.ndarray, shape (n_rows,)
        Integers 0 … n_genres - 1, of which each occurs; rows of one group are never on both sides of the split.
    seed : int
        Of the split, and of the network.
    """
    batch = network.batch_size
    network.random_state = np.random.RandomState(seed)  # one stream: a number would shuffle all epochs in the same way
    scaled, classes = scaled.astype(np.float32), np.unique(labels)
    folds = make_folds(labels, groups, _VALIDATION_FOLDS, seed)
    if not folds:
        network.batch_size = min(batch, len(labels))
        for _ in range(PATIENCE):
            network.partial_fit(scaled, labels, classes=classes)
        return network
    train, validation = folds[0]
    network.batch_size = min(batch, len(train))
    least, best, since = np.inf, None, 0
    for _ in range(MAX_EPOCHS):
        network.partial_fit(scaled[train], labels[train], classes=classes)
        proba = network.predict_proba(scaled[validation])
        own = proba[np.arange(len(validation)), labels[validation]].astype(np.float64)
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
