"""What 01 prints: the plan, songs by genre, ranges of features, duplicates, failures, the comparison with librosa."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from songmap.core.tables import format_table, terminal_columns
from songmap.core.text import count_of_songs, format_duration, joined, one_line, shown_path, wrapped
from songmap.core.workspace import Workspace
from songmap.extract.results import Extraction, ExtractionTally, Failure, LabelSource, LeftOut, Reason, Verification
from songmap.extract.views.tables import duplicate_rows
from songmap.library.display_names import display_titles
from songmap.library.segments import Segments

_N_PRINTED = 20


def plan_text(counts: Mapping[str, int]) -> str:
    """What a run would do, of ``ExtractionPlan.counts``."""
    again = "{without_segments} to decode again for their segments, " if counts["without_segments"] else ""
    outdated = "{outdated} of an older version to decode again for exact tempos, " if counts["outdated"] else ""
    return (
        f"{{new}} new to extract, {outdated}{again}{{changed_or_moved}} to check for changes or moves, {{unchanged}} unchanged, "
        "{failed_before} that failed before and have not changed. Nothing was done."
    ).format(**counts)


def summary(extraction: Extraction, genres: pd.DataFrame, ranges: pd.DataFrame, workspace: Workspace) -> str:
    """The outcome of a run, and what to run next."""
    library = extraction.library
    parts = []
    if extraction.failures:
        parts.append(_failure_table(extraction.failures, workspace))
    if extraction.duplicates:
        parts.append(_duplicate_table(extraction, workspace))
    if len(library):
        parts += [_genre_table(genres), _range_table(ranges)]
    else:
        parts.append("No song could be extracted, so no library was written.")
    files = "\n".join(f" {one_line(shown_path(file))}" for file in _written_files(extraction, workspace))
    parts.append(f"Written\n{files}")
    sentences = []
    tally = extraction.tally
    if extraction.segments is not None:
        sentences.append(segments_sentence(extraction.segments))
    if extraction.left_out:
        sentences.append(left_out_sentence(extraction.left_out))
    if len(library):
        sentences.append(labels_sentence(extraction.labels))
    sentences.append(f"{count_of_songs(len(library))} in the library: {_tally_text(tally, len(extraction.failures))}.")
    if tally.n_extracted and tally.elapsed_s > 0:
        rate = tally.audio_s / tally.elapsed_s
        sentences.append(
            f"{format_duration(tally.audio_s)} of audio extracted in {format_duration(tally.elapsed_s)}: "
            f"{rate:,.0f} × real time."
        )
    parts.append("\n".join(wrapped(sentence, terminal_columns()) for sentence in sentences))
    if len(library):
        parts.append(f"Next: {one_line(workspace.command('02_embedding_journey.py'))}")
    return "\n\n".join(parts)


def _written_files(extraction: Extraction, workspace: Workspace) -> list[Path]:
    """The files of a run; those of the library only where it has songs."""
    tables = [workspace.table("extraction"), workspace.table("duplicates")]
    library = [workspace.embeddings, workspace.songs, workspace.songs_pickle, workspace.manifest]
    if extraction.segments is not None:
        library += [workspace.segment_embeddings, workspace.segment_table, workspace.segments_pickle]
    return [*library, *tables] if len(extraction.library) else tables


def segments_sentence(segments: Segments) -> str:
    """How many segments there are, and of what kind."""
    settings = segments.settings
    text = f"{len(segments):,} segments of {settings.length_s:g} s, {settings.hop_s:g} s apart"
    text += f", without the first {settings.skip_intro_s:g} s of songs" if settings.skip_intro_s else ""
    text += f", at most {settings.representative} of a song" if settings.representative else ""
    return f"{text}; --no-segments removes them."


def left_out_sentence(songs: Sequence[LeftOut]) -> str:
    """How many songs are left out, and why."""
    words: dict[Reason, str] = {
        "too_short": "shorter than --min-duration",
        "too_long": "longer than --max-duration",
        "speech": "speech by their genre (--keep-speech includes them)",
    }
    counts = Counter(song.reason for song in songs)
    parts = joined([f"{counts[reason]} {words[reason]}" for reason in words if counts[reason]])
    return f"Left out of the library: {parts}."


def labels_sentence(source: LabelSource) -> str:
    """Where genres are from, and how to change it."""
    used = {"folder": "the folders below the music folder", "tag": "the files' tags"}.get(source.used, source.used)
    other = "--labels folder" if source.used == "tag" else "--labels tag"
    reason = {
        "artists": ", since the folders are called like the artists",
        "kept": ", as in an earlier run (--labels auto decides anew)",
    }.get(source.reason, "")
    return f"Genres are from {used}{reason}; change it with {other} or --labels FILE.csv."


def verification_text(verification: Verification) -> str:
    """How far songs are from librosa, as a table and a sentence."""
    rows = [
        {"deviation": song.deviation, "column": song.column, "library": song.value, "librosa": song.reference,
         "file": shown_path(song.file_path)}
        for song in verification.songs if song.failure is None
    ]  # fmt: skip
    title = "Largest deviation of each song from librosa; 1 is the tolerance, 1e-4 + 1e-3 of the value"
    failed = [
        {"failed": shown_path(song.file_path), "reason": song.failure} for song in verification.songs if song.failure
    ]
    tables = [format_table(rows, title)] if rows else []
    if failed:
        tables.append(format_table(failed, "Not compared"))
    table = "\n\n".join(tables)
    largest = verification.largest
    if largest is None:
        return f"{table}\n\nNone of {count_of_songs(verification.n_songs)} could be compared."
    outcome = "All are within the tolerance." if verification.passed else "Not all are within the tolerance."
    return (
        f"{table}\n\nLargest of {count_of_songs(verification.n_songs)}: {largest.deviation:.3f} × the tolerance, "
        f"{largest.column} of {one_line(Path(largest.file_path).name)}. {outcome}"
    )


def _tally_text(tally: ExtractionTally, n_failed: int) -> str:
    parts = [f"{tally.n_extracted} extracted", f"{n_failed} failed", f"{tally.n_unchanged} unchanged"]
    if tally.n_recognised:
        parts.append(f"{tally.n_recognised} recognised after a move or a change of tags")
    if tally.n_left:
        parts.append(f"{tally.n_left} left for the next run")
    return ", ".join(parts)


def _failure_table(failures: Sequence[Failure], workspace: Workspace) -> str:
    more = (
        f"; the first {_N_PRINTED}, all in {shown_path(workspace.table('extraction'))}"
        if len(failures) > _N_PRINTED
        else ""
    )
    rows = [{"failed": shown_path(failure.path), "reason": failure.reason} for failure in failures[:_N_PRINTED]]
    return format_table(rows, f"Failed (tried again when the file changes, or with --retry-failed{more})")


def _duplicate_table(extraction: Extraction, workspace: Workspace) -> str:
    n_groups = len(extraction.duplicates)
    more = (
        f"; the first {_N_PRINTED}, all in {shown_path(workspace.table('duplicates'))}" if n_groups > _N_PRINTED else ""
    )
    songs = extraction.library.songs
    groups = extraction.duplicates[:_N_PRINTED]
    titles = display_titles(songs.iloc[[row for group in groups for row in group.rows]])
    rows = [
        {"group": row["group"], "title": title, "duration": format_duration(row["duration"])}
        | {"similarity": f"{row['similarity']:.2f}", "file": shown_path(row["file_path"])}
        for title, row in zip(titles, duplicate_rows(groups, songs), strict=True)
    ]
    title = f"The same recording in several files, {n_groups} group{'s'[: n_groups != 1]}; similarity 1 is equal, 0.5 is the threshold{more}"
    return format_table(rows, title, optional=("duration", "title"), shortened={"title": 12})


def _genre_table(genres: pd.DataFrame) -> str:
    rows = [
        {"genre": genre, "songs": n_songs, "duration": format_duration(duration_s), "median_BPM": round(bpm)}
        for genre, n_songs, duration_s, bpm in genres.itertuples(index=False)
    ]
    return format_table(rows, "Songs", shortened={"genre": 10})


def _range_table(ranges: pd.DataFrame) -> str:
    """Three significant digits: a mean of a feature is known no better."""
    rows = [
        {"family": row.family, "feature": row.feature.replace("_", " "), "columns": row.columns}
        | {name: float(f"{getattr(row, name):.3g}") for name in ("lowest", "median", "highest")}
        | {"unit": row.unit}
        for row in ranges.itertuples(index=False)
    ]
    return format_table(rows, "Ranges of the means", optional=("columns",))
