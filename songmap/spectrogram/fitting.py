"""The steps of 07: excerpts, the other models, trainings side by side, scores, files of the network. Needs torch."""

from collections.abc import Sequence
from dataclasses import asdict, replace

import numpy as np

from songmap.compare.dataset import library_dataset
from songmap.compare.scores import put_together
from songmap.core.locks import exclusive
from songmap.core.progress import OnProgress
from songmap.core.serialise import plain
from songmap.core.workspace import Workspace
from songmap.genre.dataset import training_dataset
from songmap.genre.splits import Fold
from songmap.library.library import Library, library_fingerprint
from songmap.library.song_vectors import SongVectors, save_song_vectors, vectors_file
from songmap.library.versions import library_versions
from songmap.spectrogram.cache import build_excerpts
from songmap.spectrogram.checkpoints import remove_others
from songmap.spectrogram.evaluation import FEATURES, evaluate, fit_others, fold_fit
from songmap.spectrogram.excerpts import Excerpts
from songmap.spectrogram.results import NETWORK, NetworkFile, NetworkReport
from songmap.spectrogram.settings import FittingOptions
from songmap.spectrogram.side_by_side import (
    TrainingOutcome,
    TrainingTask,
    choose_device,
    train_side_by_side,
    training_tasks,
)  # fmt: skip
from songmap.spectrogram.song_outputs import out_of_fold_file, save_out_of_fold
from songmap.spectrogram.trained import network_files, save_network
from songmap.spectrogram.training import TrainingSongs


def fit_network(
    workspace: Workspace, library: Library, options: FittingOptions, on_progress: OnProgress
) -> NetworkReport:
    """Evaluate a network in the folds of 06, train it on all songs with a genre, and save it.

    Parameters
    ----------
    workspace : Workspace
    library : Library
    options : FittingOptions
    on_progress : callable (done, total)
        Of songs whose excerpts are computed, then of fits of the other models, then of epochs.

    Raises
    ------
    UsageError
        When the library cannot be trained on, or no file can be read; nothing has been trained then.
    SchemaError
        When another run trains in this workspace, or a checkpoint is damaged.
    """
    settings, device = options.settings, choose_device(options.device)
    dataset = library_dataset(library, FEATURES, options.group_by)
    rows, folds = training_dataset(library, options.group_by).rows, dataset.repeats(1, settings.seed)[0]
    in_use = f"{workspace.networks} is in use: another run trains a network there; wait, or end it"
    with exclusive(workspace.networks / ".training.lock", in_use):
        excerpts = build_excerpts(workspace, library, settings.kind.name, on_progress, options.workers)
        others = fit_others(workspace, dataset, folds, settings.seed, options.workers, on_progress)
        tasks = fold_tasks(workspace, library, options, folds, excerpts)
        outcomes = train_side_by_side(tasks, device, options.workers, on_progress)
        fits = [fold_fit(one, dataset, rows, fold) for one, fold in zip(outcomes, folds, strict=False)]
        evaluation = evaluate(put_together(fits, [folds], dataset.labels), others, dataset, folds, settings.seed)
        report = NetworkReport(
            data=dataset.summary,
            network=settings.network,
            input=settings.input,
            excerpts=len(excerpts.song),
            excerpt_s=settings.kind.length_s,
            parameters=sum(one.numel() for one in outcomes[-1].trained.network.parameters()),
            n_folds=len(folds),
            seed=settings.seed,
            device=device,
            scores=evaluation.scores,
            differences=evaluation.differences,
            partner=evaluation.partner,
            confusion=evaluation.confusion,
            curves=[
                replace(one.curve, fold=number if number < len(folds) else None) for number, one in enumerate(outcomes)
            ],
            failed=excerpts.failed,
            settings=asdict(settings),
            written=[],
        )
        written = _save(workspace, library, report, outcomes, (rows, folds))
        remove_others(tasks[0].checkpoint.parent, {task.key for task in tasks})
    return replace(report, written=written)


def fold_tasks(
    workspace: Workspace, library: Library, options: FittingOptions, folds: Sequence[Fold], excerpts: Excerpts
) -> list[TrainingTask]:
    """A training without the test songs of each fold, and one with all songs."""
    dataset, settings = training_dataset(library, options.group_by), options.settings
    groups = library_dataset(library, FEATURES, options.group_by).groups
    songs = TrainingSongs(excerpts.of_songs(dataset.rows), dataset.labels, groups, dataset.genres)
    trainings, folder = (
        (*(train for train, _ in folds), np.arange(len(dataset.labels))),
        workspace.networks / "checkpoints",
    )
    return training_tasks(workspace, library, songs, settings, trainings, folder / settings.name)


def _save(
    workspace: Workspace,
    library: Library,
    report: NetworkReport,
    outcomes: Sequence[TrainingOutcome],
    split: tuple[np.ndarray, Sequence[Fold]],
) -> list[NetworkFile]:
    """Write the final network with its card, probabilities out of fold and vectors; the outcomes of folds come first."""
    rows, folds = split
    *of_folds, final = outcomes
    score = next(one for one in report.scores if one.model == NETWORK)
    names = ("accuracy", "accuracy_low", "accuracy_high", "macro_f1", "log_loss", "calibration_error")
    card = {
        "data": library_fingerprint(library),
        "songs_per_genre": {one.genre: one.songs for one in report.data.genres},
        "group_by": report.data.grouped_by,
        "n_folds": report.n_folds,
        "scores": {name: getattr(score, name) for name in names},
        "excerpts": report.excerpts,
        "parameters": report.parameters,
        "device": report.device,
        "curve": plain(report.curves[-1]),
        "versions": library_versions() | library_versions(("torch", "safetensors")),
    }
    saved = save_network(workspace, replace(final.trained, card=card))
    name, sha256 = saved.settings.name, saved.card["sha256"]
    proba = np.full((len(library), len(saved.genres)), np.nan)
    fold_of = np.full(len(library), -1, np.int64)
    for number, (one, (_, test)) in enumerate(zip(of_folds, folds, strict=True)):
        fold_of[rows[test]], proba[rows[test]] = number, one.proba[rows[test]]
    save_out_of_fold(workspace, library, name, proba, sha256)
    fold_vectors = np.stack([one.vectors for one in of_folds])
    save_song_vectors(workspace, library, SongVectors(name, final.vectors, fold_vectors, fold_of), sha256)
    weights, card_file = network_files(workspace, name)
    return [
        NetworkFile(weights, "weights"),
        NetworkFile(card_file, "card"),
        NetworkFile(out_of_fold_file(workspace, name), "out_of_fold"),
        NetworkFile(vectors_file(workspace), "vectors"),
    ]
