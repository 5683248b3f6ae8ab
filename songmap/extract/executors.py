"""Where songs are analysed: threads of this process, processes, or an existing dask cluster, behind one interface."""

import os
import platform
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from songmap.core.errors import UsageError, WorkerError
from songmap.core.processes import spawned
from songmap.extract.ledger import analysis_fingerprint
from songmap.extract.options import ExtractionOptions
from songmap.extract.workers import call_worker

_CONNECT_S = 10


@dataclass(frozen=True)
class WorkerPool:
    """An executor, how many songs it analyses at the same time, and what it raises for a song that ends its workers."""

    executor: Executor
    size: int
    options: ExtractionOptions
    song_lost: tuple[type[Exception], ...] = ()

    def submit(self, task: str, path: Path) -> Future:
        """Have a worker do one task of songmap.extract.worker; ``result`` gives its answer."""
        return self.executor.submit(call_worker, task, path, self.options)

    def result(self, future: Future) -> dict[str, Any]:
        """A worker's answer. Raises WorkerError when there are no workers left."""
        try:
            return future.result()
        except self.song_lost:
            return {"failure": "every worker that analysed it was lost", "cause": "crash"}
        except (BrokenExecutor, CancelledError) as error:
            reason = "the workers have ended (killed, out of memory?); what is finished is kept, run again"
            raise WorkerError(reason) from error


@contextmanager
def open_worker_pool(options: ExtractionOptions, song: Path) -> Iterator[WorkerPool]:
    """The pool of ``options.executor``. ``song`` is one of the files to analyse.

    Raises UsageError for a cluster that cannot be reached, WorkerError for one that would give other
    numbers or does not see the song.
    """
    if options.executor == "dask":
        with _open_cluster(options, song) as pool:
            yield pool
        return
    make_pool: Callable[[int], Executor] = ThreadPoolExecutor if options.executor == "threads" else spawned
    executor = make_pool(options.workers)
    try:
        yield WorkerPool(executor, options.workers, options)
    finally:
        executor.shutdown(cancel_futures=True)


@dataclass(frozen=True)
class WorkerEnvironment:
    """What must be the same wherever songs are analysed: versions, and whether the music can be read."""

    python: str
    analysis: str
    reads_song: bool


def worker_environment(song: Path, options: ExtractionOptions) -> WorkerEnvironment:
    """The environment of the process that calls it; ``analysis`` is a fingerprint of songmap with its libraries."""
    analysis = analysis_fingerprint(options.config, options.engine)[:12]
    return WorkerEnvironment(platform.python_version(), analysis, os.access(song, os.R_OK))


def check_environment(address: str, there: WorkerEnvironment, here: WorkerEnvironment, song: Path) -> None:
    """Raise WorkerError if the worker at ``address`` would give other numbers than this process."""
    if there.python != here.python:
        raise WorkerError(
            f"worker {address} has Python {there.python}, not {here.python} as here; use the same version"
        )
    if there.analysis != here.analysis:
        versions = f"{there.analysis} instead of {here.analysis}"
        raise WorkerError(
            f"worker {address} has other versions of songmap or its libraries ({versions}); install the same"
        )
    if here.reads_song and not there.reads_song:
        raise WorkerError(
            f"worker {address} cannot read {song}; the music folder must have the same path on all machines"
        )


@contextmanager
def _open_cluster(options: ExtractionOptions, song: Path) -> Iterator[WorkerPool]:
    try:
        from distributed import Client, KilledWorker
    except ImportError:
        raise UsageError("--executor dask needs more: pip install -r requirements-cluster.txt") from None
    scheduler = options.scheduler
    try:
        client = Client(scheduler, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise UsageError(f"no dask scheduler at {scheduler}: {error}") from error
    with client:
        size = sum(client.nthreads().values())
        if not size:
            raise WorkerError(f"the scheduler at {scheduler} has no workers: start some with dask worker {scheduler}")
        here = worker_environment(song, options)
        for address, there in client.run(worker_environment, song, options).items():
            check_environment(address, there, here, song)
        yield WorkerPool(client.get_executor(pure=False), size, options, (KilledWorker,))
