"""What 05 writes for people: a page, a picture and a table of parts for each recording, chapters, a playlist."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from songmap.core.figures import draw
from songmap.core.files import write_atomically
from songmap.core.tables import CsvKind, csv_lines
from songmap.core.text import one_line
from songmap.core.workspace import Workspace
from songmap.library.keys import KEYS, NO_KEY
from songmap.library.m3u8 import write_playlist
from songmap.recording.results import Part, RecordingAnswer, Training
from songmap.recording.views.page import recording_page
from songmap.recording.views.sentences import near_name
from songmap.recording.views.timeline_figure import timeline_figure


def write_answer(
    workspace: Workspace,
    name: str,
    answer: RecordingAnswer,
    training: Training,
    library_genres: Sequence[str],
    kind: CsvKind,
) -> dict[str, Path]:
    """Write page, picture and table of parts, and return them by these names; ``name`` is the recording's in files' names."""
    stem = f"recording_{name}"
    page, table = workspace.page(stem), workspace.table(stem)
    html = recording_page(answer, training, library_genres, page.parent)
    write_atomically(page, html.encode("utf-8", "backslashreplace"))
    picture = draw(timeline_figure, workspace.plots / f"{stem}.png", answer, library_genres)
    write_atomically(table, _lines(csv_lines(_part_rows(answer), kind)))
    return {"page": page, "picture": picture, "parts": table}


def write_chapters(workspace: Workspace, name: str, answer: RecordingAnswer) -> Path:
    """Write the parts as chapters, a line each: ``hh:mm:ss title``, as podcasts and video sites read them."""
    path = workspace.table(f"recording_{name}").with_suffix(".txt")
    write_atomically(path, _lines(f"{_clock(part.start_s)} {_chapter(part)}" for part in answer.parts))
    return path


def write_next_songs(file: Path, answers: Iterable[RecordingAnswer]) -> None:
    """Write the songs to hear next after all recordings as a playlist, each once."""
    songs = {near.song.file_path: near.song for answer in answers for near in answer.next_songs}
    write_playlist(file, songs.values())


def _chapter(part: Part) -> str:
    tempo = f", {part.tempo_bpm:.0f} BPM" if part.tempo_bpm > 0 else ""
    key = f", {KEYS[part.key]}" if part.key != NO_KEY else ""
    near = f", nearest: {near_name(part.nearest[0])}" if part.nearest else ""
    return one_line(f"{part.genre}{tempo}{key}{near}")


def _clock(seconds: float) -> str:
    minutes, second = divmod(round(seconds), 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{second:02d}"


def _part_rows(answer: RecordingAnswer) -> list[Iterable[Any]]:
    rows = [
        {
            "part": number,
            "start_s": f"{part.start_s:.3f}",
            "end_s": f"{part.end_s:.3f}",
            "genre": part.genre,
            "probability": f"{part.probability:.6f}",
            "is_novel": part.is_novel,
            "tempo_bpm": f"{part.tempo_bpm:.2f}" if part.tempo_bpm > 0 else "",
            "key": KEYS[part.key] if part.key != NO_KEY else "",
            "nearest": near_name(part.nearest[0]) if part.nearest else "",
            "nearest_similarity": f"{part.nearest[0].similarity:.6f}" if part.nearest else "",
            "nearest_file_path": part.nearest[0].song.file_path if part.nearest else "",
        }
        | {f"probability_{genre}": f"{share:.6f}" for genre, share in part.probabilities.items()}
        for number, part in enumerate(answer.parts, start=1)
    ]
    return [rows[0].keys(), *(row.values() for row in rows)]


def _lines(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()
