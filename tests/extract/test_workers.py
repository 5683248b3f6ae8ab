"""Worker processes: what ends one is a song's failure, and the next song has a new one."""

import json
import os
import select
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import soundfile
from scripts import extract_command
from signals import RATE_HZ, music
from waiting import wait_until

from songmap.core.errors import WorkerError
from songmap.core.workspace import REPOSITORY
from songmap.extract import workers
from songmap.extract.options import ExtractionOptions
from songmap.extract.workers import Worker, call_worker


@pytest.fixture(scope="module")
def song(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("songs") / "song.wav"
    soundfile.write(path, music(5), RATE_HZ)
    return path


@pytest.fixture(scope="module")
def endless(tmp_path_factory) -> Path:
    """A day of audio in a sparse file: nobody waits for that."""
    path = tmp_path_factory.mktemp("songs") / "endless.wav"
    with soundfile.SoundFile(path, "w", 8000, 1, "PCM_U8", format="RF64") as sound:
        sound.write(music(5))
    with path.open("r+b") as stream:
        stream.truncate(8000 * 86400)
        stream.seek(20)  # the sizes of an RF64 file are in its ds64 chunk
        for size in (8000 * 86400 - 8, 8000 * 86400 - 104, 8000 * 86400 - 104):
            stream.write(size.to_bytes(8, "little"))
    return path


def embed(path: Path, timeout_s: float = 600) -> dict:
    return call_worker("embed", path, ExtractionOptions(timeout_s=timeout_s))


def worker_of_this_thread() -> Worker:
    return workers._of_this_thread.worker


def has_open(pid: int, path: Path) -> bool:
    """Whether a process has a file open."""
    try:
        return any(descriptor.samefile(path) for descriptor in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:  # closed meanwhile
        return False


def test_one_worker_serves_a_thread_and_recognises_songs(song):
    first = embed(song)
    worker = worker_of_this_thread()
    identified = call_worker("identify", song, ExtractionOptions())
    assert worker_of_this_thread() is worker
    assert identified["content"] == first["content"]
    assert identified["record"]["song_name"] == "song"
    assert first["record"]["duration"] == 5


def test_a_song_that_takes_too_long_is_given_up(song, endless):
    assert embed(endless, 1)["failure"] == "took longer than 1 s; give it more with --timeout"
    assert "embedding" in embed(song)


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL])
def test_a_crash_costs_one_song(song, endless, number):
    embed(song)
    pid = worker_of_this_thread().pid

    def crash_while_it_decodes() -> None:
        wait_until(lambda: has_open(pid, endless))
        os.kill(pid, number)

    thread = threading.Thread(target=crash_while_it_decodes)
    thread.start()
    assert embed(endless)["failure"] == f"its decoder or analysis crashed ({number.name})"
    thread.join()
    assert "embedding" in embed(song)
    assert worker_of_this_thread().pid != pid


def test_a_worker_is_replaced_after_its_share(song, monkeypatch):
    monkeypatch.setattr(workers, "_SONGS_PER_WORKER", 2)
    embed(song)
    served = []
    for _ in range(4):
        embed(song)
        served.append(worker_of_this_thread().served)
    assert max(served) == 2
    assert min(served) == 1


def test_a_worker_ends_with_the_thread_that_started_it(song):
    ends = []

    def in_a_thread() -> None:
        embed(song)
        ends.append(os.pidfd_open(worker_of_this_thread().pid))

    thread = threading.Thread(target=in_a_thread)
    thread.start()
    thread.join()
    readable, _, _ = select.select(ends, [], [], 60)  # a process's descriptor is readable when it has ended
    os.close(ends[0])
    assert readable == ends


RUN = """
import sys
from pathlib import Path
from songmap.extract.options import ExtractionOptions
from songmap.extract import workers
worker = workers._of_this_thread.worker = workers.Worker(0)
print(worker.pid, flush=True)
workers.call_worker("embed", Path(sys.argv[1]), ExtractionOptions())
"""


