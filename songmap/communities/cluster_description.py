"""What is in a cluster: typical songs, genres, traits, and the descriptors that set it apart, in real units."""

from collections import Counter

import numpy as np

from songmap.communities.results import ClusterDescription, GroupName, NamedSong, SetsApart
from songmap.core.statistics import known_median
from songmap.core.workspace import Workspace
from songmap.library.descriptors import DESCRIPTORS
from songmap.library.m3u8 import write_playlist
from songmap.library.traits import traits
from songmap.similar.lookup import Lookup

N_TYPICAL, N_DESCRIPTORS = 5, 5
_PER_FAMILY = 2
_LEAST_EFFECT = 0.5  # Cohen's d: less is not worth naming


def describe_clusters(
    lookup: Lookup, vectors: np.ndarray, clusters: np.ndarray, workspace: Workspace
) -> list[ClusterDescription]:
    """Describe each cluster, and write its songs as a playlist, the nearest to its centre first.

    Parameters
    ----------
    lookup : Lookup
    vectors : np.ndarray, shape (n_songs, d)
        The space that the clusters are of.
    clusters : np.ndarray, shape (n_songs,)
        From 0.
    workspace : Workspace

    Returns
    -------
    list of ClusterDescription
        Descriptors of at least half a pooled standard deviation, the farthest apart first, at most two of a family.
    """
    compared, n_clusters = lookup.library.descriptors, int(clusters.max()) + 1
    folder = workspace.cluster_playlists
    files = [folder / f"cluster_{number + 1:02d}.m3u8" for number in range(n_clusters)]
    for old in set(folder.glob("cluster_[0-9][0-9].m3u8")) - set(files):
        old.unlink()
    described = []
    for number, file in enumerate(files):
        rows = np.flatnonzero(clusters == number)
        distances = np.linalg.norm(vectors[rows] - vectors[rows].mean(axis=0, dtype=np.float64), axis=1)
        rows = rows[np.argsort(distances, kind="stable")]
        songs = lookup.songs(rows)
        write_playlist(file, songs)
        medians = np.array([known_median(column) for column in lookup.qualities[rows].T])
        described.append(
            ClusterDescription(
                number=number,
                songs=len(rows),
                artists=len({song.artist for song in songs if song.artist}),
                genres=[GroupName(*pair) for pair in Counter(song.genre for song in songs).most_common()],
                typical=[NamedSong(song.display_name, song.file_path) for song in songs[:N_TYPICAL]],
                traits=list(traits(medians, lookup.qualities)),
                sets_apart=sets_apart(compared, lookup.library.embeddings, clusters == number),
                playlist=file,
            )
        )
    return described


def sets_apart(compared: np.ndarray, embeddings: np.ndarray, own: np.ndarray) -> list[SetsApart]:
    """Descriptors in which some songs differ most from the others.

    Parameters
    ----------
    compared : np.ndarray, shape (n_songs, 157)
    embeddings : np.ndarray, shape (n_songs, 641)
    own : np.ndarray of bool, shape (n_songs,)
    """
    if own.all() or own.sum() < 2 or (~own).sum() < 2:
        return []
    effects = cohens_d(compared[own], compared[~own])
    chosen: list[int] = []
    for place in np.argsort(-np.abs(effects), kind="stable"):
        family = DESCRIPTORS[place].family
        n_family = sum(DESCRIPTORS[one].family == family for one in chosen)
        if abs(effects[place]) >= _LEAST_EFFECT and len(chosen) < N_DESCRIPTORS and n_family < _PER_FAMILY:
            chosen.append(int(place))
    return [_set_apart(place, embeddings, own, float(effects[place])) for place in chosen]


def cohens_d(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Differences of means ``(d,)`` of ``(n, d)`` and ``(m, d)`` in pooled standard deviations; 0 where there are none."""
    squares = [len(one) * one.var(axis=0) for one in (first, second)]
    deviation = np.sqrt((squares[0] + squares[1]) / (len(first) + len(second) - 2))
    difference = first.mean(axis=0) - second.mean(axis=0)
    return np.divide(difference, deviation, out=np.zeros_like(difference), where=deviation > 1e-12)


def _set_apart(place: int, embeddings: np.ndarray, own: np.ndarray, effect: float) -> SetsApart:
    one = DESCRIPTORS[place]
    values = one.values(embeddings)
    return SetsApart(
        one.name, one.family, one.unit, float(np.median(values[own])), float(np.median(values[~own])), effect
    )
