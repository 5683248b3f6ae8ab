"""Evaluations of libraries about which the answer is known."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from libraries import labelled_library, separable_library

from songmap.core.errors import UsageError
from songmap.genre import cross_validation
from songmap.genre.candidates import CANDIDATES, CHOSEN_FROM, points_of
from songmap.genre.comparison import Settings, choice_scores, choose, log_loss
from songmap.genre.cross_validation import CrossValidated
from songmap.genre.dataset import training_dataset
from songmap.genre.evaluation import Evaluation, evaluate, fit_final
from songmap.genre.fit import TrainingSongs, Tuning, fit_candidate
from songmap.genre.limits import (
    AllTestSongsCorrect,
    ConstantPredictions,
    FewTestGroups,
    FewTestSongs,
    NotBetterThanChance,
    UnverifiedCalibration,
)
from songmap.genre.metrics import sampled_scores
from songmap.genre.results import PermutationTest, Reliability
from songmap.genre.score_limits import score_limits, size_limits
from songmap.genre.splits import plan_splits
from songmap.library.genre_model import uncalibrated
from songmap.library.library import Library
from songmap.library.schema import N_COLUMNS

FEW = ("pca_xgboost", "logistic", "majority")


pytestmark = pytest.mark.usefixtures("small_evaluation")


def evaluated(library: Library, seed: int = 42, on_progress=None, **settings) -> Evaluation:
    """One repeat and few draws: known answers need no more."""
    dataset = training_dataset(library)
    settings = Settings(**{"names": FEW, "n_draws": 200, "n_permutations": 199} | settings)
    plan = plan_splits(dataset, seed, n_repeats=1)
    return evaluate(library.embeddings[dataset.rows], dataset, plan, seed, settings, on_progress)


def out_of_fold(library: Library, evaluation: Evaluation) -> np.ndarray:
    """Probabilities of each song by the model trained without it, ``(n_songs, n_genres)``."""
    embeddings = library.embeddings[training_dataset(library).rows]
    models = [evaluation.fold_models[fold] for fold in evaluation.fold_of]
    return np.concatenate([model.predict_proba(row) for model, row in zip(models, embeddings, strict=True)])


def random_embeddings(n_songs: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n_songs, N_COLUMNS))


def noise_library() -> Library:
    genres = list(np.random.default_rng(0).permutation(["A"] * 30 + ["B"] * 30))
    return labelled_library(random_embeddings(60), genres, [f"artist {row // 2}" for row in range(60)])


@cache
def noise() -> Evaluation:
    return evaluated(noise_library())


@cache
def copied_artists() -> Evaluation:
    """Sixteen artists with five near copies each, the artists' genres drawn at random."""
    voices = np.repeat(random_embeddings(16), 5, axis=0) + 0.05 * random_embeddings(80, 1)
    genres = list(np.repeat(np.random.default_rng(2).permutation(["A", "B"] * 8), 5))
    return evaluated(labelled_library(voices, genres, [f"artist {row // 5}" for row in range(80)]))


@cache
def separable() -> Evaluation:
    return evaluated(separable_library(2, 24), names=tuple(CANDIDATES))


def test_noise_is_chance_and_a_limit():
    found = noise()
    assert found.permutation.p_value > 0.05
    assert not found.permutation.significant
    assert found.permutation.recall == pytest.approx(found.permutation.chance, abs=0.2)
    assert found.overfitting.train_accuracy > found.overfitting.cv_accuracy + 0.1
    assert NotBetterThanChance(found.choice.model, found.permutation.p_value) in found.limits


def test_no_confident_predictions_in_noise():
    assert out_of_fold(noise_library(), noise()).max(axis=1).mean() < 0.65
    assert noise().scores[1].log_loss < 0.8  # ln 2 is 0.693


def test_copies_of_artists_show_as_leakage():
    found = copied_artists().leakage
    assert found.random_accuracy > 0.9
    assert found.grouped_accuracy < 0.7
    assert found.difference == found.random_accuracy - found.grouped_accuracy
    assert found.significant
    assert copied_artists().permutation.p_value > 0.05


def test_nothing_leaks_where_artists_carry_no_information():
    assert not separable().leakage.significant
    assert separable().leakage.difference < 0.1


def test_separable_genres_are_classified_by_all_but_the_published_parameters_and_the_majority():
    found = separable()
    by_name = {one.model: one for one in found.candidates}
    assert list(by_name) == list(CANDIDATES)
    for name, one in by_name.items():
        assert (one.accuracy > 0.85) == (name not in ("published", "majority")), name
        assert one.songs == 48 - round(48 / 5)
    best = by_name[found.choice.best]
    assert best.difference == best.difference_error == 0
    assert best.log_loss == min(one.log_loss for name, one in by_name.items() if name in CHOSEN_FROM)
    assert (found.permutation.p_value, found.permutation.hits) == (pytest.approx(1 / 200), 0)
    assert found.scores[0].accuracy > 0.8
    assert found.scores[0].baseline_accuracy < 0.7


