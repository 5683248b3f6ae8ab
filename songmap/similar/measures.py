"""What a listener may read of an embedding: columns under names that say something, mel bands as frequency ranges."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from songmap.library.mel import mel_centres_hz
from songmap.library.schema import COLUMN_UNIT, FEATURES, PLAIN_UNITS, AudioConfig, block_slice, column_index

FACTS = (
    "tempo_bpm", "pulse_clarity", "onset_strength_mean", "rms_mean", "harmonic_rms_mean", "percussive_rms_mean",
    "centroid_mean", "rolloff_mean", "bandwidth_mean", "flatness_mean", "zero_crossing_rate_mean", "beat_interval_std_s",
)  # fmt: skip
_MEL_RANGES = (
    (60, "sub-bass"), (250, "bass"), (500, "low mids"), (2000, "mids"), (4000, "upper mids"), (6000, "presence"),
    (np.inf, "treble"),
)  # fmt: skip
_CALLED = {
    "tempo_bpm": "tempo", "zero_crossing_rate": "zero crossings", "rms": "loudness (RMS)", "centroid": "brightness (centroid)",
    "rolloff": "85 % roll-off", "bandwidth": "bandwidth", "flatness": "noisiness (flatness)",
    "onset_strength": "strength of onsets", "beat_interval_std_s": "unevenness of beats", "pulse_clarity": "pulse clarity",
    "harmonic_rms_mean": "level of the harmonic part", "percussive_rms_mean": "level of the percussive part",
    "mfcc_01": "MFCC 1 (overall level)", "mfcc_02": "MFCC 2 (low against high)",
}  # fmt: skip
_CONTRAST_HZ = (
    "below 200 Hz",
    "200-400 Hz",
    "400-800 Hz",
    "800-1,600 Hz",
    "1,600-3,200 Hz",
    "3,200-6,400 Hz",
    "above 6,400 Hz",
)


@dataclass(frozen=True)
class Measure:
    """What a listener may read of one column, or of the mel bands of a frequency range.

    ``columns`` add to a similarity; the value in ``unit`` is the mean over ``valued``, some of them.
    """

    name: str
    family: str
    unit: str
    columns: np.ndarray
    valued: np.ndarray

    def values(self, embeddings: np.ndarray) -> np.ndarray:
        """float64 ``(n,)`` of ``embeddings (n, 641)``."""
        return embeddings[:, self.valued].mean(axis=1, dtype=np.float64)


@lru_cache(maxsize=1)
def measures() -> tuple[Measure, ...]:
    """All measures; every column belongs to one."""
    found = []
    start = 0
    for block in FEATURES:
        if block.family != "mel":
            for place, column in enumerate(block.names):
                index = np.array([start + place])
                found.append(
                    Measure(_name(column, block.feature, block.statistic), block.family, block.unit, index, index)
                )
        start += block.size
    level = block_slice("mel", "mean")
    bands = np.searchsorted([highest for highest, _ in _MEL_RANGES], mel_centres_hz(AudioConfig()), side="right")
    statistics = [block_slice("mel", block.statistic).start for block in FEATURES if block.family == "mel"]
    lowest = 0
    for place, (highest, name) in enumerate(_MEL_RANGES):
        own = np.flatnonzero(bands == place)
        columns = np.concatenate([first + own for first in statistics])
        limits = f"{lowest:,}-{highest:,} Hz" if np.isfinite(highest) else f"above {lowest:,} Hz"
        found.append(Measure(f"{name}, {limits}", "mel", "dB below maximum", columns, level.start + own))
        lowest = highest
    return tuple(found)


def standing(column: str, embedding: np.ndarray, embeddings: np.ndarray) -> dict[str, Any]:
    """A song's value of one column, and its percentile in the library ``embeddings (n_songs, 641)``."""
    index = column_index(column)
    values, value = embeddings[:, index], embedding[index]
    return {
        "measure": column,
        "value": float(value),
        "unit": COLUMN_UNIT[index],
        "percentile": percentile(values, value),
        "library_median": float(np.median(values)),
    }


def percentile(values: np.ndarray, value: float) -> float:
    """0 … 100: the share of ``values (n,)`` below ``value``, those equal to it counted half."""
    return float(100 * ((values < value).mean() + (values <= value).mean()) / 2)


def shown_unit(unit: str) -> str:
    """A unit as it follows a number: nothing where it is only a range, no "below" after a number below zero."""
    return "" if unit in PLAIN_UNITS else unit.removesuffix(" below maximum")


def _name(column: str, feature: str, statistic: str) -> str:
    """What a column is called: "MFCC 3, variation", "note C#", "contrast 400-800 Hz"."""
    label = column.removeprefix(f"{feature}_").removesuffix(f"_{statistic}")
    number = int(label) if label.isdigit() else 0
    if feature == "chroma":
        name = f"note {label}"
    elif feature == "contrast":
        name = f"contrast {_CONTRAST_HZ[number - 1]}"
    elif feature == "tonnetz":
        name = f"tonnetz {number} ({('fifths', 'minor thirds', 'major thirds')[(number - 1) // 2]})"
    elif feature == "mfcc_delta":
        name = f"MFCC {number}, drift"
    elif feature == "mfcc":
        name = _CALLED.get(f"mfcc_{label}", f"MFCC {number}")
    else:
        name = _CALLED.get(column) or _CALLED[feature]
    return f"{name}, variation" if statistic == "std" else name
