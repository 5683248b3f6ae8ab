"""The candidates, their parameters and their calibration, chosen inside the training songs."""

import warnings

import numpy as np
import pytest
from libraries import separable_library

from songmap.genre.candidates import CANDIDATES, TREES
from songmap.genre.fit import FittedCandidate, TrainingSongs, calibrate, fit_candidate, inner_folds, one_thread
from songmap.library.genre_model import Calibration, pipeline_predict_proba
from songmap.library.schema import N_COLUMNS


@pytest.fixture(autouse=True, scope="module")
def alone():
    """As wherever models are fitted."""
    with one_thread():
        yield


def clouds(n_genres: int, songs: int, distance: float = 0.4) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Embeddings, labels and groups of two songs."""
    library = separable_library(n_genres, songs, distance=distance)
    return library.embeddings, np.repeat(np.arange(n_genres), songs), library.songs["artist"].to_numpy(object)


def fit(name: str, embeddings, labels, groups, n_genres: int, seed: int, **options) -> FittedCandidate:
    return fit_candidate(name, TrainingSongs(embeddings, labels, groups, n_genres), seed, **options)


def test_published_parameters_are_the_published_ones_and_nothing_is_added():
    embeddings, labels, groups = clouds(2, 30)
    fitted = fit("published", embeddings, labels, groups, 2, 0)
    trees = fitted.pipeline[-1].get_params()
    wanted = {
        "n_estimators": 50, "max_depth": 2, "learning_rate": 0.03, "subsample": 0.6, "colsample_bytree": 0.6,
        "min_child_weight": 5, "gamma": 2, "reg_alpha": 0.5, "reg_lambda": 2,
    }  # fmt: skip
    assert {name: trees[name] for name in wanted} == wanted
    assert fitted.pipeline["pca"].n_components_ == 15
    assert [name for name, _ in fitted.pipeline.steps] == ["scaler", "pca", "trees"]
    raw = pipeline_predict_proba(fitted.pipeline, embeddings)
    assert fitted.predict_proba(embeddings) == pytest.approx(raw, abs=1e-6)  # float32 rows sum to nearly 1


@pytest.mark.parametrize("name", list(CANDIDATES))
@pytest.mark.parametrize(("n_genres", "songs"), [(2, 3), (12, 3), (3, 20)])
def test_every_candidate_fits_few_songs_and_many_genres_without_a_warning(name, n_genres, songs):
    embeddings, labels, groups = clouds(n_genres, songs)
    embeddings[:, ::3] = 1.5  # constant columns
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = fit(name, embeddings, labels, groups, n_genres, 0).predict_proba(embeddings)
    assert found.shape == (n_genres * songs, n_genres)
    assert found.sum(axis=1) == pytest.approx(1)
    assert (found >= 0).all()


@pytest.mark.parametrize("name", [name for name in CANDIDATES if name not in ("published", "majority")])
def test_every_candidate_classifies_clouds(name):
    embeddings, labels, groups = clouds(4, 24)
    train = np.arange(96) % 24 < 16
    fitted = fit(name, embeddings[train], labels[train], groups[train], 4, 0)
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


@pytest.mark.parametrize("name", ["pca_xgboost", "lda", "logistic", "svm"])
def test_a_rare_genre_is_predicted_and_as_probable_as_it_is_frequent(name):
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], [360, 40])
    embeddings = rng.standard_normal((400, N_COLUMNS)) + 0.25 * labels[:, np.newaxis]
    train = np.arange(400) % 2 == 0
    fitted = fit(name, embeddings[train], labels[train], np.arange(200), 2, 0)
    found = fitted.predict_proba(embeddings[~train])
    assert found[:, 1].mean() == pytest.approx(0.1, abs=0.05)
    assert (found.argmax(axis=1) == 1)[labels[~train] == 1].mean() >= 0.5


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


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_calibration_recovers_a_known_temperature(temperature):
    rng = np.random.default_rng(0)
    logits = 2 * rng.standard_normal((5000, 3))
    labels = np.array([rng.choice(3, p=row) for row in softmax(logits)])
    found, _ = calibrate(softmax(logits * temperature), labels, np.arange(5000), np.full(3, 1 / 3))
    assert found.temperature == pytest.approx(temperature, rel=0.1)
    assert found.prior_weight == 0


def test_calibration_gives_frequency_back():
    """Nine to one, seen by a model that weights both equally: the true odds are the model's times nine."""
    rng = np.random.default_rng(0)
    labels = (rng.random(8000) < 0.1).astype(int)
    place = rng.standard_normal(8000) + 2 * labels  # log-likelihood ratio 2 * place - 2
    balanced = softmax(np.stack([np.zeros(8000), 2 * place - 2], axis=1))
    found, _ = calibrate(balanced, labels, np.arange(8000), np.array([0.9, 0.1]))
    assert found.prior_weight == pytest.approx(1, abs=0.1)
    assert found.temperature == pytest.approx(1, rel=0.1)
    assert found.apply(balanced)[:, 1].mean() == pytest.approx(labels.mean(), abs=0.01)


