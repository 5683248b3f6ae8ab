"""Command lines: exit statuses, errors in one line, argument types."""

import argparse

import pytest
from scripts import run_script

from songmap.core import cli
from songmap.core.errors import QueryError
from songmap.core.workspace import Workspace


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
    assert "/somewhere/file: No space left on device; free some space" in error
    assert len(error.splitlines()) == 1

    def interrupt(workspace):
        raise KeyboardInterrupt

    assert outcome(interrupt) == 130


def test_an_error_of_ours_is_not_hidden():
    def broken(workspace):
        raise TypeError("a fault in the code")

    with pytest.raises(TypeError):
        outcome(broken)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: folder / "none.csv", "none.csv: No such file or directory; check how it is written"),
        (lambda folder: folder, "Is a directory; give a file, not a folder"),
        (lambda folder: folder / "file" / "x", "Not a directory; a file is where a folder must be"),
        (lambda folder: folder / ("y" * 5000), "File name too long; give a shorter one"),
    ],
)
def test_errors_of_the_system_have_advice(make, message, tmp_path, capsys):
    (tmp_path / "file").touch()
    assert outcome(lambda workspace: make(tmp_path).read_text()) == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error) < 600


def test_a_workspace_that_is_a_file_is_refused(tmp_path, capsys):
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit):
        cli.new_parser("test").parse_args(["--workspace", str(tmp_path / "file")])
    assert "file is a file, give a folder" in capsys.readouterr().err
    new = cli.new_parser("test").parse_args(["--workspace", str(tmp_path / "new")]).workspace
    assert new == Workspace((tmp_path / "new").resolve())


def test_choices_with_commas_can_be_told_apart(capsys):
    parser = cli.new_parser("test")
    parser.add_argument("--join", choices=["a,b", "a,b,c"])
    with pytest.raises(SystemExit):
        parser.parse_args(["--join", "zzz"])
    assert "choose from a,b or a,b,c (" in capsys.readouterr().err


@pytest.mark.parametrize(("kind", "good", "bad"), [(cli.whole_number(1, 9), "9", "10"), (cli.fraction, "0.5", "1.5")])
def test_argument_types_name_the_limit(kind, good, bad):
    assert kind(good) == float(good)
    with pytest.raises(argparse.ArgumentTypeError, match="out of range, give"):
        kind(bad)
    with pytest.raises(argparse.ArgumentTypeError, match=r"'many' is not a (whole )?number, give"):
        kind("many")


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


def test_help_shows_defaults_where_there_are_some(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "500")
    parser = cli.new_parser("test")
    parser.add_argument("--format", nargs="+", default=["png"], help="of pictures")
    parser.add_argument("--weights", default=(), help="of families")
    with pytest.raises(SystemExit):
        parser.parse_args(["--help"])
    shown = " ".join(capsys.readouterr().out.split())
    assert f"(default: {Workspace.default()})" in shown
    assert "of pictures (default: png)" in shown
    assert "of families" in shown
    assert shown.count("default") == 2


def test_a_name_that_the_locale_cannot_write_is_one_line(capsys, monkeypatch):
    def named(workspace):
        "ночь.png".encode("ascii")

    with pytest.raises(UnicodeEncodeError):  # a fault in the code where file names are UTF-8
        outcome(named)
    monkeypatch.setattr(cli.sys, "getfilesystemencoding", lambda: "ascii")
    assert outcome(named) == 2
    assert "LC_ALL=C.UTF-8" in capsys.readouterr().err


@pytest.mark.parametrize("at_terminal", [True, False])
def test_an_error_breaks_no_word_of_a_terminal(at_terminal, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr("sys.stderr.isatty", lambda: at_terminal)
    message = "there is nothing to go on with; next follows similar, diverse, find, list, outliers or hubs"
    cli.print_error(message)
    lines = capsys.readouterr().err.splitlines()
    assert " ".join(line.strip() for line in lines) == message
    assert max(map(len, lines)) <= 60 if at_terminal else len(lines) == 1


@pytest.mark.parametrize("words", [["01"], ["02"], ["03"], ["04"], ["04", "why"], ["04", "radio"]])
def test_help_fits_80_columns(words, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    lines = run_script(*words, "--help").stdout.splitlines()
    assert max(map(len, lines)) <= 80
