"""What 02 computes, as numbers, names and identifiers; ``songmap.journey.views`` shows it.

Conventions: genres are in sorted order; coordinates of maps have no unit; NaN is an unknown number.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from songmap.journey.song_map import MapFit, SongMap
from songmap.library.genre_similarity import GenreSimilarity
from songmap.library.traits import Trait

MAX_NEW_SHARE = 1 / 3  # of songs that a map was not fitted to; beyond, fitting it again is advised


@dataclass(frozen=True)
class Projection:
    """All songs of a library on a map in two or three dimensions, and how far it can be trusted.

    Attributes
    ----------
    coordinates : np.ndarray, shape (n_songs, n_dimensions), float64
    method : str
        "UMAP", "PCA", "t-SNE" or "densMAP".
    n_neighbours : int
        k of the two figures that follow; 0 where there are too few songs.
    trustworthiness, knn_recall : float or None
        0 … 1, over the k nearest songs of ``n_checked`` songs; None where there are too few songs.
    n_new : int
        Songs that the map was not fitted to.
    variance : float or None
        Share of the unit vectors' variance that principal components show; None for other methods.
    instead_of : str
        The requested method where it needs more songs than there are, else empty.
    space : str
        What songs are compared in: balanced or cnn.
    """

    coordinates: np.ndarray
    method: str
    n_neighbours: int
    trustworthiness: float | None
    knn_recall: float | None
    n_checked: int = 0
    n_new: int = 0
    variance: float | None = None
    instead_of: str = ""
    space: str = "balanced"

    @property
    def n_songs(self) -> int:
        return len(self.coordinates)

    @property
    def n_dimensions(self) -> int:
        return self.coordinates.shape[1]

    @property
    def chance_recall(self) -> float:
        """``knn_recall`` of a map that places songs at random."""
        return self.n_neighbours / (self.n_songs - 1)

    @property
    def refit_advised(self) -> bool:
        return self.n_new > MAX_NEW_SHARE * self.n_songs


@dataclass(frozen=True)
class Colouring:
    """What the songs of a map can be coloured and filtered by: a value for each, NaN or "" where it is unknown.

    ``name`` is a key such as "tempo" or "confidence", or a family, whose first principal component it then is. Keys are
    numbered as in ``songmap.library.keys``, ``NO_KEY`` where unknown, clusters from 1.
    """

    name: str
    kind: Literal["genre", "key", "cluster", "number"]
    values: np.ndarray
    unit: str = ""


@dataclass(frozen=True)
class Cluster:
    """A cluster of ``n_songs`` similar songs: its most frequent known genre, of ``n_genre`` of them, and typical traits.

    ``genre`` is None where no song has one.
    """

    n_songs: int
    genre: str | None
    n_genre: int
    traits: tuple[Trait, ...]


@dataclass(frozen=True)
class MapSongs:
    """What the pages of a map know of its songs.

    Attributes
    ----------
    songs : pd.DataFrame
        The library's table.
    tempos_bpm : np.ndarray, shape (n_songs,)
        The tempos that count, 0 where there is none.
    keys, key_sources : np.ndarray, shape (n_songs,)
        What ``songmap.library.keys.keys_of`` gives.
    colourings : tuple of Colouring
    clusters : tuple of Cluster
        In the order of their numbers.
    neighbours, similarities : np.ndarray, shape (n_songs, k)
        Rows of the nearest songs, nearest first, and their cosine similarity.
    recordings : np.ndarray of int, shape (n_songs,)
        Row of the first file of each song's recording.
    units : np.ndarray, shape (n_songs, d)
        The unit vectors that neighbours and similarities are of; d is 157 in the space balanced.
    genres : GenreSimilarity
    """

    songs: pd.DataFrame
    tempos_bpm: np.ndarray
    keys: np.ndarray
    key_sources: np.ndarray
    colourings: tuple[Colouring, ...]
    clusters: tuple[Cluster, ...]
    neighbours: np.ndarray
    similarities: np.ndarray
    recordings: np.ndarray
    units: np.ndarray
    genres: GenreSimilarity


@dataclass(frozen=True)
class ByGenre:
    """One quantity: for each genre its songs' known values, ascending, and their median (NaN without any)."""

    values: tuple[np.ndarray, ...]
    medians: np.ndarray
    n_unknown: int


