"""``library.sqlite``: what is extracted and what failed and why, one row per file, so that a run resumes.

Outcomes are committed together, at most ``COMMIT_EVERY_S`` after they came, and when the ledger is closed. A row records
the analysis (columns, configuration, algorithm, engine and library versions) that its numbers come from; rows of another
analysis are replaced, file by file. A record that lacks what is measured today is as good as it was, and replaced when its
file is analysed again.

A row has a checksum. One that does not match it, or does not hold what a row must, counts as absent: its song is
analysed again. A ledger of an older version is migrated, one of an unknown version is refused and stays as it is.

A song is recognised by its content, whatever its path. When another song takes a path, the numbers of the one
that was there move to ``displaced``, so that songs may take each other's names.
"""

import hashlib
import json
import os
import sqlite3
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from songmap.core.errors import SchemaError
from songmap.extract.checksums import row_checksum
from songmap.extract.outcomes import Known, Outcome, is_outdated, outcome_of_row
from songmap.extract.segment_rows import TABLE, SegmentRows
from songmap.library.schema import DEFAULT_ENGINE, AudioConfig, fingerprint
from songmap.library.segments import SegmentSettings
from songmap.library.versions import ANALYSIS_LIBRARIES, library_versions

# a run that is killed repeats what came in this time; a commit waits for the disk, as long as a short clip takes
COMMIT_EVERY_S = 0.2
# raised when a change of the code changes numbers: rows of other versions are computed again
ALGORITHM_VERSION = 2
_TABLE_VERSION = 5
_OLDER_VERSIONS = (2, 3, 4)  # 2 has no table of displaced songs, neither 2 nor 3 checksums, 4 no segments
_TABLES = f"""
    CREATE TABLE IF NOT EXISTS songs (
        path BLOB PRIMARY KEY, analysis TEXT NOT NULL, reading INTEGER NOT NULL,
        size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
        content TEXT, record TEXT, embedding BLOB, failure TEXT);
    CREATE INDEX IF NOT EXISTS songs_by_content ON songs (content);
    CREATE TABLE IF NOT EXISTS displaced (
        analysis TEXT NOT NULL, content TEXT NOT NULL, record TEXT NOT NULL, embedding BLOB NOT NULL,
        PRIMARY KEY (analysis, content));
    {TABLE}"""
_COLUMNS = {
    "songs": "path, analysis, reading, size, mtime_ns, content, record, embedding, failure",
    "displaced": "analysis, content, record, embedding",
}


def analysis_fingerprint(config: AudioConfig, engine: str = DEFAULT_ENGINE) -> str:
    """SHA-256 of all that the numbers depend on besides the audio: rows of two engines never mix."""
    # the shortest duration decides which files are songs, and no number
    settings = asdict(config) | {"min_duration_s": AudioConfig.min_duration_s}
    parts: list[Any] = [fingerprint(), ALGORITHM_VERSION, settings, library_versions(ANALYSIS_LIBRARIES)]
    if engine != DEFAULT_ENGINE:
        parts += [engine, version(engine)]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


class Ledger:
    """The ledger of one workspace. One thread of one process writes; an interrupted write is rolled back by SQLite."""

    def __init__(self, connection: sqlite3.Connection, analysis: str) -> None:
        self._connection, self._analysis = connection, analysis
        self._first_kept: float | None = None  # of the outcomes that are not committed
        self.segments = SegmentRows(connection, analysis)

    def known(self) -> dict[Path, Known]:
        """Every path that has an outcome under this analysis."""
        return {
            path: Known(
                stamp, outcome.content, outcome.failure is not None, is_outdated(outcome.record), outcome.too_short_s
            )
            for path, stamp, outcome in self._songs()
        }

    def keep(
        self, path: Path, stamp: tuple[int, int, int], outcome: Outcome, settings: SegmentSettings | None = None
    ) -> None:
        """Write one outcome; another song's numbers that were at ``path`` are kept under their content.

        ``settings`` are those of its segments, if it has some. ``commit_due`` has it committed.
        """
        key, (size, mtime_ns, reading) = os.fsencode(path), stamp
        record = json.dumps(outcome.record) if outcome.record else None
        if outcome.too_short_s is not None:
            record = json.dumps({"duration": outcome.too_short_s})
        embedding = outcome.embedding.tobytes() if outcome.embedding is not None else None
        if self._first_kept is None:
            self._first_kept = time.monotonic()
        for _, _, before in self._songs(key):
            if before.content not in (None, outcome.content) and before.embedding is not None:
                numbers = json.dumps(before.record), before.embedding.tobytes()
                self._insert("displaced", (self._analysis, before.content, *numbers))
        # a reason may quote a name that is not UTF-8, which SQLite's text cannot hold
        failure = outcome.failure and outcome.failure.encode("utf-8", "replace").decode()
        row = (key, self._analysis, reading, size, mtime_ns, outcome.content, record, embedding, failure)
        self._insert("songs", row)
        if settings is not None and outcome.segments is not None and outcome.content is not None:
            self.segments.keep(outcome.content, settings, outcome.segments)

    def seconds_to_commit(self) -> float | None:
        """Until ``commit_due`` has something to do; None while nothing is kept that is not committed."""
        return None if self._first_kept is None else max(0.0, self._first_kept + COMMIT_EVERY_S - time.monotonic())

    def commit_due(self) -> None:
        """Commit what has been kept for ``COMMIT_EVERY_S``. The loop that keeps outcomes calls it."""
        if self.seconds_to_commit() == 0:
            self.commit()

    def commit(self) -> None:
        """Commit what is kept."""
        self._connection.commit()
        self._first_kept = None

    def recognise(self, content: str) -> Outcome | None:
        """The outcome of a song with this content under this analysis, at whatever path it was."""
        for table, columns in _COLUMNS.items():
            query = f"SELECT {columns}, checksum FROM {table} WHERE analysis=? AND content=?"
            for *row, checksum in self._connection.execute(query, (self._analysis, content)):
                record, embedding = row[6:8] if table == "songs" else row[2:4]
                outcome = outcome_of_row(content, record, embedding, None) if checksum == row_checksum(row) else None
                if outcome is not None:
                    return outcome
        return None

    def outcomes(self, paths: Collection[Path]) -> Iterator[tuple[Path, Outcome]]:
        """Those of ``paths`` that have an outcome under this analysis, in no particular order."""
        wanted = set(paths)
        return ((path, outcome) for path, _, outcome in self._songs() if path in wanted)

    def _songs(self, key: bytes | None = None) -> Iterator[tuple[Path, tuple[int, int, int], Outcome]]:
        """Path, stamp and outcome of every whole row of this analysis, or of that of one path."""
        query = f"SELECT {_COLUMNS['songs']}, checksum FROM songs WHERE analysis=?"
        values = (self._analysis,) if key is None else (self._analysis, key)
        for *row, checksum in self._connection.execute(query if key is None else f"{query} AND path=?", values):
            path, _, reading, size, mtime_ns, *numbers = row
            is_whole = checksum == row_checksum(row) and isinstance(path, bytes)
            if is_whole and all(isinstance(number, int) for number in (reading, size, mtime_ns)):
                outcome = outcome_of_row(*numbers)
                if outcome is not None:
                    yield Path(os.fsdecode(path)), (size, mtime_ns, reading), outcome

    def _insert(self, table: str, row: Sequence[Any]) -> None:
        places = ", ".join("?" * (len(row) + 1))
        query = f"INSERT OR REPLACE INTO {table} ({_COLUMNS[table]}, checksum) VALUES ({places})"
        self._connection.execute(query, (*row, row_checksum(row)))


