"""The genre model that 03 makes and saves; 02 colours maps by its confidence, 04 searches in its space.

Probabilities are float64 ``(n_songs, n_genres)`` in the order of ``genres``, rows summing to 1.
"""

import hashlib
import io
import pickle
import zipfile
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from songmap.core.errors import SchemaError
from songmap.core.files import read_bytes, read_json, write_atomically, write_json
from songmap.core.pickles import TABLE_CLASSES, load_pickle
from songmap.core.workspace import Workspace
from songmap.library.schema import fingerprint
from songmap.library.versions import library_versions

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

_LEAST = 1e-300  # the logarithm of a probability is taken of at least this

_MODEL_CLASSES = TABLE_CLASSES | {
    ("builtins", "bytearray"),
    ("sklearn.calibration", "CalibratedClassifierCV"),
    ("sklearn.calibration", "_CalibratedClassifier"),
    ("sklearn.calibration", "_SigmoidCalibration"),
    ("sklearn.decomposition._pca", "PCA"),
    ("sklearn.discriminant_analysis", "LinearDiscriminantAnalysis"),
    ("sklearn.dummy", "DummyClassifier"),
    ("sklearn.linear_model._logistic", "LogisticRegression"),
    ("sklearn.pipeline", "Pipeline"),
    ("sklearn.preprocessing._data", "StandardScaler"),
    ("sklearn.svm._classes", "SVC"),
    ("xgboost.core", "Booster"),
    ("xgboost.sklearn", "XGBClassifier"),
}


@dataclass(frozen=True)
class Calibration:
    """Calibration of probabilities: ``softmax(log p / temperature + prior_weight * log share)``.

    ``temperature`` above 1 moves them towards even odds (Guo et al. 2017). ``prior_weight`` -3 … 1 is the weight of the
    genres' ``shares (n_genres,)`` of the training songs, which models that weight all genres equally leave out; it is
    negative for a model that favours frequent genres by more than their frequency.
    """

    temperature: float
    prior_weight: float
    shares: np.ndarray

    def apply(self, proba: np.ndarray) -> np.ndarray:
        """Calibrated probabilities of a model's ``proba (n_songs, n_genres)``."""
        logits = np.log(np.clip(proba, _LEAST, None)) / self.temperature + self.prior_weight * np.log(self.shares)
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        return odds / odds.sum(axis=1, keepdims=True)


@dataclass(frozen=True)
class GenreModel:
    """A fitted pipeline on raw columns ``(n_songs, 641)``, and what predictions and explanations need.

    Attributes
    ----------
    name : str
        Of the candidate.
    pipeline : sklearn.pipeline.Pipeline
    genres : list of str
        In the order of the columns of probabilities.
    calibration : Calibration
    background : np.ndarray, shape (n, 641), float32
        Songs that explanations compare with.
    medians : np.ndarray, shape (n_genres, 641), float32
        Of each genre's columns.
    threshold : float
        A genre belongs to a song's conformal set if its probability is at least this.
    """

    name: str
    pipeline: "Pipeline"
    genres: list[str]
    calibration: Calibration
    background: np.ndarray
    medians: np.ndarray
    threshold: float

    def predict_proba(self, embeddings: np.ndarray) -> np.ndarray:
        """Calibrated probability of every genre for raw columns ``(n_songs, 641)``."""
        return self.calibration.apply(pipeline_predict_proba(self.pipeline, embeddings))


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
    """Write the model as a dict of its fields, and its card, which carries the checksum and is returned whole."""
    content = pickle.dumps(vars(model) | {"calibration": vars(model.calibration)}, protocol=5)
    write_atomically(workspace.model, content)
    card = {"columns": fingerprint(), "sha256": hashlib.sha256(content).hexdigest()} | card
    card |= {"versions": library_versions()}
    write_json(workspace.model_card, card)
    return card


def load_model(workspace: Workspace) -> tuple[GenreModel, dict[str, Any]]:
    """The saved model and its card. Raises SchemaError if missing, tampered or for other columns or versions.

    The card is checked before the file is unpickled.
    """
    card = read_json(workspace.model_card, "03_genre_classifier.py")
    content = read_bytes(workspace.model, "03_genre_classifier.py")
    if card.get("columns") != fingerprint():
        raise _unusable(workspace, "was trained on other columns")
    versions = card.get("versions")
    for name in ("scikit-learn", "xgboost"):
        trained = versions.get(name) if isinstance(versions, dict) else None
        if trained != version(name):
            raise _unusable(workspace, f"was trained with {name} {trained}, here is {version(name)}")
    if card.get("sha256") != hashlib.sha256(content).hexdigest():
        where = "tampered with, or from another run"
        raise _unusable(workspace, f"is not the file that its card describes ({where}): nothing of it was run")
    fields = load_pickle(workspace.model, content, _MODEL_CLASSES)
    try:
        return GenreModel(**fields | {"calibration": Calibration(**fields["calibration"])}), card
    except (TypeError, KeyError) as error:
        raise _unusable(workspace, "was made by another version") from error


def save_out_of_fold(workspace: Workspace, card: dict[str, Any], proba: np.ndarray) -> None:
    """Write probabilities ``(n_songs, n_genres)`` of a library's songs, each by a model that was trained without it.

    Rows of songs that are not training data are NaN. ``card`` is that of the model, as ``save_model`` returned it.
    """
    stream = io.BytesIO()
    np.savez(stream, allow_pickle=False, proba=proba, model=card["sha256"])
    write_atomically(workspace.out_of_fold, stream.getvalue())


def load_out_of_fold(workspace: Workspace, card: dict[str, Any]) -> np.ndarray:
    """What ``save_out_of_fold`` wrote for the model of ``card``. Raises SchemaError if missing or of another model."""
    path = workspace.out_of_fold
    try:
        with np.load(path, allow_pickle=False) as content:
            model, proba = str(content["model"]), content["proba"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise SchemaError(f"{path} is missing or damaged; run 03_genre_classifier.py again") from error
    if model != card["sha256"]:
        raise SchemaError(f"{path} is of another model than {workspace.model}; run 03_genre_classifier.py again")
    return proba


def _unusable(workspace: Workspace, why: str) -> SchemaError:
    return SchemaError(f"{workspace.model} {why}; run 03_genre_classifier.py again")
