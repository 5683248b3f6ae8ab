"""Training of one network on some songs' excerpts, to the same weights however often it is stopped. Needs torch.

In every epoch some excerpts of each song are drawn, masked and mixed. Songs of some groups stay out: the network of the epoch
with the smallest log loss on them is kept, and when that has not fallen for some epochs, training ends. One thread computes,
so that any number of trainings side by side end with the same bits.
"""

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from songmap.compare.store import key_of
from songmap.genre.metrics import LEAST
from songmap.genre.splits import make_folds
from songmap.spectrogram.augmentation import mixup, spec_augment
from songmap.spectrogram.checkpoints import resume, save_checkpoint, state_of
from songmap.spectrogram.networks import build_network
from songmap.spectrogram.results import EpochScores, TrainingCurve
from songmap.spectrogram.settings import TrainingSettings
from songmap.spectrogram.trained import TrainedNetwork, one_torch_thread

OnEpoch = Callable[[list[EpochScores]], None]
_VALIDATION_FOLDS = 5  # one of them decides when training ends
_STATISTICS = 2000  # excerpts of which means and standard deviations are taken, at most
_LEAST_STD = 1e-3


@dataclass(frozen=True)
class TrainingSongs:
    """What a network is trained on, song by song.

    Attributes
    ----------
    excerpts : list of np.ndarray
        Rows of the excerpts of each song.
    labels : np.ndarray, int (n_songs,)
        Indices of ``genres``; each occurs.
    groups : np.ndarray (n_songs,)
        Songs of one group are not on both sides of the split that decides when training ends.
    genres : list of str
    """

    excerpts: list[np.ndarray]
    labels: np.ndarray
    groups: np.ndarray
    genres: list[str]

    def part(self, songs: np.ndarray) -> "TrainingSongs":
        """Some of the songs."""
        return TrainingSongs(
            [self.excerpts[song] for song in songs], self.labels[songs], self.groups[songs], self.genres
        )

    @property
    def rows(self) -> np.ndarray:
        """Rows of all excerpts, and the song of each, int ``(2, n_excerpts)``."""
        songs = np.repeat(np.arange(len(self.excerpts)), [len(one) for one in self.excerpts])
        return np.stack([np.concatenate(self.excerpts), songs])

    def key(self, settings: TrainingSettings, source: str) -> str:
        """SHA-256 of all that a training depends on; ``source`` is that of the excerpts."""
        code = [
            Path(__file__).with_name(f"{name}.py").read_bytes() for name in ("networks", "training", "augmentation")
        ]
        songs = [repr(settings), repr(self.genres), repr(self.groups.tolist()), source, torch.__version__]
        return key_of(*code, *songs, self.labels, *self.rows)


def train(
    values: np.ndarray,
    songs: TrainingSongs,
    settings: TrainingSettings,
    checkpoint: tuple[Path, str],
    device: str = "cpu",
    on_epoch: OnEpoch | None = None,
) -> tuple[TrainedNetwork, TrainingCurve]:
    """Train a network, or go on with a training.

    Parameters
    ----------
    values : np.ndarray, float16 (n_excerpts, n_bands, n_frames)
        Of the cache.
    songs : TrainingSongs
    settings : TrainingSettings
    checkpoint : tuple of Path and str
        The file that is written after every epoch, and ``songs.key(…)``. Where the file exists, training goes on there.
    device : str
        ``cpu`` or ``cuda``.
    on_epoch : callable, optional
        Called with all epochs so far after each.

    Raises
    ------
    SchemaError
        If the checkpoint is damaged, or of other settings or songs.
    """
    with one_torch_thread(), torch.random.fork_rng(enabled=True):
        return _Training(values, songs, settings, device).run(*checkpoint, on_epoch)


