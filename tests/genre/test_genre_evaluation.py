"""Evaluations of libraries about which the answer is known."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from libraries import labelled_library, separable_library

from songmap.core.errors import UsageError
from songmap.genre import evaluate as evaluation
from songmap.genre.evaluate import Evaluation, evaluate, final
from songmap.genre.learn import learn
from songmap.genre.material import training_material
from songmap.genre.models import CANDIDATES
from songmap.genre.splits import plan_splits
from songmap.genre.verdicts import gap_meaning, leakage_meaning, limits, permutation_meaning
from songmap.library.library import Library
from songmap.library.schema import N_COLUMNS

FEW = ("pca_xgboost", "logistic", "majority")


@pytest.fixture(autouse=True, scope="module")
def small_grid():
    """One fit for each inner fold of the default: what is known here does not hang on its grid."""

    def grid(labels: np.ndarray) -> list[dict]:
        return [{"components": min(40, len(labels) // 2), "depth": 2, "trees": trees} for trees in (50, 100)]

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(CANDIDATES, "pca_xgboost", replace(CANDIDATES["pca_xgboost"], grid=grid))
        yield


def judge(library: Library, seed: int = 42, **options) -> Evaluation:
    """One repeat and few draws: known answers need no more."""
    material = training_material(library)
    options = {"names": FEW, "n_draws": 200, "n_permutations": 199} | options
    plan = plan_splits(material, seed, n_repeats=1)
    return evaluate(library.embeddings[material.rows], material, plan, seed, **options)


def random_embeddings(n_songs: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n_songs, N_COLUMNS))


@cache
def noise() -> Evaluation:
    genres = list(np.random.default_rng(0).permutation(["A"] * 30 + ["B"] * 30))
    return judge(labelled_library(random_embeddings(60), genres, [f"artist {row // 2}" for row in range(60)]))


@cache
def copied_artists() -> Evaluation:
    """Sixteen artists with five near copies each, the artists' genres drawn at random."""
    voices = np.repeat(random_embeddings(16), 5, axis=0) + 0.05 * random_embeddings(80, 1)
    genres = list(np.repeat(np.random.default_rng(2).permutation(["A", "B"] * 8), 5))
    return judge(labelled_library(voices, genres, [f"artist {row // 5}" for row in range(80)]))


@cache
def separable() -> Evaluation:
    return judge(separable_library(2, 24), names=tuple(CANDIDATES))


def test_noise_is_chance_and_said_to_be():
    found = noise()
    assert found.permutation["p_value"] > 0.05
    assert found.permutation["accuracy"] == pytest.approx(found.permutation["chance"], abs=0.2)
    assert found.gap["train_accuracy"] > found.gap["cv_accuracy"] + 0.1
    assert "not shown to be better than chance" in found.permutation["meaning"]
    assert "which chance explains" in found.gap["meaning"]
    assert any("take its answers for guesses" in limit for limit in found.limits)


def test_confident_answers_vanish_in_noise():
    assert noise().out_of_fold.max(axis=1).mean() < 0.65
    assert noise().scores[1]["log_loss"] < 0.8  # ln 2 is 0.693


def test_copies_of_artists_show_in_the_leakage_meter():
    found = copied_artists().leakage
    assert found["random_accuracy"] > 0.9
    assert found["grouped_accuracy"] < 0.7
    assert found["difference"] == found["random_accuracy"] - found["grouped_accuracy"]
    assert "come from knowing the artists" in found["meaning"]
    assert copied_artists().permutation["p_value"] > 0.05


def test_nothing_leaks_where_artists_say_nothing():
    assert "no leak shows" in separable().leakage["meaning"]
    assert separable().leakage["difference"] < 0.1


def test_separable_genres_are_found_again_by_all_but_the_published_parameters_and_the_majority():
    found = separable()
    by_name = {record["model"]: record for record in found.candidates}
    assert list(by_name) == list(CANDIDATES)
    for name, record in by_name.items():
        assert (record["accuracy"] > 0.85) == (name not in ("published", "majority")), name
        assert record["songs"] == 48 - round(48 / 5)
    assert by_name["pca_xgboost"]["difference"] == by_name["pca_xgboost"]["difference_error"] == 0
    assert found.permutation["p_value"] == pytest.approx(1 / 200)
    assert found.scores[0]["accuracy"] > 0.8
    assert found.scores[0]["baseline_accuracy"] < 0.7


def test_ten_genres_of_ten_songs_are_too_much_for_the_published_parameters_alone():
    library = separable_library(10, 10, distance=0.6)
    values = {
        record["model"]: record["balanced_accuracy"] for record in judge(library, names=(*FEW, "published")).candidates
    }
    assert values["published"] < 0.2
    assert min(values["pca_xgboost"], values["logistic"]) > 0.6


