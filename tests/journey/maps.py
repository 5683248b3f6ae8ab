"""Libraries of three groups of songs, and maps fitted to them, that several test files share."""

from functools import lru_cache
from pathlib import Path

import numpy as np

from songmap.journey.projection import project
from songmap.journey.results import Projection
from songmap.journey.song_map import MapFit, SongMap, current_map, fit_map
from songmap.library.library import Library, song_table
from songmap.library.schema import N_COLUMNS
from songmap.library.search import Search, open_search
from songmap.library.spaces import build_space

FITTED = ("umap", "tsne", "densmap")


def grouped_embeddings(n_songs: int, seed: int = 0) -> np.ndarray:
    """Embeddings of three groups that differ in mean, float32 ``(n_songs, 641)``."""
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(n_songs, N_COLUMNS)) + 3 * (np.arange(n_songs) % 3)[:, None]).astype(np.float32)


def grouped_library(n_songs: int, seed: int = 0) -> Library:
    paths = [f"/music/{seed}/{row:04d}.wav" for row in range(n_songs)]
    return library_of(grouped_embeddings(n_songs, seed), paths)


def library_of(embeddings: np.ndarray, paths: list[str]) -> Library:
    return Library(embeddings, song_table([{"file_path": path, "genre": "A"} for path in paths]))


def part(library: Library, rows: object) -> Library:
    return Library(library.embeddings[rows], library.songs.iloc[rows].reset_index(drop=True))


def joined(first: Library, second: Library) -> Library:
    paths = [*first.songs["file_path"], *second.songs["file_path"]]
    order = np.argsort(paths)
    return library_of(np.concatenate([first.embeddings, second.embeddings])[order], [paths[row] for row in order])


@lru_cache
def fitted(n_songs: int, method: str, seed: int) -> SongMap:
    """The map of ``grouped_library(n_songs)``, fitted once."""
    return refitted(grouped_library(n_songs), method, seed)


def refitted(library: Library, method: str, seed: int) -> SongMap:
    return fit_map(library, build_space(library.embeddings), method, seed)


def searched(library: Library) -> Search:
    return open_search(library, build_space(library.embeddings))


def units_of(library: Library) -> np.ndarray:
    """What songs are compared by."""
    return build_space(library.embeddings).units(library.embeddings)


def projected(song_map: SongMap, library: Library, method: str) -> tuple[Projection, Projection]:
    return project(song_map, library, searched(library), method)


def opened(path: Path, library: Library, method: str, seed: int | None, refit: bool) -> tuple[SongMap, MapFit]:
    return current_map(path, library, build_space(library.embeddings), method, seed, refit)