def test_ten_genres_of_ten_songs_are_too_much_for_the_published_parameters_alone():
    library = separable_library(10, 10, distance=0.6)
    values = {one.model: one.balanced_accuracy for one in evaluated(library, names=(*FEW, "published")).candidates}
    assert values["published"] < 0.2
    assert min(values["pca_xgboost"], values["logistic"]) > 0.6


def test_every_song_has_a_model_trained_without_it():
    library = separable_library(2, 24)
    dataset, found = training_dataset(library), separable()
    plan = plan_splits(dataset, 42, n_repeats=1)
    assert len(found.fold_models) == len(found.component_models) == 6
    assert set(found.fold_of[plan.test]) == {5}
    for number, (_, test) in enumerate(plan.repeats[0]):
        assert set(found.fold_of[test]) == {number}
    train, _ = plan.repeats[0][2]
    songs = TrainingSongs(library.embeddings[train], dataset.labels[train], 2)
    model = found.fold_models[2]
    (point,) = [
        number
        for number, points in enumerate(points_of(model.name, songs.labels))
        if {key: value for one in points for key, value in one.items()} == model.parameters
    ]
    again = fit_candidate(model.name, songs, Tuning(point, model.calibration), 42).predict_proba(library.embeddings)
    assert model.predict_proba(library.embeddings) == pytest.approx(again)
    assert {model.name for model in found.component_models} == {"pca_xgboost"}


def test_scores_are_those_of_the_probabilities():
    library = separable_library(2, 24)
    dataset, found = training_dataset(library), separable()
    plan = plan_splits(dataset, 42, n_repeats=1)
    right = out_of_fold(library, found).argmax(axis=1) == dataset.labels
    tested, crossed = found.scores
    assert (tested.split, tested.n_songs) == ("test", len(plan.test))
    assert (crossed.split, crossed.n_folds, crossed.n_repeats) == ("cross_validation", 5, 1)
    assert tested.accuracy == pytest.approx(right[plan.test].mean())
    assert crossed.accuracy == pytest.approx(right[plan.development].mean())
    for score in map(vars, found.scores):
        for name in ("accuracy", "balanced_accuracy", "macro_f1", "log_loss"):
            assert score[f"{name}_low"] <= score[name] + 1e-12
            assert score[name] <= score[f"{name}_high"] + 1e-12
    recall = [right[plan.development][dataset.labels[plan.development] == label].mean() for label in (0, 1)]
    assert [one.recall for one in found.per_genre] == pytest.approx(recall)
    assert [(one.genre, one.songs) for one in found.per_genre] == [("GENRE00", 24), ("GENRE01", 24)]


def compared(*losses: float, spread: float, n_groups: int = 40) -> dict[str, CrossValidated]:
    """Candidates, the simplest first, of which ``losses`` are the mean log losses, ``spread`` over groups."""
    rng, results = np.random.default_rng(0), {}
    labels = np.arange(n_groups) % 2
    for name, loss in zip(CHOSEN_FROM, losses, strict=False):
        noise = rng.standard_normal(n_groups)
        right = np.exp(-np.abs(loss + spread * (noise - noise.mean()) / noise.std()))
        proba = np.where(np.eye(2)[labels] == 1, right[:, np.newaxis], 1 - right[:, np.newaxis])[np.newaxis]
        sampled = sampled_scores(labels, proba, np.arange(n_groups), 0, 10)
        results[name] = CrossValidated(name, np.arange(n_groups), proba, [], Tuning(0, None), sampled)
    return results


@pytest.mark.parametrize(
    ("losses", "spread", "selected", "best"),
    [
        ((0.50, 0.45, 0.40), 0.01, "svm", "svm"),  # the simpler ones are many standard errors worse
        ((0.50, 0.41, 0.40), 0.10, "logistic", "svm"),  # 0.01 apart, within one standard error
        ((0.40, 0.45, 0.41), 0.01, "lda", "lda"),
        ((0.41, 0.41, 0.40), 0.20, "lda", "svm"),
    ],
)
def test_the_simplest_within_one_standard_error_of_the_best_is_chosen(losses, spread, selected, best):
    choice = choose(compared(*losses, spread=spread), np.arange(40) % 2, np.arange(40), None)
    assert (choice.selected, choice.model, choice.best) == (selected, selected, best)
    assert (choice.difference <= choice.standard_error) == (choice.selected != choice.best) or selected == best
    assert choice.log_loss - choice.best_log_loss == pytest.approx(choice.difference)