def test_probabilities_are_those_of_judges_that_had_not_seen_the_songs():
    library = separable_library(2, 24)
    material, found = training_material(library), separable()
    plan = plan_splits(material, 42, n_repeats=1)
    assert len(found.judges) == len(found.component_judges) == 6
    assert set(found.fold_of[plan.test]) == {5}
    for number, judge_ in enumerate(found.judges):
        own = found.fold_of == number
        assert found.out_of_fold[own] == pytest.approx(judge_.probabilities(library.embeddings[material.rows][own]))
    train, _ = plan.repeats[0][2]
    again = learn(
        found.chosen, library.embeddings[train], material.labels[train], plan.groups[train], 2, 42
    ).probabilities(library.embeddings)
    assert found.judges[2].probabilities(library.embeddings) == pytest.approx(again)
    assert {judge_.name for judge_ in found.component_judges} == {"pca_xgboost"}


def test_scores_are_those_of_the_probabilities():
    library = separable_library(2, 24)
    material, found = training_material(library), separable()
    plan = plan_splits(material, 42, n_repeats=1)
    right = found.out_of_fold.argmax(axis=1) == material.labels
    tested, crossed = found.scores
    assert (tested["tested_on"], crossed["tested_on"]) == (
        f"{len(plan.test)} test songs", "5-fold cross-validation, once"
    )  # fmt: skip
    assert tested["accuracy"] == pytest.approx(right[plan.test].mean())
    assert crossed["accuracy"] == pytest.approx(right[plan.development].mean())
    for score in found.scores:
        for name in ("accuracy", "balanced_accuracy", "macro_f1", "log_loss"):
            assert score[f"{name}_low"] <= score[name] + 1e-12
            assert score[name] <= score[f"{name}_high"] + 1e-12
    recall = [right[plan.development][material.labels[plan.development] == label].mean() for label in (0, 1)]
    assert [record["recall"] for record in found.per_genre] == pytest.approx(recall)
    assert [(record["genre"], record["songs"]) for record in found.per_genre] == [("GENRE00", 24), ("GENRE01", 24)]


def test_the_better_one_is_served_and_the_reason_says_by_how_much():
    """Genres differ in six columns beside six strong directions: principal components blur that, a discriminant does not."""
    rng = np.random.default_rng(0)
    embeddings = rng.standard_normal((80, 6)) @ rng.standard_normal((6, N_COLUMNS)) + 0.3 * random_embeddings(80, 1)
    labels = np.repeat([0, 1], 40)
    embeddings[:, 200:206] += 1.5 * labels[:, np.newaxis]
    found = judge(labelled_library(embeddings, [f"G{label}" for label in labels]), names=(*FEW, "lda"))
    by_name = {record["model"]: record for record in found.candidates}
    assert by_name["lda"]["difference"] > by_name["lda"]["difference_error"]
    assert found.chosen == "lda"
    assert found.reason.startswith("shrinkage LDA is served: its balanced accuracy")
    assert f"by {by_name['lda']['difference']:.3f}, more than one standard error" in found.reason
    assert {one.name for one in found.judges} == {"lda"}


def test_the_default_is_served_where_no_other_is_better():
    found = copied_artists()
    other = found.candidates[1]
    assert (found.chosen == "logistic") == (other["difference"] > max(other["difference_error"], 0))
    assert CANDIDATES[found.chosen].title in found.reason


def test_a_model_can_be_asked_for():
    found = judge(separable_library(2, 10), model="majority")
    assert found.chosen == "majority"
    assert "is served as asked for; by the scores it would be" in found.reason
    assert any("says the same of every song" in limit for limit in found.limits)


def test_an_unknown_model_is_one_line():
    with pytest.raises(UsageError, match="there is no model 'forest'; there are pca_xgboost, published"):
        judge(separable_library(2, 8), model="forest")


