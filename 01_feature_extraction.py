"""01 · Songs → data/processed/embeddings_matrix.npy, song_table.npz and song_data.pkl.

Every audio file below the music folder becomes 641 named numbers. The folder directly below the music
folder is a song's genre, unless --labels gives another source. A second run extracts only what is new or
changed; a run that was interrupted, or killed, resumes.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from songmap.core.cli import new_parser, script_main, stop_on_interrupt, whole_number
from songmap.core.defaults import usable_cores
from songmap.core.progress import progress
from songmap.core.serialise import to_json
from songmap.core.workspace import Workspace
from songmap.extract.files import find_songs
from songmap.extract.labels import label_songs
from songmap.extract.options import EXECUTORS, ExtractionOptions
from songmap.extract.run import extract_library, only_extraction, preview
from songmap.extract.statistics import feature_ranges, genre_statistics
from songmap.extract.verify import verify
from songmap.extract.views.summary import plan_text, summary, verification_text
from songmap.extract.views.tables import save_tables
from songmap.library.library import load_library, save_library
from songmap.library.schema import DEFAULT_ENGINE, ENGINES


def build_parser() -> argparse.ArgumentParser:
    parser = new_parser(__doc__)
    add = parser.add_argument
    add("--music", type=Path, metavar="DIR", help="music folder (default: WORKSPACE/data/raw)")
    labels = "source of genres: GENRE/Artist/Album folders, the files' own tags, or a table of files and genres"
    add("--labels", default="folder", metavar="folder|tag|FILE.csv", help=labels)
    add("--workers", type=whole_number(1), default=usable_cores(), metavar="N", help="songs analysed in parallel")
    timeout = "seconds per song before it counts as failed"
    add("--timeout", type=whole_number(1), default=600, metavar="S", dest="timeout_s", help=timeout)
    add("--nice", type=whole_number(0, 19), default=10, metavar="N", help="priority of the workers, 19 is the lowest")
    add("--limit", type=whole_number(1), metavar="N", help="decode at most N songs in this run")
    add("--retry-failed", action="store_true", help="try again what failed before and has not changed")
    add("--dry-run", action="store_true", help="print what a run would do")
    engine = "what computes columns 0-633: songmap, or plain librosa calls as the reference, some 13 times slower"
    add("--engine", choices=ENGINES, default=DEFAULT_ENGINE, help=engine)
    comparison = "extract nothing; compare N songs of the library with librosa, print the largest deviation"
    add("--verify", type=whole_number(1), metavar="N", dest="n_verified", help=comparison)
    add("--executor", choices=EXECUTORS, default="threads", help="where workers run; dask: an existing cluster")
    add("--scheduler", metavar="tcp://HOST:PORT", help="the cluster's scheduler, for --executor dask")
    add("--json", action="store_true", dest="as_json", help="print the result as one JSON document")
    return parser


def run(
    workspace: Workspace,
    music: Path | None,
    labels: str,
    dry_run: bool,
    n_verified: int | None,
    as_json: bool,
    **options: Any,
) -> int:
    extraction_options = ExtractionOptions(**options)
    if n_verified is not None:
        return run_verification(workspace, n_verified, extraction_options, as_json)
    music = (music or workspace.music).expanduser()
    songs = label_songs(find_songs(music), music, labels)
    if dry_run:
        plan = preview(songs, workspace, extraction_options).counts()
        print(to_json(plan) if as_json else plan_text(plan))
        return 0
    advice = "finishing the current songs; run again to resume, Ctrl-C again to stop now"
    with only_extraction(workspace), stop_on_interrupt(advice) as stop:
        with progress("extracting") as on_progress:
            extraction = extract_library(songs, workspace, extraction_options, on_progress, stop)
        library = extraction.library
        if len(library):
            save_library(workspace, library)
        save_tables(extraction, workspace)
    if as_json:
        print(to_json(extraction.records()))
    else:
        print(summary(extraction, genre_statistics(library), feature_ranges(library), workspace))
    if stop():
        return 130
    return 0 if len(library) else 1


def run_verification(workspace: Workspace, n_songs: int, options: ExtractionOptions, as_json: bool) -> int:
    with progress("comparing with librosa") as on_progress:
        verification = verify(load_library(workspace), n_songs, options, on_progress)
    print(to_json(verification) if as_json else verification_text(verification))
    return 0 if verification.passed else 1


def main(argv: Sequence[str] | None = None) -> int:
    return script_main(build_parser(), run, argv)


if __name__ == "__main__":
    sys.exit(main())
