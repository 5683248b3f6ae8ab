"""Every save and load of the library; no other module touches those files.

A library is ``embeddings`` float32 ``(n_songs, 641)`` and ``songs``, a DataFrame with the same rows
in sorted path order. ``validate`` runs on save and on load. Files are written to a temporary name
beside their place and moved into it. Unpickling goes through ``load_pickle``: an explicit allow-list
of classes, so a tampered file gets a clear error and runs nothing.
"""

import hashlib
import io
import logging
import pickle
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from songmap.core.blocks import read_blocks
from songmap.core.errors import SchemaError
from songmap.core.files import read_bytes, read_json, sha256, write_atomically, write_json
from songmap.core.pickles import TABLE_CLASSES, load_pickle
from songmap.core.workspace import Workspace
from songmap.library.descriptors import describe
from songmap.library.schema import (
    COLUMNS,
    DEFAULT_ENGINE,
    ENGINES,
    MEASURED_SINCE,
    N_COLUMNS,
    NUMBER_COLUMNS,
    SONG_COLUMNS,
    AudioConfig,
    column_index,
    fingerprint,
)
from songmap.library.versions import ANALYSIS_LIBRARIES, library_versions

_log = logging.getLogger(__name__)
_SCRIPT = "01_feature_extraction.py"


@dataclass(frozen=True)
class Library:
    """All songs of a collection.

    Attributes
    ----------
    embeddings : np.ndarray, float32 (n_songs, 641)
        The columns of ``songmap.library.schema``.
    songs : pd.DataFrame
        The same rows: ``SONG_COLUMNS`` and further labels. Numbers are NaN and text is empty where a tag does not
        exist; ``duration`` is in seconds. ``tempo_bpm`` is measured, 0 where there is none; ``tempo_octave``, 1, 2 or
        0.5, is what it was multiplied by to lie where its genre's tempos do; ``beat_deviation_s`` is how much the time
        between beats varies. ``tag_bpm``, ``tag_genre`` and ``key`` are what the file says. ``duplicate_of`` is the path of the first file with the same recording, empty where there is
        no other.
    config : AudioConfig
        How the audio was analysed.
    engine : str
        What computed columns 0-633: ``songmap``, or ``librosa``, the reference.
    """

    embeddings: np.ndarray
    songs: pd.DataFrame
    config: AudioConfig = field(default_factory=AudioConfig)
    engine: str = DEFAULT_ENGINE

    def __len__(self) -> int:
        return len(self.songs)

    @property
    def genres(self) -> np.ndarray:
        """Genre of every song, ``(n_songs,)`` of str."""
        return self.songs["genre"].to_numpy(dtype=object)

    @property
    def descriptors(self) -> np.ndarray:
        """The 157 descriptors of every song, float64 ``(n_songs, 157)``: see ``songmap.library.descriptors``."""
        return describe(self.embeddings)

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


def save_library(workspace: Workspace, library: Library) -> None:
    """Validate and write matrix, table and manifest (last, so that a torn save is noticed on load).

    Parameters
    ----------
    workspace : Workspace
        Gives the paths; folders are made.
    library : Library

    Raises
    ------
    SchemaError
        If the library is not whole, or was analysed by a configuration that gives the columns another meaning.
    """
    validate(library.embeddings, library.songs)
    _check_config(library.config, "the library")
    stream = io.BytesIO()
    np.save(stream, np.ascontiguousarray(library.embeddings), allow_pickle=False)
    contents = {workspace.embeddings: stream.getvalue(), workspace.songs: pickle.dumps(library.songs, protocol=5)}
    for path, content in contents.items():
        write_atomically(path, content)
    checksums = {path.name: hashlib.sha256(content).hexdigest() for path, content in contents.items()}
    manifest = {"columns": fingerprint(), "n_songs": len(library), "audio": asdict(library.config)}
    manifest |= {"engine": library.engine, "versions": library_versions(), "sha256": checksums}
    write_json(workspace.manifest, manifest)


