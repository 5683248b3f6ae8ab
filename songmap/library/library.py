"""Every save and load of the library; no other module touches those files.

A library is ``embeddings`` float32 ``(n_songs, 641)`` and ``songs``, a DataFrame with the same rows
in sorted path order. ``validate`` runs on save and on load. The files of a library are replaced together, so
that a reader gets all of one run. They hold numbers and text alone; the table is pickled too, for other tools, and
no pickle is read.
"""

import hashlib
import logging
import pickle
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from functools import partial
from io import BufferedReader
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from songmap.core.arrays import map_matrix, matrix_file
from songmap.core.blocks import read_blocks
from songmap.core.errors import SchemaError
from songmap.core.files import json_bytes, parse_json, read_whole, remove_leftovers, write_atomically
from songmap.core.workspace import Workspace
from songmap.library.descriptors import describe
from songmap.library.schema import (
    COLUMNS,
    DEFAULT_ENGINE,
    ENGINES,
    LARGEST,
    N_COLUMNS,
    NUMBER_COLUMNS,
    SONG_COLUMNS,
    AudioConfig,
    column_index,
    fingerprint,
)
from songmap.library.segments import SEGMENTS_VERSION, Segments, validate_segments
from songmap.library.table_file import read_table, table_file
from songmap.library.versions import ANALYSIS_LIBRARIES, library_versions

_log = logging.getLogger(__name__)
_SCRIPT = "01_feature_extraction.py"
_SAVE_WAIT_S = 60  # for another process to finish saving


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
        between beats varies. ``tag_bpm``, ``tag_genre`` and ``key`` are what the file says. ``duplicate_of`` is the
        path of the first file with the same recording, empty where there is no other.
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
        raise SchemaError(f"the table of songs lacks {', '.join(missing)}: made by another version? run 01 again")
    for rows, block in read_blocks(embeddings):
        usable = np.abs(block) <= LARGEST  # of NaN it is not
        if not usable.all():
            row, column = np.argwhere(~usable)[0]
            path = songs["file_path"].iloc[rows.start + row]
            raise SchemaError(f"{COLUMNS[column]} of {path} is not finite, or above {LARGEST:g}; run 01 again")
    numbers = songs[list(NUMBER_COLUMNS)].to_numpy(dtype=np.float64)
    if np.isinf(numbers).any() or not np.isfinite(songs["duration"]).all():
        raise SchemaError("the table of songs has numbers that are not finite; run 01 again")
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
    songs = pd.DataFrame(dict(enumerate(table.values())))  # pandas makes an index of UTF-8 of names
    songs.columns = pd.Index(list(table), dtype=object)
    return songs


def save_library(workspace: Workspace, library: Library, segments: Segments | None = None) -> None:
    """Validate and write matrix, table, segments and manifest, all or none of them.

    Parameters
    ----------
    workspace : Workspace
        Gives the paths; folders are made.
    library : Library
    segments : Segments, optional
        Those of its songs. Without them the segments of an earlier library are removed.

    Raises
    ------
    SchemaError
        If the library is not whole, the segments are of other songs, or it was analysed by a configuration that gives the columns another meaning.
    """
    validate(library.embeddings, library.songs)
    _check_config(library.config, "the library")
    contents = {
        workspace.embeddings: matrix_file(library.embeddings),
        workspace.songs: table_file(library.songs),
        workspace.songs_pickle: pickle.dumps(library.songs, protocol=5),
    }
    manifest = {"columns": fingerprint(), "n_songs": len(library), "audio": asdict(library.config)}
    if segments is not None:
        validate_segments(segments, library.songs)
        contents[workspace.segment_embeddings] = matrix_file(segments.embeddings)
        contents[workspace.segment_table] = table_file(segments.table)
        contents[workspace.segments_pickle] = pickle.dumps(segments.table, protocol=5)
        manifest["segments"] = {"version": SEGMENTS_VERSION} | asdict(segments.settings)
    manifest |= {"engine": library.engine, "versions": library_versions()}
    manifest["sha256"] = {path.name: hashlib.sha256(content).hexdigest() for path, content in contents.items()}
    contents[workspace.manifest] = json_bytes(manifest)
    with _only_save(workspace), workspace.library_files.replacing(_files_of(workspace)) as folder:
        for path, content in contents.items():
            write_atomically(folder / path.relative_to(workspace.root), content)


