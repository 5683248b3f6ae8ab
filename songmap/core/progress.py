"""Progress of long work on stderr."""

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

OnProgress = Callable[[int, int], None]
"""The one kind of progress: called with what is done and what there is to do in all."""

_LOG_EVERY_S = 600.0
_RATE_FROM_S = 1.0  # files that fail at once would show thousands per second


@contextmanager
def progress(label: str) -> Iterator[OnProgress]:
    """Yields an ``OnProgress`` that shows a bar with the rate on stderr, which disappears at the end.

    Where stderr is not a terminal, it writes a line every ten minutes, so that a log shows how far a long run is.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console, rate = Console(stderr=True), _Rate()
    if not console.is_terminal:
        last_logged = time.monotonic()

        def log(done: int, total: int) -> None:
            nonlocal last_logged
            shown = rate.of(done)
            if time.monotonic() - last_logged >= _LOG_EVERY_S:
                last_logged = time.monotonic()
                print(f"{label}: {done} of {total} {shown}", file=sys.stderr, flush=True)

        yield log
        return
    shown_rate = TextColumn("{task.fields[rate]}")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), shown_rate, TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(label, total=None, rate="")
        yield lambda done, total: bar.update(task, completed=done, total=total, rate=rate.of(done))


@contextmanager
def logged(name: str) -> Iterator[OnProgress]:
    """Yields an ``OnProgress`` that shows nothing, while what the logger ``name`` reports as information is shown."""
    log = logging.getLogger(name)
    before = log.level
    log.setLevel(logging.INFO)
    try:
        yield lambda done, total: None
    finally:
        log.setLevel(before)


class _Rate:
    """How much is done per second, from the first call on."""

    def __init__(self) -> None:
        self._first: tuple[int, float] | None = None

    def of(self, done: int) -> str:
        """The rate so far, e.g. "2.5/s"; empty in the first second."""
        now = time.monotonic()
        if self._first is None:
            self._first = done, now
        first_done, started = self._first
        return (
            f"{(done - first_done) / (now - started):.1f}/s"
            if done > first_done and now - started >= _RATE_FROM_S
            else ""
        )
