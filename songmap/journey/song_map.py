"""The saved map: fitted once to a library, then looked up, so that new songs move no old ones.

It shows the unit vectors of the space ``balanced``, which decide in 04 and on the pages which songs are similar, or, in a
file of its own, those of the space ``cnn``. A network knows no further songs: that map is fitted again when 07 has run.

``models/map_METHOD.npz`` holds plain arrays; nothing in it is unpickled. UMAP's own model would be a pickle of
dozens of classes and compiled code's state, larger than the library; neither t-SNE nor densMAP can place further
songs at all. So one rule serves all three: a song that the map was not fitted to is placed at the median, axis by
axis, of the places of its nearest songs in that space, as it was when the map was fitted. It depends on the map and the
song alone. Of held-out songs, the ten
nearest were nearest on the map as often as with UMAP's own transform, or more often (synthesised songs in 2D and 3D:
65 % and 68 %, UMAP's transform 60 % and 67 %); a mean falls between groups. Principal components place a song exactly.
"""

import io
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from enum import Enum
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from songmap.core.arrays import read_arrays
from songmap.core.defaults import DEFAULT_SEED
from songmap.core.errors import SchemaError
from songmap.core.files import read_bytes, write_atomically
from songmap.journey.embedding import embed, principal_axes
from songmap.library.library import Library
from songmap.library.schema import LARGEST
from songmap.library.spaces import Space

METHODS = {"umap": "UMAP", "pca": "PCA", "tsne": "t-SNE", "densmap": "densMAP"}
MIN_SONGS = 5  # fewer have no neighbourhoods to keep: they get principal components, whatever the method
PLACING_NEIGHBOURS = 7
DIMENSIONS = (2, 3)
_ADVICE = "make a new one with --refit"
_KEYS = {
    "descriptors": "columns",
    "units": "components",
    "embedding_hashes": "sounds",
}  # of the file, not the field's name


class FitReason(Enum):
    """Why a map was fitted instead of the saved one being used."""

    FIRST = "first"
    REFIT = "refit"
    OTHER_SEED = "other_seed"
    OTHER_SPACE = "other_space"
    TOO_FEW_SONGS = "too_few_songs"
    OTHER_SONGS = "other_songs"


@dataclass(frozen=True)
class MapFit:
    """Which map is used: the saved one (``reason`` None) or one fitted now.

    ``method`` is the one requested, in words; ``seed`` the map's, ``former_seed`` that of the map it replaces;
    ``of_network`` whether it is of the space cnn.
    """

    path: Path
    method: str
    seed: int
    reason: FitReason | None = None
    former_seed: int | None = None
    of_network: bool = False


@dataclass(frozen=True)
class SongMap:
    """A map fitted to ``n`` songs.

    ``method`` is a value of ``METHODS``. ``descriptors`` is the space's fingerprint, ``mean`` and ``weight``, both
    ``(157,)``, are of the library's space ``balanced``, both empty of ``cnn``; ``axes (≤ 3, d)`` the principal axes of
    its unit vectors where the method is PCA. ``units (n, d)``, ``plane (n, 2)`` and ``space (n, 3)`` are the songs' unit vectors and places.
    ``embedding_hashes`` and ``songs``, uint64 ``(n,)``, are hashes of embeddings, and of embeddings with paths.
    """

    method: str
    seed: int
    descriptors: str
    mean: np.ndarray
    weight: np.ndarray
    axes: np.ndarray
    units: np.ndarray
    plane: np.ndarray
    space: np.ndarray
    embedding_hashes: np.ndarray
    songs: np.ndarray

    def coordinates(self, n_dimensions: int) -> np.ndarray:
        return self.plane if n_dimensions == 2 else self.space

    def units_of(self, embeddings: np.ndarray) -> np.ndarray:
        """Unit vectors float32 ``(n, 157)`` of embeddings ``(n, 641)`` in the space of the map."""
        return Space("balanced", self.mean, self.weight).units(embeddings)

    def place(self, embeddings: np.ndarray, n_dimensions: int) -> np.ndarray:
        """Coordinates float64 ``(n, n_dimensions)`` of embeddings ``(n, 641)``, as if it was not fitted to them.

        On a map of the space ``balanced``.
        """
        from sklearn.neighbors import NearestNeighbors

        units, places = self.units_of(embeddings), self.coordinates(n_dimensions)
        if self.method == "PCA":
            return _along(units, self.axes, n_dimensions)
        if not len(units):
            return np.empty((0, n_dimensions))
        neighbours = NearestNeighbors(n_neighbors=min(PLACING_NEIGHBOURS, len(places)), algorithm="brute")
        rows = neighbours.fit(self.units).kneighbors(units, return_distance=False)
        return np.median(places[rows], axis=1)

    def rows_of(self, library: Library) -> np.ndarray:
        """Row on this map of every song of ``library``, int64 ``(n_songs,)``; -1 for songs it was not fitted to.

        A song is its embedding: a moved file keeps its place. Of equal embeddings each file keeps its own.
        """
        rows = np.full(len(library), -1)
        free = set(range(len(self.songs)))
        embedding_hashes, songs = _hashes(library)
        for own, kept in ((songs, self.songs), (embedding_hashes, self.embedding_hashes)):
            places: dict[int, list[int]] = defaultdict(list)
            for row in sorted(free, reverse=True):
                places[int(kept[row])].append(row)
            for song in np.flatnonzero(rows < 0):
                if places[int(own[song])]:
                    rows[song] = places[int(own[song])].pop()
                    free.remove(int(rows[song]))
        return rows


