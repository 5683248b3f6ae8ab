"""Waiting for events: a condition that becomes true, a line that a process prints."""

import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable


def wait_until(condition: Callable[[], object], at_most_s: float = 120) -> object:
    """The condition's first true value. The limit only ends a test that waits for what never comes."""
    deadline = time.monotonic() + at_most_s
    while not (value := condition()):
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)
    return value


class Lines:
    """What a process prints on its pipe ``stderr``, read as it comes, so that the pipe never fills."""

    def __init__(self, process: subprocess.Popen) -> None:
        self._process, self._condition = process, threading.Condition()
        self._lines: deque[str] = deque()
        self._ended = False
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self._process.stderr:
            with self._condition:
                self._lines.append(line)
                self._condition.notify_all()
        with self._condition:
            self._ended = True
            self._condition.notify_all()

    def wait_for(self, text: str, at_most_s: float = 120) -> str:
        """The first line with ``text``, once it is printed."""
        with self._condition:
            self._condition.wait_for(lambda: self._ended or any(text in line for line in self._lines), at_most_s)
            matching = [line for line in self._lines if text in line]
            assert matching, "".join(self._lines)
            return matching[0]
