"""Results of 07: numbers, names and identifiers. Scores are fractions 0 … 1, losses are in nats."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from songmap.compare.results import Confusion, DataSummary, Difference, VariantScores
from songmap.spectrogram.excerpts import FailedSong

NETWORK, JOINED = "network", "joined"  # names of variants beside those of 06


@dataclass(frozen=True)
class EpochScores:
    """Of an epoch.

    ``loss`` and ``accuracy`` are of the training excerpts as they were shown, masked and mixed; those with ``validation``
    of the validation songs, which stay out of training, None where there are none.
    """

    learning_rate: float
    loss: float
    accuracy: float
    validation_loss: float | None
    validation_accuracy: float | None


@dataclass(frozen=True)
class TrainingCurve:
    """Of a training: the fold that it leaves out, None of the final one; ``best_epoch``, from 1, is the one in use.

    ``songs`` were trained on, ``validation_songs`` decided when to stop. ``train_s`` is processor time.
    """

    fold: int | None
    songs: int
    validation_songs: int
    best_epoch: int
    train_s: float
    epochs: list[EpochScores]


@dataclass(frozen=True)
class NetworkReport:
    """A network, evaluated in the folds of 06 beside models on the 641 columns, and trained on all songs.

    Attributes
    ----------
    data : DataSummary
    network, input : str
        ``image``, ``frames`` or ``residual``; ``mel`` or ``mfcc``.
    excerpts : int
    excerpt_s : float
    parameters : int
        Weights of the network.
    n_folds, seed : int
    device : str
    scores : list of VariantScores
        The most accurate first. ``model`` is ``network``, ``joined`` for the geometric mean of the network and ``partner``,
        else one of 06. ``training_accuracy`` and costs of ``joined`` are NaN.
    differences : list of Difference
        Of the others from the first.
    partner : tuple of str
        Model and features of the best of the others.
    confusion : list of Confusion
    curves : list of TrainingCurve
        Of every fold, then of the final training.
    failed : tuple of FailedSong
        Without excerpts: predicted as the genres' shares in training.
    settings : dict
        Of the training.
    written : list of WrittenFile
    """

    data: DataSummary
    network: str
    input: str
    excerpts: int
    excerpt_s: float
    parameters: int
    n_folds: int
    seed: int
    device: str
    scores: list[VariantScores]
    differences: list[Difference]
    partner: tuple[str, str]
    confusion: list[Confusion]
    curves: list[TrainingCurve]
    failed: tuple[FailedSong, ...]
    settings: dict[str, Any]
    written: list["NetworkFile"]


@dataclass(frozen=True)
class NetworkFile:
    """A file, and what it holds."""

    path: Path
    content: Literal["page", "curves", "report", "weights", "card", "out_of_fold", "vectors"]


@dataclass(frozen=True)
class Prediction:
    """Of a file: probabilities of ``genres``, the mean over ``start_s (n,)``, and of each excerpt ``(n, n_genres)``."""

    file_path: str
    genre: str
    probabilities: dict[str, float]
    excerpt_s: float
    start_s: np.ndarray
    excerpts: np.ndarray
