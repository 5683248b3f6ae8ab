"""What networks make of the library's songs, for scripts that need no torch: probabilities out of fold, and vectors.

Both files name the weights and the library that they belong to. ``song_vectors.npz`` is of the network trained last:

- ``vectors`` float32 ``(n_songs, n_features)``: the penultimate layer of the network of all songs, mean over excerpts;
- ``fold_vectors`` float32 ``(n_folds, n_songs, n_features)``: the same by the network of each fold. Networks have different
  axes: only vectors of one network can be compared;
- ``fold_of`` int64 ``(n_songs,)``: the fold whose network was not trained on a song, -1 for a song that no fold tests.

Songs without excerpts have NaN.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from songmap.core.arrays import array_file, read_array_file
from songmap.core.errors import SchemaError
from songmap.core.files import read_bytes, write_atomically
from songmap.core.workspace import Workspace
from songmap.library.library import Library, library_fingerprint
from songmap.spectrogram.cache import SCRIPT


@dataclass(frozen=True)
class SongVectors:
    """The content of ``song_vectors.npz``, of the network with files called ``network``."""

    network: str
    vectors: np.ndarray
    fold_vectors: np.ndarray
    fold_of: np.ndarray


def vectors_file(workspace: Workspace) -> Path:
    return workspace.networks / "song_vectors.npz"


def out_of_fold_file(workspace: Workspace, name: str) -> Path:
    return workspace.networks / f"{name}_out_of_fold.npz"


def save_song_vectors(workspace: Workspace, library: Library, vectors: SongVectors, sha256: str) -> None:
    """Write ``song_vectors.npz``; ``sha256`` is that of the network's weights."""
    arrays = {name: getattr(vectors, name) for name in ("vectors", "fold_vectors", "fold_of")}
    document = {"network": vectors.network, "data": library_fingerprint(library), "sha256": sha256}
    write_atomically(vectors_file(workspace), array_file(arrays, document))


def load_song_vectors(workspace: Workspace, library: Library) -> SongVectors:
    """What the last run of 07 left. Raises SchemaError if it is missing, damaged or of another library."""
    path = vectors_file(workspace)
    arrays, document = read_array_file(path, read_bytes(path, SCRIPT), SCRIPT)
    if not isinstance(document, dict) or document.get("data") != library_fingerprint(library):
        raise SchemaError(f"{path} is of another library; run {SCRIPT} again")
    vectors, fold_vectors, fold_of = (arrays.get(name, np.empty(0)) for name in ("vectors", "fold_vectors", "fold_of"))
    shapes = vectors.shape[:1] == fold_of.shape == (len(library),) and fold_vectors.shape[1:] == vectors.shape
    kinds = [one.dtype.name for one in (vectors, fold_vectors, fold_of)] == ["float32", "float32", "int64"]
    if not shapes or not kinds or vectors.ndim != 2:
        raise SchemaError(f"{path} does not hold vectors of this version; run {SCRIPT} again")
    return SongVectors(str(document.get("network")), vectors, fold_vectors, fold_of)


def save_out_of_fold(workspace: Workspace, library: Library, name: str, proba: np.ndarray, sha256: str) -> None:
    """Write probabilities ``(n_songs, n_genres)`` by the networks of folds, NaN for songs that no fold tests."""
    document = {"data": library_fingerprint(library), "sha256": sha256}
    write_atomically(out_of_fold_file(workspace, name), array_file({"proba": proba}, document))


def load_out_of_fold(workspace: Workspace, library: Library, name: str, n_genres: int) -> np.ndarray:
    """What ``save_out_of_fold`` wrote. Raises SchemaError if it is missing, damaged or of another library."""
    path = out_of_fold_file(workspace, name)
    arrays, document = read_array_file(path, read_bytes(path, SCRIPT), SCRIPT)
    proba = arrays.get("proba", np.empty(0))
    if not isinstance(document, dict) or document.get("data") != library_fingerprint(library):
        raise SchemaError(f"{path} is of another library; run {SCRIPT} again")
    if proba.dtype != np.float64 or proba.shape != (len(library), n_genres) or ((proba < 0) | (proba > 1)).any():
        raise SchemaError(f"{path} holds no probabilities of the library's songs; run {SCRIPT} again")
    return proba
