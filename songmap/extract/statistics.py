"""Statistics of a library: its genres, and the range of every feature."""

import numpy as np

from songmap.extract.results import FeatureRange, GenreStatistics
from songmap.library.library import Library
from songmap.library.schema import FAMILIES, FEATURES, block_slice


def genre_statistics(library: Library) -> list[GenreStatistics]:
    """Songs, duration and tempo of every genre, in alphabetical order."""
    return [
        GenreStatistics(genre, len(songs), float(songs["duration"].sum()), float(songs["tempo_bpm"].median()))
        for genre, songs in library.songs.groupby("genre", sort=True)
    ]


def feature_ranges(library: Library) -> list[FeatureRange]:
    """Range of every feature's mean, or single number, family by family; nothing for an empty library."""
    if not len(library):
        return []
    ranges = []
    for block in sorted(FEATURES, key=lambda block: FAMILIES.index(block.family)):
        if block.statistic in ("mean", "value"):
            values = library.embeddings[:, block_slice(block.feature, block.statistic)]
            lowest, median, highest = float(values.min()), float(np.median(values)), float(values.max())
            ranges.append(FeatureRange(block.family, block.feature, block.size, lowest, median, highest, block.unit))
    return ranges
