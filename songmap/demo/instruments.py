"""Sound sources of the demo studio: wavetable synthesiser and drum machine.

A sound is float32 ``(2, n_samples)``, or ``(n_samples,)`` where both channels are equal, at ``RATE_HZ``.
Pitch is a MIDI note number (69 is 440 Hz). Randomness comes from the caller's generator only, so the
same generator gives the same samples.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

RATE_HZ = 44100
_TABLE_BITS = 12  # a cycle is 4096 samples: finer than any audible step at these pitches
_TABLE_RMS = 0.25
_HIGHEST_HZ = 17_000.0  # partials stop here, so that nothing folds back
_FORMANTS = ((730.0, 1.0), (1090.0, 0.6), (2440.0, 0.35), (3400.0, 0.15))  # of an open "a"
_DRAWBARS = {1: 1.0, 2: 0.7, 3: 0.5, 4: 0.4, 6: 0.2, 8: 0.25}


@dataclass(frozen=True)
class Patch:
    """A synthesiser sound: waveform, unison voices, a low-pass that closes after the onset, an envelope.

    ``detune_cents`` is how far the outermost voices are from the pitch, ``width`` (0…1) how far they
    stand from the centre, ``sub`` the level of a sine one octave below. The cutoff falls from
    ``bright_hz`` to ``dark_hz`` with time constant ``sweep_s``.
    """

    shape: str = "saw"
    voices: int = 1
    detune_cents: float = 0.0
    width: float = 0.0
    bright_hz: float = 8000.0
    dark_hz: float = 8000.0
    sweep_s: float = 0.1
    resonance: float = 0.0
    attack_s: float = 0.004
    decay_s: float = 0.3
    sustain: float = 0.7
    release_s: float = 0.08
    sub: float = 0.0


def _vowel(order: np.ndarray, frequency_hz: np.ndarray) -> np.ndarray:
    peaks = sum(level / (1 + ((frequency_hz - centre) / 110) ** 2) for centre, level in _FORMANTS)
    return (peaks + 0.03) / np.sqrt(order)


# Amplitude of partial number ``order`` at ``frequency_hz``; both float64 (n_partials,).
_SHAPES: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "saw": lambda order, _: 1 / order,
    "square": lambda order, _: (order % 2) / order,
    "pulse": lambda order, _: np.sin(np.pi * order * 0.22) / order,
    "triangle": lambda order, _: (order % 2) / order**2,
    "organ": lambda order, _: np.array([_DRAWBARS.get(int(number), 0.0) for number in order]),
    "piano": lambda order, _: np.abs(np.sin(np.pi * order / 7.3)) / order**1.15,
    "vowel": _vowel,
}


def pitch_hz(pitch: float) -> float:
    """Frequency of a MIDI note number."""
    return 440.0 * 2 ** ((pitch - 69) / 12)


def tone(patch: Patch, pitch: int, length_s: float, rng: Generator) -> np.ndarray:
    """One note held for ``length_s`` and then released, float32 ``(2, n_samples)``."""
    fundamental_hz = pitch_hz(pitch)
    n_samples = round((length_s + patch.release_s) * RATE_HZ)
    clock = np.arange(n_samples, dtype=np.uint32)
    settled, struck = _tables(patch, fundamental_hz)
    sound, onset = np.zeros((2, 2, n_samples), dtype=np.float32)
    for place in np.linspace(-1, 1, patch.voices) if patch.voices > 1 else (0.0,):
        frequency_hz = fundamental_hz * 2 ** (patch.detune_cents * place / 1200)
        index = _phase(frequency_hz, clock, rng) >> np.uint32(32 - _TABLE_BITS)
        angle = np.pi / 4 * (1 + place * patch.width)
        gains = np.array([[np.cos(angle)], [np.sin(angle)]], dtype=np.float32)
        sound += gains * settled[index]
        if struck is not None:
            onset += gains * struck[index]
    time_s = clock.astype(np.float32) / RATE_HZ
    if struck is not None:
        sound += onset * np.exp(-time_s / patch.sweep_s)
    sound *= np.float32(1 / np.sqrt(patch.voices))
    if patch.sub:
        turns = np.float32(2 * np.pi * fundamental_hz / 2) * time_s
        sound += np.float32(patch.sub * _TABLE_RMS) * np.sin(turns)
    sound *= _envelope(patch, length_s, time_s)
    return sound


def _phase(frequency_hz: float, clock: np.ndarray, rng: Generator) -> np.ndarray:
    """Phase as uint32, one turn being 2^32, so that it wraps by itself; it starts anywhere."""
    step = np.uint32(round(frequency_hz / RATE_HZ * 2**32))
    return clock * step + rng.integers(2**32, dtype=np.uint32)


def _tables(patch: Patch, fundamental_hz: float) -> tuple[np.ndarray, np.ndarray | None]:
    """One cycle as it settles, and what the onset adds to it (None where the filter does not move)."""
    count = int(min(_HIGHEST_HZ / fundamental_hz, 2 ** (_TABLE_BITS - 1) - 1))
    order = np.arange(1, count + 1, dtype=np.float64)
    frequency_hz = order * fundamental_hz
    amplitude = _SHAPES[patch.shape](order, frequency_hz)
    bright = _cycle(amplitude * _low_pass(frequency_hz, patch.bright_hz, patch.resonance))
    scale = _TABLE_RMS / np.sqrt(np.mean(bright**2))
    if patch.bright_hz == patch.dark_hz:
        return (bright * scale).astype(np.float32), None
    dark = _cycle(amplitude * _low_pass(frequency_hz, patch.dark_hz, patch.resonance))
    return (dark * scale).astype(np.float32), ((bright - dark) * scale).astype(np.float32)


def _cycle(amplitude: np.ndarray) -> np.ndarray:
    spectrum = np.zeros(2 ** (_TABLE_BITS - 1) + 1, dtype=np.complex128)
    spectrum[1 : 1 + len(amplitude)] = -1j * amplitude  # sine phase
    return np.fft.irfft(spectrum)


def _low_pass(frequency_hz: np.ndarray, cutoff_hz: float, resonance: float) -> np.ndarray:
    """Gain of a 24 dB per octave low-pass with a bump at its cutoff."""
    ratio = frequency_hz / cutoff_hz
    return 1 / (1 + ratio**4) + resonance * np.exp(-((np.log2(ratio) / 0.3) ** 2))


def _envelope(patch: Patch, length_s: float, time_s: np.ndarray) -> np.ndarray:
    level = patch.sustain + (1 - patch.sustain) * np.exp(-time_s / patch.decay_s)
    level *= np.minimum(time_s / patch.attack_s, 1)
    release = np.clip(1 - (time_s - length_s) / patch.release_s, 0, 1) ** 2
    return (level * release).astype(np.float32)


def _time_s(length_s: float) -> np.ndarray:
    return np.arange(round(length_s * RATE_HZ)) / RATE_HZ


def _noise(rng: Generator, n_samples: int, low_hz: float, high_hz: float) -> np.ndarray:
    """White noise between two corner frequencies (12 dB per octave outside), RMS 1, float64."""
    spectrum = np.fft.rfft(rng.standard_normal(n_samples))
    frequency_hz = np.fft.rfftfreq(n_samples, 1 / RATE_HZ) + 1e-3
    spectrum /= (1 + (low_hz / frequency_hz) ** 2) * (1 + (frequency_hz / high_hz) ** 2)
    noise = np.fft.irfft(spectrum, n_samples)
    return noise / np.sqrt(np.mean(noise**2))


def _faded(sound: np.ndarray, fade_s: float = 0.02) -> np.ndarray:
    """The sound with its last moments faded out, float32."""
    n_fade = round(fade_s * RATE_HZ)
    sound[..., -n_fade:] *= np.linspace(1, 0, n_fade)
    return sound.astype(np.float32)


def kick(rng: Generator, root_hz: float, decay_s: float, click: float, drive: float) -> np.ndarray:
    """A bass drum whose tail is tuned to ``root_hz``; ``drive`` from 1 (clean) upwards."""
    time_s = _time_s(0.34)
    sweep_hz = root_hz + 170 * np.exp(-time_s / 0.022) + 900 * np.exp(-time_s / 0.003)
    body = np.sin(2 * np.pi * np.cumsum(sweep_hz) / RATE_HZ) * np.exp(-time_s / decay_s)
    beater = _noise(rng, len(time_s), 2000, 9000) * np.exp(-time_s / 0.003)
    return _faded(np.tanh(drive * body) / np.tanh(drive) + click * 0.3 * beater, 0.06)


def clap(rng: Generator, colour_hz: float) -> np.ndarray:
    """A hand clap: three bursts of noise and a tail."""
    time_s = _time_s(0.28)
    strokes = sum((time_s >= late) * np.exp(-np.clip(time_s - late, 0, None) / 0.006) for late in (0, 0.011, 0.022))
    shape = 0.7 * strokes + (time_s > 0.022) * 0.6 * np.exp(-time_s / 0.07)
    return _faded(np.stack([_noise(rng, len(time_s), 0.7 * colour_hz, 3 * colour_hz) for _ in range(2)]) * shape * 0.35)


def snare(rng: Generator, colour_hz: float) -> np.ndarray:
    """A snare drum: tone plus noise."""
    time_s = _time_s(0.22)
    skin = np.sin(2 * np.pi * (180 * time_s + 2 * (1 - np.exp(-time_s / 0.01)))) * np.exp(-time_s / 0.05)
    return _faded(0.5 * skin + 0.3 * _noise(rng, len(time_s), colour_hz, 9000) * np.exp(-time_s / 0.07))


def tom(rng: Generator, root_hz: float) -> np.ndarray:
    """A tuned drum for fills."""
    time_s = _time_s(0.3)
    skin = np.sin(2 * np.pi * np.cumsum(root_hz * (1 + 0.5 * np.exp(-time_s / 0.03))) / RATE_HZ)
    return _faded(
        0.8 * skin * np.exp(-time_s / 0.1) + 0.05 * _noise(rng, len(time_s), 500, 5000) * np.exp(-time_s / 0.02)
    )


def cymbal(rng: Generator, low_hz: float, decay_s: float) -> np.ndarray:
    """Hi-hat (short) or crash (long): noise above ``low_hz``, different on both sides."""
    time_s = _time_s(min(6 * decay_s, 2.5))
    shape = np.exp(-time_s / decay_s) * np.minimum(time_s / 0.001, 1)
    return _faded(np.stack([_noise(rng, len(time_s), low_hz, 15_000) for _ in range(2)]) * shape * 0.25)


def wind(rng: Generator, length_s: float) -> np.ndarray:
    """Noise that swells over ``length_s``, for a rising filter to colour."""
    time_s = _time_s(length_s)
    return _faded(np.stack([_noise(rng, len(time_s), 200, 14_000) for _ in range(2)]) * (time_s / length_s) ** 2 * 0.2)
