"""Lists of songs: those between genres, those whose label is probably wrong, and others.

``proba`` are probabilities ``(n_songs, n_genres)`` by models trained without the songs, ``songs`` the DataFrame of the
same songs.
"""

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

import numpy as np
import pandas as pd

from songmap.genre.song_results import LabelIssue, ListedSong

_LEAST_OF_SECOND = 0.5  # of the largest probability: the second genre of a song between genres has at least so much


def song_list(
    kind: type[ListedSong], songs: pd.DataFrame, genres: list[str], proba: np.ndarray, **more: Iterable[Any]
) -> list[ListedSong]:
    """The songs in their order as results of one ``kind``.

    ``margin`` is between the two most probable genres, ``genre_set`` the conformal set of ``sets`` bool ``(n_songs,
    n_genres)``. ``more`` are fields that do not follow from the songs and ``proba``, or replace those that do; ``fold``
    counts from 1 and is None for test songs.
    """
    entropy, margin = uncertainty(proba)
    sets: Any = more.get("sets", proba > 0)
    columns: dict[str, Iterable[Any]] = {
        "rank": range(1, len(songs) + 1),
        **{column: songs[column] for column in ("song_name", "artist", "title", "genre", "file_path")},
        "predicted_genre": [genres[index] for index in proba.argmax(axis=1)],
        "probability": proba.max(axis=1).tolist(),
        "probabilities": [dict(zip(genres, row, strict=True)) for row in proba.tolist()],
        "normalised_entropy": entropy.tolist(),
        "margin": margin.tolist(),
        "genre_set": [set_of(genres, *row) for row in zip(proba, sets, strict=True)],
        "is_between": between_genres(proba, sets).tolist(),
    } | more
    return [kind(*row) for row in zip(*(columns[one.name] for one in fields(kind)), strict=True)]


def uncertainty(proba: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Normalised entropy (0 certain … 1 even) and margin between the two most probable genres, each ``(n_songs,)``.

    Shannon 1948: entropy divided by that of even odds.
    """
    logs = np.log(proba, out=np.zeros_like(proba), where=proba > 0)
    entropy = -(proba * logs).sum(axis=1) / np.log(proba.shape[1])
    ordered = np.sort(proba, axis=1)
    return np.clip(entropy, 0.0, 1.0), ordered[:, -1] - ordered[:, -2]


def between_genres(proba: np.ndarray, sets: np.ndarray) -> np.ndarray:
    """Which songs are between genres, bool ``(n_songs,)``.

    Their set, bool ``(n_songs, n_genres)``, has several genres, and the second most probable genre has at least half the
    probability of the first. Sets alone are not enough: those of a model that is right for fewer songs than its sets
    must contain the genre of have several genres even where one of them is far more probable.
    """
    ordered = np.sort(proba, axis=1)
    return (sets.sum(axis=1) > 1) & (ordered[:, -2] >= _LEAST_OF_SECOND * ordered[:, -1])


def least_certain(proba: np.ndarray) -> np.ndarray:
    """Rows of songs, the least certain first: highest entropy, then least margin."""
    entropy, margin = uncertainty(proba)
    return np.lexsort((margin, -entropy))


def label_issues(songs: pd.DataFrame, genres: list[str], labels: np.ndarray, proba: np.ndarray) -> list[LabelIssue]:
    """Songs whose label is probably wrong, the clearest first (confident learning, Northcutt et al. 2021).

    Those predicted as another genre, with a probability above 0.5 that reaches the mean probability of that genre over
    the songs with its label (``usual``). Ranked by ``margin``, the predicted genre's probability less the label's. The
    errors of a poor model are among them: they are songs to listen to.
    """
    usual = np.array([proba[labels == genre, genre].mean() for genre in range(len(genres))])
    predicted, largest = proba.argmax(axis=1), proba.max(axis=1)
    margin = largest - proba[np.arange(len(labels)), labels]
    issues = np.flatnonzero((predicted != labels) & (largest >= usual[predicted]) & (largest > 0.5))
    issues = issues[np.argsort(-margin[issues], kind="stable")]
    return song_list(
        LabelIssue, songs.iloc[issues], genres, proba[issues], genre=[genres[label] for label in labels[issues]],
        usual=usual[predicted[issues]].tolist(), margin=margin[issues].tolist(),
    )  # fmt: skip


def set_of(genres: list[str], proba: np.ndarray, members: np.ndarray) -> list[str]:
    """Names of the genres in a set (bool ``(n_genres,)``), the most probable first."""
    return [genres[index] for index in np.argsort(-proba, kind="stable") if members[index]]
