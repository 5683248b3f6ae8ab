"""How an autoencoder reconstructs songs that it was not trained on, and the vectors that it gives the library's. Needs torch."""

from collections.abc import Callable

import numpy as np

from songmap.communities.autoencoder_floors import Floors, group_difference
from songmap.communities.autoencoder_results import Method, PcaComparison, ReconstructionScore
from songmap.communities.autoencoder_settings import level_decibels, levels
from songmap.communities.autoencoder_training import FittedAutoencoder, parts_of
from songmap.spectrogram.excerpts import Excerpts

Reconstruction = Callable[[np.ndarray], np.ndarray]
_ACTIVE_VARIANCE = 0.01  # of a number's posterior means (Burda et al. 2016)


def evaluate(
    fitted: FittedAutoencoder, floors: Floors, excerpts: Excerpts, songs: np.ndarray, group: np.ndarray
) -> tuple[list[ReconstructionScore], PcaComparison]:
    """Errors of autoencoder and floors on ``songs``, rows of the library with excerpts, and whether PCA is beaten.

    ``group (n_songs,)`` is of every song of the library.
    """
    kept: dict[Method, int] = {"autoencoder": fitted.settings.code.size, "pca": len(floors.axes), "mean": 0}
    errors = [_song_errors(one, excerpts, songs) for one in reconstructions(fitted, floors)]
    scores = [
        ReconstructionScore(method, numbers, *(float(one) for one in own.mean(axis=1)))
        for method, numbers, own in zip(kept, kept.values(), errors, strict=True)
    ]
    is_cosine = fitted.settings.loss == "cosine"
    own, other = errors[0][int(is_cosine)], errors[1][int(is_cosine)]
    comparison = PcaComparison(
        "cosine_distance" if is_cosine else "rmse_db", *group_difference(own, other, group[songs])
    )
    return scores, comparison


def reconstructions(fitted: FittedAutoencoder, floors: Floors) -> tuple[Reconstruction, Reconstruction, Reconstruction]:
    """By the autoencoder, by principal components, by the mean: from decibels ``(n, n_bands, n_frames)`` to levels."""
    return (
        lambda values: fitted.decoded(fitted.codes(values)),
        lambda values: floors.by_pca(levels(values)),
        lambda values: floors.by_mean(values),
    )


def _song_errors(reconstruct: Reconstruction, excerpts: Excerpts, songs: np.ndarray) -> np.ndarray:
    """Root mean square error in dB and cosine distance of songs, float64 ``(2, n_songs)``."""
    rows = np.flatnonzero(np.isin(excerpts.song, songs))
    errors = []
    for part in parts_of(rows):
        x = levels(excerpts.values[part])
        y = reconstruct(excerpts.values[part])
        squares = np.square(level_decibels(y) - level_decibels(x)).mean(axis=(1, 2), dtype=np.float64)
        sizes = np.linalg.norm(x, axis=(1, 2)) * np.linalg.norm(y, axis=(1, 2))
        products = (x * y).sum(axis=(1, 2), dtype=np.float64)
        errors.append(np.stack([squares, 1 - products / np.maximum(sizes, np.finfo(np.float32).tiny)]))
    squares, distances = _song_means(np.concatenate(errors, axis=1).T, excerpts.song[rows], int(songs.max()) + 1)[
        songs
    ].T
    return np.stack([np.sqrt(squares), distances])


def song_vectors(fitted: FittedAutoencoder, excerpts: Excerpts, n_songs: int) -> tuple[np.ndarray, int | None]:
    """Vectors of songs, float32 ``(n_songs, song_size)``, and how many numbers of a VAE's codes are active.

    A song's vector is the mean over its excerpts of their latent codes; feature maps are first averaged over frames. Songs
    without excerpts have the mean of the others.
    """
    codes, means = [], []
    for part in parts_of(np.arange(len(excerpts.song))):
        own = fitted.codes(excerpts.values[part])
        codes.append(own.mean(axis=2).reshape(len(own), -1) if fitted.settings.code.is_map else own)
        means.append([own.sum(axis=0, dtype=np.float64), np.square(own).sum(axis=0, dtype=np.float64)])
    vectors = _song_means(np.concatenate(codes), excerpts.song, n_songs)
    missing = np.isnan(vectors).any(axis=1)
    vectors[missing] = vectors[~missing].mean(axis=0)
    if not fitted.settings.is_variational:
        return vectors.astype(np.float32), None
    mean, square = np.sum(means, axis=0) / len(excerpts.song)
    return vectors.astype(np.float32), int((square - mean**2 > _ACTIVE_VARIANCE).sum())


def _song_means(values: np.ndarray, songs: np.ndarray, n_songs: int) -> np.ndarray:
    """Means over excerpts ``(n, d)`` of every song, float64 ``(n_songs, d)``; NaN of a song without excerpts."""
    sums = np.zeros((n_songs, values.shape[1]))
    np.add.at(sums, songs, values)
    counts = np.bincount(songs, minlength=n_songs)[:, np.newaxis].astype(np.float64)
    counts[counts == 0] = np.nan
    return sums / counts
