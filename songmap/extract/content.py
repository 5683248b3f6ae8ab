"""A hash of a file's audio without decoding it: the same song is recognised under any name and with any tags."""

import hashlib
from contextlib import suppress
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, cast

from songmap.core.errors import AudioError
from songmap.features.decode import demuxed, opened, packets
from songmap.features.ogg import have_other_forms, ogg_links
from songmap.features.tags import metadata_of

_DIGEST_BYTES = 20


def content_hash(path: Path) -> str:
    """BLAKE2b of the compressed audio in hexadecimal, 40 characters; names, tags and pictures do not change it.

    Hashed are codec, rate, channels and the packets of the stream that is decoded. A file that FFmpeg cannot
    take apart, such as Ogg files of different channels in a row, is hashed whole, which its tags do change. Raises AudioError if it cannot be read.
    """
    with opened(path) as file:
        return content_of(file)[0]


def content_of(file: BinaryIO) -> tuple[str, dict[str, str] | None]:
    """``content_hash`` of a file that ``opened`` gave, and its metadata where FFmpeg could take the file apart for it."""
    if not have_other_forms(ogg_links(file)):  # of several links FFmpeg would give the packets of the first
        with suppress(AudioError):
            return _hash_packets(file)
    file.seek(0)
    whole = cast(BufferedReader, file)
    return hashlib.file_digest(whole, lambda: hashlib.blake2b(digest_size=_DIGEST_BYTES)).hexdigest(), None


def _hash_packets(file: BinaryIO) -> tuple[str, dict[str, str]]:
    digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    with demuxed(file) as (container, stream):
        metadata = metadata_of(container, stream)  # as at the beginning: packets may change it
        codec = stream.codec_context
        digest.update(f"{codec.codec.canonical_name} {codec.sample_rate} {codec.channels}".encode())
        n_bytes = 0
        for packet in packets(container, stream):
            digest.update(packet)
            n_bytes += packet.size
        if not n_bytes:
            raise AudioError("holds no audio")
    return digest.hexdigest(), metadata
