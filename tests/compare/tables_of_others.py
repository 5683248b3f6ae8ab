"""Tables like those that are passed around, as CSV files."""

from pathlib import Path

import numpy as np

N_COLUMNS = 12
GENRES = ("blues", "classical", "metal")


def write_table(
    path: Path, *, songs: int = 8, pieces: int = 10, named: bool = True, shared: float = 0.0, seed: int = 0
):
    """Songs that differ, of genres that differ by ``shared``, in similar pieces; named as GTZAN's are."""
    rng = np.random.default_rng(seed)
    lines = [",".join([*(["filename"] if named else []), *(f"mfcc{i}_mean" for i in range(N_COLUMNS)), "label"])]
    for genre in GENRES:
        centre = shared * rng.normal(size=N_COLUMNS)
        for song in range(songs):
            base = centre + rng.normal(size=N_COLUMNS)
            for piece in range(pieces):
                numbers = [f"{value:.6f}" for value in base + 0.2 * rng.normal(size=N_COLUMNS)]
                name = f"{genre}.{song:05d}.{piece}.wav" if pieces > 1 else f"{genre}.{song:05d}.wav"
                lines.append(",".join([*([name] if named else []), *numbers, genre]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
