"""01 · Songs → data/processed/embeddings_matrix.npy and song_data.pkl.

Every audio file below the music folder becomes 641 named numbers. The folder directly below the music
folder is a song's genre. A second run extracts only what is new or changed.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from songmap.core.artifacts import Library, save_library
from songmap.core.cli import new_parser, progress, script_main, whole_number
from songmap.core.config import AudioConfig, Workspace, usable_cores
from songmap.core.schema import COLUMN_UNIT, COLUMNS, FAMILIES, family_indices
from songmap.core.tables import format_duration, format_table, to_json
from songmap.extract.run import Extraction, extract_library, find_songs


def build_parser() -> argparse.ArgumentParser:
    parser = new_parser(__doc__)
    parser.add_argument("--music", type=Path, metavar="DIR", help="music folder (default: WORKSPACE/data/raw)")
    parser.add_argument(
        "--workers", type=whole_number(1), default=usable_cores(), metavar="N", help="songs at the same time"
    )
    parser.add_argument("--json", action="store_true", help="print the songs and failures as one JSON document")
    return parser


def run(workspace: Workspace, music: Path | None, workers: int, json: bool) -> int:
    songs = find_songs((music or workspace.music).expanduser())
    with progress("extracting") as on_progress:
        extraction = extract_library(songs, workspace, workers=workers, on_progress=on_progress)
    library = extraction.library
    if len(library):
        save_library(workspace, library, AudioConfig())
    if json:
        print(to_json(records(extraction)))
    else:
        print(summary(extraction, workspace))
    return 0 if len(library) else 1


def records(extraction: Extraction) -> list[dict]:
    """Every song, then every failure with its reason."""
    songs = extraction.library.songs.to_dict("records")
    return [song | {"failure": None} for song in songs] + [
        {"file_path": str(path), "failure": reason} for path, reason in extraction.failures
    ]


def summary(extraction: Extraction, workspace: Workspace) -> str:
    """What came out: songs by genre, ranges by family, failures, files."""
    library, failures = extraction.library, extraction.failures
    parts = []
    if failures:
        rows = [{"failed": str(path), "reason": reason} for path, reason in failures]
        parts.append(format_table(rows, "Failed (tried again when the file changes)"))
    if len(library):
        parts += [format_table(genre_rows(library), "Songs"), format_table(family_rows(library), "641 columns")]
        parts.append(f"{workspace.embeddings}\n{workspace.songs}")
    else:
        parts.append("No song could be extracted, so nothing was written.")
    extracted = len(library) + len(failures) - extraction.n_unchanged
    parts.append(
        f"{len(library)} songs in the library, {len(failures)} failed; "
        f"{extracted} looked at in this run, {extraction.n_unchanged} unchanged since an earlier one."
    )
    return "\n\n".join(parts)


def genre_rows(library: Library) -> list[dict]:
    """Songs, duration and tempo of every genre."""
    return [
        {
            "genre": genre,
            "songs": len(songs),
            "duration": format_duration(songs["duration"].sum()),
            "median_tempo_bpm": float(songs["tempo_bpm"].median()),
        }
        for genre, songs in library.songs.groupby("genre", sort=True)
    ]


def family_rows(library: Library) -> list[dict]:
    """How many columns a family has, and the range of the one that varies most between songs."""
    rows = []
    for family in FAMILIES:
        columns = family_indices(family)
        values = library.embeddings[:, columns].astype(np.float64)
        scale = np.abs(values).mean(axis=0)
        spread = np.divide(values.std(axis=0), scale, out=np.zeros(len(columns)), where=scale > 0)
        best = int(spread.argmax())
        rows.append(
            {
                "family": family,
                "columns": len(columns),
                "most_varied": COLUMNS[columns[best]],
                "lowest": values[:, best].min(),
                "median": float(np.median(values[:, best])),
                "highest": values[:, best].max(),
                "unit": COLUMN_UNIT[columns[best]],
            }
        )
    return rows


if __name__ == "__main__":
    sys.exit(script_main(build_parser(), run))
