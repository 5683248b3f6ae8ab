"""The genre model on disk: it comes back as it was, and what is not it runs nothing."""

import hashlib
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from xgboost import XGBClassifier

from songmap.core.errors import SchemaError
from songmap.core.workspace import Workspace
from songmap.library.genre_model import (
    Calibration,
    GenreModel,
    NoveltyDetector,
    load_model,
    load_out_of_fold,
    save_model,
    save_out_of_fold,
    uncalibrated,
)

RNG = np.random.default_rng(0)
SONGS, LABELS = RNG.standard_normal((24, 641)).astype(np.float32), np.arange(24) % 3

DETECTOR = NoveltyDetector(RNG.standard_normal((3, 157)), np.ones((3, 157)), 1.5)


def fitted(classifier: object) -> GenreModel:
    pipeline = Pipeline([("scaler", StandardScaler()), ("pca", PCA(5)), ("classifier", classifier)])
    pipeline.fit(SONGS.astype(np.float64), LABELS)
    medians = np.stack([np.median(SONGS[label == LABELS], axis=0) for label in range(3)])
    calibration = Calibration((1 / 1.5,), 0.5, 0.0, np.array([0.2, 0.3, 0.5]))
    return GenreModel("a name", [pipeline], ["A", "B", "Ç"], calibration, SONGS[:4], medians, 0.25, DETECTOR)


@pytest.fixture
def saved(tmp_path: Path) -> Workspace:
    save_model(Workspace(tmp_path), fitted(XGBClassifier(n_estimators=3)), {"data": "of a library"})
    return Workspace(tmp_path)


def replace_model(workspace: Workspace, content: bytes) -> None:
    """Other content under a card that fits it, as somebody who tampers would write it."""
    card = json.loads(workspace.model_card.read_text(encoding="utf-8"))
    card["sha256"] = hashlib.sha256(content).hexdigest()
    workspace.model.write_bytes(content)
    workspace.model_card.write_text(json.dumps(card), encoding="utf-8")


@pytest.mark.parametrize(
    "classifier",
    [
        XGBClassifier(n_estimators=3),
        LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"),
        LogisticRegression(),
        OneVsRestClassifier(SVC()),
        DummyClassifier(),
    ],
    ids=lambda classifier: type(classifier).__name__,
)
def test_a_model_comes_back_as_it_was(tmp_path, classifier):
    model = fitted(classifier)
    save_model(Workspace(tmp_path), model, {"data": "of a library"})
    again, card = load_model(Workspace(tmp_path))
    assert card["data"] == "of a library"
    assert (again.name, again.genres, again.threshold) == (model.name, model.genres, model.threshold)
    # not to the last bit: BLAS sums a matrix that lies otherwise in memory in another order
    np.testing.assert_allclose(again.predict_proba(SONGS), model.predict_proba(SONGS), rtol=1e-12)
    assert np.array_equal(again.background, model.background)
    assert np.array_equal(again.medians, model.medians)
    assert again.novelty.threshold == 1.5
    assert np.array_equal(again.novelty.distances(SONGS), model.novelty.distances(SONGS))


def test_calibration_mixes_the_product_of_models_with_the_shares():
    proba, shares = np.array([[[0.9, 0.1]], [[0.4, 0.6]]]), np.array([0.7, 0.3])
    odds = 0.9**0.5 * 0.4**2 * 0.7**-1 / (0.1**0.5 * 0.6**2 * 0.3**-1)
    wanted = 0.8 * odds / (1 + odds) + 0.2 * 0.7
    assert Calibration((0.5, 2.0), -1.0, 0.2, shares).apply(proba)[0, 0] == pytest.approx(wanted)
    assert uncalibrated(shares).apply(proba[:1])[0] == pytest.approx([0.9, 0.1])
    mean = np.sqrt(proba[0] * proba[1])
    assert uncalibrated(shares, 2).apply(proba) == pytest.approx(mean / mean.sum())
    assert Calibration((0.5, 2.0), 0.0, 0.0, shares).temperatures == (2.0, 0.5)


@pytest.mark.parametrize("fitting_card", [False, True])
def test_a_tampered_model_runs_nothing(saved, tmp_path, fitting_card):
    trace = tmp_path / "trace"

    class Trap:
        def __reduce__(self):
            return (Path.touch, (trace,))

    content = pickle.dumps({"pipeline": Trap()})
    if fitting_card:
        replace_model(saved, content)
    else:
        saved.model.write_bytes(content)
    with pytest.raises(SchemaError, match="tampered with"):
        load_model(saved)
    assert not trace.exists()


@pytest.mark.parametrize(
    "kept",
    [
        {"pipeline": 1, "genres": []},
        {"calibration": {"temperature": 1.5, "prior_weight": 0.0, "shares": [0.5, 0.5]}},
        {"calibration": {}},
        {"calibration": 3},
        [1],
        7,
    ],
)
def test_a_model_of_another_version_is_refused(saved, kept):
    replace_model(saved, pickle.dumps(kept))
    with pytest.raises(SchemaError, match=r"another version; run 03_genre_classifier\.py again"):
        load_model(saved)


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("columns", "other", "trained on other columns"),
        ("versions", {"scikit-learn": "0.1"}, r"trained with scikit-learn 0\.1"),
        ("versions", None, "trained with scikit-learn None"),
        ("sha256", "0", "is not the file that its card describes"),
    ],
)
def test_a_card_that_does_not_fit_is_refused(saved, field, value, reason):
    card = json.loads(saved.model_card.read_text(encoding="utf-8"))
    saved.model_card.write_text(json.dumps(card | {field: value}), encoding="utf-8")
    with pytest.raises(SchemaError, match=reason):
        load_model(saved)


def test_out_of_fold_probabilities_belong_to_their_model(saved):
    card = load_model(saved)[1]
    with pytest.raises(SchemaError, match=r"genre_out_of_fold\.npz is missing or damaged; run 03"):
        load_out_of_fold(saved, card)
    proba = np.array([[0.25, 0.75], [np.nan, np.nan]])
    save_out_of_fold(saved, card, proba)
    np.testing.assert_array_equal(load_out_of_fold(saved, card), proba)
    with pytest.raises(SchemaError, match=r"is of another model than .*genre_classifier\.pkl; run 03"):
        load_out_of_fold(saved, card | {"sha256": "another"})
    saved.out_of_fold.write_bytes(saved.out_of_fold.read_bytes()[:-90])
    with pytest.raises(SchemaError, match="missing or damaged"):
        load_out_of_fold(saved, card)
