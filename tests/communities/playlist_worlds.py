"""Songs with a sound by artist, and playlists that follow it more or less."""

from dataclasses import dataclass

import numpy as np

from songmap.communities.agreement import PlaylistSongs
from songmap.communities.community_detection import Detection, detect
from songmap.communities.graph import build_graph
from songmap.communities.graph_results import MatchedPlaylists

N_MOODS = 4


@dataclass(frozen=True)
class World:
    """``vectors (n_songs, 10)``; the mood of each song's artist; playlists and communities."""

    vectors: np.ndarray
    moods: np.ndarray
    songs: PlaylistSongs


def world(seed: int, preference: float, n_artists: int = 30, n_playlists: int = 12) -> World:
    """Playlists are all songs of some artists, of one mood so many times likelier than of others.

    Artists have 1 to 15 songs, which sound similar: with a ``preference`` of 1 songs of an artist are in the same playlists
    and in the same clusters, and sound has nothing else to do with playlists.
    """
    rng = np.random.default_rng(seed)
    artists = np.repeat(np.arange(n_artists), np.minimum(rng.geometric(0.25, n_artists), 15))
    mood = rng.integers(N_MOODS, size=n_artists)
    sound = 2 * rng.standard_normal((N_MOODS, 10))[mood] + rng.standard_normal((n_artists, 10))
    rows = []
    for number in range(n_playlists):
        weights = np.where(mood == number % N_MOODS, preference, 1.0)
        chosen = rng.choice(n_artists, max(3, n_artists // 6), replace=False, p=weights / weights.sum())
        rows.append(np.flatnonzero(np.isin(artists, chosen)))
    playlists = MatchedPlaylists(tuple(map(str, range(n_playlists))), tuple(rows))
    labels = detect(build_graph(playlists, len(artists)), Detection(n_runs=1, seed=seed)).labels
    vectors = sound[artists] + rng.standard_normal((len(artists), 10))
    return World(vectors, mood[artists], PlaylistSongs(rows, labels, artists, seed))
