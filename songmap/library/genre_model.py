"""The genre model that 03 makes and saves; 02 colours maps by its confidence, 04 searches in its space.

Probabilities are float64 ``(n_songs, n_genres)`` in the order of ``genres``, rows summing to 1.
"""

import hashlib
import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from songmap.core.arrays import array_file, read_array_file
from songmap.core.errors import SchemaError
from songmap.core.files import write_atomically, write_json
from songmap.core.workspace import ModelFiles, Workspace
from songmap.library.descriptors import DESCRIPTORS, N_DESCRIPTORS, describe, descriptors_of
from songmap.library.schema import FAMILIES, LARGEST, N_COLUMNS, fingerprint
from songmap.library.versions import library_versions

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

# of each descriptor in a distance: families have equal shares
_FAMILY_SHARES = np.array([1 / len(descriptors_of(one.family)) for one in DESCRIPTORS]) / len(FAMILIES)
LEAST = 1e-300  # the logarithm of a probability is taken of at least this

_SCRIPT = "03_genre_classifier.py"
_NUMBERS = ("weights", "prior_weight", "outlier_share")  # of a calibration


@dataclass(frozen=True)
class Calibration:
    """Calibration of the probabilities of one model, or of a product of several.

    ``(1 - outlier_share) * softmax(sum(weights * log p) + prior_weight * log share) + outlier_share * share``

    Attributes
    ----------
    weights : tuple of float
        Of each model's log probabilities: 1 / temperature (Guo et al. 2017), below 1 towards even odds; with several
        models logarithmic opinion pooling (Genest & Zidek 1986).
    prior_weight : float
        -3 … 1: of the genres' shares, which models that weight all genres equally leave out; negative for a model that
        favours frequent genres by more than their frequency.
    outlier_share : float
        0 … 1: of songs about which the model knows nothing. Without it a few confident errors would force a temperature
        at which all other predictions are too uncertain.
    shares : np.ndarray, shape (n_genres,)
        Of the training songs.
    """

    weights: tuple[float, ...]
    prior_weight: float
    outlier_share: float
    shares: np.ndarray

    def apply(self, proba: np.ndarray) -> np.ndarray:
        """Calibrated probabilities ``(n_songs, n_genres)`` of ``proba (n_models, n_songs, n_genres)``."""
        logits = np.tensordot(self.weights, np.log(np.clip(proba, LEAST, None)), axes=1)
        logits += self.prior_weight * np.log(self.shares)
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        known = odds / odds.sum(axis=1, keepdims=True)
        return (1 - self.outlier_share) * known + self.outlier_share * self.shares


def uncalibrated(shares: np.ndarray, n_models: int = 1) -> Calibration:
    """The identity for one model, the geometric mean of several."""
    return Calibration((1 / n_models,) * n_models, 0.0, 0.0, shares)


@dataclass(frozen=True)
class NoveltyDetector:
    """How far songs are from the genres of the training data.

    ``centres`` and ``spreads (n_genres, 157)`` are mean and standard deviation of each genre's descriptors; a song at a
    distance above ``threshold`` is like none of the genres.
    """

    centres: np.ndarray
    spreads: np.ndarray
    threshold: float

    def distances(self, embeddings: np.ndarray) -> np.ndarray:
        """Distance to the nearest genre, float64 ``(n_songs,)``, of raw columns ``(n_songs, 641)``."""
        return self.distances_of(describe(np.atleast_2d(embeddings)))

    def distances_of(self, descriptors: np.ndarray) -> np.ndarray:
        """The same of descriptors ``(n_songs, 157)``.

        It is in the genre's standard deviations: the root mean square over a family's descriptors, then over families.
        """
        nearest = np.full(len(descriptors), np.inf)
        for centre, spread in zip(self.centres, self.spreads, strict=True):
            squares = ((descriptors - centre) / spread) ** 2
            np.minimum(
                nearest, (squares * _FAMILY_SHARES).sum(axis=1), out=nearest
            )  # no product: it depends on the rows
        return np.sqrt(nearest)


