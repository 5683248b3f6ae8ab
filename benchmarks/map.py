"""What 02 costs, for a real library and for a large one like it, and what its maps keep.

    python -m benchmarks.map WORKSPACE [--songs N] [--held-out N]

WORKSPACE holds a library made by 01. Random songs are drawn with its covariance: genres around it, songs around their
genres. Each run of 02 is a fresh process, once without and once with a kept map; seconds are wall time and processor
time, which is the one to compare on a busy machine. No random song has a file, so the large library's song figures are
left out. Then what maps keep of the real library, drawn of standardised columns and of the space of the search; and, on
a part of the random songs, songs held out, placed by UMAP's own transform, by the mean and by the median of their
neighbours' places. Prints Markdown tables and writes them to benchmarks/map.md.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.neighbors import NearestNeighbors

from songmap.core.workspace import REPOSITORY, Workspace
from songmap.journey.embedding import UMAP_NEIGHBOURS, embed
from songmap.journey.song_map import PLACING_NEIGHBOURS
from songmap.library.library import Library, load_library, save_library, song_table
from songmap.library.recordings import recordings
from songmap.library.search import open_search
from songmap.library.spaces import build_space, standardisation

N_GENRES, K, COMPARED, SEEDS = 40, 10, 5_000, 8


def random_library(like: Library, n_songs: int) -> Library:
    """Songs of ``N_GENRES`` genres; a tenth of a song's variance around its genre is of each column by itself."""
    rng = np.random.default_rng(0)
    real, genres = like.embeddings.astype(np.float64), like.genres
    within = np.concatenate([real[genres == name] - real[genres == name].mean(axis=0) for name in sorted(set(genres))])
    centred = real - real.mean(axis=0)
    labels = np.sort(rng.integers(0, N_GENRES, n_songs))
    embeddings = np.empty((n_songs, real.shape[1]), np.float32)
    for genre in range(N_GENRES):
        own = np.flatnonzero(labels == genre)
        middle = real.mean(axis=0) + rng.normal(size=len(real)) @ centred / np.sqrt(len(real))
        similar = rng.normal(size=(len(own), len(real))) @ within * np.sqrt(0.9 / len(real))
        embeddings[own] = (
            middle + similar + np.sqrt(0.1) * within.std(axis=0) * rng.normal(size=(len(own), len(middle)))
        )
    songs = song_table(
        {
            "song_name": f"Artist {number % 997} - Song {number}", "file_path": f"/music/{number:06d}.flac",
            "genre": f"GENRE {labels[number]:02d}", "artist": f"Artist {number % 997}", "title": f"Song {number}",
            "album": f"Album {number // 12}", "duration": 180.0 + number % 120, "year": 1980.0 + number % 45,
            "tempo_bpm": float(embeddings[number, 107]),
        }
        for number in range(n_songs)
    )  # fmt: skip
    return Library(embeddings, songs)


def measured(workspace: Path, *arguments: str) -> list[str]:
    """A run of 02: seconds, processor's seconds, peak memory in MB, size of the larger page in MB."""
    command = [sys.executable, REPOSITORY / "02_embedding_journey.py", "--workspace", workspace, *arguments]
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds, busy = time.perf_counter() - started, usage.ru_utime + usage.ru_stime
    if "Written" not in output:  # exit status 1 alone may mean that the song to draw has no file
        raise subprocess.CalledProcessError(os.waitstatus_to_exitcode(status), command)
    page = max(path.stat().st_size for path in Workspace(workspace).html.glob("*.html"))
    return [f"{seconds:.0f}", f"{busy:.0f}", f"{usage.ru_maxrss / 1024:,.0f}", f"{page / 1e6:.1f}"]


def runs(real: Path, large_library: Library) -> str:
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        large = Path(folder)
        save_library(Workspace(large), large_library)
        for workspace, n_songs in ((real, len(load_library(Workspace(real)))), (large, len(large_library))):
            rows.append([f"{n_songs:,} songs, map fitted", *measured(workspace, "--refit")])
            rows.append([f"{n_songs:,} songs, map kept", *measured(workspace)])
    return table(["run of 02", "seconds", "processor seconds", "peak MB", "page MB"], rows)


def spaces(library: Library) -> str:
    """What a UMAP map keeps of the library, drawn of standardised columns and of the space of the search."""
    search = open_search(library, build_space(library.embeddings))
    joined, _ = search.neighbours(K, recordings(library.songs))
    mean, weight = standardisation(library.embeddings)
    lines = []
    for name, points in (
        ("641 standardised columns", (library.embeddings - mean) * weight),
        ("unit vectors of 157 descriptors, families of equal weight", search.units(np.arange(len(library)))),
    ):
        figures = [kept(embed(points, "UMAP", (2,), seed)[0], library.genres, joined) for seed in range(SEEDS)]
        lines.append([name, *(f"{value:.2f}" for value in np.mean(figures, axis=0))])
    head = f"UMAP map of {len(library):,} songs, mean of {SEEDS} seeds"
    return table([head, f"of {K} nearest on it, of the same genre", f"of {K} joined neighbours, among them"], lines)


def kept(places: np.ndarray, genres: np.ndarray, joined: np.ndarray) -> tuple[float, float]:
    """Shares of the nearest on a map that have a song's genre, and of its joined neighbours that are among them."""
    near = NearestNeighbors(n_neighbors=K).fit(places).kneighbors(return_distance=False)
    return (genres[near] == genres[:, None]).mean(), (near[:, :, None] == joined[:, None, :]).any(axis=1).mean()


def placing(library: Library, held_out: int) -> str:
    """Of songs held out, the nearest that are nearest on the map where they are placed."""
    from umap import UMAP

    rows = np.random.default_rng(1).permutation(len(library))[: COMPARED + held_out]
    fitted, further = library.embeddings[rows[:-held_out]], library.embeddings[rows[-held_out:]]
    space = build_space(fitted)
    units, further = space.units(fitted), space.units(further)
    model = UMAP(n_neighbors=UMAP_NEIGHBOURS, random_state=0, n_jobs=1).fit(units)
    near = NearestNeighbors(n_neighbors=K, algorithm="brute").fit(units)
    true = near.kneighbors(further, return_distance=False)
    places = model.embedding_[near.kneighbors(further, PLACING_NEIGHBOURS, return_distance=False)]
    on_map = NearestNeighbors(n_neighbors=K).fit(model.embedding_)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        transformed = model.transform(further)
    lines = []
    for name, placed in (
        ("UMAP's transform", transformed),
        (f"mean of {PLACING_NEIGHBOURS} neighbours", places.mean(axis=1)),
        (f"median of {PLACING_NEIGHBOURS} neighbours", np.median(places, axis=1)),
    ):
        found = on_map.kneighbors(placed, return_distance=False)
        lines.append([name, f"{(found[:, :, None] == true[:, None, :]).any(axis=2).mean():.3f}"])
    return table([f"{held_out:,} songs on a map of {len(units):,} random ones", f"recall of {K} nearest"], lines)


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workspace", type=Path, metavar="WORKSPACE")
    parser.add_argument("--songs", type=int, default=50_000)
    parser.add_argument("--held-out", type=int, default=500)
    options = parser.parse_args()
    real = load_library(Workspace(options.workspace))
    library = random_library(real, options.songs)
    parts = runs(options.workspace, library), spaces(real), placing(library, options.held_out)
    text = "\n\n".join(parts) + "\n"
    print(text)
    Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
