"""Where one song stands in its library, column by column.

Values have different units, so what is compared are positions: the percentile of a value among the
library's values, and the z-score. Neither exists in a library of one song, and neither is invented.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from songmap.core.tables import format_cell
from songmap.library.schema import COLUMN_UNIT, COLUMNS, FEATURES

MIN_SONGS_PERCENTILE = 2
MIN_SONGS_UNUSUAL = 5  # among n songs |z| is at most sqrt(n - 1): of fewer, none stands out


@dataclass(frozen=True)
class Unusual:
    """One column in which a song differs from its library; ``value`` and ``median`` in the column's unit."""

    column: str
    value: float
    median: float
    percentile: float
    z_score: float


def standardise(embeddings: np.ndarray) -> np.ndarray:
    """Columns at mean 0 and standard deviation 1 over the songs, float64; constant columns become 0."""
    scaled = embeddings - embeddings.mean(axis=0, dtype=np.float64)
    deviation = np.sqrt(np.mean(scaled**2, axis=0))
    varies = embeddings.max(axis=0) > embeddings.min(axis=0)  # rounding leaves constant ones a small deviation
    scaled *= np.divide(1, deviation, out=np.zeros_like(deviation), where=varies)
    return scaled


def typical_song(embeddings: np.ndarray) -> int:
    """Row of the song nearest the median of all standardised columns; the first of equally near ones."""
    scaled = standardise(embeddings)
    return int(np.argmin(np.linalg.norm(scaled - np.median(scaled, axis=0), axis=1)))


def percentiles(embedding: np.ndarray, library: np.ndarray) -> np.ndarray | None:
    """Percentile rank of each value, ``(n_columns,)`` in 0…100: share of the library below it plus half of those equal.

    ``library`` is ``(n_songs, n_columns)``; None where it has fewer than two songs.
    """
    if len(library) < MIN_SONGS_PERCENTILE:
        return None
    below = (library < embedding).mean(axis=0)
    equal = (library == embedding).mean(axis=0)
    return 100.0 * (below + equal / 2)


def z_scores(embedding: np.ndarray, library: np.ndarray) -> np.ndarray:
    """Distance from the library's mean in its standard deviations, ``(n_columns,)``; NaN where all songs are equal."""
    values = np.asarray(library, dtype=np.float64)
    mean, std = values.mean(axis=0), values.std(axis=0)
    varies = np.ptp(values, axis=0) > 0  # the std of equal values need not come out as exactly 0
    return np.divide(embedding - mean, std, out=np.full(mean.shape, np.nan), where=varies)


def most_unusual(embedding: np.ndarray, library: np.ndarray, count: int) -> list[Unusual]:
    """The ``count`` columns with the largest absolute z-score, at most one per frame feature, largest first.

    One per feature, because neighbouring mel bands say the same thing. Empty for fewer than five songs.
    """
    ranks = percentiles(embedding, library)
    if ranks is None or len(library) < MIN_SONGS_UNUSUAL:
        return []
    scores = z_scores(embedding, library)
    features = [block.feature for block in FEATURES for _ in block.names]
    found: dict[str, Unusual] = {}
    for column in np.argsort(-np.abs(scores), kind="stable"):  # NaN is sorted last
        if len(found) == count or not np.isfinite(scores[column]):
            break
        found.setdefault(
            features[column],
            Unusual(
                COLUMNS[column],
                float(embedding[column]),
                float(np.median(library[:, column])),
                float(ranks[column]),
                float(scores[column]),
            ),
        )
    return list(found.values())


def with_unit(value: float, column: str) -> str:
    """A value for people, with the unit of its column; a range stands where there is no unit."""
    unit = COLUMN_UNIT[COLUMNS.index(column)].replace("dB below maximum", "dB re maximum")
    return f"{format_cell(value)} ({unit})" if "…" in unit else f"{format_cell(value)} {unit}"


def unusual_rows(unusual: Sequence[Unusual]) -> list[tuple[str, str, str, str]]:
    """Column, value, position, and the library's median, as texts."""
    return [
        (
            item.column,
            with_unit(item.value, item.column),
            f"percentile {item.percentile:.0f}, {abs(item.z_score):.1f} standard deviations "
            f"{'above' if item.z_score > 0 else 'below'} the mean",
            f"library's median {with_unit(item.median, item.column)}",
        )
        for item in unusual
    ]
