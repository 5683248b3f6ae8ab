"""The 157 descriptors: the vocabulary in which songs are compared and explained, declared once.

The 641 columns of ``songmap.library.schema`` are what is stored. Descriptors are a view of them: the 109 columns
that are neither mel bands nor MFCC deltas, and 16 mel ranges of 8 bands with their level, spread and skew. Means of
MFCC deltas are left out, since the mean of a slope is only (end - start) / length.

Conventions: ``Descriptor.values`` are in real units, for people. ``describe`` gives what is compared: the natural
logarithm where a quantity is positive and its ratios matter (frequencies, amplitudes, standard deviations), never
below ``floor``, so that 0 is finite; everything else as it is. Levels are dB relative to the song's maximum, 0 or
below. No tempo is 0 BPM, which is compared as ``floor``.
"""

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from songmap.core.errors import SchemaError
from songmap.core.text import hertz_range
from songmap.library.mel import mel_freqs_hz
from songmap.library.schema import COLUMNS, FAMILIES, FEATURES, AudioConfig, Feature, block_slice

N_DESCRIPTORS = 157
N_MEL_RANGES = 16

_CONTRAST_EDGES_HZ = (0, 200, 400, 800, 1600, 3200, 6400, 11025)  # octaves, as librosa.feature.spectral_contrast
_CIRCLES = ("fifths", "minor thirds", "major thirds")  # two coordinates each, Harte, Sandler & Gasser 2006
_MFCC_NOTES = {"01": " (overall level)", "02": " (low against high frequencies)"}  # cosines of order 0 and 1
_SINGLE: dict[str, tuple[str, float | None]] = {  # name, floor of what is compared as a logarithm
    "centroid": ("spectral centroid", 1.0),
    "rolloff": ("spectral roll-off, 85 %", 1.0),
    "bandwidth": ("spectral bandwidth", 1.0),
    "flatness": ("spectral flatness", 1e-6),
    "zero_crossing_rate": ("zero-crossing rate", 1e-4),
    "tempo_bpm": ("tempo", 30.0),
    "rms": ("RMS", 1e-5),
    "onset_strength": ("onset strength", 1e-2),
    "beat_interval_std_s": ("beat interval, std", 1e-3),
    "pulse_clarity": ("pulse clarity", None),
    "harmonic_rms_mean": ("harmonic RMS", 1e-5),
    "percussive_rms_mean": ("percussive RMS", 1e-5),
}
_UNITS = {"0…1": "", "-1…1": "", "amplitude": "", "dB below maximum": "dB"}  # others are shown as the schema has them
_STD_FLOORS = {"mfcc": 0.1, "chroma": 1e-3, "contrast": 0.1, "tonnetz": 1e-3}  # of others

Kind = Literal["column", "level", "spread", "skew"]
_MEL_KINDS: tuple[tuple[str, Kind, str, str, float | None], ...] = (  # name, kind, statistics of bands, floor
    ("level", "level", "mean", "", None),
    ("level spread", "spread", "p75", "p25", 0.1),
    ("level skew", "skew", "mean", "p50", None),
)


@dataclass(frozen=True)
class Descriptor:
    """One named number of a song: the mean of ``columns`` less the mean of ``minus``.

    Attributes
    ----------
    name : str
        In words, unique, e.g. ``spectral centroid`` or ``level 2.0–2.6 kHz``.
    family : str
        One of ``songmap.library.schema.FAMILIES``.
    unit : str
        Of ``values``; empty for a plain number.
    formula : str
        How it follows from columns.
    kind : str
        ``column`` for a single column; of a mel range ``level``, ``spread`` or ``skew``.
    columns, minus : tuple of int
        Indices of columns, 0 to 640.
    floor : float or None
        The least value of the logarithm's argument; None where values are compared as they are.
    """

    name: str
    family: str
    unit: str
    formula: str
    kind: Kind
    columns: tuple[int, ...]
    minus: tuple[int, ...] = ()
    floor: float | None = None

    def values(self, embeddings: np.ndarray) -> np.ndarray:
        """Values in ``unit``, float64 ``(...)``, of raw columns ``(..., 641)``."""
        values = _mean(embeddings, self.columns)
        return values - _mean(embeddings, self.minus) if self.minus else values

    def compared(self, embeddings: np.ndarray) -> np.ndarray:
        """What ``describe`` holds of it, float64 ``(...)``, of raw columns ``(..., 641)``."""
        values = self.values(embeddings)
        return values if self.floor is None else np.log(np.maximum(values, self.floor))


def _mean(embeddings: np.ndarray, columns: tuple[int, ...]) -> np.ndarray:
    """Each song by itself, in one order: a song's numbers do not depend on which others are beside it."""
    return np.take(embeddings, columns, axis=-1).mean(axis=-1, dtype=np.float64)


