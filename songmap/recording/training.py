"""The joined classifier of segments: evaluated, fitted on all of them, saved with its card."""

from dataclasses import dataclass, replace

import numpy as np

from songmap.core.errors import SchemaError
from songmap.core.progress import OnProgress
from songmap.core.serialise import plain
from songmap.core.workspace import Workspace
from songmap.genre.candidates import CANDIDATES
from songmap.genre.conformal import threshold as set_threshold
from songmap.genre.family_attribution import background_songs
from songmap.genre.fit import one_thread
from songmap.genre.novelty import FALSE_ALARMS, fit_detector
from songmap.genre.novelty import threshold as distance_threshold
from songmap.library.descriptors import describe
from songmap.library.genre_model import GenreModel, NoveltyDetector, load_model, load_out_of_fold, save_model_files
from songmap.library.library import Library, library_fingerprint
from songmap.library.segments import Segments
from songmap.recording.dataset import SegmentDataset, segment_dataset
from songmap.recording.evaluation import SegmentEvaluation, evaluate_segments, n_fits
from songmap.recording.image_member import fit_image_member, save_image_member
from songmap.recording.members import IMAGE_MEMBER, MEMBERS, NETWORK, TREES, fit_member
from songmap.recording.results import Training
from songmap.spectrogram.deep import require_torch

NAME = "network_xgboost"


@dataclass(frozen=True)
class TrainingOptions:
    """How the classifier of segments is trained.

    ``augment``: also with degraded copies of the songs, which are decoded again; the network of spectrograms is not.
    ``members`` are joined: ``MEMBERS``, or these and ``IMAGE_MEMBER``, which needs torch.
    """

    augment: bool = False
    members: tuple[str, ...] = MEMBERS


def train_recording_model(
    workspace: Workspace,
    library: Library,
    segments: Segments,
    seed: int,
    on_progress: OnProgress,
    options: TrainingOptions | None = None,
) -> Training:
    """Evaluate the classifiers of segments, fit the joined one on all songs with a genre, and save it.

    Parameters
    ----------
    workspace : Workspace
    library : Library
    segments : Segments
        Of its songs.
    seed : int
    on_progress : callable (done, total)
        Of songs to copy, where it augments, then of what trains the network of spectrograms, where it joins, then of fits.
    options : TrainingOptions, optional

    Raises
    ------
    UsageError
        When the library cannot be trained on, or torch is missing that the options need; nothing has been written then.
    SchemaError
        When another run trains a model in this workspace.
    """
    options = options or TrainingOptions()
    files, has_image = workspace.segment_model, IMAGE_MEMBER in options.members
    if has_image:
        require_torch()
    members = [files.model, files.pickle, files.card, workspace.recording_network]
    in_use = f"{workspace.models} is in use: another run trains a model of segments there; wait, or end it"
    with files.group.locked(in_use):
        files.group.finish(members)
        dataset = segment_dataset(library, segments, seed)
        if options.augment:
            from songmap.recording.augmentation import augmented_segments

            paths = library.songs["file_path"].iloc[dataset.songs.rows].tolist()
            copies = augmented_segments(paths, library.config, segments.settings, seed, on_progress)
            dataset = replace(dataset, copies=describe(copies.embeddings), copied_song=copies.song_of)
        network = image_proba = None
        if has_image:
            network, image_proba = fit_image_member(workspace, library, dataset, seed, on_progress)
        total = n_fits(dataset) + len(MEMBERS)
        song_proba, song_model = whole_song_model(workspace, library, dataset)
        evaluation = evaluate_segments(
            dataset, song_proba, song_model, seed, lambda done, _: on_progress(done, total), image_proba
        )
        model = fit_model(dataset, evaluation, seed)
        on_progress(total, total)
        training = Training(
            genres=tuple(model.genres),
            n_songs=len(dataset.songs.labels),
            n_segments=len(dataset.labels),
            settings=segments.settings,
            group_by=dataset.plan.grouping.group_by,
            n_augmented=len(dataset.copies),
            scores=evaluation.scores,
            members=options.members,
        )
        card = {
            "data": library_fingerprint(library),
            "training": plain(training),
            "songs_per_genre": dict(zip(model.genres, np.bincount(dataset.songs.labels).tolist(), strict=True)),
            "parameters": {"network": NETWORK, "xgboost": TREES},
            "calibration": plain(evaluation.with_image or model.calibration),
            "novelty": {"threshold": model.novelty.threshold, "false_alarms": FALSE_ALARMS},
            "seed": seed,
        }
        with files.group.replacing(members) as staging:
            if network is not None:
                card["network"] = save_image_member(Workspace(staging), network)
            save_model_files(Workspace(staging).segment_model, model, card)
    return training


def fit_model(dataset: SegmentDataset, evaluation: SegmentEvaluation, seed: int) -> GenreModel:
    """The joined classifier of all segments, with the calibration of the evaluation."""
    labels, genres = dataset.labels, dataset.songs.genres
    training = dataset.training_set(np.ones(len(labels), bool))
    with one_thread():
        pipelines = [fit_member(name, *training, seed) for name in MEMBERS]
    medians = [np.median(dataset.embeddings[labels == label], axis=0) for label in range(len(genres))]
    return GenreModel(
        NAME,
        pipelines,
        genres,
        evaluation.calibration,
        background_songs(dataset.embeddings, labels, seed),
        np.array(medians, np.float32),
        set_threshold(evaluation.out_of_fold, labels),
        fit_novelty(dataset),
    )


def fit_novelty(dataset: SegmentDataset) -> NoveltyDetector:
    """The detector of all segments; its threshold is that of held-out songs, whose distance is the mean of their segments."""
    labels, fold_of = dataset.labels, dataset.plan.fold_of[dataset.song_of]
    distances = np.empty(len(labels))
    for fold in range(fold_of.max() + 1):
        train = (fold_of != fold) & (fold_of != fold_of.max())
        detector = fit_detector(dataset.descriptors[train], labels[train])
        distances[fold_of == fold] = detector.distances_of(dataset.descriptors[fold_of == fold])
    per_song = np.bincount(dataset.song_of, distances) / np.bincount(dataset.song_of)
    final = fit_detector(dataset.descriptors, labels)
    return NoveltyDetector(final.centres, final.spreads, distance_threshold(per_song))


def whole_song_model(workspace: Workspace, library: Library, dataset: SegmentDataset) -> tuple[np.ndarray | None, str]:
    """Out-of-fold probabilities ``(n_songs, n_genres)`` of 03's model and its title, if it was trained on this library."""
    try:
        model, card = load_model(workspace)
        proba = load_out_of_fold(workspace, card, (len(library), len(model.genres)))
    except SchemaError:
        return None, ""
    if card.get("data") != library_fingerprint(library) or model.genres != dataset.songs.genres:
        return None, ""
    return proba[dataset.songs.rows], CANDIDATES[model.name].title
