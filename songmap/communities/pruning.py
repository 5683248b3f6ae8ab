"""Which edges of a graph of songs are kept: by weight, by significance (disparity filter), by the k-core.

References
----------
Serrano, Boguñá & Vespignani 2009, Extracting the multiscale backbone of complex weighted networks.
Seidman 1983, Network structure and minimum degree.
"""

from dataclasses import replace

import numpy as np
from scipy import sparse

from songmap.communities.graph_results import Pruning, SongGraph


def prune(graph: SongGraph, pruning: Pruning) -> SongGraph:
    """Keep some edges: first by weight, then by significance, at last those of the k-core.

    Parameters
    ----------
    graph : SongGraph
    pruning : Pruning
        ``minimum_weight``: lighter edges are removed. ``significance``, 0 … 1: an edge is kept if its p-value by the
        disparity filter is below it at one of its ends. ``k_core``: of what is left songs with fewer than so many
        neighbours are removed, again and again, with their edges.

    Returns
    -------
    SongGraph
        The same songs; those without an edge are not joined any more, which can be all.
    """
    weights = graph.weights
    if pruning.minimum_weight > 0:
        weights = _kept(weights, weights.data >= pruning.minimum_weight)
    if pruning.significance is not None:
        p_values = disparity_p_values(weights)
        weights = _kept(weights, np.minimum(p_values.data, p_values.T.tocsr().data) < pruning.significance)
    if pruning.k_core > 0:
        weights = _core(weights, pruning.k_core)
    return replace(graph, weights=weights)


def disparity_p_values(weights: sparse.csr_array) -> sparse.csr_array:
    """The p-value of every edge at the end of its row, with the entries of ``weights (n, n)``.

    It is (1 - w / s) ** (k - 1) for a song of k neighbours and strength s: the probability that one of k parts of s, cut at
    random, is w or more. Of a song with one neighbour it is 1: only the other end decides.
    """
    degrees = np.diff(weights.indptr)
    shares = weights.data / np.repeat(weights @ np.ones(len(degrees)), degrees)
    # a share of 1 is rounded: 1 - w / s can be a little below 0
    p_values = np.maximum(1 - shares, 0) ** (np.repeat(degrees, degrees) - 1)
    return sparse.csr_array((p_values, weights.indices, weights.indptr), shape=weights.shape)


def _core(weights: sparse.csr_array, k: int) -> sparse.csr_array:
    from sknetwork.topology import get_core_decomposition

    if not weights.nnz:
        return weights
    is_in = get_core_decomposition(sparse.csr_matrix(weights)) >= k
    rows = np.repeat(np.arange(weights.shape[0]), np.diff(weights.indptr))
    return _kept(weights, is_in[rows] & is_in[weights.indices])


def _kept(weights: sparse.csr_array, is_kept: np.ndarray) -> sparse.csr_array:
    """``weights`` with the entries that are kept, ``(nnz,)``."""
    ends = np.r_[0, np.cumsum(is_kept)][weights.indptr].astype(weights.indptr.dtype)
    return sparse.csr_array((weights.data[is_kept], weights.indices[is_kept], ends), shape=weights.shape)
