"""The spaces that songs are clustered and compared in: vectors ``(n_songs, d)`` by name.

===========  ===============================================================================================
balanced     157 standardised descriptors, families of equal weight (``songmap.library.spaces``)
scaled       641 standardised columns
pca          the leading principal components of the standardised columns
cnn          the last layer but one of the network of 07, centred; on request, since it was trained on genres
===========  ===============================================================================================

Further spaces, such as the latent codes of autoencoders, are read from ``Workspace.song_spaces``, which ``save_spaces`` writes.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from songmap.communities.autoencoder_settings import MODELS
from songmap.core.arrays import array_file, read_array_file
from songmap.core.blocks import read_blocks
from songmap.core.errors import SchemaError, UsageError
from songmap.core.files import read_bytes, write_atomically
from songmap.core.workspace import Workspace
from songmap.library.library import Library
from songmap.library.schema import LARGEST
from songmap.library.song_vectors import KnownSongs, load_song_vectors
from songmap.library.spaces import build_space, sampled_rows

SPACES = ("balanced", "scaled", "pca")
NETWORK_SPACE = "cnn"
PCA_VARIANCE, PCA_COMPONENTS = 0.9, 50  # components that have so much of the variance, and at most
_MADE_BY = "08_song_communities.py --autoencoder"


def sound_spaces(library: Library, workspace: Workspace, names: Sequence[str] = ()) -> dict[str, np.ndarray]:
    """Vectors float32 ``(n_songs, d)`` of the spaces ``names``; without names of all that there are.

    Raises UsageError for a name without a space, SchemaError for a file that is not of these songs, or missing for ``cnn``.
    """
    further = further_spaces(library, workspace)
    names = list(dict.fromkeys(names)) or [*SPACES, *further]
    _check_names(names, further)
    if NETWORK_SPACE in names:
        saved = load_song_vectors(workspace, library)
        songs = KnownSongs.of(library.embeddings, saved.network, saved.vectors)
        further[NETWORK_SPACE] = songs.vectors.astype(np.float32)
    return {name: further[name] if name in further else _own_space(library, name) for name in names}


def check_spaces(library: Library, workspace: Workspace, names: Sequence[str], trained: str) -> None:
    """Raise what ``sound_spaces`` would when the autoencoder ``trained`` has been, which can take hours."""
    _check_names(names, dict.fromkeys((*kept_spaces(library, workspace), trained)))
    if NETWORK_SPACE in names:
        load_song_vectors(workspace, library)


def _check_names(names: Sequence[str], further: Iterable[str]) -> None:
    there = [*SPACES, *further, NETWORK_SPACE]
    if unknown := [name for name in names if name not in there]:
        raise UsageError(f"no space {unknown[0]!r}; there are {', '.join(there)}")


def save_spaces(workspace: Workspace, spaces: Mapping[str, np.ndarray], paths: Sequence[str]) -> None:
    """Save further spaces: matrices ``(n, d)`` by name, and ``paths (n,)``, the ``file_path`` of the songs of their rows."""
    arrays = {name: np.ascontiguousarray(vectors, dtype=np.float32) for name, vectors in spaces.items()}
    write_atomically(workspace.song_spaces, array_file(arrays, list(paths)))


def _own_space(library: Library, name: str) -> np.ndarray:
    space = build_space(library.embeddings, "balanced" if name == "balanced" else "scaled")
    vectors = np.empty((len(library), space.size), dtype=np.float32)
    for rows, block in read_blocks(library.embeddings):
        vectors[rows] = space.vectors(block)
    return _components(vectors) if name == "pca" else vectors


def _components(vectors: np.ndarray) -> np.ndarray:
    """Leading principal components of centred ``vectors``, their axes by a sample of many."""
    sample = vectors[sampled_rows(len(vectors))].astype(np.float64)
    _, singular, axes = np.linalg.svd(sample - sample.mean(axis=0), full_matrices=False)
    shares = np.cumsum(singular**2) / max(np.square(singular).sum(), np.finfo(float).tiny)
    number = min(int(np.searchsorted(shares, PCA_VARIANCE)) + 1, PCA_COMPONENTS)
    return vectors @ axes[:number].T.astype(np.float32)


def further_spaces(library: Library, workspace: Workspace) -> dict[str, np.ndarray]:
    """Of the file of arrays, in the library's rows; none where there is no file."""
    path = workspace.song_spaces
    if not path.is_file():
        return {}
    arrays, paths = read_array_file(path, read_bytes(path, _MADE_BY), _MADE_BY)
    if not isinstance(paths, list) or not all(isinstance(one, str) for one in paths):
        raise SchemaError(f"{path} does not name the songs of its rows; run {_MADE_BY} again, or delete it")
    row_of = {name: row for row, name in enumerate(paths)}
    rows = [row_of.get(name, -1) for name in library.songs["file_path"]]
    if missing := rows.count(-1):
        raise SchemaError(
            f"{path} has no vectors of {missing:,} of {len(library):,} songs; run {_MADE_BY} again, or delete it"
        )
    for name, vectors in arrays.items():
        is_matrix = vectors.dtype == np.float32 and vectors.ndim == 2 and vectors.shape[1] > 0
        if name not in MODELS or not is_matrix or len(vectors) != len(row_of) or not (abs(vectors) <= LARGEST).all():
            raise SchemaError(
                f"{path}: {name!r} is not a matrix of finite numbers with a row per song; run {_MADE_BY} again, or delete it"
            )
    return {name: vectors[rows] for name, vectors in arrays.items()}


def kept_spaces(library: Library, workspace: Workspace) -> dict[str, np.ndarray]:
    """As ``further_spaces``, which a new autoencoder joins; none where the file is not of these songs."""
    try:
        return further_spaces(library, workspace)
    except SchemaError:
        return {}
