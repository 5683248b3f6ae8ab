"""The steps of an autoencoder: excerpts, the split of songs, training, floors, vectors; and a grid of trainings. Needs torch."""

import hashlib
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch

from songmap.communities import autoencoder_training, autoencoders
from songmap.communities.autoencoder_evaluation import evaluate, song_vectors
from songmap.communities.autoencoder_examples import pictures
from songmap.communities.autoencoder_floors import Floors, fit_floors, split_songs
from songmap.communities.autoencoder_results import (
    AutoencoderFile,
    AutoencoderReport,
    GridPoint,
    GridReport,
    Pictures,
    ReconstructionScore,
    SongSplit,
)
from songmap.communities.autoencoder_settings import (
    GRID_BATCHES,
    GRID_RATES,
    KIND,
    N_INPUTS,
    AutoencoderOptions,
    AutoencoderSettings,
)
from songmap.communities.autoencoder_trained import autoencoder_files, load_autoencoder, save_autoencoder, saved_key
from songmap.communities.autoencoder_training import AutoencoderTask, FittedAutoencoder
from songmap.communities.sound_spaces import kept_spaces, save_spaces
from songmap.core.locks import exclusive
from songmap.core.progress import OnProgress
from songmap.core.workspace import Workspace
from songmap.library.library import Library, library_fingerprint
from songmap.spectrogram.cache import build_excerpts, song_keys
from songmap.spectrogram.checkpoints import remove_others
from songmap.spectrogram.excerpts import Excerpts
from songmap.spectrogram.side_by_side import choose_device, train_side_by_side


@dataclass(frozen=True)
class _Dataset:
    """A library's excerpts and the split of its songs; ``rows`` are of the excerpts of each song."""

    workspace: Workspace
    library: Library
    excerpts: Excerpts
    split: SongSplit
    rows: list[np.ndarray]

    def rows_of(self, songs: np.ndarray) -> list[np.ndarray]:
        return [self.rows[song] for song in songs]

    def floors(self, settings: AutoencoderSettings) -> Floors:
        training = np.concatenate(self.rows_of(self.split.train))
        return fit_floors(self.excerpts.values, training, settings.code.size)

    def task(self, settings: AutoencoderSettings, folder: str) -> AutoencoderTask:
        training, validation = self.rows_of(self.split.train), np.concatenate(self.rows_of(self.split.validation))
        key = self._key(settings, training, validation)
        checkpoint = self.workspace.autoencoders / "checkpoints" / folder / f"{key}.pt"
        return AutoencoderTask(self.workspace, training, validation, settings, checkpoint, key)

    def _key(self, settings: AutoencoderSettings, training: list[np.ndarray], validation: np.ndarray) -> str:
        """SHA-256 of all that a training depends on."""
        code = [Path(str(one.__file__)).read_bytes() for one in (autoencoders, autoencoder_training)]
        rows = [one.tolist() for one in (*training, validation)]
        parts = [*code, repr((settings, torch.__version__, rows)).encode(), song_keys(self.library, KIND).tobytes()]
        return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def train_autoencoder(
    workspace: Workspace, library: Library, options: AutoencoderOptions, on_progress: OnProgress
) -> tuple[AutoencoderReport, Pictures]:
    """Train an autoencoder, or load the one of these settings and songs; its vectors join the workspace's spaces.

    Parameters
    ----------
    workspace : Workspace
    library : Library
    options : AutoencoderOptions
    on_progress : callable (done, total)
        Of songs whose excerpts are computed, then of epochs.

    Raises
    ------
    UsageError
        When no file can be read, or recordings are too few.
    SchemaError
        When another run trains in this workspace, or files are damaged.
    """
    settings, device = options.settings, choose_device(options.device)
    with _locked(workspace):
        dataset = _dataset(workspace, library, options, on_progress)
        task = dataset.task(settings, settings.name)
        if saved_key(workspace, settings.name) == task.key:
            fitted = load_autoencoder(workspace, settings.name)
        else:
            (fitted,) = train_side_by_side([task], device, 1, on_progress)
            facts = {"data": library_fingerprint(library), "device": device}
            save_autoencoder(workspace, fitted, task.key, facts)
            remove_others(task.checkpoint.parent, set())
        floors = dataset.floors(settings)
        vectors, active = song_vectors(fitted, dataset.excerpts, len(library))
        _join_spaces(workspace, library, settings.model, vectors)
    weights, card = autoencoder_files(workspace, settings.name)
    written = [
        AutoencoderFile(weights, "weights"), AutoencoderFile(card, "card"),
        AutoencoderFile(workspace.song_spaces, "spaces"),
    ]  # fmt: skip
    report = replace(_report(dataset, fitted, floors, device), active_numbers=active, written=written)
    return report, pictures(library, fitted, floors, dataset.excerpts, dataset.split)


