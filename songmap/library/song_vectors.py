"""Vectors of the library's songs by the network of spectrograms that 07 trained last. Nothing here needs torch.

``models/spectrogram/song_vectors.npz`` names the weights and the library that it belongs to, and holds

- ``vectors`` float32 ``(n_songs, n_features)``: the penultimate layer of the network of all songs, mean over excerpts;
- ``fold_vectors`` float32 ``(n_folds, n_songs, n_features)``: the same by the network of each fold. Networks have different
  axes: only vectors of one network can be compared;
- ``fold_of`` int64 ``(n_songs,)``: the fold whose network was not trained on a song, -1 for a song that no fold tests.

Songs without excerpts have NaN.
"""

from dataclasses import dataclass
from hashlib import blake2b, sha256
from pathlib import Path

import numpy as np

from songmap.core.arrays import array_file, read_array_file
from songmap.core.errors import QueryError, SchemaError
from songmap.core.files import read_bytes, write_atomically
from songmap.core.workspace import Workspace
from songmap.library.library import Library, library_fingerprint
from songmap.library.schema import LARGEST

_SCRIPT = "07_spectrogram_cnn.py"


@dataclass(frozen=True)
class SongVectors:
    """The content of ``song_vectors.npz``, of the network with files called ``network``."""

    network: str
    vectors: np.ndarray
    fold_vectors: np.ndarray
    fold_of: np.ndarray


@dataclass(frozen=True)
class KnownSongs:
    """Vectors float64 ``(n_songs, d)`` by one network, found by a song's 641 columns; 0 for songs without excerpts.

    They are centred on the library's mean, so that cosines do not depend on what the network makes of all songs, and
    songs near to many others are fewer (Suzuki et al. 2013, Centering similarity measures to reduce hubs).
    """

    network: str
    vectors: np.ndarray
    row_of: dict[bytes, int]

    @classmethod
    def of(cls, embeddings: np.ndarray, network: str, vectors: np.ndarray) -> "KnownSongs":
        """The songs of a library, ``embeddings (n_songs, 641)``, with their ``vectors (n_songs, d)``."""
        known = ~np.isnan(vectors).any(axis=1)
        centred = np.zeros(vectors.shape)
        centred[known] = vectors[known] - vectors[known].mean(axis=0, dtype=np.float64)
        return cls(network, centred, {_key(row): place for place, row in enumerate(embeddings)})

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the vectors."""
        return sha256(np.ascontiguousarray(self.vectors).data).hexdigest()

    def vectors_of(self, embeddings: np.ndarray) -> np.ndarray:
        """Centred vectors ``(n, d)`` of ``embeddings (n, 641)``. Raises QueryError for a song outside the library."""
        try:
            return self.vectors[[self.row_of[_key(row)] for row in embeddings]]
        except KeyError:
            raise QueryError(
                "the cnn space has only the library's songs; use another --space, or add the file to the music and run "
                f"01_feature_extraction.py and {_SCRIPT}"
            ) from None


def vectors_file(workspace: Workspace) -> Path:
    return workspace.networks / "song_vectors.npz"


def save_song_vectors(workspace: Workspace, library: Library, vectors: SongVectors, weights_sha256: str) -> None:
    """Write ``song_vectors.npz``, which names the network's weights by their checksum."""
    arrays = {name: getattr(vectors, name) for name in ("vectors", "fold_vectors", "fold_of")}
    document = {"network": vectors.network, "data": library_fingerprint(library), "sha256": weights_sha256}
    write_atomically(vectors_file(workspace), array_file(arrays, document))


def load_song_vectors(workspace: Workspace, library: Library) -> SongVectors:
    """What the last run of 07 left. Raises SchemaError if it is missing, damaged or of another library."""
    path = vectors_file(workspace)
    arrays, document = read_array_file(path, read_bytes(path, _SCRIPT), _SCRIPT)
    if not isinstance(document, dict) or document.get("data") != library_fingerprint(library):
        raise SchemaError(f"{path} is of another library, or of an earlier state of this one; run {_SCRIPT} again")
    vectors, fold_vectors, fold_of = (arrays.get(name, np.empty(0)) for name in ("vectors", "fold_vectors", "fold_of"))
    shapes = vectors.shape[:1] == fold_of.shape == (len(library),) and fold_vectors.shape[1:] == vectors.shape
    kinds = [one.dtype.name for one in (vectors, fold_vectors, fold_of)] == ["float32", "float32", "int64"]
    if not shapes or not kinds or vectors.ndim != 2 or not _is_usable(vectors, fold_vectors, fold_of):
        raise SchemaError(f"{path} does not hold vectors of this version; run {_SCRIPT} again")
    return SongVectors(str(document.get("network")), vectors, fold_vectors, fold_of)


def _is_usable(vectors: np.ndarray, fold_vectors: np.ndarray, fold_of: np.ndarray) -> bool:
    """Whether numbers are in range; NaN are a song's whole vector, but not of all songs."""
    unknown = np.isnan(vectors).any(axis=1)
    of_known = [vectors[~unknown], fold_vectors[:, ~unknown]]
    return (
        not unknown.all()
        and all(bool((np.abs(one) <= LARGEST).all()) for one in of_known)  # of NaN it is not
        and bool(((fold_of >= -1) & (fold_of < len(fold_vectors))).all())
    )


def _key(embedding: np.ndarray) -> bytes:
    return blake2b(np.ascontiguousarray(embedding, np.float32).data, digest_size=16).digest()
