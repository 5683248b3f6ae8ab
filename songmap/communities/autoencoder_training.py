"""Training of an autoencoder without labels, to the same weights however often it is stopped. Needs torch.

In every epoch some excerpts of each training song are drawn. Songs of other groups stay out: the weights of the epoch with the
smallest loss on them are kept, and when that has not fallen for some epochs after the warm-up, training ends. A VAE's loss on
them draws codes with the same noise in every epoch.
"""

import copy
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from songmap.communities.autoencoder_results import AutoencoderEpoch
from songmap.communities.autoencoder_settings import KIND, AutoencoderSettings, levels
from songmap.communities.autoencoders import Autoencoder, objective, reconstruction_errors
from songmap.core.workspace import Workspace
from songmap.spectrogram.cache import open_excerpts
from songmap.spectrogram.checkpoints import read_history, resume, save_checkpoint, state_of
from songmap.spectrogram.excerpts import FLOOR_DB
from songmap.spectrogram.trained import one_torch_thread

MADE_BY = "08_song_communities.py --autoencoder"
OnEpoch = Callable[[list[AutoencoderEpoch]], None]
_STATISTICS = 2000  # excerpts of which means and standard deviations are taken, at most
_EVALUATED = 32  # excerpts at a time


@dataclass(frozen=True)
class FittedAutoencoder:
    """An autoencoder in evaluation mode with its settings and its training: epochs, the one in use, processor time."""

    network: Autoencoder
    settings: AutoencoderSettings
    epochs: list[AutoencoderEpoch]
    best_epoch: int
    train_s: float

    def codes(self, values: np.ndarray) -> np.ndarray:
        """Latent codes of excerpts in decibels, float32 ``(n, d)`` or ``(n, bands, frames, filters)``."""
        with one_torch_thread(), torch.inference_mode():
            return self.network.encode(torch.from_numpy(levels(values))).contiguous().numpy()

    def decoded(self, codes: np.ndarray) -> np.ndarray:
        """Levels 0 … 1 of latent codes, float32 ``(n, n_bands, n_frames)``."""
        with one_torch_thread(), torch.inference_mode():
            return self.network.decode(torch.from_numpy(codes)).numpy()


@dataclass(frozen=True)
class AutoencoderTask:
    """A training: rows of excerpts of each training song, and of all songs that stay out; where its checkpoint is."""

    workspace: Workspace
    songs: list[np.ndarray]
    validation: np.ndarray
    settings: AutoencoderSettings
    checkpoint: Path
    key: str

    def history(self) -> list[AutoencoderEpoch]:
        """The epochs that are finished."""
        return read_history(self.checkpoint, AutoencoderEpoch)

    def train(self, device: str, on_epoch: OnEpoch | None = None) -> FittedAutoencoder:
        """Train, or go on with it. Raises SchemaError if the checkpoint is damaged."""
        values = open_excerpts(self.workspace, KIND.name).values
        with one_torch_thread(), torch.random.fork_rng(enabled=True):
            return _Training(values, self, device).run(on_epoch)


