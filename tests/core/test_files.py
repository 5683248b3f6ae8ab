"""Files are complete or absent, and errors name the script that makes them."""

import os

import numpy as np
import pytest

from songmap.core.blocks import read_blocks
from songmap.core.errors import SchemaError
from songmap.core.files import LARGEST_BYTES, read_bytes, read_json, remove_leftovers, write_atomically, write_json


def test_an_interrupted_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "folder" / "a.json"
    write_json(path, {"a": 1})

    def fail(temporary):
        temporary.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, fail)
    assert read_json(path, "01.py") == {"a": 1}
    assert [file.name for file in path.parent.iterdir()] == ["a.json"]


def test_equal_bytes_keep_the_time_of_a_file(tmp_path):
    path = tmp_path / "a.txt"
    write_atomically(path, b"same")
    before = path.stat().st_mtime_ns, path.stat().st_ino
    write_atomically(path, b"same")
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == before


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "does not exist; run 01.py first"),
        ("{", "is not JSON .*; run 01.py again"),
        ("[" * 100_000, "is not JSON .*; run 01.py again"),
        ("[]", "is not a JSON object; run 01.py again"),
    ],
)
def test_unusable_json_is_one_line_with_the_script_to_run(tmp_path, content, message):
    path = tmp_path / "manifest.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(SchemaError, match=message):
        read_json(path, "01.py")


def test_a_folder_in_place_of_a_file_is_an_error(tmp_path):
    with pytest.raises(SchemaError, match="cannot be read"):
        read_bytes(tmp_path, "01.py")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs on this system")
def test_a_fifo_in_place_of_a_file_does_not_block(tmp_path):
    os.mkfifo(tmp_path / "a.json")
    with pytest.raises(SchemaError, match="it is not a regular file"):
        read_json(tmp_path / "a.json", "01.py")


def test_a_file_that_may_not_fit_into_memory_is_not_read(tmp_path):
    (tmp_path / "a.npz").touch()
    os.truncate(tmp_path / "a.npz", LARGEST_BYTES + 1)  # sparse: it takes no room
    with pytest.raises(
        SchemaError, match=r"a.npz has 4,294,967,297 bytes, more than 4,294,967,296: .* run 01.py again"
    ):
        read_bytes(tmp_path / "a.npz", "01.py")


def test_what_killed_writes_left_is_removed_and_nothing_else(tmp_path):
    leftovers = {".map_umap.abcd12_9.npz", ".map_tsne.zzzzzzzz.npz"}
    others = {"map_umap.npz", ".map_umap.abcd12_9.html", ".map_umap.backup.npz", ".other.abcd12_9.npz", ".maps.lock"}
    for name in leftovers | others:
        (tmp_path / name).touch()
    remove_leftovers(tmp_path, "map_*.npz")
    assert {path.name for path in tmp_path.iterdir()} == others
    remove_leftovers(tmp_path / "missing", "map_*.npz")


def test_json_of_a_name_that_is_not_utf8_is_readable(tmp_path):
    write_json(tmp_path / "a.json", {"genre": "B\udcffse"})
    assert read_json(tmp_path / "a.json", "01.py") == {"genre": "B\ufffdse"}


def test_blocks_of_a_mapped_matrix_equal_the_matrix(tmp_path):
    matrix = np.random.default_rng(0).standard_normal((9000, 5)).astype(np.float32)
    np.save(tmp_path / "matrix.npy", matrix)
    mapped = np.load(tmp_path / "matrix.npy", mmap_mode="r")
    assert np.array_equal(np.concatenate([block for _, block in read_blocks(mapped)]), matrix)


def test_a_full_disk_is_reported_with_the_name_of_the_file(tmp_path):
    def full(temporary):
        temporary.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left on device") as error:
        write_atomically(tmp_path / "map.npz", full)
    assert error.value.filename == str(tmp_path / "map.npz")
    assert list(tmp_path.iterdir()) == []
