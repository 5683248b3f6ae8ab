"""Songs of random properties, and networks with filters that are built by hand, for tests of what filters respond to."""

from pathlib import Path

import numpy as np
import soundfile
import torch
from signals import RATE_HZ, noise, tone

from songmap.features.signal import Signal
from songmap.library.library import Library
from songmap.spectrogram.excerpts import KINDS, Excerpts, band_frequencies_hz, excerpts_of
from songmap.spectrogram.networks import build_network
from songmap.spectrogram.settings import TrainingSettings
from songmap.spectrogram.trained import TrainedNetwork
from tests.libraries import labelled_library

N_SONGS, N_EXCERPTS = 24, 3
GENRES = ["BEATS", "DRONES"]


def song_samples(seed: int, duration_s: float, has_clicks: bool = True) -> np.ndarray:
    """A tone with or without vibrato and tremolo, a bass of random level, and clicks or not."""
    random = np.random.default_rng(seed)
    time_s = np.arange(int(duration_s * RATE_HZ)) / RATE_HZ
    cents = random.choice([0.0, random.uniform(20, 90)]) * np.sin(2 * np.pi * random.uniform(5, 7) * time_s)
    note_hz = random.uniform(300, 900) * 2.0 ** (cents / 1200)
    samples = 0.3 * np.sin(2 * np.pi * np.cumsum(note_hz) / RATE_HZ)
    samples *= 1 + random.choice([0, 0.7]) * np.sin(2 * np.pi * random.uniform(3, 7) * time_s)
    samples += 10 ** random.uniform(-3, -0.5) * tone(random.uniform(50, 110), duration_s)
    samples[:: int(random.uniform(0.3, 0.6) * RATE_HZ)] += has_clicks * 10 ** random.uniform(-2, 0)
    return (samples + noise(duration_s, level=1e-5, seed=seed)).astype(np.float32)


def some_excerpts(kind: str, n_songs: int = N_SONGS, has_clicks: bool = True) -> Excerpts:
    """Excerpts of such songs, different numbers of them."""
    one = KINDS[kind]
    values, song, start_s = [], [], []
    for row in range(n_songs):
        samples = song_samples(row, one.length_s * (N_EXCERPTS - row % 2), has_clicks)
        of_song, starts_s = excerpts_of(Signal.of(samples), kind)
        values.append(of_song)
        start_s.append(starts_s)
        song += [row] * len(of_song)
    return Excerpts(one, np.concatenate(values), np.array(song), np.concatenate(start_s))


def some_library(folder: Path, n_songs: int = N_SONGS, n_files: int = 0) -> Library:
    """Rows for the songs, in a folder; ``n_files`` of them are there."""
    embeddings = np.random.default_rng(0).normal(size=(n_songs, 641))
    library = labelled_library(embeddings, [GENRES[row % 2] for row in range(n_songs)])
    paths = [str(folder / f"{row:02d}.wav") for row in range(n_songs)]
    folder.mkdir(parents=True, exist_ok=True)
    for row, path in enumerate(paths[:n_files]):
        soundfile.write(path, song_samples(row, 18.0), RATE_HZ)
    library.songs["file_path"] = paths
    return library


def a_network(name: str, excerpts: Excerpts, seed: int = 0) -> TrainedNetwork:
    """A network with random weights, standardised on the excerpts."""
    torch.manual_seed(seed)
    kind = excerpts.kind
    network = build_network(name, kind.n_bands, kind.n_frames, len(GENRES)).eval()
    values = excerpts.values.astype(np.float32)
    mean, std = values.mean(axis=(0, 2)), values.std(axis=(0, 2)) + 1
    return TrainedNetwork(network, TrainingSettings(network=name), GENRES, mean, std)


def with_bass_filter(trained: TrainedNetwork, number: int = 0) -> None:
    """Make a filter of the frames network's first layer the mean of the bands below 150 Hz."""
    weight = trained.network.layers()["block1"][0].weight
    is_bass = torch.from_numpy((band_frequencies_hz("frames") < 150).astype(np.float32))
    with torch.no_grad():
        weight[number] = 0
        weight[number, :, 2] = is_bass / is_bass.sum()
        trained.network.layers()["block1"][1].bias[number] = 3.0  # so that the rectifier cuts nothing off


def with_vibrato_filter(trained: TrainedNetwork, number: int = 0) -> None:
    """Make a filter of the image network's first layer respond to energy that moves between bands.

    It gives nothing for what is steady, nor for hits in all bands.
    """
    with torch.no_grad():
        kernel = torch.tensor([[-1.0, 0, 1], [0, 0, 0], [1, 0, -1]])
        trained.network.layers()["block1"][0].weight[number, 0] = kernel
