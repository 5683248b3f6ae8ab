"""Songs that sound like none of the genres: noise, speech, and genres that are not in the training data.

A song's distance is that to the nearest genre: to the genre's mean, in the genre's own standard deviations of the 157
descriptors, where each family of descriptors has equal weight. With standard deviations of all genres no song would be
far from a narrow genre that is beside a varied one. The threshold is set on held-out songs, whose distances come from
detectors trained without them: where folds keep artists apart, it is for songs of new artists.

``fold_of (n_songs,)`` is the index of the model that is trained without a song. The last one is trained without the
test songs, every other one without these and its fold. Descriptors are ``(n_songs, 157)``.
"""

from dataclasses import replace
from math import ceil

import numpy as np

from songmap.genre.novelty_results import LeftOutGenre, NoveltyScores, SongNovelty
from songmap.library.descriptors import describe
from songmap.library.genre_model import NoveltyDetector

FALSE_ALARMS = 0.05  # of songs of the training genres
_LEAST_VARIANCE = 1e-12  # less is rounding: of equal values, which show nothing about others
_PRIOR_SONGS = 1  # of average variance complete a genre: equal values of few songs would be infinitely far from others


def fit_novelty(
    embeddings: np.ndarray, labels: np.ndarray, genres: list[str], fold_of: np.ndarray
) -> tuple[list[NoveltyDetector], NoveltyScores]:
    """Detectors of all models with one threshold, and how well they work.

    Parameters
    ----------
    embeddings : np.ndarray, shape (n_songs, 641)
    labels, fold_of : np.ndarray, shape (n_songs,)
    genres : list of str

    Returns
    -------
    list of NoveltyDetector
        In the order of ``fold_of``, and last one of all songs, for the final model.
    NoveltyScores
    """
    descriptors = describe(embeddings)
    detectors = _fold_detectors(descriptors, labels, fold_of)
    distances = _held_out(detectors, descriptors, fold_of)
    least = threshold(distances)
    final = fit_detector(descriptors, labels)
    left_out = [_left_out(descriptors, labels, label, genre, fold_of) for label, genre in enumerate(genres)]
    alarms = np.empty(len(labels), bool)
    for fold in np.unique(fold_of):
        own = fold_of == fold
        alarms[own] = distances[own] > threshold(distances[~own])
    scores = NoveltyScores(FALSE_ALARMS, float(alarms.mean()), len(labels), least, left_out)
    return [replace(one, threshold=least) for one in (*detectors, final)], scores


def fit_detector(descriptors: np.ndarray, labels: np.ndarray) -> NoveltyDetector:
    """Mean and standard deviation of every genre in ``labels (n_songs,)``; no distance is above its threshold yet."""
    songs = [descriptors[labels == label] for label in np.unique(labels)]
    variances = np.stack([own.var(axis=0) for own in songs])
    average, n_songs = variances.mean(axis=0), np.array([[len(own)] for own in songs])
    spreads = np.sqrt((n_songs * variances + _PRIOR_SONGS * average) / (n_songs + _PRIOR_SONGS))
    spreads = np.where(average > _LEAST_VARIANCE, spreads, 1.0)
    return NoveltyDetector(np.stack([own.mean(axis=0) for own in songs]), spreads, np.inf)


def song_novelty(detector: NoveltyDetector, embeddings: np.ndarray) -> list[SongNovelty]:
    """Of each of the songs with raw columns ``(n_songs, 641)``."""
    least = detector.threshold
    return [SongNovelty(distance, least, distance > least) for distance in detector.distances(embeddings).tolist()]


def threshold(distances: np.ndarray, wanted: float = FALSE_ALARMS) -> float:
    """The distance that ``ceil((n_songs + 1) * (1 - wanted))`` of ``distances (n_songs,)`` do not exceed.

    An exchangeable song then exceeds it with a probability of at most ``wanted``. Where so many songs do not exist
    (below 19 for 5 %) it is the largest of them, and that probability 1 / (n_songs + 1).
    """
    place = min(ceil(round((len(distances) + 1) * (1 - wanted), 9)), len(distances))
    return float(np.sort(distances)[place - 1])


def _left_out(descriptors: np.ndarray, labels: np.ndarray, label: int, genre: str, fold_of: np.ndarray) -> LeftOutGenre:
    """Songs of one genre by detectors trained on all others, beside the held-out songs of these."""
    from sklearn.metrics import roc_auc_score

    unknown = labels == label
    distances = _held_out(_fold_detectors(descriptors, labels, fold_of, label), descriptors, fold_of)
    detected = (distances[unknown] > threshold(distances[~unknown])).mean()
    return LeftOutGenre(genre, int(unknown.sum()), float(roc_auc_score(unknown, distances)), float(detected))


def _fold_detectors(
    descriptors: np.ndarray, labels: np.ndarray, fold_of: np.ndarray, without: int | None = None
) -> list[NoveltyDetector]:
    """Detectors of all models but the final one, trained without the genre ``without``."""
    last, detectors = fold_of.max(), []
    for fold in range(last + 1):
        train = (fold_of != last) & (fold_of != fold) & (labels != without)
        detectors.append(fit_detector(descriptors[train], labels[train]))
    return detectors


def _held_out(detectors: list[NoveltyDetector], descriptors: np.ndarray, fold_of: np.ndarray) -> np.ndarray:
    """Distance of every song ``(n_songs,)`` by the detector trained without it."""
    distances = np.empty(len(fold_of))
    for fold, detector in enumerate(detectors):
        distances[fold_of == fold] = detector.distances_of(descriptors[fold_of == fold])
    return distances
