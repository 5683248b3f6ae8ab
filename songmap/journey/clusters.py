"""Clusters of similar songs, whatever their genres: k-means, the number of clusters by silhouette.

References
----------
Rousseeuw 1987, Silhouettes: a graphical aid to the interpretation and validation of cluster analysis.
"""

import numpy as np

from songmap.journey.results import Cluster
from songmap.library.library import Library
from songmap.library.schema import UNKNOWN_GENRE
from songmap.library.spaces import sampled_rows
from songmap.library.tempos import tempos_of
from songmap.library.traits import qualities, traits

MAX_CLUSTERS = 12
MIN_SONGS = 6
_MAX_FITTED = 5_000  # songs that the clusters are fitted to
_MAX_SCORED = 2_000  # songs whose silhouettes decide on the number of clusters


def find_clusters(units: np.ndarray, seed: int) -> np.ndarray:
    """Cluster songs by k-means.

    Parameters
    ----------
    units : np.ndarray, shape (n_songs, d)
        Unit vectors: the nearer two are, the more similar the songs.
    seed : int

    Returns
    -------
    np.ndarray, shape (n_songs,), int64
        From 1, the largest cluster first. Of 2 … ``MAX_CLUSTERS`` clusters the number with the highest mean silhouette
        is kept; k-means is fitted to a sample of more than ``_MAX_FITTED`` songs. All songs are in one cluster where
        there are fewer than ``MIN_SONGS`` or none differ.
    """
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score
    from threadpoolctl import threadpool_limits

    n_songs = len(units)
    if n_songs < MIN_SONGS:
        return np.ones(n_songs, dtype=np.int64)
    sample = units[sampled_rows(n_songs, _MAX_FITTED, seed)]
    n_different = len(np.unique(sample.round(6), axis=0))
    best, labels = -1.0, np.zeros(n_songs, dtype=np.int64)
    with threadpool_limits(1):  # sums of several threads differ in their last bits
        for n_clusters in range(2, min(MAX_CLUSTERS, n_different - 1) + 1):
            model = KMeans(n_clusters, n_init=4, random_state=seed).fit(sample)
            scored = min(_MAX_SCORED, len(sample))
            score = silhouette_score(sample, model.labels_, sample_size=scored, random_state=seed)
            if score > best:
                best, labels = score, model.predict(units)
    order = np.argsort(-np.bincount(labels), kind="stable")
    return np.argsort(order)[labels] + 1


def describe_clusters(library: Library, numbers: np.ndarray) -> tuple[Cluster, ...]:
    """What is typical of each cluster, by the medians of its songs' qualities; ``numbers (n_songs,)`` from 1."""
    values = qualities(library.embeddings, tempos_of(library.songs)[0])
    clusters = []
    for number in range(1, numbers.max() + 1):
        own = numbers == number
        # the median of those that have a tempo; NaN, not a warning, where none has
        medians = [
            np.median(known) if len(known := column[np.isfinite(column)]) else np.nan for column in values[own].T
        ]
        genres, counts = np.unique(library.genres[own & (library.genres != UNKNOWN_GENRE)], return_counts=True)
        genre = str(genres[counts.argmax()]) if len(genres) else None
        typical = traits(np.array(medians), values)
        clusters.append(Cluster(int(own.sum()), genre, int(counts.max(initial=0)), typical))
    return tuple(clusters)
