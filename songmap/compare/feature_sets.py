"""Feature sets by name: columns, or means of columns, of the 641 that a library holds; the 157 descriptors.

A feature set makes a matrix ``(n_songs, n_columns)`` of embeddings ``(n_songs, 641)``. ``spectral25``, ``spectral26`` and
``timbre-contrast`` are the tables of published studies; their chroma is that of this library, ``librosa.feature.chroma_cqt``.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from songmap.core.errors import UsageError
from songmap.library.descriptors import DESCRIPTORS, describe
from songmap.library.schema import COLUMN_FAMILY, COLUMNS, FAMILIES, N_COLUMNS, block_slice, family_indices

WITHOUT = "without-"
TABLE = "table"  # the one feature set of a table that is not this library's


@dataclass(frozen=True)
class Features:
    """A matrix ``values (n_songs, n_columns)``, the names of its columns, and the family that each belongs to."""

    values: np.ndarray
    columns: tuple[str, ...]
    families: tuple[str, ...]


@dataclass(frozen=True)
class FeatureSet:
    """Columns that are the mean of one or several of the 641, ``sources``; the descriptors where that is None."""

    title: str
    sources: tuple[tuple[int, ...], ...] | None

    @property
    def n_columns(self) -> int:
        return len(DESCRIPTORS if self.sources is None else self.sources)

    def features(self, embeddings: np.ndarray) -> Features:
        """The matrix, float64, of embeddings ``(n_songs, 641)``, and what its columns are."""
        embeddings = embeddings.astype(np.float64)
        if self.sources is None:
            names, families = zip(*((one.name, one.family) for one in DESCRIPTORS), strict=True)
            return Features(describe(embeddings), names, families)
        values = np.stack([embeddings[:, list(one)].mean(axis=1) for one in self.sources], axis=1)
        names = tuple(COLUMNS[one[0]] if len(one) == 1 else COLUMNS[one[0]].split("_")[0] for one in self.sources)
        return Features(values, names, tuple(COLUMN_FAMILY[one[0]] for one in self.sources))


def _each(feature: str, statistic: str = "mean", most: int = N_COLUMNS) -> list[tuple[int, ...]]:
    """The first columns of a block, each on its own."""
    block = block_slice(feature, statistic)
    return [(index,) for index in range(block.start, min(block.stop, block.start + most))]


def _mean(feature: str) -> tuple[int, ...]:
    """All columns of a block as one number: their mean."""
    block = block_slice(feature, "mean")
    return tuple(range(block.start, block.stop))


def _alone(indices: Iterable[int]) -> tuple[tuple[int, ...], ...]:
    return tuple((int(index),) for index in indices)


_SPECTRAL = (*_each("mfcc"), _mean("chroma"), *map(_mean, ("centroid", "bandwidth", "rolloff", "zero_crossing_rate")))
_TIMBRE_CONTRAST = (
    *_each("mfcc", most=13), *_each("contrast"), *map(_mean, ("bandwidth", "zero_crossing_rate", "chroma")),
    *_each("harmonic_rms_mean", "value"), *_each("percussive_rms_mean", "value"),
)  # fmt: skip
FEATURE_SETS: dict[str, FeatureSet] = {
    "descriptors": FeatureSet("157 descriptors", None),
    "all641": FeatureSet("all 641 columns", _alone(range(N_COLUMNS))),
    "spectral25": FeatureSet("20 MFCC, chroma, centroid, bandwidth, roll-off, zero crossings: means", _SPECTRAL),
    "spectral26": FeatureSet("the same with RMS: the table published with GTZAN", (*_SPECTRAL, _mean("rms"))),
    "timbre-contrast": FeatureSet(
        "13 MFCC, 7 contrast bands, bandwidth, zero crossings, chroma, harmonic and percussive RMS: means",
        _TIMBRE_CONTRAST,
    ),
    **{name: FeatureSet(f"columns of family {name} alone", _alone(family_indices(name))) for name in FAMILIES},
    **{
        f"{WITHOUT}{name}": FeatureSet(
            f"all columns but those of family {name}", _alone(np.setdiff1d(np.arange(N_COLUMNS), family_indices(name)))
        )
        for name in FAMILIES
    },
}
DEFAULT_SETS = ("descriptors", "all641", "spectral25")
SHORTCUTS: dict[str, tuple[str, ...]] = {
    "families": FAMILIES,
    "ablation": tuple(f"{WITHOUT}{name}" for name in FAMILIES),
    "all": tuple(FEATURE_SETS),
}


def feature_set_names(requested: Sequence[str]) -> list[str]:
    """Names of feature sets, with shortcuts replaced, each once. Raises UsageError for a name that there is not."""
    names = [name for one in requested for name in SHORTCUTS.get(one, (one,))]
    for name in names:
        if name not in FEATURE_SETS:
            raise UsageError(f"no feature set {name!r}; there are {', '.join([*FEATURE_SETS, *SHORTCUTS])}")
    return list(dict.fromkeys(names))
