"""All songs as points on a plane or in space, and how far that picture can be trusted.

Coordinates have no unit. UMAP (McInnes, Healy & Melville 2018) keeps near songs near and says little
about far ones; below ``MIN_SONGS_UMAP`` songs there is no neighbourhood to keep, so principal components are drawn.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

MIN_SONGS_UMAP = 5
UMAP_NEIGHBOURS = 15
TRUST_NEIGHBOURS = 10


@dataclass(frozen=True)
class Projection:
    """``coordinates`` float64 ``(n_songs, n_dimensions)`` by ``method``, "UMAP" or "PCA".

    ``trustworthiness`` (Venna & Kaski 2001) and ``knn_recall``, both 0…1, look at the ``n_neighbours``
    nearest songs; they are None where there are too few songs (``n_neighbours`` 0). ``place`` puts
    further embeddings ``(n, 641)`` on the same map.
    """

    coordinates: np.ndarray
    method: str
    n_neighbours: int
    trustworthiness: float | None
    knn_recall: float | None
    place: Callable[[np.ndarray], np.ndarray]


def project(embeddings: np.ndarray, n_dimensions: int, seed: int) -> Projection:
    """Map ``(n_songs, 641)`` to ``n_dimensions``; equal input and seed give equal coordinates."""
    from sklearn.preprocessing import StandardScaler

    n_songs = len(embeddings)
    scaler = StandardScaler().fit(np.asarray(embeddings, dtype=np.float64))
    scaled = scaler.transform(np.asarray(embeddings, dtype=np.float64))
    if n_songs < MIN_SONGS_UMAP:
        method, (coordinates, transform) = "PCA", _principal_components(scaled, n_dimensions)
    else:
        method, (coordinates, transform) = "UMAP", _umap(scaled, n_dimensions, seed)
    k = min(TRUST_NEIGHBOURS, (n_songs - 1) // 2)  # trustworthiness is defined for k < n / 2
    return Projection(
        coordinates,
        method,
        k,
        _trustworthiness(scaled, coordinates, k) if k else None,
        knn_recall(scaled, coordinates, k) if k else None,
        lambda further: transform(scaler.transform(np.asarray(further, dtype=np.float64))),
    )


def knn_recall(high: np.ndarray, low: np.ndarray, k: int) -> float:
    """Mean share, 0…1, of the ``k`` nearest rows in ``high`` that are among the ``k`` nearest in ``low``."""
    near_high, near_low = _nearest(high, k), _nearest(low, k)
    return float((near_high[:, :, None] == near_low[:, None, :]).any(axis=2).mean())


def cube_limits(coordinates: np.ndarray) -> np.ndarray:
    """Limits ``(n_dimensions, 2)`` of equal width that hold all points, so that no direction is stretched."""
    low, high = coordinates.min(axis=0), coordinates.max(axis=0)
    half = 0.55 * max(float((high - low).max()), 1e-6)
    return np.stack([(low + high) / 2 - half, (low + high) / 2 + half], axis=1)


def trust_in_words(projection: Projection) -> str:
    """How far the map can be trusted, for people, in two or three sentences."""
    n_songs, k = len(projection.coordinates), projection.n_neighbours
    note = (
        f"{n_songs} song{'s' * (n_songs != 1)} are too few for UMAP (it needs {MIN_SONGS_UMAP}): "
        "these are principal components. "
        if projection.method == "PCA"
        else ""
    )
    if projection.knn_recall is None or projection.trustworthiness is None:
        return f"{note}With fewer than three songs there are no neighbourhoods to check."
    recall = projection.knn_recall
    amount = "Most" if recall >= 2 / 3 else "Many" if recall >= 1 / 3 else "Few"
    return (
        f"{note}{amount} neighbours here are neighbours in all 641 columns: of a song's {k} nearest, "
        f"{recall:.0%} are among its {k} nearest on this map (by chance {k / (n_songs - 1):.0%}). "
        f"Trustworthiness {projection.trustworthiness:.2f} of 1. "
        + ("Distances between groups, their sizes and the axes mean nothing." if projection.method == "UMAP" else "")
    )


def _nearest(points: np.ndarray, k: int) -> np.ndarray:
    """Indices ``(n, k)`` of the nearest other rows, Euclidean."""
    from sklearn.neighbors import NearestNeighbors

    return NearestNeighbors(n_neighbors=k).fit(points).kneighbors(return_distance=False)


def _trustworthiness(high: np.ndarray, low: np.ndarray, k: int) -> float:
    from sklearn.manifold import trustworthiness

    return float(trustworthiness(high, low, n_neighbors=k))


def _umap(scaled: np.ndarray, n_dimensions: int, seed: int) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
    from umap import UMAP

    # one job: more would make the result depend on timing, and umap says so aloud
    neighbours = min(UMAP_NEIGHBOURS, len(scaled) - 1)
    model = UMAP(n_components=n_dimensions, n_neighbors=neighbours, random_state=seed, n_jobs=1)
    coordinates = np.asarray(model.fit_transform(scaled), dtype=np.float64)
    # its orientation is arbitrary: turned so that the map is widest along its first axis
    centre = coordinates.mean(axis=0)
    axes = _axes(coordinates - centre, n_dimensions)

    def turn(points: np.ndarray) -> np.ndarray:
        return (np.asarray(points, dtype=np.float64) - centre) @ axes.T

    return turn(coordinates), lambda further: turn(model.transform(further))


def _principal_components(
    scaled: np.ndarray, n_dimensions: int
) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
    axes = _axes(scaled, n_dimensions)
    return scaled @ axes.T, lambda further: further @ axes.T


def _axes(centred: np.ndarray, n_dimensions: int) -> np.ndarray:
    """Directions of largest variance, ``(n_dimensions, n_columns)``; 0 where there are too few rows for more."""
    _, _, components = np.linalg.svd(centred, full_matrices=False)
    axes = np.zeros((n_dimensions, centred.shape[1]))
    n_real = min(n_dimensions, len(centred) - 1)
    axes[:n_real] = components[:n_real]
    largest = np.abs(axes).argmax(axis=1)
    # the sign is arbitrary: the largest part of each is positive
    axes *= np.where(axes[np.arange(n_dimensions), largest] < 0, -1.0, 1.0)[:, None]
    return axes
