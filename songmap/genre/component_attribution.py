"""SHAP values of the PCA components (Lundberg et al. 2020), and what the components are.

A SHAP value is a component's share in a song's margin towards a genre; the values of a song and the base sum to that
margin. Margins are log-odds of the two genres when there are two (the first genre's are the second's with the other
sign), else what softmax turns into probabilities: the trees' own, before calibration. Pipelines end in their trees and
have a step "pca".
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from songmap.genre.results import ComponentImportance
from songmap.genre.song_results import Component, ComponentTerm
from songmap.library.descriptors import DESCRIPTORS
from songmap.library.schema import N_COLUMNS

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

_N_TERMS = 2
STRONG = 0.5  # a second descriptor is correlated at least so much
_LEAST_VARIANCE = 1e-18  # below it, a descriptor's is rounding


@dataclass(frozen=True)
class ComponentAttribution:
    """``values`` ``(n_songs, n_components, n_genres)``, ``base`` ``(n_genres,)``: margins.

    ``scores`` ``(n_songs, n_components)`` are the songs' scores on the components, in PCA's units, ``deviations`` the
    same in standard deviations of the songs that PCA was fitted on.
    """

    values: np.ndarray
    base: np.ndarray
    scores: np.ndarray
    deviations: np.ndarray

    @property
    def importance(self) -> np.ndarray:
        """Mean absolute SHAP value ``(n_components, n_genres)``."""
        return np.abs(self.values).mean(axis=0)


@dataclass(frozen=True)
class ComponentSample:
    """The attribution of some training songs (in-sample), their genres ``(n_songs,)``, and all ``library_genres``.

    These fix the colours. Models of folds have components of their own, whose values cannot be put together.
    """

    attribution: ComponentAttribution
    components: list[Component]
    song_genres: np.ndarray
    library_genres: list[str]


def component_attribution(pipeline: "Pipeline", embeddings: np.ndarray) -> ComponentAttribution:
    """SHAP values of a fitted pipeline's trees for raw columns ``(n_songs, 641)``."""
    import shap

    scores = pipeline[:-1].transform(np.atleast_2d(embeddings).astype(np.float64))
    explained = shap.TreeExplainer(pipeline[-1])(scores)
    values = np.asarray(explained.values, dtype=np.float64)
    base = np.atleast_2d(np.asarray(explained.base_values, dtype=np.float64).reshape(len(scores), -1))[0]
    pca = pipeline.named_steps["pca"]
    spread = np.ones(pca.n_components_) if pca.whiten else np.sqrt(pca.explained_variance_)
    deviations = scores / np.where(spread > 0, spread, 1.0)
    if values.ndim == 2:  # two genres: only the second's margin is given
        values, base = np.stack([-values, values], axis=2), np.array([-base[0], base[0]])
    return ComponentAttribution(values, base, scores, deviations)


def components_of(pipeline: "Pipeline") -> list[Component]:
    """The components of a fitted pipeline, each with the descriptors that its score is correlated with most.

    ``variance_share`` is the share of the variance of all standardised columns.
    """
    pca, scaler = pipeline.named_steps["pca"], pipeline[0]
    shares = np.nan_to_num(pca.explained_variance_ratio_)  # all songs equal: nothing varies
    correlations = descriptor_correlations(
        pca.components_, pca.explained_variance_, pca.noise_variance_, getattr(scaler, "scale_", np.ones(N_COLUMNS))
    )
    return [
        Component(number, float(share), component_terms(own))
        for number, (own, share) in enumerate(zip(correlations, shares, strict=True), 1)
    ]


def descriptor_correlations(
    components: np.ndarray, variances: np.ndarray, noise_variance: float, scale: np.ndarray
) -> np.ndarray:
    """Correlation of every component's score with every descriptor, in the covariance that PCA models.

    Parameters
    ----------
    components : np.ndarray, shape (n_components, 641)
        Orthonormal axes in standardised columns.
    variances : np.ndarray, shape (n_components,)
        Of the scores.
    noise_variance : float
        Of every other direction: probabilistic PCA (Tipping & Bishop 1999).
    scale : np.ndarray, shape (641,)
        Standard deviation of every column.

    Returns
    -------
    np.ndarray, shape (n_components, 157)
        0 for a descriptor that does not vary. Descriptors that are compared as logarithms are taken as they are.
    """
    weights = np.zeros((len(DESCRIPTORS), N_COLUMNS))
    for own, descriptor in zip(weights, DESCRIPTORS, strict=True):
        own[list(descriptor.columns)] += 1 / len(descriptor.columns)
        own[list(descriptor.minus)] -= 1 / max(1, len(descriptor.minus))
    weights *= scale
    along = components @ weights.T
    rest = np.clip(np.square(weights).sum(axis=1) - np.square(along).sum(axis=0), 0, None)
    variance = variances @ np.square(along) + noise_variance * rest
    products = np.sqrt(np.clip(variances, 0, None))[:, np.newaxis] * along
    return np.divide(products, np.sqrt(variance), out=np.zeros_like(products), where=variance > _LEAST_VARIANCE)


def component_terms(correlations: np.ndarray) -> list[ComponentTerm]:
    """The descriptors with the largest correlations ``(157,)``, at most one of each family, largest first.

    Only those that mean something to a listener: no cosine of a spectrum, coordinate of a tonal space, spread or skew.
    """
    terms: dict[str, ComponentTerm] = {}
    for place in np.argsort(-np.abs(correlations), kind="stable"):
        one = DESCRIPTORS[place]
        if len(terms) < _N_TERMS and one.family not in ("timbre", "tonnetz") and one.kind in ("column", "level"):
            terms.setdefault(one.family, ComponentTerm(one.name, float(correlations[place])))
    first, *others = terms.values()
    return [first, *(one for one in others if abs(one.correlation) >= STRONG)]


def component_importance(attribution: ComponentAttribution, components: list[Component]) -> list[ComponentImportance]:
    """Components by mean absolute SHAP value over songs, summed over genres (one of two), the most important first."""
    sums = attribution.importance.sum(axis=1) / (2 if attribution.importance.shape[1] == 2 else 1)
    order = np.argsort(-sums, kind="stable")
    return [ComponentImportance(components[index], float(sums[index])) for index in order]
