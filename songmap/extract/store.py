"""``library.sqlite``: what is extracted and what failed and why, one row per file, so that a run resumes.

A row holds while the file's size and modification time, and the fingerprint of the analysis (columns,
configuration, library versions), stay the same. Every song is committed as it finishes.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from songmap.core.artifacts import library_versions
from songmap.core.config import AudioConfig
from songmap.core.errors import SchemaError
from songmap.core.schema import fingerprint

# raised when a change of the code changes numbers: rows of other versions are computed again
ALGORITHM_VERSION = 1
_ANALYSIS_LIBRARIES = ("librosa", "numpy", "scipy", "soundfile", "soxr")
_SCHEMA = """CREATE TABLE IF NOT EXISTS songs (
    path BLOB PRIMARY KEY, analysis TEXT NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    record TEXT, embedding BLOB, failure TEXT)"""


@dataclass(frozen=True)
class Outcome:
    """What came of one file: ``embedding`` float32 ``(641,)`` with ``record``, or the ``failure``'s reason."""

    record: dict[str, Any] | None
    embedding: np.ndarray | None
    failure: str | None


def analysis_fingerprint(config: AudioConfig) -> str:
    """SHA-256 of all that the numbers depend on besides the audio."""
    versions = {name: version for name, version in library_versions().items() if name in _ANALYSIS_LIBRARIES}
    document = json.dumps([fingerprint(), ALGORITHM_VERSION, asdict(config), versions], sort_keys=True)
    return hashlib.sha256(document.encode()).hexdigest()


class Store:
    """The ledger of one workspace. One thread writes; an interrupted write is rolled back by SQLite."""

    def __init__(self, connection: sqlite3.Connection, analysis: str) -> None:
        self._connection, self._analysis = connection, analysis

    def find(self, path: Path, size: int, mtime_ns: int) -> Outcome | None:
        """The outcome for this very file under this very analysis, or None."""
        row = self._connection.execute(
            "SELECT record, embedding, failure FROM songs WHERE path=? AND analysis=? AND size=? AND mtime_ns=?",
            (_key(path), self._analysis, size, mtime_ns),
        ).fetchone()
        if row is None:
            return None
        record, embedding, failure = row
        return Outcome(
            json.loads(record) if record else None,
            np.frombuffer(embedding, np.float32) if embedding else None,
            failure,
        )

    def keep(self, path: Path, size: int, mtime_ns: int, outcome: Outcome) -> None:
        """Commit one outcome."""
        record = json.dumps(outcome.record) if outcome.record else None
        embedding = outcome.embedding.tobytes() if outcome.embedding is not None else None
        with self._connection:
            self._connection.execute(
                "INSERT OR REPLACE INTO songs VALUES (?, ?, ?, ?, ?, ?, ?)",
                (_key(path), self._analysis, size, mtime_ns, record, embedding, outcome.failure),
            )


@contextmanager
def open_store(path: Path, config: AudioConfig) -> Iterator[Store]:
    """Open or create the ledger. Raises SchemaError if the file is no ledger or in use by another run."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        connection = sqlite3.connect(path, timeout=5)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute(_SCHEMA)
            yield Store(connection, analysis_fingerprint(config))
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise SchemaError(
            f"{path} cannot be used ({error}); is another run at work, or the disk full or read-only? "
            "If neither, delete it: it is made again"
        ) from error


def _key(path: Path) -> bytes:
    return str(path).encode("utf-8", "surrogateescape")  # a file name may be any bytes
