"""CSV files as they are passed around: with commas, semicolons, tabs or bars, in UTF-8 or UTF-16."""

import codecs
import csv
import io
import re
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from songmap.core.errors import UsageError
from songmap.core.files import LARGEST_BYTES

if TYPE_CHECKING:
    import pandas as pd

_DELIMITERS = (",", ";", "\t", "|")
_DECIMAL_COMMA = re.compile(r"(?:^|;)[ \"]*-?\d+,\d", re.MULTILINE)
_ARCHIVES = {b"\x1f\x8b": "gzip", b"PK\x03\x04": "a ZIP archive or a spreadsheet", b"BZh": "bzip2", b"\xfd7zXZ": "xz"}


def read_table(path: Path, text_columns: Collection[str]) -> "pd.DataFrame":
    """The table in a file; ``text_columns``, in whatever case, are as they are written, "" where nothing is.

    Raises UsageError for a file that is not a table.
    """
    import pandas as pd

    text, as_text = _text(path), {name.lower() for name in text_columns}
    delimiter = max(_DELIMITERS, key=text.partition("\n")[0].count)
    header = [name.strip() for name in _header(path, text, delimiter)]
    if not any(header):
        raise UsageError(f"{path}: the first line is empty; it must hold the names of columns")
    if twice := sorted({name for name in header if header.count(name) > 1}):
        raise UsageError(f"{path}: there are several columns {twice[0]!r}; give each a name of its own")

    def parsed(**options: Any) -> pd.DataFrame:
        return pd.read_csv(io.StringIO(text), sep=delimiter, header=0, names=header, low_memory=False, **options)

    table = parsed(decimal="," if delimiter == ";" and _DECIMAL_COMMA.search(text) else ".")
    words = parsed(usecols=[name for name in header if name.lower() in as_text], dtype=str, na_filter=False)
    for name in words.columns:  # "NA" and "1.0" are names of genres too
        table[name] = words[name].str.strip()
    if table.empty:
        raise UsageError(f"{path} has no rows")
    return table


def _text(path: Path) -> str:
    if (size := path.stat().st_size) > LARGEST_BYTES:
        raise UsageError(f"{path} has {size:,} bytes, more than {LARGEST_BYTES:,}; give fewer rows or columns")
    content = path.read_bytes()
    for start, kind in _ARCHIVES.items():
        if content.startswith(start):
            raise UsageError(f"{path} is {kind}, not text; unpack it, or save the table as CSV")
    encoding = "UTF-16" if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "UTF-8"
    try:
        text = content.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise UsageError(
            f"{path}: line {line} is not {encoding}; save the table as UTF-8 (iconv -f latin1 -t utf8)"
        ) from None
    if "\0" in text:
        line = text.partition("\0")[0].count("\n") + 1
        raise UsageError(f"{path}: line {line} has a NUL byte: this is not a table, or is not UTF-8; save it as UTF-8")
    return text


def _header(path: Path, text: str, delimiter: str) -> list[str]:
    """The cells of the first line. Raises UsageError where a row has more cells, or fewer."""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        header = next(rows, [])
        for row in rows:
            if row and len(row) != len(header):
                raise UsageError(
                    f"{path}: line {rows.line_num} has {len(row)} cells, the header {len(header)}; all need as many"
                )
    except csv.Error as error:
        raise UsageError(f"{path}: line {rows.line_num} is not CSV ({error})") from None
    return header
