"""The classifier: StandardScaler, PCA and gradient-boosted trees (XGBoost, Chen & Guestrin 2016) as one Pipeline.

It is fitted on raw columns ``(n_songs, 641)`` and integer labels ``(n_songs,)``, 0 … n_genres - 1 in the
order of a list of genres that is kept beside it. Probabilities are ``(n_songs, n_genres)``, rows summing to 1.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from songmap.core.errors import UsageError

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

DEFAULT_COMPONENTS = 15

# "published" was tuned for two genres and 300 songs. A tree's leaf must hold a Hessian of min_child_weight, and of two
# genres a song brings at most p(1 - p) = 0.25 of it: with 48 songs the published 5, with gamma 2, forbids every split
# and each song gets the majority genre. "default" allows leaves of four songs and takes more trees.
PRESETS: dict[str, dict[str, float]] = {
    "default": {
        "n_estimators": 200, "max_depth": 2, "learning_rate": 0.05, "subsample": 0.6, "colsample_bytree": 0.6,
        "min_child_weight": 1, "gamma": 0, "reg_alpha": 0, "reg_lambda": 2,
    },
    "published": {
        "n_estimators": 50, "max_depth": 2, "learning_rate": 0.03, "subsample": 0.6, "colsample_bytree": 0.6,
        "min_child_weight": 5, "gamma": 2, "reg_alpha": 0.5, "reg_lambda": 2,
    },
}  # fmt: skip


def build_pipeline(n_songs: int, n_genres: int, *, preset: str, components: int, seed: int) -> "Pipeline":
    """An unfitted Pipeline for ``n_songs`` training songs.

    PCA keeps ``components``, at most ``n_songs - 1``: more directions than that do not vary. One thread,
    since the sums of several threads differ in their last bits and then choose other splits.
    """
    from sklearn.decomposition import PCA
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler
    from xgboost import XGBClassifier

    if n_genres < 2:
        raise UsageError(f"a classifier needs at least 2 genres, here is {n_genres}")
    return Pipeline(
        [
            ("scaler", StandardScaler()),
            ("pca", PCA(max(1, min(components, n_songs - 1)), svd_solver="full")),
            (
                "trees",
                XGBClassifier(
                    **PRESETS[preset],
                    objective="binary:logistic" if n_genres == 2 else "multi:softprob",
                    tree_method="hist",
                    n_jobs=1,
                    random_state=seed,
                ),
            ),
        ]
    )


def fit(
    embeddings: np.ndarray, labels: np.ndarray, n_genres: int, *, preset: str, components: int, seed: int
) -> "Pipeline":
    """A Pipeline fitted on ``(n_songs, 641)`` and ``(n_songs,)``; every genre must occur."""
    pipeline = build_pipeline(len(labels), n_genres, preset=preset, components=components, seed=seed)
    return pipeline.fit(embeddings.astype(np.float64), labels)


def probabilities(pipeline: "Pipeline", embeddings: np.ndarray) -> np.ndarray:
    """Probability of every genre for every song, float64 ``(n_songs, n_genres)``."""
    found = pipeline.predict_proba(np.atleast_2d(embeddings).astype(np.float64)).astype(np.float64)
    return found / found.sum(axis=1, keepdims=True)


def classified(paths: list[str], genres: list[str], found: np.ndarray) -> list[dict[str, Any]]:
    """Records ``file_path, predicted_genre, probability, probabilities`` from ``(n_songs, n_genres)``."""
    return [
        {
            "file_path": path,
            "predicted_genre": genres[int(row.argmax())],
            "probability": float(row.max()),
            "probabilities": dict(zip(genres, row.tolist(), strict=True)),
        }
        for path, row in zip(paths, found, strict=True)
    ]
