"""Files of arrays, ``.npy`` and ``.npz``: data alone, of which nothing is executed when it is read.

Headers are read here, in the one form that ``numpy.save`` gives them for numbers and texts: numpy evaluates whatever
Python literal is there. An ``.npz`` is uncompressed, so that its arrays take the memory of the file and no more.
"""

import io
import json
import math
import os
import re
import zipfile
from collections.abc import Mapping
from io import BufferedIOBase, BufferedReader
from pathlib import Path
from typing import Any

import numpy as np

from songmap.core.errors import SchemaError

_DOCUMENT = "document"
_MAGIC = b"\x93NUMPY\x01\x00"
_HEADER = re.compile(
    r"\{'descr': '([<|][biufU]\d{1,4})', 'fortran_order': (False|True), 'shape': \(((?:\d{1,15}(?:, |,(?=\))|(?=\))))*)\), \} *\n"
)


def array_file(arrays: Mapping[str, np.ndarray], document: Any) -> bytes:
    """The content of a file: arrays by name, and a document that JSON can hold."""
    stream = io.BytesIO()
    # text in ASCII: names of files and folders that are not UTF-8 have no other
    text = np.frombuffer(json.dumps(document).encode(), np.uint8)
    np.savez(stream, allow_pickle=False, **{_DOCUMENT: text}, **arrays)
    return stream.getvalue()


def matrix_file(matrix: np.ndarray) -> bytes:
    """The content of an ``.npy``."""
    stream = io.BytesIO()
    np.save(stream, np.ascontiguousarray(matrix), allow_pickle=False)
    return stream.getvalue()


def read_array_file(path: Path, content: bytes, made_by: str) -> tuple[dict[str, np.ndarray], Any]:
    """What ``array_file`` made, from the ``content`` of ``path``.

    Raises
    ------
    SchemaError
        Whatever is wrong with the file. It names the script that makes the file.
    """
    arrays = read_arrays(path, content, f"run {made_by} again")
    try:
        document = json.loads(arrays.pop(_DOCUMENT).tobytes())
    except (KeyError, ValueError, RecursionError) as error:
        raise _damaged(path, error, f"run {made_by} again") from error
    return arrays, document


def read_arrays(path: Path, content: bytes, advice: str) -> dict[str, np.ndarray]:
    """The arrays in an ``.npz``, from the ``content`` of ``path``. Raises SchemaError, which ends with ``advice``."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            if sum(entry.file_size for entry in file.infolist()) > len(content):
                raise ValueError("more data than the file has bytes")
            return {entry.filename.removesuffix(".npy"): _array(file.read(entry)) for entry in file.infolist()}
    except Exception as error:  # zipfile raises a dozen kinds for damaged files
        raise _damaged(path, error, advice) from error


def map_matrix(path: Path, stream: BufferedReader, made_by: str) -> np.ndarray:
    """The array in an ``.npy`` that is open, mapped into memory for reading. Raises SchemaError."""
    try:
        dtype, shape, order = _header(stream)
        if stream.tell() + math.prod(shape) * dtype.itemsize != os.fstat(stream.fileno()).st_size:
            raise ValueError("not as long as its header says")
        return np.memmap(stream, dtype, "r", stream.tell(), shape, order)
    except (ValueError, TypeError) as error:
        raise _damaged(path, error, f"run {made_by} again") from error


def _array(content: bytes) -> np.ndarray:
    stream = io.BytesIO(content)
    dtype, shape, order = _header(stream)
    return np.frombuffer(stream.read(), dtype).reshape(shape, order=order).copy(order)


def _header(stream: BufferedIOBase) -> tuple[np.dtype, tuple[int, ...], Any]:
    """Type, shape and order of an array. Raises ValueError or TypeError."""
    magic = stream.read(len(_MAGIC) + 2)
    header = stream.read(int.from_bytes(magic[len(_MAGIC) :], "little"))
    match = _HEADER.fullmatch(header.decode("latin-1"))
    if not magic.startswith(_MAGIC) or match is None:
        raise ValueError("not an array of numbers")
    kind, is_fortran, sizes = match.groups()
    return np.dtype(kind), tuple(map(int, re.findall(r"\d+", sizes))), "F" if is_fortran == "True" else "C"


def _damaged(path: Path, error: Exception, advice: str) -> SchemaError:
    return SchemaError(f"{path} is damaged ({type(error).__name__}: {' '.join(str(error).split())}); {advice}")
