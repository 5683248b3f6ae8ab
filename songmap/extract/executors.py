"""Where songs are heard: threads of this process, processes, or an existing dask cluster, behind one interface."""

import platform
import signal
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from songmap.core.errors import UsageError, WorkerError
from songmap.extract.ledger import analysis_fingerprint
from songmap.library.schema import AudioConfig

EXECUTORS = ("threads", "processes", "dask")
_CONNECT_S = 10


@dataclass(frozen=True)
class Crew:
    """An executor, how many songs it hears at the same time, and what it raises for a song that ends its workers."""

    executor: Executor
    size: int
    song_lost: tuple[type[Exception], ...] = ()


@contextmanager
def open_crew(kind: str, workers: int, scheduler: str | None, song: Path, config: AudioConfig) -> Iterator[Crew]:
    """The executor for one of ``EXECUTORS``; ``scheduler`` is the address of dask's. ``song`` is one of those to hear.

    Raises UsageError for a cluster that cannot be reached, WorkerError for one that would give other
    numbers or does not see the song.
    """
    if kind == "dask":
        with _open_cluster(scheduler, song, config) as crew:
            yield crew
        return
    if kind == "threads":
        executor = ThreadPoolExecutor(workers)
    else:  # Ctrl-C is for this process, which lets songs in flight finish
        ignore = {"initializer": signal.signal, "initargs": (signal.SIGINT, signal.SIG_IGN)}
        executor = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), **ignore)
    try:
        yield Crew(executor, workers)
    finally:
        executor.shutdown(cancel_futures=True)


def workplace(song: Path, config: AudioConfig) -> dict[str, str | bool]:
    """What must be the same wherever songs are heard."""
    return {
        "Python": platform.python_version(),
        "songmap with its libraries": analysis_fingerprint(config)[:12],
        f"seeing {song}": song.exists(),
    }


@contextmanager
def _open_cluster(scheduler: str, song: Path, config: AudioConfig) -> Iterator[Crew]:
    try:
        from distributed import Client, KilledWorker
    except ImportError:
        raise UsageError("--executor dask needs more: pip install -r requirements-cluster.txt") from None
    try:
        client = Client(scheduler, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise UsageError(f"no dask scheduler at {scheduler}: {error}") from error
    with client:
        size = sum(client.nthreads().values())
        if not size:
            raise WorkerError(f"the scheduler at {scheduler} has no workers: start some with dask worker {scheduler}")
        here = workplace(song, config)
        for address, there in client.run(workplace, song, config).items():
            for what, value in here.items():
                if there[what] != value:
                    raise WorkerError(f"worker {address} differs: {what} is {there[what]}, but {value} here")
        yield Crew(client.get_executor(pure=False), size, (KilledWorker,))
