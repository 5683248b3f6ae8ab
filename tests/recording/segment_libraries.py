"""Libraries with segments, made of random numbers."""

import numpy as np
import pandas as pd
from libraries import labelled_library

from songmap.library.library import Library
from songmap.library.schema import N_COLUMNS
from songmap.library.segments import SEGMENT_COLUMNS, Segments, SegmentSettings


def segmented_library(
    n_songs: int, n_segments: int, *, genre_effect: float, song_effect: float = 1.0, seed: int = 0
) -> tuple[Library, Segments]:
    """Two genres, two songs an artist: a segment is its genre's place, its song's, and noise of a quarter deviation."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n_songs) // 2 % 2
    genres = genre_effect * rng.standard_normal((2, N_COLUMNS))
    songs = genres[labels] + song_effect * rng.standard_normal((n_songs, N_COLUMNS))
    parts = songs[:, None] + 0.25 * rng.standard_normal((n_songs, n_segments, N_COLUMNS))
    artists = [f"artist {row // 2}" for row in range(n_songs)]
    library = labelled_library(_positive(songs), [f"GENRE{label}" for label in labels], artists)
    table = library.songs.iloc[np.repeat(np.arange(n_songs), n_segments)].reset_index(drop=True)
    starts_s = np.tile(15.0 * np.arange(n_segments), n_songs)
    table = pd.DataFrame(table[["file_path", "song_name", "genre", "artist"]]).assign(
        start_s=starts_s, end_s=starts_s + 30
    )
    embeddings = _positive(parts.reshape(-1, N_COLUMNS)).astype(np.float32)
    return library, Segments(embeddings, table[list(SEGMENT_COLUMNS)], SegmentSettings())


def _positive(numbers: np.ndarray) -> np.ndarray:
    """Descriptors are logarithms of some columns."""
    return np.exp(numbers / 4)
