"""SHAP values of the trees and the names of the components."""

import numpy as np
import pytest

from songmap.core.text import hertz_range, percent
from songmap.genre.component_attribution import (
    component_attribution,
    component_importance,
    components_of,
    loading_terms,
)
from songmap.genre.song_results import Component, LoadingTerm
from songmap.genre.views.sentences import component_name, component_terms
from songmap.library.descriptors import COLUMN_LABELS
from songmap.library.schema import COLUMNS, N_COLUMNS, block_slice, column_index


def fitted(n_genres: int, songs: int = 10, whiten: bool = False):
    """Embeddings of separable genres, and trees on their components."""
    from sklearn.decomposition import PCA
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler
    from xgboost import XGBClassifier

    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(n_genres), songs)
    embeddings = 0.4 * rng.standard_normal((n_genres, N_COLUMNS))[labels] + rng.standard_normal(
        (len(labels), N_COLUMNS)
    )
    steps = [
        ("scale", StandardScaler()),
        ("pca", PCA(12, whiten=whiten, svd_solver="full")),
        ("boosting", XGBClassifier(n_estimators=40, max_depth=2, learning_rate=0.1, n_jobs=1)),
    ]
    return embeddings, Pipeline(steps).fit(embeddings, labels)


def margins(pipeline, embeddings: np.ndarray) -> np.ndarray:
    """What the SHAP values and the base sum to, ``(n_songs, n_genres)``."""
    margin = pipeline[-1].predict(pipeline[:-1].transform(embeddings), output_margin=True).astype(np.float64)
    return np.stack([-margin, margin], axis=1) if margin.ndim == 1 else margin


@pytest.mark.parametrize("n_genres", [2, 3, 12])
def test_shap_values_and_base_sum_to_the_margin(n_genres):
    embeddings, pipeline = fitted(n_genres)
    found = component_attribution(pipeline, embeddings)
    assert found.values.shape == (len(embeddings), 12, n_genres)
    assert found.values.sum(axis=1) + found.base == pytest.approx(margins(pipeline, embeddings), abs=1e-4)
    odds = np.exp(margins(pipeline, embeddings) / (2 if n_genres == 2 else 1))
    assert odds / odds.sum(axis=1, keepdims=True) == pytest.approx(pipeline.predict_proba(embeddings), abs=1e-5)


@pytest.mark.parametrize("whiten", [False, True])
def test_scores_on_the_components_are_in_standard_deviations_of_the_training_songs(whiten):
    embeddings, pipeline = fitted(3, whiten=whiten)
    found = component_attribution(pipeline, embeddings)
    assert found.deviations.std(axis=0, ddof=1) == pytest.approx(np.ones(12))
    spread = 1 if whiten else found.scores.std(axis=0, ddof=1)
    assert found.deviations * spread == pytest.approx(found.scores)


def test_songs_that_do_not_vary_are_at_the_mean():
    from sklearn.decomposition import PCA
    from sklearn.pipeline import Pipeline
    from xgboost import XGBClassifier

    embeddings = np.ones((8, N_COLUMNS))
    with np.errstate(invalid="ignore"):  # PCA divides by the variance, which is none
        pipeline = Pipeline([("pca", PCA(1)), ("trees", XGBClassifier(n_jobs=1))]).fit(embeddings, [0, 1] * 4)
    found = component_attribution(pipeline, embeddings)
    assert np.abs(found.deviations).max() == 0
    assert np.abs(found.values).max() == 0
    assert component_name(components_of(pipeline)[0]).startswith("PC1 (0 %): ")


def words(loadings: np.ndarray) -> str:
    return component_terms(Component(1, 0.5, loading_terms(loadings)))


def test_a_component_is_described_by_its_loadings():
    loadings = np.zeros(N_COLUMNS)
    for statistic in ("mean", "p25", "p50", "p75"):
        loadings[block_slice("mel", statistic)][40:60] = 0.1
    loadings[column_index("mfcc_02_mean")] = -0.09
    assert words(loadings) == "higher level 1.1–1.8 kHz, lower MFCC 2 (low against high frequencies)"
    assert words(-loadings) == "lower level 1.1–1.8 kHz, higher MFCC 2 (low against high frequencies)"
    mel, mfcc = loading_terms(loadings)
    assert (mel.sign, mel.column) == (1, None)
    assert mfcc == LoadingTerm(-1, "mfcc_02_mean")


def test_a_single_mel_column_is_described_itself():
    loadings = np.zeros(N_COLUMNS)
    loadings[column_index("mel_007_p25")] = -1
    assert loading_terms(loadings) == [LoadingTerm(-1, "mel_007_p25")]
    assert words(loadings) == f"lower {COLUMN_LABELS[column_index('mel_007_p25')]}"


@pytest.mark.parametrize("column", COLUMNS[:5] + COLUMNS[105:110] + COLUMNS[-7:])
def test_every_single_column_can_describe_a_component(column):
    (term,) = loading_terms(np.eye(N_COLUMNS)[column_index(column)])
    assert term == LoadingTerm(1, column)


def test_importance_is_the_mean_size_of_shap_values_of_one_of_two_genres_and_summed_over_more():
    for n_genres in (2, 3):
        embeddings, pipeline = fitted(n_genres)
        attribution, components = component_attribution(pipeline, embeddings), components_of(pipeline)
        ranked = component_importance(attribution, components)
        sums = np.abs(attribution.values).mean(axis=0).sum(axis=1) / (2 if n_genres == 2 else 1)
        assert [one.importance for one in ranked] == pytest.approx(sorted(sums, reverse=True))
        assert ranked[0].component == components[int(sums.argmax())]


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [(350, 900, "350–900 Hz"), (350, 2100, "350 Hz–2.1 kHz"), (2100, 5000, "2.1–5.0 kHz"), (2110, 2120, "2.1 kHz")],
)
def test_frequencies_are_short(low, high, text):
    assert hertz_range(low, high) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0 %"),
        (1e-9, "<1 %"),
        (0.0099, "<1 %"),
        (0.01, "1 %"),
        (0.5, "50 %"),
        (0.994, "99 %"),
        (0.996, ">99 %"),
        (1, "100 %"),
    ],
)
def test_a_percentage_never_rounds_to_nothing_or_all(share, text):
    assert percent(share) == text


def test_names_carry_the_share_of_the_variance():
    _, pipeline = fitted(2)
    components = components_of(pipeline)
    share = pipeline.named_steps["pca"].explained_variance_ratio_[0]
    assert component_name(components[0]).startswith(f"PC1 ({100 * share:.0f} %): ")
    assert len(components) == pipeline.named_steps["pca"].n_components_
