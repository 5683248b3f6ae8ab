"""Where a song is among the songs of a library, column by column; and the most typical song.

Values have different units, so positions are compared: the percentile of a value among the library's values, and
the z-score. Neither exists in a library of one song.
"""

from itertools import islice

import numpy as np

from songmap.journey.results import LibraryPosition, UnusualColumn
from songmap.library.schema import COLUMNS, FEATURES, block_slice
from songmap.library.spaces import build_space, standardisation

MIN_SONGS_PERCENTILE = 2
MIN_SONGS_UNUSUAL = 5  # among n songs |z| is at most sqrt(n - 1): of fewer, none is unusual
N_UNUSUAL = 6


def typical_song(embeddings: np.ndarray) -> int:
    """Row of the song nearest the median of all descriptors, as ``balanced`` weights them; the first of several."""
    vectors = build_space(embeddings).vectors(embeddings)
    return int(np.argmin(np.linalg.norm(vectors - np.median(vectors, axis=0), axis=1)))


def library_position(embedding: np.ndarray, library: np.ndarray) -> LibraryPosition:
    """An embedding ``(641,)`` among those of a library, ``(n_songs, 641)``."""
    ranks = percentiles(embedding, library)
    return LibraryPosition(
        embedding=embedding,
        n_songs=len(library),
        percentiles=ranks,
        mel_median_db=None if ranks is None else np.median(library[:, block_slice("mel", "mean")], axis=0),
        unusual=tuple(most_unusual(embedding, library, N_UNUSUAL)),
    )


def percentiles(embedding: np.ndarray, library: np.ndarray) -> np.ndarray | None:
    """Percentile rank of each value: the share of the library below it plus half of those equal.

    Parameters
    ----------
    embedding : np.ndarray, shape (n_columns,)
    library : np.ndarray, shape (n_songs, n_columns)

    Returns
    -------
    np.ndarray, shape (n_columns,), or None
        0 … 100; None for fewer than two songs.
    """
    if len(library) < MIN_SONGS_PERCENTILE:
        return None
    below = (library < embedding).mean(axis=0)
    equal = (library == embedding).mean(axis=0)
    return 100.0 * (below + equal / 2)


def z_scores(embedding: np.ndarray, library: np.ndarray) -> np.ndarray:
    """Distance from the library's mean in its standard deviations, ``(n_columns,)``; NaN where all songs are equal."""
    mean, weight = standardisation(library)
    return np.where(weight > 0, (embedding - mean) * weight, np.nan)


def most_unusual(embedding: np.ndarray, library: np.ndarray, count: int) -> list[UnusualColumn]:
    """The ``count`` columns with the largest absolute z-score, at most one per frame feature, largest first.

    One per feature, since neighbouring mel bands are strongly correlated. Empty for fewer than five songs.
    """
    ranks = percentiles(embedding, library)
    if ranks is None or len(library) < MIN_SONGS_UNUSUAL:
        return []
    scores = z_scores(embedding, library)
    features = [block.feature for block in FEATURES for _ in block.names]
    columns: dict[str, int] = {}
    for column in np.argsort(-np.abs(scores), kind="stable"):  # NaN is sorted last
        if np.isfinite(scores[column]):
            columns.setdefault(features[column], column)
    numbers = np.stack([embedding, np.median(library, axis=0), ranks, scores]).astype(np.float64)
    return [UnusualColumn(COLUMNS[at], *numbers[:, at].tolist()) for at in islice(columns.values(), count)]
