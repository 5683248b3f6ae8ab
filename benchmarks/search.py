"""What a search costs, in time, memory and, through the index, in neighbours missed.

    python -m benchmarks.search [WORKSPACE] [--songs N] [--full]

WORKSPACE holds a library made by 01, ``demo-open`` if none is named. Songs are drawn with its covariance, see
``benchmarks.map``, and saved as 01 would. Each row is a fresh process that loads the library and searches it as 04
does, with nothing else in it: 300 and 100,000 songs and the number of ``--songs`` (200,000, a million with ``--full``)
exactly, then the latter through an index, made in one process and read in another. Queries are songs of the library,
one at a time and warm; recall is of the 10 nearest, against the exact search. Peak memory is that of the whole
process; pages of mapped files, which the system takes back at need, are in it. Prints a Markdown table and writes it
to benchmarks/search.md, above what is written there by hand.
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

from songmap.core.defaults import usable_cores
from songmap.core.workspace import REPOSITORY, Workspace
from songmap.library import search as search_module
from songmap.library.library import Library, load_library, save_library
from songmap.library.search import open_search
from songmap.library.spaces import build_space

K, QUERIES = 10, 500
HEAD = ["search", "library loaded, s", "ready after, s", "query, ms", "95 % of queries, ms", "recall@10", "peak MB"]
BY_HAND = "## Which library"  # what search.md says from here on is kept


def measured(workspace: Path, exact: bool) -> dict[str, object]:
    """In a process of its own: seconds to load and to be ready, milliseconds of queries, what they found."""
    search_module.EXACT_LIMIT = sys.maxsize if exact else 0
    started = time.perf_counter()
    library = load_library(Workspace(workspace))
    loaded = time.perf_counter()
    reports: list[int] = []
    space = build_space(library.embeddings)
    search = open_search(library, space, Workspace(workspace), lambda done, total: reports.append(total))
    ready = time.perf_counter()
    rows = np.random.default_rng(1).integers(0, len(library), QUERIES)
    milliseconds, found = [], []
    for query in [*search.units(rows[:20]), *search.units(rows)]:  # the first warm up
        began = time.perf_counter()
        answer, _ = search.nearest(query, K + 1)
        milliseconds.append(1000 * (time.perf_counter() - began))
        found.append(answer.tolist())
    return {
        "load": loaded - started, "ready": ready - loaded, "milliseconds": milliseconds[20:], "found": found[20:],
        "made": bool(reports), "peak": peak_mb(),
    }  # fmt: skip


def peak_mb() -> float:
    """Of this process since it began; getrusage would also know what its parent took."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


def process(workspace: Path, exact: bool) -> dict[str, object]:
    command = [sys.executable, "-m", "benchmarks.search", str(workspace), "--measure", "exact" if exact else "index"]
    return json.loads(subprocess.run(command, cwd=REPOSITORY, stdout=subprocess.PIPE, check=True, text=True).stdout)


def row(name: str, run: dict[str, object], recall: str) -> list[str]:
    median, late = np.quantile(run["milliseconds"], [0.5, 0.95])
    return [
        name,
        f"{run['load']:.1f}",
        f"{run['ready']:.1f}",
        f"{median:.2f}",
        f"{late:.2f}",
        recall,
        f"{run['peak']:,.0f}",
    ]


def without_itself(run: dict[str, object]) -> list[list[int]]:
    """The nearest songs of each song queried, itself or the farthest left out."""
    rows = np.random.default_rng(1).integers(0, run["songs"], QUERIES)
    return [[other for other in found if other != song][:K] for song, found in zip(rows, run["found"], strict=True)]


def runs(like: Library, sizes: list[int]) -> str:
    from benchmarks.map import drawn_library, table  # with UMAP, which is not to count as memory of a search

    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for n_songs in sizes:
            workspace = Path(folder) / str(n_songs)
            save_library(Workspace(workspace), drawn_library(like, n_songs))
            exact = process(workspace, exact=True) | {"songs": n_songs}
            rows.append(row(f"{n_songs:,} songs, exact", exact, ""))
            print(table(HEAD, rows[-1:]), file=sys.stderr)
        for name in ("made", "read"):
            run = process(workspace, exact=False) | {"songs": n_songs}
            hits = [len(set(a) & set(b)) for a, b in zip(without_itself(run), without_itself(exact), strict=True)]
            rows.append(row(f"{n_songs:,} songs, index {name}", run, f"{np.mean(hits) / K:.4f}"))
            if run["made"] != (name == "made"):
                raise SystemExit(f"the index of {n_songs} songs should have been {name}")
        size = sum(path.stat().st_size for path in (workspace / "models").iterdir()) / 1e6
    return f"{table(HEAD, rows)}\n\nThe index of {sizes[-1]:,} songs takes {size:,.0f} MB on disk."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workspace", type=Path, nargs="?", default=REPOSITORY / "demo-open", metavar="WORKSPACE")
    parser.add_argument("--songs", type=int, default=200_000)
    parser.add_argument("--full", action="store_true", help="a million songs")
    parser.add_argument("--measure", choices=["exact", "index"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measured(options.workspace, options.measure == "exact")))
        return
    like = load_library(Workspace(options.workspace))
    sizes = sorted({300, 100_000, 1_000_000 if options.full else options.songs})
    load = os.getloadavg()[0]
    text = f"# Search\n\n{runs(like, sizes)} {usable_cores()} cores; the load of the machine was {load:.1f} at the start.\n"
    path = Path(__file__).with_suffix(".md")
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    print(text)
    path.write_text(text + ("\n" + before[before.index(BY_HAND) :] if BY_HAND in before else ""), encoding="utf-8")


if __name__ == "__main__":
    main()
