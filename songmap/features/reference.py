"""The definition of columns 0-633: plain librosa calls, the reference that ``01 --engine librosa`` extracts with.

librosa is needed here only, and loaded when a song is computed: that takes longer than songmap needs for one.
"""

import sys
from functools import cache
from pathlib import Path

import numpy as np

from songmap.core.errors import AudioError
from songmap.features.analysis import AudioAnalysis
from songmap.library.schema import N_LIBROSA

if sys.platform != "win32":
    import fcntl


def plain_columns(samples: np.ndarray) -> np.ndarray:
    """Compute columns 0-633, one librosa call per feature, as a reader would write them.

    Parameters
    ----------
    samples : np.ndarray, float32 (n_samples,)
        Mono, at 22,050 Hz.

    Returns
    -------
    np.ndarray, float64 (634,)
    """
    from librosa import feature, power_to_db
    from librosa.beat import beat_track
    from librosa.effects import harmonic

    parts: list[np.ndarray] = []

    def mean(values: np.ndarray) -> None:
        parts.append(np.mean(values, axis=1))

    def mean_and_std(values: np.ndarray) -> None:
        parts.extend([np.mean(values, axis=1), np.std(values, axis=1)])

    mfcc = feature.mfcc(y=samples, n_mfcc=20)
    mean_and_std(mfcc)
    mean(feature.delta(mfcc))
    mean_and_std(feature.chroma_cqt(y=samples))
    mean_and_std(feature.spectral_centroid(y=samples))
    mean_and_std(feature.spectral_rolloff(y=samples))
    mean_and_std(feature.spectral_bandwidth(y=samples))
    mean_and_std(feature.spectral_contrast(y=samples))
    mean(feature.spectral_flatness(y=samples))
    mean_and_std(feature.zero_crossing_rate(samples))
    parts.append(np.atleast_1d(beat_track(y=samples)[0]))
    mean_and_std(feature.rms(y=samples))
    mean_and_std(feature.tonnetz(y=harmonic(samples)))
    mel_db = power_to_db(feature.melspectrogram(y=samples), ref=np.max)
    mean(mel_db)
    parts.extend(np.percentile(mel_db, percentile, axis=1) for percentile in (25, 50, 75))
    return np.concatenate(parts)


def reference_embedding(analysis: AudioAnalysis) -> np.ndarray:
    """The embedding float32 ``(641,)`` with columns 0-633 by librosa; the seven that complete them stay songmap's.

    Raises AudioError if a number is not finite.
    """
    _compile()
    columns = plain_columns(analysis.samples)
    if not np.isfinite(columns).all():
        raise AudioError("gives librosa numbers that are not finite: damaged audio?")
    return np.concatenate([columns, analysis.embedding[N_LIBROSA:]]).astype(np.float32)


@cache
def _compile() -> None:
    """Have librosa's functions compiled, or loaded, while no other process does (on Windows another may).

    What processes compile at the same time numba's cache mixes up, and every later process that loads it crashes.
    """
    import librosa

    with Path(librosa.__file__).open("rb") as file:
        if sys.platform != "win32":
            fcntl.flock(file, fcntl.LOCK_EX)
        plain_columns(np.random.default_rng(0).uniform(-1, 1, 22050).astype(np.float32))


def deviation(values: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Difference as a multiple of the tolerance, 1e-4 + 1e-3 of the reference's value: at most 1 counts as equal."""
    return np.abs(values - reference) / (1e-4 + 1e-3 * np.abs(reference))
