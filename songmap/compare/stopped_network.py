"""``songmap.genre.network`` as a scikit-learn estimator; imported when it is first used, since scikit-learn is."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.neural_network import MLPClassifier

from songmap.genre.network import fit_network


class StoppedNetwork(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A dense network whose training stops early; ``groups (n_rows,)`` are those of the rows it will be fitted on."""

    def __init__(self, network: MLPClassifier, groups: np.ndarray, seed: int) -> None:
        self.network, self.groups, self.seed = network, groups, seed

    def fit(self, scaled: np.ndarray, labels: np.ndarray) -> "StoppedNetwork":
        """Fit on standardised columns ``(n_rows, n_columns)`` and labels 0 … n_genres - 1 ``(n_rows,)``."""
        self.network_ = fit_network(clone(self.network), scaled, labels, self.groups, self.seed)
        self.classes_ = self.network_.classes_
        return self

    def predict_proba(self, scaled: np.ndarray) -> np.ndarray:
        """Probability of every genre ``(n_rows, n_genres)``."""
        return self.network_.predict_proba(scaled)