def load_library(workspace: Workspace | Path | str) -> Library:
    """Read and validate what 01 wrote.

    Columns and audio configuration must be those of this version. Numbers by other versions of numpy and the like
    differ in their last bits at most: the library is loaded, with a warning in the log.

    Parameters
    ----------
    workspace : Workspace, Path or str
        The workspace, or its folder.

    Returns
    -------
    Library
        Its matrix is mapped into memory, for reading: a large one takes no more of it than is looked at.

    Raises
    ------
    SchemaError
        With what to do, when files are missing, changed, mixed up or of another version.
    """
    if not isinstance(workspace, Workspace):
        workspace = Workspace(Path(workspace).expanduser())
    manifest = read_json(workspace.manifest, _SCRIPT)
    table = read_bytes(workspace.songs, _SCRIPT)
    checksums = {workspace.embeddings: sha256(workspace.embeddings, _SCRIPT)}
    checksums[workspace.songs] = hashlib.sha256(table).hexdigest()
    config = _read_config(workspace.manifest, manifest)
    expected = manifest.get("sha256")
    for path, checksum in checksums.items():
        if not isinstance(expected, dict) or expected.get(path.name) != checksum:
            raise SchemaError(
                f"{path} is not the file that manifest.json describes (changed, or from another run); run 01 again"
            )
    try:
        embeddings = np.load(workspace.embeddings, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise SchemaError(f"{workspace.embeddings} is not an .npy matrix ({error}); run 01 again") from error
    songs = load_pickle(workspace.songs, table, TABLE_CLASSES)
    if not isinstance(songs, pd.DataFrame):
        raise SchemaError(f"{workspace.songs} holds a {type(songs).__name__}, not a DataFrame; run 01 again")
    if missing := [name for name in MEASURED_SINCE if name not in songs.columns]:
        songs[missing] = np.nan
        _log.warning(
            "%s has tempos of an older version, in whole frames per beat and up to 3 %% off; "
            "run 01 again to measure them exactly", workspace.songs,
        )  # fmt: skip
    validate(embeddings, songs)
    engine = manifest.get("engine", DEFAULT_ENGINE)
    if engine not in ENGINES:
        raise SchemaError(f"{workspace.manifest} names the engine {engine!r}, not {' or '.join(ENGINES)}; run 01 again")
    return Library(embeddings, songs, config, engine)


def _read_config(path: Path, manifest: dict[str, Any]) -> AudioConfig:
    """The configuration in a manifest. Raises SchemaError unless columns and configuration are of this version."""
    if manifest.get("columns") != fingerprint():
        raise SchemaError(f"{path} is of another version (other columns); run 01 again")
    try:
        config = AudioConfig(**manifest["audio"])
    except (KeyError, TypeError) as error:
        raise SchemaError(f"{path} has no audio configuration of this version ({error}); run 01 again") from error
    _check_config(config, str(path))
    versions = manifest.get("versions")
    if not isinstance(versions, dict):
        raise SchemaError(f"{path} names no library versions; run 01 again")
    here = library_versions(ANALYSIS_LIBRARIES).items()
    if other := [f"{name} {versions.get(name)}, now {now}" for name, now in here if versions.get(name) != now]:
        _log.warning(
            "%s was made with %s: numbers may differ in the last bits from new ones; run 01 again to renew it",
            path, "; ".join(other),
        )  # fmt: skip
    return config


def _check_config(config: AudioConfig, source: str) -> None:
    """Raise SchemaError for a configuration under which the columns mean something else."""
    for name, value in AudioConfig().column_settings().items():
        if (used := getattr(config, name)) != value:
            raise SchemaError(
                f"{source} was analysed with {name} {used}, the columns of this version need {value}; run 01 again"
            )


def library_fingerprint(library: Library) -> str:
    """SHA-256 of what a model is fitted to: numbers, paths, genres, and which files are copies."""
    digest = hashlib.sha256()
    for _, block in read_blocks(library.embeddings):
        digest.update(np.ascontiguousarray(block).data)
    for name in ("file_path", "genre", "duplicate_of"):
        digest.update("\n".join(library.songs[name]).encode("utf-8", "surrogateescape"))
    return digest.hexdigest()
