"""Processes of a pool, which end with the process that started it, however that ends."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager

from songmap.core.cli import ENDING_SIGNALS
from songmap.core.errors import WorkerError


def spawned(workers: int, start: Callable[[], object] | None = None) -> Executor:
    """An executor of spawned processes, in each of which ``start`` is called first."""
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, context, initializer=_start_pool_process, initargs=(start,))


@contextmanager
def process_pool(workers: int, purpose: str, start: Callable[[], object] | None = None) -> Iterator[Executor]:
    """``spawned`` for a block, whose processes are killed if it is left early, by Ctrl-C for instance.

    ``purpose`` is what a process does, as in "a process that trains". Raises WorkerError if one ends, e.g. for lack of
    memory.
    """
    before = set(multiprocessing.active_children())
    pool = spawned(workers, start)
    try:
        yield pool
    except BaseException as error:
        # the block loses what it has not kept, not the minutes until all tasks end by themselves
        for process in set(multiprocessing.active_children()) - before:
            process.kill()
        pool.shutdown(cancel_futures=True)
        if isinstance(error, BrokenProcessPool):
            advice = "close other programs, or try --workers 1 where there is this option"
            raise WorkerError(f"a process that {purpose} has ended: too little memory? {advice}") from None
        raise
    pool.shutdown()


def _start_pool_process(start: Callable[[], object] | None) -> None:
    for number in ENDING_SIGNALS:  # they are for the process that runs the pool
        signal.signal(number, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        # its end does not close the queue of tasks, which every process of the pool holds open

        def end_with_parent() -> None:
            parent.join()
            os._exit(1)

        threading.Thread(target=end_with_parent, daemon=True).start()
    if start is not None:
        start()
