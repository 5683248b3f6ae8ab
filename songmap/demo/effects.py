"""What the demo studio does to whole buses: ducking, sweeping filters, delay, reverb, mastering.

A bus is float32 ``(2, n_samples)`` at ``RATE_HZ``; curves are float32 ``(n_samples,)``.
"""

import numpy as np
from numpy.random import Generator
from scipy import fft, signal

from songmap.demo.instruments import RATE_HZ

OPEN_HZ = 18_000.0  # a low-pass up here changes nothing
_WINDOW = 2048
_AT_ONCE = 32  # blocks that stay within the cache


def ducking(starts: np.ndarray, n_samples: int, depth: float, recovery_s: float) -> np.ndarray:
    """Gain curve of a side chain: down by ``depth`` (0…1) at every kick, back after about ``recovery_s``."""
    n_dip = round(2 * recovery_s * RATE_HZ)
    position = np.arange(n_dip) / n_dip
    dip = (1 - depth * (1 - position**0.7) ** 2).astype(np.float32)
    gain = np.ones(n_samples, dtype=np.float32)
    for start in starts:
        part = gain[start : start + n_dip]
        np.minimum(part, dip[: len(part)], out=part)
    return gain


def sweep(bus: np.ndarray, at_s: np.ndarray, cutoff_hz: np.ndarray, *, band: bool = False) -> np.ndarray:
    """A low-pass (or band-pass) whose cutoff goes through ``cutoff_hz`` at the times ``at_s``, in octaves.

    Overlapping windowed spectra (sine window twice, half overlap) are multiplied with the gain of their moment.
    """
    hop = _WINDOW // 2
    n_blocks = -(-bus.shape[1] // hop) + 1
    padded = np.zeros((2, (n_blocks + 1) * hop), dtype=np.float32)
    padded[:, hop : hop + bus.shape[1]] = bus
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW, axis=1)[:, ::hop]
    window = np.sin(np.pi * (np.arange(_WINDOW) + 0.5) / _WINDOW).astype(np.float32)
    frequency_hz = fft.rfftfreq(_WINDOW, 1 / RATE_HZ).astype(np.float32)
    octaves = np.interp(np.arange(n_blocks) * hop / RATE_HZ, at_s, np.log2(cutoff_hz))
    moments_hz = np.exp2(octaves).astype(np.float32)
    swept = np.zeros((2, n_blocks + 1, hop), dtype=np.float32)
    for first in range(0, n_blocks, _AT_ONCE):
        part = slice(first, min(first + _AT_ONCE, n_blocks))
        block = frames[:, part] * window
        if band or moments_hz[part].min() < 0.99 * OPEN_HZ:
            ratio = frequency_hz / moments_hz[part, None]
            gain = 1 / (1 + ratio**4)
            if band:
                gain *= ratio**2 / (1 + ratio**2)
            block = fft.irfft(fft.rfft(block) * gain, _WINDOW)
        block *= window
        swept[:, part] += block[:, :, :hop]
        swept[:, part.start + 1 : part.stop + 1] += block[:, :, hop:]
    return swept.reshape(2, -1)[:, hop : hop + bus.shape[1]]


def ping_pong(bus: np.ndarray, delay_s: float, feedback: float, repeats: int = 5) -> np.ndarray:
    """Echoes only: every ``delay_s`` one more, quieter by ``feedback`` and on the other side."""
    n_delay = round(delay_s * RATE_HZ)
    centre = bus.mean(axis=0)
    echoes = np.zeros_like(bus)
    for number in range(1, repeats + 1):
        late = number * n_delay
        level = np.float32(feedback ** (number - 1))
        echoes[number % 2, late:] += level * centre[:-late]
        echoes[(number + 1) % 2, late:] += np.float32(0.3) * level * centre[:-late]
    return echoes


def room(rng: Generator, decay_s: float) -> np.ndarray:
    """Impulse response of a room with reverberation time ``decay_s`` (RT60), float32 ``(2, n)``, energy 1.

    Noise whose high half dies twice as fast as its low half, after a short gap.
    """
    time_s = np.arange(round(decay_s * RATE_HZ)) / RATE_HZ
    noise = rng.standard_normal((2, len(time_s)))
    low = signal.sosfilt(signal.butter(1, [150, 3000], "bandpass", fs=RATE_HZ, output="sos"), noise)
    high = signal.sosfilt(signal.butter(1, 3000, "highpass", fs=RATE_HZ, output="sos"), noise)
    response = low * np.exp(-6.9 * time_s / decay_s) + 0.4 * high * np.exp(-13.8 * time_s / decay_s)
    response[:, : round(0.012 * RATE_HZ)] *= 0.05
    response /= np.sqrt((response**2).sum(axis=1, keepdims=True))
    return response.astype(np.float32)


def reverberate(bus: np.ndarray, response: np.ndarray) -> np.ndarray:
    """The room's answer alone."""
    return signal.oaconvolve(bus, response, axes=1)[:, : bus.shape[1]]


def master(bus: np.ndarray, tilt_db: float, drive: float, peak: float) -> np.ndarray:
    """Remove what is too low to perceive, tilt the spectrum about 1 kHz, saturate softly, set the peak (0…1)."""
    # Poles this near to 1 need double precision: in single, rounding would be audible.
    bus = signal.sosfilt(signal.butter(2, 25, "highpass", fs=RATE_HZ, output="sos"), bus).astype(np.float32)
    below = signal.sosfilt(signal.butter(1, 1000, fs=RATE_HZ, output="sos").astype(np.float32), bus)
    bus = below * np.float32(10 ** (-tilt_db / 40)) + (bus - below) * np.float32(10 ** (tilt_db / 40))
    # The loudest moments decide how hard it saturates, so that quiet sections keep their distance.
    bus *= np.float32(drive / np.quantile(np.abs(bus[:, ::16]), 0.995))
    np.tanh(bus, out=bus)
    n_fade = round(0.3 * RATE_HZ)
    bus[:, -n_fade:] *= np.linspace(1, 0, n_fade, dtype=np.float32)
    bus -= bus.mean(axis=1, keepdims=True, dtype=np.float64).astype(np.float32)
    return bus * np.float32(peak / np.abs(bus).max())