def wait_for_end(pid_descriptor: int) -> None:
    readable, _, _ = select.select([pid_descriptor], [], [], 60)  # a process's descriptor is readable when it has ended
    os.close(pid_descriptor)
    assert readable


def test_a_worker_ends_with_the_run_that_is_killed_while_it_decodes(endless):
    with subprocess.Popen([sys.executable, "-c", RUN, endless], stdout=subprocess.PIPE, cwd=REPOSITORY) as run:
        pid = int(run.stdout.readline())
        worker = os.pidfd_open(pid)
        wait_until(lambda: has_open(pid, endless))
        run.kill()
        wait_for_end(worker)


def test_a_pool_of_processes_ends_with_the_run_that_is_killed(endless, tmp_path):
    command = extract_command("--workspace", tmp_path, "--music", endless, "--executor", "processes", "--workers", "1")
    with subprocess.Popen(command, cwd=REPOSITORY) as run:

        def descendants(pid: int) -> list[int]:
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            return [each for child in map(int, children) for each in (child, *descendants(child))]

        wait_until(lambda: any(has_open(pid, endless) for pid in descendants(run.pid)))
        ends = [os.pidfd_open(pid) for pid in descendants(run.pid)]
        run.kill()
        for end in ends:
            wait_for_end(end)
    assert len(ends) >= 2  # the pool's process and its worker


def test_a_worker_ends_with_its_input_while_it_decodes(endless):
    """What ends it where the system cannot."""
    command = [sys.executable, "-m", "songmap.extract.worker", "0", str(os.getpid())]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd=REPOSITORY, **pipes) as process:
        try:
            assert process.stdout.readline() == b"{}\n"
            request = {"task": "embed", "path": str(endless), "config": {}, "engine": "songmap", "timeout_s": 600}
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
            wait_until(lambda: has_open(process.pid, endless))
            process.stdin.close()
            wait_for_end(os.pidfd_open(process.pid))
        finally:
            process.kill()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not hold the limit")
@pytest.mark.parametrize("limit", ["READING_BYTES = 1 << 16", "ANALYSIS_BYTES_PER_S = {'songmap': -(1 << 28)}"])
def test_a_song_that_needs_too_much_memory_is_a_failure(song, limit):
    """The analysis gets what reading gets, and for each second more: here as good as nothing."""
    program = (
        "import sys; from songmap.extract import worker\n"
        "request = dict(task='embed', path=sys.argv[1], config={}, engine='songmap')\n"
        "assert 'embedding' in worker.answer(request)\n"
        f"worker.{limit}\n"
        "print(worker.answer(request)['cause'])\n"
    )
    result = subprocess.run([sys.executable, "-c", program, song], cwd=REPOSITORY, capture_output=True, text=True)
    assert result.stdout == "memory\n", result.stderr


def test_a_worker_that_answers_without_end_is_ended(song, tmp_path, monkeypatch):
    never_ending = tmp_path / "python"
    never_ending.write_text("#!/bin/sh\necho '{}'\nread request\nwhile :; do printf 'x%.0s' 1 2 3 4 5 6 7 8; done\n")
    never_ending.chmod(0o755)
    monkeypatch.setattr(workers, "_MAX_ANSWER_CHARACTERS", 1000)
    failures = []

    def in_a_thread() -> None:
        with monkeypatch.context() as patch:
            patch.setattr(workers.sys, "executable", str(never_ending))
            failures.append(embed(song))
        monkeypatch.undo()
        failures.append(embed(song))

    thread = threading.Thread(target=in_a_thread)
    thread.start()
    thread.join()
    assert failures[0] == {"failure": "its decoder or analysis crashed (SIGKILL)", "cause": "crash"}
    assert "embedding" in failures[1]


def test_a_worker_that_cannot_start_says_so(monkeypatch, capfd):
    monkeypatch.setattr(workers.sys, "executable", "/bin/false")
    with pytest.raises(WorkerError, match="exit status 1"):
        Worker(0)
