"""Why the trees decide as they do: SHAP values (Lundberg et al. 2020) of the PCA components, and what those are.

A SHAP value is a component's share in a song's margin towards a genre; the values of a song and the base
sum to that margin. Margins are log-odds of the two genres when there are two (the first genre's are the
second's with the other sign), else what softmax turns into probabilities: the trees' own, before calibration.
Pipelines end in their trees and have a step "pca".
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from songmap.core.text import hertz_range, percent
from songmap.library.mel import mel_centres_hz
from songmap.library.schema import COLUMNS, AudioConfig, block_slice

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

_STATISTICS = ("mean", "p25", "p50", "p75")
_STRONG = 0.5  # loadings from this share of the component's largest one upward name it
_MAX_GAP = 3  # bands: strong mel bands nearer than this make one range


@dataclass(frozen=True)
class Attribution:
    """``values`` ``(n_songs, n_components, n_genres)``, ``base`` ``(n_genres,)``: margins.

    ``scores`` ``(n_songs, n_components)`` are the songs' places on the components, in PCA's units, ``deviations``
    the same in standard deviations of the songs that PCA was fitted on.
    """

    values: np.ndarray
    base: np.ndarray
    scores: np.ndarray
    deviations: np.ndarray

    @property
    def importance(self) -> np.ndarray:
        """Mean absolute SHAP value ``(n_components, n_genres)``."""
        return np.abs(self.values).mean(axis=0)


def attribute(pipeline: "Pipeline", embeddings: np.ndarray) -> Attribution:
    """SHAP values of a fitted pipeline's trees for raw columns ``(n_songs, 641)``."""
    import shap

    scores = pipeline[:-1].transform(np.atleast_2d(embeddings).astype(np.float64))
    found = shap.TreeExplainer(pipeline[-1])(scores)
    values = np.asarray(found.values, dtype=np.float64)
    base = np.atleast_2d(np.asarray(found.base_values, dtype=np.float64).reshape(len(scores), -1))[0]
    pca = pipeline.named_steps["pca"]
    spread = np.ones(pca.n_components_) if pca.whiten else np.sqrt(pca.explained_variance_)
    deviations = scores / np.where(spread > 0, spread, 1.0)
    if values.ndim == 2:  # two genres: only the second's margin is given
        return Attribution(np.stack([-values, values], axis=2), np.array([-base[0], base[0]]), scores, deviations)
    return Attribution(values, base, scores, deviations)


def margins(pipeline: "Pipeline", embeddings: np.ndarray) -> np.ndarray:
    """What the SHAP values and the base sum to, float64 ``(n_songs, n_genres)``."""
    scores = pipeline[:-1].transform(np.atleast_2d(embeddings).astype(np.float64))
    margin = pipeline[-1].predict(scores, output_margin=True).astype(np.float64)
    return np.stack([-margin, margin], axis=1) if margin.ndim == 1 else margin


def component_names(pipeline: "Pipeline", n_terms: int = 2) -> list[str]:
    """Per component what a high score means, e.g. ``PC3 (8 %): higher mel 2.1–5.0 kHz, lower mfcc_02 mean``.

    Taken from the loadings: the ``n_terms`` columns or ranges of mel bands with the largest sums of squared
    loadings. The percentage is the component's share of the variance of all standardised columns.
    """
    pca = pipeline.named_steps["pca"]
    shares = np.nan_to_num(pca.explained_variance_ratio_)  # all songs equal: nothing varies
    return [
        f"PC{number} ({percent(share)}): {', '.join(component_terms(loadings)[:n_terms])}"
        for number, (loadings, share) in enumerate(zip(pca.components_, shares, strict=True), 1)
    ]


def component_terms(loadings: np.ndarray) -> list[str]:
    """What a component ``(641,)`` consists of, heaviest first: "higher" or "lower" and columns or mel range.

    The four statistics of a mel band move together, so their mean loading stands for the band.
    """
    least = _STRONG * np.abs(loadings).max()
    weighted: list[tuple[float, str]] = []
    bands = np.stack([loadings[block_slice("mel", statistic)] for statistic in _STATISTICS])
    profile = bands.mean(axis=0)
    centres = mel_centres_hz(AudioConfig())
    for sign, word in ((1, "higher"), (-1, "lower")):
        for run in _runs(np.flatnonzero(sign * profile >= least)):
            weight = float((bands[:, run[0] : run[-1] + 1] ** 2).sum())
            weighted.append((weight, f"{word} mel {hertz_range(centres[run[0]], centres[run[-1]])}"))
    mel = {name for name in COLUMNS if name.startswith("mel_")}
    for name, loading in zip(COLUMNS, loadings, strict=True):
        if name not in mel and abs(loading) >= least:
            weighted.append((float(loading**2), f"{'higher' if loading > 0 else 'lower'} {plain_name(name)}"))
    if not weighted:  # a mel statistic that leaves its band's others alone
        strongest = int(np.abs(loadings).argmax())
        weighted.append((1.0, f"{'higher' if loadings[strongest] > 0 else 'lower'} {plain_name(COLUMNS[strongest])}"))
    return [text for _, text in sorted(weighted, key=lambda item: (-item[0], item[1]))]


def plain_name(column: str) -> str:
    """A column's name for a sentence: ``mfcc_02_mean`` is "mfcc_02 mean"."""
    for statistic in ("_mean", "_std", "_p25", "_p50", "_p75"):
        if column.endswith(statistic):
            return f"{column.removesuffix(statistic).replace('zero_crossing_rate', 'zero crossings')} {statistic[1:]}"
    return column.replace("_bpm", "").replace("_std_s", " std").replace("_", " ")


def _runs(indices: np.ndarray) -> list[np.ndarray]:
    if not len(indices):
        return []
    return np.split(indices, np.flatnonzero(np.diff(indices) > _MAX_GAP) + 1)
