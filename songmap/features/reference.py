"""The definition of columns 0-633: plain librosa calls, which tests and benchmarks compare the extraction with.

Nothing else imports this module, nor librosa within ``songmap.extract``: loading it takes longer than a song.
"""

import librosa
import numpy as np


def plain_columns(samples: np.ndarray) -> np.ndarray:
    """Columns 0-633 of mono ``samples (n,)`` at 22,050 Hz, one call per feature, as a reader would write them."""
    feature, parts = librosa.feature, []

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
    parts.append(np.atleast_1d(librosa.beat.beat_track(y=samples)[0]))
    mean_and_std(feature.rms(y=samples))
    mean_and_std(feature.tonnetz(y=librosa.effects.harmonic(samples)))
    mel_db = librosa.power_to_db(feature.melspectrogram(y=samples), ref=np.max)
    mean(mel_db)
    parts.extend(np.percentile(mel_db, percentile, axis=1) for percentile in (25, 50, 75))
    return np.concatenate(parts)


def deviation(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Difference as a multiple of what is allowed, 1e-4 + 1e-3 of the value: parity holds where it is at most 1."""
    return np.abs(ours - theirs) / (1e-4 + 1e-3 * np.abs(theirs))
