"""The map that is kept: drawn once from a library, then looked up, so that new songs move no old ones.

``models/map_METHOD.npz`` holds plain arrays; nothing in it is unpickled. UMAP's own model would be a pickle of
dozens of classes and compiled code's state, larger than the library; neither t-SNE nor densMAP can place further
songs at all. So one rule serves all three: a song that the map was not drawn from stands at the median, axis by
axis, of the places of its nearest songs. It depends on the map and the song alone. Of songs held out, their ten
nearest were found as often as where UMAP's own transform puts them, or oftener (studio's songs in 2D and 3D: 65 %
and 68 %, UMAP's transform 60 % and 67 %); a mean falls between groups. Principal components place a song exactly.
"""

import io
import zipfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np

from songmap.core.defaults import DEFAULT_SEED
from songmap.core.errors import SchemaError
from songmap.core.files import write_atomically
from songmap.journey.drawing import draw_coordinates, principal_axes
from songmap.library.library import Library
from songmap.library.schema import N_COLUMNS, fingerprint

METHODS = {"umap": "UMAP", "pca": "PCA", "tsne": "t-SNE", "densmap": "densMAP"}
MIN_SONGS = 5  # fewer have no neighbourhoods to keep: they get principal components, whatever was asked for
N_COMPONENTS = 50  # of the standardised columns; neighbours are found among these
PLACING_NEIGHBOURS = 7
DIMENSIONS = (2, 3)


@dataclass(frozen=True)
class SongMap:
    """A drawn map of ``n`` songs.

    ``method`` is a name as in ``METHODS``. An embedding becomes components ``(embedding - mean) * weight @ axes.T``;
    ``components (n, n_axes)`` and ``plane (n, 2)``, ``space (n, 3)`` are the songs'. ``sounds`` and ``songs``, uint64
    ``(n,)``, tell embeddings, and embeddings with paths, from others. ``columns`` is the schema's fingerprint.
    """

    method: str
    seed: int
    columns: str
    mean: np.ndarray
    weight: np.ndarray
    axes: np.ndarray
    components: np.ndarray
    plane: np.ndarray
    space: np.ndarray
    sounds: np.ndarray
    songs: np.ndarray

    def coordinates(self, n_dimensions: int) -> np.ndarray:
        return self.plane if n_dimensions == 2 else self.space

    def reduce(self, embeddings: np.ndarray) -> np.ndarray:
        """Components, float64 ``(n, n_axes)``, of embeddings ``(n, 641)``."""
        scaled_axes = self.axes * self.weight
        return embeddings @ scaled_axes.T - self.mean @ scaled_axes.T

    def place(self, embeddings: np.ndarray, n_dimensions: int) -> np.ndarray:
        """Coordinates float64 ``(n, n_dimensions)`` of embeddings ``(n, 641)``, as if the map did not know them."""
        from sklearn.neighbors import NearestNeighbors

        components, places = self.reduce(embeddings), self.coordinates(n_dimensions)
        if self.method == "PCA":
            return _padded(components, n_dimensions)
        if not len(components):
            return np.empty((0, n_dimensions))
        neighbours = NearestNeighbors(n_neighbors=min(PLACING_NEIGHBOURS, len(places)), algorithm="brute")
        rows = neighbours.fit(self.components).kneighbors(components, return_distance=False)
        return np.median(places[rows], axis=1)

    def known(self, library: Library) -> np.ndarray:
        """Row on this map of every song of ``library``, int64 ``(n_songs,)``; -1 for songs it was not drawn from.

        A song is its embedding: a moved file keeps its place. Of equal embeddings each file keeps its own.
        """
        rows = np.full(len(library), -1)
        free = set(range(len(self.songs)))
        sounds, songs = _fingerprints(library)
        for own, kept in ((songs, self.songs), (sounds, self.sounds)):
            places: dict[int, list[int]] = defaultdict(list)
            for row in sorted(free, reverse=True):
                places[int(kept[row])].append(row)
            for song in np.flatnonzero(rows < 0):
                if places[int(own[song])]:
                    rows[song] = places[int(own[song])].pop()
                    free.remove(int(rows[song]))
        return rows


