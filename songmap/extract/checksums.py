"""Checksums of the ledger's rows."""

import hashlib
from collections.abc import Sequence
from typing import Any

_CHECKSUM_BYTES = 16


def row_checksum(row: Sequence[Any]) -> bytes:
    """Of the values of a row: bytes, texts, integers and None, each with its type and length."""
    digest = hashlib.blake2b(digest_size=_CHECKSUM_BYTES)
    for value in row:
        # unlike repr, ascii writes a text the same way in every version of Python
        data = value if isinstance(value, bytes) else ascii(value).encode()
        digest.update(f"{type(value).__name__} {len(data)} ".encode() + data)
    return digest.digest()
