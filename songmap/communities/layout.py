"""Where songs are drawn: joined songs near each other, communities apart.

References
----------
Fruchterman & Reingold 1991, Graph drawing by force-directed placement.
"""

import numpy as np
from scipy import sparse

from songmap.communities.graph import incidence
from songmap.communities.graph_results import Communities, GraphDrawing, MatchedPlaylists, SongGraph

MAX_DRAWN = 5_000
_FEW, _DRAWN, _DRAWN_OF_MANY = 1_000, 8, 4  # edges of a song that are drawn
_ITERATIONS = 300
_PULLING = 15  # edges of a song that count
_PARTNERS = 200  # songs that repel each song in an iteration, drawn anew each time; of fewer songs all
_BETWEEN = 0.1  # how much an edge between communities counts: otherwise most graphs of playlists are one ball
_NEAREST = 1e-4  # squared distance below which songs do not push each other more
_STEP = 0.1  # the first, of a plane that is about 2 wide


def graph_drawing(
    graph: SongGraph, communities: Communities, playlists: MatchedPlaylists, seed: int = 0
) -> GraphDrawing:
    """The joined songs, at most ``MAX_DRAWN`` of most strength, with places and their strongest edges."""
    strength = graph.strengths
    joined = np.flatnonzero(graph.is_joined)
    rows = np.sort(joined[np.argsort(-strength[joined], kind="stable")[:MAX_DRAWN]])
    numbers = np.asarray(incidence(list(playlists.rows), len(strength)).sum(axis=0)).ravel()
    per_song = _DRAWN if len(rows) <= _FEW else _DRAWN_OF_MANY
    edges = strongest_edges(sparse.csr_array(graph.weights[rows][:, rows]), per_song)
    places = layout(graph, communities, rows, seed)
    return GraphDrawing(
        rows, places, strength[rows], numbers[rows].astype(np.int64), *edges, n_left_out=len(joined) - len(rows)
    )


def layout(graph: SongGraph, communities: Communities, rows: np.ndarray, seed: int = 0) -> np.ndarray:
    """Places of songs in a plane, by the forces of Fruchterman and Reingold along the strongest edges of each song.

    Parameters
    ----------
    graph : SongGraph
    communities : Communities
        Edges between two communities count a tenth, so that a song is drawn with its community.
    rows : np.ndarray of int64, shape (n,)
        Songs to place.
    seed : int

    Returns
    -------
    np.ndarray, shape (n, 2), float64
        From -1 to 1, of the same scale in both directions.
    """
    rng, n_songs = np.random.default_rng(seed), len(rows)
    labels = communities.labels[rows]
    first, second, pulls = strongest_edges(sparse.csr_array(graph.weights[rows][:, rows]), _PULLING)
    pulls = pulls * np.where(labels[first] == labels[second], 1, _BETWEEN)
    pulls *= n_songs**1.5 / max(2 * pulls.sum(), 1e-12)  # a song is pulled with weight 1 on average
    places = _ring(labels, len(communities.sizes)) + 0.05 * rng.standard_normal((n_songs, 2))
    for iteration in range(_ITERATIONS):
        others = np.arange(n_songs) if n_songs <= _PARTNERS else rng.choice(n_songs, _PARTNERS, replace=False)
        forces = _pushes(places, places[others])
        steps = places[second] - places[first]
        pulled = steps * (np.sqrt(np.square(steps).sum(axis=1)) * pulls)[:, None]
        for axis, along in enumerate(pulled.T):
            forces[:, axis] += np.bincount(first, along, n_songs) - np.bincount(second, along, n_songs)
        sizes = np.sqrt(np.square(forces).sum(axis=1, keepdims=True))
        places += forces / np.maximum(sizes, 1e-12) * np.minimum(sizes, _STEP * (1 - iteration / _ITERATIONS))
    places -= (places.max(axis=0) + places.min(axis=0)) / 2
    return np.asarray(places / max(np.abs(places).max(), 1e-12))


def _ring(labels: np.ndarray, n_communities: int) -> np.ndarray:
    """A place on the unit circle for every song, the same for a community."""
    angles = 2 * np.pi * labels / n_communities
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def _pushes(places: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Mean over ``others`` of forces away from them, 1 / distance each."""
    x, y = (places[:, axis, None] - others[:, axis] for axis in range(2))
    reciprocals = 1 / np.maximum(x * x + y * y, _NEAREST)
    return np.stack([(x * reciprocals).mean(axis=1), (y * reciprocals).mean(axis=1)], axis=1)


def strongest_edges(weights: sparse.csr_array, per_song: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ends ``(n_edges,)``, the first before the second, and weights of the edges that are among the strongest of one of their ends."""
    rows = np.repeat(np.arange(weights.shape[0]), np.diff(weights.indptr))
    order = np.lexsort((weights.indices, -weights.data, rows))
    ranks = np.arange(len(order)) - weights.indptr[rows[order]]
    kept = order[ranks < per_song]
    first, second = np.sort([rows[kept], weights.indices[kept]], axis=0)
    _, once = np.unique(first * weights.shape[0] + second, return_index=True)
    return first[once], second[once], weights.data[kept[once]]
