"""The table of songs as a file of numbers and text: it comes back as it was, and what is not one is one line."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from songmap.core.arrays import array_file, read_array_file
from songmap.core.errors import SchemaError
from songmap.library.library import song_table
from songmap.library.table_file import read_table, table_file

PATH = Path("song_table.npz")
RECORDS = [{"song_name": name, "file_path": f"/{name}", "duration": 3.5, "mood": "ü"} for name in ("a", "", "\udcc3")]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(st.characters(), max_size=5), max_size=6), st.text(st.characters(), min_size=1, max_size=9))
def test_any_text_comes_back_as_it_was(texts, label):
    """Also single surrogates, of names that are not UTF-8, whose bytes the next row would complete."""
    label = "mood" if label in song_table([]).columns else label
    songs = song_table([{"song_name": text, label: text[::-1]} for text in texts])
    assert read_table(PATH, table_file(songs), "01.py").equals(songs)


def test_a_label_whose_name_is_not_utf8_is_a_column():
    songs = song_table([{"song_name": "a", "m\udcffd": "b"}])
    assert read_table(PATH, table_file(songs), "01.py").equals(songs)


def test_halves_of_a_character_stay_in_their_rows():
    songs = song_table([{"song_name": "\udcc3"}, {"song_name": "\udca9"}])
    assert read_table(PATH, table_file(songs), "01.py")["song_name"].tolist() == ["\udcc3", "\udca9"]


def test_numbers_keep_their_types():
    songs = song_table(RECORDS).assign(count=np.arange(3, dtype=np.int8), loved=[True, False, True])
    again = read_table(PATH, table_file(songs), "01.py")
    pd.testing.assert_frame_equal(again, songs, check_column_type=False)


def test_equal_tables_are_equal_bytes_and_equal_texts_one_object():
    content = table_file(song_table(RECORDS))
    again = read_table(PATH, content, "01.py")
    assert table_file(again) == content
    assert again["mood"].iloc[0] is again["mood"].iloc[2]


@pytest.mark.parametrize(
    "changes",
    [
        {"0.ends": np.array([1, 0, 2])}, {"0.ends": np.array([1, 1, 9])}, {"0.ends": np.array([-1, 1, 2])},
        {"0.ends": np.array([1.0, 1.0, 2.0])}, {"0.ends": np.zeros((3, 1), np.int64)}, {"0.ends": np.array(2)},
        {"0.ends": np.array([2])}, {"0.text": np.array([255, 255], np.uint8)}, {"3": np.zeros(2)},
        {"3": np.zeros((3, 1))}, {"3": np.array(["a", "b", "c"])}, {"0": np.zeros(3)},
        {"document": np.zeros(3, np.uint8)}, {"document": np.frombuffer(b"[[]]", np.uint8)},
        {"document": np.frombuffer(b'["a", "a"]', np.uint8)}, {"document": np.frombuffer(b"{}", np.uint8)},
            {"document": np.frombuffer(b"[" * 99_999, np.uint8)},
    ],
)  # fmt: skip
def test_a_forged_table_is_one_line(changes):
    arrays, names = read_array_file(PATH, table_file(song_table(RECORDS)), "01.py")
    document = changes.pop("document", None)
    content = array_file(arrays | changes, names)
    if document is not None:
        content = array_file_of(arrays | {"document": document})
    with pytest.raises(SchemaError, match=r"song_table.npz .*; run 01.py again") as error:
        read_table(PATH, content, "01.py")
    assert "\n" not in str(error.value)


def array_file_of(arrays: dict[str, np.ndarray]) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()
