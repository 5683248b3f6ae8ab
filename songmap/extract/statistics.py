"""Statistics of a library: its genres, and the range of every feature."""

import numpy as np
import pandas as pd

from songmap.library.library import Library
from songmap.library.schema import FAMILIES, FEATURES, block_slice


def genre_statistics(library: Library) -> pd.DataFrame:
    """Songs, their duration in seconds and their median tempo of every genre, in alphabetical order."""
    genres = library.songs.groupby("genre", sort=True)
    columns = {"songs": ("file_path", "size"), "duration_s": ("duration", "sum"), "tempo_bpm": ("tempo_bpm", "median")}
    return genres.agg(**columns).reset_index()


def feature_ranges(library: Library) -> pd.DataFrame:
    """Range of every feature's mean, or single number, over its columns and all songs; family by family."""
    rows = []
    for block in sorted(FEATURES, key=lambda block: FAMILIES.index(block.family)):
        if len(library) and block.statistic in ("mean", "value"):
            values = library.embeddings[:, block_slice(block.feature, block.statistic)]
            lowest, median, highest = float(values.min()), float(np.median(values)), float(values.max())
            rows.append((block.family, block.feature, block.size, lowest, median, highest, block.unit))
    return pd.DataFrame(rows, columns=["family", "feature", "columns", "lowest", "median", "highest", "unit"])
