"""Songs between genres, and songs whose label is probably wrong, by models trained without them.

``proba`` are out-of-fold probabilities ``(n_songs, n_genres)``, ``songs`` the DataFrame of the same songs.
"""

import numpy as np
import pandas as pd

from songmap.genre.song_results import BoundarySong, LabelIssue


def uncertainty(proba: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Normalised entropy (0 certain … 1 even) and margin between the two most probable genres, each ``(n_songs,)``.

    Shannon 1948: entropy divided by that of even odds.
    """
    logs = np.log(proba, out=np.zeros_like(proba), where=proba > 0)
    entropy = -(proba * logs).sum(axis=1) / np.log(proba.shape[1])
    ordered = np.sort(proba, axis=1)
    return np.clip(entropy, 0.0, 1.0), ordered[:, -1] - ordered[:, -2]


def least_certain(proba: np.ndarray) -> np.ndarray:
    """Rows of songs, the least certain first: highest entropy, then least margin."""
    entropy, margin = uncertainty(proba)
    return np.lexsort((margin, -entropy))


def boundary_songs(
    songs: pd.DataFrame, genres: list[str], proba: np.ndarray, sets: np.ndarray, folds: list[int | None]
) -> list[BoundarySong]:
    """All songs, the least certain first.

    ``sets`` bool ``(n_songs, n_genres)`` are conformal; ``folds`` count from 1 and are None for test songs.
    """
    entropy, margin = uncertainty(proba)
    return [
        BoundarySong(
            rank=rank,
            song_name=songs["song_name"].iloc[row],
            artist=songs["artist"].iloc[row],
            genre=songs["genre"].iloc[row],
            predicted_genre=genres[int(proba[row].argmax())],
            probability=float(proba[row].max()),
            probabilities=dict(zip(genres, proba[row].tolist(), strict=True)),
            normalised_entropy=float(entropy[row]),
            margin=float(margin[row]),
            genre_set=set_of(genres, proba[row], sets[row]),
            fold=folds[row],
            file_path=songs["file_path"].iloc[row],
        )
        for rank, row in enumerate(least_certain(proba), start=1)
    ]


def label_issues(songs: pd.DataFrame, genres: list[str], labels: np.ndarray, proba: np.ndarray) -> list[LabelIssue]:
    """Songs whose label is probably wrong, the clearest first (confident learning, Northcutt et al. 2021).

    Those predicted as another genre, with a probability that reaches the mean probability of that genre over the songs
    with its label (``usual``). Ranked by ``margin``, the predicted genre's probability less the label's. The errors of
    a poor model are among them: they are songs to listen to.
    """
    rows = np.arange(len(labels))
    usual = np.array([proba[labels == genre, genre].mean() for genre in range(len(genres))])
    predicted = proba.argmax(axis=1)
    largest = proba[rows, predicted]
    margin = largest - proba[rows, labels]
    issues = np.flatnonzero((predicted != labels) & (largest >= usual[predicted]))
    return [
        LabelIssue(
            rank=rank,
            song_name=songs["song_name"].iloc[row],
            artist=songs["artist"].iloc[row],
            genre=genres[labels[row]],
            predicted_genre=genres[predicted[row]],
            probability=float(largest[row]),
            usual=float(usual[predicted[row]]),
            margin=float(margin[row]),
            file_path=songs["file_path"].iloc[row],
        )
        for rank, row in enumerate(issues[np.argsort(-margin[issues], kind="stable")], start=1)
    ]


def set_of(genres: list[str], proba: np.ndarray, members: np.ndarray) -> list[str]:
    """Names of the genres in a set (bool ``(n_genres,)``), the most probable first."""
    return [genres[index] for index in np.argsort(-proba, kind="stable") if members[index]]