class _Training:
    def __init__(self, values: np.ndarray, task: AutoencoderTask, device: str) -> None:
        torch.manual_seed(task.settings.seed)
        self.values, self.task, self.settings, self.device = values, task, task.settings, device
        self.train_s = 0.0
        self.network = Autoencoder(self.settings, *self._statistics()).to(device)
        self.best = copy.deepcopy(self.network.state_dict())
        self.optimiser = torch.optim.Adam(self.network.parameters(), self.settings.learning_rate)
        n_drawn = sum(min(self.settings.excerpts_per_song, len(one)) for one in task.songs)
        steps = self.settings.epochs * -(-n_drawn // self.settings.batch)
        self.schedule = torch.optim.lr_scheduler.CosineAnnealingLR(self.optimiser, steps)

    def run(self, on_epoch: OnEpoch | None) -> FittedAutoencoder:
        path, key = self.task.checkpoint, self.task.key
        started, history = time.thread_time(), resume(path, key, AutoencoderEpoch, self, MADE_BY)
        while not self._is_finished(history):
            history = [*history, self._epoch(len(history))]
            if _best_epoch(history) == len(history):
                self.best = copy.deepcopy(self.network.state_dict())
            now = time.thread_time()
            self.train_s, started = self.train_s + now - started, now
            save_checkpoint(path, key, state_of(self), history)
            if on_epoch:
                on_epoch(history)
        self.network.load_state_dict(self.best)
        return FittedAutoencoder(self.network.eval().cpu(), self.settings, history, _best_epoch(history), self.train_s)

    def _is_finished(self, history: list[AutoencoderEpoch]) -> bool:
        warm_up = self.settings.warm_up if self.settings.is_variational else 0
        since = len(history) - max(_best_epoch(history), warm_up)
        return len(history) >= self.settings.epochs or since >= self.settings.patience

    def _epoch(self, number: int) -> AutoencoderEpoch:
        settings, losses = self.settings, []
        self.network.train()
        learning_rate = self.optimiser.param_groups[0]["lr"]
        share = min(1.0, (number + 1) / max(settings.warm_up, 1))
        rows = self._drawn()
        # parts of nearly equal size: batch normalisation cannot use a last one of a single excerpt
        for part in np.array_split(rows, -(-len(rows) // settings.batch)):
            x = self._inputs(part)
            logits, divergence = self.network(x)
            error = reconstruction_errors(x, logits, settings.loss).mean()
            loss = objective(error, None if divergence is None else divergence.mean(), settings, share)
            self.optimiser.zero_grad()
            loss.backward()
            self.optimiser.step()
            self.schedule.step()
            losses.append(loss.item() * len(part))
        return AutoencoderEpoch(learning_rate, sum(losses) / len(rows), *self._validation_scores())

    def _drawn(self) -> np.ndarray:
        """Rows of some excerpts of every song, in random order."""
        most = self.settings.excerpts_per_song
        drawn = np.concatenate([one[torch.randperm(len(one)).numpy()[:most]] for one in self.task.songs])
        return drawn[torch.randperm(len(drawn)).numpy()]

    def _inputs(self, rows: np.ndarray) -> Tensor:
        """Levels, float32 ``(n, n_bands, n_frames)``; a batch is read from the disk at a time."""
        return torch.from_numpy(levels(self.values[rows])).to(self.device)

    def _statistics(self) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of every band's levels over training excerpts, float32 ``(n_bands,)``."""
        rows = np.concatenate(self.task.songs)
        rows = rows[np.linspace(0, len(rows) - 1, min(len(rows), _STATISTICS)).astype(np.int64)]
        sums = np.zeros((2, KIND.n_bands))
        for part in parts_of(rows):
            x = levels(self.values[part]).astype(np.float64)
            sums += [x.sum(axis=(0, 2)), (x**2).sum(axis=(0, 2))]
        mean, square = sums / (len(rows) * KIND.n_frames)
        std = np.sqrt(np.maximum(square - mean**2, 0))
        return torch.from_numpy(mean.astype(np.float32)), torch.from_numpy(std.astype(np.float32))

    def _validation_scores(self) -> tuple[float, float, float | None]:
        """Loss, root mean square error in dB and divergence on songs that stay out."""
        self.network.eval()
        rows, sums = self.task.validation, torch.zeros(3, dtype=torch.float64)
        with torch.random.fork_rng(enabled=True), torch.inference_mode():
            torch.manual_seed(self.settings.seed)
            for part in parts_of(rows):
                x = self._inputs(part)
                logits, divergence = self.network(x)
                errors = reconstruction_errors(x, logits, self.settings.loss)
                squares = reconstruction_errors(x, logits, "gaussian")
                values = (errors, squares, torch.zeros_like(errors) if divergence is None else divergence)
                sums += torch.stack([one.double().sum().cpu() for one in values])
        error, square, divergence = sums / len(rows)
        is_variational = self.settings.is_variational
        loss = objective(error, divergence if is_variational else None, self.settings)
        return float(loss), -FLOOR_DB * float(square.sqrt()), float(divergence) if is_variational else None


def _best_epoch(history: list[AutoencoderEpoch]) -> int:
    """Of the smallest loss on songs that stay out, from 1; 0 before there is one."""
    return int(np.argmin([one.validation_loss for one in history])) + 1 if history else 0


def parts_of(rows: np.ndarray) -> Iterator[np.ndarray]:
    """Rows, as many at a time as are evaluated together."""
    return (rows[first : first + _EVALUATED] for first in range(0, len(rows), _EVALUATED))
