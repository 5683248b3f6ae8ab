"""Files that are complete or absent: atomic writes, and reads whose errors are one line."""

import errno
import json
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Any

from songmap.core.errors import SchemaError
from songmap.core.text import readable

LARGEST_BYTES = 4 * 2**30  # of a file that is read whole; matrices, which have most of a large library, are mapped


def write_atomically(path: Path, content: bytes | Callable[[Path], object]) -> None:
    """Write bytes, or let a function write a file, under a temporary name; then move it to ``path``.

    An interrupted write leaves the old file. The suffix is kept, since some writers look at it. A file
    with the same bytes is left alone, so that a file's time says when its content changed.
    """
    if not callable(content) and path.is_file() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}.", suffix=path.suffix, dir=path.parent)
    temporary = Path(name)
    try:
        if callable(content):
            os.close(handle)
            content(temporary)
        else:
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)
        temporary.replace(path)
    except OSError as error:  # a full disk is reported without a name
        if error.errno is None:  # by numpy
            raise OSError(f"{path}: {error}") from error
        if error.filename in (None, name):
            error.filename = str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: Path, document: Any) -> None:
    """Write one JSON document, readable and with a final newline, atomically."""
    write_atomically(path, json_bytes(document))


def json_bytes(document: Any) -> bytes:
    """One JSON document as people read it; bytes of names that are not UTF-8 are shown as �."""
    return (readable(json.dumps(document, indent=1, ensure_ascii=False)) + "\n").encode()


def remove_leftovers(folder: Path, *names: str) -> None:
    """Remove temporary files of writes to ``names`` (with ``*``) in a folder whose process was killed.

    The caller holds the lock under which they are written.
    """
    for name in names:
        stem, _, suffix = name.rpartition(".")
        for path in folder.glob(f".{stem}.{'[a-z0-9_]' * 8}.{suffix}"):  # as mkstemp names them
            path.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Have the content of a file, or the names in a folder, on the disk."""
    if path.is_dir() and not hasattr(os, "O_DIRECTORY"):
        return  # Windows opens no folders
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def open_regular(path: Path) -> BufferedReader:
    """Open a file for reading; a FIFO or a device in its place, of which a read may never end, raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))
    return os.fdopen(descriptor, "rb")


def read_bytes(path: Path, made_by: str) -> bytes:
    """The content of a file. Raises SchemaError, which names the script that makes the file."""
    with reading(path, made_by), open_regular(path) as stream:
        return read_whole(path, stream, made_by)


def read_whole(path: Path, stream: BufferedReader, made_by: str) -> bytes:
    """The content of ``path``, which is open. Raises SchemaError for a file that may not fit into memory."""
    if (size := os.fstat(stream.fileno()).st_size) > LARGEST_BYTES:
        limit = f"{size:,} bytes, more than {LARGEST_BYTES:,}"
        raise SchemaError(f"{path} has {limit}: it is damaged; delete it and run {made_by} again")
    return stream.read()


@contextmanager
def reading(path: Path, made_by: str) -> Iterator[None]:
    """Errors of opening and reading a file become SchemaError, which names the script that makes it."""
    try:
        yield
    except FileNotFoundError:
        raise SchemaError(f"{path} does not exist; run {made_by} first") from None
    except OSError as error:
        raise SchemaError(f"{path} cannot be read: {error.strerror}") from error


def read_json(path: Path, made_by: str) -> dict[str, Any]:
    """The JSON object in a file. Raises SchemaError, which names the script that makes the file."""
    return parse_json(path, read_bytes(path, made_by), made_by)


def parse_json(path: Path, content: bytes, made_by: str) -> dict[str, Any]:
    """The JSON object in the ``content`` of a file. Raises SchemaError, which names the script that makes the file."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise SchemaError(f"{path} is not JSON ({error}); run {made_by} again") from error
    if not isinstance(document, dict):
        raise SchemaError(f"{path} is not a JSON object; run {made_by} again")
    return document
