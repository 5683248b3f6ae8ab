"""03 · Library → a genre classifier with its scores, reasons and doubts; or new files → their genres.

Learns from data/processed/ (made by 01): compares several models on songs and, where possible, artists that they never
heard, and serves one. Writes models/genre_classifier.pkl and .json (its card), outputs/html/genre_report.html,
outputs/genre_report.json, outputs/*.csv and outputs/plots/genre_*.png.
With --classify it learns nothing: the saved model names the genres of other audio files.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from songmap.core.cli import new_parser, script_main, whole_number
from songmap.core.defaults import DEFAULT_SEED
from songmap.core.errors import UsageError
from songmap.core.progress import progress
from songmap.core.serialise import to_json
from songmap.core.streams import quiet_decoders
from songmap.core.tables import format_table
from songmap.core.workspace import Workspace
from songmap.genre.document import set_in_words
from songmap.genre.material import GROUP_BY
from songmap.genre.models import CANDIDATES
from songmap.genre.naming import classify_files
from songmap.genre.run import classify_library
from songmap.library.library import load_library

N_PRINTED = 10


def build_parser() -> argparse.ArgumentParser:
    parser = new_parser(__doc__)
    parser.add_argument(
        "--classify", nargs="+", action="extend", default=[], type=Path, metavar="FILE",
        help="classify and explain audio files with the saved model instead of learning one",
    )  # fmt: skip
    parser.add_argument(
        "--song", metavar="NAME", help="song to explain: name, title or path (default: the least certain song)"
    )
    parser.add_argument(
        "--all", action="store_true", dest="every_song",
        help="also explain every song of the library: outputs/genres_all_songs.csv (a run without it removes that)",
    )  # fmt: skip
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--model", choices=tuple(CANDIDATES),
        help="model to serve (default: pca_xgboost, unless another is better by more than one standard error)",
    )  # fmt: skip
    which.add_argument(
        "--preset", choices=("published",), dest="model", default=argparse.SUPPRESS,
        help="the same as --model published: the parameters for 2 genres and 300 songs, too strict for small libraries",
    )  # fmt: skip
    parser.add_argument(
        "--group-by", choices=("strictest", *GROUP_BY), default="strictest",
        help="whose songs never stand on both sides of a split",
    )  # fmt: skip
    parser.add_argument(
        "--seed", type=whole_number(0, 2**31 - 1), default=DEFAULT_SEED, help="seed of splits, trees and resampling"
    )
    parser.add_argument("--json", action="store_true", dest="as_json", help="print one JSON document instead of tables")
    return parser


def run(
    workspace: Workspace,
    classify: list[Path],
    song: str | None,
    every_song: bool,
    model: str | None,
    group_by: str,
    seed: int,
    as_json: bool,
) -> int:
    if classify:
        if song is not None or every_song or model is not None or (group_by, seed) != ("strictest", DEFAULT_SEED):
            raise UsageError("--classify uses the saved model: leave out all other options but --json")
        return name_genres(workspace, classify, as_json)
    document = classify_library(
        workspace, load_library(workspace), progress,
        model=model, group_by=group_by, seed=seed, song=song, every_song=every_song,
    )  # fmt: skip
    print(to_json(document) if as_json else summary(document))
    return 0


def name_genres(workspace: Workspace, files: list[Path], as_json: bool) -> int:
    """Print the genres of new files with their reasons, and on stderr those that could not be heard."""
    with quiet_decoders(), progress("listening") as on_progress:
        named = classify_files(workspace, files, on_progress)
    if named.note:
        print(f"note: {named.note}", file=sys.stderr)
    for file, reason in named.failures:
        print(f"not classified: {file}: {reason}", file=sys.stderr)
    if as_json:
        print(to_json(named.records))
    else:
        words = ["\n".join([record["file_path"], *record["sentences"]]) for record in named.records]
        table = format_table([flat(record) for record in named.records], "Genres")
        print("\n\n".join([table, *words, *(f"Limit: {limit}." for limit in named.limits)]))
    return 1 if named.failures else 0


def summary(document: dict) -> str:
    """Scores, checks, genres, limits, boundary songs, one song in words, files."""
    scores = ("accuracy", "accuracy_low", "accuracy_high", "balanced_accuracy", "macro_f1", "log_loss", "ece")
    parts = [
        format_table(
            [pick(record, "tested_on", *scores, "baseline_accuracy") for record in document["scores"]],
            f"Scores on songs not learned from\n{document['reason']}",
        ),
        format_table([pick(record, "title", *scores) for record in document["candidates"]], "All, in the same folds"),
        "\n".join(document[check]["meaning"] for check in ("leakage", "gap", "permutation")),
        format_table(document["per_genre"], "By genre: cross-validation, then test songs"),
        format_table(
            document["families"], "Points of probability that families add towards a genre, for its own songs"
        ),
        "\n".join([document["grouping"], *(f"Limit: {limit}." for limit in document["limits"])]),
        format_table([flat(record) for record in document["boundary_songs"][:N_PRINTED]], "Songs between genres"),
    ]
    for name, title in (("doubtful_labels", "Labels to check"), ("unknown_songs", "Songs without a genre")):
        if document[name]:
            rows = [flat(record) for record in document[name][:N_PRINTED]]
            parts.append(format_table(rows, f"{title}, {len(document[name])} in all"))
    parts += ["\n".join(document["song"]["sentences"]), format_table(document["written"], "Written")]
    return "\n\n".join(parts)


def pick(record: dict, *names: str) -> dict:
    return {name: record[name] for name in names}


def flat(record: dict) -> dict:
    """What a line of a terminal has room for; a set of genres in words."""
    names = ("genre", "predicted_genre", "probably", "probability", "normalised_entropy")
    if "sentences" in record:  # a file from outside has no genre yet
        row = pick(record, "file_path", "predicted_genre", "probability")
    else:
        row = pick(record, "song_name", *(name for name in names if name in record))
    return row | ({"90 % set": set_in_words(record["genre_set"])} if "genre_set" in record else {})


def main(argv: Sequence[str] | None = None) -> int:
    return script_main(build_parser(), run, argv)


if __name__ == "__main__":
    sys.exit(main())
