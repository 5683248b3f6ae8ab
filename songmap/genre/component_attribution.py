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
from songmap.genre.song_results import Component, LoadingTerm
from songmap.library.mel import mel_centres_hz
from songmap.library.schema import COLUMN_FAMILY, COLUMNS, AudioConfig, block_slice

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

_STATISTICS = ("mean", "p25", "p50", "p75")
_STRONG = 0.5  # loadings from this share of the component's largest one upward describe it
_MAX_GAP = 3  # bands: strong mel bands nearer than this make one range
_N_TERMS = 2


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
    """The components of a fitted pipeline, each with its strongest loadings.

    ``variance_share`` is the share of the variance of all standardised columns.
    """
    pca = pipeline.named_steps["pca"]
    shares = np.nan_to_num(pca.explained_variance_ratio_)  # all songs equal: nothing varies
    return [
        Component(number, float(share), loading_terms(loadings)[:_N_TERMS])
        for number, (loadings, share) in enumerate(zip(pca.components_, shares, strict=True), 1)
    ]


def loading_terms(loadings: np.ndarray) -> list[LoadingTerm]:
    """The columns or ranges of mel bands with the largest sums of squared loadings ``(641,)``, largest first.

    The four statistics of a mel band move together, so their mean loading is that of the band.
    """
    least = _STRONG * np.abs(loadings).max()
    weighted: list[tuple[float, LoadingTerm]] = []
    bands = np.stack([loadings[block_slice("mel", statistic)] for statistic in _STATISTICS])
    profile = bands.mean(axis=0)
    centres = mel_centres_hz(AudioConfig())
    for sign in (1, -1):
        strong = np.flatnonzero(sign * profile >= least)
        for run in np.split(strong, np.flatnonzero(np.diff(strong) > _MAX_GAP) + 1) if len(strong) else ():
            first, last = run[0], run[-1]
            term = LoadingTerm(sign, None, float(centres[first]), float(centres[last]))
            weighted.append((float((bands[:, first : last + 1] ** 2).sum()), term))
    for name, family, loading in zip(COLUMNS, COLUMN_FAMILY, loadings, strict=True):
        if family != "mel" and abs(loading) >= least:
            weighted.append((float(loading**2), LoadingTerm(1 if loading > 0 else -1, name)))
    if not weighted:  # a single statistic of a mel band
        largest = int(np.abs(loadings).argmax())
        weighted.append((1.0, LoadingTerm(1 if loadings[largest] > 0 else -1, COLUMNS[largest])))
    return [term for _, term in sorted(weighted, key=lambda item: -item[0])]


def component_importance(attribution: ComponentAttribution, components: list[Component]) -> list[ComponentImportance]:
    """Components by mean absolute SHAP value over songs, summed over genres (one of two), the most important first."""
    sums = attribution.importance.sum(axis=1) / (2 if attribution.importance.shape[1] == 2 else 1)
    order = np.argsort(-sums, kind="stable")
    return [ComponentImportance(components[index], float(sums[index])) for index in order]
