"""02 · Library → pictures of the way from waveform to 641 numbers, and maps of all songs.

Reads data/processed/ (made by 01) and hears the songs it draws again. Writes outputs/plots/*.png and
outputs/html/*.html, and keeps the map in models/, so that songs that come later move no others. By default
it draws the most typical song: the one nearest the library's median.
"""

import argparse
import sys
from collections.abc import Sequence

from songmap.core.cli import new_parser, script_main, whole_number
from songmap.core.defaults import DEFAULT_SEED
from songmap.core.errors import AudioError
from songmap.core.progress import progress
from songmap.core.streams import quiet_decoders
from songmap.core.tables import format_table
from songmap.core.workspace import Workspace
from songmap.journey.run import choose_songs, draw_library, draw_song
from songmap.journey.song_map import METHODS
from songmap.library.library import load_library


def build_parser() -> argparse.ArgumentParser:
    parser = new_parser(__doc__)
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--song", nargs="+", action="extend", default=[], metavar="NAME|FILE",
        help="songs to draw: a name, title or path of the library, or another audio file",
    )  # fmt: skip
    which.add_argument("--all", action="store_true", dest="all_songs", help="draw every song of the library")
    parser.add_argument("--method", choices=METHODS, default="umap", help="how the maps are drawn")
    parser.add_argument("--refit", action="store_true", help="draw the maps anew; else new songs are placed on them")
    parser.add_argument(
        "--seed", type=whole_number(0, 2**32 - 1), metavar="N",
        help=f"seed of the maps; another than the kept ones' draws them anew (first time: {DEFAULT_SEED})",
    )  # fmt: skip
    parser.add_argument(
        "--format", nargs="+", choices=("png", "svg", "pdf"), default=["png"], dest="formats", help="of the pictures"
    )
    return parser


def run(
    workspace: Workspace, song: list[str], all_songs: bool, method: str, refit: bool, seed: int | None,
    formats: list[str],
) -> int:  # fmt: skip
    library = load_library(workspace)
    formats = list(dict.fromkeys(formats))
    choices = choose_songs(library, song, all_songs)  # a wrong name is told before the slow part
    written, plane = draw_library(workspace, library, method, seed, refit, formats)
    failures = []
    with quiet_decoders(), progress("drawing") as on_progress:
        for number, choice in enumerate(choices, start=1):
            try:
                written += draw_song(workspace, library, choice, plane, formats)
            except AudioError as error:
                failures.append({"not_drawn": str(choice.path), "reason": str(error)})
            on_progress(number, len(choices))
    if failures:
        print(format_table(failures, "Not drawn"))
    print(format_table([{"file": str(path), "shows": shows} for path, shows in written], "Written"))
    return 1 if failures else 0


def main(argv: Sequence[str] | None = None) -> int:
    return script_main(build_parser(), run, argv)


if __name__ == "__main__":
    sys.exit(main())