def fit_map(library: Library, space: Space, method: str, seed: int) -> SongMap:
    """Fit a map by one of the keys of ``METHODS``; equal libraries and seeds give equal maps.

    ``space`` is the library's, ``balanced`` without weights or ``cnn``.
    """
    units = space.units(library.embeddings)
    method = METHODS[method] if len(library) >= MIN_SONGS else "PCA"
    axes = np.empty((0, space.size))
    if method == "PCA":
        axes = principal_axes(units - units.mean(axis=0, dtype=np.float64), max(DIMENSIONS))
        plane, cube = (_along(units, axes, n_dimensions) for n_dimensions in DIMENSIONS)
    else:
        plane, cube = embed(units, method, DIMENSIONS, seed)
    made_of = (space.fingerprint, space.mean, space.weight, axes, units)
    return SongMap(method, seed, *made_of, plane, cube, *_hashes(library))


def current_map(
    path: Path, library: Library, space: Space, method: str, seed: int | None, refit: bool
) -> tuple[SongMap, MapFit]:
    """The map saved in ``path``, or one fitted now, which is then saved.

    Parameters
    ----------
    path : Path
    library : Library
    space : Space
        The library's.
    method : str
        A key of ``METHODS``.
    seed : int or None
        Another one than the saved map's makes a new map; None: the saved map's, ``DEFAULT_SEED`` without one.
    refit : bool
        Fit a new map in any case.

    Returns
    -------
    song_map : SongMap
    fit : MapFit
        Its ``reason`` says why the map was fitted.

    Raises
    ------
    SchemaError
        If the file is not a map.
    """
    kept = load_map(path, space) if path.is_file() and not refit else None
    if kept is None:
        reason = FitReason.REFIT if refit else FitReason.FIRST
    elif seed is not None and seed != kept.seed:
        reason = FitReason.OTHER_SEED
    elif kept.descriptors != space.fingerprint:
        reason = FitReason.OTHER_SPACE
    elif kept.method != METHODS[method] and len(library) >= MIN_SONGS:
        reason = FitReason.TOO_FEW_SONGS
    elif (kept.rows_of(library) < 0).all():
        reason = FitReason.OTHER_SONGS
    else:
        return kept, MapFit(path, METHODS[method], kept.seed, of_network=space.songs is not None)
    former_seed = kept.seed if kept else None
    if seed is None:
        seed = DEFAULT_SEED if former_seed is None else former_seed
    fitted = fit_map(library, space, method, seed)
    save_map(path, fitted)
    return fitted, MapFit(path, METHODS[method], seed, reason, former_seed, space.songs is not None)


def save_map(path: Path, song_map: SongMap) -> None:
    """Write a map as arrays, ``.npz``; the file is replaced at once or not at all."""
    stream = io.BytesIO()
    np.savez(stream, allow_pickle=False, **{_KEYS.get(name, name): value for name, value in asdict(song_map).items()})
    write_atomically(path, stream.getvalue())


def load_map(path: Path, space: Space) -> SongMap:
    """What ``save_map`` wrote of a map of ``space``. Raises SchemaError where the file is damaged or not a map."""
    arrays = read_arrays(path, read_bytes(path, "02_embedding_journey.py"), _ADVICE)
    try:
        values: dict[str, Any] = {field.name: arrays[_KEYS.get(field.name, field.name)] for field in fields(SongMap)}
        texts = {name: str(values[name]) for name in ("method", "descriptors")}
        kept = SongMap(**(values | texts | {"seed": int(values["seed"])}))
    except (ValueError, TypeError, KeyError) as error:
        raise SchemaError(f"{path} is not a map ({type(error).__name__}: {error}); {_ADVICE}") from error
    if not 0 <= kept.seed < 2**32 or kept.method not in METHODS.values():
        raise SchemaError(f"{path} is not a map; {_ADVICE}")
    # a map of another space is left to the caller, who fits a new one
    if kept.descriptors == space.fingerprint and not _is_complete(kept, space):
        raise SchemaError(f"{path} is an incomplete map; {_ADVICE}")
    return kept


def _is_complete(kept: SongMap, space: Space) -> bool:
    """Whether the arrays have their shapes and usable numbers."""
    n_songs, n_axes = len(np.atleast_1d(kept.songs)), len(np.atleast_1d(kept.axes))
    numbers = {
        "mean": space.mean.shape, "weight": space.mean.shape, "axes": (n_axes, space.size),
        "units": (n_songs, space.size), "plane": (n_songs, 2), "space": (n_songs, 3),
    }  # fmt: skip
    hashes = (kept.embedding_hashes, kept.songs)
    return all(one.shape == (n_songs,) and one.dtype == np.uint64 for one in hashes) and all(
        (one := getattr(kept, name)).shape == shape and one.dtype.kind == "f" and bool((np.abs(one) <= LARGEST).all())
        for name, shape in numbers.items()
    )


def _along(units: np.ndarray, axes: np.ndarray, n_dimensions: int) -> np.ndarray:
    """Coordinates ``(n, n_dimensions)`` of unit vectors along the first axes, 0 where there are fewer."""
    coordinates = units @ axes[:n_dimensions].T
    return np.pad(coordinates, ((0, 0), (0, n_dimensions - coordinates.shape[1])))


def _hashes(library: Library) -> tuple[np.ndarray, np.ndarray]:
    """Hash of each embedding, and of each embedding with its path; uint64 ``(n_songs,)`` both."""
    rows = np.ascontiguousarray(library.embeddings)
    paths: Sequence[str] = library.songs["file_path"].tolist()
    hashes = [blake2b(row, digest_size=8).digest() for row in rows]
    named = (own + path.encode("utf-8", "surrogateescape") for own, path in zip(hashes, paths, strict=True))
    songs = [blake2b(song, digest_size=8).digest() for song in named]
    return np.frombuffer(b"".join(hashes), dtype="<u8"), np.frombuffer(b"".join(songs), dtype="<u8")
