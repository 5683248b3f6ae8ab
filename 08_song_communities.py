"""08 · Library and playlists → clusters by sound, communities by playlists, and whether the two agree: yes, no or undecided.

Reads data/processed/ (made by 01) and playlists: M3U, M3U8, XSPF, CSV (playlist, song) and slices of the Million Playlist
Dataset, of data/playlists unless --playlists says otherwise. Writes outputs/html/song_communities.html,
outputs/song_communities.csv and .json, and a playlist for each cluster. Without playlists there are clusters only.

--autoencoder trains an autoencoder on the songs' mel spectrograms (or loads the one of these settings and songs) and clusters
its latent codes too; it writes outputs/html/autoencoder.html. That needs PyTorch: pip install -r requirements-deep.txt
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from songmap.communities.autoencoder_settings import (
    ACTIVATIONS,
    DEFAULT_EPOCHS,
    DEFAULT_LATENT,
    LOSSES,
    MAPS,
    MODELS,
    VECTORS,
    AutoencoderOptions,
    AutoencoderSettings,
)
from songmap.communities.community_detection import Detection
from songmap.communities.playlist_communities import GraphSettings
from songmap.communities.recommendation import DEFAULT_ALPHA
from songmap.communities.run import Options, autoencoder_grid, song_communities
from songmap.communities.sound_spaces import SPACES
from songmap.communities.views.autoencoder_summary import grid_summary
from songmap.communities.views.summary import communities_summary, verbose_summary
from songmap.core.cli import add_csv, fraction, new_parser, script_main, whole_number
from songmap.core.defaults import DEFAULT_SEED, usable_cores
from songmap.core.errors import UsageError
from songmap.core.pager import show
from songmap.core.progress import logged, progress
from songmap.core.serialise import to_json
from songmap.core.workspace import Workspace
from songmap.library.library import load_library


def build_parser() -> argparse.ArgumentParser:
    parser = new_parser(__doc__)
    add = parser.add_argument
    playlists = "folder of playlists, or one file (default: data/playlists of the workspace)"
    add("--playlists", type=Path, metavar="FOLDER", help=playlists)
    spaces = (
        f"spaces to cluster in, the first described: {', '.join(SPACES)}, those of autoencoders; all of these by default; "
        "and cnn, of the network of 07"
    )
    add("--spaces", nargs="+", default=[], metavar="SPACE", help=spaces)
    add("--method", choices=("louvain", "leiden"), default="louvain", help="how communities are detected")
    add("--recommend", nargs="+", default=[], metavar="SONG", help="recommend songs that go with these")
    alpha = "of recommendations: 1 by playlists alone, 0 by sound alone"
    add("--alpha", type=fraction, default=DEFAULT_ALPHA, metavar="SHARE", help=alpha)
    add("--seed", type=whole_number(0, 2**31 - 1), default=DEFAULT_SEED, help="seed of clusters, communities, samples")
    add("--workers", type=whole_number(1, 256), default=usable_cores(), metavar="N", help="fits at the same time")
    add_autoencoder(parser)
    add("--verbose", action="store_true", help="print all tables, and every epoch")
    add_csv(parser)
    add("--json", action="store_true", dest="as_json", help="print one JSON document instead of tables")
    return parser


def add_autoencoder(parser: argparse.ArgumentParser) -> None:
    defaults, add = AutoencoderSettings(), parser.add_argument_group("autoencoders").add_argument
    add("--autoencoder", choices=MODELS, help="train one: cae, convolutional; vae, variational")
    latent = (
        f"latent code: {VECTORS[0]} to {VECTORS[1]}, a vector, or a published feature map: {', '.join(MAPS)}; 24x54x14 "
    )
    latent += "keeps 18,144 of 20,736 numbers and is not a bottleneck"
    add("--latent", default=DEFAULT_LATENT, metavar="SIZE", help=latent)
    add("--loss", choices=LOSSES, default=defaults.loss, help="gaussian: mean squared error")
    add("--activation", choices=ACTIVATIONS, default=defaults.activation, help="of hidden layers")
    add("--dropout", type=float, default=defaults.dropout, metavar="SHARE", help="0 to 0.5; published 0.2 to 0.4")
    add("--beta", type=float, default=defaults.beta, metavar="WEIGHT", help="of the divergence of a vae")
    add("--batch", type=whole_number(2, 1000), default=defaults.batch, metavar="N", help="excerpts of a step")
    add("--rate", type=float, default=defaults.learning_rate, metavar="RATE", help="step size of Adam at the start")
    add("--epochs", type=whole_number(1, 10_000), default=DEFAULT_EPOCHS, metavar="N", help="at most")
    add(
        "--grid",
        action="store_true",
        help="train with batches of 5, 10, 15 and rates 0.01 to 0.0005, print a table, end",
    )


def autoencoder_of(options: dict[str, Any]) -> AutoencoderOptions | None:
    names = ("latent", "epochs", "loss", "activation", "dropout", "beta", "batch")
    if options["autoencoder"] is None:
        defaults = AutoencoderSettings()
        unused = {name: getattr(defaults, name) for name in names} | {"rate": defaults.learning_rate, "grid": False}
        if given := [name for name, default in unused.items() if options[name] != default]:
            raise UsageError(f"--{given[0]} is of an autoencoder: add --autoencoder cae or vae")
        return None
    chosen = {name: options[name] for name in names}
    settings = AutoencoderSettings(
        options["autoencoder"], learning_rate=options["rate"], seed=options["seed"], **chosen
    )
    return AutoencoderOptions(settings, workers=options["workers"])


def run(workspace: Workspace, as_json: bool, verbose: bool, csv_kind: Any, **options: Any) -> int:
    autoencoder = autoencoder_of(options)
    # a line per epoch, with its scores, instead of a bar
    epochs = logged("songmap") if verbose and autoencoder else None
    if autoencoder and options["grid"]:
        with epochs or progress("training") as on_progress:
            grid = autoencoder_grid(workspace, load_library(workspace), autoencoder, on_progress, csv_kind)
        show(to_json(grid) if as_json else grid_summary(grid))
        return 0
    chosen = Options(
        playlists=options["playlists"].expanduser() if options["playlists"] else None,
        spaces=tuple(options["spaces"]),
        graph=GraphSettings(detection=Detection(method=options["method"], seed=options["seed"])),
        recommend=tuple(options["recommend"]),
        alpha=options["alpha"],
        workers=options["workers"],
        seed=options["seed"],
        autoencoder=autoencoder,
    )
    with epochs or progress("comparing") as on_progress:
        result = song_communities(workspace, load_library(workspace), chosen, on_progress, csv_kind)
    show(to_json(result) if as_json else verbose_summary(result) if verbose else communities_summary(result))
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    return script_main(build_parser(), run, argv)


if __name__ == "__main__":
    sys.exit(main())
