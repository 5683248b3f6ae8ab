"""Long texts at a terminal: through a pager, as git does."""

import os
import shutil
import subprocess
import sys
from contextlib import suppress


def show(text: str) -> None:
    """Write a text and a line break to standard output; at a terminal, what is longer than it through a pager.

    The pager is ``$PAGER``, else ``less`` with the options FRX unless ``$LESS`` has others; none where PAGER is empty or
    ``cat``, or there is no such program.
    """
    pager = _pager() if sys.stdout.isatty() and _is_long(text) else ""
    if pager:
        sys.stdout.flush()
        encoding = sys.stdout.encoding
        options = {"LESS": "FRX", "LESSCHARSET": "utf-8"} | os.environ
        # a shell, since PAGER can have options; its status is 127 where it has no such program
        with (
            subprocess.Popen(pager, shell=True, stdin=subprocess.PIPE, env=options) as process,
            suppress(KeyboardInterrupt),  # is for the pager, which goes on
        ):
            process.communicate(f"{text}\n".encode(encoding, "replace"))
        if process.returncode != 127:
            return
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _is_long(text: str) -> bool:
    """Whether a text and the line after it, of a prompt, have more lines than the terminal."""
    return text.count("\n") + 2 > shutil.get_terminal_size().lines


def _pager() -> str:
    pager = os.environ.get("PAGER", "less" if shutil.which("less") else "").strip()
    return "" if pager == "cat" else pager
