"""Segments of a recording from the frame features of the whole: nothing is decoded or transformed twice."""

from dataclasses import replace

import numpy as np

from songmap.features.frames import SongFrames, measure
from songmap.features.statistics import embed
from songmap.library.schema import N_COLUMNS, AudioConfig
from songmap.library.segments import SegmentSettings, SongSegments, segment_starts_s


def cut(frames: SongFrames, start_s: float, length_s: float, config: AudioConfig) -> SongFrames:
    """The frames of a part, as if it were a recording of its own.

    Mel bands are in decibels below the part's maximum; tempo, beats and pulse clarity are those of the part.

    Parameters
    ----------
    frames : SongFrames
        Of the whole recording.
    start_s, length_s : float
        Seconds; rounded to whole frames of 23 ms.
    config : AudioConfig
    """
    first = round(start_s * frames.frame_rate_hz)
    here = slice(first, first + round(length_s * frames.frame_rate_hz) + 1)
    features = {name: feature[:, here] for name, feature in frames.features.items()}
    features["mel"] = features["mel"] - features["mel"].max()
    values, beats = measure(features, config)
    return replace(frames, features=features, values=values, beats=beats)


def segment(frames: SongFrames, duration_s: float, config: AudioConfig, settings: SegmentSettings) -> SongSegments:
    """The embedding of every segment that is not silent.

    Parameters
    ----------
    frames : SongFrames
        Of the whole recording, which is not silent.
    duration_s : float
    config : AudioConfig
    settings : SegmentSettings

    Returns
    -------
    SongSegments
    """
    bounds_s, embeddings = [], []
    for start_s in segment_starts_s(duration_s, settings):
        part = cut(frames, float(start_s), settings.length_s, config)
        if part.features["rms"].max() >= config.silence_peak:
            bounds_s.append((start_s, min(start_s + settings.length_s, duration_s)))
            embeddings.append(embed(part))
    return SongSegments(np.array(bounds_s).reshape(-1, 2), np.array(embeddings, np.float32).reshape(-1, N_COLUMNS))
