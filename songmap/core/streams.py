"""Standard streams."""

import codecs
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_ESCAPES = "songmap.escapes"


def open_streams() -> None:
    """Make the three standard streams usable: one that the process was started without goes nowhere.

    Otherwise the next file that is opened would get its number, and be written to by whatever prints. What a stream's
    encoding does not have is written as an escape that JSON has too.
    """
    codecs.register_error(_ESCAPES, _escape)
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free number, which is this one
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_ESCAPES)


def _escape(error: UnicodeError) -> tuple[str, int]:
    """Of the signs that cannot be encoded, ``\\uXXXX`` for each UTF-16 code unit."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[place : place + 4]}" for place in range(0, len(units), 4)), error.end


@contextmanager
def quiet_decoders() -> Iterator[None]:
    """Send what C libraries write to file descriptor 2 nowhere; Python's own stderr goes on.

    Decoders print notes on damaged files there, without naming the file; the reason that is reported
    comes from their return values.
    """
    sys.stderr.flush()
    saved, python_stderr = os.dup(2), sys.stderr
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        if python_stderr is sys.__stderr__:
            sys.stderr = os.fdopen(os.dup(2), "w", buffering=1, errors="backslashreplace")
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(saved, 2)
        if sys.stderr is not python_stderr:
            sys.stderr.close()
            sys.stderr = python_stderr
        os.close(saved)
        os.close(nowhere)
