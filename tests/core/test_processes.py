"""Pools of processes: what ends one is an error, and none outlives its block."""

import multiprocessing
import os
import signal
import subprocess
import time
from functools import partial

import pytest

from songmap.core.errors import WorkerError
from songmap.core.processes import process_pool


def test_each_process_is_started_as_asked():
    with process_pool(1, "counts", partial(os.putenv, "SONGMAP_STARTED", "yes")) as pool:
        assert pool.submit(subprocess.check_output, ["printenv", "SONGMAP_STARTED"]).result() == b"yes\n"


def test_a_process_that_ends_is_a_workers_error():
    with (
        pytest.raises(WorkerError, match="a process that counts has ended: too little memory"),
        process_pool(2, "counts") as pool,
    ):
        pool.submit(os.kill, pool.submit(os.getpid).result(), signal.SIGKILL).result()


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_processes_do_not_outlive_a_block_that_is_left_early(error):
    before = set(multiprocessing.active_children())
    with pytest.raises(error), process_pool(1, "counts") as pool:
        pool.submit(time.sleep, 600)
        raise error
    assert set(multiprocessing.active_children()) == before
