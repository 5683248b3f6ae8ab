"""SHAP values of the trees and the names of the components."""

import numpy as np
import pytest

from songmap.core.text import hertz_range, percent
from songmap.genre.component_attribution import (
    component_attribution,
    component_importance,
    component_terms,
    components_of,
    descriptor_correlations,
)
from songmap.genre.song_results import Component, ComponentTerm
from songmap.genre.views.component_phrases import component_name
from songmap.library.descriptors import DESCRIPTORS, descriptor
from songmap.library.schema import N_COLUMNS, block_slice, column_index


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


def test_a_component_is_named_by_the_descriptors_its_score_is_correlated_with():
    """Of songs of three independent qualities, and noise in every column."""
    rng = np.random.default_rng(0)
    qualities = rng.standard_normal((300, 3)) * (3, 2, 1)
    bands, timbre, rhythm = (np.zeros(N_COLUMNS) for _ in range(3))
    for statistic in ("mean", "p25", "p50", "p75"):
        bands[block_slice("mel", statistic)][40:48] = 1.0
    timbre[:20], rhythm[column_index("tempo_bpm")] = -1.0, 1.0
    songs = qualities @ np.stack([bands, timbre, rhythm]) + 0.1 * rng.standard_normal((300, N_COLUMNS))
    from sklearn.decomposition import PCA
    from sklearn.pipeline import Pipeline

    pipeline = Pipeline([("pca", PCA(2)), ("none", "passthrough")]).fit(songs)
    scores, descriptors = pipeline.transform(songs), np.stack([one.values(songs) for one in DESCRIPTORS], axis=1)
    measured = np.corrcoef(scores.T, descriptors.T)[:2, 2:]
    pca = pipeline["pca"]
    found = descriptor_correlations(pca.components_, pca.explained_variance_, pca.noise_variance_, np.ones(N_COLUMNS))
    related = np.abs(measured).max(axis=0) > 0.5
    assert related.sum() > 10
    assert found[:, related] == pytest.approx(measured[:, related], abs=0.02)
    first, second = components_of(pipeline)
    assert first.terms[0].descriptor.startswith("level ")
    assert abs(first.terms[0].correlation) > 0.95
    assert DESCRIPTORS[np.abs(found[1]).argmax()].family == "timbre"  # which means nothing to a listener
    assert {descriptor(term.descriptor).family for term in second.terms}.isdisjoint({"timbre", "tonnetz"})


def test_a_second_term_is_of_another_family_and_strong():
    correlations = np.zeros(len(DESCRIPTORS))
    names = [one.name for one in DESCRIPTORS]
    correlations[names.index("MFCC 3")], correlations[names.index("tonnetz 1 (fifths)")] = 0.95, 0.93
    correlations[names.index("chroma C")], correlations[names.index("chroma D")] = -0.9, 0.8
    correlations[names.index("tempo")] = 0.6
    terms = component_terms(correlations)
    assert terms == [ComponentTerm("chroma C", -0.9), ComponentTerm("tempo", 0.6)]
    assert component_name(Component(3, 0.084, terms)) == "PC3 (8 %): less of the note C, faster"
    weak = [ComponentTerm("chroma C", 0.4)]
    assert component_name(Component(3, 0.084, weak)) == "PC3 (8 %): slightly more of the note C"
    correlations[names.index("tempo")] = 0.4
    assert component_terms(correlations) == terms[:1]


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