def train_grid(
    workspace: Workspace, library: Library, options: AutoencoderOptions, on_progress: OnProgress
) -> GridReport:
    """Train an autoencoder for every batch size and rate of the grid; finished points are kept, whatever ends the run.

    Parameters and errors are those of ``train_autoencoder``; ``options.settings`` has everything else.
    """
    settings, device = options.settings, choose_device(options.device)
    grid = [replace(settings, batch=batch, learning_rate=rate) for batch in GRID_BATCHES for rate in GRID_RATES]
    with _locked(workspace):
        dataset = _dataset(workspace, library, options, on_progress)
        tasks = [dataset.task(one, f"{settings.name}_grid") for one in grid]
        outcomes = train_side_by_side(tasks, device, options.workers, on_progress)
        remove_others(tasks[0].checkpoint.parent, {task.key for task in tasks})
    floors, split = dataset.floors(settings), dataset.split
    evaluated = [evaluate(one, floors, dataset.excerpts, split.test, split.group) for one in outcomes]
    points = [_point(one, scores[0]) for one, (scores, _) in zip(outcomes, evaluated, strict=True)]
    best = int(np.argmin([one.validation_loss for one in points]))
    scores, comparison = evaluated[best]
    return GridReport(
        settings.name, asdict(settings), points, best, scores, comparison,
        len(split.test), len(np.unique(split.group[split.test])), split.grouped_by, [],
    )  # fmt: skip


def _point(fitted: FittedAutoencoder, score: ReconstructionScore) -> GridPoint:
    best = fitted.epochs[fitted.best_epoch - 1]
    return GridPoint(
        fitted.settings.batch, fitted.settings.learning_rate, len(fitted.epochs), fitted.best_epoch,
        best.validation_loss, best.validation_rmse_db, score.rmse_db, score.cosine_distance,
    )  # fmt: skip


def _locked(workspace: Workspace) -> AbstractContextManager[None]:
    in_use = f"{workspace.autoencoders} is in use: another run trains an autoencoder there; wait, or end it"
    return exclusive(workspace.autoencoders / ".training.lock", in_use)


def _dataset(workspace: Workspace, library: Library, options: AutoencoderOptions, on_progress: OnProgress) -> _Dataset:
    excerpts = build_excerpts(workspace, library, KIND.name, on_progress, options.workers)
    split = split_songs(library, np.unique(excerpts.song), options.settings.seed)
    return _Dataset(workspace, library, excerpts, split, excerpts.of_songs(np.arange(len(library))))


def _join_spaces(workspace: Workspace, library: Library, name: str, vectors: np.ndarray) -> None:
    """Add a space to those of the library; those of another library are left out."""
    spaces = kept_spaces(library, workspace) | {name: vectors}
    save_spaces(workspace, spaces, library.songs["file_path"].tolist())


def _report(dataset: _Dataset, fitted: FittedAutoencoder, floors: Floors, device: str) -> AutoencoderReport:
    settings, split, excerpts = fitted.settings, dataset.split, dataset.excerpts
    scores, comparison = evaluate(fitted, floors, excerpts, split.test, split.group)
    return AutoencoderReport(
        name=settings.name,
        space=settings.model,
        settings=asdict(settings),
        latent_shape=settings.code.shape,
        latent_size=settings.code.size,
        input_size=N_INPUTS,
        song_size=settings.code.song_size,
        parameters=sum(one.numel() for one in fitted.network.parameters()),
        is_bottleneck=settings.code.is_bottleneck,
        songs=len(dataset.library),
        excerpts=len(excerpts.song),
        excerpt_s=KIND.length_s,
        training_songs=len(split.train),
        validation_songs=len(split.validation),
        test_songs=len(split.test),
        training_groups=len(np.unique(split.group[split.train])),
        test_groups=len(np.unique(split.group[split.test])),
        grouped_by=split.grouped_by,
        epochs=fitted.epochs,
        best_epoch=fitted.best_epoch,
        train_s=fitted.train_s,
        scores=scores,
        comparison=comparison,
        active_numbers=None,
        device=device,
        failed=excerpts.failed,
        written=[],
    )
