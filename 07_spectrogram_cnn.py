"""07 · Library → genres by a network that looks at spectrograms, beside the models of 06.

Reads data/processed/ (made by 01) and the songs' files. Trains a convolutional network on excerpts, evaluates it in the
folds of 06 beside models on the 641 columns, and joined with the best of them. Writes outputs/html/spectrogram_cnn.html,
outputs/spectrogram_cnn.json, outputs/plots/spectrogram_cnn_curves.png and models/spectrogram/. Every epoch is kept: a run
that is stopped goes on there.

Needs PyTorch: pip install -r requirements-deep.txt
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from songmap.core.cli import new_parser, script_main, whole_number
from songmap.core.defaults import DEFAULT_SEED, usable_cores
from songmap.core.errors import AudioError
from songmap.core.pager import show
from songmap.core.progress import logged, progress
from songmap.core.serialise import to_json
from songmap.core.text import shown_path
from songmap.core.workspace import Workspace
from songmap.spectrogram.filters_run import explain_song, filter_songs, study_layer
from songmap.spectrogram.run import export_images, predict_files, train_network
from songmap.spectrogram.settings import DEFAULT_EPOCHS, DEVICES, INPUTS, KIND_OF, FittingOptions, TrainingSettings
from songmap.spectrogram.views.filter_files import write_filter_playlist, write_filters_page, write_reasons_page
from songmap.spectrogram.views.filter_summary import layer_summary, playlist_summary, reasons_summary
from songmap.spectrogram.views.summary import network_summary, prediction_line, verbose_summary


def build_parser() -> argparse.ArgumentParser:
    parser = new_parser(__doc__)
    add = parser.add_argument
    network = "image: 2-D convolutions, 6 s; frames: convolutions over time, 14 s; residual: residual blocks, 5 s"
    add("--network", choices=tuple(KIND_OF), default="image", help=network)
    add(
        "--input", choices=INPUTS, default="mel", dest="input_name", help="with --network frames: mfcc, 13 coefficients"
    )
    add("--epochs", type=whole_number(1, 10_000), default=DEFAULT_EPOCHS, metavar="N", help="at most")
    add("--device", choices=DEVICES, default="auto", help="auto: the GPU where there is one")
    group_by = "keep songs of one artist, album or recording on one side of every split"
    add("--group-by", choices=("strictest", "artist", "album", "song"), default="strictest", help=group_by)
    add("--seed", type=whole_number(0, 2**31 - 1), default=DEFAULT_SEED, help="seed of folds and networks")
    add("--workers", type=whole_number(1, 256), default=usable_cores(), metavar="N", help="trainings at the same time")
    predict = "predict genres of these files, and of all in these folders, by the trained network; train nothing"
    add("--predict", nargs="+", type=Path, metavar="FILE", help=predict)
    export = "write excerpts as PNG to outputs/spectrograms/KIND/GENRE/; train nothing"
    add("--export-images", action="store_true", help=export)
    filters = "describe what the filters of a layer of the trained network respond to (default: the last layer)"
    add("--filters", nargs="?", const="", metavar="LAYER", help=filters)
    playlist = "write the songs that this filter, of the layer of --filters, responds to most as a playlist"
    add("--filter", type=whole_number(1), metavar="N", help=playlist)
    add("--explain", metavar="SONG", help="show which times and frequencies of a song speak for its genre")
    add("--verbose", action="store_true", help="print all tables, and every epoch")
    add("--json", action="store_true", dest="as_json", help="print one JSON document instead of tables")
    return parser


def run(
    workspace: Workspace, predict: list[Path] | None, as_json: bool, verbose: bool, **options: str | int | bool
) -> int:
    settings = TrainingSettings(options["network"], options["input_name"], options["epochs"], options["seed"])
    if options["export_images"]:
        with progress("writing") as on_progress:
            folder, number = export_images(workspace, settings.kind.name, options["workers"], on_progress)
        show(to_json({"folder": folder, "pictures": number}) if as_json
             else f"{number:,} pictures in {shown_path(folder)}")  # fmt: skip
        return 0
    if options["explain"] is not None:
        return print_reasons(workspace, settings.name, options["explain"], as_json)
    if options["filter"] is not None:
        return print_playlist(workspace, settings.name, options["filters"] or None, options["filter"], as_json)
    if options["filters"] is not None:
        return print_filters(workspace, settings.name, options["filters"] or None, as_json, verbose)
    if predict:
        return print_predictions(workspace, settings.name, predict, as_json)
    chosen = FittingOptions(settings, options["device"], options["workers"], options["group_by"])
    # a line per epoch, with its scores, instead of a bar
    with logged("songmap") if verbose else progress("training") as on_progress:
        report = train_network(workspace, chosen, on_progress)
    show(to_json(report) if as_json else verbose_summary(report) if verbose else network_summary(report))
    return 0


def print_predictions(workspace: Workspace, name: str, files: Sequence[Path], as_json: bool) -> int:
    """A line per file, or one JSON document; 1 where a file has no prediction."""
    results = []
    for file, result in predict_files(workspace, name, files):
        results.append((file, result))
        if not as_json:
            print(prediction_line(str(file), result), file=sys.stderr if isinstance(result, AudioError) else sys.stdout)
    if as_json:
        show(to_json([{"file_path": str(file), "error": str(one)} if isinstance(one, AudioError) else one
                      for file, one in results]))  # fmt: skip
    return int(any(isinstance(one, AudioError) for _, one in results))


def print_filters(workspace: Workspace, name: str, layer: str | None, as_json: bool, verbose: bool) -> int:
    with progress("describing filters") as on_progress:
        study = study_layer(workspace, name, layer, on_progress)
    page = write_filters_page(workspace, study.description, study.patches, study.clips)
    show(to_json(study.description) if as_json else layer_summary(study.description, verbose, page))
    return 0


def print_playlist(workspace: Workspace, name: str, layer: str | None, number: int, as_json: bool) -> int:
    with progress("listing songs") as on_progress:
        songs = filter_songs(workspace, name, layer, number, on_progress)
    file = write_filter_playlist(workspace, songs)
    show(to_json(songs) if as_json else playlist_summary(songs, file))
    return 0


def print_reasons(workspace: Workspace, name: str, song: str, as_json: bool) -> int:
    with progress("explaining") as on_progress:
        study = explain_song(workspace, name, song, on_progress)
    page = write_reasons_page(workspace, study.reasons, (study.level_db, study.attribution), study.columns)
    show(to_json(study.reasons) if as_json else reasons_summary(study.reasons, page))
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    return script_main(build_parser(), run, argv)


if __name__ == "__main__":
    sys.exit(main())
