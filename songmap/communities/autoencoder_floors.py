"""What an autoencoder has to beat, the mean spectrogram and principal components, and on which songs.

Songs are divided into three parts by groups, the songs by an artist and those of a recording: one is trained on, one decides
when training ends, one is tested and decides nothing. Floors are fitted to the part that is trained on.
"""

from dataclasses import dataclass

import numpy as np

from songmap.communities.autoencoder_results import Outcome, SongSplit
from songmap.communities.autoencoder_settings import levels
from songmap.core.errors import UsageError
from songmap.library.library import Library
from songmap.similar.lookup import Lookup

TEST_SHARE, VALIDATION_SHARE = 0.25, 0.2  # of groups; the second of those that are not tested
MOST_EXCERPTS = 2000  # that floors are fitted to
_CONFIDENCE = 0.95


def split_songs(library: Library, songs: np.ndarray, seed: int) -> SongSplit:
    """Divide the ``songs`` that have excerpts, rows of the library; by recording where artists are fewer than three.

    Raises UsageError with fewer than three recordings.
    """
    lookup = Lookup(library)
    recordings = lookup.recordings
    artists = _joined(lookup.artist_groups, recordings)
    by_artist = len(np.unique(artists[songs])) >= 3
    group = artists if by_artist else recordings
    groups = np.unique(group[songs])
    if len(groups) < 3:
        raise UsageError(f"an autoencoder needs 3 different recordings, there are {len(groups)}; add music and run 01")
    groups = np.random.default_rng(seed).permutation(groups)
    n_test = max(1, round(TEST_SHARE * len(groups)))
    n_validation = max(1, round(VALIDATION_SHARE * (len(groups) - n_test)))
    parts = np.split(groups, [n_test, n_test + n_validation])
    test, validation, train = (songs[np.isin(group[songs], part)] for part in parts)
    return SongSplit(train, validation, test, group, "artist" if by_artist else "recording")


def _joined(artists: np.ndarray, recordings: np.ndarray) -> np.ndarray:
    """Groups of songs that artists and recordings connect."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n_songs = len(artists)
    ends = np.concatenate([n_songs + artists, n_songs + artists.max() + 1 + recordings])
    size = int(ends.max()) + 1
    edges = coo_array((np.ones(2 * n_songs), (np.tile(np.arange(n_songs), 2), ends)), (size, size))
    return connected_components(edges, directed=False)[1][:n_songs]


@dataclass(frozen=True)
class Floors:
    """The mean of excerpts' levels ``(n_bands, n_frames)``, and orthonormal axes ``(n_components, n_bands * n_frames)``."""

    mean: np.ndarray
    axes: np.ndarray

    def by_mean(self, x: np.ndarray) -> np.ndarray:
        """The mean spectrogram for every one of ``x (n, n_bands, n_frames)``."""
        return np.broadcast_to(self.mean, x.shape)

    def by_pca(self, x: np.ndarray) -> np.ndarray:
        """``x (n, n_bands, n_frames)`` by its principal components, limited to levels 0 … 1."""
        centred = (x - self.mean).reshape(len(x), -1)
        return (self.mean + (centred @ self.axes.T @ self.axes).reshape(x.shape)).clip(0, 1)


def fit_floors(values: np.ndarray, rows: np.ndarray, n_components: int) -> Floors:
    """Fit to excerpts, ``rows`` of ``values`` in decibels; at most ``MOST_EXCERPTS``, spread over all.

    There are at most as many components as excerpts, less one.
    """
    rows = rows[np.linspace(0, len(rows) - 1, min(len(rows), MOST_EXCERPTS)).astype(np.int64)]
    x = levels(values[rows])
    mean = x.mean(axis=0, dtype=np.float64).astype(np.float32)
    centred = (x - mean).reshape(len(x), -1)
    # products of excerpts, which are fewer than their numbers
    squares, vectors = np.linalg.eigh((centred @ centred.T).astype(np.float64))
    kept = min(n_components, len(rows) - 1)
    squares, vectors = squares[::-1][:kept], vectors[:, ::-1][:, :kept]
    kept = int((squares > squares.max(initial=0) * 1e-6).sum())  # of excerpts that are equal there are fewer
    axes = (vectors[:, :kept] / np.sqrt(squares[:kept])).T.astype(np.float32) @ centred
    return Floors(mean, axes)


def group_difference(own: np.ndarray, other: np.ndarray, groups: np.ndarray) -> tuple[float, float, float, Outcome]:
    """By how much errors ``other (n,)`` are larger than ``own``, with a 95 % interval over groups, and what that shows.

    Every group counts once, by its mean: the songs by an artist are not independent.
    """
    from scipy.stats import t

    numbers = np.unique(groups, return_inverse=True)[1]
    means = np.bincount(numbers, other - own) / np.bincount(numbers)
    difference, n_groups = float(means.mean()), len(means)
    if n_groups < 2:
        return difference, float("nan"), float("nan"), Outcome.NOT_SHOWN
    margin = float(t.ppf((1 + _CONFIDENCE) / 2, n_groups - 1) * means.std(ddof=1) / np.sqrt(n_groups))
    low, high = difference - margin, difference + margin
    return difference, low, high, Outcome.BETTER if low > 0 else Outcome.WORSE if high < 0 else Outcome.NOT_SHOWN
