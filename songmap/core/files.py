"""Files that are complete or absent: atomic writes, and reads whose errors are one line."""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Any

from songmap.core.errors import SchemaError


def write_atomically(path: Path, content: bytes | Callable[[Path], None]) -> None:
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
    write_atomically(path, (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode())


def read_bytes(path: Path, made_by: str) -> bytes:
    """The content of a file. Raises SchemaError, which names the script that makes the file."""
    with _reading(path, made_by) as stream:
        return stream.read()


def sha256(path: Path, made_by: str) -> str:
    """Hexadecimal SHA-256 of a file. Raises SchemaError, which names the script that makes the file."""
    with _reading(path, made_by) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def _reading(path: Path, made_by: str) -> Iterator[BufferedReader]:
    try:
        with path.open("rb") as stream:
            yield stream
    except FileNotFoundError:
        raise SchemaError(f"{path} does not exist; run {made_by} first") from None
    except OSError as error:
        raise SchemaError(f"{path} cannot be read: {error.strerror}") from error


def read_json(path: Path, made_by: str) -> dict[str, Any]:
    """The JSON object in a file. Raises SchemaError, which names the script that makes the file."""
    try:
        document = json.loads(read_bytes(path, made_by))
    except ValueError as error:
        raise SchemaError(f"{path} is not JSON ({error}); run {made_by} again") from error
    if not isinstance(document, dict):
        raise SchemaError(f"{path} is not a JSON object; run {made_by} again")
    return document