def test_a_model_that_so_many_songs_would_take_hours_is_refused():
    most = CANDIDATES["svm"].most_songs
    library = separable_library(2, most // 2 + 1)
    with pytest.raises(UsageError, match=r"RBF SVM is fitted on at most 4,000 songs, here are 4,002"):
        final(library.embeddings, training_material(library), "svm", 0)


def test_rare_genres_are_not_forgotten():
    """Ninety to ten, far apart: always the commonest would be right 90 % of the time."""
    rng = np.random.default_rng(3)
    labels = np.repeat([0, 1], [90, 10])
    embeddings = rng.standard_normal((100, N_COLUMNS)) + 0.6 * labels[:, np.newaxis]
    found = judge(labelled_library(embeddings, ["COMMON" if label == 0 else "RARE" for label in labels]))
    assert found.scores[1]["baseline_accuracy"] == pytest.approx(0.9, abs=0.02)
    assert found.per_genre[1]["recall"] >= 0.7
    assert found.scores[1]["balanced_accuracy"] > 0.8


def test_twelve_genres_of_six_songs():
    found = judge(separable_library(12, 6, distance=0.6), model="logistic")
    assert found.scores[1]["accuracy"] > 0.8
    assert found.out_of_fold.sum(axis=1) == pytest.approx(1)


def test_two_genres_of_eight_songs_by_four_artists_each():
    found = judge(separable_library(2, 8), names=tuple(CANDIDATES))
    assert np.isfinite(found.out_of_fold).all()
    assert len(found.judges) == 4  # three folds, since three artists of each genre are left by the test set


def test_constant_columns_do_no_harm():
    library = separable_library(2, 12)
    embeddings = library.embeddings.copy()
    embeddings[:, ::2] = 3.25
    found = judge(Library(embeddings, library.songs))
    assert np.isfinite(found.out_of_fold).all()
    assert found.scores[1]["accuracy"] > 0.75


def test_the_order_of_the_rows_changes_nothing():
    library = separable_library(2, 8, distance=0.3)
    order = np.random.default_rng(0).permutation(len(library))
    shuffled = Library(library.embeddings[order], library.songs.iloc[order].reset_index(drop=True))
    one, other = judge(library), judge(shuffled)
    assert np.array_equal(one.out_of_fold, other.out_of_fold)
    assert one.candidates == other.candidates
    assert one.scores == other.scores


def test_the_seed_decides_and_the_number_of_cores_does_not(monkeypatch):
    library = separable_library(2, 12, distance=0.2)
    one = judge(library, seed=1)
    monkeypatch.setattr(evaluation, "usable_cores", lambda: 5)
    again, other = judge(library, seed=1), judge(library, seed=2)
    assert np.array_equal(one.out_of_fold, again.out_of_fold)
    assert one.scores == again.scores
    assert not np.array_equal(one.out_of_fold, other.out_of_fold)


def test_many_songs_thin_the_candidates_and_say_on_how_many_each_was_compared():
    library = separable_library(2, 75, distance=0.25)
    seen = []
    found = judge(
        library, names=(*FEW, "published", "xgboost"), compare_all=40, on_progress=lambda *at: seen.append(at)
    )
    songs = {record["model"]: record["songs"] for record in found.candidates}
    assert songs["pca_xgboost"] == songs["majority"] == 120
    assert songs["published"] < 60
    assert found.chosen in [name for name, number in songs.items() if number == 120]
    assert [done for done, _ in seen] == list(range(1, len(seen) + 1))
    assert seen[-1][0] == seen[-1][1]


def test_the_model_served_is_learned_from_all_songs():
    library = separable_library(2, 12)
    material = training_material(library)
    learned = final(library.embeddings[material.rows], material, "lda", 0)
    assert learned.calibration.shares.tolist() == [0.5, 0.5]
    assert learned.pipeline["scaler"].n_samples_seen_ == 24
    assert (learned.probabilities(library.embeddings).argmax(axis=1) == material.labels).all()


def test_limits_say_what_scores_do_not_show():
    assert limits("LDA", 50, False, 0.001, 0.9, 30, "artist") == []
    assert "p = 0.30): take its answers for guesses" in limits("LDA", 50, False, 0.3, 0.9, 30, "artist")[0]
    assert "too strict for 50 songs" in limits("LDA", 50, True, 1.0, 0.5, 30, "song")[0]
    assert "of 3 artists: of so few" in limits("LDA", 50, False, 0.001, 0.9, 3, "artist")[0]
    (sure,) = limits("LDA", 50, False, 0.001, 1.0, 10, "song")
    assert "of 10 songs, they leave an accuracy down to 0.74" in sure  # 0.74 ** 10 is 0.05


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (gap_meaning(1.0, 0.8, 0.001), "it gets 100 % right, of others 80 %: 20 points are memory"),
        (gap_meaning(0.9, 0.88, 0.001), "as well as its own"),
        (gap_meaning(1.0, 0.5, 0.4), "which chance explains"),
        (permutation_meaning(0.8, 0.5, 1 / 200, 199, "artist"), "Of 199 shufflings of the genres among artists none"),
        (permutation_meaning(0.52, 0.5, 61 / 200, 199, "song"), "among songs 60 reached 52 % (on average 50 %), p = 0.305"),
        (leakage_meaning(0.6, 0.9, 0.05, "album"), "30 points come from knowing the albums"),
        (leakage_meaning(0.8, 0.85, 0.05, "artist"), "no leak shows"),
        (leakage_meaning(0.8, 0.8, 0.0, "song"), "cannot be measured"),
    ],
)  # fmt: skip
def test_sentences_repeat_the_figures(text, wanted):
    assert wanted in text
    assert text.endswith(".")
    assert "\n" not in text
