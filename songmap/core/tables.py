"""Tables on the terminal, of records, which are dicts with equal keys; and rows as CSV."""

import csv
import io
import math
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any, Literal

import numpy as np

from songmap.core.serialise import plain, to_json
from songmap.core.text import readable

Record = Mapping[str, Any]
CsvKind = Literal["spreadsheet", "raw"]
CSV_KINDS: tuple[CsvKind, ...] = ("spreadsheet", "raw")

_GAP = "   "  # between columns
_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?(e[-+]?\d+)?", re.IGNORECASE)
# where a spreadsheet takes what follows for a formula: at the start of a cell, and of what a semicolon makes one
_FORMULA = re.compile(r"(^|;)(?=\s*[=+\-@\uff1d\uff0b\uff0d\uff20])")


def format_table(records: Sequence[Record], title: str = "") -> str:
    """Records as aligned text, numbers to the right; as wide as the terminal, unlimited when piped.

    At a terminal titles and headings stand out, unless ``NO_COLOR`` is set (no-color.org). Names and titles can hold
    anything, see ``readable``.
    """
    title = readable(title).rstrip()
    if not records:
        return f"{title}: none" if title else "none"
    at_terminal = sys.stdout.isatty()
    paint = _painter(at_terminal)
    columns = [[format_cell(record[name]) for record in records] for name in records[0]]
    numeric = [all(isinstance(record[name], int | float | np.number) for record in records) for name in records[0]]
    headings = [readable(name.replace("_", " ")) for name in records[0]]
    widths = [
        _width(column) for column in ([heading, *cells] for heading, cells in zip(headings, columns, strict=True))
    ]
    if at_terminal:
        widths = _narrowed(widths, shutil.get_terminal_size().columns - 2 - len(_GAP) * (len(widths) - 1))
    plain_styles = ["cyan" if name == "rank" else "" for name in records[0]]

    def lines(cells: Iterable[str], styles: Iterable[str]) -> Iterator[str]:
        """A row of the table, several lines where a cell has some."""
        folded = [_folded(cell, width) for cell, width in zip(cells, widths, strict=True)]
        for parts in zip_longest(*folded, fillvalue=""):
            padded = map(_padded, parts, widths, numeric)
            yield f" {_GAP.join(map(paint, padded, styles))}".rstrip()

    table = [*lines(headings, ["bold cyan"] * len(widths)), f" {'─' * (sum(widths) + len(_GAP) * (len(widths) - 1))}"]
    for row in zip(*columns, strict=True):
        table += lines(row, plain_styles)
    return "\n".join([*([paint(title, "bold"), ""] if title else []), *table])


def _painter(at_terminal: bool) -> Callable[[str, str], str]:
    """What gives text a style, where the terminal has styles and the user wants them."""
    from rich.console import Console

    if not at_terminal or os.environ.get("NO_COLOR") or Console().color_system is None:
        return lambda text, style: text
    codes = {"bold": "1", "cyan": "36", "bold cyan": "1;36"}
    return lambda text, style: f"\x1b[{codes[style]}m{text}\x1b[0m" if style and text.strip() else text


def _width(cells: Iterable[str]) -> int:
    """Columns of a terminal that the longest line of any of the cells takes."""
    from rich.cells import cell_len

    return max(cell_len(line) for cell in cells for line in (cell.split("\n") if "\n" in cell else (cell,)))


def _narrowed(widths: Sequence[int], limit: int) -> list[int]:
    """``widths`` whose sum is ``limit`` at most, the widest ones cut; 1 at least."""
    widths = list(widths)
    while (excess := sum(widths) - limit) > 0 and (widest := max(widths)) > 1:
        places = [place for place, width in enumerate(widths) if width == widest]
        below = max((width for width in widths if width < widest), default=1)
        cut = max(min(widest - below, excess // len(places)), 1)
        for place in places[: excess if cut == 1 else None]:
            widths[place] -= cut
    return widths


def _folded(cell: str, width: int) -> list[str]:
    """The lines of a cell, none wider than ``width``, broken between words where that is possible."""
    from rich.cells import cell_len, chop_cells

    if "\n" not in cell and cell_len(cell) <= width:
        return [cell]
    lines = []
    for text in cell.split("\n"):
        line = ""
        for word in text.split(" "):
            if line and cell_len(line) + 1 + cell_len(word) > width:
                lines.append(line)
                line = word
            else:
                line = f"{line} {word}" if line else word
            *full, line = chop_cells(line, width) or [""]
            lines += full
        lines.append(line)
    return lines


def _padded(text: str, width: int, to_the_right: bool) -> str:
    from rich.cells import cell_len

    space = " " * (width - cell_len(text))
    return space + text if to_the_right else text + space


def format_cell(value: Any) -> str:
    """A value for people: three significant decimals where they help, nothing for what is missing."""
    if value is None or (isinstance(value, float | np.floating) and math.isnan(value)):
        return ""
    if isinstance(value, float | np.floating):
        value = float(value)
        text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3f}".rstrip("0").rstrip(".")
        return "0" if text == "-0" else text
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        return f"{value:,}"
    return readable(str(value))


def csv_lines(rows: Iterable[Iterable[Any]], kind: CsvKind = "spreadsheet") -> Iterator[str]:
    """Each row as a line of CSV, without its line break; what is missing is empty, a list or object is JSON in its cell.

    Parameters
    ----------
    rows : iterable of iterables
        Headings are a row too.
    kind : "spreadsheet" or "raw"
        See ``csv_text``.
    """
    for row in rows:
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow([_csv_cell(value, kind) for value in row])
        yield line.getvalue().removesuffix("\n")


def csv_text(text: str, kind: CsvKind = "spreadsheet") -> str:
    """``text`` as a cell of CSV can hold it: readable, and no formula.

    A cell that begins with ``= + - @`` is a formula in a spreadsheet, which can call programs and send what other
    cells hold. Of the kind ``spreadsheet`` such a text gets an apostrophe in front (OWASP, CSV Injection), unless it is
    a number; of the kind ``raw``, for programs, it stays as it is.

    Examples
    --------
    >>> csv_text("=1+1"), csv_text("-0.5"), csv_text("=1+1", "raw")
    ("'=1+1", '-0.5', '=1+1')
    """
    text = readable(text)
    return text if kind == "raw" or _NUMBER.fullmatch(text) else _FORMULA.sub(r"\1'", text)


def _csv_cell(value: Any, kind: CsvKind) -> Any:
    value = plain(value)
    if isinstance(value, Mapping | list):
        value = to_json(value)
    return csv_text(value, kind) if isinstance(value, str) else value
