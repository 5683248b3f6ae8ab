"""An index file that finds, in a library of a million songs, those which are very likely the nearest.

It parts the leading ``N_AXES`` principal coordinates of the unit vectors, a byte each, into clusters, and looks into
those near a query (an inverted file, Jégou et al. 2011) with faiss; whoever asks measures the candidates again. faiss
and not usearch or voyager, see ``benchmarks/search.md``: it is made many times faster and misses less. Its file is
mapped and not loaded, and songs can be added.

``models/search_SPACE.index`` is faiss's file, ``models/search_SPACE.npz`` says what it is of: the space it was made
in, the axes, one key for each vector, and the file's checksum. A key is a hash of a song's 641 numbers, so that neither
order nor path of songs matters: those that left or changed are no longer found by their key, those that came or
changed are added in the space of the index, and songs with the same numbers are one vector. The library's mean and
spread move as songs come; the index is made again once a unit vector differs too much from what it was, or too many
songs came or left. An index that does not fit, was cut off or changed is made again, never used.
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile

import numpy as np

from songmap.core.blocks import blocks, read_blocks, read_rows
from songmap.core.errors import QueryError
from songmap.core.files import write_atomically
from songmap.core.workspace import Workspace
from songmap.library.schema import N_COLUMNS, fingerprint
from songmap.library.spaces import Space, leading_axes, sampled_rows

if TYPE_CHECKING:
    import faiss

Progress = Callable[[int, int], None]  # songs done, all songs
N_AXES = 128
LEAST_COSINE = 0.99  # of the sampled songs' unit vectors now with those in the space of the index
MOST_CHANGED = 0.2  # of the songs, new or gone
CLUSTER_SONGS, MOST_CLUSTERS = 256, 4096  # songs of a cluster on average, unless they become too many
PROBED, PROBED_SHARE = 32, 1 / 32  # clusters looked into: so many, or this share of them if that is more
_LEARNED = 64  # songs for each cluster that the clusters are learned from
_ADDED = 8192  # vectors at a time, between two reports of progress
_LEFTOVER_S = 3600.0  # a temporary file this old belongs to nobody any more


@dataclass(frozen=True)
class Index:
    """The clusters, read from their file as needed, and the rows of this library that their keys stand for."""

    clusters: "faiss.IndexIVF"
    axes: np.ndarray
    keys: np.ndarray
    rows: np.ndarray

    def candidates(self, query: np.ndarray, number: int) -> np.ndarray:
        """Rows of about ``number`` songs near a unit vector ``(641,)``, in no order: some have left, some have copies."""
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


def open_index(
    workspace: Workspace, embeddings: np.ndarray, space: Space, on_progress: Progress | None = None
) -> Index:
    """The index of ``embeddings (n_songs, 641)`` in a space by family: read, brought up to date, or made and saved."""
    import faiss

    path = workspace.search_index(space.name)
    keys = song_keys(embeddings)
    order = np.argsort(keys, kind="stable")  # by chance, which is what the clusters are learned from
    content = _read(path)
    if content is not None and _fits(content, embeddings, space, keys[order]):
        added = order[np.isin(keys[order], content.keys, invert=True)]
        added = added[np.unique(keys[added], return_index=True)[1]]
        if len(added):
            content = _extended(
                faiss.read_index(str(path)), path, content, embeddings, space.name, keys, added, on_progress
            )
    else:
        axes = leading_axes(space.units(read_rows(embeddings, sampled_rows(len(embeddings)))), N_AXES)
        content = _Content(space.mean, space.weight, axes, np.empty(0, dtype=np.uint64), "")
        added = order[np.unique(keys[order], return_index=True)[1]]
        sample = read_rows(embeddings, np.sort(added[: _LEARNED * _n_clusters(len(added))]))
        content = _extended(
            _learned(content.vectors(space.name, sample), len(added)),
            path,
            content,
            embeddings,
            space.name,
            keys,
            added,
            on_progress,
        )
    clusters = faiss.read_index(str(path), faiss.IO_FLAG_MMAP)
    faiss.downcast_InvertedLists(clusters.invlists).prefetch_nthread = 0  # threads that take longer than the reading
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


def _extended(
    clusters: "faiss.IndexIVF",
    path: Path,
    content: _Content,
    embeddings: np.ndarray,
    name: str,
    keys: np.ndarray,
    added: np.ndarray,
    on_progress: Progress | None,
) -> _Content:
    """Add the songs of rows ``added`` to ``clusters`` and save them at ``path``; returns the new content."""
    import faiss

    added = np.sort(added)
    for block in blocks(len(added), _ADDED):
        rows = added[block]
        clusters.add_with_ids(content.vectors(name, read_rows(embeddings, rows)), keys[rows].view(np.int64))
        if on_progress:
            on_progress(min(block.stop, len(added)), len(added))
    all_keys = np.sort(np.concatenate([content.keys, keys[added]]))
    try:
        for leftover in path.parent.glob(f".{path.stem}.*"):
            if time.time() - leftover.stat().st_mtime > _LEFTOVER_S:
                leftover.unlink(missing_ok=True)
        write_atomically(path, lambda file: faiss.write_index(clusters, str(file)))
        content = _Content(content.mean, content.weight, content.axes, all_keys, _checksum(path))
        write_atomically(path.with_suffix(".npz"), lambda file: _save(file, content))
    except (OSError, RuntimeError) as error:  # the latter is faiss's
        raise QueryError(f"{path} cannot be written ({error}); make room or give write access") from error
    return content


def _save(path: Path, content: _Content) -> None:
    np.savez(
        path,
        columns=np.array(fingerprint()),
        made_with=np.array(_made_with()),
        checksum=np.array(content.checksum),
        mean=content.mean,
        weight=content.weight,
        axes=content.axes,
        keys=content.keys,
    )


def _read(path: Path) -> _Content | None:
    """What belongs to the file at ``path``; None if either file is missing, damaged, of the other or of other code."""
    try:
        with np.load(path.with_suffix(".npz"), allow_pickle=False) as saved:
            content = _Content(*(saved[name] for name in ("mean", "weight", "axes", "keys")), str(saved["checksum"]))
            same = (str(saved["columns"]), str(saved["made_with"])) == (fingerprint(), _made_with())
        return content if same and content.checksum == _checksum(path) else None
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return None


def _checksum(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _made_with() -> str:
    return f"IVF {CLUSTER_SONGS} {MOST_CLUSTERS}, SQ8, {N_AXES} axes"


def _n_clusters(n_vectors: int) -> int:
    return min(max(n_vectors // CLUSTER_SONGS, 1), MOST_CLUSTERS)


def _learned(sample: np.ndarray, n_vectors: int) -> "faiss.IndexIVF":
    """Empty clusters for so many vectors, their middles learned from a ``sample (n, N_AXES)``."""
    import faiss

    clusters = faiss.index_factory(N_AXES, f"IVF{_n_clusters(n_vectors)},SQ8", faiss.METRIC_INNER_PRODUCT)
    clusters.train(sample)
    return clusters
