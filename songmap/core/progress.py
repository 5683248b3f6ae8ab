"""Progress of long work on stderr."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

OnProgress = Callable[[int, int], None]
"""The one kind of progress: called with what is done and what there is to do in all."""

_LOG_EVERY_S = 600.0


@contextmanager
def progress(label: str) -> Iterator[Callable[..., None]]:
    """Yields ``update(done, total, note="")``: a bar on stderr that vanishes when done.

    Where stderr is no terminal, a line every ten minutes, so that the log of a long run says how far it is.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        said = time.monotonic()

        def say(done: int, total: int, note: str = "") -> None:
            nonlocal said
            if time.monotonic() - said >= _LOG_EVERY_S:
                said = time.monotonic()
                print(f"{label}: {done} of {total} {note}", file=sys.stderr, flush=True)

        yield say
        return
    note = TextColumn("{task.fields[note]}")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), note, TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(label, total=None, note="")
        yield lambda done, total, note="": bar.update(task, completed=done, total=total, note=note)