@contextmanager
def open_ledger(path: Path, config: AudioConfig, engine: str = DEFAULT_ENGINE) -> Iterator[Ledger]:
    """Open or create the ledger, for this process to write alone.

    Parameters
    ----------
    path : Path
        ``library.sqlite``; its folder is made. One of an older version is migrated.
    config, engine : AudioConfig, str
        The analysis whose rows are read and written.

    Raises
    ------
    SchemaError
        If the file is not a ledger, is one of an unknown version, cannot be written, or is in use by another run.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _one_line(path), closing(sqlite3.connect(path.with_suffix(".lock"), timeout=0)) as lock:
        try:  # an empty database whose lock ends with this process, however it ends; others may read the ledger
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            raise SchemaError(f"{path} is in use: another run extracts to this workspace; wait, or end it") from None
        with closing(sqlite3.connect(path)) as connection:
            _check_version(connection, path)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")  # what is committed survives a loss of power
            _complete(connection)
            ledger = Ledger(connection, analysis_fingerprint(config, engine))
            try:
                yield ledger
            finally:
                ledger.commit()


@contextmanager
def read_ledger(path: Path, config: AudioConfig, engine: str = DEFAULT_ENGINE) -> Iterator[Ledger]:
    """A copy in memory of a ledger that exists, as ``open_ledger`` gives it: the file is not written, nor locked."""
    # without a log of writes there is no writer, and SQLite need not make files beside the ledger to watch for one
    how = "mode=ro" if path.with_name(path.name + "-wal").exists() else "immutable=1"
    with _one_line(path), closing(sqlite3.connect(":memory:")) as connection:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?{how}", uri=True)) as file:
            _check_version(file, path)
            file.backup(connection)
        _complete(connection)
        yield Ledger(connection, analysis_fingerprint(config, engine))


@contextmanager
def _one_line(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise SchemaError(
            f"{path} cannot be used ({error}); is the disk full or read-only? If neither, delete it: it is made again"
        ) from error


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _check_version(connection: sqlite3.Connection, path: Path) -> None:
    """Raise SchemaError unless the ledger is new, of today's version, or of one that can be migrated."""
    version_there = _version(connection)
    is_new = not version_there and not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if not is_new and version_there not in (*_OLDER_VERSIONS, _TABLE_VERSION):
        raise SchemaError(
            f"{path} is a ledger of version {version_there}, {' '.join(map(str, _OLDER_VERSIONS))} and {_TABLE_VERSION} "
            "can be read; it stays as it is: use the songmap that made it, or another --workspace"
        )


def _complete(connection: sqlite3.Connection) -> None:
    """Make the tables, or bring those of an older version to today's: all in one transaction."""
    connection.text_factory = lambda raw: raw.decode("utf-8", "replace")  # damaged text is one row's, as other damage
    if _version(connection) == _TABLE_VERSION:
        return
    connection.execute("BEGIN")
    for statement in _TABLES.split(";"):
        connection.execute(statement)
    for table, columns in _COLUMNS.items():
        if any(name == "checksum" for _, name, *_ in connection.execute(f"PRAGMA table_info({table})")):
            continue
        connection.execute(f"ALTER TABLE {table} ADD COLUMN checksum BLOB")
        rows = connection.execute(f"SELECT rowid, {columns} FROM {table}")
        checksums = ((row_checksum(row), row_id) for row_id, *row in rows)
        connection.executemany(f"UPDATE {table} SET checksum=? WHERE rowid=?", checksums)
    connection.execute(f"PRAGMA user_version={_TABLE_VERSION}")
    connection.commit()
