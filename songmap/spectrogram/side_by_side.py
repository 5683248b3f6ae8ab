"""Several trainings, each in a process of its own, or one after another where a GPU does the work. Needs torch."""

import hashlib
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import torch

from songmap.core.errors import UsageError
from songmap.core.processes import process_pool
from songmap.core.progress import OnProgress
from songmap.core.workspace import Workspace
from songmap.library.library import Library
from songmap.spectrogram.cache import open_excerpts, song_keys
from songmap.spectrogram.checkpoints import read_history
from songmap.spectrogram.results import EpochScores, TrainingCurve
from songmap.spectrogram.settings import TrainingSettings
from songmap.spectrogram.trained import TrainedNetwork
from songmap.spectrogram.training import TrainingSongs, train

Outcome = TypeVar("Outcome", covariant=True)
_log = logging.getLogger(__name__)
_LOOK_EVERY_S = 0.5


class Task(Protocol, Generic[Outcome]):
    """A training that a process can do, and of which another can read how far it is."""

    @property
    def settings(self) -> Any:
        """Of the training: ``epochs``, the most it has, among them."""

    def train(self, device: str, on_epoch: Callable[[list[Any]], None] | None = None) -> Outcome:
        """Train, or go on with it."""

    def history(self) -> list[Any]:
        """The epochs that are finished."""


@dataclass(frozen=True)
class TrainingTask:
    """A training: what ``songmap.spectrogram.training.train`` takes, but for the excerpts, which processes map themselves.

    ``n_library`` is the number of the library's songs.
    """

    workspace: Workspace
    songs: TrainingSongs
    settings: TrainingSettings
    checkpoint: Path
    key: str
    n_library: int

    def history(self) -> list[EpochScores]:
        """The epochs that are finished."""
        return read_history(self.checkpoint, EpochScores)

    def train(self, device: str, on_epoch: Callable[[list[EpochScores]], None] | None = None) -> "TrainingOutcome":
        """Train, or go on with it."""
        excerpts, checkpoint = open_excerpts(self.workspace, self.settings.kind.name), (self.checkpoint, self.key)
        trained, curve = train(excerpts.values, self.songs, self.settings, checkpoint, device, on_epoch)
        started = time.thread_time()
        proba, vectors = trained.of_songs(excerpts, self.n_library)
        predict_s = (time.thread_time() - started) * 1000 / len(np.unique(excerpts.song))
        return TrainingOutcome(trained, curve, proba, vectors, predict_s)


def training_tasks(
    workspace: Workspace,
    library: Library,
    songs: TrainingSongs,
    settings: TrainingSettings,
    trainings: Iterable[np.ndarray],
    folder: Path,
) -> list[TrainingTask]:
    """A training with each of ``trainings``, places among ``songs``, and its checkpoint in ``folder``.

    Songs without excerpts are in none.
    """
    source = hashlib.sha256(song_keys(library, settings.kind).data).hexdigest()
    usable, tasks = np.array([len(one) > 0 for one in songs.excerpts]), []
    for training in trainings:
        part = songs.part(training[usable[training]])
        key = part.key(settings, source)
        tasks.append(TrainingTask(workspace, part, settings, folder / f"{key}.pt", key, len(library)))
    return tasks


@dataclass(frozen=True)
class TrainingOutcome:
    """A trained network, its curve, and what it makes of every song of the library, NaN where a song has no excerpts.

    ``proba`` float64 ``(n_library, n_genres)``, ``vectors`` float32 ``(n_library, n_features)``; ``predict_s`` is processor
    time of 1,000 songs.
    """

    trained: TrainedNetwork
    curve: TrainingCurve
    proba: np.ndarray
    vectors: np.ndarray
    predict_s: float


def choose_device(wanted: str) -> str:
    """``cuda`` or ``cpu``; ``auto`` is the GPU where torch can use one. Raises UsageError where it cannot."""
    there = torch.cuda.is_available()
    if wanted == "cuda" and not there:
        raise UsageError("--device cuda: torch finds no GPU that it can use; leave the option out to train on the CPU")
    return "cuda" if wanted == "cuda" or (wanted == "auto" and there) else "cpu"


def train_side_by_side(
    tasks: Sequence[Task[Outcome]], device: str, workers: int, on_progress: OnProgress
) -> list[Outcome]:
    """The trainings, in the order of the tasks; ``workers`` of them at the same time on a CPU.

    Progress is of the epochs of all, of as many as they have at most; each epoch is logged too.

    Raises
    ------
    SchemaError
        If a checkpoint is damaged, or of other settings.
    WorkerError
        If a process ends, e.g. for lack of memory.
    """
    on_epoch = _Epochs(tasks, on_progress)
    if device != "cpu" or workers == 1:
        return [task.train(device, partial(on_epoch, number)) for number, task in enumerate(tasks)]
    with process_pool(min(workers, len(tasks)), "trains") as pool:
        futures: list[Future] = [pool.submit(task.train, device) for task in tasks]
        left, shown = set(futures), [0] * len(tasks)
        while left:
            _, left = wait(left, _LOOK_EVERY_S, FIRST_COMPLETED)
            for number, task in enumerate(tasks):
                history = task.history()
                if len(history) > shown[number]:
                    shown[number] = len(history)
                    on_epoch(number, history)
            for done in set(futures) - left:
                done.result()
        return [future.result() for future in futures]


class _Epochs:
    """Called with the number of a training and its epochs so far: reports them, and logs the last in 80 columns."""

    def __init__(self, tasks: Sequence[Task[Any]], on_progress: OnProgress) -> None:
        self._done, self._on_progress = [0] * len(tasks), on_progress
        self._most = sum(task.settings.epochs for task in tasks)

    def __call__(self, number: int, history: list[Any]) -> None:
        self._done[number], last = len(history), history[-1]
        # autoencoders have no accuracy
        accuracies = (last.accuracy, last.validation_accuracy) if isinstance(last, EpochScores) else (None, None)
        inside, outside = map(_scores, (last.loss, last.validation_loss), accuracies)
        which = f"{number + 1}/{len(self._done)}, epoch {len(history)}"
        _log.info("%s: loss %s%s", which, inside, f", validation {outside}" if outside else "")
        self._on_progress(sum(self._done), self._most)


def _scores(loss: float | None, accuracy: float | None) -> str:
    """ "0.523, 81 %"; empty without a loss."""
    if loss is None:
        return ""
    return f"{loss:.3g}" if accuracy is None else f"{loss:.3g}, {100 * accuracy:.0f} %"
