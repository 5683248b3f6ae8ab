"""Groups of songs that sound alike, whatever their genres: k-means, the number of groups by silhouette."""

import numpy as np

from songmap.journey.drawing import principal_axes

MAX_CLUSTERS = 12
MIN_SONGS = 6  # fewer have no groups worth a name
_N_COMPONENTS = 50
_MAX_LEARNED = 5_000  # songs from which the groups are learned
_MAX_JUDGED = 2_000  # songs on which their number is judged


def find_clusters(scaled: np.ndarray, seed: int) -> np.ndarray:
    """Cluster of every song, int64 ``(n_songs,)`` from 1, the largest first, of standardised columns ``(n_songs, 641)``.

    k-means on their principal components for 2 … ``MAX_CLUSTERS`` groups; the number with the highest mean
    silhouette (Rousseeuw 1987) is kept. More than ``_MAX_LEARNED`` songs are learned from a sample of them. All
    songs are in one cluster where there are fewer than ``MIN_SONGS`` or none differ.
    """
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score
    from threadpoolctl import threadpool_limits

    n_songs = len(scaled)
    components = scaled @ principal_axes(scaled, _N_COMPONENTS).T
    rows = np.arange(n_songs)
    if n_songs > _MAX_LEARNED:
        rows = np.sort(np.random.default_rng(seed).choice(n_songs, _MAX_LEARNED, replace=False))
    learned = components[rows]
    n_different = len(np.unique(learned.round(6), axis=0))
    best, labels = -1.0, np.zeros(n_songs, dtype=np.int64)
    if n_songs < MIN_SONGS:
        return labels + 1
    with threadpool_limits(1):  # sums of several threads differ in their last bits
        for n_clusters in range(2, min(MAX_CLUSTERS, n_different - 1) + 1):
            model = KMeans(n_clusters, n_init=4, random_state=seed).fit(learned)
            score = silhouette_score(
                learned, model.labels_, sample_size=min(_MAX_JUDGED, len(learned)), random_state=seed
            )
            if score > best:
                best, labels = score, model.predict(components)
    order = np.argsort(-np.bincount(labels), kind="stable")
    return np.argsort(order)[labels] + 1
