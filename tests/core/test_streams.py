"""Standard streams."""

import sys

from songmap.core import streams


def test_decoders_notes_vanish_and_ours_stay(capfd):
    with streams.quiet_decoders():
        sys.__stderr__.flush()
        import os

        os.write(2, b"note of a C library\n")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"
