"""What a telephone, a room or a lossy file does to a recording: functions from samples to samples.

Conventions: samples are mono float32 ``(n_samples,)`` at 22,050 Hz; noise and rooms are drawn by a numpy generator.
"""

import io
from collections.abc import Callable
from functools import partial

import numpy as np

from songmap.library.schema import AudioConfig

RATE_HZ = AudioConfig().sample_rate_hz
_TELEPHONE_HZ = (300.0, 3400.0)
_EXCERPT_S = 10
Degradation = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def telephone(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The band of a telephone, 300 to 3,400 Hz (Butterworth, fourth order)."""
    from scipy.signal import butter, sosfilt

    sections = butter(4, _TELEPHONE_HZ, "bandpass", fs=RATE_HZ, output="sos")
    return np.asarray(sosfilt(sections, samples), np.float32)


def noisy(samples: np.ndarray, rng: np.random.Generator, snr_db: float) -> np.ndarray:
    """With pink noise at a signal-to-noise ratio in dB, both as root mean squares over the recording."""
    n_fft = 2 ** int(np.ceil(np.log2(len(samples))))
    spectrum = rng.standard_normal(n_fft // 2 + 1) + 1j * rng.standard_normal(n_fft // 2 + 1)
    pink = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(n_fft // 2 + 1), 1)))[: len(samples)]
    level = np.sqrt(np.mean(samples.astype(np.float64) ** 2) / np.mean(pink**2)) * 10 ** (-snr_db / 20)
    return np.asarray(samples + level * pink, np.float32)


def reverberant(samples: np.ndarray, rng: np.random.Generator, rt60_s: float) -> np.ndarray:
    """In a room that takes ``rt60_s`` to decay by 60 dB: exponentially decaying noise (Moorer 1979), as loud as the sound."""
    from scipy.signal import oaconvolve

    time_s = np.arange(round(rt60_s * RATE_HZ)) / RATE_HZ
    tail = rng.standard_normal(len(time_s)) * 10 ** (-3 * time_s / rt60_s)
    response = tail / np.sqrt((tail**2).sum())
    response[0] += 1
    return np.asarray(oaconvolve(samples, response)[: len(samples)] / np.sqrt(2), np.float32)


def lossy(samples: np.ndarray, rng: np.random.Generator, kbit_per_s: int = 64) -> np.ndarray:
    """Encoded as MP3 and decoded."""
    import av

    file = io.BytesIO()
    with av.open(file, "w", format="mp3") as container:
        stream = container.add_stream("libmp3lame", rate=RATE_HZ, layout="mono")
        stream.bit_rate = 1000 * kbit_per_s
        frame = av.AudioFrame.from_ndarray(np.clip(samples, -1, 1)[np.newaxis].astype(np.float32), "fltp", "mono")
        frame.sample_rate = RATE_HZ
        container.mux([*stream.encode(frame), *stream.encode(None)])
    file.seek(0)
    with av.open(file) as container:
        blocks = [frame.to_ndarray()[0] for frame in container.decode(audio=0)]
    return np.concatenate(blocks).astype(np.float32)


def faster(samples: np.ndarray, rng: np.random.Generator, ratio: float) -> np.ndarray:
    """Played ``ratio`` times as fast, higher by as much, as from a turntable."""
    import soxr

    return np.asarray(soxr.resample(samples, RATE_HZ * ratio, RATE_HZ), np.float32)


def excerpt(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Ten seconds of it, from a random place."""
    length = _EXCERPT_S * RATE_HZ
    first = int(rng.integers(0, max(1, len(samples) - length)))
    return samples[first : first + length]


CONDITIONS: dict[str, Degradation] = {
    "as it is": lambda samples, rng: samples,
    "telephone band": telephone,
    "noise 20 dB": partial(noisy, snr_db=20.0),
    "noise 10 dB": partial(noisy, snr_db=10.0),
    "noise 5 dB": partial(noisy, snr_db=5.0),
    "reverb 0.6 s": partial(reverberant, rt60_s=0.6),
    "MP3 64 kbit/s": lossy,
    "3 % faster": partial(faster, ratio=1.03),
    "3 % slower": partial(faster, ratio=0.97),
    "10 s only": excerpt,
}


def degraded_at_random(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """In one way that is drawn, by an amount that is drawn: speed, reverb, the band of a telephone, or noise."""
    match rng.integers(4):
        case 0:
            return faster(samples, rng, float(rng.uniform(0.96, 1.04)))
        case 1:
            return reverberant(samples, rng, float(rng.uniform(0.2, 1.0)))
        case 2:
            return telephone(samples, rng)
        case _:
            return noisy(samples, rng, float(rng.uniform(3, 25)))
