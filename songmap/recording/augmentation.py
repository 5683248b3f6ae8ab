"""Copies of songs as a phone in a room may record them, to train with; never to test on."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from songmap.core.defaults import usable_cores
from songmap.core.errors import AudioError
from songmap.core.processes import process_pool
from songmap.core.progress import OnProgress
from songmap.features.analysis import analyse_samples
from songmap.features.decode import load_audio
from songmap.features.segments import segment
from songmap.library.schema import N_COLUMNS, AudioConfig
from songmap.library.segments import SegmentSettings
from songmap.recording.degradations import degraded_at_random

N_COPIES = 2  # of every song


@dataclass(frozen=True)
class AugmentedSegments:
    """``embeddings`` float32 ``(m, 641)`` of degraded copies, and ``song_of (m,)``, the place of each one's song."""

    embeddings: np.ndarray
    song_of: np.ndarray


def augmented_segments(
    files: Sequence[str], config: AudioConfig, settings: SegmentSettings, seed: int, on_progress: OnProgress
) -> AugmentedSegments:
    """Segments of ``N_COPIES`` degraded copies of every song; none of files that can no longer be decoded.

    Parameters
    ----------
    files : sequence of str, (n_songs,)
        Paths.
    config : AudioConfig
    settings : SegmentSettings
    seed : int
        With the place of a song it decides what its copies sound like.
    on_progress : callable (done, total)
        Of songs.
    """
    copies = partial(_copies, config=config, settings=settings, seed=seed)
    blocks, places = [np.empty((0, N_COLUMNS), np.float32)], [np.empty(0, np.int64)]
    with process_pool(usable_cores(), "analyses copies of songs") as pool:
        for place, block in enumerate(pool.map(copies, range(len(files)), files)):
            blocks.append(block)
            places.append(np.full(len(block), place))
            on_progress(place + 1, len(files))
    return AugmentedSegments(np.concatenate(blocks), np.concatenate(places))


def _copies(place: int, file: str, config: AudioConfig, settings: SegmentSettings, seed: int) -> np.ndarray:
    """Embeddings ``(m, 641)`` of the segments of a song's copies."""
    rng = np.random.default_rng([seed, place])
    blocks = [np.empty((0, N_COLUMNS), np.float32)]
    try:
        signal = load_audio(Path(file), config)
        samples = signal.read(0, len(signal))
        for _ in range(N_COPIES):
            blocks.append(segments_of(degraded_at_random(samples, rng), config, settings))
    except AudioError:  # its own segments are trained on all the same
        pass
    return np.concatenate(blocks)


def segments_of(samples: np.ndarray, config: AudioConfig, settings: SegmentSettings) -> np.ndarray:
    """Embeddings float32 ``(n, 641)`` of the segments of samples at the rate of ``config``."""
    analysis = analyse_samples(samples, config.sample_rate_hz, config)
    return segment(analysis.frames, len(samples) / config.sample_rate_hz, config, settings).embeddings
