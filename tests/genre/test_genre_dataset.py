"""Which songs are learned from, what stands together, and which songs train, test and are never seen."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from libraries import labelled_library, separable_library

from songmap.core.errors import UsageError
from songmap.genre.material import MIN_SONGS, training_material
from songmap.genre.splits import LEAST_TRAINING, Plan, make_folds, plan_splits, subsample
from songmap.library.library import Library
from songmap.library.schema import N_COLUMNS


def random_embeddings(n_songs: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n_songs, N_COLUMNS))


def splits_of(plan: Plan) -> list[tuple[np.ndarray, np.ndarray]]:
    return [*(fold for repeat in plan.repeats for fold in repeat), (plan.development, plan.test)]


def straddling(keys: np.ndarray, plan: Plan) -> int:
    """In how many splits something stands on both sides."""
    return sum(bool(set(keys[train]) & set(keys[test])) for train, test in splits_of(plan))


def test_the_strictest_that_the_songs_allow_is_kept_together():
    artists, albums = [f"artist {row // 3}" for row in range(24)], [f"album {row // 2}" for row in range(24)]
    genres = ["A"] * 12 + ["B"] * 12
    by = {
        name: training_material(labelled_library(random_embeddings(24), genres, *given))
        for name, given in {"artist": (artists, albums), "album": (None, albums), "song": (None, None)}.items()
    }
    for name, material in by.items():
        assert material.group_by == name
        assert material.limits == []
    assert [len(set(material.groups)) for material in by.values()] == [8, 12, 24]
    assert "the strictest that the songs allow: 24 of 24 songs name their artist" in by["artist"].grouping
    assert "since no song names its artist" in by["album"].grouping
    assert "since no song names its artist or album" in by["song"].grouping


@pytest.mark.parametrize(("asked", "groups"), [("artist", 8), ("album", 12), ("song", 24)])
def test_what_stands_together_can_be_asked_for(asked, groups):
    artists, albums = [f"artist {row // 3}" for row in range(24)], [f"album {row // 2}" for row in range(24)]
    library = labelled_library(random_embeddings(24), ["A"] * 12 + ["B"] * 12, artists, albums)
    material = training_material(library, asked)
    assert (material.group_by, len(set(material.groups))) == (asked, groups)
    assert "as asked for" in material.grouping
    names = {"artist": library.songs["artist"], "album": library.songs["album"], "song": library.songs["file_path"]}
    assert straddling(names[asked].to_numpy()[material.rows], plan_splits(material, 0)) == 0


@pytest.mark.parametrize("asked", ["artist", "album"])
def test_asking_for_what_no_song_names_is_one_line(asked):
    library = labelled_library(random_embeddings(16), ["A"] * 8 + ["B"] * 8)
    with pytest.raises(UsageError, match=f"--group-by {asked}: none of the 16 songs has one") as caught:
        training_material(library, asked)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("n_artists", [1, 2])
def test_a_genre_of_too_few_artists_is_tested_on_songs_and_named(n_artists):
    artists = [f"Solo {row % n_artists}" for row in range(10)] + [f"artist {row // 2}" for row in range(10)]
    library = labelled_library(random_embeddings(20), ["A"] * 10 + ["B"] * 10, artists)
    material = training_material(library)
    whose = {1: "by Solo 0", 2: "from 2 artists or albums"}[n_artists]
    assert material.limits == [f"A is all {whose}: tested on unseen songs, not on unseen artists"]
    assert len(set(material.groups)) == 10 + 5
    assert "Exceptions are named below" in material.grouping


def test_albums_stand_in_for_an_only_artist_and_for_unknown_ones():
    artists = ["Solo"] * 8 + ["", "", "Ann", "ANN ", "Bo", "Bo", "Cy", ""]
    albums = ["x", "x", "y", "y", "z", "z", "z", "x"] + ["p", "p"] + [""] * 6
    material = training_material(labelled_library(random_embeddings(16), ["A"] * 8 + ["B"] * 8, artists, albums))
    assert material.limits == [
        "A is all by Solo: tested on unseen albums, not on unseen artists",
        "B has 3 of 8 songs without an artist: theirs may be known",
    ]
    groups = material.groups
    assert len(set(groups[:8])) == 3
    assert groups[0] == groups[7]
    assert groups[8] == groups[9]
    assert groups[10] == groups[11]
    assert len(set(groups[8:])) == 5


def test_small_genres_are_set_aside_by_name_and_unknown_songs_are_not_learned_from():
    genres = ["A"] * 8 + ["B"] * 8 + ["TINY"] * 2 + ["UNKNOWN"] * 6
    material = training_material(labelled_library(random_embeddings(len(genres)), genres))
    assert material.genres == ["A", "B"]
    assert list(material.rows) == list(range(16))
    assert list(material.unknown) == list(range(18, 24))
    assert material.limits[0] == f"TINY is set aside: it has 2 songs, at least {MIN_SONGS} are needed"


def test_copies_do_not_make_a_genre_large_enough():
    library = labelled_library(random_embeddings(18), ["A"] * 6 + ["B"] * 6 + ["C"] * 6)
    library.songs.loc[17, "duplicate_of"] = library.songs["file_path"][12]
    material = training_material(library)
    assert material.genres == ["A", "B"]
    assert "C is set aside: it has 5 songs, at least 6 are needed" in material.limits


@pytest.mark.parametrize("genres", [["A"] * 9, ["A"], ["A"] * 9 + ["B"] * 5, ["UNKNOWN"] * 9])
def test_fewer_than_two_genres_is_one_line(genres):
    with pytest.raises(UsageError, match="needs 2 genres of at least 6 songs") as caught:
        training_material(labelled_library(random_embeddings(len(genres)), genres))
    assert "\n" not in str(caught.value)


def test_copies_of_one_song_are_one_line():
    with pytest.raises(UsageError, match="copies of one song"):
        training_material(labelled_library(np.ones((12, N_COLUMNS)), ["A"] * 6 + ["B"] * 6))


@pytest.mark.parametrize("artists", ["unknown", "of two spellings", "spanning genres"])
def test_copies_of_a_recording_are_never_on_both_sides_of_a_split(artists):
    n_recordings = 24
    names = {
        "unknown": None,
        "of two spellings": [f"artist {row % n_recordings}{row // n_recordings * ' feat. B'}" for row in range(48)],
        "spanning genres": [("PQ", "QR", "PR")[row % 3][row % n_recordings // 3 % 2] for row in range(48)],
    }[artists]
    library = labelled_library(random_embeddings(2 * n_recordings), ["A", "B", "C"] * 16, names)
    library.songs.loc[n_recordings:, "duplicate_of"] = library.songs["file_path"][:n_recordings].tolist()
    material = training_material(library)
    plan = plan_splits(material, 1)
    assert len(set(material.recordings)) == n_recordings
    assert straddling(material.recordings, plan) == 0
    assert "Files of one recording always stand together (24 are copies)" in plan.grouping


def test_artists_that_span_genres_inseparably_fall_back_to_songs():
    """Three genres, three artists, each artist in two genres: no split keeps artists together."""
    artists = ["x", "y", "w"] * 3 + ["y", "z", "w"] * 3 + ["x", "z", "w"] * 3
    library = labelled_library(random_embeddings(27), ["A"] * 9 + ["B"] * 9 + ["C"] * 9, artists)
    plan = plan_splits(training_material(library), 0)
    assert plan.group_by == "song"
    assert [len(repeat) for repeat in plan.repeats] == [5, 5, 5]
    assert any("no split keeps artists together" in limit for limit in plan.limits)


@settings(deadline=None, max_examples=12)
@given(st.data())
def test_groups_never_straddle_and_every_part_has_every_genre(data):
    n_genres = data.draw(st.integers(2, 4))
    sizes = data.draw(st.lists(st.integers(MIN_SONGS, 12), min_size=n_genres, max_size=n_genres))
    genres = [f"G{genre}" for genre, size in enumerate(sizes) for _ in range(size)]
    artists = data.draw(st.lists(st.sampled_from("ABCDEFGHIJ"), min_size=len(genres), max_size=len(genres)))
    material = training_material(labelled_library(random_embeddings(len(genres)), genres, artists))
    plan, labels = plan_splits(material, 1), material.labels
    assert straddling(plan.groups, plan) == 0
    for train, test in splits_of(plan):
        assert set(labels[test]) == set(labels)
        assert np.bincount(labels[train]).min() >= LEAST_TRAINING
    assert sorted([*plan.development, *plan.test]) == list(range(len(labels)))
    for repeat in plan.repeats:
        assert sorted(np.concatenate([test for _, test in repeat])) == list(plan.development)
        assert all(sorted([*train, *test]) == list(plan.development) for train, test in repeat)


def test_the_test_set_is_a_fifth_and_repeats_differ():
    material = training_material(separable_library(3, 20))
    plan = plan_splits(material, 0)
    assert len(plan.test) == pytest.approx(12, abs=3)
    first, second, _ = ([tuple(test) for _, test in repeat] for repeat in plan.repeats)
    assert set(first) != set(second)
    assert len(plan_splits(material, 0, n_repeats=1).repeats) == 1


def test_few_artists_mean_fewer_folds_and_a_reason():
    artists = [f"a{row // 3}" for row in range(12)] + [f"b{row}" for row in range(12)]
    plan = plan_splits(training_material(labelled_library(random_embeddings(24), ["A"] * 12 + ["B"] * 12, artists)), 0)
    assert len(plan.repeats[0]) == 3
    assert any("3 folds instead of 5" in limit and "A comes in 4 groups" in limit for limit in plan.limits)


def test_the_order_of_the_rows_changes_no_song_s_place():
    library = separable_library(3, 8)
    order = np.random.default_rng(0).permutation(len(library))
    shuffled = Library(library.embeddings[order], library.songs.iloc[order].reset_index(drop=True))
    one, other = training_material(library), training_material(shuffled)
    assert list(shuffled.songs["file_path"].iloc[other.rows]) == list(library.songs["file_path"].iloc[one.rows])
    assert one.groups.tolist() == other.groups.tolist()
    for (train, test), (train_too, test_too) in zip(
        splits_of(plan_splits(one, 3)), splits_of(plan_splits(other, 3)), strict=True
    ):
        assert train.tolist() == train_too.tolist()
        assert test.tolist() == test_too.tolist()


def test_a_subsample_has_whole_groups_and_every_genre_in_proportion():
    labels = np.repeat([0, 1, 2], [1000, 480, 20])
    groups = np.array([f"artist {row // 5}" for row in range(1500)], dtype=object)
    rows = subsample(labels, groups, 300, 4)
    assert len(np.unique(rows)) == len(rows) == pytest.approx(306, abs=15)
    assert all((np.isin(groups, name).sum() == (groups[rows] == name).sum()) for name in set(groups[rows]))
    counts = np.bincount(labels[rows])
    assert counts == pytest.approx([200, 96, 10], abs=5)
    assert subsample(labels, groups, 300, 4).tolist() == rows.tolist() != subsample(labels, groups, 300, 5).tolist()


def test_no_folds_where_a_genre_is_one_group():
    assert make_folds(np.array([0] * 6 + [1] * 6), np.array([0] * 6 + list(range(1, 7))), 5, 0) == []


def test_a_looser_grouping_than_songs_allow_is_a_limit():
    library = separable_library(2, 12)
    assert any(
        "--group-by song" in limit and "flatters" in limit for limit in training_material(library, "song").limits
    )
    assert not any("--group-by" in limit for limit in training_material(library).limits)