def test_pca_and_xgboost_is_not_protected():
    """It stays in the table, and another one that is better by log loss is used."""
    found = separable()
    by_name = {one.model: one for one in found.candidates}
    assert by_name["pca_xgboost"].difference > by_name["pca_xgboost"].difference_error
    assert found.choice.model != "pca_xgboost"
    assert {one.name for one in found.fold_models} == {found.choice.model}


def test_the_score_that_includes_the_choice_is_not_better_than_the_best_of_noise():
    """Of six equally useless candidates the best looks good by chance; on songs that did not choose it, it is not."""
    rng, flattered, honest = np.random.default_rng(0), [], []
    for _ in range(20):
        results = compared(*[0.7] * 6, spread=0.0, n_groups=60)
        for name, one in results.items():
            proba = rng.dirichlet([4, 4], 60)[np.newaxis]
            sampled = sampled_scores(np.arange(60) % 2, proba, np.arange(60), 0, 10)
            results[name] = replace(one, repeats_proba=proba, sampled=sampled)
        flattered.append(min(log_loss(one) for one in results.values()))
        honest.append(choice_scores(results, np.arange(60) % 2, np.arange(60), 0, 200).log_loss)
    expected = np.mean([log_loss(one) for one in results.values()])
    assert np.mean(flattered) < np.mean(honest) - 0.02
    assert np.mean(honest) == pytest.approx(expected, abs=0.06)


def test_tuning_by_other_folds_does_not_flatter():
    """Labels drawn at random: no candidate is better than chance, whatever its grid."""
    losses, accuracies = [], []
    for seed in range(6):
        library = labelled_library(
            random_embeddings(60, seed), list(np.random.default_rng(seed).permutation(["A"] * 30 + ["B"] * 30))
        )
        found = evaluated(library, seed, names=("pca_xgboost", "lda", "svm", "majority"))
        losses += [one.log_loss for one in found.candidates]
        accuracies += [one.accuracy for one in found.candidates]
    assert np.mean(losses) > np.log(2) - 0.01
    assert np.mean(accuracies) < 0.55


def test_ten_genres_of_ten_songs_are_calibrated():
    """In cross-validation, to what a perfectly calibrated model shows on as many songs."""
    found = evaluated(separable_library(10, 10, distance=0.5), names=("lda", "svm", "pca_xgboost", "majority"))
    assert found.scores[1].ece < 1.3 * found.scores[1].calibrated_ece
    assert found.reliability.error < found.reliability.largest_calibrated_error


def test_a_model_can_be_requested():
    found = evaluated(separable_library(2, 10), model="majority")
    assert (found.choice.model, found.choice.requested) == ("majority", True)
    assert found.choice.selected != "majority"
    assert any(isinstance(limit, ConstantPredictions) for limit in found.limits)


def test_an_unknown_model_is_one_line():
    with pytest.raises(UsageError, match="there is no model 'forest'; there are lda, logistic, svm"):
        evaluated(separable_library(2, 8), model="forest")


