"""08 · Library and playlists → clusters by sound, communities by playlists, and whether the two agree: yes, no or undecided.

Reads data/processed/ (made by 01) and playlists: M3U, M3U8, XSPF, CSV (playlist, song) and slices of the Million Playlist
Dataset, of data/playlists unless --playlists says otherwise. Writes outputs/html/song_communities.html,
outputs/song_communities.csv and .json, and a playlist for each cluster. Without playlists there are clusters only.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from songmap.communities.community_detection import Detection
from songmap.communities.playlist_communities import GraphSettings
from songmap.communities.recommendation import DEFAULT_ALPHA
from songmap.communities.run import Options, song_communities
from songmap.communities.sound_spaces import SPACES
from songmap.communities.views.summary import communities_summary, verbose_summary
from songmap.core.cli import add_csv, fraction, new_parser, script_main, whole_number
from songmap.core.defaults import DEFAULT_SEED, usable_cores
from songmap.core.pager import show
from songmap.core.progress import progress
from songmap.core.serialise import to_json
from songmap.core.workspace import Workspace
from songmap.library.library import load_library


def build_parser() -> argparse.ArgumentParser:
    parser = new_parser(__doc__)
    add = parser.add_argument
    playlists = "folder of playlists, or one file (default: data/playlists of the workspace)"
    add("--playlists", type=Path, metavar="FOLDER", help=playlists)
    spaces = (
        f"spaces to cluster in, the first described: {', '.join(SPACES)}, and those of autoencoders; all by default"
    )
    add("--spaces", nargs="+", default=[], metavar="SPACE", help=spaces)
    add("--method", choices=("louvain", "leiden"), default="louvain", help="how communities are detected")
    add("--recommend", nargs="+", default=[], metavar="SONG", help="recommend songs that go with these")
    alpha = "of recommendations: 1 by playlists alone, 0 by sound alone"
    add("--alpha", type=fraction, default=DEFAULT_ALPHA, metavar="SHARE", help=alpha)
    add("--seed", type=whole_number(0, 2**31 - 1), default=DEFAULT_SEED, help="seed of clusters, communities, samples")
    add("--workers", type=whole_number(1, 256), default=usable_cores(), metavar="N", help="fits at the same time")
    add("--verbose", action="store_true", help="print all tables, not only the answer")
    add_csv(parser)
    add("--json", action="store_true", dest="as_json", help="print one JSON document instead of tables")
    return parser


def run(workspace: Workspace, as_json: bool, verbose: bool, csv_kind: Any, **options: Any) -> int:
    chosen = Options(
        playlists=options["playlists"].expanduser() if options["playlists"] else None,
        spaces=tuple(options["spaces"]),
        graph=GraphSettings(detection=Detection(method=options["method"], seed=options["seed"])),
        recommend=tuple(options["recommend"]),
        alpha=options["alpha"],
        workers=options["workers"],
        seed=options["seed"],
    )
    with progress("clustering") as on_progress:
        result = song_communities(workspace, load_library(workspace), chosen, on_progress, csv_kind)
    show(to_json(result) if as_json else verbose_summary(result) if verbose else communities_summary(result))
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    return script_main(build_parser(), run, argv)


if __name__ == "__main__":
    sys.exit(main())
