"""What 01 costs besides the analysis: 100,000 known songs, the rate of a real run, supervision, memory of a long run.

    python -m benchmarks.library [--files N] [--like WORKSPACE] [--songs N] [--seconds S] [--work DIR]

``--files`` small files with outcomes in the ledger stand for a large library; their embeddings are drawn with the
covariance of those in WORKSPACE, which 01 has filled, else of the songs synthesised here, which differ less. ``--songs`` synthesised stereo MP3s of 44.1 kHz, ``--seconds`` long, are analysed for the rate.
All programs run at the same niceness; what is compared runs in turn, medians of ratios are given. Needs 1.5 GB in
DIR (default: a temporary folder). Prints a Markdown table and writes it to benchmarks/library.md.
"""

import argparse
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from benchmarks.extraction import demo_song
from songmap.core.workspace import REPOSITORY
from songmap.extract.workers import ONE_THREAD

TURNS, FLAT_SONGS, SONGS_PER_FOLDER, N_GENRES = 3, 10_000, 20, 25


def script(*arguments: str | Path) -> tuple[float, float]:
    """Seconds and peak memory in MB of a run of 01, start of Python and all."""
    command = [sys.executable, REPOSITORY / "01_feature_extraction.py", *arguments]
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise subprocess.CalledProcessError(os.waitstatus_to_exitcode(status), command)
    return time.perf_counter() - started, usage.ru_maxrss / 1024