def fit_map(library: Library, method: str, seed: int) -> SongMap:
    """Draw a map by one of the keys of ``METHODS``; equal libraries and seeds give equal maps."""
    embeddings = library.embeddings
    mean = embeddings.mean(axis=0, dtype=np.float64)
    varies = embeddings.max(axis=0) > embeddings.min(axis=0)
    deviation = embeddings.std(axis=0, dtype=np.float64)
    weight = np.divide(1, deviation, out=np.zeros(N_COLUMNS), where=varies)
    axes = principal_axes((embeddings - mean) * weight, N_COMPONENTS)
    method = METHODS[method] if len(library) >= MIN_SONGS else "PCA"
    sounds, songs = _fingerprints(library)
    empty = np.empty((len(library), 0))
    undrawn = SongMap(method, seed, fingerprint(), mean, weight, axes, empty, empty, empty, sounds, songs)
    components = undrawn.reduce(embeddings)
    if method == "PCA":
        plane, space = (_padded(components, n_dimensions) for n_dimensions in DIMENSIONS)
    else:
        plane, space = draw_coordinates(components, method, DIMENSIONS, seed)
    drawn = {"components": components.astype(np.float32), "plane": plane, "space": space}
    return SongMap(**(vars(undrawn) | drawn))


def current_map(path: Path, library: Library, method: str, seed: int | None, refit: bool) -> tuple[SongMap, str]:
    """The map kept in ``path``, or a new one, which is then kept; with the reason why it was drawn, "" if it was not.

    Drawn if there is none, if ``refit`` or another ``seed`` than the kept map's asks for it, and if the kept one
    does not fit: of other columns, of fewer songs than ``method`` needs, or of none of the library's songs.
    Raises SchemaError for a file that is no map.
    """
    kept = load_map(path) if path.is_file() and not refit else None
    if kept is None:
        reason = "drawn anew, as asked" if refit else "drawn for the first time"
    elif seed is not None and seed != kept.seed:
        reason = f"drawn anew, with seed {seed} instead of {kept.seed}"
    elif kept.columns != fingerprint():
        reason = "drawn anew: the kept one was of other columns"
    elif kept.method != METHODS[method] and len(library) >= MIN_SONGS:
        reason = f"drawn anew: the kept one was of too few songs for {METHODS[method]}"
    elif (kept.known(library) < 0).all():
        reason = "drawn anew: the kept one was of other songs"
    else:
        return kept, ""
    if seed is None:
        seed = kept.seed if kept else DEFAULT_SEED
    drawn = fit_map(library, method, seed)
    save_map(path, drawn)
    return drawn, reason


def save_map(path: Path, song_map: SongMap) -> None:
    stream = io.BytesIO()
    np.savez(stream, allow_pickle=False, **asdict(song_map))
    write_atomically(path, stream.getvalue())


def load_map(path: Path) -> SongMap:
    """What ``save_map`` wrote. Raises SchemaError where the file is damaged or no map."""
    try:
        with np.load(path, allow_pickle=False) as content:
            values = {name: content[name] for name in SongMap.__dataclass_fields__}
        method, columns = str(values["method"]), str(values["columns"])
        kept = SongMap(**(values | {"method": method, "columns": columns, "seed": int(values["seed"])}))
    except (ValueError, TypeError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise SchemaError(f"{path} is no map that can be read ({error}); draw it anew with --refit") from error
    n_songs, n_axes = len(kept.songs), len(kept.axes)
    shapes = {
        "mean": (N_COLUMNS,), "weight": (N_COLUMNS,), "axes": (n_axes, N_COLUMNS), "components": (n_songs, n_axes),
        "plane": (n_songs, 2), "space": (n_songs, 3), "sounds": (n_songs,), "songs": (n_songs,),
    }  # fmt: skip
    # a map of other columns is drawn anew by who asks for it
    if kept.columns == fingerprint() and any(getattr(kept, name).shape != shape for name, shape in shapes.items()):
        raise SchemaError(f"{path} is no whole map; draw it anew with --refit")
    return kept


def _padded(components: np.ndarray, n_dimensions: int) -> np.ndarray:
    """The first ``n_dimensions`` components, 0 where there are fewer."""
    kept = components[:, :n_dimensions]
    return np.pad(kept, ((0, 0), (0, n_dimensions - kept.shape[1])))


def _fingerprints(library: Library) -> tuple[np.ndarray, np.ndarray]:
    """What tells each embedding from others, and each embedding with its path; uint64 ``(n_songs,)`` both."""
    rows = np.ascontiguousarray(library.embeddings)
    paths: Sequence[str] = library.songs["file_path"].tolist()
    sounds = [blake2b(row, digest_size=8).digest() for row in rows]
    songs = [
        blake2b(sound + path.encode("utf-8", "surrogateescape"), digest_size=8).digest()
        for sound, path in zip(sounds, paths, strict=True)
    ]
    return np.frombuffer(b"".join(sounds), dtype="<u8"), np.frombuffer(b"".join(songs), dtype="<u8")
