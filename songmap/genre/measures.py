"""Columns that can be told to a listener, by family: a name, a unit, and how two genres differ in them."""

from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

from songmap.core.text import hertz_range
from songmap.library.mel import mel_centres_hz
from songmap.library.schema import (
    COLUMN_UNIT,
    COLUMNS,
    FAMILIES,
    PITCH_CLASSES,
    PLAIN_UNITS,
    AudioConfig,
    block_slice,
    column_index,
)

_MEL_RANGES = 8  # of 16 bands each
_CONTRAST_EDGES_HZ = (0, 200, 400, 800, 1600, 3200, 6400, 11025)  # octaves, as librosa.feature.spectral_contrast
_MFCC_NOTES = {1: " (overall level)", 2: " (low against high frequencies)"}  # cosines of order 0 and 1 over the bands
_BELOW = "dB below the song's maximum"
_CIRCLES = ("fifths", "minor thirds", "major thirds")  # two coordinates on each, Harte, Sandler & Gasser 2006
_SPECTRAL = {
    "centroid_mean": "spectral centroid",
    "centroid_std": "variation of the centroid",
    "rolloff_mean": "85 % roll-off",
    "bandwidth_mean": "spectral bandwidth",
    "flatness_mean": "spectral flatness",
}
_RHYTHM = {
    "tempo_bpm": "tempo",
    "onset_strength_mean": "onset strength",
    "pulse_clarity": "pulse clarity",
    "beat_interval_std_s": "spread of beat intervals",
    "zero_crossing_rate_mean": "zero crossings",
}
_ENERGY = {
    "rms_mean": "RMS level",
    "rms_std": "variation of the RMS level",
    "harmonic_rms_mean": "harmonic RMS",
    "percussive_rms_mean": "percussive RMS",
}


@dataclass(frozen=True)
class Measure:
    """``sign`` times the mean of ``columns`` (indices; mostly one), called ``name``, in ``unit`` ("": a plain number)."""

    name: str
    unit: str
    columns: tuple[int, ...]
    sign: int = 1

    def of(self, embeddings: np.ndarray) -> np.ndarray:
        """Its value for raw columns ``(..., 641)``, float64 ``(...)``."""
        return self.sign * embeddings[..., self.columns].astype(np.float64).mean(axis=-1)


def measures_of(family: str) -> list[Measure]:
    """The measures of one of ``FAMILIES``; columns that say nothing to a listener, like MFCC deltas, have none."""
    return dict(zip(FAMILIES, _all_measures(), strict=True))[family]


def measure_records(
    family: str, embedding: np.ndarray, medians: np.ndarray, background: np.ndarray, pair: dict[str, int], number: int
) -> list[dict[str, Any]]:
    """The ``number`` measures of a family in which two genres differ most, with a song's value.

    ``pair`` names two rows of ``medians`` ``(n_genres, 641)``. They differ by ``difference_sd``, in standard deviations
    over the ``background`` ``(m, 641)``. A measure of several columns takes the mean of their medians. Measures
    that do not differ are left out.
    """
    found = []
    for measure in measures_of(family):
        told = {genre: float(measure.of(medians[row])) for genre, row in pair.items()}
        spread, gap = float(measure.of(background).std()), abs(np.subtract(*told.values()))
        if spread > 0 and gap > 0:
            found.append(
                {
                    "family": family,
                    "measure": measure.name,
                    "columns": [COLUMNS[index] for index in measure.columns],
                    "unit": measure.unit,
                    "value": float(measure.of(embedding)),
                    "medians": told,
                    "difference_sd": gap / spread,
                }
            )
    return sorted(found, key=lambda record: -record["difference_sd"])[:number]


def strongest_pitch_classes(embedding: np.ndarray, number: int = 3) -> list[str]:
    """The pitch classes with the largest mean chroma of raw columns ``(641,)``, strongest first."""
    chroma = embedding[block_slice("chroma", "mean")]
    return [PITCH_CLASSES[index] for index in np.argsort(-chroma, kind="stable")[:number]]


@cache
def _all_measures() -> tuple[list[Measure], ...]:
    """In the order of ``FAMILIES``."""
    centres = mel_centres_hz(AudioConfig())
    bands = np.arange(len(centres)).reshape(_MEL_RANGES, -1)
    mel_start = block_slice("mel", "mean").start
    mfcc = [f"MFCC {number}{_MFCC_NOTES.get(number, '')}" for number in range(1, 21)]
    tonnetz = [f"tonnetz {number} ({_CIRCLES[(number - 1) // 2]})" for number in range(1, 7)]
    contrast = [f"spectral contrast {hertz_range(*edges)}" for edges in pairwise(_CONTRAST_EDGES_HZ)]
    return (
        _block("mfcc", "mean", mfcc) + _block("mfcc", "std", [f"variation of {name}" for name in mfcc]),
        _block("chroma", "mean", [f"chroma {name}" for name in PITCH_CLASSES]),
        _named(_SPECTRAL) + _block("contrast", "mean", contrast),
        _named(_RHYTHM),
        _named(_ENERGY),
        _block("tonnetz", "mean", tonnetz) + _block("tonnetz", "std", [f"variation of {name}" for name in tonnetz]),
        [
            Measure(f"level at {hertz_range(*centres[run[[0, -1]]])}", _BELOW, tuple(mel_start + run), sign=-1)
            for run in bands
        ],
    )


def _named(names: dict[str, str]) -> list[Measure]:
    return [Measure(name, _unit(column_index(column)), (column_index(column),)) for column, name in names.items()]


def _block(feature: str, statistic: str, names: list[str]) -> list[Measure]:
    start = block_slice(feature, statistic).start
    return [Measure(name, _unit(start + place), (start + place,)) for place, name in enumerate(names)]


def _unit(column: int) -> str:
    unit = COLUMN_UNIT[column]
    return "" if unit in PLAIN_UNITS else unit
