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


def pink_noise(duration_s: float, rate_hz: int = RATE_HZ, level: float = 0.5, seed: int = 0) -> np.ndarray:
    """Noise whose power falls by 3 dB per octave, float32."""
    spectrum = np.fft.rfft(noise(duration_s, rate_hz, seed=seed))
    pink = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 1)))
    return (level * pink / np.abs(pink).max()).astype(np.float32)


def speech(duration_s: float, rate_hz: int = RATE_HZ, seed: int = 0) -> np.ndarray:
    """Syllables with pauses: pulses of a gliding pitch through two formants that change, or a hiss, float32."""
    from scipy.signal import lfilter

    rng, parts = np.random.default_rng(seed), []
    while sum(map(len, parts)) < duration_s * rate_hz:
        size = int(rng.uniform(0.12, 0.28) * rate_hz)
        pitch_hz = np.linspace(*rng.uniform(90, 160, 2), size)
        pulses = np.diff(np.floor(np.cumsum(pitch_hz) / rate_hz), prepend=0.0)
        for formant_hz in (rng.uniform(300, 800), rng.uniform(900, 2400)):
            radius, angle = 1 - 80 * np.pi / rate_hz, 2 * np.pi * formant_hz / rate_hz
            pulses = lfilter([1 - radius], [1, -2 * radius * np.cos(angle), radius**2], pulses)
        hiss = np.diff(rng.standard_normal(int(rng.uniform(0.04, 0.1) * rate_hz)))
        pause = np.zeros(int(rng.choice([0.02, 0.3], p=[0.8, 0.2]) * rate_hz))
        parts += [0.05 * hiss, pulses / np.abs(pulses).max() * np.hanning(size), pause]
    return 0.5 * np.concatenate(parts)[: int(duration_s * rate_hz)].astype(np.float32)


def music(duration_s: float, rate_hz: int = RATE_HZ, seed: int = 0) -> np.ndarray:
    """A detuned chord that changes, a bass and a beat over faint noise, float32."""
    time_s = np.arange(int(duration_s * rate_hz)) / rate_hz
    root_hz = 110 * 1.01 * 2.0 ** (np.floor(time_s / 2) % 4 * 5 / 12)
    chord = sum(np.sin(2 * np.pi * np.cumsum(root_hz * ratio) / rate_hz) for ratio in (1, 2, 2.52, 3, 4.01))
    signal = 0.08 * chord + clicks(124, duration_s, rate_hz) + noise(duration_s, rate_hz, 0.005, seed)
    return signal.astype(np.float32)
