"""Results of 08: numbers, names and identifiers.

A *cluster* is a group of songs by sound, a *community* a group by playlists; both are numbered from 0, the largest first.
Shares and p-values are 0 … 1.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from songmap.communities.agreement_results import Agreement
from songmap.communities.autoencoder_results import AutoencoderReport
from songmap.communities.graph_results import (
    Communities,
    CommunityFacts,
    MatchReport,
    Pruning,
    ReadReport,
    Recommendation,
    RecommendationScores,
    SampledPlaylist,
)
from songmap.library.traits import Trait


@dataclass(frozen=True)
class ClusterCount:
    """k-means with so many clusters.

    Attributes
    ----------
    clusters : int
    inertia : float
        Sum of squared distances from the centres.
    silhouette : float
        Mean over songs; those in clusters too small to count have 0.
    reference_silhouette : float
        The same for data without clusters: the mean of the more clustered of two kinds.
    gap, gap_error : float
        Gap statistic and its simulation error, of natural logarithms.
    stability : float
        Mean adjusted Rand index with k-means of bootstrap samples.
    """

    clusters: int
    inertia: float
    silhouette: float
    reference_silhouette: float
    gap: float
    gap_error: float
    stability: float


@dataclass(frozen=True)
class SpaceClusters:
    """Clusters of one space.

    Attributes
    ----------
    space : str
    columns, songs, sampled_songs : int
        Numbers of columns, of songs, and of those that the number of clusters is chosen on.
    counts : list of ClusterCount
    chosen : int
        The number of clusters, see ``communities.clusters``. Songs are divided into so many whether or not there is
        structure.
    has_structure : bool
        Whether that is more than chance gives, and stable.
    p_value : float
        Against references without clusters, at least 1 / (references + 1).
    gap_choice : int
        The number by the rule of Tibshirani et al., from 1.
    mixture_bic : list of float
        Of Gaussian mixtures of 1, 2, … components; the lowest is the best.
    mixture_choice : int
    density_clusters : int
        Found by HDBSCAN.
    density_noise : float
        The share of songs that it leaves outside.
    """

    space: str
    columns: int
    songs: int
    sampled_songs: int
    counts: list[ClusterCount]
    chosen: int
    has_structure: bool
    p_value: float
    gap_choice: int
    mixture_bic: list[float]
    mixture_choice: int
    density_clusters: int
    density_noise: float


@dataclass(frozen=True)
class GroupName:
    """How often a genre, or an artist, is in a group."""

    name: str
    songs: int


@dataclass(frozen=True)
class SetsApart:
    """A descriptor that sets a cluster apart: medians in ``unit``; ``effect`` is Cohen's d of the compared values."""

    descriptor: str
    family: str
    unit: str
    median: float
    median_others: float
    effect: float


@dataclass(frozen=True)
class NamedSong:
    """A song as people read it, and its path."""

    name: str
    file_path: str


@dataclass(frozen=True)
class ClusterDescription:
    """What is in a cluster, typical songs (nearest to its centre) first."""

    number: int
    songs: int
    artists: int
    genres: list[GroupName]
    typical: list[NamedSong]
    traits: list[Trait]
    sets_apart: list[SetsApart]
    playlist: Path


@dataclass(frozen=True)
class PlaylistSummary:
    """What was read of playlists, the graph's edges before and after pruning, and its communities with what is in each."""

    read: ReadReport
    match: MatchReport
    edges: int
    pruned_edges: int
    sampled: tuple[SampledPlaylist, ...]
    pruning: Pruning
    communities: Communities
    facts: tuple[CommunityFacts, ...]


@dataclass(frozen=True)
class RecommendedSongs:
    """A recommendation, with the names of its songs and of those that it is for."""

    seeds: list[NamedSong]
    songs: list[NamedSong]
    recommendation: Recommendation


@dataclass(frozen=True)
class WrittenFile:
    """A file and what is in it."""

    path: Path
    content: str


@dataclass(frozen=True)
class SongCommunities:
    """All that 08 computes.

    Attributes
    ----------
    songs, artists, songs_without_artist : int
        Of the library; a song without an artist counts as an artist of its own.
    spaces : list of SpaceClusters
    clusters : list of ClusterDescription
        Of the first space.
    playlists : PlaylistSummary or None
        None without playlists, as is what follows.
    agreement : Agreement or None
    scores : RecommendationScores or None
        None too where no playlist has enough songs.
    recommended : RecommendedSongs or None
        None unless songs were given.
    seed : int
    autoencoder : AutoencoderReport or None
        None unless one was wanted in this run.
    written : list of WrittenFile
    """

    songs: int
    artists: int
    songs_without_artist: int
    spaces: list[SpaceClusters]
    clusters: list[ClusterDescription]
    playlists: PlaylistSummary | None
    agreement: Agreement | None
    scores: RecommendationScores | None
    recommended: RecommendedSongs | None
    seed: int
    autoencoder: AutoencoderReport | None
    written: list[WrittenFile]


@dataclass(frozen=True)
class SongPlaces:
    """Songs in tables and pictures: rows of the library, their names, genres, clusters in each space, and communities.

    ``pictures`` are coordinates ``(n, 2)`` by method of the songs ``shown (n,)``.
    """

    names: list[str]
    genres: list[str]
    clusters: dict[str, np.ndarray]
    communities: np.ndarray
    shown: np.ndarray
    pictures: dict[str, np.ndarray]
