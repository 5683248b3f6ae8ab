"""Small libraries whose songs are files that can be read: beats and drones of a few seconds."""

from pathlib import Path

import numpy as np
import soundfile
from signals import RATE_HZ, clicks, noise, tone

from songmap.core.workspace import Workspace
from songmap.features.analysis import analyse_file
from songmap.library.library import Library, save_library, song_table

GENRES = ("BEATS", "DRONES")


def write_song(path: Path, genre: str, seed: int, duration_s: float = 3.2) -> None:
    """A beat of its own tempo over noise, or a chord of its own pitch."""
    if genre == "BEATS":
        samples = clicks(100 + 5 * seed, duration_s) + noise(duration_s, level=0.01, seed=seed)
    else:
        root_hz = 110 * 2 ** (seed / 12)
        samples = sum(tone(root_hz * ratio, duration_s, level=0.15) for ratio in (1, 1.5, 2.52))
        samples = samples + noise(duration_s, level=0.001, seed=seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, RATE_HZ)


def analysed(paths: list[Path]) -> Library:
    """The library that 01 makes of files in folders of genres; two songs an artist."""
    analyses = [analyse_file(path) for path in sorted(paths)]
    records = [
        one.record | {"genre": path.parent.name, "artist": f"{path.parent.name} {int(path.stem) // 2}"}
        for path, one in zip(sorted(paths), analyses, strict=True)
    ]
    return Library(np.stack([one.embedding for one in analyses]), song_table(records))


def sounding_workspace(folder: Path, n_songs: int = 12) -> Workspace:
    """A workspace with a saved library of as many songs of each genre."""
    paths = []
    for number in range(n_songs):
        for genre in GENRES:
            paths.append(folder / "data" / "raw" / genre / f"{number:02d}.wav")
            write_song(paths[-1], genre, number)
    workspace = Workspace(folder)
    save_library(workspace, analysed(paths))
    return workspace
