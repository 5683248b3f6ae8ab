"""Synthesised libraries that tests share."""

from collections.abc import Sequence

import numpy as np

from songmap.library.descriptors import N_DESCRIPTORS
from songmap.library.genre_model import NoveltyDetector
from songmap.library.library import Library, song_table
from songmap.library.schema import N_COLUMNS
from songmap.library.spaces import build_space


def make_library(
    n_songs: int, *, genres: Sequence[str] = ("HOUSE", "TRANCE"), seed: int = 0, names=None, artist: str = "Ann"
) -> Library:
    """Random embeddings; genres in turn; names ``song 000 …``, unless given, in path order."""
    names = names if names is not None else [f"song {index:03d}" for index in range(n_songs)]
    names = sorted(names, key="/music/{}.mp3".format)
    records = [
        {
            "song_name": name,
            "file_path": f"/music/{name}.mp3",
            "genre": genres[index % len(genres)],
            "duration": 60.0 + index,
            "artist": artist,
            "title": name,
            "album": "",
            "year": float("nan"),
            "key": "",
            "tempo_bpm": 120.0,
        }
        for index, name in enumerate(names)
    ]
    embeddings = np.random.default_rng(seed).standard_normal((n_songs, N_COLUMNS)).astype(np.float32)
    return Library(embeddings, song_table(records))


def labelled_library(embeddings: np.ndarray, genres: Sequence[str], artists=None, albums=None) -> Library:
    """A library of given embeddings ``(n_songs, 641)``, genres and, where given, artists and albums."""
    blank = [""] * len(genres)
    records = [
        {
            "song_name": f"song {row:03d}",
            "file_path": f"/music/{row:03d}.mp3",
            "genre": genre,
            "duration": 60.0,
            "artist": artist,
            "title": "",
            "album": album,
            "year": float("nan"),
            "key": "",
            "tempo_bpm": 120.0,
        }
        for row, (genre, artist, album) in enumerate(zip(genres, artists or blank, albums or blank, strict=True))
    ]
    return Library(embeddings.astype(np.float32), song_table(records))


def separable_library(n_genres: int, songs_per_genre: int, *, distance: float = 1.0, seed: int = 0) -> Library:
    """Genres as clouds ``distance`` standard deviations from the origin in every column; two songs per artist."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(n_genres), songs_per_genre)
    centres = distance * rng.standard_normal((n_genres, N_COLUMNS))
    embeddings = centres[labels] + rng.standard_normal((len(labels), N_COLUMNS))
    artists = [f"artist {row // 2}" for row in range(len(labels))]
    return labelled_library(embeddings, [f"GENRE{label:02d}" for label in labels], artists)


def any_detector(n_genres: int = 2) -> NoveltyDetector:
    """A detector to which no song is novel."""
    return NoveltyDetector(np.zeros((n_genres, N_DESCRIPTORS)), np.ones((n_genres, N_DESCRIPTORS)), np.inf)


def random_embeddings(n_songs: int, seed: int = 0) -> np.ndarray:
    """Columns of very different means and spreads, as real ones have; float64."""
    rng = np.random.default_rng(seed)
    return rng.normal(rng.normal(0, 50, N_COLUMNS), 10.0 ** rng.integers(-4, 4, N_COLUMNS), (n_songs, N_COLUMNS))


def units_of(embeddings: np.ndarray, space: str = "balanced") -> np.ndarray:
    """Their unit vectors in one of the spaces."""
    return build_space(embeddings, space).units(embeddings)