def start(task: str, *arguments: object) -> subprocess.Popen:
    """Begin one task of this file in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.library", "--task", task, *map(str, arguments)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, **pipes, cwd=REPOSITORY, env=os.environ | ONE_THREAD)


def finish(process: subprocess.Popen) -> dict:
    """What the task measured."""
    out, _ = process.communicate()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    return json.loads(out.splitlines()[-1])


def child(task: str, *arguments: object) -> dict:
    return finish(start(task, *arguments))


def clock(function: Callable[[], object]) -> float:
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


def drawn(like: np.ndarray, n_songs: int) -> np.ndarray:
    """Embeddings with the mean, and mostly the covariance, of those given; a tenth of the variance is independent."""
    rng = np.random.default_rng(0)
    centred = like - like.mean(axis=0)
    mixed = rng.standard_normal((n_songs, len(like)), np.float32) @ (centred * np.sqrt(0.9 / (len(like) - 1)))
    own = rng.standard_normal((n_songs, like.shape[1]), np.float32) * (np.sqrt(0.1) * like.std(axis=0, ddof=1))
    return (like.mean(axis=0) + mixed + own).astype(np.float32)


def task_synthesise(folder: str, n_songs: str, duration_s: str) -> dict:
    """Songs that differ in speed, so in tempo and key, as MP3 in folders of two genres."""
    import soundfile

    pattern = demo_song()[: 30 * 44100, 0]
    for index in range(int(n_songs)):
        path = Path(folder, "AB"[index % 2], f"{index:03d}.mp3")
        path.parent.mkdir(parents=True, exist_ok=True)
        part = np.interp(np.arange(0, len(pattern), 0.8 + 0.4 * index / int(n_songs)), np.arange(len(pattern)), pattern)
        part = np.tile(part, int(np.ceil(float(duration_s) * 44100 / len(part))))[: int(float(duration_s) * 44100)]
        with soundfile.SoundFile(path, "w", 44100, 2) as out:
            for block in np.array_split(np.stack([part, np.roll(part, 331)], axis=1), len(part) // 44100):
                out.write(block)
    return {}


def task_fill(work: str, music: str, n_files: str, like: str) -> dict:
    """A music folder of small files, and a ledger that knows every one."""
    from songmap.core.workspace import Workspace
    from songmap.extract.ledger import Ledger, Outcome, analysis_fingerprint, open_ledger
    from songmap.extract.run import stamp_of
    from songmap.features.analysis import describe_file
    from songmap.library.library import load_library
    from songmap.library.schema import AudioConfig

    embeddings = drawn(load_library(Workspace(Path(like))).embeddings, int(n_files))
    untagged, rng = describe_file(Path("none.mp3")), np.random.default_rng(1)
    file = Workspace(Path(work)).ledger
    with open_ledger(file, AudioConfig()):
        pass  # it has its tables
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA synchronous=OFF")  # only to be filled quickly
        ledger = Ledger(connection, analysis_fingerprint(AudioConfig()))
        for index, embedding in enumerate(embeddings):
            album = index // SONGS_PER_FOLDER
            folder = Path(music, f"genre {album % N_GENRES:02d}", f"artist {album // 3:05d}", f"album {album:05d}")
            if index % SONGS_PER_FOLDER == 0:
                folder.mkdir(parents=True)
            path = folder / f"{index % SONGS_PER_FOLDER:02d} song {index:06d}.mp3"
            path.write_bytes(index.to_bytes(4, "big"))
            record = untagged | {
                "song_name": path.stem, "file_path": str(path), "artist": path.parts[-3], "title": path.stem[3:], "album": path.parts[-2], "year": 1960.0 + album % 60,
                "duration": float(rng.uniform(120, 400)), "tempo_bpm": float(rng.uniform(70, 180)), "genre": "UNKNOWN",
                "tempo_octave": 1.0, "beat_deviation_s": 0.005,
            }  # fmt: skip
            ledger.keep(path, stamp_of(path), Outcome(f"{index:040x}", record, embedding))
    return {}


def task_artifacts(work: str) -> dict:
    """Seconds to save a library where there is none, and to load, which checks every sum and row."""
    from songmap.core.workspace import Workspace
    from songmap.library.library import load_library, save_library

    library = load_library(Workspace(Path(work)))
    with tempfile.TemporaryDirectory(dir=work) as folder:
        workspace = Workspace(Path(folder))
        save_s = clock(lambda: save_library(workspace, library))
        load_s = clock(lambda: load_library(workspace))
    return {"save_s": save_s, "load_s": load_s}


def task_flat(work: str, music: str) -> dict:
    """Memory in MB of the process that supervises, after every thousandth of many songs, none of which is decoded."""
    import base64
    import gc

    from songmap.core.workspace import Workspace
    from songmap.extract import executors, run
    from songmap.extract.files import find_songs
    from songmap.extract.labels import label_songs
    from songmap.extract.options import ExtractionOptions
    from songmap.features.analysis import describe_file
    from songmap.library.schema import N_COLUMNS

    rng = np.random.default_rng(2)

    def answer(task, path, options) -> dict:
        embedding = rng.standard_normal(N_COLUMNS).astype(np.float32)
        record = describe_file(path) | {"genre": "UNKNOWN", "duration": 200.0, "tempo_bpm": 120.0}
        return {"content": path.name, "record": record, "embedding": base64.b64encode(embedding.tobytes()).decode()}

    memory_mb: list[float] = []

    def watch(done: int, total: int) -> None:
        if done and done % 1000 == 0:
            gc.collect()
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            memory_mb.append(pages * os.sysconf("SC_PAGE_SIZE") / 2**20)

    executors.call_worker = answer
    songs = label_songs(find_songs(Path(music))[:FLAT_SONGS], Path(music), "folder")
    seconds = clock(lambda: run.extract_library(songs, Workspace(Path(work)), ExtractionOptions(2), watch))
    return {"memory_mb": memory_mb, "seconds": seconds}


def task_bare(*files: str) -> dict:
    """Seconds to analyse songs in this process, its first song not counted; begins at a line on standard input."""
    from songmap.features.analysis import analyse_file

    analyse_file(Path(files[0]))
    print("ready", flush=True)
    sys.stdin.readline()
    return {"seconds": clock(lambda: [analyse_file(Path(file)) for file in files])}


def task_run(work: str, music: str) -> dict:
    """Songs per second of a run with two workers while both are busy: from the second song to the last."""
    from songmap.core.workspace import Workspace
    from songmap.extract.files import find_songs
    from songmap.extract.labels import label_songs
    from songmap.extract.options import ExtractionOptions
    from songmap.extract.run import extract_library

    songs = label_songs(find_songs(Path(music)), Path(music), "folder")
    times: list[float] = []
    started = time.perf_counter()
    extract_library(songs, Workspace(Path(work)), ExtractionOptions(2), lambda *_: times.append(time.perf_counter()))
    return {
        "songs_per_s": (len(songs) - 2) / (times[-1] - times[2]),
        "whole_songs_per_s": len(songs) / (time.perf_counter() - started),
    }


def task_supervision(*files: str) -> dict:
    """Per song, the ratios of what a worker needs to what this process needs, to analyse and hash and to analyse alone."""
    from songmap.extract.options import ExtractionOptions
    from songmap.extract.worker import embed
    from songmap.extract.workers import call_worker
    from songmap.features.analysis import analyse_file
    from songmap.library.schema import AudioConfig

    config, paths = AudioConfig(), [Path(file) for file in files]
    ways = [
        lambda path: call_worker("embed", path, ExtractionOptions()),
        lambda path: embed(path, config, "songmap"),
        lambda path: analyse_file(path, config),
    ]
    for way in ways:
        way(paths[0])
    worker, same, analysis = zip(
        *([clock(lambda w=way, p=path: w(p)) for way in ways] for path in paths * 2), strict=True
    )
    return {
        "to_same": statistics.median(a / b for a, b in zip(worker, same, strict=True)),
        "to_analysis": statistics.median(a / b for a, b in zip(worker, analysis, strict=True)),
    }


TASKS = {name.removeprefix("task_"): function for name, function in globals().items() if name.startswith("task_")}


def bare(groups: Sequence[Sequence[Path]]) -> float:
    """Songs per second of one process per group that does nothing but analyse, all at the same time."""
    processes = [start("bare", *group) for group in groups]
    for process in processes:
        process.stdout.readline()
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    return sum(len(group) / finish(process)["seconds"] for group, process in zip(groups, processes, strict=True))


def rates(work: Path, songs: Path) -> list[tuple[str, str, str]]:
    """Rate of runs against processes that only analyse; cost of supervision."""
    files = sorted(songs.rglob("*.mp3"))
    alone, both, steady, whole, scripted = [], [], [], [], []
    for turn in range(TURNS):
        alone.append(2 * bare([files]))
        both.append(bare([files[::2], files[1::2]]))
        run = child("run", work / f"run {turn}", songs)
        steady.append(run["songs_per_s"])
        whole.append(run["whole_songs_per_s"])
        seconds, _ = script("--workspace", work / f"script {turn}", "--music", songs, "--workers", "2", "--nice", "0")
        scripted.append(len(files) / seconds)

    def percent(ours: list[float], theirs: list[float]) -> str:
        return f"{100 * statistics.median(a / b for a, b in zip(ours, theirs, strict=True)):.1f} %"

    n_songs = f"{len(files)} songs"
    cost = child("supervision", *files)
    return [
        ("two processes that only analyse, songs/s", f"{statistics.median(both):.2f}", n_songs),
        ("run with two workers, start-up excluded, to these two", percent(steady, both), "at least 95 %"),
        ("the same with start-up", percent(whole, both), n_songs),
        ("01 as a process with start of Python, to these two", percent(scripted, both), n_songs),
        ("these two, to twice one process alone on the machine", percent(both, alone), "what the second core gives"),
        ("run with two workers, to twice one process alone", percent(steady, alone), "start-up excluded"),
        ("a song from a worker, to analysing and hashing it in this process", f"{100 * cost['to_same'] - 100:+.1f} %", "below 5 %"),
        ("the same, to analysing alone", f"{100 * cost['to_analysis'] - 100:+.1f} %", "below 5 %"),
    ]  # fmt: skip


def scale(work: Path, n_files: int, like: Path) -> list[tuple[str, str, str]]:
    """Runs over many files that analyse nothing."""
    music, known, unknown = work / "many", work / "known", work / "unknown"
    child("fill", known, music, n_files, like)
    first, first_mb = script("--workspace", known, "--music", music)
    again = [script("--workspace", known, "--music", music) for _ in range(TURNS)]
    dry = [script("--workspace", known, "--music", music, "--dry-run")[0] for _ in range(TURNS)]
    plan = [script("--workspace", unknown, "--music", music, "--dry-run")[0] for _ in range(TURNS)]
    saved = [child("artifacts", known) for _ in range(TURNS)]
    flat = child("flat", work / "flat", music)
    memory_mb = flat["memory_mb"]
    save_s, load_s = (statistics.median(turn[name] for turn in saved) for name in ("save_s", "load_s"))
    growth_mb = (memory_mb[-1] - memory_mb[0]) / (len(memory_mb) - 1)
    return [
        (f"{n_files:,} known songs: run that writes the artifacts, s", f"{first:.1f}", f"peak {first_mb:.0f} MB"),
        ("run with nothing to do, s", f"{statistics.median(s for s, _ in again):.1f}", "below 20 s"),
        ("its peak memory, MB", f"{max(mb for _, mb in again):.0f}", "below 1,500 MB"),
        ("artifacts written, and read with every check, s", f"{save_s + load_s:.1f}", f"below 10 s; {save_s:.1f} + {load_s:.1f}"),
        ("`--dry-run`, all known, s", f"{statistics.median(dry):.1f}", ""),
        ("`--dry-run`, all unknown: planning of a first run, s", f"{statistics.median(plan):.1f}", ""),
        (f"{FLAT_SONGS:,} songs, decoder stubbed: growth per 1,000 songs, MB", f"{growth_mb:.2f}", f"{memory_mb[0]:.0f} to {memory_mb[-1]:.0f} MB"),
        ("the same, ms per song besides its analysis", f"{1000 * flat['seconds'] / FLAT_SONGS:.2f}", "every song committed"),
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=100_000, metavar="N", help="known songs")
    parser.add_argument("--like", type=Path, metavar="WORKSPACE", help="whose songs the known ones resemble")
    parser.add_argument("--songs", type=int, default=24, metavar="N", help="songs to analyse for the rate")
    parser.add_argument("--seconds", type=float, default=240, metavar="S", help="how long each of them is")
    parser.add_argument("--work", type=Path, metavar="DIR", help="where to make the files")
    parser.add_argument("--task", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.task:
        print(json.dumps(TASKS[arguments.task[0]](*arguments.task[1:])))
        return
    with tempfile.TemporaryDirectory(dir=arguments.work) as folder:
        work = Path(folder)
        child("synthesise", work / "songs", arguments.songs, arguments.seconds)
        lines = ["| what | | |", "|---|---:|---|"]
        lines += [f"| {' | '.join(row)} |" for row in rates(work, work / "songs")]
        print("\n".join(lines), flush=True)
        lines += [f"| {' | '.join(row)} |" for row in scale(work, arguments.files, arguments.like or work / "script 0")]
    lines += ["", f"{arguments.songs} songs of {arguments.seconds:.0f} s; load of the machine {os.getloadavg()[2]:.1f}"]
    text = "\n".join(lines) + "\n"
    print(text)
    Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
