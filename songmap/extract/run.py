"""From songs to a library: known songs stay, moved ones are recognised, the rest is analysed or has a reason."""

import base64
import logging
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from songmap.core.errors import TooShortError
from songmap.core.files import remove_leftovers
from songmap.core.locks import exclusive
from songmap.core.progress import OnProgress
from songmap.core.workspace import Workspace
from songmap.extract.executors import open_worker_pool
from songmap.extract.files import SongFile
from songmap.extract.label_source import labelled
from songmap.extract.labels import label_record
from songmap.extract.ledger import Ledger, open_ledger, read_ledger
from songmap.extract.options import ExtractionOptions
from songmap.extract.outcomes import Known, Outcome, is_outdated
from songmap.extract.results import Extraction, ExtractionPlan, ExtractionTally, Failure, LabelSource, LeftOut
from songmap.extract.scope import left_out
from songmap.extract.segments import assemble_segments
from songmap.features.analysis import DESCRIPTION_VERSION
from songmap.library.library import Library, finish_library, song_table
from songmap.library.recordings import duplicate_of, find_duplicates
from songmap.library.schema import N_COLUMNS
from songmap.library.segments import SegmentSettings, SongSegments
from songmap.library.tempos import octave_factors

Stamp = tuple[int, int, int]
_log = logging.getLogger(__name__)


@contextmanager
def only_extraction(workspace: Workspace) -> Iterator[None]:
    """Be the only run of 01 in a workspace, until its library and tables are written.

    What a run that was killed left unfinished is finished or removed. Raises SchemaError if there is another run.
    """
    in_use = f"{workspace.processed} is in use: another run extracts to this workspace; wait, or end it"
    with exclusive(workspace.extraction_lock, in_use):
        finish_library(workspace)
        remove_leftovers(workspace.outputs, "extraction.csv", "duplicates.csv")
        yield


def extract_library(
    songs: Sequence[SongFile],
    workspace: Workspace,
    options: ExtractionOptions | None = None,
    on_progress: OnProgress = lambda done, total: None,
    stop: Callable[[], bool] = lambda: False,
) -> Extraction:
    """Extract every song that the workspace's ledger does not know yet.

    Parameters
    ----------
    songs : sequence of SongFile, (n_songs,)
        What ``label_songs`` gives; in path order.
    workspace : Workspace
        Holds the ledger. The library itself is not saved.
    options : ExtractionOptions, optional
        Workers, limits, engine and audio configuration.
    on_progress : callable (done, total)
        Called with the number of files that have an outcome.
    stop : callable
        When it returns true, the current songs are finished and the run ends.

    Returns
    -------
    Extraction
        Rows of its library are in the order of ``songs``, whatever finished first, so the result depends neither
        on the number of workers nor on where they are.

    Raises
    ------
    SchemaError
        If the ledger cannot be used, or another run uses it.
    WorkerError
        If there are no workers, or none are left.
    """
    options = options or ExtractionOptions()
    started, n_extracted, n_recognised, audio_s = time.monotonic(), 0, 0, 0.0
    with open_ledger(workspace.ledger, options.config, options.engine) as ledger:
        stamps = {song.path: stamp_of(song.path) for song in songs}
        plan = make_plan(stamps, ledger.known(), options, _segmented(ledger, options))
        done, changed_meanwhile = plan.unchanged | plan.failed_before, {}
        if plan.outdated:
            _log.warning(
                "%d songs were extracted by an older version, without exact tempos: they are decoded again, which takes as "
                "long as the first time; the %d columns stay", len(plan.outdated), N_COLUMNS,
            )  # fmt: skip
        on_progress(len(done), len(songs))
        for path, outcome, recognised in _analyse_all(plan, ledger, options, stop):
            if stamp_of(path) == stamps[path]:
                ledger.keep(path, stamps[path], outcome, options.segments)
                done.add(path)
                if outcome.record:
                    n_recognised += recognised
                    n_extracted += not recognised
                    audio_s += 0.0 if recognised else outcome.record["duration"]
            else:  # to be looked at again in the next run
                changed_meanwhile[path] = outcome.failure or "changed while it was read; run again"
            on_progress(len(done) + len(changed_meanwhile), len(songs))
        assembled = (
            done | set(plan.outdated) | set(plan.without_segments)
        ) - changed_meanwhile.keys()  # outdated rows serve until they are replaced
        library, reasons, source, omitted = _assemble(songs, ledger, assembled, options)
        segments = assemble_segments(library.songs, ledger, options.segments) if options.segments else None
    duplicates = find_duplicates(library.embeddings, library.songs["duration"].to_numpy())
    _resolve_octaves(library)
    library.songs["duplicate_of"] = pd.Series(duplicate_of(duplicates, library.songs), dtype=object)
    failures = [Failure(path, reason) for path, reason in sorted((reasons | changed_meanwhile).items())]
    n_left, elapsed_s = len(songs) - len(done) - len(changed_meanwhile), time.monotonic() - started
    tally = ExtractionTally(n_extracted, n_recognised, len(plan.unchanged), n_left, audio_s, elapsed_s)
    return Extraction(library, duplicates, failures, tally, source, omitted, segments)


