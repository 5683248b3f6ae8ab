"""Tables on the terminal."""

import os

import pytest
from rich.cells import cell_len

from songmap.core import tables


def test_a_long_title_is_not_broken_by_a_narrow_table():
    title = "A title that is longer than the table " * 3
    assert tables.format_table([{"a": 1}], title).splitlines()[0] == title.rstrip()


def test_tables_align_and_keep_brackets():
    table = tables.format_table([{"name": "[bold]日本", "bpm": 120.0}, {"name": "x", "bpm": -0.00001}], "Ti[t]le")
    assert "[bold]日本" in table
    assert "Ti[t]le" in table
    assert table.splitlines()[-1].endswith(" 0")
    assert tables.format_table([], "Songs") == "Songs: none"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        (float("nan"), ""),
        (1234.5, "1,234"),
        (0.12345, "0.123"),
        (2.0, "2"),
        (12345, "12,345"),
        (True, "True"),
    ],
)
def test_cells(value, shown):
    assert tables.format_cell(value) == shown


@pytest.mark.parametrize("width", [20, 33, 80])
def test_tables_fit_the_terminal(width, monkeypatch):
    monkeypatch.setattr(tables.sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(tables.shutil, "get_terminal_size", lambda: os.terminal_size((width, 24)))
    monkeypatch.setenv("NO_COLOR", "1")
    records = [{"rank": 1, "name": "日本 語" * 9, "bpm": 120.5}, {"rank": 2, "name": "x" * 70, "bpm": 1.0}]
    shown = tables.format_table(records)
    assert max(map(cell_len, shown.splitlines())) <= width
    assert shown.count("x") == 70
    assert shown.count("日") == 9
