"""Worker processes: what ends one is a song's failure, and the next song has a new one."""

import os
import select
import signal
import threading
from pathlib import Path

import pytest
import soundfile
from signals import RATE_HZ, music
from waiting import wait_until

from songmap.core.errors import WorkerError
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


def test_a_worker_that_cannot_start_says_so(monkeypatch, capfd):
    monkeypatch.setattr(workers.sys, "executable", "/bin/false")
    with pytest.raises(WorkerError, match="exit status 1"):
        Worker(0)
