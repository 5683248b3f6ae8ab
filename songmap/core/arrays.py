"""Files of arrays and one JSON document, ``.npz``: data alone, of which nothing is executed when it is read."""

import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from songmap.core.errors import SchemaError

_DOCUMENT = "document"


def array_file(arrays: Mapping[str, np.ndarray], document: Any) -> bytes:
    """The content of a file: arrays by name, and a document that JSON can hold."""
    stream = io.BytesIO()
    text = np.frombuffer(json.dumps(document, ensure_ascii=False).encode(), np.uint8)
    np.savez(stream, allow_pickle=False, **{_DOCUMENT: text}, **arrays)
    return stream.getvalue()


def read_array_file(path: Path, content: bytes, made_by: str) -> tuple[dict[str, np.ndarray], Any]:
    """What ``array_file`` made, from the ``content`` of ``path``.

    Raises
    ------
    SchemaError
        Whatever is wrong with the file. It names the script that makes the file.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        document = json.loads(arrays.pop(_DOCUMENT).tobytes())
    except (
        ValueError, KeyError, TypeError, AttributeError, OSError, EOFError, MemoryError, RecursionError, OverflowError,
        NotImplementedError, zipfile.BadZipFile, zlib.error,
    ) as error:  # fmt: skip
        raise SchemaError(f"{path} is damaged ({type(error).__name__}); run {made_by} again") from error
    return arrays, document
