"""Results of training autoencoders: numbers, names and identifiers. Errors are in decibels, or cosine distances 0 … 2."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

import numpy as np

from songmap.spectrogram.excerpts import FailedSong

Method = Literal["autoencoder", "pca", "mean"]


class Outcome(StrEnum):
    """Whether an autoencoder reconstructs better than principal components."""

    BETTER = "better"
    WORSE = "worse"
    NOT_SHOWN = "not_shown"


@dataclass(frozen=True)
class AutoencoderEpoch:
    """Of an epoch.

    ``loss`` is of the training excerpts with the weight of the divergence at that time, ``validation_loss`` of the songs
    that stay out with its final weight, ``validation_rmse_db`` their root mean square error. ``divergence`` is of an excerpt
    of these, in nats, from the prior; None of a CAE.
    """

    learning_rate: float
    loss: float
    validation_loss: float
    validation_rmse_db: float
    divergence: float | None


@dataclass(frozen=True)
class ReconstructionScore:
    """Mean over test songs of the root mean square error of their excerpts, and of the cosine distance of levels 0 … 1.

    ``numbers`` are kept of an excerpt: latent code, or principal components; 0 of the mean spectrogram.
    """

    method: Method
    numbers: int
    rmse_db: float
    cosine_distance: float


@dataclass(frozen=True)
class PcaComparison:
    """By how much the error of principal components is larger than the autoencoder's, mean over groups of test songs.

    ``low`` and ``high`` are a 95 % interval by the t distribution over groups; NaN with one group. The error is
    ``rmse_db``, or ``cosine_distance`` where that was trained.
    """

    error: Literal["rmse_db", "cosine_distance"]
    difference: float
    low: float
    high: float
    outcome: Outcome


@dataclass(frozen=True)
class SongSplit:
    """Rows of the library that are trained on, that decide when training ends, and that are tested.

    Songs of a group, by an artist or of a recording, are in one part. ``group (n_songs,)`` is of every song of the library.
    """

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    group: np.ndarray
    grouped_by: Literal["artist", "recording"]


@dataclass(frozen=True)
class AutoencoderReport:
    """An autoencoder, and how it reconstructs songs that it was not trained on.

    Attributes
    ----------
    name, space : str
        Of its files, and of its vectors in ``communities.sound_spaces``.
    settings : dict
    latent_shape : tuple of int
    latent_size, input_size, song_size, parameters : int
        Numbers of a code, of an excerpt, of a song's vector; weights.
    is_bottleneck : bool
        Whether a code has at most half as many numbers as an excerpt.
    songs, excerpts : int
        Of the library.
    excerpt_s : float
    training_songs, validation_songs, test_songs, training_groups, test_groups : int
    grouped_by : str
        ``artist``, or ``recording`` where artists are too few.
    epochs : list of AutoencoderEpoch
    best_epoch : int
        From 1; the one in use.
    train_s : float
        Processor time.
    scores : list of ReconstructionScore
        Of the autoencoder, of principal components, of the mean spectrogram.
    comparison : PcaComparison
    active_numbers : int or None
        Numbers of a VAE's code that tell excerpts apart: the variance of their means is above 0.01 (Burda et al. 2016).
    device : str
    failed : tuple of FailedSong
        Without excerpts; they have the mean of the other songs' vectors.
    written : list of AutoencoderFile
    """

    name: str
    space: str
    settings: dict[str, Any]
    latent_shape: tuple[int, ...]
    latent_size: int
    input_size: int
    song_size: int
    parameters: int
    is_bottleneck: bool
    songs: int
    excerpts: int
    excerpt_s: float
    training_songs: int
    validation_songs: int
    test_songs: int
    training_groups: int
    test_groups: int
    grouped_by: Literal["artist", "recording"]
    epochs: list[AutoencoderEpoch]
    best_epoch: int
    train_s: float
    scores: list[ReconstructionScore]
    comparison: PcaComparison
    active_numbers: int | None
    device: str
    failed: tuple[FailedSong, ...]
    written: list["AutoencoderFile"]


@dataclass(frozen=True)
class AutoencoderFile:
    """A file, and what it holds."""

    path: Path
    content: Literal["page", "report", "sound", "weights", "card", "spaces", "grid"]


@dataclass(frozen=True)
class GridPoint:
    """A training of the grid; ``rmse_db`` and ``cosine_distance`` are of the test songs, which decide nothing."""

    batch: int
    learning_rate: float
    epochs: int
    best_epoch: int
    validation_loss: float
    validation_rmse_db: float
    rmse_db: float
    cosine_distance: float


@dataclass(frozen=True)
class GridReport:
    """All points of a grid; ``best`` is the place of the one with the smallest ``validation_loss``.

    ``comparison`` and ``scores`` are of that one.
    """

    name: str
    settings: dict[str, Any]
    points: list[GridPoint]
    best: int
    scores: list[ReconstructionScore]
    comparison: PcaComparison
    test_songs: int
    test_groups: int
    grouped_by: Literal["artist", "recording"]
    written: list[AutoencoderFile]


@dataclass(frozen=True)
class Example:
    """An excerpt of a test song beside its reconstructions, in decibels ``(n_bands, n_frames)``, with FLAC files of three."""

    song: int
    start_s: float
    original: np.ndarray
    autoencoder: np.ndarray
    pca: np.ndarray
    mean: np.ndarray
    sounds: dict[str, bytes]


@dataclass(frozen=True)
class Traversal:
    """What a VAE makes of codes that differ in one number: that of place ``number``, at mean + ``steps`` standard deviations.

    ``spectrograms (n_steps, n_bands, n_frames)`` in decibels; ``variance`` is that of the number's means over excerpts.
    """

    number: int
    variance: float
    steps: tuple[float, ...]
    spectrograms: np.ndarray


@dataclass(frozen=True)
class Pictures:
    """Examples with names of their songs, and traversals of the numbers that tell most excerpts apart; none of a CAE."""

    names: list[str]
    examples: list[Example]
    traversals: list[Traversal]
