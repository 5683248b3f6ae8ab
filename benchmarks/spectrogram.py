"""What networks on spectrograms cost, and how much they mind what happens to a recording.

    python -m benchmarks.spectrogram WORKSPACE [--network NAME]

Speed: excerpts per second in training and in use, one thread, and the share of a training step in which excerpts are read
and standardised; seconds for a song of four minutes. Robustness, after 07 has run with its defaults: every song's middle
minute, changed in each way, predicted by the network of its fold, which was trained without its artist. Prints Markdown
tables and writes them to benchmarks/spectrogram.md.
"""

import argparse
import tempfile
import time
from functools import partial
from pathlib import Path

import librosa
import numpy as np
import soundfile

from songmap.compare.dataset import library_dataset
from songmap.core.progress import progress
from songmap.core.workspace import Workspace
from songmap.features.decode import load_audio
from songmap.features.signal import Signal
from songmap.genre.dataset import training_dataset
from songmap.genre.metrics import LEAST
from songmap.library.library import load_library
from songmap.library.schema import AudioConfig
from songmap.recording.degradations import CONDITIONS, Degradation
from songmap.spectrogram.cache import build_excerpts
from songmap.spectrogram.evaluation import FEATURES
from songmap.spectrogram.excerpts import excerpts_of
from songmap.spectrogram.fitting import fold_tasks
from songmap.spectrogram.settings import KIND_OF, FittingOptions, TrainingSettings
from songmap.spectrogram.trained import TrainedNetwork
from songmap.spectrogram.training import TrainingSongs, train

_RATE_HZ, _MINUTE_S, _FOUR_MINUTES_S = AudioConfig().sample_rate_hz, 60, 240


def stretched(samples: np.ndarray, rng: np.random.Generator, rate: float) -> np.ndarray:
    """Faster or slower at the same pitch, by a phase vocoder."""
    return librosa.effects.time_stretch(samples, rate=rate)


def shifted(samples: np.ndarray, rng: np.random.Generator, semitones: float) -> np.ndarray:
    """Higher or lower at the same tempo."""
    return librosa.effects.pitch_shift(samples, sr=_RATE_HZ, n_steps=semitones)


CHANGES: dict[str, Degradation] = {
    **{name: change for name, change in CONDITIONS.items() if name != "10 s only"},
    "stretched, 10 % faster": partial(stretched, rate=1.1),
    "stretched, 10 % slower": partial(stretched, rate=1 / 1.1),
    "a semitone higher": partial(shifted, semitones=1),
    "a semitone lower": partial(shifted, semitones=-1),
}


def speed(name: str, folder: Path) -> str:
    """A row: a network on excerpts of random numbers, which take as long as those of songs."""
    from songmap.spectrogram import training

    settings = TrainingSettings(name, epochs=2)
    kind, rng = settings.kind, np.random.default_rng(0)
    values = rng.uniform(-80, 0, (256, kind.n_bands, kind.n_frames)).astype(np.float16)
    np.save(folder / "values.npy", values)
    mapped, labels = np.load(folder / "values.npy", mmap_mode="r"), np.arange(64) % 2
    songs = TrainingSongs(np.split(np.arange(256), 64), labels, np.array(["one"] * 64), ["A", "B"])
    own, loading_s = training._Training._inputs, 0.0

    def timed(self, rows):
        nonlocal loading_s
        started = time.perf_counter()
        x = own(self, rows)
        loading_s += time.perf_counter() - started
        return x

    training._Training._inputs = timed
    started = time.perf_counter()
    trained, _ = train(mapped, songs, settings, (folder / f"{name}.pt", "key"))
    step_s = time.perf_counter() - started
    training._Training._inputs = own
    started = time.perf_counter()
    trained.predict_proba(mapped)
    use_s = time.perf_counter() - started
    return f"| {name} | {2 * 256 / step_s:.0f} | {100 * loading_s / step_s:.0f} % | {256 / use_s:.0f} |"


def four_minutes(trained: TrainedNetwork, folder: Path) -> tuple[float, float]:
    """Seconds to decode a song of four minutes, and to predict its genre beside that; the best of three."""
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, _FOUR_MINUTES_S * _RATE_HZ)
    soundfile.write(folder / "song.wav", noise, _RATE_HZ)
    best = []
    for _ in range(3):
        started = time.perf_counter()
        signal = load_audio(folder / "song.wav", AudioConfig())
        decoded = time.perf_counter()
        trained.predict_proba(excerpts_of(signal, trained.kind)[0])
        best.append((decoded - started, time.perf_counter() - decoded))
    return min(best, key=sum)


def robustness(workspace: Workspace, name: str) -> tuple[list[str], TrainedNetwork]:
    """Rows of the table, and the network of all songs."""
    library, options = load_library(workspace), FittingOptions(TrainingSettings(name))
    dataset, rows = library_dataset(library, FEATURES, "strictest"), training_dataset(library).rows
    folds = dataset.repeats(1, options.settings.seed)[0]
    excerpts = build_excerpts(workspace, library, options.settings.kind.name)
    tasks = fold_tasks(workspace, library, options, folds, excerpts)
    networks = [
        train(excerpts.values, one.songs, one.settings, (one.checkpoint, one.key))[0] for one in tasks
    ]  # of 07's checkpoints
    fold_of = {song: number for number, (_, test) in enumerate(folds) for song in test}
    proba = np.empty((len(CHANGES), len(rows), len(dataset.genres)))
    paths = library.songs["file_path"].to_numpy(dtype=object)[rows]
    with progress("changing") as on_progress:
        for song, path in enumerate(paths):
            signal, rng = load_audio(Path(path), AudioConfig()), np.random.default_rng(0)
            first = max(0, (len(signal) - _MINUTE_S * _RATE_HZ) // 2)
            samples = signal.read(first, first + _MINUTE_S * _RATE_HZ)
            network = networks[fold_of[song]]
            for place, change in enumerate(CHANGES.values()):
                values = excerpts_of(Signal.of(change(samples, rng)), network.kind)[0]
                proba[place, song] = network.predict_proba(values).mean(axis=0)
            on_progress(song + 1, len(paths))
    labels = dataset.labels
    own = proba[:, np.arange(len(labels)), labels]
    losses = -np.log(np.maximum(own, LEAST)).mean(axis=1)
    accuracy = (proba.argmax(axis=2) == labels).mean(axis=1)
    table = [
        f"| {name} | {right:.2f} | {loss:.2f} |" for name, right, loss in zip(CHANGES, accuracy, losses, strict=True)
    ]
    return table, networks[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--network", choices=tuple(KIND_OF), default="image")
    arguments = parser.parse_args()
    lines = ["| network | excerpts/s in training | of that loading | excerpts/s in use |", "|---|---:|---:|---:|"]
    with tempfile.TemporaryDirectory() as folder:
        lines += [speed(name, Path(folder)) for name in KIND_OF]
        rows, network = robustness(Workspace(arguments.workspace), arguments.network)
        decoding_s, predicting_s = four_minutes(network, Path(folder))
    lines += ["", f"Four minutes: {decoding_s:.2f} s of decoding, {predicting_s:.2f} s of excerpts and prediction", ""]
    text = "\n".join([*lines, "| change | accuracy | log loss |", "|---|---:|---:|", *rows, ""])
    Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
