"""Locks between processes: one run at a time writes the same files."""

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from songmap.core.errors import SchemaError


@contextmanager
def exclusive(path: Path, in_use: str, wait_s: float = 0) -> Iterator[None]:
    """Hold a lock that ends with this process, however it ends.

    Parameters
    ----------
    path : Path
        The lock: an empty SQLite database, since that locks files on every system. Its folder is made.
    in_use : str
        What to say when another process holds the lock.
    wait_s : float
        How long to wait for it before that.

    Raises
    ------
    SchemaError
        If another process holds the lock, or the file cannot be one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        try:
            lock = stack.enter_context(closing(sqlite3.connect(path, timeout=wait_s)))
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                raise SchemaError(in_use) from None
            raise SchemaError(
                f"{path} cannot be locked ({error}); is the folder read-only? If not, delete the file"
            ) from error
        yield
