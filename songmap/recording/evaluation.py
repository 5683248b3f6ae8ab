"""How good classifiers of segments are on songs by other artists, beside what a random split of segments would claim.

Folds are those of 03: a model for each fold of the development songs, trained on the others, and one for the test
songs. Every segment's probabilities come from the model that was trained without its song's group, calibrated on the
other folds' segments.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from songmap.core.defaults import usable_cores
from songmap.core.progress import OnProgress
from songmap.genre.fit import calibrate, one_thread
from songmap.genre.metrics import LEAST
from songmap.library.genre_model import Calibration, pipeline_predict_proba
from songmap.recording.dataset import SegmentDataset
from songmap.recording.members import IMAGE_MEMBER, MEMBERS, fit_member
from songmap.recording.results import ClassifierScore, Split


@dataclass(frozen=True)
class SegmentEvaluation:
    """``scores`` of all classifiers; of the joined one the ``calibration`` on all segments, and ``out_of_fold``
    probabilities ``(n_segments, n_genres)``, each by a model trained without the segment's song.

    These are of the members on descriptors; ``with_image`` is the calibration of all three, where there are three.
    """

    scores: tuple[ClassifierScore, ...]
    calibration: Calibration
    out_of_fold: np.ndarray
    with_image: Calibration | None = None


def n_fits(dataset: SegmentDataset) -> int:
    """How many fits ``evaluate_segments`` makes."""
    return 2 * len(MEMBERS) * (len(dataset.plan.repeats[0]) + 1)


def evaluate_segments(
    dataset: SegmentDataset,
    song_proba: np.ndarray | None,
    song_model: str,
    seed: int,
    on_progress: OnProgress,
    image_proba: np.ndarray | None = None,
) -> SegmentEvaluation:
    """Score the members and the joined classifier in the folds of songs, and in a random split of segments.

    Parameters
    ----------
    dataset : SegmentDataset
    song_proba : np.ndarray, shape (n_songs, n_genres), or None
        Out-of-fold probabilities of 03's model of whole songs, where there are some; ``song_model`` is its name.
    song_model : str
    seed : int
    on_progress : callable (done, total)
        Of fits.
    image_proba : np.ndarray, shape (n_segments, n_genres), optional
        Of the network of spectrograms, each by the one of its song's fold: it is scored in the folds of songs alone.
    """
    labels, groups = dataset.labels, dataset.groups
    by_song = dataset.plan.fold_of[dataset.song_of]
    at_random = random_folds(labels, len(dataset.plan.repeats[0]), seed)
    done, total = 0, n_fits(dataset)
    scores, kept, with_image = [], None, None
    pair = "joined" if image_proba is None else "joined_without_cnn"
    splits: tuple[tuple[Split, np.ndarray, np.ndarray], ...] = (
        ("song", by_song, groups),
        ("random", at_random, np.arange(len(labels))),
    )
    for split, fold_of, together in splits:
        raw = np.empty((len(MEMBERS), len(labels), len(dataset.songs.genres)))
        # copies of a song whose other segments are tested would flatter the random split even more
        own = (
            dataset
            if split == "song"
            else replace(dataset, copies=dataset.copies[:0], copied_song=dataset.copied_song[:0])
        )
        for member, fold, proba in _fold_predictions(own, fold_of, seed):
            raw[member, fold_of == fold] = proba
            done += 1
            on_progress(done, total)
        for name, members in (*((one, [place]) for place, one in enumerate(MEMBERS)), (pair, range(len(MEMBERS)))):
            proba = calibrated_by_fold(raw[list(members)], labels, together, fold_of)
            scores.append(_score(name, split, dataset, proba))
            if (name, split) == (pair, "song"):
                shares = np.bincount(labels) / len(labels)
                kept = calibrate(raw[:, None], labels, groups, shares)[0], proba
        if image_proba is not None and split == "song":
            three = np.concatenate([raw, image_proba[None]])
            for name, some in ((IMAGE_MEMBER, three[-1:]), ("joined", three)):
                scores.append(_score(name, split, dataset, calibrated_by_fold(some, labels, together, fold_of)))
            with_image = calibrate(three[:, None], labels, groups, np.bincount(labels) / len(labels))[0]
    if song_proba is not None:
        accuracy, loss = _accuracy_and_loss(song_proba, dataset.songs.labels)
        scores.append(ClassifierScore(song_model, "song", None, None, accuracy, loss))
    if kept is None:
        raise ValueError("no classifier was joined")
    return SegmentEvaluation(tuple(scores), *kept, with_image)


def random_folds(labels: np.ndarray, n_folds: int, seed: int) -> np.ndarray:
    """A fold for every segment ``(n_segments,)`` without regard to songs, in the proportions of 03's folds."""
    from sklearn.model_selection import StratifiedKFold

    fold_of = np.full(len(labels), n_folds)
    development, _ = next(StratifiedKFold(5, shuffle=True, random_state=seed).split(labels, labels))
    own = labels[development]
    for number, (_, test) in enumerate(StratifiedKFold(n_folds, shuffle=True, random_state=seed).split(own, own)):
        fold_of[development[test]] = number
    return fold_of


def calibrated_by_fold(raw: np.ndarray, labels: np.ndarray, groups: np.ndarray, fold_of: np.ndarray) -> np.ndarray:
    """Probabilities ``(n_segments, n_genres)`` of ``raw (n_members, n_segments, n_genres)``, joined and calibrated.

    The calibration of a fold's segments is that of all others.
    """
    proba = np.empty(raw.shape[1:])
    for fold in np.unique(fold_of):
        own = fold_of == fold
        shares = np.bincount(labels[~own], minlength=raw.shape[2]) / np.count_nonzero(~own)
        calibration, _ = calibrate(raw[:, None, ~own], labels[~own], groups[~own], shares)
        proba[own] = calibration.apply(raw[:, own])
    return proba


def song_means(proba: np.ndarray, song_of: np.ndarray, n_songs: int) -> np.ndarray:
    """Mean of each song's segments, ``(n_songs, n_genres)``."""
    total = np.zeros((n_songs, proba.shape[1]))
    np.add.at(total, song_of, proba)
    return total / np.bincount(song_of, minlength=n_songs)[:, np.newaxis]


def _fold_predictions(dataset: SegmentDataset, fold_of: np.ndarray, seed: int) -> Iterator[tuple[int, int, np.ndarray]]:
    """Member, fold and that fold's probabilities by the member trained without it; test songs are in no training."""
    last = fold_of.max()

    def predictions(task: tuple[int, int]) -> tuple[int, int, np.ndarray]:
        member, fold = task
        with one_thread():
            training = dataset.training_set((fold_of != fold) & (fold_of != last))
            pipeline = fit_member(MEMBERS[member], *training, seed)
            return member, fold, pipeline_predict_proba(pipeline[1:], dataset.descriptors[fold_of == fold])

    tasks = [(member, fold) for fold in range(last + 1) for member in range(len(MEMBERS))]
    with ThreadPoolExecutor(usable_cores()) as pool:
        yield from pool.map(predictions, tasks)


def _score(name: str, split: Split, dataset: SegmentDataset, proba: np.ndarray) -> ClassifierScore:
    songs = song_means(proba, dataset.song_of, len(dataset.songs.labels))
    return ClassifierScore(
        name, split, *_accuracy_and_loss(proba, dataset.labels), *_accuracy_and_loss(songs, dataset.songs.labels)
    )


def _accuracy_and_loss(proba: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    own = proba[np.arange(len(labels)), labels]
    return float((proba.argmax(axis=1) == labels).mean()), float(-np.log(np.clip(own, LEAST, None)).mean())
