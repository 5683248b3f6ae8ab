"""Every save and load of the library and the model; no other module touches those files.

A library is ``embeddings`` float32 ``(n_songs, 641)`` and ``songs``, a DataFrame with the same rows
in sorted path order. ``validate`` runs on save and on load. Files are written to a temporary name
beside their place and moved into it. Unpickling goes through ``load_pickle``: an explicit allow-list
of classes, so a tampered file gets a clear error and runs nothing.
"""

import hashlib
import io
import pickle
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from songmap.core.blocks import read_blocks
from songmap.core.errors import SchemaError
from songmap.core.files import read_bytes, read_json, sha256, write_atomically, write_json
from songmap.core.pickles import TABLE_CLASSES, load_pickle
from songmap.core.workspace import Workspace
from songmap.library.schema import (
    COLUMNS,
    N_COLUMNS,
    NUMBER_COLUMNS,
    SONG_COLUMNS,
    AudioConfig,
    column_index,
    fingerprint,
)
from songmap.library.versions import library_versions


@dataclass(frozen=True)
class Library:
    """All songs: ``embeddings`` float32 ``(n_songs, 641)``, ``songs`` a DataFrame of ``SONG_COLUMNS`` and labels.

    Numbers are NaN and text is empty where a tag does not exist; ``duration`` is in seconds. ``tempo_bpm`` is
    measured, ``tag_bpm``, ``tag_genre`` and ``key`` are what the file says. ``duplicate_of`` is the path of the
    first file with the same recording, empty where there is no other.
    """

    embeddings: np.ndarray
    songs: pd.DataFrame

    def __len__(self) -> int:
        return len(self.songs)

    @property
    def genres(self) -> np.ndarray:
        """Genre of every song, ``(n_songs,)`` of str."""
        return self.songs["genre"].to_numpy(dtype=object)

    def column(self, name: str) -> np.ndarray:
        """One named column over all songs, float32 ``(n_songs,)``."""
        return self.embeddings[:, column_index(name)]


def validate(embeddings: np.ndarray, songs: pd.DataFrame) -> None:
    """Raise SchemaError unless matrix and table are whole, finite, of this version and belong together."""
    if embeddings.ndim != 2 or embeddings.shape[1] != N_COLUMNS or embeddings.dtype != np.float32:
        raise SchemaError(
            f"embeddings are {embeddings.dtype} {embeddings.shape}, not float32 (n_songs, {N_COLUMNS}); run 01 again"
        )
    if len(embeddings) != len(songs):
        raise SchemaError(f"{len(embeddings)} embeddings but {len(songs)} songs: mixed-up files? run 01 again")
    missing = [name for name in SONG_COLUMNS if name not in songs.columns]
    if missing:
        raise SchemaError(f"song_data.pkl lacks {', '.join(missing)}: made by another version? run 01 again")
    for rows, block in read_blocks(embeddings):
        if not np.isfinite(block).all():
            row, column = np.argwhere(~np.isfinite(block))[0]
            path = songs["file_path"].iloc[rows.start + row]
            raise SchemaError(f"{COLUMNS[column]} of {path} is not finite; run 01 again")
    paths = songs["file_path"]
    if paths.duplicated().any():
        raise SchemaError(f"{paths[paths.duplicated()].iloc[0]} is listed twice; run 01 again")
    if not paths.is_monotonic_increasing:
        raise SchemaError("the songs are not in path order: mixed-up files? run 01 again")


def song_table(records: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """A DataFrame of ``SONG_COLUMNS``, then of whatever else the records hold as text, by name.

    Where a record lacks one it is empty, or NaN. The table's pickle depends on its values only: equal
    strings become one object, since pickle writes a shared object once, and which strings are shared
    would otherwise depend on how they were made.
    """
    shared: dict[str, str] = {}
    rows = list(records)
    table: dict[str, pd.Series] = {}
    labels = sorted({name for row in rows for name in row} - set(SONG_COLUMNS))
    for name in (*SONG_COLUMNS, *labels):
        if name in NUMBER_COLUMNS:
            table[name] = pd.Series([row.get(name, np.nan) for row in rows], dtype=np.float64)
        else:  # plain str objects: not every path is UTF-8, which other string types need
            texts = (row.get(name, "") for row in rows)
            table[name] = pd.Series([shared.setdefault(text, text) for text in texts], dtype=object)
    songs = pd.DataFrame(table)
    songs.columns = pd.Index(list(table), dtype=object)
    return songs


def save_library(workspace: Workspace, library: Library, config: AudioConfig) -> None:
    """Validate and write matrix, table and manifest (last, so that a torn save is noticed on load)."""
    validate(library.embeddings, library.songs)
    stream = io.BytesIO()
    np.save(stream, np.ascontiguousarray(library.embeddings), allow_pickle=False)
    matrix, table = stream.getvalue(), pickle.dumps(library.songs, protocol=5)
    write_atomically(workspace.embeddings, matrix)
    write_atomically(workspace.songs, table)
    write_json(
        workspace.manifest,
        {
            "columns": fingerprint(),
            "n_songs": len(library),
            "audio": asdict(config),
            "versions": library_versions(),
            "sha256": {
                workspace.embeddings.name: hashlib.sha256(matrix).hexdigest(),
                workspace.songs.name: hashlib.sha256(table).hexdigest(),
            },
        },
    )


def load_library(workspace: Workspace) -> Library:
    """Read and validate what 01 wrote. Raises SchemaError with what to do when it cannot be used.

    The matrix is mapped into memory, for reading: a large one takes no more of it than is looked at.
    """
    manifest = read_json(workspace.manifest, "01_feature_extraction.py")
    table = read_bytes(workspace.songs, "01_feature_extraction.py")
    found = {
        workspace.embeddings.name: sha256(workspace.embeddings, "01_feature_extraction.py"),
        workspace.songs.name: hashlib.sha256(table).hexdigest(),
    }
    if manifest.get("columns") != fingerprint():
        raise SchemaError(f"{workspace.manifest} is of another version (other columns); run 01 again")
    checksums = manifest.get("sha256")
    for name, checksum in found.items():
        if not isinstance(checksums, dict) or checksums.get(name) != checksum:
            raise SchemaError(
                f"{workspace.processed / name} is not the file that manifest.json describes "
                "(changed, or from another run); run 01 again"
            )
    try:
        embeddings = np.load(workspace.embeddings, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise SchemaError(f"{workspace.embeddings} is no .npy matrix ({error}); run 01 again") from error
    songs = load_pickle(workspace.songs, table, TABLE_CLASSES)
    if not isinstance(songs, pd.DataFrame):
        raise SchemaError(f"{workspace.songs} holds a {type(songs).__name__}, not a DataFrame; run 01 again")
    validate(embeddings, songs)
    return Library(embeddings, songs)


def library_fingerprint(library: Library) -> str:
    """SHA-256 of what a model learns from: numbers, paths, genres, and which files are copies."""
    digest = hashlib.sha256()
    for _, block in read_blocks(library.embeddings):
        digest.update(np.ascontiguousarray(block))
    for name in ("file_path", "genre", "duplicate_of"):
        digest.update("\n".join(library.songs[name]).encode("utf-8", "surrogateescape"))
    return digest.hexdigest()
