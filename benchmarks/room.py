"""How well the classifier of segments works on recordings from rooms, telephones and lossy files, with and without
training copies of that kind.

    python -m benchmarks.room WORKSPACE [--seed N]

Every song with a genre is tested, by models that were trained without its artist, in five folds. A minute of it is
degraded in each way, analysed, and classified by the mean of its segments.
"""

import argparse
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import softmax

from songmap.core.defaults import usable_cores
from songmap.core.processes import process_pool
from songmap.core.progress import progress
from songmap.core.workspace import Workspace
from songmap.features.decode import load_audio
from songmap.genre.novelty import fit_detector
from songmap.genre.splits import make_folds
from songmap.library.descriptors import describe
from songmap.library.genre_model import LEAST
from songmap.library.library import load_library
from songmap.library.schema import AudioConfig
from songmap.library.segments import SegmentSettings
from songmap.library.segments_file import load_segments
from songmap.recording.augmentation import augmented_segments, segments_of
from songmap.recording.dataset import SegmentDataset, segment_dataset
from songmap.recording.degradations import CONDITIONS
from songmap.recording.members import MEMBERS, fit_member

_MINUTE = 60


def degraded(file: str, settings: SegmentSettings, seed: int) -> dict[str, np.ndarray]:
    """Segments of the middle minute of a song in every condition."""
    config = AudioConfig()
    signal = load_audio(Path(file), config)
    length = _MINUTE * config.sample_rate_hz
    first = max(0, (len(signal) - length) // 2)
    samples, rng = signal.read(first, first + length), np.random.default_rng(seed)
    return {name: segments_of(change(samples, rng), config, settings) for name, change in CONDITIONS.items()}


def fitted_without(dataset: SegmentDataset, songs: np.ndarray, seed: int) -> list[Any]:
    """The members, fitted on the segments of all other songs."""
    train = ~np.isin(dataset.song_of, songs)
    return [fit_member(name, *dataset.training_set(train), seed) for name in MEMBERS]


def mean_proba(fitted: list[Any], segments: np.ndarray) -> np.ndarray:
    """Probabilities of a song ``(n_genres,)``: the mean over segments of the members' geometric mean."""
    logs = sum(np.log(np.clip(one.predict_proba(segments), LEAST, None)) for one in fitted) / len(fitted)
    return softmax(logs, axis=1).mean(axis=0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    workspace, seed = Workspace(arguments.workspace), arguments.seed
    library = load_library(workspace)
    segments = load_segments(workspace, library)
    plain = segment_dataset(library, segments, seed)
    labels = plain.songs.labels
    paths = library.songs["file_path"].iloc[plain.songs.rows].tolist()
    with progress("degrading") as on_progress, process_pool(usable_cores()) as pool:
        songs = []
        for done, one in enumerate(pool.map(partial(degraded, settings=segments.settings, seed=seed), paths), start=1):
            songs.append(one)
            on_progress(done, len(paths))
    with progress("copying") as on_progress:
        copies = augmented_segments(paths, library.config, segments.settings, seed, on_progress)
    augmented = replace(plain, copies=describe(copies.embeddings), copied_song=copies.song_of)
    proba = {name: np.empty((2, len(labels), len(plain.songs.genres))) for name in CONDITIONS}
    farther = {name: np.empty(len(labels)) for name in CONDITIONS}
    for _, test in make_folds(labels, plain.plan.groups, 5, seed):
        detector = fit_detector(*plain.training_set(~np.isin(plain.song_of, test))[:2])
        for place, dataset in enumerate((plain, augmented)):
            fitted = fitted_without(dataset, test, seed)
            for song in test:
                for name in CONDITIONS:
                    proba[name][place, song] = mean_proba(fitted, songs[song][name])
        for song in test:
            distances = {name: detector.distances(songs[song][name]).mean() for name in CONDITIONS}
            for name in CONDITIONS:
                farther[name][song] = distances[name] / distances["as it is"]
    print(f"{len(labels)} songs, {len(plain.songs.genres)} genres\n")
    print("| condition | accuracy | augmented | log loss | augmented | distance, × as it is |")
    print("|---|---:|---:|---:|---:|---:|")
    for name in CONDITIONS:
        accuracy = (proba[name].argmax(axis=2) == labels).mean(axis=1)
        loss = -np.log(np.clip(proba[name][:, np.arange(len(labels)), labels], LEAST, None)).mean(axis=1)
        cells = [f"{one:.2f}" for one in (*accuracy, *loss, np.median(farther[name]))]
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
