"""Splits that keep artists together, and scores that are neither flattered nor lost."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from libraries import labelled_library, separable_library

from songmap.core.artifacts import Library
from songmap.core.errors import UsageError
from songmap.core.schema import N_COLUMNS
from songmap.genre.evaluate import Evaluation, confusion, evaluate, make_folds, make_holdout, plan_splits, uncertainty
from songmap.genre.material import MIN_SONGS, song_groups, training_material
from songmap.genre.models import fit


def judge(library: Library, seed: int = 42, preset: str = "default") -> Evaluation:
    material = training_material(library)
    learn = partial(fit, n_genres=len(material.genres), preset=preset, components=15, seed=seed)
    return evaluate(library.embeddings[material.rows], material, plan_splits(material, seed), learn)


def random_embeddings(n_songs: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n_songs, N_COLUMNS))


@pytest.mark.parametrize(("n_genres", "songs"), [(2, 24), (3, 12), (12, 6)])
def test_separable_genres_are_found_again(n_genres, songs):
    result = judge(separable_library(n_genres, songs))
    assert result.scores[1]["accuracy"] > 0.85
    assert result.scores[1]["baseline_accuracy"] < 0.6
    assert np.allclose(result.out_of_fold.sum(axis=1), 1)


def test_random_genres_are_guessed_by_chance_although_the_model_knows_its_training_songs():
    accuracies = []
    for seed in range(3):
        genres = list(np.random.default_rng(seed).permutation(["A", "B"] * 30))
        scores = judge(labelled_library(random_embeddings(60, seed), genres)).scores[1]
        accuracies.append(scores["accuracy"])
        assert scores["train_accuracy"] > 0.9
    assert 0.3 < np.mean(accuracies) < 0.7


def test_copies_of_an_artist_leak_unless_they_stay_together():
    """Sixteen artists with five near copies each, the artists' genres drawn at random."""
    voices = np.repeat(random_embeddings(16), 5, axis=0) + 0.05 * random_embeddings(80, 1)
    genres = list(np.repeat(np.random.default_rng(2).permutation(["A", "B"] * 8), 5))
    artists = [f"artist {row // 5}" for row in range(80)]
    leaking = judge(labelled_library(voices, genres)).scores[1]["accuracy"]
    honest = judge(labelled_library(voices, genres, artists)).scores[1]["accuracy"]
    assert leaking > 0.9
    assert honest < 0.7


def test_published_parameters_say_the_same_of_all_48_songs_that_the_default_tells_apart_above():
    published = judge(separable_library(2, 24), preset="published")
    for fold in np.unique(published.fold_of):
        assert np.ptp(published.out_of_fold[published.fold_of == fold], axis=0).max() == 0


def straddling(material, plan) -> int:
    """How many splits have files of one recording on both sides."""
    folds = [*plan.folds, plan.holdout]
    return sum(bool(set(material.recordings[train]) & set(material.recordings[test])) for train, test in folds)


