"""The same bytes from a cluster: a real scheduler, two real workers, one of them killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile
from scripts import artifacts, extract_command, kept_songs, run_script, write_songs
from signals import RATE_HZ, music
from waiting import Lines, wait_until

from songmap.core.errors import WorkerError
from songmap.core.workspace import REPOSITORY, Workspace
from songmap.extract import executors
from songmap.extract.executors import WorkerEnvironment


@pytest.fixture
def cluster(tmp_path):
    """A scheduler's address and a function that starts a worker process and returns it when it is registered."""
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "DASK_DISTRIBUTED__WORKER__PREOPEN": "0"}
    running = []

    def start(*command: str) -> tuple[subprocess.Popen, Lines]:
        process = subprocess.Popen(
            [sys.executable, "-m", "dask", *command], env=environment, stderr=subprocess.PIPE, text=True, cwd=tmp_path
        )
        running.append(process)
        return process, Lines(process)

    _, lines = start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
    address = lines.wait_for("Scheduler at:").split()[-1]

    def start_worker() -> subprocess.Popen:
        options = ("--nthreads", "1", "--no-dashboard", "--no-nanny", "--local-directory", str(tmp_path))
        process, lines = start("worker", address, *options)
        lines.wait_for("Registered to:")
        return process

    yield address, start_worker
    for process in running:
        process.kill()
        process.wait()


@pytest.mark.slow
def test_a_cluster_that_loses_a_worker_gives_the_same_bytes(tmp_path, cluster):
    address, start_worker = cluster
    write_songs(tmp_path / "music", 12, 20, times=2)
    soundfile.write(tmp_path / "music" / "A" / "clip.wav", music(1.5), RATE_HZ)
    songs = ("--music", tmp_path / "music", "--min-duration", "1")
    workers = [start_worker(), start_worker()]
    work = Workspace(tmp_path / "cluster")
    command = extract_command("--workspace", work.root, *songs, "--executor", "dask", "--scheduler", address)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        wait_until(lambda: kept_songs(work) >= 2 or run.poll() is not None)
        workers[0].send_signal(signal.SIGKILL)
        killed_at = kept_songs(work)
        out, errors = run.communicate(timeout=300)
    assert run.returncode == 0, errors
    assert 2 <= killed_at < 13
    assert "13 songs in the library: 13 extracted, 0 failed" in out
    local = Workspace(tmp_path / "local")
    assert run_script("01", "--workspace", local.root, *songs).returncode == 0
    assert artifacts(work) == artifacts(local)


def test_a_cluster_that_cannot_serve_is_one_line(tmp_path, cluster, monkeypatch):
    address, _ = cluster
    write_songs(tmp_path / "music", 1)

    def errors(scheduler: str, music: Path) -> str:
        result = run_script(
            "01", "--workspace", tmp_path / "w", "--music", music, "--executor", "dask", "--scheduler", scheduler
        )
        assert (result.returncode, len(result.stderr.splitlines())) == (2, 1), result.stderr
        return result.stderr

    assert "has no workers" in errors(address, tmp_path / "music")
    monkeypatch.setattr(executors, "_CONNECT_S", 1)  # for how long a scheduler is looked for
    assert "no dask scheduler at tcp://127.0.0.1:9" in errors("tcp://127.0.0.1:9", tmp_path / "music")


@pytest.mark.parametrize(
    ("there", "message"),
    [
        (WorkerEnvironment("3.11.1", "abc", True), "worker tcp://a has Python 3.11.1, not 3.12.0 as here"),
        (WorkerEnvironment("3.12.0", "def", True), "worker tcp://a has other versions of songmap or its libraries"),
        (WorkerEnvironment("3.12.0", "abc", False), "worker tcp://a cannot read /a.mp3"),
    ],
)
def test_a_worker_that_differs_is_named(there: WorkerEnvironment, message: str):
    here = WorkerEnvironment("3.12.0", "abc", True)
    with pytest.raises(WorkerError, match=message):
        executors.check_environment("tcp://a", there, here, Path("/a.mp3"))
    executors.check_environment("tcp://a", here, here, Path("/a.mp3"))
