"""What a search costs, in time and memory.

    python -m benchmarks.search [WORKSPACE] [--full | --commands]

WORKSPACE holds a library made by 01, ``demo-open`` if none is named. Songs are drawn with its covariance, see
``benchmarks.map``, and saved as 01 would: 300, 100,000 and, with ``--full``, a million. Each row is a fresh process that
loads the library and searches it as 04 does, with nothing else in it. Queries are songs of the library, one at a time
and warm. Peak memory is that of the whole process; pages of mapped files, which the system takes back at need, are in
it. With ``--commands`` only the commands of 04 that compare many songs are timed, among 50,000 drawn ones, each with its
text, and that part of search.md is replaced. The machine's limit is how fast it reads the unit vectors once, without any search: 628 bytes per song. Prints a
Markdown table and writes it to benchmarks/search.md, above what is written there by hand.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.memory import peak_mb
from songmap.core.defaults import usable_cores
from songmap.core.workspace import REPOSITORY, Workspace
from songmap.library.library import Library, load_library, save_library
from songmap.library.search import open_search
from songmap.library.spaces import build_space
from songmap.similar import requests
from songmap.similar.session import Session
from songmap.similar.views.tables import as_text

K, QUERIES = 10, 500
HEAD = [
    "search", "library loaded, s", "ready after, s", "query, ms", "fastest 5 %, ms", "slowest 5 %, ms",
    "vectors read once, ms", "peak MB",
]  # fmt: skip
COMMANDS = "## Commands among 50,000 songs"
BY_HAND = "## Why no index"  # what search.md says from here on is kept


def measured(workspace: Path) -> dict[str, object]:
    """In a process of its own: seconds to load and to be ready, milliseconds of queries and of reading once."""
    started = time.perf_counter()
    library = load_library(Workspace(workspace))
    loaded = time.perf_counter()
    search = open_search(library, build_space(library.embeddings))
    ready = time.perf_counter()
    rows = np.random.default_rng(1).integers(0, len(library), QUERIES)
    milliseconds = []
    for query in [*search.units(rows[:20]), *search.units(rows)]:  # the first warm up
        began = time.perf_counter()
        search.nearest(query, K + 1)
        milliseconds.append(1000 * (time.perf_counter() - began))
    peak = peak_mb()
    units, reading = search.units(np.arange(len(library))), []
    for _ in range(50):
        began = time.perf_counter()
        units.max()
        reading.append(1000 * (time.perf_counter() - began))
    return {
        "load": loaded - started, "ready": ready - loaded, "milliseconds": milliseconds[20:],
        "reading": float(np.median(reading)), "peak": peak,
    }  # fmt: skip


def process(workspace: Path) -> dict[str, object]:
    command = [sys.executable, "-m", "benchmarks.search", str(workspace), "--measure"]
    return json.loads(subprocess.run(command, cwd=REPOSITORY, stdout=subprocess.PIPE, check=True, text=True).stdout)


def row(n_songs: int, run: dict[str, object]) -> list[str]:
    early, median, late = np.quantile(run["milliseconds"], [0.05, 0.5, 0.95])
    seconds = [f"{run[name]:.1f}" for name in ("load", "ready")]
    times = [f"{value:.2f}" for value in (median, early, late, run["reading"])]
    return [f"{n_songs:,} songs", *seconds, *times, f"{run['peak']:,.0f}"]


def runs(like: Library, sizes: list[int]) -> str:
    from benchmarks.map import random_library, table  # with UMAP, which is not to count as memory of a search

    rows = []
    for n_songs in sizes:
        with tempfile.TemporaryDirectory() as folder:
            save_library(Workspace(Path(folder)), random_library(like, n_songs))
            rows.append(row(n_songs, process(Path(folder))))
        print(table(HEAD, rows[-1:]), file=sys.stderr)
    return table(HEAD, rows)


def command_rows(workspace: Path) -> list[list[str]]:
    """Each command once, in this order in one session: hubs uses the neighbours that outliers found."""
    playlist = workspace / "8000.m3u8"
    session = Session(load_library(Workspace(workspace)))
    paths = session.library.songs["file_path"].tolist()
    playlist.write_text("\n".join(np.random.default_rng(0).permutation(paths)[:8000]), encoding="utf-8")
    rows = []
    for name, request in {
        "list": requests.ListRequest(),
        "outliers": requests.OutliersRequest(),
        "hubs": requests.HubsRequest(),
        "evaluate": requests.EvaluateRequest(),
        "path -n 500": requests.PathRequest(paths[0], paths[777], 500),
        "order, 8,000 entries": requests.OrderRequest(str(playlist)),
    }.items():
        reports: list[int] = []
        began, used = time.perf_counter(), time.process_time()
        as_text(session.run(request, on_progress=lambda done, total, seen=reports: seen.append(done)))
        seconds, used = time.perf_counter() - began, time.process_time() - used
        rows.append([name, f"{seconds:.1f}", f"{used:.1f}", "yes" if reports else "no"])
        print(rows[-1], file=sys.stderr)
    return rows


def write_commands(like: Library, path: Path) -> None:
    from benchmarks.map import random_library, table

    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        save_library(Workspace(Path(folder)), random_library(like, 50_000))
        rows = command_rows(Path(folder))
    text = f"{COMMANDS}\n\n{table(['command', 's', 's of processor time', 'shows progress'], rows)}\n\n"
    text += f"{usable_cores()} cores; the load of the machine was {load:.1f} at the start.\n\n"
    before = path.read_text(encoding="utf-8")
    start, rest = before.find(COMMANDS), before.index(BY_HAND)
    path.write_text(before[: start if start >= 0 else rest] + text + before[rest:], encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workspace", type=Path, nargs="?", default=REPOSITORY / "demo-open", metavar="WORKSPACE")
    parser.add_argument("--full", action="store_true", help="a million songs too")
    parser.add_argument("--commands", action="store_true", help="time the commands of 04 instead")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measured(options.workspace)))
        return
    like = load_library(Workspace(options.workspace))
    if options.commands:
        write_commands(like, Path(__file__).with_suffix(".md"))
        return
    load = os.getloadavg()[0]
    text = f"# Search\n\n{runs(like, [300, 100_000, *([1_000_000] if options.full else [])])}\n\n"
    text += f"Songs are drawn, not real. {usable_cores()} cores; the load of the machine was {load:.1f} at the start.\n"
    path = Path(__file__).with_suffix(".md")
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    print(text)
    kept = COMMANDS if COMMANDS in before else BY_HAND
    path.write_text(text + ("\n" + before[before.index(kept) :] if kept in before else ""), encoding="utf-8")


if __name__ == "__main__":
    main()
