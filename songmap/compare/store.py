"""Finished fits in a small SQLite file, so that a killed comparison goes on where it was."""

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from songmap.core.errors import SchemaError


@dataclass(frozen=True)
class FittedFold:
    """A model fitted on a fold's training songs: probabilities of its test songs ``(n_test, n_classes)`` and costs.

    ``train_s`` and ``predict_s`` are processor time, the latter of 1,000 songs.
    """

    proba: np.ndarray
    training_accuracy: float
    train_s: float
    predict_s: float
    size_bytes: int
    point: dict[str, Any]


def key_of(*parts: bytes | str | np.ndarray) -> str:
    """SHA-256 of everything that a fit depends on."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            content = np.ascontiguousarray(part).tobytes()
        else:
            content = part if isinstance(part, bytes) else part.encode("utf-8", "surrogatepass")
        digest.update(f"{len(content)} ".encode())
        digest.update(content)
    return digest.hexdigest()


class FoldStore:
    """Fits by their keys, all of one dataset; each is on the disk when ``add`` returns. For one thread."""

    def __init__(self, connection: sqlite3.Connection, data: str) -> None:
        self._connection, self._data = connection, data
        with connection:
            connection.execute("CREATE TABLE IF NOT EXISTS fits (key TEXT PRIMARY KEY, data TEXT, content TEXT)")
            connection.execute("DELETE FROM fits WHERE data != ?", (data,))

    def add(self, key: str, fit: FittedFold) -> None:
        content = json.dumps(asdict(fit) | {"proba": fit.proba.tolist()})
        with self._connection:
            self._connection.execute("INSERT OR REPLACE INTO fits VALUES (?, ?, ?)", (key, self._data, content))

    def get(self, key: str) -> FittedFold | None:
        row = self._connection.execute("SELECT content FROM fits WHERE key = ?", (key,)).fetchone()
        if row is None:
            return None
        values = json.loads(row[0])
        return FittedFold(**values | {"proba": np.array(values["proba"], dtype=np.float64)})


@contextmanager
def open_store(path: Path | None, data: str) -> Iterator[FoldStore]:
    """The store in a file, which is made, or in memory; fits of other ``data`` are removed.

    Raises SchemaError where the file is not one.
    """
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with closing(sqlite3.connect(path or ":memory:")) as connection:
            yield FoldStore(connection, data)
    except sqlite3.Error as error:
        raise SchemaError(
            f"{path} cannot be used ({error}); is the disk full or read-only? If neither, delete it: the models are then fitted again"
        ) from error
