"""What segments and 05 cost, and how well changes are found; every figure is measured in this run.

    python -m benchmarks.recording WORKSPACE

WORKSPACE has segments and the classifier of 05. Prints a table for benchmarks/recording.md: the time of segments as a
share of the extraction without them, a recording of four minutes after start-up, one of two hours with its peak memory,
the training on 20,000 drawn segments of 14 genres, and changes in recordings joined of the library's songs.
"""

import argparse
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from benchmarks.memory import peak_mb
from songmap.core.workspace import Workspace
from songmap.features.analysis import analyse_file, analyse_samples
from songmap.features.decode import load_audio
from songmap.features.segments import segment
from songmap.genre.results import Grouping
from songmap.genre.splits import plan_splits
from songmap.library.descriptors import N_DESCRIPTORS
from songmap.library.schema import N_COLUMNS, AudioConfig
from songmap.library.segments import SegmentSettings
from songmap.recording.dataset import SegmentDataset
from songmap.recording.evaluation import evaluate_segments
from songmap.recording.run import load_recording_classifier

CONFIG = AudioConfig()
RATE_HZ = CONFIG.sample_rate_hz
MIXES, SONGS_PER_MIX, JOINS = 3, 10, 8
NEAR_S = 15


def segment_share(files: list[str]) -> float:
    """Time of cutting segments over time of analysing, over the files."""
    analysing = cutting = 0.0
    for file in files:
        start = time.perf_counter()
        analysis = analyse_file(file)
        middle = time.perf_counter()
        segment(analysis.frames, analysis.record["duration"], CONFIG, SegmentSettings())
        analysing, cutting = analysing + middle - start, cutting + time.perf_counter() - middle
    return cutting / analysing


def training_s(n_genres: int = 14, n_songs: int = 1400, n_segments: int = 15) -> tuple[int, float]:
    """Segments, and seconds of the whole evaluation of the classifiers on drawn ones."""
    rng = np.random.default_rng(0)
    labels = np.arange(n_songs) % n_genres
    groups = np.array([f"artist {row // n_genres // 4} {row % n_genres}" for row in range(n_songs)], dtype=object)
    centres = 0.5 * rng.standard_normal((n_genres, N_DESCRIPTORS))
    places = centres[labels] + rng.standard_normal((n_songs, N_DESCRIPTORS))
    song_of = np.repeat(np.arange(n_songs), n_segments)
    descriptors = places[song_of] + 0.5 * rng.standard_normal((len(song_of), N_DESCRIPTORS))
    grouping = Grouping("artist", "strictest", n_songs, n_songs, False, 0)
    songs: Any = SimpleNamespace(
        labels=labels, genres=[f"{label:02d}" for label in range(n_genres)], groups=groups,
        recordings=np.arange(n_songs), limits=[], grouping=grouping,
    )  # fmt: skip
    columns = np.zeros((len(song_of), N_COLUMNS), np.float32)
    bounds_s = np.tile([0.0, 30.0], (len(song_of), 1))
    dataset = SegmentDataset(songs, plan_splits(songs, 0), columns, descriptors, song_of, bounds_s)
    start = time.perf_counter()
    evaluate_segments(dataset, None, "", 0, lambda done, total: None)
    return len(song_of), time.perf_counter() - start


def excerpt(file: str, length_s: int, rng: np.random.Generator) -> np.ndarray:
    """Part of a file from a random place, at one level."""
    signal = load_audio(Path(file), CONFIG)
    first = int(rng.integers(0, max(1, len(signal) - length_s * RATE_HZ)))
    samples = signal.read(first, first + length_s * RATE_HZ)
    return 0.1 * samples / np.sqrt(np.mean(samples**2))


def changes(classifier: Any, pieces: list[np.ndarray]) -> tuple[list[float], list[float]]:
    """True and found times of changes in joined pieces, in seconds."""
    result = classifier.answer(analyse_samples(np.clip(np.concatenate(pieces), -1, 1), RATE_HZ))
    true = np.cumsum([len(piece) for piece in pieces])[:-1] / RATE_HZ
    return true.tolist(), [part.start_s for part in result.parts[1:]]


def matched(true: list[float], found: list[float]) -> list[float]:
    """Distances of found changes from the true ones that they are near to, each used once."""
    distances, left = [], list(true)
    for at in found:
        near = min(left, key=lambda one: abs(one - at), default=None)
        if near is not None and abs(near - at) <= NEAR_S:
            left.remove(near)
            distances.append(abs(near - at))
    return distances


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workspace", type=Path)
    classifier = load_recording_classifier(Workspace(parser.parse_args().workspace))
    library, rng = classifier.neighbours.library, np.random.default_rng(3)
    paths = library.songs["file_path"].to_numpy(dtype=object)
    long = library.songs["duration"].to_numpy() >= 90
    print("| what | figure |\n|---|---:|")
    analyse_file(paths[0])
    print(f"| segments, share of the analysis's time | {segment_share(paths[::6].tolist()):.0%} |")
    of_genre = [paths[long & (library.genres == genre)] for genre in classifier.model.genres]
    four = np.concatenate([excerpt(file, 60, rng) for file in rng.choice(np.concatenate(of_genre), 4, replace=False)])
    classifier.answer(analyse_samples(four[: 30 * RATE_HZ], RATE_HZ))
    start = time.perf_counter()
    classifier.answer(analyse_samples(four, RATE_HZ))
    print(f"| a recording of 4 minutes after start-up, s | {time.perf_counter() - start:.1f} |")
    true, found, near = 0, 0, []
    for _ in range(JOINS):
        genres = rng.permutation(len(of_genre))[:2]
        pieces = [excerpt(rng.choice(of_genre[genre]), int(rng.integers(40, 80)), rng) for genre in genres]
        expected, got = changes(classifier, pieces)
        true, found, near = true + len(expected), found + len(got), near + matched(expected, got)
    print(f"| changes of genre found within {NEAR_S} s, of {true} | {len(near)}, {found - len(near)} false |")
    true, found, near = 0, 0, []
    for _ in range(MIXES):
        files = rng.choice(np.concatenate(of_genre), SONGS_PER_MIX, replace=False)
        expected, got = changes(classifier, [excerpt(file, int(rng.integers(90, 180)), rng) for file in files])
        true, found, near = true + len(expected), found + len(got), near + matched(expected, got)
    print(f"| changes of song found within {NEAR_S} s, of {true} | {len(near)}, {found - len(near)} false |")
    two_hours = np.tile(four, 30)
    start = time.perf_counter()
    classifier.answer(analyse_samples(two_hours, RATE_HZ))
    print(f"| a recording of 2 hours in memory, s | {time.perf_counter() - start:.0f} |")
    print(f"| peak memory of this process, MB | {peak_mb():.0f} |")
    n_segments, seconds = training_s()
    print(f"| evaluating the classifiers on {n_segments:,} segments of 14 genres, s | {seconds:.0f} |")


if __name__ == "__main__":
    main()
