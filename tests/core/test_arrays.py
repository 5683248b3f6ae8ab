"""Files of arrays come back as they were, take no more memory than they have bytes, and execute nothing."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from songmap.core.arrays import array_file, read_array_file, read_arrays
from songmap.core.errors import SchemaError

PATH = Path("a.npz")
ARRAYS = {
    "number": np.array(3), "text": np.array("ab"), "empty text": np.array(""), "row": np.arange(3, dtype=np.int8),
    "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)), "empty": np.empty((0, 157)),
    "flags": np.array([True, False]), "hashes": np.arange(2, dtype="<u8"),
}  # fmt: skip


def test_arrays_and_document_come_back_as_they_were():
    arrays, document = read_array_file(PATH, array_file(ARRAYS, {"name": "\udcff"}), "01.py")
    assert document == {"name": "\udcff"}
    assert arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert (arrays[name].dtype, arrays[name].shape) == (array.dtype, array.shape)
        assert np.array_equal(arrays[name], array)
        assert arrays[name].flags.f_contiguous == array.flags.f_contiguous
        assert arrays[name].flags.writeable


def refusal(content: bytes) -> str:
    with pytest.raises(SchemaError, match=r"a.npz is damaged .*; make it again") as error:
        read_arrays(PATH, content, "make it again")
    assert "\n" not in str(error.value)
    return str(error.value)


def test_what_unpacks_to_more_than_the_file_is_refused():
    stream = io.BytesIO()
    np.savez_compressed(stream, zeros=np.zeros(10**7))
    assert "more data than the file has bytes" in refusal(stream.getvalue())


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_members_that_share_their_bytes_are_refused():
    content = array_file({"zeros": np.zeros(1000)}, None)
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        name, end = file.infolist()[1].filename.encode(), file.start_dir
    start = content.rindex(b"PK\x01\x02", 0, content.rindex(name))  # its entry in the list of members, a hundred times
    entry = content[start : content.index(b"PK\x05\x06")]
    count, size = (2 + 99).to_bytes(2, "little"), (start - end + 100 * len(entry)).to_bytes(4, "little")
    tail = content[content.index(b"PK\x05\x06") :]
    assert "damaged" in refusal(content[:start] + 100 * entry + tail[:8] + count + count + size + tail[16:])


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04", b"junk" * 99, array_file(ARRAYS, 1)[:-40], b"\x93NUMPY\x01\x00"]
)
def test_what_is_no_archive_is_one_line(content):
    refusal(content)


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", "{'descr': '<f8', 'shape': (1,), }", "(" * 500,
        "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }", "__import__('os').system('true')",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (999999999999999,), }",
        "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,), }",
    ],
)  # fmt: skip
def test_an_array_with_a_forged_header_is_one_line(header):
    stream, text = io.BytesIO(), header.encode() + b"\n"
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr("a.npy", b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + bytes(8))
    refusal(stream.getvalue())


@pytest.mark.parametrize("document", [b"", b"{", b"[" * 99_999, b"\xff"])
def test_a_forged_document_is_one_line(document):
    stream = io.BytesIO()
    np.savez(stream, document=np.frombuffer(document, np.uint8))
    with pytest.raises(SchemaError, match=r"a.npz is damaged .*; run 01.py again"):
        read_array_file(PATH, stream.getvalue(), "01.py")
