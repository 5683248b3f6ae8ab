"""An index file that finds, in a library of a million songs, those which are very likely the nearest.

It divides the leading ``N_AXES`` principal coordinates of the unit vectors, a byte each, into clusters, and searches
those near a query (an inverted file, Jégou et al. 2011) with faiss; the caller measures the candidates again. faiss
and not usearch or voyager, see ``benchmarks/search.md``: it is made many times faster and misses less. Its file is
mapped and not loaded, and songs can be added.

``models/search_SPACE.index`` is faiss's file, ``models/search_SPACE.npz`` says what it is of: the space it was made
in, the axes, one key for each vector, and the file's checksum. A key is a hash of a song's 641 numbers, so that neither
order nor path of songs matters. Keys of removed songs match no row. Songs that came or changed
are added in the space of the index, and songs with the same numbers are one vector. The library's mean and
spread move as songs come; the index is made again once a unit vector differs too much from what it was, or too many
songs came or left. An index that does not fit, or is truncated or changed, is made again, never used.
"""

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

from songmap.core.blocks import blocks, read_blocks, read_rows
from songmap.core.errors import QueryError, SchemaError
from songmap.core.files import sha256, write_atomically
from songmap.core.progress import OnProgress
from songmap.core.workspace import Workspace
from songmap.library.schema import N_COLUMNS, fingerprint
from songmap.library.spaces import Space, leading_axes, sampled_rows

if TYPE_CHECKING:
    import faiss

N_AXES = 128
LEAST_COSINE = 0.99  # of the sampled songs' unit vectors now with those in the space of the index
MOST_CHANGED = 0.2  # of the songs, added or removed
CLUSTER_SONGS, MOST_CLUSTERS = 256, 4096  # songs of a cluster on average, unless they become too many
PROBED, PROBED_SHARE = 32, 1 / 32  # clusters searched: so many, or this share of them if that is more
_TRAINING = 64  # songs for each cluster that the clusters are trained on
_ADDED = 8192  # vectors at a time, between two reports of progress
_SCRIPT = "04_similarity_search.py"
_LEFTOVER_S = 3600.0  # a temporary file this old is of no running process


@dataclass(frozen=True)
class Index:
    """The clusters, read from their file as needed, and the rows of this library with their keys."""

    clusters: "faiss.IndexIVF"
    axes: np.ndarray
    keys: np.ndarray
    rows: np.ndarray

    def candidates(self, query: np.ndarray, number: int) -> np.ndarray:
        """Rows of about ``number`` songs near a unit vector ``(641,)``, unordered: some have left, some have copies."""
        along = np.einsum("d,dr->r", query, self.axes).astype(np.float32)
        found = self.clusters.search(along[None], number)[1][0].view(np.uint64)
        first, last = np.searchsorted(self.keys, found, "left"), np.searchsorted(self.keys, found, "right")
        copies = np.flatnonzero(last - first > 1)
        more = [self.rows[first[copy] + 1 : last[copy]] for copy in copies]
        return np.concatenate([self.rows[first[last > first]], *more])


@dataclass(frozen=True)
class _Content:
    """What the .npz holds: mean and weight of the space, axes, sorted keys, checksum of faiss's file."""

    mean: np.ndarray
    weight: np.ndarray
    axes: np.ndarray
    keys: np.ndarray
    checksum: str

    def vectors(self, name: str, embeddings: np.ndarray) -> np.ndarray:
        """Coordinates float32 ``(n, N_AXES)`` of songs in the space of the index."""
        return Space(name, self.mean, self.weight).units(embeddings) @ self.axes


@dataclass(frozen=True)
class _Source:
    """What an index at ``path`` is of: songs of ``embeddings (n_songs, 641)`` with their ``keys``, in a space."""

    path: Path
    space: str
    embeddings: np.ndarray
    keys: np.ndarray
    on_progress: OnProgress | None


def open_index(
    workspace: Workspace, embeddings: np.ndarray, space: Space, on_progress: OnProgress | None = None
) -> Index:
    """The index of a library: read, brought up to date, or made and saved.

    Parameters
    ----------
    workspace : Workspace
        Where the index is kept.
    embeddings : np.ndarray, shape (n_songs, 641)
    space : Space
        One whose coordinates are the columns.
    on_progress : callable, optional
        Called with songs done and all songs.

    Raises
    ------
    QueryError
        If the index cannot be written.
    """
    import faiss

    keys = song_keys(embeddings)
    source = _Source(workspace.search_index(space.name), space.name, embeddings, keys, on_progress)
    order = np.argsort(keys, kind="stable")  # at random, as training needs
    content = _read(source.path)
    if content is not None and _fits(content, embeddings, space, keys[order]):
        added = order[np.isin(keys[order], content.keys, invert=True)]
        added = added[np.unique(keys[added], return_index=True)[1]]
        if len(added):
            content = _extended(faiss.read_index(str(source.path)), content, source, added)
    else:
        axes = leading_axes(space.units(read_rows(embeddings, sampled_rows(len(embeddings)))), N_AXES)
        content = _Content(space.mean, space.weight, axes, np.empty(0, dtype=np.uint64), "")
        added = order[np.unique(keys[order], return_index=True)[1]]
        sample = read_rows(embeddings, np.sort(added[: _TRAINING * _n_clusters(len(added))]))
        content = _extended(_trained(content.vectors(space.name, sample), len(added)), content, source, added)
    clusters: Any = faiss.read_index(str(source.path), faiss.IO_FLAG_MMAP)
    lists: Any = faiss.downcast_InvertedLists(clusters.invlists)
    lists.prefetch_nthread = 0  # threads that take longer than the reading
    clusters.nprobe = max(PROBED, round(PROBED_SHARE * clusters.nlist))
    return Index(clusters, content.axes, keys[order], order)


