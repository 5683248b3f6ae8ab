"""The network that looks at spectrograms, as a third classifier of segments. What trains or uses one needs torch.

It is the network of 07, trained on excerpts of 6 s from the songs of a fold's training part. A segment's probabilities are the
mean over the excerpts that fill it one after another, computed from the samples of its recording: the same in the
evaluation and in use.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from songmap.core.defaults import usable_cores
from songmap.core.errors import AudioError, SchemaError
from songmap.core.processes import process_pool
from songmap.core.progress import OnProgress
from songmap.core.workspace import Workspace
from songmap.features.decode import load_audio
from songmap.features.signal import Signal
from songmap.library.genre_model import Calibration, GenreModel, pipeline_predict_proba
from songmap.library.library import Library
from songmap.library.schema import LARGEST
from songmap.recording.dataset import SegmentDataset
from songmap.recording.members import MEMBERS
from songmap.spectrogram.deep import require_torch
from songmap.spectrogram.excerpts import excerpts_at, first_frames, spectrogram_of
from songmap.spectrogram.settings import TrainingSettings

if TYPE_CHECKING:
    from songmap.spectrogram.side_by_side import TrainingTask
    from songmap.spectrogram.trained import TrainedNetwork

SETTINGS = TrainingSettings()  # but for the seed
_CHECKPOINTS = "checkpoints/segments"
_CALIBRATION = ("weights", "prior_weight", "outlier_share", "shares")


@dataclass(frozen=True)
class ImageMember:
    """The network of spectrograms, and how its probabilities are joined with those of ``MEMBERS``, which come first."""

    network: "TrainedNetwork"
    calibration: Calibration

    def segment_proba(self, signal: Signal, bounds_s: np.ndarray) -> np.ndarray:
        """Of segments ``bounds_s (n, 2)`` of a signal at 22,050 Hz, before calibration, float64 ``(n, n_genres)``."""
        return segment_proba(self.network, signal, bounds_s)

    def joined_proba(self, model: GenreModel, embeddings: np.ndarray, own: np.ndarray) -> np.ndarray:
        """Calibrated probabilities ``(n, n_genres)`` of ``embeddings (n, 641)`` and the network's ``own``, one or n rows."""
        others = [pipeline_predict_proba(one, embeddings) for one in model.pipelines]
        return self.calibration.apply(np.stack([*others, np.broadcast_to(own, others[0].shape)]))


def segment_proba(network: "TrainedNetwork", signal: Signal, bounds_s: np.ndarray) -> np.ndarray:
    """The mean over the excerpts of each segment; one that is shorter than an excerpt has the one that begins with it."""
    spectrogram, kind = spectrogram_of(signal, network.kind), network.settings.kind
    proba = []
    for start_s, end_s in bounds_s:
        starts = round(start_s / kind.hop_s) + first_frames(round((end_s - start_s) / kind.hop_s), kind)
        proba.append(network.predict_proba(excerpts_at(spectrogram, starts, kind)).mean(axis=0))
    return np.array(proba)


def fit_image_member(
    workspace: Workspace, library: Library, dataset: SegmentDataset, seed: int, on_progress: OnProgress
) -> tuple["TrainedNetwork", np.ndarray]:
    """The network of all songs, and probabilities ``(n_segments, n_genres)`` by those trained without each segment's song.

    Folds are those of the other members; a segment whose file cannot be decoded has the genres' shares. Every epoch is kept
    in the workspace: a training that is stopped goes on.

    Parameters
    ----------
    workspace : Workspace
    library : Library
    dataset : SegmentDataset
    seed : int
    on_progress : callable (done, total)
        Of songs whose excerpts are computed, then of epochs, then of songs whose segments are predicted.
    """
    require_torch()
    from songmap.spectrogram.checkpoints import remove_others
    from songmap.spectrogram.side_by_side import choose_device, train_side_by_side

    settings = replace(SETTINGS, seed=seed)
    tasks = _tasks(workspace, library, dataset, settings, on_progress)
    *of_folds, final = train_side_by_side(tasks, choose_device("auto"), usable_cores(), on_progress)
    remove_others(tasks[0].checkpoint.parent, {task.key for task in tasks})
    paths = library.songs["file_path"].iloc[dataset.songs.rows].tolist()
    proba = _out_of_fold([one.trained for one in of_folds], dataset, paths, on_progress)
    return final.trained, proba


