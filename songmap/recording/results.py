"""What 05 finds out: numbers, names and identifiers, in frozen dataclasses. Times are in seconds from the start."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from songmap.genre.song_results import FamilyContribution
from songmap.library.segments import SegmentSettings
from songmap.library.traits import Trait
from songmap.similar.song import Song

Split = Literal["song", "random"]


@dataclass(frozen=True)
class ClassifierScore:
    """Accuracy (0 … 1) and log loss (nats) of one classifier, per segment and per song, the mean of its segments.

    ``split``: segments of a song and of others of its group are on one side (``song``), or segments are split at
    ``random``. A classifier of whole songs has no scores of segments. ``joined`` is of all members,
    ``joined_without_cnn``, where there is a network of spectrograms, of the others; it and its members alone are
    scored at ``random``.
    """

    classifier: str
    split: Split
    segment_accuracy: float | None
    segment_log_loss: float | None
    song_accuracy: float
    song_log_loss: float


@dataclass(frozen=True)
class Training:
    """What the classifier of segments was trained on, and the ``scores`` of it, its members, and 03's model beside it.

    ``n_augmented`` segments are of degraded copies of the songs, which were trained with and not tested on.
    ``group_by``: songs of one artist, album or song are never on both sides of a split. ``members`` are joined.
    """

    genres: tuple[str, ...]
    n_songs: int
    n_segments: int
    n_augmented: int
    settings: SegmentSettings
    group_by: str
    scores: tuple[ClassifierScore, ...]
    members: tuple[str, ...] = ("network", "xgboost")


@dataclass(frozen=True)
class NearSong:
    """A song of the library near to a recording or a part of it; ``similarity`` is a cosine, -1 … 1."""

    song: Song
    similarity: float


@dataclass(frozen=True)
class Moment:
    """A segment of a library's song that is similar to the recording's segment in the middle of a part."""

    song: Song
    start_s: float
    end_s: float
    similarity: float


@dataclass(frozen=True)
class Timeline:
    """Segment by segment: ``start_s`` and ``end_s (n,)``, probabilities ``proba`` and ``smoothed (n, n_genres)``."""

    start_s: np.ndarray
    end_s: np.ndarray
    proba: np.ndarray
    smoothed: np.ndarray


@dataclass(frozen=True)
class Part:
    """A part of a recording, from ``start_s`` to ``end_s``.

    Attributes
    ----------
    genre : str
        The most probable one, with its ``probability``; ``probabilities`` are all, means over the part's segments.
    tempo_bpm : float
        0 where there is none.
    key : int
        As in ``songmap.library.keys``; -1 where it is not clear.
    is_novel : bool
        It is farther from all genres than 95 % of held-out songs.
    families : tuple of FamilyContribution
        What each family of columns adds to the genre's probability, largest first, for the segment nearest to the
        part's mean; the probabilities of a network of spectrograms that is joined are held fixed.
    nearest : tuple of NearSong
        Songs of the library, one per artist.
    moments : tuple of Moment
        Empty where the library has no segments.
    """

    start_s: float
    end_s: float
    genre: str
    probability: float
    probabilities: dict[str, float]
    tempo_bpm: float
    key: int
    is_novel: bool
    families: tuple[FamilyContribution, ...]
    nearest: tuple[NearSong, ...]
    moments: tuple[Moment, ...]


@dataclass(frozen=True)
class RecordingAnswer:
    """What a recording is, and what to hear next.

    Attributes
    ----------
    file_path, title, artist : str
        The title is the file's name where no tag has one.
    duration_s : float
    genres : tuple of str
        In the order of the timeline's columns.
    probabilities : dict
        Means over all segments; ``genre`` is the most probable.
    timeline : Timeline
    parts_by : str
        Whether parts are of one ``genre`` or, in a long recording, of one ``sound``.
    parts : tuple of Part
    next_songs : tuple of NearSong
        Of the same genre, nearest first, one per artist; ``other_artists_missing`` where the genre has too few
        artists, so that some are of the same artist.
    novelty_distance, novelty_threshold : float
        Mean distance of the segments from the nearest genre, and that which 95 % of held-out songs do not exceed.
    traits : tuple of Trait
        What a listener notices of it beside the library's songs, clearest first.
    in_library : str
        Path of the library's song that is the same recording, empty where there is none.
    in_training : bool
        That song has one of the model's genres: the model was trained on the recording.
    """

    file_path: str
    title: str
    artist: str
    duration_s: float
    genres: tuple[str, ...]
    genre: str
    probabilities: dict[str, float]
    timeline: Timeline
    parts_by: Literal["genre", "sound"]
    parts: tuple[Part, ...]
    next_songs: tuple[NearSong, ...]
    other_artists_missing: bool
    novelty_distance: float
    novelty_threshold: float
    traits: tuple[Trait, ...]
    in_library: str
    in_training: bool

    @property
    def is_novel(self) -> bool:
        """Whether it sounds like nothing in the library."""
        return self.novelty_distance > self.novelty_threshold
