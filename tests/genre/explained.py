"""Explained songs that test files share."""

from dataclasses import replace
from typing import Any

import numpy as np
from libraries import any_detector

from songmap.genre.novelty_results import SongNovelty
from songmap.genre.song_results import FamilyContribution, ModelReference, SongExplanation
from songmap.library.genre_model import Calibration, GenreModel
from songmap.library.schema import FAMILIES, N_COLUMNS

SONG = {"song_name": "Blue", "artist": "Ann", "title": "", "genre": "HOUSE", "file_path": "/music/blue.mp3"}
GENRES = ["HOUSE", "TRANCE", "TECHNO", "FOLK", "JAZZ", "DUB"]
FINAL = ModelReference("final", n_songs=52)


def fitted(n_genres: int = 3, trees: bool = True) -> tuple[np.ndarray, GenreModel]:
    """Embeddings and a model of genres that differ in every column."""
    from sklearn.decomposition import PCA
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler
    from xgboost import XGBClassifier

    rng = np.random.default_rng(0)
    labels = np.arange(20 * n_genres) % n_genres
    embeddings = 0.15 * rng.standard_normal((n_genres, N_COLUMNS))[labels] + rng.standard_normal(
        (len(labels), N_COLUMNS)
    )
    steps = [("scaler", StandardScaler())]
    steps += (
        [("pca", PCA(8)), ("trees", XGBClassifier(n_estimators=30, max_depth=2, learning_rate=0.1, n_jobs=1))]
        if trees
        else [("lda", LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"))]
    )
    pipeline = Pipeline(steps).fit(embeddings, labels)
    medians = np.stack([np.median(embeddings[labels == genre], axis=0) for genre in range(n_genres)])
    calibration = Calibration((1 / 1.5,), 0.5, 0.0, np.full(n_genres, 1 / n_genres))
    of_genres = GENRES[:n_genres], calibration, embeddings[:12], medians, 0.2, any_detector(n_genres)
    return embeddings, GenreModel("a", [pipeline], *of_genres)


def explanation(proba: list[float], adds: list[float] | None = None, **changes: Any) -> SongExplanation:
    """An explanation with given probabilities; ``adds`` of the families to the most probable genre."""
    genres = GENRES[: len(proba)]
    best = int(np.argmax(proba))
    adds = adds or [0.0] * len(FAMILIES)
    families = [
        FamilyContribution(FAMILIES[index], adds[index], {genres[best]: adds[index]})
        for index in np.argsort(-np.abs(adds), kind="stable")
    ]
    second = genres[int(np.argsort(-np.array(proba), kind="stable")[1])]
    song = SongExplanation(
        file_path=SONG["file_path"],
        predicted_genre=genres[best],
        probability=proba[best],
        probabilities=dict(zip(genres, proba, strict=True)),
        song_name=SONG["song_name"],
        artist=SONG["artist"],
        title=SONG["title"],
        genre="UNKNOWN",
        genre_set=[genres[best]],
        set_threshold=0.3,
        agrees=None,
        compared_genre=second,
        fold_model=FINAL,
        background={genres[best]: proba[best] - sum(adds)},
        n_background=5,
        novelty=SongNovelty(1.25, 1.5, False),
        families=families,
        leading_families=[one.family for one in families[:3] if abs(one.adds) > 0.005],
        descriptors=[],
        pitch_classes=None,
        smallest_change=None,
        components=None,
    )
    return replace(song, **changes)
