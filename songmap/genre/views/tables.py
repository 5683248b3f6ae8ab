"""Lists of songs as CSV: a column per field, one per genre for probabilities, one per family for points."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from songmap.core.files import write_atomically
from songmap.core.text import readable
from songmap.genre.song_results import BoundarySong, ClassifiedSong, LabelIssue, ModelReference, UnknownSong
from songmap.genre.views.sentences import model_phrase

Song = BoundarySong | LabelIssue | UnknownSong | ClassifiedSong


def write_songs(path: Path, songs: Sequence[Song]) -> None:
    """One row per song; numbers with six decimals."""
    rows = [_row(song) for song in songs]
    text = io.StringIO()
    table = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    write_atomically(path, readable(text.getvalue()).encode())


def _row(song: Song) -> dict[str, Any]:
    """Sets as "A or B", probabilities at the end."""
    row: dict[str, Any] = {}
    last: dict[str, Any] = {}
    for name, value in vars(song).items():
        match name, value:
            case "probabilities", dict():
                last = {f"probability_{genre}": _cell(share) for genre, share in value.items()}
            case "points", dict():
                row |= {f"{family}_points": _cell(points) for family, points in value.items()}
            case _:
                row[name] = _cell(value)
    return row | last


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return f"{value:.6f}"
    if isinstance(value, ModelReference):
        return model_phrase(value)
    return " or ".join(value) if isinstance(value, list) else value
