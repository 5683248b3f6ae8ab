"""Tables on the terminal."""

import pytest
from rich.cells import cell_len

from songmap.core import tables


def test_a_long_title_is_not_broken_by_a_narrow_table(monkeypatch):
    title = "A title that is longer than the table"
    assert tables.format_table([{"a": 1}], title).splitlines()[0] == title
    monkeypatch.setenv("COLUMNS", "30")
    assert tables.format_table([{"a": 1}], title).splitlines()[:2] == ["A title that is longer than", "  the table"]


SONGS = [
    {"rank": 1, "title": "Elf Land", "artist": "Aleksi Aubry-Carlson", "BPM": 137, "genre": "ROMANTIC CLASSICAL"},
    {"rank": 2, "title": "A title of several words, longer than others", "artist": "", "BPM": 96, "genre": "GAME"},
]


def songs_table(columns: int, monkeypatch) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(columns))
    return tables.format_table(SONGS, optional=("genre", "artist"), shortened={"title": 20, "artist": 12}).splitlines()


def test_what_matters_least_is_left_out_until_the_rest_fits(monkeypatch):
    headings = {columns: songs_table(columns, monkeypatch)[0].split() for columns in (100, 80, 60, 30)}
    assert headings[100] == headings[80] == ["rank", "title", "artist", "BPM", "genre"]
    assert headings[60] == ["rank", "title", "artist", "BPM"]
    assert headings[30] == ["rank", "title", "BPM"]


@pytest.mark.parametrize("columns", [30, 60, 80])
def test_what_can_be_shortened_takes_one_line_a_row(columns, monkeypatch):
    _, _, *rows = lines = songs_table(columns, monkeypatch)
    assert len(rows) == len(SONGS)
    assert max(map(cell_len, lines)) <= columns
    assert "…" in rows[1]


def test_an_empty_column_is_left_out():
    assert tables.format_table([{"title": "x", "artist": ""}]).split()[0] == "title"
    assert "artist" not in tables.format_table([{"title": "x", "artist": ""}])


def test_a_path_is_broken_after_slashes(monkeypatch):
    monkeypatch.setenv("COLUMNS", "26")
    path = "/music/Artist of some name/Album/01.ogg"
    _, _, *lines = tables.format_table([{"file": path}]).splitlines()
    assert [line.strip() for line in lines] == ["/music/Artist of some", "name/Album/01.ogg"]


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
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("NO_COLOR", "1")
    records = [{"rank": 1, "name": "日本 語" * 9, "bpm": 120.5}, {"rank": 2, "name": "x" * 70, "bpm": 1.0}]
    shown = tables.format_table(records)
    assert max(map(cell_len, shown.splitlines())) <= width
    assert shown.count("x") == 70
    assert shown.count("日") == 9
