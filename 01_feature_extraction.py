"""01 · Songs → data/processed/embeddings_matrix.npy and song_data.pkl.

Every audio file below the music folder becomes 641 named numbers. The folder directly below the music
folder is a song's genre. A second run extracts only what is new or changed.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from songmap.core.artifacts import Library, save_library
from songmap.core.cli import new_parser, progress, quiet_decoders, script_main, whole_number
from songmap.core.config import AudioConfig, Workspace, usable_cores
from songmap.core.schema import FAMILIES, FEATURES, block_slice
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
    with quiet_decoders(), progress("extracting") as on_progress:
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
    """What came out: songs by genre, ranges of the features, failures, files."""
    library, failures = extraction.library, extraction.failures
    parts = []
    if failures:
        rows = [{"failed": str(path), "reason": reason} for path, reason in failures]
        parts.append(format_table(rows, "Failed (tried again when the file changes)"))
    if len(library):
        parts += [
            format_table(genre_rows(library), "Songs"),
            format_table(feature_rows(library), "Ranges of the means"),
        ]
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


def feature_rows(library: Library) -> list[dict]:
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


if __name__ == "__main__":
    sys.exit(script_main(build_parser(), run))
