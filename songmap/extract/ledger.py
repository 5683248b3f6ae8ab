"""``library.sqlite``: what is extracted and what failed and why, one row per file, so that a run resumes.

Every outcome is committed as it comes. A row records the analysis (columns, configuration, algorithm,
engine and library versions) that its numbers come from; rows of another analysis are replaced, file by file. A record
that lacks what is measured today is as good as it was, and replaced when its file is analysed again.

A song is recognised by its content, whatever its path. When another song takes a path, the numbers of the one
that was there move to ``displaced``, so that songs may take each other's names.
"""

import hashlib
import json
import os
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from songmap.core.errors import SchemaError
from songmap.library.schema import DEFAULT_ENGINE, MEASURED_SINCE, AudioConfig, fingerprint
from songmap.library.versions import ANALYSIS_LIBRARIES, library_versions

# raised when a change of the code changes numbers: rows of other versions are computed again
ALGORITHM_VERSION = 2
_TABLE_VERSION = 3
_SCHEMA = """
    DROP TABLE IF EXISTS songs;
    CREATE TABLE songs (
        path BLOB PRIMARY KEY, analysis TEXT NOT NULL, reading INTEGER NOT NULL,
        size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
        content TEXT, record TEXT, embedding BLOB, failure TEXT);
    CREATE INDEX songs_by_content ON songs (content);
    DROP TABLE IF EXISTS displaced;
    CREATE TABLE displaced (
        analysis TEXT NOT NULL, content TEXT NOT NULL, record TEXT NOT NULL, embedding BLOB NOT NULL,
        PRIMARY KEY (analysis, content));"""


@dataclass(frozen=True)
class Outcome:
    """The result of a file: ``content`` hash, ``record`` and ``embedding`` float32 ``(641,)``, or the ``failure``."""

    content: str | None = None
    record: dict[str, Any] | None = None
    embedding: np.ndarray | None = None
    failure: str | None = None


@dataclass(frozen=True)
class Known:
    """A path in the ledger without its numbers; ``stamp`` is size, time and how its tags were read.

    ``outdated``: its record was made by an older version and lacks what is measured today.
    """

    stamp: tuple[int, int, int]
    content: str | None
    failed: bool
    outdated: bool = False


def analysis_fingerprint(config: AudioConfig, engine: str = DEFAULT_ENGINE) -> str:
    """SHA-256 of all that the numbers depend on besides the audio: rows of two engines never mix."""
    parts: list[Any] = [fingerprint(), ALGORITHM_VERSION, asdict(config), library_versions(ANALYSIS_LIBRARIES)]
    if engine != DEFAULT_ENGINE:
        parts += [engine, version(engine)]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


class Ledger:
    """The ledger of one workspace. One thread of one process writes; an interrupted write is rolled back by SQLite."""

    def __init__(self, connection: sqlite3.Connection, analysis: str) -> None:
        self._connection, self._analysis = connection, analysis

    def known(self) -> dict[Path, Known]:
        """Every path that has an outcome under this analysis."""
        query = "SELECT path, size, mtime_ns, reading, content, failure IS NOT NULL, record FROM songs WHERE analysis=?"
        rows = self._connection.execute(query, (self._analysis,))
        return {
            Path(os.fsdecode(key)): Known(
                tuple(stamp), content, bool(failed), is_outdated(json.loads(record) if record else None)
            )
            for key, *stamp, content, failed, record in rows
        }

    def keep(self, path: Path, stamp: tuple[int, int, int], outcome: Outcome) -> None:
        """Commit one outcome; another song's numbers that were at ``path`` are kept under their content."""
        key, (size, mtime_ns, reading) = os.fsencode(path), stamp
        record = json.dumps(outcome.record) if outcome.record else None
        embedding = outcome.embedding.tobytes() if outcome.embedding is not None else None
        with self._connection:
            self._connection.execute(
                "INSERT OR IGNORE INTO displaced SELECT analysis, content, record, embedding FROM songs "
                "WHERE path=? AND analysis=? AND embedding IS NOT NULL AND content IS NOT ?",
                (key, self._analysis, outcome.content),
            )
            row = (key, self._analysis, reading, size, mtime_ns, outcome.content, record, embedding, outcome.failure)
            self._connection.execute("INSERT OR REPLACE INTO songs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)

    def recognise(self, content: str) -> Outcome | None:
        """The outcome of a song with this content under this analysis, at whatever path it was."""
        row = self._connection.execute(
            "SELECT content, record, embedding, NULL FROM songs WHERE analysis=:a AND content=:c AND embedding NOTNULL "
            "UNION ALL SELECT content, record, embedding, NULL FROM displaced WHERE analysis=:a AND content=:c LIMIT 1",
            {"a": self._analysis, "c": content},
        ).fetchone()
        return _outcome(*row) if row else None

    def outcomes(self, paths: Collection[Path]) -> Iterator[tuple[Path, Outcome]]:
        """Those of ``paths`` that have an outcome under this analysis, in no particular order."""
        query = "SELECT path, content, record, embedding, failure FROM songs WHERE analysis=?"
        rows = self._connection.execute(query, (self._analysis,))
        wanted = {os.fsencode(path): path for path in paths}
        for key, *outcome in rows:
            if path := wanted.get(key):
                yield path, _outcome(*outcome)


@contextmanager
def open_ledger(path: Path, config: AudioConfig, engine: str = DEFAULT_ENGINE) -> Iterator[Ledger]:
    """Open or create the ledger, for this process to write alone.

    Parameters
    ----------
    path : Path
        ``library.sqlite``; its folder is made.
    config, engine : AudioConfig, str
        The analysis whose rows are read and written.

    Raises
    ------
    SchemaError
        If the file is not a ledger, cannot be written, or is in use by another run.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with closing(sqlite3.connect(path.with_suffix(".lock"), timeout=0)) as lock:
            try:  # an empty database whose lock ends with this process, however it ends; others may read the ledger
                lock.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                    raise
                raise SchemaError(
                    f"{path} is in use: another run extracts to this workspace; wait, or end it"
                ) from None
            with closing(sqlite3.connect(path)) as connection:
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute("PRAGMA synchronous=FULL")  # what is committed survives a loss of power
                if connection.execute("PRAGMA user_version").fetchone()[0] != _TABLE_VERSION:
                    connection.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version={_TABLE_VERSION}; COMMIT")
                yield Ledger(connection, analysis_fingerprint(config, engine))
    except sqlite3.Error as error:
        raise SchemaError(
            f"{path} cannot be used ({error}); is the disk full or read-only? If neither, delete it: it is made again"
        ) from error


def is_outdated(record: dict[str, Any] | None) -> bool:
    """Whether a record was made by an older version, which measured less."""
    return record is not None and not record.keys() >= set(MEASURED_SINCE)


def _outcome(content: str | None, record: str | None, embedding: bytes | None, failure: str | None) -> Outcome:
    numbers = np.frombuffer(embedding, np.float32) if embedding else None
    return Outcome(content, json.loads(record) if record else None, numbers, failure)