def test_calibration_of_noise_leaves_the_shares():
    rng = np.random.default_rng(1)
    labels = np.repeat([0, 1], [700, 300])
    found = softmax(8 * rng.standard_normal((1000, 2)))
    shares = np.array([0.7, 0.3])
    calibrated = calibrate(found, labels, np.arange(1000), shares)[0].apply(found)
    assert np.abs(calibrated - shares).max() < 0.12


def test_right_everywhere_is_not_infallible():
    labels = np.repeat([0, 1], 20)
    found = np.where(np.eye(2)[labels] == 1, 1 - 1e-9, 1e-9)
    for n_groups in (4, 40):
        calibrated = calibrate(found, labels, np.arange(40) % n_groups, np.array([0.5, 0.5]))[0].apply(found)
        assert calibrated.max() == pytest.approx(1 - 1 / (n_groups + 2), abs=1e-3)


def test_calibration_without_parameters_is_the_identity():
    found = softmax(np.random.default_rng(0).standard_normal((50, 4)))
    assert Calibration(1.0, 0.0, np.full(4, 0.25)).apply(found) == pytest.approx(found)


def test_inner_folds_keep_groups_and_fall_back_to_songs_and_to_none():
    labels = np.repeat([0, 1], 6)
    pairs = np.arange(12) // 2
    for train, test in inner_folds(labels, pairs, 0):
        assert not set(pairs[train]) & set(pairs[test])
    assert len(inner_folds(labels, labels, 0)) == 4
    assert inner_folds(np.array([0, 0, 1, 1, 1]), np.zeros(5), 0) == []


def test_without_inner_folds_the_middle_of_the_grid_is_fitted_uncalibrated():
    embeddings, labels, groups = clouds(2, 2)
    fitted = fit("logistic", embeddings, labels, groups, 2, 0)
    assert fitted.parameters == {"C": 1e-2}
    assert (fitted.calibration.temperature, fitted.calibration.prior_weight) == (1, 0)


def test_large_sets_choose_on_a_part_and_calibrate_on_a_fold():
    embeddings, labels, groups = clouds(2, 60)
    whole = fit("logistic", embeddings, labels, groups, 2, 0)
    part = fit("logistic", embeddings, labels, groups, 2, 0, grid_songs=40)
    assert part.parameters["C"] in (1e-3, 1e-2, 1e-1)
    assert part.calibration.temperature != whole.calibration.temperature
    train, test = inner_folds(labels, groups, 0)[0]
    pipeline = CANDIDATES["logistic"].fit(part.parameters, embeddings[train], labels[train], 2, 0)
    wanted, _ = calibrate(
        pipeline_predict_proba(pipeline, embeddings[test]), labels[test], groups[test], part.calibration.shares
    )
    assert part.calibration.temperature == pytest.approx(wanted.temperature)


@pytest.mark.parametrize("name", ["pca_xgboost", "xgboost", "svm"])
def test_a_seed_fits_the_same_twice(name):
    embeddings, labels, groups = clouds(2, 10, 0.1)
    one, other = (fit(name, embeddings, labels, groups, 2, 7).predict_proba(embeddings) for _ in range(2))
    assert np.array_equal(one, other)
