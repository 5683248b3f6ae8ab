"""01 · Songs → data/processed/embeddings_matrix.npy and song_data.pkl.

Every audio file below the music folder becomes 641 named numbers. The folder directly below the music
folder is a song's genre, unless --labels says otherwise. A second run extracts only what is new or
changed; a run that was interrupted, or killed, goes on where it was.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from songmap.core.cli import new_parser, script_main, stop_on_interrupt, whole_number
from songmap.core.defaults import usable_cores
from songmap.core.errors import UsageError
from songmap.core.progress import progress
from songmap.core.serialise import to_json
from songmap.core.workspace import Workspace
from songmap.extract import report
from songmap.extract.executors import EXECUTORS
from songmap.extract.files import find_songs
from songmap.extract.labels import label_songs
from songmap.extract.run import Manner, extract_library, preview
from songmap.library.library import save_library
from songmap.library.schema import AudioConfig


def build_parser() -> argparse.ArgumentParser:
    parser = new_parser(__doc__)
    parser.add_argument("--music", type=Path, metavar="DIR", help="music folder (default: WORKSPACE/data/raw)")
    parser.add_argument(
        "--labels", default="folder", metavar="folder|tag|FILE.csv",
        help="where genres come from: GENRE/Artist/Album folders, the files' own tags, or a table of files and genres",
    )  # fmt: skip
    parser.add_argument(
        "--workers", type=whole_number(1), default=usable_cores(), metavar="N", help="songs at the same time"
    )
    parser.add_argument(
        "--timeout", type=whole_number(1), default=600, metavar="S", help="seconds after which a song is given up"
    )
    parser.add_argument(
        "--nice",
        type=whole_number(0, 19),
        default=10,
        metavar="N",
        help="how much the workers give way to other programs",
    )
    parser.add_argument("--limit", type=whole_number(1), metavar="N", help="decode at most N songs in this run")
    parser.add_argument("--retry-failed", action="store_true", help="try again what failed before and has not changed")
    parser.add_argument("--dry-run", action="store_true", help="say what there is to do, and do nothing")
    parser.add_argument(
        "--executor", choices=EXECUTORS, default="threads", help="where workers are kept; dask: on an existing cluster"
    )
    parser.add_argument("--scheduler", metavar="tcp://HOST:PORT", help="the cluster's scheduler, for --executor dask")
    parser.add_argument("--json", action="store_true", help="print the songs and failures as one JSON document")
    return parser


def run(
    workspace: Workspace, music: Path | None, labels: str, workers: int, timeout: int, nice: int, limit: int | None,
    retry_failed: bool, dry_run: bool, executor: str, scheduler: str | None, json: bool,
) -> int:  # fmt: skip
    if (executor == "dask") != (scheduler is not None):
        raise UsageError("--executor dask and --scheduler tcp://HOST:PORT belong together; give both or neither")
    music = (music or workspace.music).expanduser()
    songs = label_songs(find_songs(music), music, labels)
    manner = Manner(workers, executor, scheduler, timeout, nice, retry_failed, limit)
    if dry_run:
        plan = report.plan_record(preview(songs, workspace, manner))
        print(to_json(plan) if json else report.plan_summary(plan))
        return 0
    advice = "finishing the songs in flight; run the same command again to go on, Ctrl-C again to end at once"
    with stop_on_interrupt(advice) as stop, progress("extracting") as update:
        extraction = extract_library(songs, workspace, manner, on_progress=report.ticker(update), stop=stop)
    if len(extraction.library):
        save_library(workspace, extraction.library, AudioConfig())
    report.save_tables(extraction, workspace)
    print(to_json(report.records(extraction)) if json else report.summary(extraction, workspace))
    if stop():
        return 130
    return 0 if len(extraction.library) else 1


def main(argv: Sequence[str] | None = None) -> int:
    return script_main(build_parser(), run, argv)


if __name__ == "__main__":
    sys.exit(main())
