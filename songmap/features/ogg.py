"""Links of an Ogg file: songs or parts of one in a row, each with headers of its own (RFC 3533, section 4).

Decoders read on from link to link while codec, channels and rate stay, and end where one of them changes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

_PATTERN = b"OggS"
_HEADER_BYTES = 27
_HEAD_BYTES = _HEADER_BYTES + 255 + 64  # of a page: its header, its table of segments, and what names a codec
_BLOCK_BYTES = 1 << 16
_BEGINS_STREAM = 0x02
# what a stream's first packet begins with, and where channels and rate are in it
_CODECS = {
    b"\x01vorbis": (slice(11, 16),),
    b"OpusHead": (slice(9, 10),),  # its rate is always 48 kHz
    b"\x7fFLAC": (slice(27, 30),),
    b"Speex   ": (slice(36, 40), slice(48, 52)),
}


@dataclass(frozen=True)
class Link:
    """Bytes ``start … stop - 1`` of a file; ``form``: codec, channels and rate of its audio, as the file has them."""

    start: int
    stop: int
    form: tuple[bytes, ...]


def ogg_links(file: BinaryIO) -> list[Link]:
    """All links in their order; none of a file that is not Ogg. The position of ``file`` is changed."""
    size = file.seek(0, 2)
    starts: list[int] = []
    forms: list[list[bytes]] = []
    headers_end = -1  # behind the first pages of the streams of a link
    for at, head in _pages(file):
        begins_stream = bool(head[5] & _BEGINS_STREAM)
        if begins_stream and at != headers_end:
            starts.append(at)
            forms.append([])
        if begins_stream:
            packet = head[_HEADER_BYTES + head[_HEADER_BYTES - 1] :]
            forms[-1] += [
                b"".join([name, *(packet[place] for place in places)])
                for name, places in _CODECS.items()
                if packet.startswith(name)
            ]
            headers_end = at + _page_bytes(head)
    stops = [*starts[1:], size]
    return [Link(*link) for link in zip(starts, stops, map(tuple, forms), strict=True)] if starts else []


def have_other_forms(links: list[Link]) -> bool:
    """Whether links differ in codec, channels or rate, so that a decoder of the first ends before the last."""
    return len({link.form for link in links}) > 1


def _pages(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Where each page begins, and its first bytes; whatever is between them is skipped."""
    at = 0
    while len(head := _read(file, at, _HEAD_BYTES)) >= _HEADER_BYTES:
        if head.startswith(_PATTERN):
            yield at, head
            at += _page_bytes(head)
        elif at == 0:
            return
        else:
            block = _read(file, at, _BLOCK_BYTES)
            found = block.find(_PATTERN)
            at += found if found >= 0 else max(1, len(block) - len(_PATTERN) + 1)


def _page_bytes(head: bytes) -> int:
    segments = head[_HEADER_BYTES : _HEADER_BYTES + head[_HEADER_BYTES - 1]]
    return _HEADER_BYTES + len(segments) + sum(segments)


def _read(file: BinaryIO, at: int, size: int) -> bytes:
    file.seek(at)
    return file.read(size)
