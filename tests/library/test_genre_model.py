"""The genre model on disk: it comes back as it was, and what is not it runs nothing."""

import hashlib
import io
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

from songmap.core.arrays import array_file, read_array_file
from songmap.core.errors import SchemaError
from songmap.core.workspace import Workspace
from songmap.genre.candidates import CANDIDATES
from songmap.library.genre_model import (
    Calibration,
    GenreModel,
    NoveltyDetector,
    load_model,
    load_out_of_fold,
    pipeline_predict_proba,
    save_model,
    save_out_of_fold,
    uncalibrated,
)
from songmap.library.model_file import pipeline_of, pipeline_steps
from songmap.library.tree_file import tree_arrays, trees_of

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


def forge(workspace: Workspace, arrays: dict | None = None, **changes: object) -> None:
    """Another document, or other arrays, in the model file."""
    old, document = read_array_file(workspace.model, workspace.model.read_bytes(), "03")
    workspace.model.write_bytes(array_file(old | (arrays or {}), document | changes))


@pytest.mark.parametrize(
    "classifier",
    [
        XGBClassifier(n_estimators=3),
        LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"),
        LogisticRegression(),
        OneVsRestClassifier(SVC(gamma=0.01)),
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


def test_two_genres_and_a_kernel_come_back_as_they_were(tmp_path):
    labels = np.arange(24) % 2
    for classifier in (
        OneVsRestClassifier(SVC(gamma=0.01)),
        LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"),
    ):
        pipeline = Pipeline([("scaler", StandardScaler()), ("classifier", classifier)]).fit(SONGS.astype(float), labels)
        again = pipeline_of([(name, kind, own) for name, kind, own in pipeline_steps(pipeline)])
        assert again.decision_function(SONGS).shape == (24,)
        np.testing.assert_allclose(again.decision_function(SONGS), pipeline.decision_function(SONGS), rtol=1e-9)


def test_descriptors_come_back_as_they_were(tmp_path):
    for name in ("lda", "logistic", "svm", "xgboost", "pca_xgboost", "published", "majority"):
        point = CANDIDATES[name].grid(LABELS)[0]
        pipeline = CANDIDATES[name].fit(point, SONGS, LABELS, 3, 0)
        again = pipeline_of(pipeline_steps(pipeline))
        wanted = pipeline_predict_proba(pipeline, SONGS)
        np.testing.assert_allclose(pipeline_predict_proba(again, SONGS), wanted, rtol=1e-6)


def test_nothing_of_a_pickle_is_read(saved, tmp_path):
    trace = tmp_path / "trace"

    class Trap:
        def __reduce__(self):
            return (Path.touch, (trace,))

    saved.model_pickle.write_bytes(pickle.dumps(Trap()))
    model, _ = load_model(saved)
    assert model.genres == ["A", "B", "Ç"]
    saved.model.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(SchemaError, match=r"is damaged .*; run 03_genre_classifier\.py again"):
        load_model(saved)
    stream = io.BytesIO()
    np.savez(stream, document=np.array([Trap()], dtype=object))
    saved.model.write_bytes(stream.getvalue())
    with pytest.raises(SchemaError, match="is damaged"):
        load_model(saved)
    assert not trace.exists()


def test_the_pickle_is_for_other_tools_and_the_card_has_its_checksum(saved):
    card = json.loads(saved.model_card.read_text(encoding="utf-8"))
    content = saved.model_pickle.read_bytes()
    assert card["sha256"] == hashlib.sha256(content).hexdigest()
    fields = pickle.loads(content)
    assert fields["genres"] == ["A", "B", "Ç"]
    assert load_model(saved)[1] == card


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"card": {"columns": "other"}}, "trained on other columns"),
        ({"card": {}}, "not a model of this version"),
        ({"card": 3}, "not a model of this version"),
        ({"genres": ["A"]}, "medians of shape"),
        ({"genres": 7}, "not a model of this version"),
        ({"calibration": {"temperature": 1.5}}, "not a model of this version"),
        ({"calibration": {"weights": [1.0, 1.0], "prior_weight": 0.0, "outlier_share": 0.0}}, "weights of shape 2"),
        ({"calibration": {"weights": [float("nan")], "prior_weight": 0.0, "outlier_share": 0.0}}, "no calibration"),
        ({"pipelines": []}, "weights of shape"),
        ({"pipelines": [[["a", "b"]]]}, "not a model of this version"),
        ({"pipelines": [[["trees", "os.system", []]]]}, "not a model of this version"),
        ({"threshold": "high"}, "not a model of this version"),
    ],
)
def test_a_forged_document_is_one_line(saved, changes, reason):
    forge(saved, **changes)
    with pytest.raises(SchemaError, match=reason):
        load_model(saved)


