"""Groups of rows by a regular expression for their names, which may take a limited time."""

import re
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from songmap.core.errors import UsageError

TIME_LIMIT_S = 10.0  # 2,000,000 names take a second; of a repetition within a repetition one can take years


def groups_by_pattern(pattern: str, names: Sequence[str]) -> list[str | None]:
    """The first group of a pattern in each name, else the whole match; None where there is none.

    Raises UsageError for what is not a pattern, and for one that takes longer than ``TIME_LIMIT_S``.
    """
    groups: list[str | None] = []
    try:
        compiled = re.compile(pattern)
        with _time_limit(TIME_LIMIT_S):
            for name in names:
                match = compiled.search(name)
                groups.append(match and match[compiled.groups > 0])
    except re.error as error:
        raise UsageError(f"--group {pattern!r} is neither a column nor a pattern: {error}") from None
    except TimeoutError:
        raise UsageError(
            f"--group {pattern!r} takes more than {TIME_LIMIT_S:g} s, at {names[len(groups)]!r}; give a pattern without "
            "repetitions within repetitions"
        ) from None
    return groups


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Raise TimeoutError when the block takes longer. Only in the main thread, and not on Windows: others get no alarm."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    def end(number: int, frame: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
