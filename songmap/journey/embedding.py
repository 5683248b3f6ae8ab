"""Numbers to coordinates: UMAP, densMAP and t-SNE, and principal axes.

All start from the songs' unit vectors, ``(n_songs, d)``: the order of their distances is that of their cosines.
Coordinates have no unit.

References
----------
McInnes, Healy & Melville 2018, UMAP. Narayan, Berger & Cho 2021, densMAP. van der Maaten & Hinton 2008, t-SNE.
"""

import atexit
import shutil
import tempfile
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

UMAP_NEIGHBOURS = 15  # umap-learn's default; the song itself is one of them
TSNE_PERPLEXITY = 30.0  # scikit-learn's default


def principal_axes(centred: np.ndarray, n_axes: int) -> np.ndarray:
    """Directions of largest variance.

    Parameters
    ----------
    centred : np.ndarray, shape (n_songs, n_columns)
        Columns of mean 0.
    n_axes : int
        At most so many, and fewer than songs.

    Returns
    -------
    np.ndarray, shape (≤ n_axes, n_columns)
        Orthonormal; the component of largest size of each is positive.
    """
    n_axes = max(0, min(n_axes, len(centred) - 1, centred.shape[1]))
    _, vectors = np.linalg.eigh(centred.T @ centred)
    axes = vectors.T[::-1][:n_axes]
    largest = np.abs(axes).argmax(axis=1)
    return axes * np.where(axes[np.arange(n_axes), largest] < 0, -1.0, 1.0)[:, None]


def embed(units: np.ndarray, method: str, dimensions: Sequence[int], seed: int) -> list[np.ndarray]:
    """Coordinates that keep near songs near.

    Parameters
    ----------
    units : np.ndarray, shape (n_songs, d)
    method : str
        "UMAP", "densMAP" or "t-SNE".
    dimensions : sequence of int
        Numbers of dimensions, one result for each.
    seed : int

    Returns
    -------
    list of np.ndarray, shape (n_songs, n_dimensions), float64
        Centred, and turned so that the first axis is the widest, since their orientation is arbitrary.
    """
    if method == "t-SNE":
        embedded = [_tsne(units, n_dimensions, seed) for n_dimensions in dimensions]
    else:
        embedded = _umap(units, dimensions, seed, densmap=method == "densMAP")
    result = []
    for coordinates in embedded:
        centred = coordinates.astype(np.float64) - coordinates.mean(axis=0, dtype=np.float64)
        result.append(centred @ principal_axes(centred, centred.shape[1]).T)
    return result


def _umap(units: np.ndarray, dimensions: Sequence[int], seed: int, *, densmap: bool) -> list[np.ndarray]:
    """UMAP or densMAP of exact neighbours."""
    from sklearn.neighbors import NearestNeighbors

    umap = _umap_class()
    n_songs = len(units)
    k = min(UMAP_NEIGHBOURS, n_songs - 1)
    distances, rows = NearestNeighbors(n_neighbors=k - 1, algorithm="brute").fit(units).kneighbors()
    neighbours = (np.column_stack([np.arange(n_songs), rows]), np.column_stack([np.zeros(n_songs), distances]))
    embedded = []
    for n_dimensions in dimensions:
        # one job: more would make the result depend on timing
        model = umap(
            n_components=n_dimensions, n_neighbors=k, densmap=densmap, random_state=seed, n_jobs=1,
            precomputed_knn=neighbours,
        )  # fmt: skip
        with warnings.catch_warnings():
            # neighbours without a search index: UMAP warns that its own transform, which is not used, is unavailable
            warnings.filterwarnings("ignore", message="precomputed_knn", category=UserWarning, module=r"umap\.umap_")
            embedded.append(model.fit_transform(units))
    return embedded


def _umap_class() -> Any:
    """The class, which is compiled when it is imported and used.

    What is compiled is kept where numba finds a folder for it, for a user without a home beside a read-only install in a
    temporary one.
    """
    import numba

    try:
        from umap import UMAP
    except RuntimeError:
        folder = tempfile.mkdtemp(prefix="songmap-numba-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        numba.config.CACHE_DIR = folder
        from umap import UMAP
    return UMAP


def _tsne(units: np.ndarray, n_dimensions: int, seed: int) -> np.ndarray:
    """t-SNE by Barnes and Hut's approximation."""
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    perplexity = min(TSNE_PERPLEXITY, (len(units) - 1) / 3)
    start = "pca" if np.ptp(units, axis=0).any() else "random"  # equal songs have no principal components
    with threadpool_limits(1):  # sums of several threads differ in their last bits
        model = TSNE(n_dimensions, perplexity=perplexity, init=start, random_state=seed)
        return model.fit_transform(units)
