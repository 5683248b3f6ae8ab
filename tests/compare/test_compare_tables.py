"""Tables of others: pieces of songs, equal rows, and what is wrong with a file, in one line."""

import gzip
import os
import signal

import numpy as np
import pytest
from compare.tables_of_others import GENRES, write_table

from songmap.compare import name_pattern
from songmap.compare.csv_table import CsvOptions, csv_dataset
from songmap.core.errors import UsageError
from songmap.core.files import LARGEST_BYTES

LABEL = CsvOptions("label")


def edited(path, change):
    lines = path.read_text(encoding="utf-8").splitlines()
    change(lines)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_pieces_of_one_song_are_one_group(tmp_path):
    dataset = csv_dataset(write_table(tmp_path / "t.csv"), LABEL)
    assert dataset.summary.grouped_by == "pieces"
    assert (dataset.summary.songs, dataset.summary.groups) == (240, 24)
    assert dataset.genres == list(GENRES)
    for train, test in dataset.repeats(1, 0)[0]:
        assert not set(dataset.groups[train]) & set(dataset.groups[test])
    assert dataset.features["table"].families == ("mfcc",) * 12
    assert not dataset.summary.checks.n_equal_rows


def test_whole_songs_are_rows_of_their_own(tmp_path):
    dataset = csv_dataset(write_table(tmp_path / "t.csv", pieces=1, songs=20), LABEL)
    assert (dataset.summary.grouped_by, dataset.summary.groups) == ("row", 60)
    assert not dataset.summary.checks.unnamed_pieces


@pytest.mark.parametrize("pieces", [3, 10])
def test_a_table_without_names_but_with_pieces_is_noticed(tmp_path, pieces):
    checks = csv_dataset(
        write_table(tmp_path / "t.csv", named=False, songs=40 // pieces + 3, pieces=pieces), LABEL
    ).summary.checks
    assert checks.unnamed_pieces
    assert checks.neighbour_share > 4 * checks.neighbour_chance


def test_groups_by_column_and_by_pattern(tmp_path):
    path = write_table(tmp_path / "t.csv")
    by_pattern = csv_dataset(path, CsvOptions("label", group=r"\w+\.(\d+)"))
    assert (by_pattern.summary.grouped_by, by_pattern.summary.groups) == ("pattern", 8)
    edited(
        path,
        lambda lines: lines.__setitem__(
            slice(None), [f"{line},{'by' if not row else row // 20}" for row, line in enumerate(lines)]
        ),
    )
    by_column = csv_dataset(path, CsvOptions("label", group="by"))
    assert (by_column.summary.grouped_by, by_column.summary.groups) == ("column", 13)
    assert "by" not in by_column.features["table"].columns


def test_equal_and_nearly_equal_rows_are_warned_of_and_stay_together(tmp_path):
    path = write_table(tmp_path / "t.csv", pieces=1, songs=20)

    def repeat(lines):
        copy = lines[1].split(",")
        lines[30] = ",".join(["other.00001.wav", *copy[1:]])
        near = lines[2].split(",")
        lines[31] = ",".join(["other.00002.wav", *(f"{float(value) + 0.001:.6f}" for value in near[1:-1]), "metal"])

    checks = (dataset := csv_dataset(edited(path, repeat), LABEL)).summary.checks
    assert checks.n_equal_rows == 2
    equal, near = checks.equal_rows
    assert (equal.first, equal.second, equal.distance, equal.same_genre) == (
        "blues.00000.wav (row 1)",
        "other.00001.wav (row 30)",
        0,
        True,
    )
    assert (near.first, near.second, near.same_genre) == ("blues.00001.wav (row 2)", "other.00002.wav (row 31)", False)
    assert dataset.summary.groups == 58
    assert dataset.groups[0] == dataset.groups[29]


def test_semicolons_a_mark_of_utf8_and_constant_columns_work(tmp_path):
    path = write_table(tmp_path / "t.csv")
    text = path.read_text().replace("mfcc0_mean", "length,mfcc0_mean").replace(".wav,", ".wav,66149,")
    path.write_text(text.replace(",", ";"), encoding="utf-8-sig")
    dataset = csv_dataset(path, LABEL)
    assert dataset.summary.checks.constant_columns == ["length"]
    assert len(dataset.features["table"].columns) == 12


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda lines: lines.__setitem__(0, lines[0].replace("label", "genre")), "no column 'label'"),
        (lambda lines: lines.__setitem__(0, lines[0].replace("mfcc1_", "mfcc0_")), "several columns 'mfcc0_mean'"),
        (lambda lines: lines.__setitem__(5, lines[5] + ",1"), "line 6 has 15 cells, the header 14"),
        (lambda lines: lines.__setitem__(3, "a.1.1.wav," + "x," * 12 + "blues"), "not numeric: 'x' in row 3"),
        (lambda lines: lines.__setitem__(3, "a.1.1.wav," + "inf," * 12 + "blues"), "missing or infinite in row 3 .values: 12"),
        (lambda lines: lines.__setitem__(3, "a.1.1.wav," + "1," * 12), "row 3 has no label"),
        (lambda lines: lines.__setitem__(slice(81, None), []), "2 genres of 6 rows"),
        (lambda lines: lines.__setitem__(slice(1, None), []), "has no rows"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_table_is_one_line(tmp_path, change, message):
    with pytest.raises(UsageError, match=message) as caught:
        csv_dataset(edited(write_table(tmp_path / "t.csv"), change), LABEL)
    assert "\n" not in str(caught.value)


def test_another_encoding_is_named(tmp_path):
    path = write_table(tmp_path / "t.csv")
    path.write_bytes(path.read_bytes().replace(b"metal.00001", "métal.00001".encode("latin-1")))
    with pytest.raises(UsageError, match="line 172 is not UTF-8"):
        csv_dataset(path, LABEL)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "first line is empty"),
        (b"\n\n", "first line is empty"),
        (gzip.compress(b"label,a\n", mtime=0), "is gzip, not text"),
        (b"PK\x03\x04" + bytes(9), "a ZIP archive or a spreadsheet"),
        (b"label,a\nx,1\x002\n", "line 2 has a NUL byte"),
        ("label,a\nx,1\n".encode("utf-16-le"), "line 1 has a NUL byte"),
        (b"label,a\nx\n", "line 2 has 1 cells, the header 2"),
        (b"label,a\n" + b"x,1\n" * 20, "2 genres of 6 rows"),
    ],
)  # fmt: skip
def test_what_is_not_a_table_is_named_in_one_line(tmp_path, content, message):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=message) as caught:
        csv_dataset(path, LABEL)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("rewrite", "encoding"),
    [
        (lambda text: text.replace(",", "|"), "utf-8"),
        (lambda text: text, "utf-16"),
        (lambda text: text.replace(".wav", "~wav").replace(",", ";").replace(".", ",").replace("~wav", ",wav"), "utf-8"),
        (lambda text: text.replace(",metal", ",NA"), "utf-8"),
        (lambda text: text.replace(",metal", ",1.10"), "utf-8"),
    ],
)  # fmt: skip
def test_tables_of_other_programs_are_read(tmp_path, rewrite, encoding):
    path = write_table(tmp_path / "t.csv")
    expected = csv_dataset(path, LABEL)
    path.write_bytes(rewrite(path.read_text()).encode(encoding))
    dataset = csv_dataset(path, LABEL)
    third = {"NA", "1.10"} & set(dataset.genres)
    assert set(dataset.genres) == {"blues", "classical", *(third or {"metal"})}
    assert np.array_equal(
        np.sort(dataset.features["table"].values, axis=0), np.sort(expected.features["table"].values, axis=0)
    )


