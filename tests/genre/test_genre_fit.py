"""The candidates, their parameters and their calibration, chosen inside the training songs."""

import warnings

import numpy as np
import pytest
from libraries import separable_library

from songmap.genre.candidates import CANDIDATES, CHOSEN_FROM, REFERENCES, TREES, members_of, points_of
from songmap.genre.fit import FittedCandidate, TrainingSongs, Tuning, calibrate, fit_candidate, one_thread, tune
from songmap.library.descriptors import DESCRIPTORS
from songmap.library.genre_model import Calibration, pipeline_predict_proba, uncalibrated
from songmap.library.model_file import compact
from songmap.library.schema import FAMILIES, N_COLUMNS


@pytest.fixture(autouse=True, scope="module")
def alone():
    """As wherever models are fitted."""
    with one_thread():
        yield


def clouds(n_genres: int, songs: int, distance: float = 0.4) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Embeddings, labels and groups of two songs."""
    library = separable_library(n_genres, songs, distance=distance)
    return library.embeddings, np.repeat(np.arange(n_genres), songs), library.songs["artist"].to_numpy(object)


def fit(name: str, embeddings, labels, n_genres: int, seed: int) -> FittedCandidate:
    """With the middle of the candidate's grid, uncalibrated."""
    songs = TrainingSongs(embeddings, labels, n_genres)
    shares = np.bincount(labels, minlength=n_genres) / len(labels)
    tuning = Tuning(len(points_of(name, labels)) // 2, uncalibrated(shares, len(members_of(name))))
    return fit_candidate(name, songs, tuning, seed)


def calibrated(proba, labels, n_groups: int, shares) -> tuple[Calibration, np.ndarray]:
    """The calibration of one round of one model's ``proba (n_songs, n_genres)``, and the calibrated ones."""
    found, _ = calibrate(proba[np.newaxis, np.newaxis], labels, np.arange(len(labels)) % n_groups, np.array(shares))
    return found, found.apply(proba[np.newaxis])


def test_every_candidate_is_a_reference_or_chosen_from():
    assert {*CHOSEN_FROM, *REFERENCES} == set(CANDIDATES)
    assert CHOSEN_FROM == ("lda", "logistic", "svm", "pca_xgboost", "xgboost", "average")


def test_families_have_equal_weight_in_the_distances_of_the_svm():
    embeddings, labels, _ = clouds(2, 30)
    pipeline = CANDIDATES["svm"].fit({"C": 1}, embeddings, labels, 2, 0)
    standardised = pipeline[:2].transform(embeddings.astype(np.float64))
    weights = pipeline["families"].transform(np.ones((1, len(DESCRIPTORS))))[0]
    assert pipeline[:3].transform(embeddings.astype(np.float64)) == pytest.approx(standardised * weights)
    families = np.array([one.family for one in DESCRIPTORS])
    assert [np.square(weights[families == family]).sum() for family in FAMILIES] == pytest.approx([1] * 7)


def test_a_compact_svm_has_each_vector_once_and_the_same_margins():
    embeddings, labels, _ = clouds(6, 12, 0.1)
    pipeline = CANDIDATES["svm"].fit({"C": 1}, embeddings, labels, 6, 0)
    (smaller,) = fit("svm", embeddings, labels, 6, 0).pipelines
    assert len(smaller[-1].vectors) <= 72
    other = compact(pipeline)
    np.testing.assert_allclose(other.decision_function(embeddings), pipeline.decision_function(embeddings), atol=1e-9)


def test_published_parameters_are_the_published_ones_and_nothing_is_added():
    embeddings, labels, _ = clouds(2, 30)
    fitted = fit("published", embeddings, labels, 2, 0)
    (pipeline,) = fitted.pipelines
    trees = pipeline[-1].get_params()
    wanted = {
        "n_estimators": 50, "max_depth": 2, "learning_rate": 0.03, "subsample": 0.6, "colsample_bytree": 0.6,
        "min_child_weight": 5, "gamma": 2, "reg_alpha": 0.5, "reg_lambda": 2,
    }  # fmt: skip
    assert {name: trees[name] for name in wanted} == wanted
    assert pipeline["pca"].n_components_ == 15
    assert [name for name, _ in pipeline.steps] == ["scaler", "pca", "trees"]
    raw = pipeline_predict_proba(pipeline, embeddings)
    assert fitted.predict_proba(embeddings) == pytest.approx(raw, abs=1e-6)  # float32 rows sum to nearly 1


@pytest.mark.parametrize("name", list(CANDIDATES))
@pytest.mark.parametrize(("n_genres", "songs"), [(2, 3), (12, 3), (3, 20)])
def test_every_candidate_fits_few_songs_and_many_genres_without_a_warning(name, n_genres, songs):
    embeddings, labels, _ = clouds(n_genres, songs)
    embeddings[:, ::3] = 1.5  # constant columns
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = fit(name, embeddings, labels, n_genres, 0).predict_proba(embeddings)
    assert found.shape == (n_genres * songs, n_genres)
    assert found.sum(axis=1) == pytest.approx(1)
    assert (found >= 0).all()


@pytest.mark.parametrize("name", [name for name in CANDIDATES if name not in REFERENCES])
def test_every_candidate_classifies_clouds(name):
    embeddings, labels, _ = clouds(4, 24)
    train = np.arange(96) % 24 < 16
    fitted = fit(name, embeddings[train], labels[train], 4, 0)
    assert (fitted.predict_proba(embeddings[~train]).argmax(axis=1) == labels[~train]).mean() > 0.9


@pytest.mark.parametrize("n_songs", [2, 10, 300])
def test_components_are_capped_by_the_training_songs(n_songs):
    pipeline = CANDIDATES["published"].build({}, n_songs, 2, 0)
    assert pipeline["pca"].n_components == min(15, n_songs - 1)


def test_the_grid_grows_with_the_songs():
    grids = [CANDIDATES["pca_xgboost"].grid(np.repeat([0, 1], songs)) for songs in (6, 40, 4000)]
    most = [(max(point["components"] for point in grid), max(point["depth"] for point in grid)) for grid in grids]
    assert most == [(6, 2), (40, 2), (120, 4)]
    assert all({point["trees"] for point in grid} == set(TREES) for grid in grids)
    assert [len(grid) for grid in grids] == [12, 12, 12]


def test_leaves_of_single_songs_are_allowed_whatever_the_number_of_genres():
    """What a fixed min_child_weight forbids: among many genres a song's Hessian is small."""
    for n_genres in (2, 12, 50):
        trees = CANDIDATES["xgboost"].build({"depth": 1, "trees": 50}, 100, n_genres, 0)[-1]
        share = 1 / n_genres
        assert trees.min_child_weight == pytest.approx((1 if n_genres == 2 else 2) * share * (1 - share))


@pytest.mark.parametrize(("name", "wanted"), [("xgboost", 0.5), ("logistic", 0.5), ("lda", 0.5), ("majority", 0.1)])
def test_genres_have_equal_weight_however_many_songs_they_have(name, wanted):
    """Columns without information, nine songs to one: before calibration both genres are equally probable, the majority aside."""
    labels = np.repeat([0, 1], [360, 40])
    candidate, embeddings = CANDIDATES[name], np.full((400, N_COLUMNS), 2.5)
    pipeline = candidate.fit(candidate.grid(labels)[0], embeddings, labels, 2, 0)
    assert pipeline_predict_proba(pipeline, embeddings)[:, 1] == pytest.approx(wanted, abs=0.03)


def test_trees_taken_from_one_fit_are_those_of_a_fit_of_their_own():
    embeddings, labels, _ = clouds(3, 12)
    candidate = CANDIDATES["pca_xgboost"]
    point = {"components": 8, "depth": 2, "trees": 50}
    own = candidate.fit(point, embeddings, labels, 3, 0)
    large = candidate.fit(point | {"trees": 200}, embeddings, labels, 3, 0)
    columns = large[:-1].transform(embeddings.astype(np.float64))
    assert np.array_equal(large[-1].predict_proba(columns, iteration_range=(0, 50)), own[-1].predict_proba(columns))


def softmax(logits: np.ndarray) -> np.ndarray:
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


def drawn(n_songs: int, n_genres: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Logits, and labels with the probabilities that follow from them."""
    rng = np.random.default_rng(0)
    logits = 2 * rng.standard_normal((n_songs, n_genres))
    return logits, np.array([rng.choice(n_genres, p=row) for row in softmax(logits)])


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_calibration_recovers_a_known_temperature(temperature):
    logits, labels = drawn(5000)
    found, _ = calibrated(softmax(logits * temperature), labels, 5000, np.full(3, 1 / 3))
    assert tuple(1 / weight for weight in found.weights) == pytest.approx((temperature,), rel=0.1)
    assert found.prior_weight == 0
    assert found.outlier_share < 0.02


def test_calibration_recovers_a_share_of_outliers_and_keeps_the_temperature():
    logits, labels = drawn(5000)
    labels[::5] = np.random.default_rng(1).integers(0, 3, 1000)
    found, _ = calibrated(softmax(logits), labels, 5000, np.full(3, 1 / 3))
    assert found.outlier_share == pytest.approx(0.2, abs=0.03)
    assert tuple(1 / weight for weight in found.weights) == pytest.approx((1,), rel=0.15)


def test_calibration_of_two_models_weights_them_by_what_they_know():
    """Each of two models knows a part of the logits: their product knows all."""
    logits, labels = drawn(5000)
    parts = np.random.default_rng(2).random((5000, 1)) < 0.5
    known = np.stack([softmax(np.where(parts, logits, 0)), softmax(np.where(parts, 0, logits) * 2)])
    found, _ = calibrate(known[:, np.newaxis], labels, np.arange(5000), np.full(3, 1 / 3))
    assert found.weights == pytest.approx((1, 0.5), rel=0.1)


def test_the_gradient_of_calibration_is_right():
    """Steps of the optimiser end where no neighbour is better."""
    logits, labels = drawn(400)
    proba, shares = softmax(3 * logits)[np.newaxis, np.newaxis], np.bincount(labels) / 400
    groups = np.arange(400) // 4
    found, least = calibrate(proba, labels, groups, shares)
    for scale in (0.9, 1.1):
        weights = (scale * found.weights[0],)
        other = Calibration(weights, found.prior_weight, found.outlier_share, shares).apply(proba[:, 0])
        assert -np.log(other[np.arange(400), labels]).mean() > least - 0.05
        again, loss = calibrate(proba**scale, labels, groups, shares)
        assert loss == pytest.approx(least, abs=1e-4)
        assert again.weights[0] * scale == pytest.approx(found.weights[0], rel=0.02)


def test_calibration_gives_frequency_back():
    """Nine to one, seen by a model that weights both equally: the true odds are the model's times nine."""
    rng = np.random.default_rng(0)
    labels = (rng.random(8000) < 0.1).astype(int)
    place = rng.standard_normal(8000) + 2 * labels  # log-likelihood ratio 2 * place - 2
    balanced = softmax(np.stack([np.zeros(8000), 2 * place - 2], axis=1))
    found, proba = calibrated(balanced, labels, 8000, [0.9, 0.1])
    assert found.prior_weight == pytest.approx(1, abs=0.1)
    assert tuple(1 / weight for weight in found.weights) == pytest.approx((1,), rel=0.1)
    assert proba[:, 1].mean() == pytest.approx(labels.mean(), abs=0.01)


def test_calibration_of_noise_leaves_the_shares():
    rng = np.random.default_rng(1)
    labels, shares = np.repeat([0, 1], [700, 300]), np.array([0.7, 0.3])
    _, proba = calibrated(softmax(8 * rng.standard_normal((1000, 2))), labels, 1000, shares)
    assert np.abs(proba - shares).max() < 0.12


def test_right_everywhere_is_not_infallible():
    labels = np.repeat([0, 1], 20)
    right = np.where(np.eye(2)[labels] == 1, 1 - 1e-9, 1e-9)
    for n_groups in (4, 40):
        _, proba = calibrated(right, labels, n_groups, [0.5, 0.5])
        assert proba.max() == pytest.approx(1 - 1 / (n_groups + 2), abs=1e-3)


def test_a_rare_genre_is_predicted_and_as_probable_as_it_is_frequent():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], [720, 80])
    embeddings = rng.standard_normal((800, N_COLUMNS)) + 0.25 * labels[:, np.newaxis]
    train = np.arange(800) % 2 == 0
    for name in ("pca_xgboost", "lda", "svm"):
        raw = np.stack([pipeline_predict_proba(one, embeddings[~train]) for one in
                        fit(name, embeddings[train], labels[train], 2, 0).pipelines])  # fmt: skip
        half = np.arange(400) % 2 == 0
        tuning = tune(name, raw[np.newaxis, :, np.newaxis, half], labels[~train][half], np.arange(200), [0])
        proba = tuning.calibration.apply(raw[:, ~half])
        assert proba[:, 1].mean() == pytest.approx(0.1, abs=0.05), name
        assert (proba.argmax(axis=1) == 1)[labels[~train][~half] == 1].mean() >= 0.5, name


def test_the_point_of_smallest_log_loss_is_chosen():
    logits, labels = drawn(600)
    noise = softmax(np.random.default_rng(1).standard_normal((600, 3)))
    proba = np.stack([noise, softmax(2 * logits), noise])[:, np.newaxis, np.newaxis]
    tuning = tune("logistic", proba, labels, np.arange(600), [0, 1, 2])
    assert tuning.point == 1
    assert tuple(1 / weight for weight in tuning.calibration.weights) == pytest.approx((2,), rel=0.2)
    assert tune("logistic", proba, labels, np.arange(600), [7, 8, 9]).point == 8
    assert tune("published", proba[:1], labels, np.arange(600), [0]).calibration.weights == (1,)


@pytest.mark.parametrize("name", ["pca_xgboost", "xgboost", "svm", "average"])
def test_a_seed_fits_the_same_twice(name):
    embeddings, labels, _ = clouds(2, 10, 0.1)
    one, other = (fit(name, embeddings, labels, 2, 7).predict_proba(embeddings) for _ in range(2))
    assert np.array_equal(one, other)
