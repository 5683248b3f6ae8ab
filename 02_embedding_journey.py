"""02 · Library → figures of songs from waveform to 641 numbers, and maps of all songs.

Reads data/processed/ (made by 01) and the audio files of the songs it draws. Writes outputs/plots/*.png and
outputs/html/*.html, and saves the map in models/, so that songs added later move no others. By default
it draws the most typical song: the one nearest the library's median. With --space cnn it draws maps alone.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from songmap.core.cli import new_parser, script_main, whole_number
from songmap.core.defaults import DEFAULT_SEED
from songmap.core.errors import UsageError
from songmap.core.progress import progress
from songmap.core.streams import quiet_decoders
from songmap.core.workspace import Workspace
from songmap.journey.run import compute_library, draw_songs, only_drawing
from songmap.journey.song_journey import choose_songs
from songmap.journey.song_map import METHODS
from songmap.journey.views.output import map_name, write_library
from songmap.journey.views.summary import last_words, not_drawn_table, written_table
from songmap.library.library import load_library


def build_parser() -> argparse.ArgumentParser:
    parser = new_parser(__doc__)
    which, add = parser.add_mutually_exclusive_group(), parser.add_argument
    songs = "songs to draw: a name, title or path of the library, or another audio file"
    which.add_argument("--song", nargs="+", action="extend", default=[], metavar="NAME|FILE", help=songs)
    which.add_argument("--all", action="store_true", dest="all_songs", help="draw every song of the library")
    add("--method", choices=METHODS, default="umap", help="method of the maps")
    space = "balanced: 157 descriptors; cnn: vectors of the network of 07, maps alone, in files of their own"
    add("--space", choices=("balanced", "cnn"), default="balanced", help=space)
    add("--refit", action="store_true", help="fit the maps again; otherwise new songs are placed on them")
    seed = f"seed of the maps (first time: {DEFAULT_SEED}); another one fits them again"
    add("--seed", type=whole_number(0, 2**32 - 1), metavar="N", help=seed)
    formats = ("png", "svg", "pdf")
    add("--format", nargs="+", choices=formats, default=["png"], dest="formats", help="file formats of figures")
    return parser


def run(workspace: Workspace, song: list[str], all_songs: bool, formats: list[str], **map_options: Any) -> int:
    library = load_library(workspace)
    only_maps = map_options["space"] == "cnn"
    if only_maps and (song or all_songs):
        raise UsageError("--space cnn draws maps alone; leave out --song and --all, or the space")
    formats = list(dict.fromkeys(formats))
    choices = (
        [] if only_maps else choose_songs(library, song, all_songs)
    )  # a wrong name is reported before the slow part
    with only_drawing(workspace):
        maps = compute_library(workspace, library, **map_options)
        written = write_library(workspace, maps, formats)
        with quiet_decoders(), progress("drawing") as on_progress:
            of_songs, not_drawn = draw_songs(workspace, library, maps, choices, formats, on_progress)
    if not_drawn:
        print(not_drawn_table(not_drawn))
    print(written_table(workspace.root, [*written, *of_songs]))
    print(last_words(workspace, workspace.page(map_name(maps.plane)), maps))
    return 1 if not_drawn else 0


def main(argv: Sequence[str] | None = None) -> int:
    return script_main(build_parser(), run, argv)


if __name__ == "__main__":
    sys.exit(main())
