"""How much of the songs' neighbourhoods a map keeps: exact for small libraries, of a sample for large ones.

References
----------
Venna & Kaski 2001, Neighborhood preservation in nonlinear projection methods (trustworthiness).
"""

import numpy as np

TRUST_NEIGHBOURS = 10
MAX_CHECKED = 2_000  # songs; each is compared with all others, so that time and memory grow with n_songs only
_BLOCK_PAIRS = 8_000_000  # distances held at a time: 64 MB


def preserved(high: np.ndarray, low: np.ndarray, k: int, rows: np.ndarray) -> tuple[float, float]:
    """Trustworthiness and recall of the ``k`` nearest songs.

    Parameters
    ----------
    high : np.ndarray, shape (n_songs, n_columns)
        The data.
    low : np.ndarray, shape (n_songs, n_dimensions)
        The map.
    k : int
        1 ≤ k < n_songs / 2.
    rows : np.ndarray, shape (n_checked,)
        Songs over which both are averaged.

    Returns
    -------
    trustworthiness : float
        0 … 1. A song near on the map lowers it by how far beyond ``k`` it ranks in the data; equal distances share
        the smallest of their ranks.
    recall : float
        0 … 1. Share of the nearest in the data that are among the nearest on the map.
    """
    from scipy.spatial.distance import cdist
    from sklearn.metrics import euclidean_distances

    n_songs = len(high)
    penalty = kept = 0
    for block in np.array_split(rows, -(-len(rows) * n_songs // _BLOCK_PAIRS)):
        far = euclidean_distances(high[block], high, squared=True)
        near = cdist(low[block], low, "sqeuclidean")
        own = np.arange(len(block))
        far[own, block] = near[own, block] = np.inf
        on_map = np.argpartition(near, k - 1, axis=1)[:, :k]
        in_data = np.argpartition(far, k - 1, axis=1)[:, :k]
        kept += int((on_map[:, :, None] == in_data[:, None, :]).sum())
        for neighbour in on_map.T:
            ranks = 1 + (far < far[own, neighbour][:, None]).sum(axis=1)
            penalty += int(np.maximum(ranks - k, 0).sum())
    worst = len(rows) * k * (2 * n_songs - 3 * k - 1) / 2
    return 1 - penalty / worst, kept / (len(rows) * k)