def _tasks(
    workspace: Workspace, library: Library, dataset: SegmentDataset, settings: TrainingSettings, on_progress: OnProgress
) -> "list[TrainingTask]":
    """A training without the songs of each fold and without the test songs, one without these alone, one with all."""
    from songmap.spectrogram.cache import build_excerpts
    from songmap.spectrogram.side_by_side import training_tasks
    from songmap.spectrogram.training import TrainingSongs

    excerpts = build_excerpts(workspace, library, settings.kind.name, on_progress)
    own, plan = excerpts.of_songs(dataset.songs.rows), dataset.plan
    songs = TrainingSongs(own, dataset.songs.labels, plan.groups, dataset.songs.genres)
    fold_of, last = plan.fold_of, plan.fold_of.max()
    of_folds = (np.flatnonzero((fold_of != fold) & (fold_of != last)) for fold in range(last + 1))
    trainings = (*of_folds, np.arange(len(own)))
    return training_tasks(workspace, library, songs, settings, trainings, workspace.networks / _CHECKPOINTS)


def _out_of_fold(
    networks: "Sequence[TrainedNetwork]", dataset: SegmentDataset, paths: Sequence[str], on_progress: OnProgress
) -> np.ndarray:
    """Probabilities of all segments, each by the network of its song's fold; several songs at once."""
    shares = np.bincount(dataset.songs.labels) / len(dataset.songs.labels)
    proba = np.tile(shares, (len(dataset.song_of), 1))
    segments_of = [np.flatnonzero(dataset.song_of == song) for song in range(len(paths))]
    bounds_s = [dataset.bounds_s[own] for own in segments_of]
    of_songs = [networks[fold] for fold in dataset.plan.fold_of]
    for song, own in enumerate(_several_at_once(of_songs, paths, bounds_s)):
        if own is not None:
            proba[segments_of[song]] = own
        on_progress(song + 1, len(paths))
    return proba


def _several_at_once(
    networks: "Sequence[TrainedNetwork]", paths: Sequence[str], bounds_s: Sequence[np.ndarray]
) -> Iterator[np.ndarray | None]:
    """``_song_segments`` of each, in order."""
    workers = min(usable_cores(), len(paths))
    if workers == 1:
        yield from map(_song_segments, networks, paths, bounds_s)
        return
    with process_pool(workers, "classifies segments") as pool:
        yield from pool.map(_song_segments, networks, paths, bounds_s)


def _song_segments(network: "TrainedNetwork", path: str, bounds_s: np.ndarray) -> np.ndarray | None:
    try:
        return segment_proba(network, load_audio(Path(path), network.settings.kind.config), bounds_s)
    except AudioError:  # it has no excerpts either, and nothing was trained on it
        return None


def save_image_member(workspace: Workspace, network: "TrainedNetwork") -> dict[str, Any]:
    """Write the weights of the network; its card, for that of the classifier."""
    from songmap.core.files import write_atomically
    from songmap.spectrogram.trained import network_content

    content, card = network_content(network)
    write_atomically(workspace.recording_network, content)
    return card


def load_image_member(workspace: Workspace, card: Mapping[str, Any], genres: Sequence[str]) -> ImageMember:
    """The network of the classifier that ``card`` describes.

    Raises
    ------
    UsageError
        Where torch is not installed.
    SchemaError
        If weights or card are missing, damaged, or do not belong together.
    """
    require_torch()
    from songmap.spectrogram.trained import restored

    group, weights = workspace.segment_model.group, workspace.recording_network
    again = f"run {group.made_by} --join nn,xgb,cnn again"
    try:
        own, calibration = dict(card["network"]), _calibration(card["calibration"], len(genres))
    except (KeyError, TypeError, ValueError) as error:
        raise SchemaError(f"{workspace.recording_card} does not describe its network; {again}") from error
    made = (weights, workspace.recording_card, f"{group.made_by} --join nn,xgb,cnn")
    network = restored(group.read(weights), own, SETTINGS.name, made)
    if network.genres != list(genres):
        raise SchemaError(f"{weights} is a network of other genres; {again}")
    return ImageMember(network, calibration)


def _calibration(numbers: Mapping[str, Any], n_genres: int) -> Calibration:
    """That of a card. Raises ValueError, TypeError or KeyError."""
    weights, prior_weight, outlier_share, shares = (np.array(numbers[name], np.float64) for name in _CALIBRATION)
    shapes = [one.shape for one in (weights, prior_weight, outlier_share, shares)]
    if shapes != [(len(MEMBERS) + 1,), (), (), (n_genres,)] or not (shares > 0).all():
        raise ValueError("no calibration of three members")
    if not all((np.abs(one) <= LARGEST).all() for one in (weights, prior_weight, outlier_share, shares)):
        raise ValueError("numbers that are not finite or too large")
    return Calibration(tuple(weights.tolist()), float(prior_weight), float(outlier_share), shares)
