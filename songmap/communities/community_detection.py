"""Communities of a graph of songs: sets of songs that share playlists with each other more than with others.

References
----------
Blondel, Guillaume, Lambiotte & Lefebvre 2008, Fast unfolding of communities in large networks (Louvain).
Traag, Waltman & van Eck 2019, From Louvain to Leiden: guaranteeing well-connected communities.
Newman 2004, Analysis of weighted networks, for weighted modularity.
Guimerà, Sales-Pardo & Amaral 2004, Modularity from fluctuations in random graphs and complex networks: a graph without
structure has communities of positive modularity too; one of playlists even more, since each is a clique.
"""

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from scipy import sparse

from songmap.communities.graph import build_graph, different_playlists
from songmap.communities.graph_results import (
    NO_COMMUNITY,
    Communities,
    CommunityWarning,
    MatchedPlaylists,
    Method,
    ModularityNull,
    Pruning,
    SongGraph,
)
from songmap.communities.pruning import prune
from songmap.core.errors import UsageError
from songmap.core.progress import OnProgress

MOST = 0.5  # of the joined songs in one community: a warning
STABLE = 0.5  # stability below it: a warning
P_VALUE = 0.05
_LARGE = 1_000_000  # edges above which few runs are affordable
_RUNS, _FEW_RUNS = 10, 2
_SMALL = 20_000  # edges above which few random sets of playlists are compared
_NULL_RUNS, _FEW_NULL_RUNS = 99, 19
_SWAPS = 100


@dataclass(frozen=True)
class Detection:
    """How communities are detected; with more ``resolution`` they are smaller. ``n_runs`` None is as many as affordable."""

    method: Method = "louvain"
    resolution: float = 1.0
    seed: int = 0
    n_runs: int | None = None


def detect(graph: SongGraph, detection: Detection | None = None, on_progress: OnProgress | None = None) -> Communities:
    """Detect communities by several runs; those of the highest modularity are the result.

    Parameters
    ----------
    graph : SongGraph
    detection : Detection, optional
    on_progress : callable, optional
        Called with runs done and all runs.

    Returns
    -------
    Communities
        Without a null, see ``against_chance``.

    Raises
    ------
    UsageError
        If no two songs are joined.
    """
    detection = detection or Detection()
    weights, is_joined = graph.weights, graph.is_joined
    if not weights.nnz:
        raise UsageError("no two songs of the library are in one playlist: there are no communities; add playlists")
    n_runs = detection.n_runs or (_RUNS if graph.n_edges <= _LARGE else _FEW_RUNS)
    runs = []
    for run in range(n_runs):
        runs.append(_labels(weights, is_joined, detection, detection.seed + run))
        if on_progress:
            on_progress(run + 1, n_runs)
    scores = [modularity(weights, labels) for labels in runs]
    best = int(np.argmax(scores))
    labels = runs[best]
    sizes = np.bincount(labels[is_joined])
    stability = _stability([labels[is_joined] for labels in runs]) if n_runs > 1 else None
    warnings = [
        warning
        for warning, holds in {
            CommunityWarning.ONE_COMMUNITY: len(sizes) == 1,
            CommunityWarning.ONE_HOLDS_MOST: len(sizes) > 1 and sizes[0] > MOST * sizes.sum(),
            CommunityWarning.UNSTABLE: stability is not None and stability < STABLE,
        }.items()
        if holds
    ]
    return Communities(
        labels, sizes, scores[best], stability, n_runs, detection.method, detection.resolution, None, tuple(warnings)
    )


def modularity(weights: sparse.csr_array, labels: np.ndarray) -> float:
    """Newman's weighted modularity at resolution 1 of ``labels (n,)`` of symmetric ``weights (n, n)``; songs without an edge do not count."""
    rows = np.repeat(labels, np.diff(weights.indptr))
    total = weights.data.sum(dtype=np.float64)
    inside = weights.data[rows == labels[weights.indices]].sum(dtype=np.float64) / total
    is_labelled = labels >= 0
    shares = np.bincount(labels[is_labelled], weights=(weights @ np.ones(len(labels)))[is_labelled]) / total
    return float(inside - np.square(shares).sum())


