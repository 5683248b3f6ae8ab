"""Numbers, durations and names as people read them."""

import pytest

from songmap.core import svg, text


@pytest.mark.parametrize(("seconds", "shown"), [(59.6, "1:00"), (3725, "1:02:05"), (0, "0:00")])
def test_durations(seconds, shown):
    assert text.format_duration(seconds) == shown


def test_a_path_is_shown_from_the_current_folder_where_that_is_shorter(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert text.shown_path(tmp_path / "outputs" / "a.png") == "outputs/a.png"
    assert text.shown_path("/x") == "/x"


def test_shorten_keeps_both_ends():
    assert text.shorten("short", 10) == "short"
    short = text.shorten("a" * 60 + "END", 20)
    assert len(short) <= 20
    assert short.startswith("aaa")
    assert short.endswith("END")


@pytest.mark.parametrize(
    ("share", "shown"), [(0, "0 %"), (0.004, "<1 %"), (0.5, "50 %"), (0.994, "99 %"), (0.996, ">99 %"), (1, "100 %")]
)
def test_percent_rounds_neither_to_nothing_nor_to_all(share, shown):
    assert text.percent(share) == shown


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [(361, 671, "361–671 Hz"), (26, 10_700, "26 Hz–10.7 kHz"), (1001, 1002, "1.0 kHz"), (2000, 2600, "2.0–2.6 kHz")],
)
def test_frequency_ranges(low, high, shown):
    assert text.hertz_range(low, high) == shown


def test_names_that_are_not_utf_8_can_be_shown():
    assert text.readable(b"caf\xe9.mp3".decode("utf-8", "surrogateescape")) == "caf�.mp3"


@pytest.mark.parametrize("limit", range(26, 38))
def test_shorten_cuts_between_words(limit):
    name = "Stella Cadente – Stella Cadente Project"
    short = text.shorten(name, limit)
    assert len(short) <= limit
    assert all(part in name.split() for part in short.replace("…", " ").split())


def test_no_line_of_the_terminal_ends_before_a_unit():
    assert text.wrapped("choosing it gives 79 % (56 % to 96 %)", 26).split("\n")[0] == "choosing it gives 79 %"
    assert not any(line.lstrip().startswith("%") for line in text.wrapped("9 % " * 50, 21).split("\n"))


def test_names_of_charts_are_cut_only_where_they_are_too_wide():
    name = "Piazza am Meer – Zwischenraum"
    assert all(svg.fitted(name, svg.text_width(name) + more) == name for more in (0, 1.3, 17.1, 80.3))
    assert svg.text_width(svg.fitted(name, 120)) <= 130
