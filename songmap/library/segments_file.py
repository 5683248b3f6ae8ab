"""Loading the segments of a library's songs; ``save_library`` saves them with the library."""

import hashlib
from functools import partial
from io import BufferedReader
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from songmap.core.arrays import map_matrix
from songmap.core.errors import SchemaError, UsageError
from songmap.core.files import parse_json, read_whole
from songmap.core.workspace import Workspace
from songmap.library.library import Library
from songmap.library.segments import SEGMENTS_VERSION, Segments, SegmentSettings, validate_segments
from songmap.library.table_file import read_table

SCRIPT = "01_feature_extraction.py --segments"


def load_segments(workspace: Workspace, library: Library) -> Segments:
    """Read and validate the segments of a library's songs.

    Parameters
    ----------
    workspace : Workspace
    library : Library
        What ``load_library`` gives.

    Returns
    -------
    Segments
        The embeddings are mapped into memory, for reading.

    Raises
    ------
    SchemaError
        With what to do, when there are no segments, or they are changed, mixed up or of another version.
    """
    return workspace.library_files.read_together((workspace.manifest,), partial(_read, workspace, library))


def segment_settings(workspace: Workspace) -> SegmentSettings | None:
    """How the songs of the workspace's library are cut; None where they are not, or not as this version does it."""
    try:
        content = workspace.library_files.read(workspace.manifest)
        return _settings(workspace.manifest, parse_json(workspace.manifest, content, SCRIPT))
    except SchemaError:
        return None


def _settings(path: Path, manifest: dict[str, Any]) -> SegmentSettings | None:
    described = manifest.get("segments")
    if described is None:
        return None
    try:
        settings = dict(described)
        if settings.pop("version") != SEGMENTS_VERSION:
            raise SchemaError(f"the segments of {path} are of another version; run {SCRIPT} again")
        return SegmentSettings(**settings)
    except (KeyError, TypeError, ValueError, UsageError) as error:
        raise SchemaError(f"{path} has no settings of segments ({type(error).__name__}); run {SCRIPT} again") from error


def _read(workspace: Workspace, library: Library, manifest: BufferedReader) -> Segments:
    described = parse_json(workspace.manifest, read_whole(workspace.manifest, manifest, SCRIPT), SCRIPT)
    settings = _settings(workspace.manifest, described)
    if settings is None:
        raise SchemaError(f"{workspace.processed} has no segments; run {SCRIPT} first")
    paths = (workspace.segment_embeddings, workspace.segment_table)
    embeddings, table = workspace.library_files.read_together(
        paths, partial(_read_files, paths, described.get("sha256"))
    )
    segments = Segments(embeddings, table, settings)
    validate_segments(segments, library.songs)
    return segments


def _read_files(
    paths: tuple[Path, Path], expected: Any, matrix: BufferedReader, table: BufferedReader
) -> tuple[np.ndarray, pd.DataFrame]:
    content = read_whole(paths[1], table, SCRIPT)
    checksums = hashlib.file_digest(matrix, "sha256").hexdigest(), hashlib.sha256(content).hexdigest()
    for path, checksum in zip(paths, checksums, strict=True):
        if not isinstance(expected, dict) or expected.get(path.name) != checksum:
            raise SchemaError(f"{path} is not the file that manifest.json describes; run {SCRIPT} again")
    matrix.seek(0)
    return map_matrix(paths[0], matrix, SCRIPT), read_table(paths[1], content, SCRIPT)
