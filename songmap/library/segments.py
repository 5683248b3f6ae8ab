"""Segments: overlapping parts of songs, each with an embedding of its own.

A segment's columns are those of the part cut out of the song, with three exceptions, since frame features are computed
once for the whole song: frames at either edge see the audio beyond it, the tuning is the song's, and so is the floor of
decibels, 80 below the song's maximum. Tempo and what follows from beats are measured on the segment's frames.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from songmap.core.errors import SchemaError, UsageError
from songmap.library.schema import N_COLUMNS

SEGMENTS_VERSION = 1  # raised when what a segment is changes: those of other versions are computed again
SEGMENT_COLUMNS = ("file_path", "song_name", "genre", "artist", "start_s", "end_s")
SHORTEST_S, LONGEST_S = 5.0, 600.0


@dataclass(frozen=True)
class SegmentSettings:
    """How songs are cut.

    Attributes
    ----------
    length_s, hop_s : float
        Seconds from 5 to 600, and from one segment to the next, 1 to ``length_s``. A song that is shorter is one segment.
    skip_intro_s : float
        Seconds at the beginning to leave out, as far as a whole segment remains.
    representative : int, optional
        Keep that many segments of a song, those nearest to their mean; all by default.

    Raises
    ------
    UsageError
        For values out of range.
    """

    length_s: float = 30.0
    hop_s: float = 15.0
    skip_intro_s: float = 0.0
    representative: int | None = None

    def __post_init__(self) -> None:
        if not SHORTEST_S <= self.length_s <= LONGEST_S:
            raise UsageError(f"segments of {self.length_s:g} s: give {SHORTEST_S:g} to {LONGEST_S:g} s")
        if not 1 <= self.hop_s <= self.length_s:
            raise UsageError(f"a hop of {self.hop_s:g} s: give 1 s to the length of a segment, {self.length_s:g} s")
        if not 0 <= self.skip_intro_s < float("inf") or (self.representative is not None and self.representative < 1):
            raise UsageError("an intro has 0 s or more, and 1 segment of a song or more is kept")

    @property
    def key(self) -> str:
        """What the numbers of segments depend on besides the audio and its analysis."""
        return f"{SEGMENTS_VERSION} {self.length_s:g} {self.hop_s:g} {self.skip_intro_s:g}"


@dataclass(frozen=True)
class SongSegments:
    """A recording's segments: ``bounds_s (n, 2)``, start and end in seconds, and ``embeddings`` float32 ``(n, 641)``."""

    bounds_s: np.ndarray
    embeddings: np.ndarray

    def __len__(self) -> int:
        return len(self.bounds_s)


@dataclass(frozen=True)
class Segments:
    """The segments of all songs of a library, song by song in the order of its rows.

    Attributes
    ----------
    embeddings : np.ndarray, float32 (n_segments, 641)
    table : pd.DataFrame
        The same rows: file_path, song_name, genre and artist of the song, start_s and end_s in it.
    settings : SegmentSettings
    """

    embeddings: np.ndarray
    table: pd.DataFrame
    settings: SegmentSettings

    def __len__(self) -> int:
        return len(self.table)


def segment_starts_s(duration_s: float, settings: SegmentSettings) -> np.ndarray:
    """Where segments of a recording begin, in seconds, float64 ``(n,)``, ascending; at least one.

    They are ``hop_s`` apart. The last one ends with the recording if more than half a hop would be left over.

    Examples
    --------
    >>> segment_starts_s(70, SegmentSettings()), segment_starts_s(12, SegmentSettings(skip_intro_s=5))
    (array([ 0., 15., 30., 40.]), array([0.]))
    """
    last_s = max(duration_s - settings.length_s, 0.0)
    first_s = min(settings.skip_intro_s, last_s)
    n_segments = 1 + round((last_s - first_s) / settings.hop_s)
    return np.minimum(first_s + settings.hop_s * np.arange(n_segments), last_s)


def validate_segments(segments: Segments, songs: pd.DataFrame) -> None:
    """Raise SchemaError unless the segments are whole, finite, in order, and of these ``songs``."""
    again = "run 01 --segments again"
    embeddings, table = segments.embeddings, segments.table
    if embeddings.dtype != np.float32 or embeddings.shape != (len(table), N_COLUMNS):
        raise SchemaError(
            f"segment embeddings are {embeddings.dtype} {embeddings.shape} of {len(table)} segments; {again}"
        )
    if tuple(table.columns) != SEGMENT_COLUMNS:
        raise SchemaError(f"the table of segments has other columns than {', '.join(SEGMENT_COLUMNS)}; {again}")
    starts_s, ends_s = (table[name].to_numpy(np.float64) for name in ("start_s", "end_s"))
    if not (np.isfinite(embeddings).all() and np.isfinite(ends_s).all() and (starts_s < ends_s).all()):
        raise SchemaError(f"the segments have numbers that are not finite, or end before they begin; {again}")
    row_of = {path: row for row, path in enumerate(songs["file_path"])}
    rows = [row_of.get(path, -1) for path in table["file_path"]]
    if rows != sorted(rows) or min(rows, default=0) < 0:
        raise SchemaError(f"the segments are not those of the songs: mixed-up files? {again}")


def song_rows(segments: Segments, songs: pd.DataFrame) -> np.ndarray:
    """The row in ``songs`` of the song of each segment, int64 ``(n_segments,)``."""
    row_of = {path: row for row, path in enumerate(songs["file_path"])}
    return np.array([row_of[path] for path in segments.table["file_path"]], dtype=np.int64)