def finish_library(workspace: Workspace) -> None:
    """Finish a save whose process was killed, and remove what it, or one of an earlier version, left."""
    with _only_save(workspace):
        workspace.library_files.finish(_files_of(workspace))
        remove_leftovers(workspace.processed, *(path.name for path in _files_of(workspace)))


def _files_of(workspace: Workspace) -> list[Path]:
    segments = [workspace.segment_embeddings, workspace.segment_table, workspace.segments_pickle]
    return [workspace.embeddings, workspace.songs, workspace.songs_pickle, *segments, workspace.manifest]


def _only_save(workspace: Workspace) -> AbstractContextManager[None]:
    in_use = f"{workspace.processed} is in use: another process saves a library there; wait, or end it"
    return workspace.library_files.locked(in_use, _SAVE_WAIT_S)


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
        Its matrix is mapped into memory, for reading: a large one takes no more of it than is looked at. While
        another is saved, it is the old or the new library.

    Raises
    ------
    SchemaError
        With what to do, when files are missing, changed, mixed up or of another version.
    """
    workspace = Workspace.at(workspace)
    paths = (workspace.manifest, workspace.embeddings, workspace.songs)
    try:
        return workspace.library_files.read_together(paths, partial(_read_library, *paths))
    except SchemaError:
        if workspace.library_files.exists(workspace.songs) or not workspace.songs_pickle.is_file():
            raise
    advice = f"run {_SCRIPT} again, which analyses only songs that are new"
    raise SchemaError(f"{workspace.songs} does not exist: the library was made by an earlier version; {advice}")


def _read_library(
    manifest_path: Path,
    matrix_path: Path,
    table_path: Path,
    manifest: BufferedReader,
    matrix: BufferedReader,
    table: BufferedReader,
) -> Library:
    """The library in three open files. Their checksums are of what is then used: nothing is opened again."""
    described = parse_json(manifest_path, read_whole(manifest_path, manifest, _SCRIPT), _SCRIPT)
    config = _read_config(manifest_path, described)
    engine = described.get("engine", DEFAULT_ENGINE)
    if not isinstance(engine, str) or engine not in ENGINES:
        name = engine if isinstance(engine, str) else type(engine).__name__
        raise SchemaError(f"{manifest_path} names the engine {name!r}, not {' or '.join(ENGINES)}; run 01 again")
    expected, content = described.get("sha256"), read_whole(table_path, table, _SCRIPT)
    checksums = {matrix_path: hashlib.file_digest(matrix, "sha256"), table_path: hashlib.sha256(content)}
    for path, checksum in checksums.items():
        if not isinstance(expected, dict) or expected.get(path.name) != checksum.hexdigest():
            raise SchemaError(
                f"{path} is not the file that manifest.json describes (changed, or from another run); run 01 again"
            )
    matrix.seek(0)
    embeddings, songs = map_matrix(matrix_path, matrix, _SCRIPT), read_table(table_path, content, _SCRIPT)
    validate(embeddings, songs)
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
    if not isinstance(versions, dict) or not all(
        isinstance(one, str) and one.isprintable() for one in versions.values()
    ):
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
    if any(isinstance(one, bool) or not isinstance(one, int | float) for one in asdict(config).values()):
        raise SchemaError(f"{source} has an audio configuration of other values than numbers; run 01 again")
    if other := config.other_setting():
        raise SchemaError(f"{source} was analysed with {other}; run 01 again")


def library_fingerprint(library: Library) -> str:
    """SHA-256 of what a model is fitted to: numbers, paths, genres, and which files are copies."""
    digest = hashlib.sha256()
    for _, block in read_blocks(library.embeddings):
        digest.update(np.ascontiguousarray(block).data)
    for name in ("file_path", "genre", "duplicate_of"):
        digest.update("\n".join(library.songs[name]).encode("utf-8", "surrogateescape"))
    return digest.hexdigest()
