"""What 03 costs for a large library, and how its candidates do on small and large ones.

    python -m benchmarks.genre WORKSPACE [--songs N] [--genres N]

WORKSPACE holds a library made by 01. Songs are drawn with its covariance: genres around its mean, artists around their
genre, songs around their artist; such clouds of equal shape suit linear candidates better than real genres do. First
small sets, every candidate on all of them; then one run of 03 as a fresh process on the large one, with its scores.
Seconds are of the wall and of the processor, which is what remains to compare on a busy machine. Prints Markdown tables
and writes them to benchmarks/genre.md.
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

from benchmarks.map import table
from songmap.core.defaults import DEFAULT_SEED, usable_cores
from songmap.core.workspace import REPOSITORY, Workspace
from songmap.genre.candidates import CANDIDATES
from songmap.genre.dataset import training_dataset
from songmap.genre.evaluation import evaluate
from songmap.genre.splits import plan_splits
from songmap.library.library import Library, load_library, save_library, song_table

SMALL = ((2, 8), (10, 10), (2, 150), (16, 40))  # genres, songs of each
BETWEEN, ARTIST = 0.3, 0.3  # shares of the variance between genres, and between artists of a genre
SONGS_PER_ARTIST = 4


def drawn_library(like: Library, n_songs: int, n_genres: int) -> Library:
    """Songs of equally many per genre; a tenth of a song's variance is of each column by itself."""
    rng = np.random.default_rng(0)
    real, genres = like.embeddings.astype(np.float64), like.genres
    within = np.concatenate([real[genres == name] - real[genres == name].mean(axis=0) for name in sorted(set(genres))])

    def spread(number: int) -> np.ndarray:
        return rng.normal(size=(number, len(within))) @ within / np.sqrt(len(within))

    labels = np.arange(n_songs) * n_genres // n_songs
    artists = np.arange(n_songs) // SONGS_PER_ARTIST
    own = np.sqrt(0.9) * spread(n_songs) + np.sqrt(0.1) * within.std(axis=0) * rng.normal(size=(n_songs, real.shape[1]))
    embeddings = (
        real.mean(axis=0)
        + np.sqrt(BETWEEN) * spread(n_genres)[labels]
        + np.sqrt(ARTIST) * spread(artists[-1] + 1)[artists]
        + np.sqrt(1 - BETWEEN - ARTIST) * own
    ).astype(np.float32)
    songs = song_table(
        {
            "song_name": f"Artist {artists[number]} - Song {number}", "file_path": f"/music/{number:06d}.flac",
            "genre": f"GENRE {labels[number]:02d}", "artist": f"Artist {artists[number]}", "title": f"Song {number}",
            "album": "", "duration": 180.0, "year": 2000.0, "tempo_bpm": float(embeddings[number, 107]),
        }
        for number in range(n_songs)
    )  # fmt: skip
    return Library(embeddings, songs)


def small(like: Library) -> str:
    """Log loss of every candidate in grouped cross-validation, and what an evaluation costs."""
    rows = []
    for n_genres, songs in SMALL:
        library = drawn_library(like, n_genres * songs, n_genres)
        started, busy = time.perf_counter(), time.process_time()
        dataset = training_dataset(library)
        plan = plan_splits(dataset, DEFAULT_SEED)
        evaluation = evaluate(library.embeddings[dataset.rows], dataset, plan, DEFAULT_SEED)
        cost = [f"{time.perf_counter() - started:.0f}", f"{time.process_time() - busy:.0f}"]
        values = {one.model: f"{one.log_loss:.2f}" for one in evaluation.candidates}
        rows.append(
            [f"{n_genres} × {songs}", *(values.get(name, "") for name in CANDIDATES), evaluation.choice.model, *cost]
        )
    return table(["genres × songs", *CANDIDATES, "in use", "seconds", "of the processor"], rows)


def large(like: Library, n_songs: int, n_genres: int) -> str:
    """One run of 03: its cost, and how far each candidate came."""
    with tempfile.TemporaryDirectory() as folder:
        save_library(Workspace(Path(folder)), drawn_library(like, n_songs, n_genres))
        command = [sys.executable, REPOSITORY / "03_genre_classifier.py", "--workspace", folder, "--json"]
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        seconds, busy = time.perf_counter() - started, usage.ru_utime + usage.ru_stime
        if os.waitstatus_to_exitcode(status) != 0:
            raise subprocess.CalledProcessError(os.waitstatus_to_exitcode(status), command)
    document = json.loads(output)
    cost = [
        [f"{n_songs:,} songs, {n_genres} genres", f"{seconds:.0f}", f"{busy:.0f}", f"{usage.ru_maxrss / 1024:,.0f}"]
    ]
    candidates = [
        [record["title"], f"{record['songs']:,}", f"{record['balanced_accuracy']:.3f}", f"{record['log_loss']:.3f}"]
        for record in document["candidates"]
    ]
    return "\n\n".join(
        [
            table(["run of 03", "seconds", "of the processor", "peak MB"], cost),
            table(["candidate", "compared on songs", "balanced accuracy", "log loss"], candidates),
            f"In use: {document['choice']['model']}.",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workspace", type=Path, metavar="WORKSPACE")
    parser.add_argument("--songs", type=int, default=20_000)
    parser.add_argument("--genres", type=int, default=16)
    options = parser.parse_args()
    like = load_library(Workspace(options.workspace))
    text = f"{usable_cores()} cores; log loss in cross-validation; songs are drawn, not real.\n\n{small(like)}\n\n{large(like, options.songs, options.genres)}\n"
    print(text)
    Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