def _resolve_octaves(library: Library) -> None:
    """Move tempos to the octave of their genre, and say so in ``tempo_octave``, which outdated rows do not have."""
    songs = library.songs
    measured = songs["tempo_octave"].notna().to_numpy()
    tempos_bpm = songs["tempo_bpm"].to_numpy(dtype=np.float64)
    factors = np.where(measured, octave_factors(tempos_bpm, library.genres), 1.0)
    songs["tempo_bpm"] = tempos_bpm * factors
    songs["tempo_octave"] = np.where(measured, factors, np.nan)


def preview(songs: Sequence[SongFile], workspace: Workspace, options: ExtractionOptions) -> ExtractionPlan:
    """What ``extract_library`` would do. Opens no song and writes nothing."""
    stamps, known, segmented = {song.path: stamp_of(song.path) for song in songs}, {}, None
    if workspace.ledger.exists():
        with read_ledger(workspace.ledger, options.config, options.engine) as ledger:
            known, segmented = ledger.known(), _segmented(ledger, options)
    return make_plan(stamps, known, options, segmented)


def _segmented(ledger: Ledger, options: ExtractionOptions) -> set[str] | None:
    return ledger.segments.contents(options.segments) if options.segments else None


def make_plan(
    stamps: dict[Path, Stamp], known: dict[Path, Known], options: ExtractionOptions, segmented: set[str] | None = None
) -> ExtractionPlan:
    """Compare the files with what the ledger knows, without opening one.

    Files that failed are tried again where the options say so, or where they were too short and no longer are.
    ``segmented`` are the contents that have segments, where segments are wanted.
    """
    unchanged: set[Path] = set()
    failed: set[Path] = set()
    changed, new, outdated, without_segments = [], [], [], []

    def retried(row: Known) -> bool:
        return options.retry_failed or row.may_be_long_enough(options.config.min_duration_s)

    for path, stamp in stamps.items():
        row = known.get(path)
        if row is not None and row.stamp == stamp and row.outdated:
            outdated.append(path)
        elif (
            row is not None
            and row.stamp == stamp
            and not row.failed
            and segmented is not None
            and row.content not in segmented
        ):
            without_segments.append(path)
        elif row is not None and row.stamp == stamp and not (row.failed and retried(row)):
            (failed if row.failed else unchanged).add(path)
        elif row is not None and row.content:
            changed.append(path)
        else:
            new.append(path)
    if new and any(row.content and path not in stamps and not path.exists() for path, row in known.items()):
        changed, new = changed + new, []  # a song is missing, and any of these may be it
    return ExtractionPlan(unchanged, failed, changed, new, outdated, without_segments)


def stamp_of(path: Path) -> Stamp:
    """Size, modification time and how its tags were read: while they stay, the file counts as unchanged."""
    try:
        status = path.stat()
    except OSError:
        return -1, -1, DESCRIPTION_VERSION
    # SQLite's integers end in the year 2262, times of files do not
    return status.st_size, status.st_mtime_ns % 2**63, DESCRIPTION_VERSION


