"""Slaney's mel scale, linear up to 1,000 Hz, then logarithmic; the bits are librosa's."""

import numpy as np

from songmap.library.schema import AudioConfig

_HZ_PER_MEL, _MEL_BREAK_HZ, _MEL_LOG_STEP = 200.0 / 3, 1000.0, np.log(6.4) / 27.0


def mel_freqs_hz(n_freqs: int, highest_hz: float) -> np.ndarray:
    """Frequencies at equal distances on Slaney's mel scale from 0 to ``highest_hz``, float64 ``(n_freqs,)``."""
    break_mel = _MEL_BREAK_HZ / _HZ_PER_MEL
    highest = highest_hz / _HZ_PER_MEL
    if highest_hz >= _MEL_BREAK_HZ:
        highest = break_mel + np.log(highest_hz / _MEL_BREAK_HZ) / _MEL_LOG_STEP
    mels = np.linspace(0.0, highest, n_freqs)
    above = _MEL_BREAK_HZ * np.exp(_MEL_LOG_STEP * (mels - break_mel))
    return np.where(mels >= break_mel, above, _HZ_PER_MEL * mels)


def mel_centres_hz(config: AudioConfig) -> np.ndarray:
    """Centre frequencies of the mel bands, float64 ``(n_mels,)``."""
    return mel_freqs_hz(config.n_mels + 2, config.sample_rate_hz / 2)[1:-1]
