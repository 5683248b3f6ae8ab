"""From songs to a library: what is known stays, what moved is recognised, the rest is heard, what failed is named."""

import base64
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Future, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from songmap.core.errors import WorkerError
from songmap.core.workspace import Workspace
from songmap.extract.executors import Crew, open_crew
from songmap.extract.files import Song
from songmap.extract.labels import label_record
from songmap.extract.ledger import Known, Outcome, Store, open_store
from songmap.extract.workers import ask
from songmap.features.analysis import DESCRIPTION_VERSION
from songmap.library.library import Library, song_table
from songmap.library.recordings import DuplicateGroup, duplicate_of, find_duplicates
from songmap.library.schema import N_COLUMNS, AudioConfig

Stamp = tuple[int, int, int]


@dataclass(frozen=True)
class Manner:
    """How songs are heard; ``limit`` is the most files to decode in this run, None for all."""

    workers: int = 1
    executor: str = "threads"
    scheduler: str | None = None
    timeout_s: float = 600.0
    nice: int = 0
    retry_failed: bool = False
    limit: int | None = None


@dataclass
class Plan:
    """What there is to do. ``changed`` files may be known under another name, time or tags; ``new`` must be heard."""

    unchanged: set[Path] = field(default_factory=set)
    failed: set[Path] = field(default_factory=set)
    changed: list[Path] = field(default_factory=list)
    new: list[Path] = field(default_factory=list)


@dataclass(frozen=True)
class Progress:
    """How far a run is: files ``done`` of ``total``; those decoded in this run, and their duration."""

    done: int
    total: int
    extracted: int
    audio_s: float


@dataclass(frozen=True)
class Extraction:
    """The result of a run: the library, failures as ``(path, reason)``, and how the songs came about.

    ``n_recognised`` were known by their content under another name, time or tags; ``n_left`` were not reached.
    """

    library: Library
    duplicates: list[DuplicateGroup]
    failures: list[tuple[Path, str]]
    n_extracted: int
    n_recognised: int
    n_unchanged: int
    n_left: int


def extract_library(
    songs: Sequence[Song],
    workspace: Workspace,
    manner: Manner = Manner(),
    config: AudioConfig | None = None,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    stop: Callable[[], bool] = lambda: False,
) -> Extraction:
    """Extract every song that the workspace's ledger does not know yet.

    Rows are in the order of ``songs``, whatever finished first, so the result depends neither on the
    number of workers nor on where they are. When ``stop()`` turns true, songs in flight are finished.
    """
    config = config or AudioConfig()
    with open_store(workspace.ledger, config) as store:
        stamps = {song.path: _stamp(song.path) for song in songs}
        plan = make_plan(stamps, store.known(), manner.retry_failed)
        done, gone = plan.unchanged | plan.failed, {}
        n_extracted, n_recognised, audio_s = 0, 0, 0.0
        on_progress(Progress(len(done), len(songs), 0, 0.0))
        for path, outcome, recognised in _hear_all(plan, store, manner, config, stop):
            if _stamp(path) == stamps[path]:
                store.keep(path, stamps[path], outcome)
                done.add(path)
            else:  # changed or gone meanwhile: to be looked at again
                gone[path] = outcome.failure or "changed while it was read; run again"
            if outcome.record:
                n_recognised += recognised
                n_extracted += not recognised
                audio_s += 0.0 if recognised else outcome.record["duration"]
            on_progress(Progress(len(done) + len(gone), len(songs), n_extracted, audio_s))
        library, failures = _assemble(songs, store, done)
    duplicates = find_duplicates(library.embeddings, library.songs["duration"].to_numpy())
    library.songs["duplicate_of"] = pd.Series(duplicate_of(duplicates, library.songs), dtype=object)
    failures = sorted(failures + list(gone.items()))
    n_left = len(songs) - len(done) - len(gone)
    return Extraction(library, duplicates, failures, n_extracted, n_recognised, len(plan.unchanged), n_left)