def song_keys(embeddings: np.ndarray) -> np.ndarray:
    """A hash uint64 ``(n,)`` of each song's numbers, float32 ``(n, 641)``; the same numbers, the same key."""
    factors = np.random.default_rng(0).integers(0, 1 << 63, N_COLUMNS, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    keys = np.empty(len(embeddings), dtype=np.uint64)
    for rows, block in read_blocks(embeddings):
        bits = np.ascontiguousarray(block, dtype=np.float32).view(np.uint32)
        keys[rows] = (bits * factors).sum(axis=1)  # modulo 2**64
    keys ^= keys >> np.uint64(32)
    return keys * np.uint64(0x9E3779B97F4A7C15)


def _fits(content: _Content, embeddings: np.ndarray, space: Space, keys: np.ndarray) -> bool:
    """Whether bringing the index up to date is enough; ``keys`` are the library's."""
    here = np.unique(keys)
    kept = np.isin(here, content.keys).sum()
    if max(len(here), len(content.keys)) - kept > MOST_CHANGED * len(here):
        return False
    sample = read_rows(embeddings, sampled_rows(len(embeddings)))
    now, then = space.units(sample), Space(space.name, content.mean, content.weight).units(sample)
    lengths = np.square(now).sum(axis=1)  # 0 for a song without direction
    return bool((np.einsum("ij,ij->i", now, then) >= LEAST_COSINE * lengths - 1e-6).all())


def _extended(clusters: Any, content: _Content, source: _Source, added: np.ndarray) -> _Content:
    """Add the songs of rows ``added`` to ``clusters`` and save them; returns the new content."""
    import faiss

    added, path = np.sort(added), source.path
    for block in blocks(len(added), _ADDED):
        rows = added[block]
        vectors = content.vectors(source.space, read_rows(source.embeddings, rows))
        clusters.add_with_ids(vectors, source.keys[rows].view(np.int64))
        if source.on_progress:
            source.on_progress(min(block.stop, len(added)), len(added))
    all_keys = np.sort(np.concatenate([content.keys, source.keys[added]]))
    try:
        for leftover in path.parent.glob(f".{path.stem}.*"):
            if time.time() - leftover.stat().st_mtime > _LEFTOVER_S:
                leftover.unlink(missing_ok=True)
        write_atomically(path, lambda file: faiss.write_index(clusters, str(file)))
        content = replace(content, keys=all_keys, checksum=sha256(path, _SCRIPT))
        write_atomically(
            path.with_suffix(".npz"),
            lambda file: np.savez(file, columns=fingerprint(), made_with=_made_with(), **vars(content)),
        )
    except (OSError, RuntimeError) as error:  # the latter is faiss's
        raise QueryError(f"{path} cannot be written ({error}); make room or give write access") from error
    return content


def _read(path: Path) -> _Content | None:
    """What belongs to the file at ``path``; None if either is missing, damaged, or of another index or version."""
    try:
        with np.load(path.with_suffix(".npz"), allow_pickle=False) as saved:
            mean, weight, axes, keys = (saved[name] for name in ("mean", "weight", "axes", "keys"))
            content = _Content(mean, weight, axes, keys, str(saved["checksum"]))
            same = (str(saved["columns"]), str(saved["made_with"])) == (fingerprint(), _made_with())
        return content if same and content.checksum == sha256(path, _SCRIPT) else None
    except (SchemaError, OSError, ValueError, KeyError, EOFError, BadZipFile):
        return None


def _made_with() -> str:
    return f"IVF {CLUSTER_SONGS} {MOST_CLUSTERS}, SQ8, {N_AXES} axes"


def _n_clusters(n_vectors: int) -> int:
    return min(max(n_vectors // CLUSTER_SONGS, 1), MOST_CLUSTERS)


def _trained(sample: np.ndarray, n_vectors: int) -> "faiss.IndexIVF":
    """Empty clusters for so many vectors, their centres fitted to a ``sample (n, N_AXES)``."""
    import faiss

    clusters: Any = faiss.index_factory(N_AXES, f"IVF{_n_clusters(n_vectors)},SQ8", faiss.METRIC_INNER_PRODUCT)
    clusters.train(sample)
    return clusters
