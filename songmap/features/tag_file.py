"""What mutagen may read of a file, so that no file makes it fill the memory: bounded in bytes, frames and pictures.

mutagen holds every tag and picture that a file has, and decompresses frames of ID3 without a limit: 460 kB can become
170 million characters. ``TagFile`` is the file object it reads. Where an ID3 tag begins, it gives the tag without
pictures, compressed frames and whatever else is not text, in as many bytes, the rest of them padding.
"""

import errno
import os
import re
import struct
from collections.abc import Iterator
from typing import BinaryIO

MAX_READ_BYTES = 1 << 26  # of one file: pictures in other tags than ID3 included
MAX_FRAMES = 10_000
MAX_FRAME_BYTES = 1 << 16  # what is longer is cut off
_HEADER_BYTES = 10
_TEXT_FRAME = re.compile(rb"T[A-Z0-9]{2,3}\0?|UFID?|RVA2")
_ANY_FRAME = re.compile(rb"[A-Z][A-Z0-9]{2}[A-Z0-9\0]|\0")  # or the padding behind the last
_UNSYNCHRONISED, _EXTENDED = 0x80, 0x40  # flags of a tag
_FRAME_IS_UNSYNCHRONISED = 0x0002  # of a frame of version 4
_PACKED = {3: 0x00C0, 4: 0x000C}  # by version: flags of a frame that is compressed or encrypted


class TagFile:
    """A file object for mutagen, to read only.

    Parameters
    ----------
    file : BinaryIO
        Open and unbuffered. Its position is changed.
    name : str
        What mutagen guesses the format from, besides the content.
    """

    def __init__(self, file: BinaryIO, name: str) -> None:
        self.name = name
        self._file, self._size = file, os.fstat(file.fileno()).st_size
        self._at, self._left = 0, MAX_READ_BYTES
        self._tag_at, self._tag = 0, b""

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        if at < 0:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        self._at = at
        return at

    def read(self, size: int = -1) -> bytes:
        """The next bytes. Raises OSError when more than ``MAX_READ_BYTES`` are read in all."""
        data = self._read(self._at, self._size if size < 0 else size)
        if len(data) == _HEADER_BYTES and data.startswith(b"ID3"):
            self._tag_at, self._tag = self._at, text_frames(data + self._read(self._at + len(data), _tag_bytes(data)))
        # the tag in the place of its bytes in the file
        start, stop = max(self._at, self._tag_at), min(self._at + len(data), self._tag_at + len(self._tag))
        if start < stop:
            tag = self._tag[start - self._tag_at : stop - self._tag_at]
            data = data[: start - self._at] + tag + data[stop - self._at :]
        self._at += len(data)
        return data

    def _read(self, at: int, size: int) -> bytes:
        size = max(0, min(size, self._size - at))
        if size > self._left:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
        self._left -= size
        self._file.seek(at)
        return self._file.read(size)


def text_frames(tag: bytes) -> bytes:
    """An ID3v2 tag, header included, with its text frames and identifiers only, of the same length.

    References
    ----------
    ID3 tag version 2.2.0, 2.3.0 and 2.4.0, https://id3.org
    """
    version, flags, body = tag[3], tag[5], tag[_HEADER_BYTES:]
    if version == 2 and flags & _EXTENDED:  # here it is the flag of a compressed tag, which nothing defines
        body = b""
    elif flags & _EXTENDED:
        body = _without_extended_header(body, version)
    if version < 4 and flags & _UNSYNCHRONISED and not re.search(rb"\xff([\xe0-\xff]|\Z)", body):
        body = body.replace(b"\xff\0", b"\xff")
    kept = bytearray(tag[:5] + bytes([flags & ~(_UNSYNCHRONISED | _EXTENDED)]) + tag[6:_HEADER_BYTES])
    for name, frame_flags, data in _frames(body, version):
        if not _TEXT_FRAME.fullmatch(name) or frame_flags & _PACKED.get(version, 0):
            continue
        data = data[:MAX_FRAME_BYTES]
        if version == 2:
            kept += name + len(data).to_bytes(3, "big") + data
            continue
        if version == 4 and flags & _UNSYNCHRONISED:
            frame_flags |= _FRAME_IS_UNSYNCHRONISED
        size = _synchsafe_bytes(len(data)) if version == 4 else len(data).to_bytes(4, "big")
        kept += name + size + frame_flags.to_bytes(2, "big") + data
    return bytes(kept.ljust(len(tag), b"\0"))


def _frames(body: bytes, version: int) -> Iterator[tuple[bytes, int, bytes]]:
    """Name, flags and data of the first ``MAX_FRAMES`` frames, up to the padding."""
    at, head = 0, 6 if version == 2 else _HEADER_BYTES
    for _ in range(MAX_FRAMES):
        if len(body) < at + head or not body[at]:
            return
        if version == 2:
            name, flags, size = body[at : at + 3], 0, int.from_bytes(body[at + 3 : at + 6], "big")
        else:
            name, size, flags = struct.unpack_from(">4sIH", body, at)
            if version == 4:
                # old versions of iTunes wrote sizes of eight bits in a byte
                sizes = [_synchsafe(body[at + 4 : at + 8]), size]
                if size & 0x80808080:
                    sizes.reverse()
                size = next((each for each in sizes if _ends_a_frame(body, at + head + each)), sizes[0])
        yield name, flags, body[at + head : at + head + size]
        at += head + size


def _ends_a_frame(body: bytes, at: int) -> bool:
    return at == len(body) or bool(_ANY_FRAME.match(body, at))


def _without_extended_header(body: bytes, version: int) -> bytes:
    from mutagen.id3 import Frames

    if body[:4].decode("ascii", "replace") in Frames:  # some writers set the flag only
        return body
    return body[_synchsafe(body[:4]) if version == 4 else 4 + int.from_bytes(body[:4], "big") :]


def _tag_bytes(header: bytes) -> int:
    """The size of a tag without its header."""
    return _synchsafe(header[6:10])


def _synchsafe(data: bytes) -> int:
    """A number of seven bits in a byte."""
    number = 0
    for byte in data:
        number = number << 7 | byte & 0x7F
    return number


def _synchsafe_bytes(number: int) -> bytes:
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))
