"""03 · Library → a genre classifier with its scores and explanations; or new files → their genres.

Trains on data/processed/ (made by 01): compares several models on songs and, where possible, artists outside their
training data, and saves one. Writes models/genre_classifier.npz, the same as .pkl for other tools, and .json, its card;
outputs/html/genre_report.html, outputs/genre_report.json, outputs/*.csv and outputs/plots/genre_*.png: all or none.
With --classify it trains nothing: the saved model classifies other audio files.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from songmap.core.cli import add_csv, new_parser, script_main, whole_number
from songmap.core.defaults import DEFAULT_SEED
from songmap.core.errors import UsageError
from songmap.core.pager import show
from songmap.core.progress import progress
from songmap.core.serialise import to_json
from songmap.core.streams import quiet_decoders
from songmap.core.workspace import Workspace
from songmap.genre.candidates import CANDIDATES
from songmap.genre.dataset import GROUP_BY
from songmap.genre.predict import classify_files
from songmap.genre.run import Options, classify_library
from songmap.genre.views.summary import classification_notes, classification_summary, report_summary, verbose_summary
from songmap.library.library import load_library


def build_parser() -> argparse.ArgumentParser:
    parser = new_parser(__doc__)
    add = parser.add_argument
    classify = "classify audio files, and all those in folders, with the saved model instead of training one"
    add("--classify", nargs="+", action="extend", default=[], type=Path, metavar="FILE", help=classify)
    add("--song", metavar="NAME", help="song to explain: name, title or path (default: the least certain song)")
    every = "also explain every song of the library: outputs/genres_all_songs.csv (a run without it removes that)"
    add("--all", action="store_true", dest="every_song", help=every)
    which = parser.add_mutually_exclusive_group()
    model = f"model to use, one of {', '.join(CANDIDATES)} (default: the simplest whose log loss is within one standard error of the smallest)"
    which.add_argument("--model", choices=tuple(CANDIDATES), metavar="MODEL", help=model)
    preset = "the same as --model published: the parameters for 2 genres and 300 songs, too strict for small libraries"
    which.add_argument("--preset", choices=("published",), dest="model", default=argparse.SUPPRESS, help=preset)
    group_by = "keep songs of one artist, album or recording on one side of every split"
    add("--group-by", choices=("strictest", *GROUP_BY), default="strictest", help=group_by)
    add("--seed", type=whole_number(0, 2**31 - 1), default=DEFAULT_SEED, help="seed of splits, trees and resampling")
    add("--verbose", action="store_true", help="print all tables and explanations, not only the answer")
    add_csv(parser)
    add("--json", action="store_true", dest="as_json", help="print one JSON document instead of tables")
    return parser


def run(workspace: Workspace, classify: list[Path], as_json: bool, verbose: bool, **options: Any) -> int:
    if classify:
        if Options(**options) != Options():
            raise UsageError("--classify uses the saved model: leave out all other options but --json and --verbose")
        return classify_and_print(workspace, classify, as_json, verbose)
    with progress("training and explaining") as on_progress:
        report = classify_library(workspace, load_library(workspace), Options(**options), on_progress)
    show(to_json(report) if as_json else verbose_summary(report) if verbose else report_summary(report))
    return 0


def classify_and_print(workspace: Workspace, paths: list[Path], as_json: bool, verbose: bool) -> int:
    """Print the genres of new files, and on stderr those that could not be analysed."""
    with quiet_decoders(), progress("analysing") as on_progress:
        classification = classify_files(workspace, paths, on_progress)
    for note in classification_notes(classification):
        print(note, file=sys.stderr)
    show(to_json(classification.songs) if as_json else classification_summary(classification, verbose))
    return 1 if classification.failures else 0


def main(argv: Sequence[str] | None = None) -> int:
    return script_main(build_parser(), run, argv)


if __name__ == "__main__":
    sys.exit(main())
