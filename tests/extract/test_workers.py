"""Worker processes: what ends one is a song's failure, and the next song has a new one."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest
import soundfile
from signals import RATE_HZ, music

from songmap.core.errors import WorkerError
from songmap.extract import workers
from songmap.extract.workers import Worker, ask
from songmap.library.schema import AudioConfig


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
        stream.seek(20)  # the sizes of an RF64 file stand in its ds64 chunk
        for size in (8000 * 86400 - 8, 8000 * 86400 - 104, 8000 * 86400 - 104):
            stream.write(size.to_bytes(8, "little"))
    return path


def embed(path: Path, timeout_s: float = 600) -> dict:
    return ask("embed", path, AudioConfig(), timeout_s, 0)


def test_one_worker_serves_a_thread_and_recognises_songs(song):
    first = embed(song)
    worker = workers._of_this_thread.worker
    identified = ask("identify", song, AudioConfig(), 600, 0)
    assert workers._of_this_thread.worker is worker
    assert identified["content"] == first["content"]
    assert identified["record"]["song_name"] == "song"
    assert first["record"]["duration"] == 5


def test_a_song_that_takes_too_long_is_given_up(song, endless):
    assert embed(endless, 2)["failure"] == "took longer than 2 s; give it more with --timeout"
    assert "embedding" in embed(song)


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL])
def test_a_crash_costs_one_song(song, endless, number):
    embed(song)
    process = workers._of_this_thread.worker._process
    timer = threading.Timer(1, process.send_signal, [number])
    timer.start()
    assert embed(endless)["failure"] == f"its decoder or analysis crashed ({number.name})"
    timer.join()
    assert "embedding" in embed(song)
    assert workers._of_this_thread.worker._process.pid != process.pid


def test_a_worker_is_replaced_after_its_share(song, monkeypatch):
    monkeypatch.setattr(workers, "_SONGS_PER_WORKER", 2)
    embed(song)
    served = []
    for _ in range(4):
        embed(song)
        served.append(workers._of_this_thread.worker.served)
    assert max(served) == 2
    assert min(served) == 1


def test_a_worker_ends_with_what_asked_it(song):
    pids = []

    def in_a_thread() -> None:
        embed(song)
        pids.append(workers._of_this_thread.worker._process.pid)

    thread = threading.Thread(target=in_a_thread)
    thread.start()
    thread.join()
    deadline = time.monotonic() + 30
    while Path(f"/proc/{pids[0]}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


def test_a_worker_that_cannot_start_says_so(monkeypatch, capfd):
    monkeypatch.setattr(workers.sys, "executable", "/bin/false")
    with pytest.raises(WorkerError, match="exit status 1"):
        Worker(0)
