"""Tables on the terminal and the same records as JSON. Records are lists of dicts with equal keys."""

import math
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Record = Mapping[str, Any]


def format_table(records: Sequence[Record], title: str = "") -> str:
    """Records as aligned text, numbers to the right; as wide as the terminal, unlimited when piped.

    At a terminal titles and headings stand out, unless ``NO_COLOR`` is set (no-color.org).
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if not records:
        return f"{title}: none" if title else "none"
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold cyan")
    for name in records[0]:
        numeric = all(isinstance(record[name], int | float | np.number) for record in records)
        style = "cyan" if name == "rank" else None
        heading = Text(name.replace("_", " "))
        table.add_column(heading, justify="right" if numeric else "left", overflow="fold", style=style)
    for record in records:
        table.add_row(*(Text(format_cell(value)) for value in record.values()))
    at_terminal = sys.stdout.isatty()
    console = Console(
        width=shutil.get_terminal_size().columns if at_terminal else 10_000,
        color_system="auto" if at_terminal and not os.environ.get("NO_COLOR") else None,
        highlight=False,
    )
    with console.capture() as capture:
        if title:  # not rich's own title, which is broken at the table's width
            console.print(Text(title, style="bold"), soft_wrap=True)
        console.print(table)
    return "\n".join(line.rstrip() for line in capture.get().rstrip("\n").splitlines()).strip("\n")


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
    return str(value)
