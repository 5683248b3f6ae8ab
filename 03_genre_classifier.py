"""03 · Library → a genre classifier with its scores, reasons and doubts; or new files → their genres.

Trains on data/processed/ (made by 01): standardised columns, PCA, gradient-boosted trees. Writes
models/genre_classifier.pkl and .json, outputs/boundary_songs.csv and outputs/plots/genre_*.png.
With --classify it trains nothing: the saved model names the genres of other audio files.
"""

import argparse
import sys
from dataclasses import asdict
from pathlib import Path

from songmap.core.artifacts import load_library
from songmap.core.cli import new_parser, progress, quiet_decoders, script_main, whole_number
from songmap.core.config import DEFAULT_SEED, Workspace
from songmap.core.schema import N_COLUMNS
from songmap.core.tables import format_table, to_json
from songmap.genre.models import DEFAULT_COMPONENTS, PRESETS
from songmap.genre.run import Report, classify_files, classify_library

N_PRINTED = 10


def build_parser() -> argparse.ArgumentParser:
    parser = new_parser(__doc__)
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--classify", nargs="+", action="extend", default=[], type=Path, metavar="FILE",
        help="classify audio files with the saved model instead of training",
    )  # fmt: skip
    what.add_argument(
        "--song", metavar="NAME", help="song to explain: name, title or path (default: the least certain song)"
    )
    parser.add_argument(
        "--preset", choices=sorted(PRESETS), default="default",
        help="hyper-parameters: 'published' are those for 2 genres and 300 songs, too strict for small libraries",
    )  # fmt: skip
    parser.add_argument(
        "--components", type=whole_number(1, N_COLUMNS), default=DEFAULT_COMPONENTS, metavar="N",
        help="PCA components, at most the number of training songs - 1",
    )  # fmt: skip
    parser.add_argument(
        "--seed", type=whole_number(0, 2**31 - 1), default=DEFAULT_SEED, help="seed of splits and trees"
    )
    parser.add_argument("--json", action="store_true", dest="as_json", help="print one JSON document instead of tables")
    return parser


def run(
    workspace: Workspace, classify: list[Path], song: str | None, preset: str, components: int, seed: int, as_json: bool
) -> int:
    if classify:
        return name_genres(workspace, classify, as_json)
    library = load_library(workspace)
    report = classify_library(workspace, library, preset=preset, components=components, seed=seed, song=song)
    print(to_json(asdict(report)) if as_json else summary(report))
    return 0


def name_genres(workspace: Workspace, files: list[Path], as_json: bool) -> int:
    """Print the genres of new files, and on stderr those that could not be heard."""
    with quiet_decoders(), progress("listening") as on_progress:
        records, failures, limits = classify_files(workspace, files, on_progress)
    for file, reason in failures:
        print(f"not classified: {file}: {reason}", file=sys.stderr)
    table = format_table([flat(record) for record in records], "Genres")
    print(to_json(records) if as_json else "\n".join([table, *(f"Limit: {limit}." for limit in limits)]))
    return 1 if failures else 0


def summary(report: Report) -> str:
    """Scores, genres, limits, boundary songs, one song in words, files."""
    parts = [
        format_table(report.scores, "Scores on songs not trained on; the baseline always says the commonest genre"),
        format_table(report.per_genre, "By genre: cross-validation, then test songs"),
        "\n".join([report.grouping, *(f"Limit: {limit}." for limit in report.limits)]),
    ]
    doubtful = [
        {name: record[name] for name in ("song_name", "genre", "predicted_genre", "probability", "normalised_entropy")}
        for record in report.boundary_songs[:N_PRINTED]
    ]
    parts.append(format_table(doubtful, "Songs between genres"))
    if report.unknown_songs:
        named = [flat(record) for record in report.unknown_songs[:N_PRINTED]]
        parts.append(format_table(named, f"Songs without a genre, {len(report.unknown_songs)} in all"))
    parts += ["\n".join(report.song["sentences"]), format_table(report.written, "Written")]
    return "\n\n".join(parts)


def flat(record: dict) -> dict:
    """A classified file as one row: path, genre and the likeliest three probabilities in words."""
    likeliest = sorted(record["probabilities"].items(), key=lambda item: -item[1])[:3]
    return {
        "file_path": record["file_path"],
        "predicted_genre": record["predicted_genre"],
        "probability": record["probability"],
        "likeliest": ", ".join(f"{genre} {100 * share:.0f} %" for genre, share in likeliest),
    }


if __name__ == "__main__":
    sys.exit(script_main(build_parser(), run))