@dataclass(frozen=True)
class KeyCounts:
    """Songs of each genre in each key, int ``(n_genres, 24)`` in the order of ``library.keys.KEYS``.

    ``shares``, same shape, are in percent of the genre's songs; ``n_unknown`` songs have no key.
    """

    counts: np.ndarray
    shares: np.ndarray
    n_unknown: int


@dataclass(frozen=True)
class GenreStatistics:
    """Genres compared; arrays ``(n_genres, …)`` are in the order of ``similarity.genres``."""

    similarity: GenreSimilarity
    tempo_bpm: ByGenre
    centroid_hz: ByGenre
    keys: KeyCounts


@dataclass(frozen=True)
class LibraryMaps:
    """What is computed of a whole library; further songs can be placed on ``song_map``."""

    song_map: SongMap
    fit: MapFit
    plane: Projection
    space: Projection
    map_songs: MapSongs
    statistics: GenreStatistics

    @property
    def genres(self) -> np.ndarray:
        """Genre of every song, ``(n_songs,)`` of str."""
        return self.map_songs.songs["genre"].to_numpy(dtype=object)

    @property
    def has_confidence(self) -> bool:
        """Whether songs can be coloured by the genre model's confidence."""
        return any(colouring.name == "confidence" for colouring in self.map_songs.colourings)


@dataclass(frozen=True)
class Waveform:
    """Least and largest sample, both ``(n,)``, between ``edges_s (n + 1,)``."""

    edges_s: np.ndarray
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True)
class FrameMeans:
    """Frame features of a song, condensed: each column is the mean of consecutive frames; at most n columns.

    Attributes
    ----------
    mel_db : np.ndarray, shape (128, n)
        Relative to the song's maximum.
    mfcc : np.ndarray, shape (20, n)
    chroma : np.ndarray, shape (12, n)
    centroid_hz, onset_strength : np.ndarray, shape (n,)
    n_frames : int
        Before condensing; frames are ``1 / frame_rate_hz`` seconds apart, the first at 0 s.
    mean_centroid_hz : float
    mfcc_limit : float
        99.5 % of the values of all coefficients but the first are at most as large, dB.
    """

    mel_db: np.ndarray
    mfcc: np.ndarray
    chroma: np.ndarray
    centroid_hz: np.ndarray
    onset_strength: np.ndarray
    n_frames: int
    frame_rate_hz: float
    mean_centroid_hz: float
    mfcc_limit: float


@dataclass(frozen=True)
class UnusualColumn:
    """One column in which a song differs from its library; ``value`` and ``median`` in the column's unit."""

    column: str
    value: float
    median: float
    percentile: float
    z_score: float


@dataclass(frozen=True)
class LibraryPosition:
    """A song's embedding among those of ``n_songs``.

    ``percentiles (641,)`` in 0 … 100 and ``mel_median_db (128,)``, the library's median of the mel means, are None
    for a library of one song.
    """

    embedding: np.ndarray
    n_songs: int
    percentiles: np.ndarray | None
    mel_median_db: np.ndarray | None
    unusual: tuple[UnusualColumn, ...]


@dataclass(frozen=True)
class SongJourney:
    """One song from waveform to embedding.

    ``genre`` is None for a song outside the library; ``key`` is the tag's; ``tempo_bpm`` 0 where there is none;
    ``bands_hz (128,)`` are the mel bands' centres; ``place (2,)`` is where the song is on the map.
    """

    title: str
    artist: str
    genre: str | None
    key: str
    duration_s: float
    tempo_bpm: float
    beats_s: np.ndarray
    waveform: Waveform
    frames: FrameMeans
    bands_hz: np.ndarray
    position: LibraryPosition
    place: np.ndarray
