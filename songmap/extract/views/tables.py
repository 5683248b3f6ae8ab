"""The CSV files of 01: every file with its outcome, and files with the same recording."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from songmap.core.files import write_atomically
from songmap.core.tables import CsvKind, csv_lines
from songmap.core.workspace import Workspace
from songmap.extract.results import Extraction
from songmap.library.recordings import DuplicateGroup


def save_tables(extraction: Extraction, workspace: Workspace, kind: CsvKind = "spreadsheet") -> None:
    """Write ``extraction.csv``, every file with its outcome, and ``duplicates.csv``; ``kind`` as in ``csv_text``."""
    songs = extraction.library.songs
    files: list[Sequence[Any]] = [("file_path", "status", "reason", "genre", "duration")]
    for path, genre, duration_s in zip(songs["file_path"], songs["genre"], songs["duration"], strict=True):
        files.append((path, "extracted", "", genre, duration_s))
    files += [(str(song.path), "left out", song.reason.replace("_", " "), None, None) for song in extraction.left_out]
    files += [(str(failure.path), "failed", failure.reason, None, None) for failure in extraction.failures]
    _save_csv(workspace.table("extraction"), files, kind)
    copies = [tuple(row.values()) for row in duplicate_rows(extraction.duplicates, songs)]
    columns = ("group", "song_name", "genre", "duration", "similarity", "file_path")
    _save_csv(workspace.table("duplicates"), [columns, *copies], kind)


def duplicate_rows(groups: Sequence[DuplicateGroup], songs: pd.DataFrame) -> list[dict[str, Any]]:
    """One record per file of a group, groups numbered from 1; the first file of a group represents it."""
    return [
        {"group": number}
        | {name: songs[name].iloc[row] for name in ("song_name", "genre", "duration")}
        | {"similarity": float(similarity), "file_path": songs["file_path"].iloc[row]}
        for number, group in enumerate(groups, start=1)
        for row, similarity in zip(group.rows, group.similarities, strict=True)
    ]


def _save_csv(path: Path, rows: Sequence[Sequence[Any]], kind: CsvKind) -> None:
    write_atomically(path, "".join(f"{line}\n" for line in csv_lines(rows, kind)).encode())
