"""What is in each community: genres, artists, playlists, and the songs that hold it together."""

from collections import Counter

import numpy as np
from scipy import sparse

from songmap.communities.graph_results import Communities, CommunityFacts, MatchedPlaylists, SongGraph
from songmap.library.library import Library
from songmap.library.schema import UNKNOWN_GENRE

_N_MOST = 3


def describe_communities(
    library: Library, graph: SongGraph, communities: Communities, playlists: MatchedPlaylists
) -> tuple[CommunityFacts, ...]:
    """Facts of every community, the largest first."""
    labels = communities.labels
    edges = sparse.coo_array(graph.weights)
    first, second = edges.coords
    is_inside = labels[first] == labels[second]
    within = np.bincount(first[is_inside], edges.data[is_inside], len(labels))
    lists = [Counter[int]() for _ in communities.sizes]  # by place, since several can have one name
    for place, rows in enumerate(playlists.rows):
        for label, number in zip(*np.unique(labels[rows], return_counts=True), strict=True):
            if label >= 0:
                lists[label][place] += int(number)
    artists = library.songs["artist"].to_numpy()
    facts = []
    for label in range(len(communities.sizes)):
        own = np.flatnonzero(labels == label)
        own = own[np.argsort(-within[own], kind="stable")]
        genres = Counter(genre for genre in library.genres[own] if genre != UNKNOWN_GENRE).most_common(1)
        genre, number = genres[0] if genres else (None, 0)
        named = Counter(artist for artist in artists[own] if artist).most_common(_N_MOST)
        most = [(playlists.names[place], number) for place, number in lists[label].most_common(_N_MOST)]
        facts.append(CommunityFacts(label, tuple(own.tolist()), genre, number, tuple(named), tuple(most)))
    return tuple(facts)
