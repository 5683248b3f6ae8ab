"""Synthesised signals that tests share, and the plain librosa calls that define columns 0-633."""

import librosa
import numpy as np

RATE_HZ = 22050


def tone(freq_hz: float, duration_s: float, rate_hz: int = RATE_HZ, level: float = 0.5) -> np.ndarray:
    """A sine, float32."""
    return (level * np.sin(2 * np.pi * freq_hz * np.arange(int(duration_s * rate_hz)) / rate_hz)).astype(np.float32)


def noise(duration_s: float, rate_hz: int = RATE_HZ, level: float = 0.1, seed: int = 0) -> np.ndarray:
    """White Gaussian noise, float32."""
    return (level * np.random.default_rng(seed).standard_normal(int(duration_s * rate_hz))).astype(np.float32)


def clicks(bpm: float, duration_s: float, rate_hz: int = RATE_HZ) -> np.ndarray:
    """Short noise bursts on every beat, float32."""
    signal = np.zeros(int(duration_s * rate_hz), np.float32)
    burst = noise(0.02, rate_hz, 0.5) * np.linspace(1, 0, int(0.02 * rate_hz), dtype=np.float32)
    for start in np.arange(0, duration_s - 0.03, 60 / bpm):
        first = int(start * rate_hz)
        signal[first : first + len(burst)] += burst
    return signal


def music(duration_s: float, rate_hz: int = RATE_HZ, seed: int = 0) -> np.ndarray:
    """A detuned chord that changes, a bass and a beat over faint noise, float32."""
    time_s = np.arange(int(duration_s * rate_hz)) / rate_hz
    root_hz = 110 * 1.01 * 2.0 ** (np.floor(time_s / 2) % 4 * 5 / 12)
    chord = sum(np.sin(2 * np.pi * np.cumsum(root_hz * ratio) / rate_hz) for ratio in (1, 2, 2.52, 3, 4.01))
    signal = 0.08 * chord + clicks(124, duration_s, rate_hz) + noise(duration_s, rate_hz, 0.005, seed)
    return signal.astype(np.float32)


def plain_columns(samples: np.ndarray) -> np.ndarray:
    """Columns 0-633 by librosa's public functions alone, one call per feature, as a reader would write them."""
    feature, parts = librosa.feature, []

    def mean(values: np.ndarray) -> None:
        parts.append(np.mean(values, axis=1))

    def mean_and_std(values: np.ndarray) -> None:
        parts.extend([np.mean(values, axis=1), np.std(values, axis=1)])

    mfcc = feature.mfcc(y=samples, sr=RATE_HZ, n_mfcc=20)
    mean_and_std(mfcc)
    mean(feature.delta(mfcc))
    mean_and_std(feature.chroma_cqt(y=samples, sr=RATE_HZ))
    mean_and_std(feature.spectral_centroid(y=samples, sr=RATE_HZ))
    mean_and_std(feature.spectral_rolloff(y=samples, sr=RATE_HZ))
    mean_and_std(feature.spectral_bandwidth(y=samples, sr=RATE_HZ))
    mean_and_std(feature.spectral_contrast(y=samples, sr=RATE_HZ))
    mean(feature.spectral_flatness(y=samples))
    mean_and_std(feature.zero_crossing_rate(samples))
    parts.append(np.atleast_1d(librosa.beat.beat_track(y=samples, sr=RATE_HZ)[0]))
    mean_and_std(feature.rms(y=samples))
    mean_and_std(feature.tonnetz(y=librosa.effects.harmonic(samples), sr=RATE_HZ))
    mel_db = librosa.power_to_db(feature.melspectrogram(y=samples, sr=RATE_HZ), ref=np.max)
    mean(mel_db)
    parts.extend(np.percentile(mel_db, percentile, axis=1) for percentile in (25, 50, 75))
    return np.concatenate(parts)


def deviation(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Difference as a multiple of what is allowed, 1e-4 + 1e-3 of the value: parity holds where it is at most 1."""
    return np.abs(ours - theirs) / (1e-4 + 1e-3 * np.abs(theirs))