@dataclass(frozen=True)
class GenreModel:
    """Fitted pipelines on raw columns ``(n_songs, 641)``, and what predictions and explanations need.

    Attributes
    ----------
    name : str
        Of the candidate.
    pipelines : list of sklearn.pipeline.Pipeline
        One, or those whose probabilities are multiplied.
    genres : list of str
        In the order of the columns of probabilities.
    calibration : Calibration
    background : np.ndarray, shape (n, 641), float32
        Songs that explanations compare with.
    medians : np.ndarray, shape (n_genres, 641), float32
        Of each genre's columns.
    threshold : float
        A genre belongs to a song's conformal set if its probability is at least this.
    novelty : NoveltyDetector
    """

    name: str
    pipelines: list["Pipeline"]
    genres: list[str]
    calibration: Calibration
    background: np.ndarray
    medians: np.ndarray
    threshold: float
    novelty: NoveltyDetector

    def predict_proba(self, embeddings: np.ndarray) -> np.ndarray:
        """Calibrated probability of every genre for raw columns ``(n_songs, 641)``."""
        return calibrated_proba(self.pipelines, self.calibration, embeddings)


def calibrated_proba(pipelines: Sequence["Pipeline"], calibration: Calibration, embeddings: np.ndarray) -> np.ndarray:
    """Calibrated probability of every genre, float64 ``(n_songs, n_genres)``, for raw columns ``(n_songs, 641)``."""
    return calibration.apply(np.stack([pipeline_predict_proba(one, embeddings) for one in pipelines]))


_PARTS: dict[str, Any] = {"calibration": Calibration, "novelty": NoveltyDetector}  # saved as dicts of their fields


def pipeline_predict_proba(pipeline: "Pipeline", embeddings: np.ndarray) -> np.ndarray:
    """Probabilities of a fitted pipeline before calibration, float64 ``(n_songs, n_genres)``.

    Of linear models they follow from the margins: for two genres their own probabilities are 1 - p, which is 0 from a
    margin of 37 upward and cannot be calibrated.
    """
    from scipy.special import softmax

    embeddings = np.atleast_2d(embeddings).astype(np.float64)
    if not hasattr(pipeline, "decision_function"):
        return pipeline.predict_proba(embeddings).astype(np.float64)
    margins = pipeline.decision_function(embeddings)
    return softmax(np.stack([-margins / 2, margins / 2], axis=1) if margins.ndim == 1 else margins, axis=1)


def save_model(workspace: Workspace, model: GenreModel, card: dict[str, Any]) -> dict[str, Any]:
    """Write the model of 03, as ``save_model_files`` does."""
    return save_model_files(workspace.genre_model, model, card)


def load_model(workspace: Workspace) -> tuple[GenreModel, dict[str, Any]]:
    """The model that 03 saved, as ``load_model_files`` gives it."""
    return load_model_files(workspace.genre_model)


def save_model_files(files: ModelFiles, model: GenreModel, card: dict[str, Any]) -> dict[str, Any]:
    """Write the model with its card, which is returned whole; once more as a pickle, and the card as JSON.

    03 does so below a folder whose files then replace those of the model before, see ``Workspace.genre_files``.

    The pickle is a dict of the model's fields, for other tools: loading a pickle can execute anything, so that nothing
    here reads one. The card has its checksum.
    """
    from songmap.library.model_file import pipeline_steps

    pickled = pickle.dumps(vars(model) | {name: vars(getattr(model, name)) for name in _PARTS}, protocol=5)
    card = {"columns": fingerprint(), "sha256": hashlib.sha256(pickled).hexdigest()} | card
    card |= {"versions": library_versions()}
    arrays = {"background": model.background, "medians": model.medians, "shares": model.calibration.shares}
    arrays |= {"centres": model.novelty.centres, "spreads": model.novelty.spreads}
    pipelines = [pipeline_steps(one) for one in model.pipelines]
    for number, steps in enumerate(pipelines):
        for place, (_, _, own) in enumerate(steps):
            arrays |= {f"{number}.{place}.{name}": np.asarray(array) for name, array in own.items()}
    document = {
        "card": card,
        "name": model.name,
        "genres": model.genres,
        "threshold": model.threshold,
        "novelty_threshold": model.novelty.threshold,
        "calibration": {name: getattr(model.calibration, name) for name in _NUMBERS},
        "pipelines": [[(name, kind, list(own)) for name, kind, own in steps] for steps in pipelines],
    }
    write_atomically(files.model, array_file(arrays, document))
    write_atomically(files.pickle, pickled)
    write_json(files.card, card)
    return card


