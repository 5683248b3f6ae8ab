"""The excerpts of a library on the disk: computed once, several songs at once, and mapped into memory for reading.

A song is recognised by its row of 641 numbers, which is what the library knows of its file's sound: a song whose file has
changed has other numbers after 01 and is computed again; one that was renamed or tagged is not. Finished songs lie in a
folder of their own until all are there, so that a killed run goes on where it was; then they are put together in the order
of the library. What is in memory is a song per process, however large the library is.
"""

import hashlib
import shutil
from collections.abc import Iterator
from concurrent.futures import as_completed
from dataclasses import replace
from functools import partial
from io import BufferedReader
from itertools import pairwise
from pathlib import Path

import numpy as np

from songmap.core.arrays import array_file, map_matrix, read_array_file
from songmap.core.defaults import usable_cores
from songmap.core.errors import AudioError, SchemaError, UsageError
from songmap.core.file_group import FileGroup
from songmap.core.files import read_bytes, read_whole, write_atomically
from songmap.core.processes import process_pool
from songmap.core.progress import OnProgress
from songmap.core.workspace import Workspace
from songmap.library.library import Library
from songmap.spectrogram.excerpts import ExcerptKind, Excerpts, FailedSong, excerpts_of, kind_named

SCRIPT = "07_spectrogram_cnn.py"
_VERSION = 1  # raised when a change of the code changes excerpts
_KEY_BYTES = 32
_INDEX, _VALUES, _SONGS = "index.npz", "values.npy", "songs"
_FILES = (_INDEX, _VALUES)


def build_excerpts(
    workspace: Workspace, library: Library, kind: str, on_progress: OnProgress | None = None, workers: int | None = None
) -> Excerpts:
    """The excerpts of all songs of a library; those that are not in the cache are computed and kept.

    Parameters
    ----------
    workspace : Workspace
        Its ``data/processed/excerpts`` is where they are.
    library : Library
    kind : str
        One of ``songmap.spectrogram.excerpts.KINDS``.
    on_progress : callable (done, total), optional
        Of the songs to compute.
    workers : int, optional
        Processes; 1 computes in this one. By default one per core. It changes no number.

    Returns
    -------
    Excerpts
        ``failed`` names the songs whose files cannot be read; they have no excerpts, and are tried again next time.

    Raises
    ------
    UsageError
        If no file can be read.
    SchemaError
        If another process computes excerpts in this workspace.
    """
    one, folder, group = kind_named(kind), workspace.excerpts / kind, _group(workspace, kind)
    keys, members = song_keys(library, one), [folder / name for name in _FILES]
    with group.locked(f"{folder} is in use: another run computes excerpts there; wait, or end it"):
        group.finish(members)
        try:
            cached = _load(workspace, one)
        except SchemaError:  # missing or damaged: computed again
            cached = None
        songs = _Songs(folder / _SONGS, cached, one)
        missing = {key.tobytes(): path for key, path in zip(keys, library.songs["file_path"], strict=True)}
        missing = {key: path for key, path in missing.items() if not songs.has(key)}
        failed = _compute(missing, songs, kind, workers or usable_cores(), on_progress)
        if cached and np.array_equal(cached[0], keys) and len(failed) == len(missing):
            return replace(cached[1], failed=failed)
        if len(failed) == len(set(map(bytes, keys))):
            first = f"{failed[0].file_path}: {failed[0].reason}" if failed else "the library is empty"
            raise UsageError(f"no song of the library has excerpts ({first})")
        with group.replacing(members) as staging:
            _write(staging / folder.relative_to(workspace.root), keys, songs, one)
        shutil.rmtree(songs.folder, ignore_errors=True)
    return replace(load_excerpts(workspace, library, kind), failed=failed)


def load_excerpts(workspace: Workspace, library: Library, kind: str) -> Excerpts:
    """What ``build_excerpts`` keeps. Raises SchemaError where it is missing, damaged or of another library."""
    one = kind_named(kind)
    keys, excerpts = _load(workspace, one)
    if not np.array_equal(keys, song_keys(library, one)):
        raise SchemaError(f"{workspace.excerpts / kind} has excerpts of another library; run {SCRIPT} again")
    return excerpts


def song_keys(library: Library, kind: ExcerptKind) -> np.ndarray:
    """What the excerpts of each song depend on, as SHA-256: uint8 ``(n_songs, 32)``."""
    settings = f"{_VERSION} {kind}".encode()
    digests = (hashlib.sha256(settings + row.tobytes()).digest() for row in library.embeddings)
    return np.frombuffer(b"".join(digests), np.uint8).reshape(len(library), _KEY_BYTES)


def open_excerpts(workspace: Workspace, kind: str) -> Excerpts:
    """The excerpts of the cache, of whatever library; for processes that train. Raises SchemaError."""
    return _load(workspace, kind_named(kind))[1]


