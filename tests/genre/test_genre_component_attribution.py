"""SHAP values of the trees and the names of the components."""

import numpy as np
import pytest

from songmap.core.text import hertz_range, percent
from songmap.genre.shapley import attribute, component_names, component_terms, margins
from songmap.library.schema import COLUMNS, N_COLUMNS, block_slice, column_index


def learned(n_genres: int, songs: int = 10, whiten: bool = False):
    """Embeddings of genres that can be told apart, and trees on their components."""
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


@pytest.mark.parametrize("n_genres", [2, 3, 12])
def test_shap_values_and_base_sum_to_the_margin(n_genres):
    embeddings, pipeline = learned(n_genres)
    found = attribute(pipeline, embeddings)
    assert found.values.shape == (len(embeddings), 12, n_genres)
    assert found.values.sum(axis=1) + found.base == pytest.approx(margins(pipeline, embeddings), abs=1e-4)
    odds = np.exp(margins(pipeline, embeddings) / (2 if n_genres == 2 else 1))
    assert odds / odds.sum(axis=1, keepdims=True) == pytest.approx(pipeline.predict_proba(embeddings), abs=1e-5)


@pytest.mark.parametrize("whiten", [False, True])
def test_places_on_the_components_are_in_standard_deviations_of_the_songs_learned_from(whiten):
    embeddings, pipeline = learned(3, whiten=whiten)
    found = attribute(pipeline, embeddings)
    assert found.deviations.std(axis=0, ddof=1) == pytest.approx(np.ones(12))
    spread = 1 if whiten else found.scores.std(axis=0, ddof=1)
    assert found.deviations * spread == pytest.approx(found.scores)


def test_songs_that_do_not_vary_stand_at_the_mean():
    from sklearn.decomposition import PCA
    from sklearn.pipeline import Pipeline
    from xgboost import XGBClassifier

    embeddings = np.ones((8, N_COLUMNS))
    with np.errstate(invalid="ignore"):  # PCA divides by the variance, which is none
        pipeline = Pipeline([("pca", PCA(1)), ("trees", XGBClassifier(n_jobs=1))]).fit(embeddings, [0, 1] * 4)
    found = attribute(pipeline, embeddings)
    assert np.abs(found.deviations).max() == 0
    assert np.abs(found.values).max() == 0
    assert component_names(pipeline)[0].startswith("PC1 (0 %): ")


def test_a_component_is_named_by_its_loadings():
    loadings = np.zeros(N_COLUMNS)
    for statistic in ("mean", "p25", "p50", "p75"):
        loadings[block_slice("mel", statistic)][40:60] = 0.1
    loadings[column_index("mfcc_02_mean")] = -0.09
    assert component_terms(loadings) == ["higher mel 1.1–1.8 kHz", "lower mfcc_02 mean"]
    assert component_terms(-loadings) == ["lower mel 1.1–1.8 kHz", "higher mfcc_02 mean"]


def test_a_lone_mel_column_is_named_itself():
    loadings = np.zeros(N_COLUMNS)
    loadings[column_index("mel_007_p25")] = -1
    assert component_terms(loadings) == ["lower mel_007 p25"]


@pytest.mark.parametrize("column", COLUMNS[:5] + COLUMNS[105:110] + COLUMNS[-7:])
def test_every_single_column_can_name_a_component(column):
    (term,) = component_terms(np.eye(N_COLUMNS)[column_index(column)])
    assert term.startswith("higher ")


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
    _, pipeline = learned(2)
    names = component_names(pipeline)
    share = pipeline.named_steps["pca"].explained_variance_ratio_[0]
    assert names[0].startswith(f"PC1 ({100 * share:.0f} %): ")
    assert len(names) == pipeline.named_steps["pca"].n_components_
