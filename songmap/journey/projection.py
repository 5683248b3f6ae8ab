"""All songs of a library as points of a map, and how far that picture can be trusted.

Coordinates have no unit. A map is drawn once (``song_map``); songs that came later are placed on it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from songmap.journey.position import standardise
from songmap.journey.song_map import DIMENSIONS, METHODS, MIN_SONGS, SongMap
from songmap.journey.trust import TRUST_NEIGHBOURS, checked_songs, preserved
from songmap.library.library import Library

MAX_NEW_SHARE = 1 / 3  # of songs that the map was not drawn from; beyond, drawing it anew is advised


@dataclass(frozen=True)
class Projection:
    """``coordinates`` float64 ``(n_songs, n_dimensions)`` by ``method``: "UMAP", "PCA", "t-SNE" or "densMAP".

    ``trustworthiness`` and ``knn_recall``, both 0…1, look at the ``n_neighbours`` nearest songs of ``n_checked``;
    they are None where there are too few songs (``n_neighbours`` 0). ``place`` puts further embeddings ``(n, 641)``
    on the same map. ``n_new`` songs were not there when it was drawn. ``variance`` is the share of the standardised
    columns' variance that principal components show; ``instead_of`` the method that needs more songs than there are.
    """

    coordinates: np.ndarray
    method: str
    n_neighbours: int
    trustworthiness: float | None
    knn_recall: float | None
    place: Callable[[np.ndarray], np.ndarray]
    n_checked: int = 0
    n_new: int = 0
    variance: float | None = None
    instead_of: str = ""


def project(song_map: SongMap, library: Library, method: str) -> tuple[Projection, Projection]:
    """The library on a map, in two and in three dimensions; ``method``, a key of ``METHODS``, is what was asked for."""
    scaled = standardise(library.embeddings)
    rows = song_map.known(library)
    new = rows < 0
    n_songs = len(library)
    k = min(TRUST_NEIGHBOURS, (n_songs - 1) // 2)  # trustworthiness is defined for k < n / 2
    checked = checked_songs(n_songs)
    found = []
    for n_dimensions in DIMENSIONS:
        coordinates = song_map.coordinates(n_dimensions)[rows]
        coordinates[new] = song_map.place(library.embeddings[new], n_dimensions)
        trust, recall = preserved(scaled, coordinates, k, checked) if k else (None, None)
        found.append(
            Projection(
                coordinates, song_map.method, k, trust, recall,
                lambda further, n_dimensions=n_dimensions: song_map.place(further, n_dimensions),
                n_checked=len(checked),
                n_new=int(new.sum()),
                variance=_shown_variance(song_map, library, coordinates) if song_map.method == "PCA" else None,
                instead_of=METHODS[method] if song_map.method != METHODS[method] else "",
            )
        )  # fmt: skip
    return found[0], found[1]


def _shown_variance(song_map: SongMap, library: Library, coordinates: np.ndarray) -> float | None:
    total = float((library.embeddings.var(axis=0, dtype=np.float64) * song_map.weight**2).sum())
    return float(coordinates.var(axis=0).sum()) / total if total > 0 else None


def cube_limits(coordinates: np.ndarray) -> np.ndarray:
    """Limits ``(n_dimensions, 2)`` of equal width that hold all points, so that no direction is stretched."""
    low, high = coordinates.min(axis=0), coordinates.max(axis=0)
    half = 0.55 * max(float((high - low).max()), 1e-6)
    return np.stack([(low + high) / 2 - half, (low + high) / 2 + half], axis=1)


def trust_in_words(projection: Projection) -> str:
    """How far the map can be trusted, for people, in a few sentences."""
    n_songs, k = len(projection.coordinates), projection.n_neighbours
    said = []
    if projection.instead_of:
        said.append(
            f"{n_songs} song{'s' * (n_songs != 1)} are too few for {projection.instead_of} (it needs {MIN_SONGS}): "
            "these are principal components."
        )
    if projection.knn_recall is None or projection.trustworthiness is None:
        return " ".join([*said, "With fewer than three songs there are no neighbourhoods to check."])
    recall = projection.knn_recall
    amount = "Most" if recall >= 2 / 3 else "Many" if recall >= 1 / 3 else "Few"
    sample = f", checked for {projection.n_checked:,} of the {n_songs:,} songs" * (0 < projection.n_checked < n_songs)
    said.append(
        f"{amount} neighbours here are neighbours in all 641 columns: of a song's {k} nearest, "
        f"{recall:.0%} are among its {k} nearest on this map (by chance {k / (n_songs - 1):{'.0%' if n_songs <= 1000 else '.2%'}})"
        f"{sample}. Trustworthiness {projection.trustworthiness:.2f} of 1."
    )
    said.append(_meaning(projection))
    if projection.n_new:
        said.append(
            f"{projection.n_new:,} of the songs came after this map was drawn and were placed among those most like them"
            + (": draw it anew with --refit." if projection.n_new > MAX_NEW_SHARE * n_songs else ".")
        )
    return " ".join(said)


def _meaning(projection: Projection) -> str:
    """What can be read from the map besides who is near whom."""
    if projection.method == "PCA":
        shown = "" if projection.variance is None else f" and show {projection.variance:.0%} of the variance"
        return f"The axes are the directions in which the songs differ most{shown}; songs that differ in the rest look alike."
    if projection.method == "densMAP":
        return "A wide group is a varied one; distances between groups and the axes mean nothing."
    return "Distances between groups, their sizes and the axes mean nothing."
