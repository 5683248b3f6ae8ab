"""Genres compared: similarity, tempo, spectral centroid and key."""

import numpy as np

from songmap.journey.results import ByGenre, GenreStatistics, KeyCounts
from songmap.library.genre_similarity import genre_similarity
from songmap.library.keys import KEYS, NO_KEY, keys_of
from songmap.library.library import Library
from songmap.library.search import Search
from songmap.library.tempos import tempos_of


def genre_statistics(library: Library, search: Search) -> GenreStatistics:
    """All statistics; similarity is that of ``search``."""
    genres = library.genres
    tempo_bpm, _ = tempos_of(library.songs)
    return GenreStatistics(
        similarity=genre_similarity(search, genres.tolist()),
        tempo_bpm=by_genre(np.where(tempo_bpm > 0, tempo_bpm, np.nan), genres),
        centroid_hz=by_genre(library.column("centroid_mean"), genres),
        keys=count_keys(keys_of(library.songs["key"].tolist(), library.embeddings)[0], genres),
    )


def by_genre(values: np.ndarray, genres: np.ndarray) -> ByGenre:
    """Values ``(n_songs,)``, NaN where unknown, of the songs of each genre."""
    known = np.isfinite(values)
    own = tuple(np.sort(values[(genres == name) & known]) for name in sorted(set(genres)))
    medians = np.array([np.median(each) if len(each) else np.nan for each in own])
    return ByGenre(own, medians, int((~known).sum()))


def count_keys(keys: np.ndarray, genres: np.ndarray) -> KeyCounts:
    """Keys ``(n_songs,)``, numbered as in ``songmap.library.keys``, counted by genre."""
    names = sorted(set(genres))
    counts = np.array([[np.sum(keys[genres == name] == key) for key in range(len(KEYS))] for name in names])
    n_songs = np.array([np.sum(genres == name) for name in names])
    return KeyCounts(counts, 100 * counts / n_songs[:, None], int(np.sum(keys == NO_KEY)))
