"""Standard streams."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


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
