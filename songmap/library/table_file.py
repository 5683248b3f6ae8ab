"""The table of songs as arrays, and back: a file that holds numbers and text alone, and executes nothing.

A column of numbers is an array. A column of text is one text of all rows in UTF-8 and where each row ends in it, in
characters. Bytes of names that are not UTF-8, which Python keeps as single surrogates, are written as such.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from songmap.core.arrays import array_file, read_array_file
from songmap.core.errors import SchemaError
from songmap.library.schema import NUMBER_COLUMNS, SONG_COLUMNS

_NUMBERS = "biuf"  # kinds of arrays: true or false, whole numbers, others
_LONE_SURROGATES = "surrogatepass"  # unlike surrogateescape it never joins the end of a row with the next


def table_file(songs: pd.DataFrame) -> bytes:
    """The content of a file. Raises SchemaError for a column that holds something else than numbers or text."""
    arrays: dict[str, np.ndarray] = {}
    for place, name in enumerate(songs.columns):
        values = songs[name].to_numpy()
        if values.dtype.kind in _NUMBERS:
            arrays[f"{place}"] = values
            continue
        texts = values.tolist()
        if not all(isinstance(text, str) for text in texts):
            raise SchemaError(f"column {name} of the songs holds neither numbers nor text alone")
        arrays[f"{place}.text"] = np.frombuffer("".join(texts).encode("utf-8", _LONE_SURROGATES), np.uint8)
        arrays[f"{place}.ends"] = np.cumsum([len(text) for text in texts], dtype=np.int64)
    return array_file(arrays, list(map(str, songs.columns)))


def read_table(path: Path, content: bytes, made_by: str) -> pd.DataFrame:
    """What ``table_file`` made. Raises SchemaError whatever is wrong with it."""
    arrays, names = read_array_file(path, content, made_by)
    try:
        table = _columns(arrays, names)
    except (KeyError, ValueError, TypeError) as error:
        raise SchemaError(f"{path} is not a table of songs ({type(error).__name__}); run {made_by} again") from error
    songs = pd.DataFrame(dict(enumerate(table.values())))  # pandas makes an index of UTF-8 of names
    songs.columns = pd.Index(list(table), dtype=object)
    return songs


def _columns(arrays: dict[str, np.ndarray], names: Any) -> dict[str, pd.Series]:
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
        raise ValueError("no names of columns")
    shared: dict[str, str] = {}  # of equal texts one is in memory
    table = {}
    for place, name in enumerate(names):
        if name in SONG_COLUMNS and (f"{place}" in arrays) != (name in NUMBER_COLUMNS):
            raise ValueError(f"numbers or text in {name}")
        if (numbers := arrays.get(f"{place}")) is not None:
            if numbers.ndim != 1 or numbers.dtype.kind not in _NUMBERS:
                raise ValueError(f"no numbers in {name}")
            table[name] = pd.Series(numbers)
            continue
        text = arrays[f"{place}.text"].tobytes().decode("utf-8", _LONE_SURROGATES)
        ends = arrays[f"{place}.ends"]
        starts = np.concatenate([np.zeros(1, np.int64), ends[:-1]]) if len(ends) else ends
        if ends.ndim != 1 or ends.dtype != np.int64 or (starts > ends).any() or (len(ends) and ends[-1] != len(text)):
            raise ValueError(f"no places of rows in {name}")
        if not text:  # as many columns are
            table[name] = pd.Series([""] * len(ends), dtype=object)
            continue
        rows = [text[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
        table[name] = pd.Series(list(map(shared.setdefault, rows, rows)), dtype=object)
    if len(set(map(len, table.values()))) > 1:
        raise ValueError("columns of different lengths")
    return table
