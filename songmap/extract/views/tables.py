"""The CSV files of 01: every file with its outcome, and files with the same recording."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from songmap.core.files import write_atomically
from songmap.core.text import readable
from songmap.core.workspace import Workspace
from songmap.extract.results import Extraction
from songmap.library.recordings import DuplicateGroup


def save_tables(extraction: Extraction, workspace: Workspace) -> None:
    """Write ``extraction.csv``, every file with its outcome, and ``duplicates.csv``."""
    extracted = extraction.library.songs[["file_path", "genre", "duration"]].assign(status="extracted", reason="")
    failures = [(str(failure.path), failure.reason) for failure in extraction.failures]
    failed = pd.DataFrame(failures, columns=["file_path", "reason"], dtype=object).assign(status="failed")
    omitted = [(str(song.path), song.reason.replace("_", " ")) for song in extraction.left_out]
    left_out = pd.DataFrame(omitted, columns=["file_path", "reason"], dtype=object).assign(status="left out")
    files = pd.concat([extracted, left_out, failed])
    _save_csv(workspace.table("extraction"), files[["file_path", "status", "reason", "genre", "duration"]])
    copies = duplicate_rows(extraction.duplicates, extraction.library.songs)
    columns = ["group", "song_name", "genre", "duration", "similarity", "file_path"]
    _save_csv(workspace.table("duplicates"), pd.DataFrame(copies, columns=columns))


def duplicate_rows(groups: Sequence[DuplicateGroup], songs: pd.DataFrame) -> list[dict[str, Any]]:
    """One record per file of a group, groups numbered from 1; the first file of a group represents it."""
    return [
        {"group": number}
        | {name: songs[name].iloc[row] for name in ("song_name", "genre", "duration")}
        | {"similarity": float(similarity), "file_path": songs["file_path"].iloc[row]}
        for number, group in enumerate(groups, start=1)
        for row, similarity in zip(group.rows, group.similarities, strict=True)
    ]


def _save_csv(path: Path, table: pd.DataFrame) -> None:
    write_atomically(path, readable(table.to_csv(index=False)).encode())
