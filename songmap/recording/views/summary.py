"""What 05 prints: the answer for a recording, and the scores of the classifier."""

from collections.abc import Mapping
from pathlib import Path

from songmap.core.tables import format_table
from songmap.core.text import capitalised, format_duration, one_line, shown_path, wrapped
from songmap.library.keys import key_name
from songmap.recording.results import Part, RecordingAnswer, Training
from songmap.recording.views import sentences
from songmap.recording.views.training import score_rows, training_data_sentence, training_sentence

_MOST_REASONS = 3  # parts, for which reasons are printed


def answer_summary(answer: RecordingAnswer, written: Mapping[str, Path]) -> str:
    """The answer for the terminal: a sentence, the parts, songs to hear next, files."""
    lines = [sentences.answer_sentence(answer), *sentences.notes(answer)]
    if len(answer.parts) == 1:
        facts = ", ".join([format_duration(answer.duration_s), *sentences.part_facts(answer.parts[0])])
        reasons = "" if answer.is_novel else sentences.reasons_sentence(answer.parts[0])
        lines.append(f"{facts}. {reasons}")
        lines += [sentences.moment_sentence(one) for one in answer.parts[0].moments[:1]]
    blocks = ["\n".join(wrapped(one_line(line)) for line in lines)]
    if len(answer.parts) > 1:
        rows = [_part_row(part) for part in answer.parts]
        novel = "; in brackets: unlike anything in the library" * any(part.is_novel for part in answer.parts)
        title = f"Parts by {answer.parts_by}{novel}"
        parts = format_table(rows, title, shortened={"genre": 12, "nearest": 16})
        if len(answer.parts) <= _MOST_REASONS:
            reasons_of = [f"{sentences.time_span(part.start_s, part.end_s)}: {sentences.reasons_sentence(part)}"
                       for part in answer.parts]  # fmt: skip
            parts = "\n".join([parts, *(wrapped(one_line(one)) for one in reasons_of)])
        blocks.append(parts)
    blocks.append(_next_songs(answer))
    files = [f"{capitalised(name)}: {shown_path(path)}" for name, path in written.items()]
    following = "Next: --m3u8 FILE writes a playlist, --json prints everything."
    return "\n\n".join([*blocks, "\n".join([*map(one_line, files), following])])


def _part_row(part: Part) -> dict[str, str]:
    return {
        "time": sentences.time_span(part.start_s, part.end_s),
        "genre": f"({part.genre})" if part.is_novel else part.genre,
        "%": f"{100 * part.probability:.0f}",
        "BPM": f"{part.tempo_bpm:.0f}" if part.tempo_bpm > 0 else "",
        "key": key_name(part.key),
        "nearest": sentences.near_name(part.nearest[0]) if part.nearest else "",
    }


def _next_songs(answer: RecordingAnswer) -> str:
    missing = sentences.missing_sentence(answer)
    if not answer.next_songs:
        return wrapped(one_line(missing))
    rows = [
        {"rank": rank, "title": near.song.display_title, "artist": near.song.artist,
         "similarity": f"{near.similarity:.2f}", "length": format_duration(near.song.duration)}
        for rank, near in enumerate(answer.next_songs, start=1)
    ]  # fmt: skip
    table = format_table(rows, "Hear next", optional=("length",), shortened={"title": 20, "artist": 16})
    return f"{table}\n{wrapped(one_line(missing))}" if missing else table


def training_summary(training: Training) -> str:
    """The scores of all classifiers of segments, and what a random split would have claimed."""
    data, claimed = training_data_sentence(training), training_sentence(training)
    table = format_table(score_rows(training), "On songs outside the training data")
    return f"{wrapped(data)}\n\n{table}\n\n{wrapped(claimed)}"


def answer_note(file: str, reason: str) -> str:
    """The line on a recording that cannot be classified."""
    return one_line(f"not classified: {file}: {reason}")
