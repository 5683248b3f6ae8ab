"""Probabilities of the library's songs by the networks of folds, for scripts that need no torch.

The file names the weights and the library that it belongs to. Vectors of songs are beside it, see
``songmap.library.song_vectors``. Songs without excerpts have NaN.
"""

from pathlib import Path

import numpy as np

from songmap.core.arrays import array_file, read_array_file
from songmap.core.errors import SchemaError
from songmap.core.files import read_bytes, write_atomically
from songmap.core.workspace import Workspace
from songmap.library.library import Library, library_fingerprint
from songmap.spectrogram.cache import SCRIPT


def out_of_fold_file(workspace: Workspace, name: str) -> Path:
    return workspace.networks / f"{name}_out_of_fold.npz"


def save_out_of_fold(workspace: Workspace, library: Library, name: str, proba: np.ndarray, sha256: str) -> None:
    """Write probabilities ``(n_songs, n_genres)`` by the networks of folds, NaN for songs that no fold tests."""
    document = {"data": library_fingerprint(library), "sha256": sha256}
    write_atomically(out_of_fold_file(workspace, name), array_file({"proba": proba}, document))


def load_out_of_fold(workspace: Workspace, library: Library, name: str, n_genres: int, sha256: str) -> np.ndarray:
    """What ``save_out_of_fold`` wrote beside the weights ``sha256``.

    Raises SchemaError if it is missing, damaged, or of another library or training.
    """
    path = out_of_fold_file(workspace, name)
    arrays, document = read_array_file(path, read_bytes(path, SCRIPT), SCRIPT)
    proba = arrays.get("proba", np.empty(0))
    if not isinstance(document, dict) or document.get("data") != library_fingerprint(library):
        raise SchemaError(f"{path} is of another library; run {SCRIPT} again")
    if document.get("sha256") != sha256:
        raise SchemaError(f"{path} is of another training than the network; run {SCRIPT} again")
    if proba.dtype != np.float64 or proba.shape != (len(library), n_genres) or ((proba < 0) | (proba > 1)).any():
        raise SchemaError(f"{path} holds no probabilities of the library's songs; run {SCRIPT} again")
    return proba