def against_chance(
    communities: Communities,
    playlists: MatchedPlaylists,
    pruning: Pruning,
    detection: Detection | None = None,
    n_runs: int | None = None,
) -> Communities:
    """Compare modularity with that of random playlists of the same lengths, in which each song is as often as it is.

    Parameters
    ----------
    communities : Communities
        Of the graph of ``playlists``.
    playlists : MatchedPlaylists
    pruning : Pruning
        Of the graph, before detection; random playlists are pruned too.
    detection : Detection, optional
        As of ``communities``.
    n_runs : int, optional
        Random sets of playlists; by default 99, of a graph of more than 20,000 edges 19, which can show p = 0.05.

    Returns
    -------
    Communities
        With ``null``, and a warning where p is above ``P_VALUE``.

    Notes
    -----
    Both are of one run of the method each: the best of several would be higher than that of a single one. Of playlists with
    the same songs there is one: random ones would not be equal, and any playlists that are there twice above chance.
    """
    playlists = different_playlists(playlists)
    detection = replace(detection or Detection(), n_runs=1)
    n_songs, rng = len(communities.labels), np.random.default_rng(detection.seed)
    graph = prune(build_graph(playlists, n_songs, detection.seed), pruning)
    own = detect(graph, detection).modularity
    n_runs = n_runs or (_NULL_RUNS if graph.n_edges <= _SMALL else _FEW_NULL_RUNS)
    values = np.empty(n_runs)
    for run in range(n_runs):
        graph = prune(build_graph(shuffled(playlists, rng), n_songs, detection.seed), pruning)
        # random playlists share less: they can be pruned to nothing
        values[run] = detect(graph, detection).modularity if graph.n_edges else 0.0
    p_value = (1 + int(np.count_nonzero(values >= own))) / (1 + n_runs)
    null = ModularityNull(n_runs, float(values.mean()), float(values.std(ddof=1)), p_value)
    further = (CommunityWarning.NOT_ABOVE_CHANCE,) if p_value > P_VALUE else ()
    return replace(communities, null=null, warnings=(*communities.warnings, *further))


def shuffled(playlists: MatchedPlaylists, rng: np.random.Generator) -> MatchedPlaylists:
    """Random playlists of the same lengths, every song in as many of them.

    Songs of all entries are permuted; those that are then in one playlist twice are exchanged with random others, again and
    again. Where that does not end, as with a song in nearly all playlists, the second of the two is left out.
    """
    sizes = [len(rows) for rows in playlists.rows]
    lists = np.repeat(np.arange(len(sizes)), sizes)
    songs = rng.permutation(np.concatenate(playlists.rows))
    for _ in range(_SWAPS):
        again = _repeated(lists, songs)
        if not len(again):
            break
        for place, other in zip(again, rng.integers(len(songs), size=len(again)), strict=True):
            songs[place], songs[other] = songs[other], songs[place]
    is_kept = np.ones(len(songs), dtype=bool)
    is_kept[_repeated(lists, songs)] = False
    ends = np.cumsum(np.bincount(lists[is_kept], minlength=len(sizes)))[:-1]
    return MatchedPlaylists(playlists.names, tuple(np.split(songs[is_kept], ends)))


def _repeated(lists: np.ndarray, songs: np.ndarray) -> np.ndarray:
    """Places of songs that are in their playlist before already."""
    order = np.lexsort((songs, lists))
    equal = (np.diff(lists[order]) == 0) & (np.diff(songs[order]) == 0)
    return order[1:][equal]


def _labels(weights: sparse.csr_array, is_joined: np.ndarray, detection: Detection, seed: int) -> np.ndarray:
    """Labels int64 ``(n_songs,)``, the largest community 0, equal sizes by their first song."""
    from sknetwork.clustering import Leiden, Louvain

    kind = {"louvain": Louvain, "leiden": Leiden}[detection.method]
    model = kind(
        detection.resolution, modularity="newman", shuffle_nodes=True, sort_clusters=False, return_probs=False,
        return_aggregate=False, random_state=seed,
    )  # fmt: skip
    found = np.asarray(model.fit_predict(sparse.csr_matrix(weights)))[is_joined]  # each of the others is on its own
    _, first, own, sizes = np.unique(found, return_index=True, return_inverse=True, return_counts=True)
    labels = np.full(len(is_joined), NO_COMMUNITY, dtype=np.int64)
    labels[is_joined] = np.argsort(np.lexsort((first, -sizes)))[own]
    return labels


def _stability(runs: list[np.ndarray]) -> float:
    from sklearn.metrics import adjusted_rand_score

    return float(np.mean([adjusted_rand_score(first, second) for first, second in combinations(runs, 2)]))