def _analyse_all(
    plan: ExtractionPlan, ledger: Ledger, options: ExtractionOptions, stop: Callable[[], bool]
) -> Iterator[tuple[Path, Outcome, bool]]:
    """Path, outcome and whether it was recognised, as they finish. A bounded window is submitted, to end soon."""
    queue = deque([("identify", path) for path in plan.changed_or_moved])
    queue.extend(("embed", path) for path in [*plan.new, *plan.outdated, *plan.without_segments])
    if not queue:
        return
    n_decoded = 0
    running: dict[Future, tuple[str, Path]] = {}
    with open_worker_pool(options, queue[0][1]) as pool:
        while True:
            while queue and len(running) < 2 * pool.size and not stop():
                if queue[0][0] == "embed" and n_decoded == options.limit:
                    break
                task, path = queue.popleft()
                n_decoded += task == "embed"
                running[pool.submit(task, path)] = task, path
            if not running:
                return
            ledger.commit_due()
            for future in wait(running, ledger.seconds_to_commit(), FIRST_COMPLETED).done:
                task, path = running.pop(future)
                answer = pool.result(future)
                if task == "embed" or "failure" in answer:
                    yield path, _outcome(answer), False
                elif (before := _recognised(ledger, answer["content"], options.segments)) is not None:
                    record = (before.record or {}) | answer["record"]
                    yield path, Outcome(before.content, record, before.embedding), True
                else:
                    queue.append(("embed", path))


def _outcome(answer: dict[str, Any]) -> Outcome:
    if "failure" in answer:
        return Outcome(failure=answer["failure"], too_short_s=answer.get("duration_s", 0.0))
    return Outcome(answer["content"], answer["record"], embedding_of(answer), segments=segments_of(answer))


def embedding_of(answer: dict[str, Any]) -> np.ndarray:
    """The embedding float32 ``(641,)`` in a worker's answer."""
    return np.frombuffer(base64.b64decode(answer["embedding"]), np.float32)


def segments_of(answer: dict[str, Any]) -> SongSegments | None:
    """The segments in a worker's answer, if it has some."""
    if "bounds_s" not in answer:
        return None
    numbers = np.frombuffer(base64.b64decode(answer["segment_embeddings"]), np.float32)
    return SongSegments(np.array(answer["bounds_s"], np.float64).reshape(-1, 2), numbers.reshape(-1, N_COLUMNS))


def _recognised(ledger: Ledger, content: str, settings: SegmentSettings | None) -> Outcome | None:
    """What the ledger has of a song with this content, unless it lacks what is wanted today."""
    outcome = ledger.recognise(content)
    if outcome is None or is_outdated(outcome.record):
        return None
    return None if settings and ledger.segments.get(content, settings) is None else outcome


def _assemble(
    songs: Sequence[SongFile], ledger: Ledger, done: set[Path], options: ExtractionOptions
) -> tuple[Library, dict[Path, str], LabelSource, list[LeftOut]]:
    """Of the songs that are ``done``, from the ledger alone: library, failures, source of labels, what is left out."""
    row_of = {song.path: row for row, song in enumerate(songs)}
    matrix = np.zeros((len(songs), N_COLUMNS), np.float32)
    records: dict[int, dict[str, Any]] = {}
    reasons = {}
    for path, outcome in ledger.outcomes(done):
        row = row_of[path]
        if outcome.failure is not None:
            reasons[path] = outcome.failure
            if outcome.too_short_s:  # for the limit of this run, whatever that of the run was in which it failed
                reasons[path] = str(TooShortError(outcome.too_short_s, options.config.min_duration_s))
        elif outcome.record is not None:
            matrix[row], records[row] = outcome.embedding, outcome.record
    songs, source = labelled(songs, records, options.labels, options.labels_kept)
    omitted = []
    for row in sorted(records):
        records[row] = label_record(records[row], songs[row])
        reason = left_out(
            records[row], records[row]["genre"], options.least_duration_s, options.max_duration_s, options.keep_speech
        )
        if reason:
            omitted.append(LeftOut(songs[row].path, reason))
            del records[row]
    rows = sorted(records)
    table = song_table([records[row] for row in rows])
    return Library(matrix[rows], table, options.config, options.engine), reasons, source, omitted