def test_groups_and_names_may_not_be_missing_where_they_decide(tmp_path):
    path = edited(
        write_table(tmp_path / "t.csv"),
        lambda lines: lines.__setitem__(
            slice(None),
            [f"{line},{'by' if not row else row // 20 if row % 9 else ''}" for row, line in enumerate(lines)],
        ),
    )
    with pytest.raises(UsageError, match=r"row 9 has no by \(rows without: 26\)"):
        csv_dataset(path, CsvOptions("label", group="by"))
    with pytest.raises(UsageError, match="does not match 'blues"):
        csv_dataset(path, CsvOptions("label", group="(nothing)?", drop=("by",)))
    assert csv_dataset(path, CsvOptions("label", group=r"(\w+\.\d+)", drop=("by",))).summary.groups == 24


def test_a_table_that_may_not_fit_into_memory_is_not_read(tmp_path):
    path = write_table(tmp_path / "t.csv")
    os.truncate(path, LARGEST_BYTES + 1)
    with pytest.raises(UsageError, match=r"t\.csv has 4,294,967,297 bytes, more than 4,294,967,296"):
        csv_dataset(path, CsvOptions("label"))


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no alarms on this system")
def test_a_pattern_that_would_take_years_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(name_pattern, "TIME_LIMIT_S", 0.2)
    path, name = write_table(tmp_path / "t.csv"), 60 * "a"
    edited(path, lambda lines: lines.__setitem__(3, lines[3].replace("blues.00000.2.wav", name)))
    before = signal.getsignal(signal.SIGALRM)
    with pytest.raises(UsageError) as error:
        csv_dataset(path, CsvOptions("label", group="(a+|[^a]+)+0$"))
    assert str(error.value).startswith(f"--group '(a+|[^a]+)+0$' takes more than 0.2 s, at '{name}'; ")
    assert (signal.getsignal(signal.SIGALRM), signal.getitimer(signal.ITIMER_REAL)[0]) == (before, 0)


def test_a_pattern_that_keeps_nothing_together_is_noticed(tmp_path):
    dataset = csv_dataset(write_table(tmp_path / "t.csv"), CsvOptions("label", group=".*"))
    assert dataset.summary.groups == dataset.summary.songs
    assert dataset.summary.checks.unnamed_pieces


def test_small_genres_are_left_out_and_missing_values_filled_on_request(tmp_path):
    path = edited(
        write_table(tmp_path / "t.csv"),
        lambda lines: lines.extend(["rare.1.1.wav," + "1," * 12 + "rare", "blues.9.1.wav," + "," * 12 + "blues"]),
    )
    dataset = csv_dataset(path, CsvOptions("label", impute=True))
    assert [(one.genre, one.songs) for one in dataset.summary.checks.small_classes] == [("rare", 1)]
    assert (dataset.summary.checks.missing_values, dataset.impute) == (12, True)
    assert np.isnan(dataset.features["table"].values).sum() == 12
