"""What every script shares: exit statuses, one-line errors, tables, JSON, names of colours."""

import argparse
import json
import sys

import numpy as np
import pytest

from songmap.core import cli, serialise, streams, tables, text
from songmap.core.errors import QueryError
from songmap.core.workspace import REPOSITORY, Workspace
from songmap.library import palette
from songmap.library.schema import FAMILIES


def outcome(run, argv=()):
    return cli.script_main(cli.new_parser("test"), run, argv)


def test_statuses_and_one_line_errors(capsys):
    assert outcome(lambda workspace: 1) == 1

    def fail(workspace):
        raise QueryError("no such song\nreally")

    assert outcome(fail) == 2
    assert capsys.readouterr().err.splitlines()[0].endswith("no such song really")

    def full(workspace):
        raise OSError(28, "No space left on device", "/somewhere/file")

    assert outcome(full) == 2
    error = capsys.readouterr().err
    assert "/somewhere/file: No space left on device" in error
    assert len(error.splitlines()) == 1

    def interrupt(workspace):
        raise KeyboardInterrupt

    assert outcome(interrupt) == 130


def test_an_error_of_ours_is_not_hidden():
    def broken(workspace):
        raise TypeError("a fault in the code")

    with pytest.raises(TypeError):
        outcome(broken)


@pytest.mark.parametrize(("kind", "good", "bad"), [(cli.whole_number(1, 9), "9", "10"), (cli.fraction, "0.5", "1.5")])
def test_argument_types_name_the_limit(kind, good, bad):
    assert kind(good) == float(good)
    with pytest.raises(argparse.ArgumentTypeError, match="out of range, give"):
        kind(bad)


def test_bad_usage_is_one_line_with_the_nearest_choice(capsys):
    parser = cli.new_parser("test")
    parser.add_argument("--space", choices=["balanced", "scaled"])
    for arguments, message in (
        (["--space", "balnced"], "no 'balnced'; did you mean balanced?"),
        (["--space", "zzz"], "no 'zzz'; choose from balanced, scaled"),
        (["--colour"], "unrecognized arguments: --colour"),
    ):
        with pytest.raises(SystemExit) as end:
            parser.parse_args(arguments)
        assert end.value.code == 2
        error = capsys.readouterr().err
        assert message in error
        assert len(error.splitlines()) == 1


def test_a_long_title_is_not_broken_by_a_narrow_table():
    title = "A title that is longer than the table " * 3
    assert tables.format_table([{"a": 1}], title).splitlines()[0] == title.rstrip()


def test_help_shows_defaults(capsys):
    with pytest.raises(SystemExit):
        cli.new_parser("test").parse_args(["--help"])
    assert "default" in capsys.readouterr().out


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


def test_json_is_plain():
    document = [{"a": np.float32(0.5), "b": np.arange(2), "c": float("nan"), "d": "ü", "e": np.int64(3)}]
    assert json.loads(serialise.to_json(document)) == [{"a": 0.5, "b": [0, 1], "c": None, "d": "ü", "e": 3}]


@pytest.mark.parametrize(("seconds", "shown"), [(59.6, "1:00"), (3725, "1:02:05"), (0, "0:00")])
def test_durations(seconds, shown):
    assert text.format_duration(seconds) == shown


def test_genres_keep_their_colour_and_stay_apart():
    genres = [f"G{index:02d}" for index in range(20)]
    colours, markers = palette.genre_colours(genres), palette.genre_markers(genres)
    assert len({(colours[genre], markers[genre]) for genre in genres}) == 20
    assert palette.genre_colours(reversed(genres)) == colours
    assert palette.genre_colours(["UNKNOWN", "A"])["UNKNOWN"] == palette.UNKNOWN_COLOUR
    assert len(set(palette.FAMILY_COLOURS.values())) == len(FAMILIES)


def test_shorten_keeps_both_ends():
    assert text.shorten("short", 10) == "short"
    short = text.shorten("a" * 60 + "END", 20)
    assert len(short) <= 20
    assert short.startswith("aaa")
    assert short.endswith("END")


def test_decoders_notes_vanish_and_ours_stay(capfd):
    with streams.quiet_decoders():
        sys.__stderr__.flush()
        import os

        os.write(2, b"note of a C library\n")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"


def test_a_page_escapes_what_it_is_given_and_misses_nothing():
    from jinja2 import UndefinedError

    from songmap.core.pages import render

    page = render("core/page.html", title="<b>&")
    assert "<title>&lt;b&gt;&amp;</title>" in page
    assert "color-scheme: light dark" in page
    with pytest.raises(UndefinedError, match="title"):
        render("core/page.html")


def test_the_workspace_is_the_current_folder_where_that_is_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert Workspace.default().root == REPOSITORY
    (tmp_path / "data").mkdir()
    assert Workspace.default().root == tmp_path
