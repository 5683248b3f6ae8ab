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
from songmap.core.text import readable, wrapped

Record = Mapping[str, Any]
CsvKind = Literal["spreadsheet", "raw"]
CSV_KINDS: tuple[CsvKind, ...] = ("spreadsheet", "raw")

_GAP = "  "  # between columns
_SHORT = 20  # characters: no longer cells are continued on another line only where nothing else helps
_PARTS = re.compile(r"[^ /\n]*(?:/|[ ]+)|[^ /\n]+")  # a line can be broken after each
_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?(e[-+]?\d+)?", re.IGNORECASE)
# where a spreadsheet takes what follows for a formula: at the start of a cell, and of what a semicolon makes one
_FORMULA = re.compile(r"(^|;)(?=\s*[=+\-@\uff1d\uff0b\uff0d\uff20])")


def format_table(
    records: Sequence[Record],
    title: str = "",
    *,
    optional: Sequence[str] = (),
    shortened: Mapping[str, int] | None = None,
) -> str:
    """Records as aligned text, numbers to the right, as wide as the terminal at most.

    Elsewhere the width is $COLUMNS, 80 where that is not set: the same for a pipe as for a terminal of that width.
    Programs read JSON or CSV, which hold everything. At a terminal titles and headings are in bold and colour, unless
    ``NO_COLOR`` is set (no-color.org). Names and titles can hold anything, see ``readable``.

    Parameters
    ----------
    records : sequence of mappings
        All with the same keys; a column that is empty in all of them is left out.
    title : str
    optional : sequence of str
        Columns that are left out until the others fit, the first of them first.
    shortened : mapping of str to int, optional
        Columns whose cells are cut, with "…", the most important one first: the last is cut first, each to no less than
        so many characters where optional ones still fit beside them, to less where nothing else helps. Cells of other
        columns are continued on the next line.
    """
    title = readable(title).rstrip()
    if not records:
        return f"{title}: none" if title else "none"
    paint = _painter(sys.stdout.isatty())
    limit = terminal_columns() - 1  # a space in front
    cells_of = {name: [format_cell(record[name]) for record in records] for name in records[0]}
    cells_of = {name: cells for name, cells in cells_of.items() if any(cells)} or cells_of
    headings = {name: readable(name.replace("_", " ")) for name in cells_of}
    with_headings = {name: [headings[name], *cells] for name, cells in cells_of.items()}
    widths = _fitted(with_headings, limit, optional, shortened or {})
    numeric = [all(isinstance(record[name], int | float | np.number | None) for record in records) for name in widths]

    def lines(cells: Iterable[str], styles: Iterable[str]) -> Iterator[str]:
        """A row of the table, several lines where a cell has some."""
        folded = [
            [_cut(cell, width)] if name in (shortened or ()) else _folded(cell, width)
            for cell, (name, width) in zip(cells, widths.items(), strict=True)
        ]
        for parts in zip_longest(*folded, fillvalue=""):
            padded = map(_padded, parts, widths.values(), numeric)
            yield f" {_GAP.join(map(paint, padded, styles))}".rstrip()

    table = [*lines([headings[name] for name in widths], ["bold cyan"] * len(widths))]
    table.append(f" {'─' * _total(widths)}")
    styles = ["cyan" if name == "rank" else "" for name in widths]
    for row in zip(*(cells_of[name] for name in widths), strict=True):
        table += lines(row, styles)
    titles = [
        paint(line, "bold") for part in title.split("\n") for line in wrapped(part, limit + 1).split("\n") if line
    ]
    return "\n".join([*titles, *table])


def terminal_columns() -> int:
    """Characters that a line may have: $COLUMNS, or those of the terminal, or 80; 20 at least."""
    return max(shutil.get_terminal_size().columns, 20)


def _total(widths: Mapping[str, int]) -> int:
    return sum(widths.values()) + len(_GAP) * (len(widths) - 1)


def _fitted(
    cells_of: Mapping[str, Sequence[str]], limit: int, optional: Sequence[str], shortened: Mapping[str, int]
) -> dict[str, int]:
    """The columns that fit into ``limit`` characters, and their widths; ``cells_of`` includes headings."""
    wanted = {name: _width(cells) for name, cells in cells_of.items()}
    least = {}  # width that a column has without harm: cut, or long cells continued after a word
    for name, width in wanted.items():
        parts = _PARTS.findall("\n".join(cells_of[name])) if width > _SHORT and name not in shortened else []
        least[name] = min(width, shortened.get(name, _width(part.rstrip(" ") for part in parts) if parts else width))
    for name in optional:
        if _total(least) > limit and len(least) > 1:
            least.pop(name, None)
    widths = {name: wanted[name] for name in least}
    for name in [name for name in reversed(list(shortened)) if name in widths]:
        widths[name] = max(least[name], widths[name] - max(_total(widths) - limit, 0))
    for floors in (least, dict.fromkeys(least, 1)):
        while _total(widths) > limit and (wide := [name for name in widths if widths[name] > floors[name]]):
            widths[max(wide, key=lambda name: widths[name])] -= 1
    return widths


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


def _cut(cell: str, width: int) -> str:
    """A cell in one line of at most ``width`` characters, the end of a longer one as "…"."""
    from rich.cells import cell_len, set_cell_size

    line = cell.replace("\n", " ")
    return line if cell_len(line) <= width else f"{set_cell_size(line, width - 1).rstrip()}…"


def _folded(cell: str, width: int) -> list[str]:
    """The lines of a cell, none wider than ``width``, broken after words or a path's slashes where that is possible."""
    from rich.cells import cell_len, chop_cells

    if "\n" not in cell and cell_len(cell) <= width:
        return [cell]
    lines = []
    for text in cell.split("\n"):
        line = ""
        for part in _PARTS.findall(text):
            if line and cell_len(line) + cell_len(part.rstrip()) > width:
                lines.append(line.rstrip())
                line = ""
            *full, line = chop_cells(line + part, width) if cell_len(part.rstrip()) > width else [line + part]
            lines += full
        lines.append(line.rstrip())
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
