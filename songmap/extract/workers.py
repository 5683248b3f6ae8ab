"""Each thread that analyses songs has one worker process, replaced when it crashes, hangs, or has served long enough.

What runs in a thread pool, a process pool or on a cluster is always ``call_worker``.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from songmap.core.errors import WorkerError
from songmap.core.workspace import REPOSITORY
from songmap.extract.options import ExtractionOptions

ONE_THREAD = {name: "1" for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")}
# glibc: what is freed stays with the process; else each clip of 3 s has up to 800 pages mapped and unmapped again
_KEPT_BYTES = {"MALLOC_MMAP_THRESHOLD_": str(1 << 25), "MALLOC_TRIM_THRESHOLD_": str(1 << 26)}
_SONGS_PER_WORKER = 1000  # then a fresh one: whatever a decoder leaks ends with its process
# a record of ten texts of 1,000 characters, twelve each in JSON, and 3.4 kB of numbers; with segments 3.4 kB each
_MAX_ANSWER_CHARACTERS, _MAX_SEGMENTED_CHARACTERS = 1 << 18, 1 << 28
_PATIENCE_S = 5.0  # for a worker to end by itself when nobody wants its song any more
_of_this_thread = threading.local()


def call_worker(task: str, path: Path, options: ExtractionOptions) -> dict[str, Any]:
    """The answer of this thread's worker, as in songmap.extract.worker. What ends it is the file's ``failure``."""
    worker = getattr(_of_this_thread, "worker", None)
    if worker is None or worker.served >= _SONGS_PER_WORKER:
        worker = _of_this_thread.worker = Worker(options.nice)
    started = time.monotonic()
    request = {"task": task, "path": str(path), "config": asdict(options.config), "engine": options.engine}
    segments = asdict(options.segments) if options.segments else None
    answer = worker.call(request | {"segments": segments, "timeout_s": options.timeout_s})
    if answer is not None:
        return answer
    del _of_this_thread.worker
    if time.monotonic() - started >= options.timeout_s:
        return {"failure": f"took longer than {options.timeout_s:g} s; give it more with --timeout", "cause": "time"}
    return {"failure": f"its decoder or analysis crashed ({worker.how_it_ended()})", "cause": "crash"}


class Worker:
    """A running worker process. Raises WorkerError if it cannot start."""

    def __init__(self, nice: int) -> None:
        self.served = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "songmap.extract.worker", str(nice), str(os.getpid())],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8",
            cwd=REPOSITORY, env=_KEPT_BYTES | os.environ | ONE_THREAD,
        )  # fmt: skip
        if self._process.stdin is None or self._process.stdout is None:
            raise WorkerError("a worker process has no pipes")
        self._requests, self._answers = self._process.stdin, self._process.stdout
        # the worker ends when its input does: with this object, or with this process, however that ends
        self._finalizer = weakref.finalize(self, _end, self._process, self._requests, self._answers)
        if not self._answers.readline():
            raise WorkerError(f"a worker process could not start ({self.how_it_ended()}); see its output above")

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def call(self, request: dict[str, Any]) -> dict[str, Any] | None:
        """The answer, or None if the worker has ended. One that gives no valid answer is ended."""
        self.served += 1
        try:
            print(json.dumps(request), file=self._requests, flush=True)
            line = self._answers.readline(
                _MAX_SEGMENTED_CHARACTERS if request.get("segments") else _MAX_ANSWER_CHARACTERS
            )
        except BrokenPipeError:
            return None
        except UnicodeDecodeError:
            line = "?"
        answer = _answer(line)
        if answer is None and line:  # damaged by what it decoded, and alive
            self._process.kill()
        return answer

    def how_it_ended(self) -> str:
        """Exit status or signal, in words."""
        status = self._process.wait()
        return signal.Signals(-status).name if status < 0 else f"exit status {status}"


def _answer(line: str) -> dict[str, Any] | None:
    try:
        answer = json.loads(line) if line.endswith("\n") else None
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None


def _end(process: subprocess.Popen, requests: IO[str], answers: IO[str]) -> None:
    requests.close()
    try:
        process.wait(_PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    answers.close()