class _Training:
    def __init__(self, values: np.ndarray, songs: TrainingSongs, settings: TrainingSettings, device: str) -> None:
        torch.manual_seed(settings.seed)
        self.values, self.settings, self.device, self.genres = values, settings, device, songs.genres
        folds = make_folds(songs.labels, songs.groups, _VALIDATION_FOLDS, settings.seed, least_training=1)
        train, validation = folds[0] if folds else (np.arange(len(songs.labels)), np.arange(0))
        self.train_s = 0.0
        self.songs, self.validation = songs.part(train), songs.part(validation)
        self.mean, self.std = self._statistics()
        kind = settings.kind
        self.network = build_network(settings.network, settings.n_bands, kind.n_frames, len(songs.genres)).to(device)
        self.best = copy.deepcopy(self.network.state_dict())
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(), settings.learning_rate, weight_decay=settings.weight_decay
        )
        n_drawn = sum(min(settings.excerpts_per_song, len(one)) for one in self.songs.excerpts)
        steps = settings.epochs * -(-n_drawn // settings.batch)
        self.schedule = torch.optim.lr_scheduler.CosineAnnealingLR(self.optimiser, steps)

    def run(self, path: Path, key: str, on_epoch: OnEpoch | None) -> tuple[TrainedNetwork, TrainingCurve]:
        started, history = time.thread_time(), resume(path, key, EpochScores, self)
        while not self._is_finished(history):
            history = [*history, self._epoch()]
            if self._best_epoch(history) == len(history):
                self.best = copy.deepcopy(self.network.state_dict())
            now = time.thread_time()
            self.train_s, started = self.train_s + now - started, now
            save_checkpoint(path, key, state_of(self), history)
            if on_epoch:
                on_epoch(history)
        self.network.load_state_dict(self.best)
        trained = TrainedNetwork(self.network.eval().cpu(), self.settings, self.genres, self.mean, self.std)
        n_songs, n_validation = len(self.songs.labels), len(self.validation.labels)
        return trained, TrainingCurve(None, n_songs, n_validation, self._best_epoch(history), self.train_s, history)

    def _is_finished(self, history: list[EpochScores]) -> bool:
        since = len(history) - self._best_epoch(history)
        return len(history) >= self.settings.epochs or (len(history) > 0 and since >= self.settings.patience)

    def _best_epoch(self, history: list[EpochScores]) -> int:
        """Of the smallest log loss on songs that stay out, from 1; the last where there are none."""
        losses = [one.validation_loss for one in history if one.validation_loss is not None]
        return int(np.argmin(losses)) + 1 if losses else len(history)

    def _epoch(self) -> EpochScores:
        settings, drawn = self.settings, self._drawn()
        self.network.train()
        learning_rate = self.optimiser.param_groups[0]["lr"]
        loss_sum = right = 0.0
        # parts of nearly equal size: batch normalisation cannot use a last one of a single excerpt
        for rows, songs in np.array_split(drawn, -(-drawn.shape[1] // settings.batch), axis=1):
            x, labels = self._inputs(rows), torch.from_numpy(self.songs.labels[songs]).to(self.device)
            x = spec_augment(x, settings.band_mask, settings.frame_mask)
            x, targets = mixup(x, labels, len(self.genres), settings.mixup)
            logits = self.network(x)
            loss = nn.functional.cross_entropy(logits, targets)
            self.optimiser.zero_grad()
            loss.backward()
            self.optimiser.step()
            self.schedule.step()
            loss_sum += loss.item() * len(rows)
            right += float((logits.argmax(dim=1) == targets.argmax(dim=1)).sum())
        n_shown = drawn.shape[1]
        return EpochScores(learning_rate, loss_sum / n_shown, right / n_shown, *self._validation_scores())

    def _drawn(self) -> np.ndarray:
        """Rows of some excerpts of every song and their songs, in random order, int ``(2, n)``."""
        rows, songs = self.songs.rows
        order = torch.randperm(len(rows)).numpy()
        # of excerpts in random order, the first of each song
        by_song = order[np.argsort(songs[order], kind="stable")]
        counts = np.bincount(songs)
        place = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
        kept = np.sort(np.argsort(order)[by_song[place < self.settings.excerpts_per_song]])
        return np.stack([rows[order[kept]], songs[order[kept]]])

    def _inputs(self, rows: np.ndarray) -> torch.Tensor:
        """Standardised excerpts, float32 ``(n, n_bands, n_frames)``; a batch is read from the disk at a time."""
        x = torch.from_numpy(self.settings.inputs(self.values[rows])).to(self.device)
        mean, std = (torch.from_numpy(one).to(self.device)[:, None] for one in (self.mean, self.std))
        return (x - mean) / std

    def _statistics(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation of every band over training excerpts, float32 ``(n_bands,)``."""
        rows = self.songs.rows[0]
        rows = rows[np.linspace(0, len(rows) - 1, min(len(rows), _STATISTICS)).astype(np.int64)]
        sums = np.zeros((2, self.settings.n_bands))
        for first in range(0, len(rows), self.settings.batch):
            x = self.settings.inputs(self.values[rows[first : first + self.settings.batch]]).astype(np.float64)
            sums += [x.sum(axis=(0, 2)), (x**2).sum(axis=(0, 2))]
        mean, square = sums / (len(rows) * self.settings.kind.n_frames)
        std = np.sqrt(np.maximum(square - mean**2, 0))
        return mean.astype(np.float32), np.maximum(std, _LEAST_STD).astype(np.float32)

    def _validation_scores(self) -> tuple[float | None, float | None]:
        """Log loss and accuracy on songs that stay out."""
        if not len(self.validation.labels):
            return None, None
        rows, songs = self.validation.rows
        proba = song_proba(self._proba(rows), songs, len(self.validation.labels))
        labels = self.validation.labels
        own = proba[np.arange(len(labels)), labels]
        return float(-np.log(np.maximum(own, LEAST)).mean()), float((proba.argmax(axis=1) == labels).mean())

    def _proba(self, rows: np.ndarray) -> np.ndarray:
        self.network.eval()
        parts, step = [], 2 * self.settings.batch
        with torch.inference_mode():
            for first in range(0, len(rows), step):
                parts.append(
                    self.network(self._inputs(rows[first : first + step])).double().softmax(dim=1).cpu().numpy()
                )
        return np.concatenate(parts)


def song_proba(proba: np.ndarray, songs: np.ndarray, n_songs: int) -> np.ndarray:
    """Probabilities of songs ``(n_songs, n_genres)``: means over their excerpts, of which each song has one."""
    sums = np.zeros((n_songs, proba.shape[1]))
    np.add.at(sums, songs, proba)
    return sums / np.bincount(songs, minlength=n_songs)[:, np.newaxis]