def test_a_model_that_so_many_songs_would_take_hours_is_refused():
    most = CANDIDATES["svm"].most_songs
    library = separable_library(2, most // 2 + 1)
    with pytest.raises(UsageError, match=r"RBF SVM is fitted on at most 4,000 songs, here are 4,002"):
        evaluated(library, model="svm")


def test_rare_genres_are_predicted():
    """Ninety to ten, far apart: the most frequent would be right 90 % of the time."""
    rng = np.random.default_rng(3)
    labels = np.repeat([0, 1], [90, 10])
    embeddings = rng.standard_normal((100, N_COLUMNS)) + 0.6 * labels[:, np.newaxis]
    found = evaluated(labelled_library(embeddings, ["COMMON" if label == 0 else "RARE" for label in labels]))
    assert found.scores[1].baseline_accuracy == pytest.approx(0.9, abs=0.02)
    assert found.per_genre[1].recall >= 0.7
    assert found.scores[1].balanced_accuracy > 0.8


def test_twelve_genres_of_six_songs():
    library = separable_library(12, 6, distance=0.6)
    found = evaluated(library, model="logistic")
    assert found.scores[1].accuracy > 0.8
    assert out_of_fold(library, found).sum(axis=1) == pytest.approx(1)


def test_two_genres_of_eight_songs_by_four_artists_each():
    library = separable_library(2, 8)
    found = evaluated(library, names=tuple(CANDIDATES))
    assert np.isfinite(out_of_fold(library, found)).all()
    assert len(found.fold_models) == 4  # three folds, since three artists of each genre are left by the test set


def test_constant_columns_do_no_harm():
    library = separable_library(2, 12)
    embeddings = library.embeddings.copy()
    embeddings[:, ::2] = 3.25
    constant = Library(embeddings, library.songs)
    found = evaluated(constant)
    assert np.isfinite(out_of_fold(constant, found)).all()
    assert found.scores[1].accuracy > 0.75


def test_the_order_of_the_rows_changes_nothing():
    library = separable_library(2, 8, distance=0.3)
    order = np.random.default_rng(0).permutation(len(library))
    shuffled = Library(library.embeddings[order], library.songs.iloc[order].reset_index(drop=True))
    one, other = evaluated(library), evaluated(shuffled)
    assert np.array_equal(out_of_fold(library, one), out_of_fold(shuffled, other))
    assert one.candidates == other.candidates
    assert one.scores == other.scores


def test_the_seed_decides_and_the_number_of_cores_does_not(monkeypatch):
    library = separable_library(2, 12, distance=0.2)
    one = evaluated(library, seed=1)
    monkeypatch.setattr(cross_validation, "usable_cores", lambda: 5)
    again, other = evaluated(library, seed=1), evaluated(library, seed=2)
    assert np.array_equal(out_of_fold(library, one), out_of_fold(library, again))
    assert one.scores == again.scores
    assert not np.array_equal(out_of_fold(library, one), out_of_fold(library, other))


def test_many_songs_thin_the_candidates_and_the_scores_state_on_how_many():
    library = separable_library(2, 75, distance=0.25)
    seen = []
    found = evaluated(
        library, names=(*FEW, "published", "xgboost"), compare_all=40, on_progress=lambda *at: seen.append(at)
    )
    songs = {one.model: one.songs for one in found.candidates}
    assert songs["pca_xgboost"] == songs["majority"] == 120
    assert songs["published"] < 60
    assert found.choice.model in [name for name, number in songs.items() if number == 120]
    assert [done for done, _ in seen] == list(range(1, len(seen) + 1))
    assert seen[-1][0] == seen[-1][1]


def test_the_final_model_is_fitted_on_all_songs():
    library = separable_library(2, 12)
    dataset = training_dataset(library)
    fitted = fit_final(
        library.embeddings[dataset.rows], dataset, "lda", Tuning(0, uncalibrated(np.array([0.1, 0.9]))), 0
    )
    assert fitted.calibration.shares.tolist() == [0.5, 0.5]
    assert fitted.pipelines[0]["scaler"].n_samples_seen_ == 24
    assert (fitted.predict_proba(library.embeddings).argmax(axis=1) == dataset.labels).all()


def test_limits_of_scores():
    """In the plan every group is a song."""
    dataset = training_dataset(separable_library(2, 30), "song")
    plan = plan_splits(dataset, 0, n_repeats=1)
    n_groups, n_songs = len(plan.test), len(plan.development)
    certain, chance = PermutationTest(0.9, 0.5, 0.001, 999, 0), PermutationTest(0.9, 0.5, 0.3, 999, 299)
    assert n_groups >= 10
    assert score_limits("lda", False, certain, 0.9, plan) == []
    assert score_limits("lda", False, chance, 0.9, plan) == [NotBetterThanChance("lda", 0.3)]
    assert score_limits("lda", True, chance, 0.5, plan) == [ConstantPredictions("lda", n_songs)]
    few = replace(plan, test=plan.test[:3])
    assert score_limits("lda", False, certain, 0.9, few) == [FewTestGroups(3, "song")]
    (sure,) = score_limits("lda", False, certain, 1.0, replace(plan, test=plan.test[:10]))
    assert sure == AllTestSongsCorrect(10, "song", pytest.approx(0.7411, abs=1e-4))  # 0.7411 ** 10 is 0.05


def test_few_test_songs_and_few_groups_are_limits():
    labels = np.repeat([0, 1, 2], [6, 2, 4])
    many = Reliability(0.1, 0.1, 0.2, 0.7, 0.7, 60, True, [])
    assert size_limits(labels, ["A", "B", "C"], many, "artist") == [FewTestSongs("B", 2, 2, 5)]
    assert size_limits(np.repeat([0, 1], 5), ["A", "B"], many, "artist") == []
    few = replace(many, n_groups=12, verifiable=False)
    assert size_limits(np.repeat([0, 1], 5), ["A", "B"], few, "artist") == [UnverifiedCalibration(12, "artist")]
