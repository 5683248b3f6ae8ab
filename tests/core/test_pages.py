"""Pages from templates."""

import pytest
from jinja2 import DictLoader, UndefinedError

from songmap.core import pages
from songmap.core.pages import page_table, render


def test_a_page_escapes_what_it_is_given_and_misses_nothing():
    page = render("core/page.html", title="<b>&")
    assert "<title>&lt;b&gt;&amp;</title>" in page
    assert "color-scheme: light dark" in page
    with pytest.raises(UndefinedError, match="title"):
        render("core/page.html")


def test_no_line_ends_between_a_number_and_its_unit(monkeypatch):
    template = (
        '<a href="of 5 s.wav" title="2 &gt; 1: 5 s">{{ text }}</a> 0.5 dB\n<script>const a = "7 % 2", b = 5 % s;</script>\n'
        "<style>p { width: 5 % }</style>, 2 kHz, 3 songs, 4 min."
    )
    monkeypatch.setattr(pages._environment(), "loader", DictLoader({"units": template}))
    page = render("units", text="12 % of 120 BPM & 5 %")
    assert page == (
        '<a href="of 5 s.wav" title="2 &gt; 1: 5 s">12\u00a0% of 120\u00a0BPM &amp; 5\u00a0%</a> 0.5\u00a0dB\n'
        '<script>const a = "7 % 2", b = 5 % s;</script>\n'
        "<style>p { width: 5 % }</style>, 2\u00a0kHz, 3 songs, 4\u00a0min."
    )


def test_columns_of_numbers_with_units_and_intervals_are_numeric():
    cells = {
        "share": "84 %", "difference": "−13 to +13", "score": "0.14 (0.09–0.19)", "size": "1.3 MB", "number": 3,
        "clusters": "none", "name": "PC1 (26 %)", "place": "1: TRANCE", "empty": "",
    }  # fmt: skip
    table = page_table([cells, cells | {"clusters": "4"}], headings={})
    assert table.numeric == [True] * 6 + [False] * 3
