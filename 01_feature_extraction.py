"""01 · Songs → data/processed/embeddings_matrix.npy, song_table.npz and song_data.pkl.

Every audio file below the music folder becomes 641 named numbers. The folder directly below the music
folder is a song's genre, unless --labels gives another source. A second run extracts only what is new or
changed; a run that was interrupted (Ctrl-C, SIGTERM, SIGHUP: what is finished is saved), or killed, resumes.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from songmap.core.cli import add_csv, new_parser, number_from, script_main, stop_on_signal, whole_number
from songmap.core.defaults import usable_cores
from songmap.core.progress import progress
from songmap.core.serialise import to_json
from songmap.core.workspace import Workspace
from songmap.extract.files import find_songs
from songmap.extract.label_source import keep_labels, requested_labels
from songmap.extract.labels import label_songs
from songmap.extract.options import EXECUTORS, ExtractionOptions
from songmap.extract.run import extract_library, only_extraction, preview
from songmap.extract.segments import NO_SEGMENTS, length_and_hop, requested_segments
from songmap.extract.statistics import feature_ranges, genre_statistics
from songmap.extract.verify import verify
from songmap.extract.views.summary import plan_text, summary, verification_text
from songmap.extract.views.tables import save_tables
from songmap.library.library import load_library, save_library
from songmap.library.schema import DEFAULT_ENGINE, ENGINES, LEAST_DURATION_S, AudioConfig
from songmap.library.segments import SegmentSettings


def build_parser() -> argparse.ArgumentParser:
    parser = new_parser(__doc__)
    add = parser.add_argument
    add("--music", type=Path, metavar="DIR", help="music folder (default: WORKSPACE/data/raw)")
    labels = "source of genres: GENRE/Artist/Album folders, the files' own tags, or a table of files and genres "
    labels += "(default: as in the run before, else folders, unless these are artists and tags name genres)"
    add("--labels", metavar="auto|folder|tag|FILE.csv", help=labels)
    exclude = "leave out files and folders that fit, e.g. 'Live*'; also one a line in the music folder's .songmapignore"
    add("--exclude", action="append", default=[], metavar="PATTERN", help=exclude)
    seconds, shortest = number_from(LEAST_DURATION_S), AudioConfig.min_duration_s
    least = f"leave out shorter songs; {LEAST_DURATION_S} s at least"
    add("--min-duration", type=seconds, default=shortest, metavar="S", dest="min_duration_s", help=least)
    add("--max-duration", type=whole_number(1), metavar="S", dest="max_duration_s", help="leave out longer songs")
    add("--keep-speech", action="store_true", help="include files whose genre is speech, such as audiobooks")
    segments = "also embed segments of every song, 30 s long and 15 s apart by default, for 05; later runs keep them up to date"
    add("--segments", nargs="?", type=length_and_hop, const=SegmentSettings(), metavar="30/15", help=segments)
    add("--no-segments", dest="segments", action="store_const", const=NO_SEGMENTS, help="remove them again")
    add("--skip-intro", type=whole_number(0), metavar="S", help="seconds at the beginning that segments leave out")
    nearest = "keep the K segments of a song that are nearest to their mean"
    add("--representative", type=whole_number(1), metavar="K", help=nearest)
    add("--workers", type=whole_number(1), default=usable_cores(), metavar="N", help="songs analysed in parallel")
    timeout = "seconds per song before it counts as failed"
    add("--timeout", type=whole_number(1), default=600, metavar="S", dest="timeout_s", help=timeout)
    add("--nice", type=whole_number(0, 19), default=10, metavar="N", help="priority of the workers, 19 is the lowest")
    add("--limit", type=whole_number(1), metavar="N", help="decode at most N songs in this run")
    add("--retry-failed", action="store_true", help="try again what failed before and has not changed")
    add("--dry-run", action="store_true", help="print what a run would do")
    engine = "what computes columns 0-633: songmap, or plain librosa calls as the reference, some 18 times slower"
    add("--engine", choices=ENGINES, default=DEFAULT_ENGINE, help=engine)
    comparison = "extract nothing; compare N songs of the library with librosa, print the largest deviation"
    add("--verify", type=whole_number(1), metavar="N", dest="n_verified", help=comparison)
    add("--executor", choices=EXECUTORS, default="threads", help="where workers run; dask: an existing cluster")
    add("--scheduler", metavar="tcp://HOST:PORT", help="the cluster's scheduler, for --executor dask")
    add_csv(parser)
    add("--json", action="store_true", dest="as_json", help="print the result as one JSON document")
    return parser


def run(
    workspace: Workspace,
    music: Path | None,
    labels: str | None,
    exclude: list[str],
    dry_run: bool,
    n_verified: int | None,
    as_json: bool,
    **options: Any,
) -> int:
    csv_kind = options.pop("csv_kind")
    source, kept = requested_labels(workspace, labels)
    wanted = [options.pop(name) for name in ("segments", "skip_intro", "representative")]
    extraction_options = ExtractionOptions(labels=source, labels_kept=kept, **options)
    if n_verified is not None:
        return run_verification(workspace, n_verified, extraction_options, as_json)
    extraction_options = replace(extraction_options, segments=requested_segments(workspace, *wanted))
    music = (music or workspace.music).expanduser()
    songs = label_songs(find_songs(music, exclude), music, source)
    if dry_run:
        plan = preview(songs, workspace, extraction_options).counts()
        print(to_json(plan) if as_json else plan_text(plan))
        return 0
    advice = "finishing the current songs; run again to resume, Ctrl-C again to stop now"
    with only_extraction(workspace), stop_on_signal(advice) as stop:
        with progress("extracting") as on_progress:
            extraction = extract_library(songs, workspace, extraction_options, on_progress, lambda: stop() > 0)
        library = extraction.library
        if len(library):
            save_library(workspace, library, extraction.segments)
            keep_labels(workspace, extraction.labels)
        save_tables(extraction, workspace, csv_kind)
    if as_json:
        print(to_json(extraction.records()))
    else:
        print(summary(extraction, genre_statistics(library), feature_ranges(library), workspace))
    if stop():
        return 128 + stop()
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