def load_model_files(files: ModelFiles) -> tuple[GenreModel, dict[str, Any]]:
    """The saved model and its card. Raises SchemaError if missing, damaged or for other columns."""
    from songmap.library.model_file import pipeline_of

    arrays, document = read_array_file(files.model, files.group.read(files.model), files.group.made_by)
    try:
        card = dict(document["card"])
        if not all((np.abs(one) <= LARGEST).all() for one in arrays.values()):  # of NaN it is not
            raise ValueError("numbers that are not finite or too large")
        if card["columns"] != fingerprint():
            raise _unusable(files, "was trained on other columns")
        model = GenreModel(
            str(document["name"]),
            [
                pipeline_of(
                    [
                        (name, kind, {one: arrays[f"{number}.{place}.{one}"] for one in own})
                        for place, (name, kind, own) in enumerate(steps)
                    ]
                )
                for number, steps in enumerate(document["pipelines"])
            ],
            [str(genre) for genre in document["genres"]],
            _calibration(document["calibration"], arrays["shares"]),
            arrays["background"],
            arrays["medians"],
            float(document["threshold"]),
            NoveltyDetector(arrays["centres"], arrays["spreads"], float(document["novelty_threshold"])),
        )
        _check(model)
    except (TypeError, KeyError, ValueError, AttributeError, IndexError, OverflowError) as error:
        why = " ".join(f"{type(error).__name__}: {error}".split())  # scikit-learn's take several lines
        raise _unusable(files, f"is not a model of this version ({why})") from error
    return model, card


def _calibration(numbers: dict[str, Any], shares: np.ndarray) -> Calibration:
    weights, prior_weight, outlier_share = (numbers[name] for name in _NUMBERS)
    if not all(abs(weight) <= LARGEST for weight in (*weights, prior_weight, outlier_share)):
        raise ValueError("no calibration")
    return Calibration(tuple(map(float, weights)), float(prior_weight), float(outlier_share), shares)


def _check(model: GenreModel) -> None:
    """Raises ValueError for arrays that do not belong together, of the shapes and of what pipelines answer."""
    n_genres, n_models = len(model.genres), len(model.pipelines)
    shapes = {
        "medians": (model.medians.shape, (n_genres, N_COLUMNS)),
        "background": (model.background.shape[1:], (N_COLUMNS,)),
        "shares": (model.calibration.shares.shape, (n_genres,)),
        "centres": (model.novelty.centres.shape, (n_genres, N_DESCRIPTORS)),
        "spreads": (model.novelty.spreads.shape, (n_genres, N_DESCRIPTORS)),
        "weights": (len(model.calibration.weights), n_models),
    }
    for name, (found, wanted) in shapes.items():
        if found != wanted:
            raise ValueError(f"{name} of shape {found} instead of {wanted}")
    if (model.novelty.spreads <= 0).any() or (model.calibration.shares < 0).any():
        raise ValueError("spreads or shares that are not positive")
    for rows in (n_genres, n_genres + 1):  # of arrays that numpy stretches to fit, one of two fails
        proba = model.predict_proba(np.resize(model.medians, (rows, N_COLUMNS)))
        if proba.shape != (rows, n_genres) or not np.isfinite(proba).all() or n_genres < 2:
            raise ValueError("no probabilities of its genres")


def save_out_of_fold(workspace: Workspace, card: dict[str, Any], proba: np.ndarray) -> None:
    """Write probabilities of the library's songs ``(n_songs, n_genres)``, each by a model trained without it.

    ``card`` is of the model they belong to; songs that were not trained on have NaN.
    """
    write_atomically(workspace.out_of_fold, array_file({"proba": proba}, {"sha256": card["sha256"]}))


def load_out_of_fold(workspace: Workspace, card: dict[str, Any], shape: tuple[int, int]) -> np.ndarray:
    """What ``save_out_of_fold`` wrote for the model of ``card``; ``shape`` is ``(n_songs, n_genres)``.

    Raises SchemaError if missing, damaged or of another model.
    """
    path = workspace.out_of_fold
    arrays, document = read_array_file(path, workspace.genre_files.read(path), _SCRIPT)
    if not isinstance(document, dict) or document.get("sha256") != card["sha256"] or "proba" not in arrays:
        raise SchemaError(f"{path} is of another model than {workspace.model}; run {_SCRIPT} again")
    proba = arrays["proba"]
    if proba.dtype != np.float64 or proba.shape != shape or ((proba < 0) | (proba > 1)).any():
        raise SchemaError(f"{path} holds no probabilities of the library's songs; run {_SCRIPT} again")
    return proba


def _unusable(files: ModelFiles, why: str) -> SchemaError:
    return SchemaError(f"{files.model} {why}; run {files.group.made_by} again")