def preview(songs: Sequence[Song], workspace: Workspace, manner: Manner, config: AudioConfig | None = None) -> Plan:
    """What ``extract_library`` would do. Opens no song and writes nothing."""
    stamps = {song.path: _stamp(song.path) for song in songs}
    if not workspace.ledger.exists():
        return make_plan(stamps, {}, manner.retry_failed)
    with open_store(workspace.ledger, config or AudioConfig()) as store:
        return make_plan(stamps, store.known(), manner.retry_failed)


def make_plan(stamps: dict[Path, Stamp], known: dict[Path, Known], retry_failed: bool) -> Plan:
    """Compare the files with what the ledger knows, without opening one."""
    plan = Plan()
    for path, stamp in stamps.items():
        row = known.get(path)
        if row is not None and row.stamp == stamp and not (row.failed and retry_failed):
            (plan.failed if row.failed else plan.unchanged).add(path)
        elif row is not None and row.content:
            plan.changed.append(path)
        else:
            plan.new.append(path)
    if plan.new and any(row.content and path not in stamps and not path.exists() for path, row in known.items()):
        plan.changed, plan.new = plan.changed + plan.new, []  # a song has gone, and any of these may be it
    return plan


def _hear_all(
    plan: Plan, store: Store, manner: Manner, config: AudioConfig, stop: Callable[[], bool]
) -> Iterator[tuple[Path, Outcome, bool]]:
    """Path, outcome and whether it was recognised, as they finish. A bounded window is submitted, to end soon."""
    queue = deque([("identify", path) for path in plan.changed] + [("embed", path) for path in plan.new])
    if not queue:
        return
    decoded, running = 0, {}
    with open_crew(manner.executor, manner.workers, manner.scheduler, queue[0][1], config) as crew:
        while True:
            while queue and len(running) < 2 * crew.size and not stop():
                if queue[0][0] == "embed" and decoded == manner.limit:
                    break
                task, path = queue.popleft()
                decoded += task == "embed"
                running[crew.executor.submit(ask, task, path, config, manner.timeout_s, manner.nice)] = task, path
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                task, path = running.pop(future)
                answer = _answer(future, crew)
                if task == "embed" or "failure" in answer:
                    yield path, _outcome(answer), False
                elif (before := store.recognise(answer["content"])) is not None:
                    yield path, Outcome(before.content, before.record | answer["record"], before.embedding), True
                else:
                    queue.append(("embed", path))


def _answer(future: Future, crew: Crew) -> dict[str, Any]:
    try:
        return future.result()
    except crew.song_lost:
        return {"failure": "every worker that heard it was lost"}
    except (BrokenExecutor, CancelledError) as error:
        raise WorkerError(
            "the workers are gone (killed, out of memory?); what is finished is kept, run again"
        ) from error


def _outcome(answer: dict[str, Any]) -> Outcome:
    if "failure" in answer:
        return Outcome(failure=answer["failure"])
    embedding = np.frombuffer(base64.b64decode(answer["embedding"]), np.float32)
    return Outcome(answer["content"], answer["record"], embedding)


def _assemble(songs: Sequence[Song], store: Store, done: set[Path]) -> tuple[Library, list[tuple[Path, str]]]:
    """Library and failures of the songs that are ``done``, from the ledger alone."""
    rows = {song.path: row for row, song in enumerate(songs)}
    matrix, records, failures = np.zeros((len(songs), N_COLUMNS), np.float32), [None] * len(songs), []
    for path, outcome in store.outcomes(done):
        if outcome.failure is not None:
            failures.append((path, outcome.failure))
        else:
            row = rows[path]
            matrix[row], records[row] = outcome.embedding, label_record(outcome.record, songs[row])
    found = [row for row, record in enumerate(records) if record is not None]
    return Library(matrix[found], song_table([records[row] for row in found])), failures


def _stamp(path: Path) -> Stamp:
    """Size, modification time and how its tags were read: while they stay, the file counts as unchanged."""
    try:
        status = path.stat()
    except OSError:
        return -1, -1, DESCRIPTION_VERSION
    # SQLite's integers end in the year 2262, times of files do not
    return status.st_size, status.st_mtime_ns % 2**63, DESCRIPTION_VERSION
