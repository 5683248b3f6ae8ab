"""One song from waveform to embedding: which songs, and what is computed of each.

Frame features are ``(size, n_frames)``. However long a song is, at most ``MAX_COLUMNS`` means of frames are kept, and
as many minima and maxima of the waveform.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from songmap.core.text import file_name
from songmap.features.analysis import AudioAnalysis
from songmap.journey.percentiles import library_position, typical_song
from songmap.journey.results import FrameMeans, SongJourney, Waveform
from songmap.library.display_names import display_names, display_title
from songmap.library.library import Library
from songmap.library.mel import mel_centres_hz
from songmap.library.names import find_song
from songmap.library.schema import AudioConfig

MAX_COLUMNS = 1600


@dataclass(frozen=True)
class SongChoice:
    """A song to draw: its file, its row in the library (None outside of it), its part of a file name."""

    path: Path
    row: int | None
    file_name: str


def choose_songs(library: Library, queries: Sequence[str], all_songs: bool) -> list[SongChoice]:
    """The songs that names and files match, each once; the most typical one without any. Raises QueryError."""
    paths = [str(path) for path in library.songs["file_path"]]
    rows: list[int] = []
    outside: list[Path] = []
    if all_songs:
        rows = list(range(len(library)))
    elif not queries:
        rows = [typical_song(library.embeddings)]
    for query in queries:
        file = Path(query).expanduser()
        if file.is_file() and str(file.resolve()) not in paths:
            outside.append(file.resolve())
        else:
            rows.append(find_song(library.songs, str(file.resolve()) if file.is_file() else query))
    outside = list(dict.fromkeys(outside))
    names = file_names([*display_names(library.songs), *(display_title(path.stem) for path in outside)])
    inside = [SongChoice(Path(paths[row]), row, names[row]) for row in dict.fromkeys(rows)]
    named = zip(outside, names[len(library) :], strict=True)
    return inside + [SongChoice(path, None, name) for path, name in named]


def file_names(names: Sequence[str]) -> list[str]:
    """A part of a file name for each name, all different, also where case does not count."""
    used: set[str] = set()
    result = []
    for name in names:
        result.append(file_name(name, used))
        used.add(result[-1].casefold())
    return result


def song_journey(library: Library, row: int | None, analysis: AudioAnalysis, place: np.ndarray) -> SongJourney:
    """What is drawn of a song.

    Parameters
    ----------
    library : Library
    row : int or None
        The song's; names and embedding are then the library's. None outside of it.
    analysis : AudioAnalysis
    place : np.ndarray, shape (2,)
        On the map.
    """
    record = analysis.record if row is None else library.songs.iloc[row].to_dict()
    embedding = analysis.embedding if row is None else library.embeddings[row]
    frames = analysis.frames
    return SongJourney(
        title=display_title(record["song_name"], record["artist"], record["title"]),
        artist=record["artist"],
        genre=None if row is None else record["genre"],
        key=record["key"],
        duration_s=len(analysis.signal) / analysis.sample_rate_hz,
        tempo_bpm=record["tempo_bpm"],
        beats_s=frames.beats / frames.frame_rate_hz,
        waveform=waveform(analysis.samples, analysis.sample_rate_hz),
        frames=frame_means(frames.features, frames.frame_rate_hz),
        bands_hz=mel_centres_hz(AudioConfig(analysis.sample_rate_hz, n_mels=len(frames.features["mel"]))),
        position=library_position(embedding, library.embeddings),
        place=place,
    )


def waveform(samples: np.ndarray, sample_rate_hz: int, limit: int = MAX_COLUMNS) -> Waveform:
    """Minima and maxima of mono samples ``(n,)`` in at most ``limit`` equal parts."""
    edges = _edges(len(samples), limit)
    low, high = np.minimum.reduceat(samples, edges[:-1]), np.maximum.reduceat(samples, edges[:-1])
    return Waveform(edges / sample_rate_hz, low, high)


def frame_means(features: Mapping[str, np.ndarray], frame_rate_hz: float) -> FrameMeans:
    """The features that are drawn, condensed to at most ``MAX_COLUMNS`` columns."""
    return FrameMeans(
        mel_db=condense(features["mel"]),
        mfcc=condense(features["mfcc"]),
        chroma=condense(features["chroma"]),
        centroid_hz=condense(features["centroid"])[0],
        onset_strength=condense(features["onset_strength"])[0],
        n_frames=features["mel"].shape[1],
        frame_rate_hz=frame_rate_hz,
        mean_centroid_hz=float(features["centroid"].mean()),
        mfcc_limit=float(np.percentile(np.abs(features["mfcc"][1:]), 99.5)),
    )


def condense(feature: np.ndarray, limit: int = MAX_COLUMNS) -> np.ndarray:
    """``(size, n_frames)`` to at most ``limit`` columns, each the mean of consecutive frames."""
    edges = _edges(feature.shape[1], limit)
    return np.add.reduceat(feature, edges[:-1], axis=1, dtype=np.float64) / np.diff(edges)


def _edges(count: int, limit: int) -> np.ndarray:
    return np.linspace(0, count, min(count, limit) + 1).astype(np.int64)
