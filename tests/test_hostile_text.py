"""Names that attack: what a terminal obeys, what a spreadsheet computes, and what is not text, in all outputs."""

import csv
import io
import json
import logging
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
import soundfile
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from songmap.core.cli import new_parser, script_main
from songmap.core.errors import QueryError
from songmap.core.serialise import to_json, to_json_line
from songmap.core.tables import csv_lines, format_table
from songmap.core.text import one_line, readable
from songmap.core.workspace import Workspace
from songmap.extract.results import SongDeviation, Verification
from songmap.extract.views.summary import verification_text
from songmap.genre.results import WrittenFile
from songmap.genre.views.files import write_files
from songmap.genre.views.report_page import report_page
from songmap.genre.views.summary import report_summary, verbose_summary
from songmap.journey.views.summary import not_drawn_table, written_table
from songmap.library.library import Library, save_library, song_table
from songmap.similar.requests import Filters
from tests.genre import reports
from tests.libraries import make_library
from tests.scripts import run_script
from tests.searches import Searches
from tests.signals import RATE_HZ, music

# what a terminal obeys or what reverses text: C0 but the line break, DEL, C1, overrides; and what cannot be encoded
UNSAFE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
ATTACKS = (
    "\x1b]0;title\x07", "\x1b[31mred", "\x9b31m", "\x7f\x08\x08", "\u202egnp.exe", "\u2066x\u2069", "\udce9\udcff",
    "\ud800", "\udcc2\udc9b31m", "=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(1)", "\t=1", "\r=1", "a;=1+1", "x\r\ny",
)  # fmt: skip
FORMULA = re.compile(r"(^|;)\s*[=+\-@]")
NUMBER = re.compile(r"-?\d+(\.\d+)?(e-?\d+)?")
hostile = st.one_of(
    st.sampled_from(ATTACKS),
    st.text(st.characters(codec=None, categories=("Cc", "Cf", "Cs", "Lu", "Sm", "Pd", "Zl", "Zs")), max_size=9),
)


def assert_safe(text: str) -> None:
    assert not UNSAFE.search(text)
    text.encode()


def assert_no_formulas(text: str) -> None:
    assert_safe(text)
    for row in csv.reader(io.StringIO(text)):
        for cell in row:
            assert NUMBER.fullmatch(cell) or not FORMULA.search(cell)


@given(hostile)
def test_names_become_text_and_stay_it(text: str):
    shown = readable(text)
    assert_safe(shown)
    assert readable(shown) == shown
    assert "\n" not in one_line(text)


def test_other_alphabets_stay_as_they_are_also_where_the_system_is_ascii():
    for name in ("Ünïcode – naïve", "ночь", "夜に駆ける 🎧", "שלום", "ليل\u200f"):
        assert readable(name) == name
        assert readable(name.encode().decode("ascii", "surrogateescape")) == name


def joined(value: str | float) -> str | float:
    """Two surrogates in a row are one character in JSON."""
    return (
        value.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass") if isinstance(value, str) else value
    )


@given(st.lists(hostile, min_size=1, max_size=3), st.floats(-5, 5))
@example(["\ud800\udc00"], 0.0)
def test_tables_and_documents_hold_any_text(texts: list[str], number: float):
    records = [{text: text, "n": number} for text in texts[:1]] + [{texts[0]: text, "n": number} for text in texts]
    assert_safe(format_table(records, texts[0]))
    for document in (to_json(records), to_json_line(records)):
        assert_safe(document)
        assert json.loads(document) == [{joined(key): joined(value) for key, value in one.items()} for one in records]
    cells = list(csv.reader(io.StringIO("\n".join(csv_lines([[text, number] for text in texts])))))
    assert_no_formulas("\n".join(csv_lines([[text, number] for text in texts])))
    assert [float(row[1]) for row in cells if row] == [number] * len(texts)
    raw = list(csv.reader(io.StringIO("\n".join(csv_lines([[text, 1] for text in texts], "raw")))))
    assert [row[0] for row in raw] == [readable(text) for text in texts]


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(hostile.filter(str.strip), min_size=4, max_size=4, unique=True))
def test_answers_of_04_hold_any_name(names: list[str]):
    library = make_library(
        4, names=[f"{row}{name}" for row, name in enumerate(names)], genres=names[:2], artist=names[2]
    )
    records = library.songs.to_dict("records")
    for row, (record, name) in enumerate(zip(records, names, strict=True)):
        record |= {"album": names[3], "file_path": f"/music/{row}/{name}"}
    records[3]["duplicate_of"] = records[0]["file_path"]
    library = Library(library.embeddings, song_table(records))
    searches, paths = Searches(library), library.songs["file_path"].tolist()
    for answer in (
        searches.listing(), searches.similar(paths[:1], [], 9, Filters()), searches.info(paths[0]), searches.genres(),
        searches.compare(*paths[:2]), searches.why(*paths[:2]), searches.duplicates(), searches.outliers(3), searches.hubs(3),
    ):  # fmt: skip
        assert_safe(answer.text())
        assert_no_formulas(answer.csv())


