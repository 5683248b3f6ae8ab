"""Synthesised signals that tests share."""

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
