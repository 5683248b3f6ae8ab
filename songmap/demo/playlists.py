"""Synthesised playlists for a demo library: drawn by a seed from its moods and artists, written as M3U8 files.

    python -m songmap.demo.playlists WORKSPACE [--seed N]

Nobody listened to make them. A mood's playlist has songs of the lowest or highest third of the library in one quality, such as
fast ones; an artist's has songs of two artists. A fifth of each is drawn from all songs. That the playlists of moods agree with
sound is thus by construction; what the demo shows is how the program works, not that people choose songs by sound.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from songmap.core.cli import Parser, script_main, whole_number, workspace
from songmap.core.defaults import DEFAULT_SEED
from songmap.core.errors import UsageError
from songmap.core.text import file_name, shown_path
from songmap.core.workspace import Workspace
from songmap.library.display_names import display_title
from songmap.library.library import Library, load_library
from songmap.library.m3u8 import write_playlist
from songmap.library.recordings import recordings
from songmap.library.tempos import tempos_of
from songmap.library.trait_words import ADJECTIVES
from songmap.library.traits import HIGH_PERCENTILE, LOW_PERCENTILE, QUALITIES, qualities

PREFIX = "synthesised"
_PER_MOOD, _N_OF_ARTISTS = 3, 12  # playlists
_LENGTHS = (7, 13)  # songs, the second excluded
_OTHERS = 0.2  # share of songs drawn from all
_LEAST_SONGS = 12


@dataclass(frozen=True)
class _Listed:
    """What a playlist file says of a song."""

    duration: float
    artist: str
    display_title: str
    file_path: str


def draw_playlists(library: Library, seed: int = DEFAULT_SEED) -> dict[str, list[int]]:
    """Rows of the songs of each playlist by its name; the same seed and library give the same. Raises UsageError."""
    firsts = np.unique(recordings(library.songs))
    if len(firsts) < _LEAST_SONGS:
        raise UsageError(f"the library has {len(firsts)} songs: playlists of a demo need {_LEAST_SONGS} or more")
    rng = np.random.default_rng(seed)
    drawn = {}
    for name, own in _sources(library, firsts, rng):
        length = int(rng.integers(*_LENGTHS))
        chosen = rng.permutation(own)[: round(length * (1 - _OTHERS))]
        others = rng.permutation(np.setdiff1d(firsts, chosen))[: length - len(chosen)]
        drawn[name] = rng.permutation(np.concatenate([chosen, others])).tolist()
    return drawn


def _sources(library: Library, firsts: np.ndarray, rng: np.random.Generator) -> Iterator[tuple[str, np.ndarray]]:
    """Name of each playlist, and the rows that most of it is drawn from."""
    values = qualities(library.embeddings, tempos_of(library.songs)[0])
    for (quality, direction), adjective in ADJECTIVES.items():
        column = values[firsts, QUALITIES.index(quality)]
        known, column = firsts[np.isfinite(column)], column[np.isfinite(column)]
        if not len(known):
            continue
        low, high = np.percentile(column, [LOW_PERCENTILE, HIGH_PERCENTILE])
        for number in range(_PER_MOOD):
            yield f"{adjective} {number + 1}", known[column <= low if direction == "low" else column >= high]
    artists = library.songs["artist"].to_numpy()[firsts]
    names = sorted(set(artists.tolist()) - {""})
    for number in range(_N_OF_ARTISTS if len(names) > 1 else 0):
        pair = rng.choice(len(names), 2, replace=False)
        yield f"artists {number + 1}", firsts[np.isin(artists, [names[place] for place in pair])]


def run(place: Workspace, seed: int) -> int:
    library = load_library(place)
    playlists = draw_playlists(library, seed)
    columns = (library.songs[name].tolist() for name in ("duration", "artist", "song_name", "title", "file_path"))
    listed = [
        _Listed(duration, artist, display_title(song_name, artist, title), path)
        for duration, artist, song_name, title, path in zip(*columns, strict=True)
    ]
    for name, rows in playlists.items():
        file = place.playlists / f"{PREFIX}_{file_name(name)}.m3u8"
        write_playlist(file, [listed[row] for row in rows])
    print(f"{len(playlists)} synthesised playlists in {shown_path(place.playlists)}: drawn from moods and artists")
    return 0


def build_parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m songmap.demo.playlists", description=__doc__.splitlines()[0])
    parser.add_argument("place", type=workspace, metavar="WORKSPACE", help="folder on which 01 has run")
    parser.add_argument("--seed", type=whole_number(0), default=DEFAULT_SEED, metavar="N", help="other playlists")
    return parser


if __name__ == "__main__":
    sys.exit(script_main(build_parser(), run))
