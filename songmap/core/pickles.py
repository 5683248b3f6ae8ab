"""Unpickling by an allow-list of classes: a file that names any other raises an error, and none of it is run."""

import importlib
import io
import pickle
from pathlib import Path
from typing import Any

from songmap.core.errors import SchemaError

# what numpy arrays and pandas tables are made of
TABLE_CLASSES = {
    ("builtins", "slice"), ("numpy", "dtype"), ("numpy", "ndarray"),
    ("numpy._core.multiarray", "_reconstruct"), ("numpy._core.multiarray", "scalar"),
    ("numpy._core.numeric", "_frombuffer"),
    ("numpy.core.multiarray", "_reconstruct"), ("numpy.core.multiarray", "scalar"),
    ("numpy.core.numeric", "_frombuffer"),
    ("pandas", "DataFrame"), ("pandas", "Index"), ("pandas", "RangeIndex"), ("pandas", "StringDtype"),
    ("pandas._libs.arrays", "__pyx_unpickle_NDArrayBacked"), ("pandas._libs.internals", "_unpickle_block"),
    ("pandas.arrays", "StringArray"), ("pandas.core.arrays.string_", "StringArray"),
    ("pandas.core.arrays.string_", "StringDtype"), ("pandas.core.frame", "DataFrame"),
    ("pandas.core.indexes.base", "Index"), ("pandas.core.indexes.base", "_new_Index"),
    ("pandas.core.indexes.range", "RangeIndex"), ("pandas.core.internals.managers", "BlockManager"),
}  # fmt: skip


def load_pickle(path: Path, content: bytes, allowed: set[tuple[str, str]]) -> Any:
    """Unpickle ``content`` of ``path``; a class outside ``allowed`` raises SchemaError before it is imported."""
    try:
        return _AllowListUnpickler(io.BytesIO(content), path, allowed).load()
    except SchemaError:
        raise
    except Exception as error:  # a damaged pickle can raise anything; no class outside the list was imported
        raise SchemaError(f"{path} cannot be read ({type(error).__name__}: {error}); make it again") from error


class _AllowListUnpickler(pickle.Unpickler):
    def __init__(self, stream: io.BytesIO, path: Path, allowed: set[tuple[str, str]]) -> None:
        super().__init__(stream)
        self._path, self._allowed = path, allowed

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self._allowed:
            raise SchemaError(
                f"{self._path} contains {module}.{name}, which does not belong there: "
                "tampered with, or from another version; nothing of it was run"
            )
        return getattr(importlib.import_module(module), name)
