"""A library on its map: places of known and of new songs, and how far the map can be trusted."""

import numpy as np

from songmap.journey.results import Projection
from songmap.journey.song_map import DIMENSIONS, METHODS, SongMap
from songmap.journey.trust import MAX_CHECKED, TRUST_NEIGHBOURS, preserved
from songmap.library.library import Library
from songmap.library.search import Search
from songmap.library.spaces import sampled_rows


def project(song_map: SongMap, library: Library, search: Search, method: str) -> tuple[Projection, Projection]:
    """The library on a map, in two and in three dimensions.

    Neighbours are compared with those of ``search``, which the pages and 04 list. ``method``, a key of ``METHODS``, is
    the requested one.
    """
    units = search.units(np.arange(len(library)))
    rows = song_map.rows_of(library)
    new = rows < 0
    n_songs = len(library)
    k = min(TRUST_NEIGHBOURS, (n_songs - 1) // 2)  # trustworthiness is defined for k < n / 2
    checked = sampled_rows(n_songs, MAX_CHECKED)
    n_new, instead_of = int(new.sum()), METHODS[method] if song_map.method != METHODS[method] else ""
    projections = []
    for n_dimensions in DIMENSIONS:
        at = song_map.coordinates(n_dimensions)[rows]
        if new.any():
            at[new] = song_map.place(library.embeddings[new], n_dimensions)
        trust, recall = preserved(units, at, k, checked) if k else (None, None)
        variance = _shown_variance(song_map, library, search, at) if song_map.method == "PCA" else None
        shown = (variance, instead_of, search.space.name)
        projections.append(Projection(at, song_map.method, k, trust, recall, len(checked), n_new, *shown))
    return projections[0], projections[1]


def _shown_variance(song_map: SongMap, library: Library, search: Search, coordinates: np.ndarray) -> float | None:
    units = song_map.units_of(library.embeddings) if search.space.described else song_map.units
    total = float(units.var(axis=0, dtype=np.float64).sum())
    return float(coordinates.var(axis=0).sum()) / total if total > 0 else None