def _column_name(feature: Feature, label: str) -> str:
    match feature.feature:
        case "mfcc" | "mfcc_delta":
            name = f"MFCC {int(label)}{_MFCC_NOTES.get(label, '') if feature.feature == 'mfcc' else ' delta'}"
        case "chroma":
            name = f"chroma {label}"
        case "contrast":
            name = f"spectral contrast {hertz_range(*list(pairwise(_CONTRAST_EDGES_HZ))[int(label) - 1])}"
        case "tonnetz":
            name = f"tonnetz {label} ({_CIRCLES[(int(label) - 1) // 2]})"
        case other:
            name = _SINGLE[other][0]
    return f"{name}, std" if feature.statistic == "std" else name


def _floor(feature: Feature) -> float | None:
    _, floor = _SINGLE.get(feature.feature, ("", None))
    return _STD_FLOORS.get(feature.feature, floor) if feature.statistic == "std" else floor


def _mel_ranges(n_mels: int, highest_hz: float) -> list[tuple[slice, str]]:
    """Bands of each range, and its frequencies in words; they begin and end halfway, in mel, between two centres."""
    edges_hz = mel_freqs_hz(2 * (n_mels + 1) + 1, highest_hz)[1::2]
    size = n_mels // N_MEL_RANGES
    return [
        (slice(start, start + size), hertz_range(edges_hz[start], edges_hz[start + size]))
        for start in range(0, n_mels, size)
    ]


def _declared() -> tuple[list[Descriptor], list[str]]:
    """All descriptors, and a name in words for each of the 641 columns."""
    descriptors: list[Descriptor] = []
    labels: list[str] = []
    config = AudioConfig()
    ranges = _mel_ranges(config.n_mels, config.sample_rate_hz / 2)
    for feature in FEATURES:
        if feature.family == "mel":
            labels += [
                f"level {hertz} ({feature.statistic})"
                for bands, hertz in ranges
                for _ in range(bands.stop - bands.start)
            ]
            continue
        for column, label in zip(feature.names, feature.labels or ("",), strict=True):
            name, floor = _column_name(feature, label), _floor(feature)
            if feature.feature != "mfcc_delta":
                formula = column if floor is None else f"log(max({column}, {floor:g}))"
                unit, index = _UNITS.get(feature.unit, feature.unit), len(labels)
                descriptors.append(Descriptor(name, feature.family, unit, formula, "column", (index,), floor=floor))
            labels.append(name)
    for name, kind, plus, minus, floor in _MEL_KINDS:
        formula = f"mel {plus} - mel {minus}" if minus else f"mel {plus}"
        formula = f"{formula}, mean over bands" if floor is None else f"log(max({formula}, {floor:g})), mean over bands"
        for bands, hertz in ranges:
            columns, subtracted = (_mel_columns(statistic, bands) for statistic in (plus, minus))
            descriptors.append(Descriptor(f"{name} {hertz}", "mel", "dB", formula, kind, columns, subtracted, floor))
    return descriptors, labels


def _mel_columns(statistic: str, bands: slice) -> tuple[int, ...]:
    return tuple(range(len(COLUMNS))[block_slice("mel", statistic)][bands]) if statistic else ()


_DESCRIPTORS, _LABELS = _declared()
DESCRIPTORS: tuple[Descriptor, ...] = tuple(_DESCRIPTORS)
COLUMN_LABELS: tuple[str, ...] = tuple(_LABELS)  # of the 641 columns, in words
_SIZES = Counter(one.family for one in DESCRIPTORS)
_EQUAL_FAMILIES = np.array([_SIZES[one.family] ** -0.5 for one in DESCRIPTORS])


def describe(embeddings: np.ndarray) -> np.ndarray:
    """The descriptors of songs, as they are compared.

    Parameters
    ----------
    embeddings : np.ndarray, shape (..., 641)
        Raw columns.

    Returns
    -------
    np.ndarray, shape (..., 157), float64
        In the order of ``DESCRIPTORS``; finite where the columns are.

    Raises
    ------
    SchemaError
        If there are not 641 columns.

    Examples
    --------
    >>> describe(np.ones((2, 641))).shape
    (2, 157)
    """
    embeddings = np.asarray(embeddings)
    if embeddings.ndim == 0 or embeddings.shape[-1] != len(COLUMNS):
        raise SchemaError(f"descriptors are made of {len(COLUMNS)} columns, not of an array {embeddings.shape}")
    return np.stack([descriptor.compared(embeddings) for descriptor in DESCRIPTORS], axis=-1)


def equal_families(standardised: np.ndarray) -> np.ndarray:
    """Standardised descriptors ``(..., 157)`` over the square root of their family's size.

    Every family then has equal weight in squared distances and in dot products.
    """
    return standardised * _EQUAL_FAMILIES


def descriptor(name: str) -> Descriptor:
    """The descriptor of that name. Raises SchemaError."""
    found = next((one for one in DESCRIPTORS if one.name == name), None)
    if found is None:
        raise SchemaError(f"no descriptor {name!r} among the {N_DESCRIPTORS}")
    return found


def descriptors_of(family: str) -> tuple[Descriptor, ...]:
    """The descriptors of one of ``FAMILIES``, in their order. Raises SchemaError."""
    if family not in FAMILIES:
        raise SchemaError(f"no family {family!r}; there are {', '.join(FAMILIES)}")
    return tuple(one for one in DESCRIPTORS if one.family == family)
