"""Playlists with planted communities, and without."""

import numpy as np

from songmap.communities.graph_results import MatchedPlaylists


def planted(
    n_communities: int, size: int, n_playlists: int, *, length: int = 12, mixing: float = 0.1, seed: int = 0
) -> MatchedPlaylists:
    """Playlists of one community each, in turn; a share ``mixing`` of the songs is drawn from all."""
    rng = np.random.default_rng(seed)
    lists = []
    for number in range(n_playlists):
        own = (number % n_communities) * size + rng.integers(size, size=length)
        songs = np.where(rng.random(length) < mixing, rng.integers(n_communities * size, size=length), own)
        lists.append(np.array(list(dict.fromkeys(songs.tolist())), dtype=np.int64))
    return MatchedPlaylists(tuple(f"list {number}" for number in range(n_playlists)), tuple(lists))


def playlists(*rows: list[int]) -> MatchedPlaylists:
    return MatchedPlaylists(
        tuple(f"list {number}" for number in range(len(rows))), tuple(np.array(own, dtype=np.int64) for own in rows)
    )
