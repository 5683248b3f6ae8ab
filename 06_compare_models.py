"""06 · Library, or any table of features → which model and which features are best, and which differences are real.

Reads data/processed/ (made by 01), or a CSV file with a label per row. Compares models on the same grouped, repeated
folds. Writes outputs/html/model_comparison.html, outputs/model_comparison.csv, …_genres.csv and .json. Finished fits are
kept in outputs/model_comparison.sqlite: a run that is stopped goes on there.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from songmap.compare.csv_table import CsvOptions, csv_dataset
from songmap.compare.dataset import Dataset, library_dataset
from songmap.compare.feature_sets import DEFAULT_SETS, FEATURE_SETS, SHORTCUTS, feature_set_names
from songmap.compare.models import MODELS, model_names
from songmap.compare.run import N_REPEATS, Options, write_comparison
from songmap.compare.views.files import write_features
from songmap.compare.views.summary import comparison_summary, verbose_summary
from songmap.core.cli import add_csv, new_parser, script_main, whole_number
from songmap.core.defaults import DEFAULT_SEED, usable_cores
from songmap.core.errors import UsageError
from songmap.core.pager import show
from songmap.core.progress import progress
from songmap.core.serialise import to_json
from songmap.core.text import shown_path
from songmap.core.workspace import Workspace
from songmap.library.library import load_library

QUICK_FEATURES = ("descriptors", "spectral25")


def build_parser() -> argparse.ArgumentParser:
    parser = new_parser(__doc__)
    add = parser.add_argument
    models = f"models: {', '.join([*MODELS, 'all'])}"
    add("--models", nargs="+", default=["all"], metavar="MODEL", help=models)
    features = f"feature sets of the library: {', '.join([*FEATURE_SETS, *SHORTCUTS])}"
    add("--features", nargs="+", default=list(DEFAULT_SETS), metavar="SET", help=features)
    table = "compare on this table instead of the library: a CSV file with a row per song or piece of one"
    add("--features-csv", type=Path, metavar="FILE", help=table)
    add("--label", metavar="COLUMN", help="with --features-csv: the column of genres")
    group = "with --features-csv: the column of what stays together, or a regular expression for that in file names"
    add("--group", metavar="COLUMN|PATTERN", help=group)
    add("--drop", nargs="+", action="extend", default=[], metavar="COLUMN", help="with --features-csv: leave these out")
    add("--impute", action="store_true", help="with --features-csv: fill missing values with medians, within folds")
    export = "write the library's 641 columns to outputs/features.csv and, with pyarrow, .parquet; compare nothing"
    add("--export", action="store_true", help=export)
    add("--repeats", type=whole_number(1, 100), default=N_REPEATS, metavar="N", help="how often folds are drawn")
    add("--quick", action="store_true", help=f"one repeat on {' and '.join(QUICK_FEATURES)}")
    group_by = "keep songs of one artist, album or recording on one side of every split"
    add("--group-by", choices=("strictest", "artist", "album", "song"), default="strictest", help=group_by)
    add("--seed", type=whole_number(0, 2**31 - 1), default=DEFAULT_SEED, help="seed of folds and models")
    add("--workers", type=whole_number(1, 256), default=usable_cores(), metavar="N", help="fits at the same time")
    add("--verbose", action="store_true", help="print all tables, not only the answer")
    add_csv(parser)
    add("--json", action="store_true", dest="as_json", help="print one JSON document instead of tables")
    return parser


def run(workspace: Workspace, as_json: bool, verbose: bool, **options: Any) -> int:
    if options["export"]:
        for one in write_features(workspace, load_library(workspace), options["csv_kind"]):
            print(shown_path(one.path))
        return 0
    if options.pop("quick"):
        options |= {"repeats": 1}
        if options["features_csv"] is None:
            options |= {"features": list(QUICK_FEATURES)}
    models = tuple(model_names(options["models"]))
    dataset = read_dataset(workspace, **options)
    chosen = Options(models, options["repeats"], options["seed"], options["workers"])
    with progress("comparing") as on_progress:
        comparison = write_comparison(workspace, dataset, chosen, on_progress, options["csv_kind"])
    show(to_json(comparison) if as_json else verbose_summary(comparison) if verbose else comparison_summary(comparison))
    return 0


def read_dataset(
    workspace: Workspace, features_csv: Path | None, label: str | None, features: list[str], **options: Any
) -> Dataset:
    """The table of --features-csv, or the library by its feature sets."""
    if features_csv is None:
        if label or options["group"] or options["drop"] or options["impute"]:
            raise UsageError("--label, --group, --drop and --impute are of a table; name it by --features-csv")
        return library_dataset(load_library(workspace), feature_set_names(features), options["group_by"])
    if label is None:
        raise UsageError(f"--features-csv {features_csv}: name the column of genres by --label")
    if features != list(DEFAULT_SETS) or options["group_by"] != "strictest":
        raise UsageError(
            "--features and --group-by are of the library; with --features-csv there are --drop and --group"
        )
    return csv_dataset(
        features_csv.expanduser(), CsvOptions(label, options["group"], tuple(options["drop"]), options["impute"])
    )


def main(argv: Sequence[str] | None = None) -> int:
    return script_main(build_parser(), run, argv)


if __name__ == "__main__":
    sys.exit(main())