class _Songs:
    """Excerpts of single songs by their keys: those of the cache, and those that are finished since."""

    def __init__(self, folder: Path, cached: tuple[np.ndarray, Excerpts] | None, kind: ExcerptKind) -> None:
        self.folder, self._kind = folder, kind
        self._cached: dict[bytes, tuple[np.ndarray, np.ndarray]] = {}
        if cached:
            keys, known = cached
            bounds = np.searchsorted(known.song, np.arange(len(keys) + 1))
            for key, (first, end) in zip(keys, pairwise(bounds), strict=True):
                if end > first:
                    self._cached[key.tobytes()] = known.values[first:end], known.start_s[first:end]

    def path(self, key: bytes) -> Path:
        """Where the finished song of a key is kept."""
        return self.folder / f"{key.hex()}.npz"

    def has(self, key: bytes) -> bool:
        return key in self._cached or self.path(key).is_file()

    def get(self, key: bytes) -> tuple[np.ndarray, np.ndarray]:
        """Values and times of a song's excerpts; none of a song that failed."""
        if key in self._cached:
            return self._cached[key]
        if not self.path(key).is_file():
            return np.empty(0), np.empty(0)
        try:
            arrays, _ = read_array_file(self.path(key), read_bytes(self.path(key), SCRIPT), SCRIPT)
            values, start_s = (arrays.get(name, np.empty(0)) for name in ("values", "start_s"))
            if not len(start_s) or not _are_excerpts(values, start_s, self._kind):
                raise SchemaError(f"{self.path(key)} does not hold excerpts of this version; run {SCRIPT} again")
            return values, start_s
        except SchemaError:
            self.path(key).unlink()  # the next run computes it again
            raise


def _group(workspace: Workspace, kind: str) -> FileGroup:
    return FileGroup(workspace.root, f"data/processed/excerpts/.{kind}", SCRIPT)


def _compute(
    missing: dict[bytes, str], songs: _Songs, kind: str, workers: int, on_progress: OnProgress | None
) -> tuple[FailedSong, ...]:
    """Compute songs, paths by keys; those that fail, by path."""
    failed = []
    for done, (path, reason) in enumerate(_reasons(missing, songs, kind, workers), 1):
        if reason is not None:
            failed.append(FailedSong(path, reason))
        if on_progress:
            on_progress(done, len(missing))
    return tuple(sorted(failed, key=lambda one: one.file_path))


def _reasons(missing: dict[bytes, str], songs: _Songs, kind: str, workers: int) -> Iterator[tuple[str, str | None]]:
    """Each path with why it failed, None where it did not, as they end."""
    tasks = [(path, kind, songs.path(key)) for key, path in missing.items()]
    if workers == 1 or len(tasks) < 2:
        yield from ((task[0], _compute_song(*task)) for task in tasks)
        return
    with process_pool(min(workers, len(tasks)), "computes excerpts") as pool:
        futures = {pool.submit(_compute_song, *task): task[0] for task in tasks}
        for future in as_completed(futures):
            yield futures[future], future.result()


def _compute_song(path: str, kind: str, finished: Path) -> str | None:
    """Compute the excerpts of a file and keep them; the reason if it has none."""
    try:
        values, start_s = excerpts_of(path, kind)
    except AudioError as error:
        return str(error)
    write_atomically(finished, array_file({"values": values, "start_s": start_s}, {}))
    return None


def _write(folder: Path, keys: np.ndarray, songs: _Songs, kind: ExcerptKind) -> None:
    """Write all songs in the order of ``keys``; songs are read one after another."""
    start_s = [songs.get(key.tobytes())[1] for key in keys]
    counts = np.array([len(one) for one in start_s], np.int64)
    folder.mkdir(parents=True)
    shape = (int(counts.sum()), kind.n_bands, kind.n_frames)
    values, ends = np.lib.format.open_memmap(folder / _VALUES, "w+", np.float16, shape), np.cumsum(counts)
    for key, end, count in zip(keys, ends, counts, strict=True):
        if count:
            values[end - count : end] = songs.get(key.tobytes())[0]
    values.flush()
    index = {"keys": keys, "counts": counts, "start_s": np.concatenate(start_s)}
    write_atomically(folder / _INDEX, array_file(index, {}))


def _load(workspace: Workspace, kind: ExcerptKind) -> tuple[np.ndarray, Excerpts]:
    """Keys of the songs and their excerpts. Raises SchemaError where files are missing, damaged or of another version."""
    paths = [workspace.excerpts / kind.name / name for name in _FILES]
    return _group(workspace, kind.name).read_together(paths, partial(_read, workspace, kind))


def _read(
    workspace: Workspace, kind: ExcerptKind, index: BufferedReader, values: BufferedReader
) -> tuple[np.ndarray, Excerpts]:
    folder = workspace.excerpts / kind.name
    mapped = map_matrix(folder / _VALUES, values, SCRIPT)
    arrays, _ = read_array_file(folder / _INDEX, read_whole(folder / _INDEX, index, SCRIPT), SCRIPT)
    keys, counts, start_s = (arrays.get(name, np.empty(0)) for name in ("keys", "counts", "start_s"))
    is_index = keys.dtype == np.uint8 and keys.shape[1:] == (_KEY_BYTES,)
    is_index = is_index and counts.dtype == np.int64 and counts.shape == keys.shape[:1]
    # each count by itself too: a sum of large ones can be any number
    is_index = is_index and bool(((counts >= 0) & (counts <= len(mapped))).all() and counts.sum() == len(mapped))
    if not is_index or not _are_excerpts(mapped, start_s, kind):
        raise SchemaError(f"{folder} does not hold excerpts of this version; delete it and run {SCRIPT} again")
    return keys, Excerpts(kind, mapped, np.repeat(np.arange(len(keys)), counts), start_s)


def _are_excerpts(values: np.ndarray, start_s: np.ndarray, kind: ExcerptKind) -> bool:
    """Whether arrays are excerpts of a kind and when they start."""
    is_kind = values.dtype == np.float16 and values.shape[1:] == (kind.n_bands, kind.n_frames)
    are_times = start_s.dtype == np.float64 and start_s.shape == values.shape[:1]
    return is_kind and are_times and bool(np.isfinite(start_s).all())
