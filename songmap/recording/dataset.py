"""The labelled segments of a library: those of the songs that 03 trains on, in the folds that 03 evaluates in."""

from dataclasses import dataclass, field

import numpy as np

from songmap.core.errors import UsageError
from songmap.genre.dataset import Dataset, training_dataset
from songmap.genre.splits import Plan, plan_splits
from songmap.library.descriptors import N_DESCRIPTORS, describe
from songmap.library.library import Library
from songmap.library.segments import Segments, song_rows


@dataclass(frozen=True)
class SegmentDataset:
    """Segments of labelled songs.

    Attributes
    ----------
    songs : Dataset
        The songs, their labels and genres.
    plan : Plan
        The folds of songs; ``groups`` of it stay together.
    embeddings : np.ndarray, float32 (n_segments, 641)
    descriptors : np.ndarray, float64 (n_segments, 157)
    song_of : np.ndarray, int (n_segments,)
        The place of each segment's song among ``songs``.
    bounds_s : np.ndarray, float64 (n_segments, 2)
        Where each begins and ends in its song.
    copies, copied_song : np.ndarray, float64 (m, 157), int (m,)
        Descriptors of segments of degraded copies, and the place of each one's song; for training only.
    """

    songs: Dataset
    plan: Plan
    embeddings: np.ndarray
    descriptors: np.ndarray
    song_of: np.ndarray
    bounds_s: np.ndarray
    copies: np.ndarray = field(default_factory=lambda: np.empty((0, N_DESCRIPTORS)))
    copied_song: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))

    @property
    def labels(self) -> np.ndarray:
        """Genre of every segment, ``(n_segments,)``."""
        return self.songs.labels[self.song_of]

    @property
    def groups(self) -> np.ndarray:
        """Group of every segment, ``(n_segments,)``."""
        return self.plan.groups[self.song_of]

    def training_set(self, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Descriptors, labels and groups of the ``chosen`` segments, bool ``(n_segments,)``, and the copies of their songs."""
        own = np.isin(self.copied_song, self.song_of[chosen])
        songs = np.concatenate([self.song_of[chosen], self.copied_song[own]])
        descriptors = np.concatenate([self.descriptors[chosen], self.copies[own]])
        return descriptors, self.songs.labels[songs], self.plan.groups[songs]


def segment_dataset(library: Library, segments: Segments, seed: int) -> SegmentDataset:
    """The segments of songs that 03 would train on. Raises UsageError where it could not, or songs lack segments."""
    songs = training_dataset(library)
    place = np.full(len(library), -1)
    place[songs.rows] = np.arange(len(songs.rows))
    song_of = place[song_rows(segments, library.songs)]
    own = song_of >= 0
    missing = len(songs.rows) - len(np.unique(song_of[own]))
    if missing:
        raise UsageError(
            f"{missing} of {len(songs.rows)} songs have no segments yet; run 01_feature_extraction.py again"
        )
    embeddings = segments.embeddings[own]
    bounds_s = segments.table.loc[own, ["start_s", "end_s"]].to_numpy(np.float64)
    return SegmentDataset(songs, plan_splits(songs, seed), embeddings, describe(embeddings), song_of[own], bounds_s)
