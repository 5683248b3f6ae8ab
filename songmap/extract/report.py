"""What 01 tells and exports: songs by genre, ranges of the features, duplicates, and what failed and why."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from songmap.core.files import write_atomically
from songmap.core.tables import format_table
from songmap.core.text import format_duration, readable
from songmap.core.workspace import Workspace
from songmap.extract.run import Extraction, Plan, Progress
from songmap.library.library import Library
from songmap.library.recordings import duplicate_rows
from songmap.library.schema import FAMILIES, FEATURES, block_slice

_N_PRINTED = 20


def ticker(update: Callable[..., None]) -> Callable[[Progress], None]:
    """Pass on progress."""
    return lambda progress: update(progress.done, progress.total)


def plan_record(plan: Plan) -> dict[str, int]:
    """How many songs a run would leave, look at again and decode."""
    return {
        "unchanged": len(plan.unchanged),
        "failed_before": len(plan.failed),
        "changed_or_moved": len(plan.changed),
        "new": len(plan.new),
    }


def plan_summary(plan: dict[str, int]) -> str:
    """The same for people."""
    return (
        f"{plan['new']} new songs to extract, {plan['changed_or_moved']} to look at for changes or moves, "
        f"{plan['unchanged']} unchanged, {plan['failed_before']} that failed before and have not changed. "
        "Nothing was done."
    )


def records(extraction: Extraction) -> list[dict[str, Any]]:
    """Every song, then every failure with its reason."""
    songs = extraction.library.songs.to_dict("records")
    return [song | {"failure": None} for song in songs] + [
        {"file_path": str(path), "failure": reason} for path, reason in extraction.failures
    ]


def save_tables(extraction: Extraction, workspace: Workspace) -> None:
    """Write ``outputs/extraction.csv``, every file and what came of it, and ``outputs/duplicates.csv``."""
    extracted = extraction.library.songs[["file_path", "genre", "duration"]].assign(status="extracted", reason="")
    failed = pd.DataFrame(extraction.failures, columns=["file_path", "reason"]).assign(status="failed")
    files = pd.concat([extracted, failed])
    _save_csv(workspace.outputs / "extraction.csv", files[["file_path", "status", "reason", "genre", "duration"]])
    copies = duplicate_rows(extraction.duplicates, extraction.library.songs)
    columns = ["group", "song_name", "genre", "duration", "similarity", "file_path"]
    _save_csv(workspace.outputs / "duplicates.csv", pd.DataFrame(copies, columns=columns))


def _save_csv(path: Path, table: pd.DataFrame) -> None:
    write_atomically(path, readable(table.to_csv(index=False)).encode())


def summary(extraction: Extraction, workspace: Workspace) -> str:
    """What came out, as text."""
    library, failures = extraction.library, extraction.failures
    parts = []
    if failures:
        rows = [{"failed": str(path), "reason": reason} for path, reason in failures[:_N_PRINTED]]
        more = (
            f"; the first {_N_PRINTED}, all in {workspace.outputs / 'extraction.csv'}" if failures[_N_PRINTED:] else ""
        )
        parts.append(format_table(rows, f"Failed (tried again when the file changes, or with --retry-failed{more})"))
    if extraction.duplicates:
        rows = duplicate_rows(extraction.duplicates[:_N_PRINTED], library.songs)
        n_groups, path = len(extraction.duplicates), workspace.outputs / "duplicates.csv"
        more = f"; the first {_N_PRINTED}, all in {path}" if n_groups > _N_PRINTED else ""
        parts.append(
            format_table(
                rows,
                f"The same recording in several files, {n_groups} groups; similarity 1 is equal, 0.5 the limit{more}",
            )
        )
    if len(library):
        parts += [
            format_table(genre_rows(library), "Songs"),
            format_table(feature_rows(library), "Ranges of the means"),
        ]
        parts.append(f"{workspace.embeddings}\n{workspace.songs}")
    else:
        parts.append("No song could be extracted, so nothing was written.")
    parts.append(f"{len(library)} songs in the library: {tally(extraction)}.")
    return "\n\n".join(parts)


def tally(extraction: Extraction) -> str:
    """How the songs came about, in a line."""
    parts = [
        f"{extraction.n_extracted} extracted",
        f"{len(extraction.failures)} failed",
        f"{extraction.n_unchanged} unchanged",
    ]
    if extraction.n_recognised:
        parts.append(f"{extraction.n_recognised} recognised after a move or a change of tags")
    if extraction.n_left:
        parts.append(f"{extraction.n_left} left for the next run")
    return ", ".join(parts)


def genre_rows(library: Library) -> list[dict[str, Any]]:
    """Songs, duration and tempo of every genre."""
    return [
        {
            "genre": genre,
            "songs": len(songs),
            "duration": format_duration(songs["duration"].sum()),
            "median_tempo_bpm": round(float(songs["tempo_bpm"].median()), 1),
        }
        for genre, songs in library.songs.groupby("genre", sort=True)
    ]


def feature_rows(library: Library) -> list[dict[str, Any]]:
    """Range of every feature's mean, or single number, over its columns and all songs, family by family."""
    rows = []
    for block in sorted(FEATURES, key=lambda block: FAMILIES.index(block.family)):
        if block.statistic in ("mean", "value"):
            values = library.embeddings[:, block_slice(block.feature, block.statistic)]
            rows.append(
                {
                    "family": block.family,
                    "feature": block.feature,
                    "columns": block.size,
                    "lowest": float(values.min()),
                    "median": float(np.median(values)),
                    "highest": float(values.max()),
                    "unit": block.unit,
                }
            )
    return rows
