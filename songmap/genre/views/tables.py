"""Lists of songs as CSV: a column per field, one per genre for probabilities, one per family for points."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from songmap.core.files import write_atomically
from songmap.core.tables import CsvKind, csv_lines
from songmap.genre.novelty_results import SongNovelty
from songmap.genre.song_results import ListedSong, ModelReference
from songmap.genre.views.sentences import model_phrase


def write_songs(path: Path, songs: Sequence[ListedSong], kind: CsvKind = "spreadsheet") -> None:
    """One row per song; numbers with six decimals, sets as "A or B", probabilities at the end; ``kind`` as in ``csv_text``."""
    rows: list[dict[str, Any]] = [_row(vars(song)) for song in songs]
    lines = csv_lines([rows[0].keys(), *(row.values() for row in rows)], kind)
    write_atomically(path, "".join(f"{line}\n" for line in lines).encode())


def _row(song: Mapping[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name, value in song.items():
        if name == "points":
            row |= {f"{family}_points": _cell(one) for family, one in value.items()}
        elif isinstance(value, SongNovelty):
            row |= {"novelty_distance": _cell(value.distance), "is_novel": value.is_novel}
        else:
            row[name] = _cell(value)
    probabilities = row.pop("probabilities", {})
    return row | {f"probability_{genre}": _cell(share) for genre, share in probabilities.items()}


def _cell(value: Any) -> Any:
    if isinstance(value, ModelReference):
        return model_phrase(value)
    if isinstance(value, float):
        return f"{value:.6f}"
    return " or ".join(value) if isinstance(value, list) else value