def hostile_report(monkeypatch):
    monkeypatch.setattr(reports, "genre_names", lambda n: [f"={attack}" for attack in ATTACKS][:n])
    return reports.make_report(len(ATTACKS))


def test_03_prints_and_writes_any_genre(monkeypatch, tmp_path: Path):
    report = hostile_report(monkeypatch)
    page = WrittenFile(Path("outputs/html/genre_report.html"), "report_page")
    assert_safe(report_summary(replace(report, written=[page])))
    assert_safe(verbose_summary(report))
    assert_safe(to_json(report))
    assert_safe(report_page(report, {}, [one.genre for one in report.per_genre]))
    for kind, is_formula in (("spreadsheet", False), ("raw", True)):
        workspace = Workspace(tmp_path / kind)
        written = write_files(workspace, workspace, report, reports.make_sample(len(report.per_genre)), kind).written
        texts = [one.file.read_text("utf-8") for one in written if one.file.suffix == ".csv"]
        assert texts
        for text in texts:
            assert_safe(text)
            assert any(FORMULA.search(cell) for row in csv.reader(io.StringIO(text)) for cell in row) is is_formula


@pytest.mark.parametrize("attack", ATTACKS)
def test_tables_of_01_and_02_name_any_file(attack: str):
    song = SongDeviation(
        file_path=f"/music/{attack}", deviation=0.5, column="tempo", value=1.0, reference=1.0, failure=None
    )
    failed = replace(song, failure=f"no {attack}")
    assert_safe(verification_text(Verification(2, song, (song, failed), True)))
    path = Path("/music") / attack.replace("/", "")
    assert_safe(written_table(path.parent, [(path, attack)]))
    assert_safe(not_drawn_table([(path, attack)]))


@pytest.mark.parametrize("attack", ATTACKS)
def test_errors_and_warnings_are_one_safe_line(attack: str, capsys, monkeypatch):
    monkeypatch.setattr(logging.getLogger("songmap"), "propagate", False)  # pytest's report could not be encoded

    def fail(workspace):
        logging.getLogger("songmap").warning("%s is odd", attack)
        raise QueryError(f"no {attack}")

    def full(workspace):
        raise OSError(28, "No space left on device", f"/music/{attack}")

    for run in (fail, full):
        assert script_main(new_parser("test"), run, []) == 2
    with pytest.raises(SystemExit):
        script_main(new_parser("test"), fail, ["--workspace", ".", f"--x{attack}"])
    error = capsys.readouterr().err
    assert_safe(error)
    assert len(error.splitlines()) == 4


def test_01_ends_well_with_copies_whose_names_are_no_text(tmp_path: Path):
    folder = tmp_path / "music" / "=1+1\x1b[31m"
    folder.mkdir(parents=True)
    names = [b"caf\xe9.wav", b"caf\xff\x1b]0;x\x07.wav", b"\xe2\x80\xaegnp.wav"]
    for name in names:
        soundfile.write(os.fsencode(folder) + b"/" + name, music(4), RATE_HZ, format="WAV")
    (folder / "=broken\x9b1m.wav").write_text("no audio")
    arguments = ("--music", tmp_path / "music", "--workspace", tmp_path, "--workers", "1")
    done = run_script("01", *arguments)
    assert done.returncode == 0, done.stderr
    assert "3 songs in the library" in done.stdout
    for text in (done.stdout, done.stderr):
        assert_safe(text)
    for name in ("extraction", "duplicates"):
        assert_no_formulas(Workspace(tmp_path).table(name).read_text("utf-8"))
    again = run_script("01", *arguments, "--json")
    assert_safe(again.stdout)
    assert {os.fsencode(song["file_path"]) for song in json.loads(again.stdout)} == set(
        map(os.fsencode, folder.iterdir())
    )
    for form in ([], ["--json"], ["--csv"], ["--csv", "raw"]):
        for command in (["list"], ["duplicates"], ["info", "caf\udce9"], ["similar", "\x1b[31m"]):
            answer = run_script("04", "--workspace", tmp_path, *command, *form)
            assert_safe(answer.stdout + answer.stderr)


def test_csv_raw_is_an_option_wherever_it_is_given(tmp_path: Path):
    save_library(Workspace(tmp_path), make_library(3, names=["=1+1", "raw", "x"]))
    for arguments, cell in (
        (["--csv", "list"], "'=1+1"), (["list", "--csv"], "'=1+1"), (["list", "--csv", "raw"], "=1+1"),
        (["--csv", "raw", "list"], "=1+1"), (["similar", "--csv", "raw", "x"], "=1+1"),
        (["similar", "--csv", "x"], "'=1+1"), (["similar", "raw", "--csv"], "'=1+1"),
    ):  # fmt: skip
        done = run_script("04", "--workspace", tmp_path, *arguments)
        assert done.returncode == 0, done.stderr
        assert cell in [row[1] for row in csv.reader(io.StringIO(done.stdout)) if row]
    typed = run_script("04", "--workspace", tmp_path, stdin="list --csv raw\nlist --csv\n")
    assert [row[1] for row in csv.reader(io.StringIO(typed.stdout)) if row and "1+1" in row[1]] == ["=1+1", "'=1+1"]