@pytest.mark.parametrize("artists", ["unknown", "of two spellings", "spanning genres"])
def test_copies_of_a_recording_are_never_on_both_sides_of_a_split(artists):
    n_recordings = 21
    names = {
        "unknown": None,
        "of two spellings": [f"artist {row % n_recordings}{row // n_recordings * ' feat. B'}" for row in range(42)],
        "spanning genres": [("PQ", "QR", "PR")[row % 3][row % n_recordings // 3 % 2] for row in range(42)],
    }[artists]
    library = labelled_library(random_embeddings(2 * n_recordings), ["A", "B", "C"] * 14, names)
    library.songs.loc[n_recordings:, "duplicate_of"] = library.songs["file_path"][:n_recordings].tolist()
    material = training_material(library)
    plan = plan_splits(material, 1)
    assert len(set(material.recordings)) == n_recordings
    assert straddling(material, plan) == 0
    assert "Files of one recording always stand together (21 are copies)" in plan.grouping
    assert any("artists span genres" in limit for limit in plan.limits) == (artists == "spanning genres")


def test_copies_do_not_make_a_genre_large_enough():
    library = labelled_library(random_embeddings(14), ["A"] * 5 + ["B"] * 5 + ["C"] * 4)
    library.songs.loc[13, "duplicate_of"] = library.songs["file_path"][10]
    material = training_material(library)
    assert material.genres == ["A", "B"]
    assert "C is set aside: it has 3 songs, at least 4 are needed" in material.limits


@settings(deadline=None, max_examples=25)
@given(st.data())
def test_groups_never_straddle_and_every_part_has_every_genre(data):
    n_genres = data.draw(st.integers(2, 4))
    sizes = data.draw(st.lists(st.integers(4, 12), min_size=n_genres, max_size=n_genres))
    labels = np.repeat(np.arange(n_genres), sizes)
    artists = data.draw(st.lists(st.integers(0, 9), min_size=len(labels), max_size=len(labels)))
    groups = np.array([f"artist {artist}" for artist in artists], dtype=object)
    folds = make_folds(labels, groups, seed=1)
    holdout = make_holdout(labels, groups, seed=1)
    for train, test in folds + ([holdout] if holdout else []):
        assert not set(groups[train]) & set(groups[test])
        assert set(labels[train]) == set(labels[test]) == set(labels)
        assert sorted([*train, *test]) == list(range(len(labels)))
    if folds:
        assert sorted(np.concatenate([test for _, test in folds])) == list(range(len(labels)))


def test_the_holdout_is_a_fifth():
    material = training_material(separable_library(3, 20))
    assert len(plan_splits(material, 0).holdout[1]) == pytest.approx(12, abs=3)


def test_a_genre_of_one_artist_is_tested_on_songs_and_named():
    artists = ["Solo"] * 10 + [f"artist {row // 2}" for row in range(10)]
    library = labelled_library(random_embeddings(20), ["A"] * 10 + ["B"] * 10, artists)
    material = training_material(library)
    assert material.limits == ["A is all by Solo: tested on unseen songs, not on unseen artists"]
    assert len(set(material.groups)) == 10 + 5
    assert "except as named below" in material.grouping


def test_albums_stand_in_for_unknown_artists():
    songs = labelled_library(
        random_embeddings(8), ["A"] * 4 + ["B"] * 4, ["", "", "Ann", "ANN "] + [""] * 4, ["x", "x", "", ""] + [""] * 4
    ).songs
    groups, limits = song_groups(songs)
    assert groups[0] == groups[1] != groups[2] == groups[3]
    assert len(set(groups[4:])) == 4
    assert limits == [
        "A has 2 of 4 songs without an artist: theirs may be known",
        "B has 4 of 4 songs without an artist: theirs may be known",
    ]


def test_few_artists_mean_fewer_folds_and_a_reason():
    artists = [f"a{row // 4}" for row in range(12)] + [f"b{row}" for row in range(12)]
    material = training_material(labelled_library(random_embeddings(24), ["A"] * 12 + ["B"] * 12, artists))
    plan = plan_splits(material, 0)
    assert len(plan.folds) == 3
    assert any("3 folds instead of 5" in limit and "A comes in 3 groups" in limit for limit in plan.limits)


def test_artists_that_span_genres_inseparably_fall_back_to_songs():
    """Three genres, three artists, each artist in two genres: no two folds keep artists together."""
    artists = ["x", "y"] * 3 + ["y", "z"] * 3 + ["x", "z"] * 3
    material = training_material(labelled_library(random_embeddings(18), ["A"] * 6 + ["B"] * 6 + ["C"] * 6, artists))
    plan = plan_splits(material, 0)
    assert len(plan.folds) == 5
    assert any("artists span genres" in limit for limit in plan.limits)


def test_small_genres_are_set_aside_by_name_and_unknown_songs_are_not_trained_on():
    genres = ["A"] * 5 + ["B"] * 5 + ["TINY"] * (MIN_SONGS - 1) + ["UNKNOWN"] * 6
    material = training_material(labelled_library(random_embeddings(len(genres)), genres))
    assert material.genres == ["A", "B"]
    assert list(material.rows) == list(range(10))
    assert list(material.unknown) == list(range(13, 19))
    assert material.limits[0] == f"TINY is set aside: it has 3 songs, at least {MIN_SONGS} are needed"


@pytest.mark.parametrize("genres", [["A"] * 9, ["A"], ["A"] * 9 + ["B"] * 3, ["UNKNOWN"] * 9])
def test_fewer_than_two_genres_is_one_line(genres):
    with pytest.raises(UsageError, match="needs 2 genres of at least 4 songs") as caught:
        training_material(labelled_library(random_embeddings(len(genres)), genres))
    assert "\n" not in str(caught.value)


def test_copies_of_one_song_are_one_line():
    with pytest.raises(UsageError, match="copies of one song"):
        training_material(labelled_library(np.ones((8, N_COLUMNS)), ["A"] * 4 + ["B"] * 4))


def test_constant_columns_do_no_harm():
    library = separable_library(2, 12)
    embeddings = library.embeddings.copy()
    embeddings[:, ::2] = 3.25
    result = judge(Library(embeddings, library.songs))
    assert np.isfinite(result.out_of_fold).all()
    assert result.scores[1]["accuracy"] > 0.75


def test_the_order_of_the_rows_changes_nothing():
    library = separable_library(3, 8)
    order = np.random.default_rng(0).permutation(len(library))
    shuffled = Library(library.embeddings[order], library.songs.iloc[order].reset_index(drop=True))
    assert np.array_equal(judge(library).out_of_fold, judge(shuffled).out_of_fold)
    assert list(shuffled.songs["file_path"].iloc[training_material(shuffled).rows]) == list(library.songs["file_path"])


def test_the_seed_decides():
    library = separable_library(2, 12, distance=0.2)
    assert np.array_equal(judge(library, seed=1).out_of_fold, judge(library, seed=1).out_of_fold)
    assert not np.array_equal(judge(library, seed=1).out_of_fold, judge(library, seed=2).out_of_fold)


def test_entropy_and_margin_at_their_ends():
    entropy, margin = uncertainty(np.array([[1, 0, 0, 0], [0.25] * 4, [0.5, 0.5, 0, 0]]))
    assert entropy == pytest.approx([0, 1, 0.5])
    assert margin == pytest.approx([1, 0, 0])


def test_confusion_counts_true_rows_and_predicted_columns():
    counts = confusion(np.array([0, 0, 1]), np.array([1, 0, 1]), 2)
    assert counts.tolist() == [[1, 1], [0, 1]]
