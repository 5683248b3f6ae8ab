"""Golden: clips below the usual 3 s against plain librosa calls, down to the shortest that has all columns."""

import librosa
import numpy as np
import pytest
from scipy.signal import chirp
from signals import RATE_HZ, clicks, music, noise, tone

from songmap.core.errors import TooShortError
from songmap.features.analysis import analyse_samples
from songmap.features.reference import deviation, plain_columns
from songmap.library.schema import COLUMNS, LEAST_DURATION_S, N_LIBROSA, AudioConfig

SIGNALS = {
    "music": lambda: music(3),
    "tone": lambda: tone(447, 3),
    "chirp": lambda: (0.5 * chirp(np.arange(3 * RATE_HZ) / RATE_HZ, 40, 3, 10_000)).astype(np.float32),
    "noise": lambda: noise(3),
    "clicks": lambda: clicks(150, 3),
    "late": lambda: np.concatenate([np.zeros(RATE_HZ // 8, np.float32), music(3)]),
}


@pytest.mark.filterwarnings("ignore:n_fft=.* is too large for input signal:UserWarning")  # librosa's, below 3 s
@pytest.mark.parametrize("duration_s", [LEAST_DURATION_S, 0.5, 1.0, 2.0, 2.9])
@pytest.mark.parametrize("name", SIGNALS)
def test_columns_of_short_clips_equal_plain_librosa(name, duration_s):
    samples = SIGNALS[name]()[: round(duration_s * RATE_HZ)]
    song = analyse_samples(samples, RATE_HZ, AudioConfig(min_duration_s=duration_s))
    excess = deviation(song.embedding[:N_LIBROSA], plain_columns(samples))
    wrong = {COLUMNS[index]: excess[index] for index in np.flatnonzero(excess > 1)}
    assert not wrong, f"beyond 1e-4 + 1e-3 of the value, by factors of {wrong}"


def test_what_is_shorter_has_no_columns_whatever_the_configuration_allows():
    assert 1 + LEAST_DURATION_S * RATE_HZ // AudioConfig.hop_length == 9
    with pytest.raises(TooShortError, match=r"too short: 0\.19 s, at least 0\.2 s are needed"):
        analyse_samples(tone(440, 0.19), RATE_HZ, AudioConfig(min_duration_s=0))
    with pytest.raises(librosa.ParameterError, match="width=9 cannot exceed"):
        plain_columns(tone(440, 0.185))  # eight frames
