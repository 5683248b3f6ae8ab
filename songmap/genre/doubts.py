"""Songs between genres, and songs whose label is probably wrong, by models that had not seen them.

``found`` are probabilities ``(n_songs, n_genres)`` out of fold, ``songs`` the DataFrame of the same songs.
"""

from typing import Any

import numpy as np
import pandas as pd


def uncertainty(found: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Normalised entropy (0 sure … 1 even) and margin between the two likeliest genres, each ``(n_songs,)``.

    Shannon 1948: entropy divided by that of even odds.
    """
    logs = np.log(found, out=np.zeros_like(found), where=found > 0)
    entropy = -(found * logs).sum(axis=1) / np.log(found.shape[1])
    ordered = np.sort(found, axis=1)
    return np.clip(entropy, 0.0, 1.0), ordered[:, -1] - ordered[:, -2]


def boundary_records(
    songs: pd.DataFrame, genres: list[str], found: np.ndarray, sets: np.ndarray, fold_of: np.ndarray, test_fold: int
) -> list[dict[str, Any]]:
    """All songs, the least certain first (highest entropy, then least margin).

    ``sets`` bool ``(n_songs, n_genres)`` are conformal, ``fold_of`` ``(n_songs,)`` counts from 0. A record's ``fold``
    counts from 1 and is None for the held-out test songs, those of ``test_fold``.
    """
    entropy, margin = uncertainty(found)
    return [
        {
            "rank": rank,
            "song_name": songs["song_name"].iloc[row],
            "artist": songs["artist"].iloc[row],
            "genre": songs["genre"].iloc[row],
            "predicted_genre": genres[int(found[row].argmax())],
            "probability": float(found[row].max()),
            "probabilities": dict(zip(genres, found[row].tolist(), strict=True)),
            "normalised_entropy": float(entropy[row]),
            "margin": float(margin[row]),
            "genre_set": set_of(genres, found[row], sets[row]),
            "fold": None if fold_of[row] == test_fold else int(fold_of[row]) + 1,
            "file_path": songs["file_path"].iloc[row],
        }
        for rank, row in enumerate(np.lexsort((margin, -entropy)), start=1)
    ]


def wrong_labels(songs: pd.DataFrame, genres: list[str], labels: np.ndarray, found: np.ndarray) -> list[dict[str, Any]]:
    """Songs whose label is probably wrong, the clearest first (confident learning, Northcutt et al. 2021).

    Those that the model takes for another genre, with a probability that reaches what it gives on average to the
    songs labelled so (``usual``). Ranked by ``margin``, the other genre's probability less the label's. What a poor
    model mistakes is among them: they are songs to listen to.
    """
    rows = np.arange(len(labels))
    usual = np.array([found[labels == genre, genre].mean() for genre in range(len(genres))])
    other = found.argmax(axis=1)
    likeliest = found[rows, other]
    margin = likeliest - found[rows, labels]
    doubtful = np.flatnonzero((other != labels) & (likeliest >= usual[other]))
    return [
        {
            "rank": rank,
            "song_name": songs["song_name"].iloc[row],
            "artist": songs["artist"].iloc[row],
            "genre": genres[labels[row]],
            "probably": genres[other[row]],
            "probability": float(likeliest[row]),
            "usual": float(usual[other[row]]),
            "margin": float(margin[row]),
            "file_path": songs["file_path"].iloc[row],
        }
        for rank, row in enumerate(doubtful[np.argsort(-margin[doubtful], kind="stable")], start=1)
    ]


def set_of(genres: list[str], probabilities: np.ndarray, chosen: np.ndarray) -> list[str]:
    """Names of the genres chosen (bool ``(n_genres,)``), likeliest first."""
    return [genres[index] for index in np.argsort(-probabilities, kind="stable") if chosen[index]]