def test_out_of_fold_probabilities_belong_to_their_model(saved):
    card = load_model(saved)[1]
    with pytest.raises(SchemaError, match=r"genre_out_of_fold\.npz does not exist; run 03"):
        load_out_of_fold(saved, card, (2, 2))
    proba = np.array([[0.25, 0.75], [np.nan, np.nan]])
    save_out_of_fold(saved, card, proba)
    np.testing.assert_array_equal(load_out_of_fold(saved, card, (2, 2)), proba)
    for forged in (proba[:1], proba.astype(str), proba * 9, proba[0], proba - 1):
        save_out_of_fold(saved, card, forged)
        with pytest.raises(SchemaError, match=r"no probabilities of the library's songs; run 03"):
            load_out_of_fold(saved, card, (2, 2))
    save_out_of_fold(saved, card, proba)
    with pytest.raises(SchemaError, match=r"is of another model than .*genre_classifier\.npz; run 03"):
        load_out_of_fold(saved, card | {"sha256": "another"}, (2, 2))
    saved.out_of_fold.write_bytes(saved.out_of_fold.read_bytes()[:-90])
    with pytest.raises(SchemaError, match="is damaged"):
        load_out_of_fold(saved, card, (2, 2))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("background", np.nan), ("centres", np.inf), ("spreads", 0.0), ("shares", np.nan), ("shares", -1),
        ("medians", 1e30), ("0.0.scale_", 0.0), ("0.0.scale_", np.nan), ("0.1.components_", 1e300),
    ],
)  # fmt: skip
def test_numbers_that_no_model_has_are_one_line(saved, name, value):
    arrays, _ = read_array_file(saved.model, saved.model.read_bytes(), "03")
    own = arrays[name].copy()
    own.flat[0] = value
    forge(saved, {name: own})
    with pytest.raises(SchemaError, match=r"not finite|not positive|a scale of 0"):
        load_model(saved)


def test_an_array_that_numpy_would_stretch_is_one_line(saved):
    mean = read_array_file(saved.model, saved.model.read_bytes(), "03")[0]["0.0.mean_"]
    forge(saved, {"0.0.mean_": np.stack([mean] * 3)})  # as many rows as genres
    with pytest.raises(SchemaError, match="not a model of this version"):
        load_model(saved)


@pytest.mark.parametrize("name", ["shares", "medians", "centres", "background", "0.0.scale_", "0.1.components_"])
def test_forged_arrays_are_one_line(saved, name):
    forge(saved, {name: np.zeros((2, 7))})
    with pytest.raises(SchemaError, match=r"run 03_genre_classifier\.py again"):
        load_model(saved)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("left_children", 10**6), ("left_children", 0), ("right_children", -5), ("parents", 3), ("split_indices", 641),
        ("split_indices", -1), ("default_left", 7), ("sum_hessian", np.nan), ("base_weights", np.inf),
    ],
)  # fmt: skip
def test_trees_with_impossible_nodes_never_reach_xgboost(saved, name, value):
    arrays, _ = read_array_file(saved.model, saved.model.read_bytes(), "03")
    own = arrays[f"0.2.{name}"].copy()
    own[0] = value
    forge(saved, {f"0.2.{name}": own})
    with pytest.raises(SchemaError, match=r"trees with impossible|not finite"):
        load_model(saved)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sizes", [-1]),
        ("sizes", [2**62]),
        ("classes", [0, 0, 0]),
        ("base_score", []),
        ("n_columns", -3),
        ("sizes", [0.5]),
    ],
)
def test_trees_with_impossible_sizes_never_reach_xgboost(saved, name, value):
    forge(saved, {f"0.2.{name}": np.array(value)})
    with pytest.raises(SchemaError, match=r"run 03_genre_classifier\.py again"):
        load_model(saved)


@pytest.mark.parametrize("n_genres", [2, 3, 12])
def test_trees_come_back_with_their_shap_values(n_genres):
    import shap

    labels = np.arange(48) % n_genres
    songs = np.random.default_rng(1).standard_normal((48, 20)) + labels[:, np.newaxis] / 4
    trees = XGBClassifier(n_estimators=20, max_depth=3, n_jobs=1).fit(songs, labels)
    again = trees_of(tree_arrays(trees))
    np.testing.assert_allclose(again.predict_proba(songs), trees.predict_proba(songs), rtol=1e-6)
    one, other = (shap.TreeExplainer(model)(songs).values for model in (trees, again))
    np.testing.assert_allclose(one, other, atol=1e-6)


def test_a_deep_document_or_a_cut_file_is_one_line(saved):
    stream, content = io.BytesIO(), saved.model.read_bytes()
    np.savez(stream, document=np.frombuffer(b"[" * 200_000, np.uint8))
    for forged in (stream.getvalue(), content[:-30], content[: len(content) // 2], b"", b"PK\x03\x04"):
        saved.model.write_bytes(forged)
        with pytest.raises(SchemaError, match="is damaged"):
            load_model(saved)
