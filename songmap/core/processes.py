"""Processes of a pool, which end with the process that started it, however that ends."""

import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context, parent_process

from songmap.core.cli import ENDING_SIGNALS


def process_pool(workers: int) -> ProcessPoolExecutor:
    """A pool of spawned processes."""
    return ProcessPoolExecutor(workers, get_context("spawn"), initializer=_start_pool_process)


def _start_pool_process() -> None:
    for number in ENDING_SIGNALS:  # they are for the process that runs the pool, which lets the current songs finish
        signal.signal(number, signal.SIG_IGN)
    parent = parent_process()
    if parent is not None:
        # its end does not close the queue of tasks, which every process of the pool holds open

        def end_with_parent() -> None:
            parent.join()
            os._exit(1)

        threading.Thread(target=end_with_parent, daemon=True).start()
