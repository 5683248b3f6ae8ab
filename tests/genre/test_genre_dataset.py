"""Which songs are trained on, which stay together, and which train and test."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from libraries import labelled_library, separable_library

from songmap.core.errors import UsageError
from songmap.genre.dataset import MIN_SONGS, training_dataset
from songmap.genre.limits import (
    FewerFolds,
    FewGroups,
    LooseGrouping,
    NoGroupedSplit,
    SmallGenre,
    UngroupedSongs,
    UnknownArtists,
)
from songmap.genre.splits import LEAST_TRAINING, Plan, make_folds, plan_splits, subsample
from songmap.library.library import Library
from songmap.library.schema import N_COLUMNS


def random_embeddings(n_songs: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n_songs, N_COLUMNS))


def splits_of(plan: Plan) -> list[tuple[np.ndarray, np.ndarray]]:
    return [*(fold for repeat in plan.repeats for fold in repeat), (plan.development, plan.test)]


def n_straddling(keys: np.ndarray, plan: Plan) -> int:
    """In how many splits something is on both sides."""
    return sum(bool(set(keys[train]) & set(keys[test])) for train, test in splits_of(plan))


def test_the_strictest_that_the_songs_allow_is_kept_together():
    artists, albums = [f"artist {row // 3}" for row in range(24)], [f"album {row // 2}" for row in range(24)]
    genres = ["A"] * 12 + ["B"] * 12
    by = {
        name: training_dataset(labelled_library(random_embeddings(24), genres, *given))
        for name, given in {"artist": (artists, albums), "album": (None, albums), "song": (None, None)}.items()
    }
    for name, dataset in by.items():
        assert dataset.grouping.group_by == name
        assert dataset.limits == ([] if name == "artist" else [UnknownArtists(24)])
    assert [len(set(dataset.groups)) for dataset in by.values()] == [8, 12, 24]
    assert {dataset.grouping.reason for dataset in by.values()} == {"strictest"}
    assert [dataset.grouping.n_tagged for dataset in by.values()] == [24, 24, 0]
    assert {dataset.grouping.n_songs for dataset in by.values()} == {24}


@pytest.mark.parametrize(("group_by", "groups"), [("artist", 8), ("album", 12), ("song", 24)])
def test_the_grouping_can_be_requested(group_by, groups):
    artists, albums = [f"artist {row // 3}" for row in range(24)], [f"album {row // 2}" for row in range(24)]
    library = labelled_library(random_embeddings(24), ["A"] * 12 + ["B"] * 12, artists, albums)
    dataset = training_dataset(library, group_by)
    assert (dataset.grouping.group_by, len(set(dataset.groups))) == (group_by, groups)
    assert dataset.grouping.reason == "requested"
    names = {"artist": library.songs["artist"], "album": library.songs["album"], "song": library.songs["file_path"]}
    assert n_straddling(names[group_by].to_numpy()[dataset.rows], plan_splits(dataset, 0)) == 0


@pytest.mark.parametrize("group_by", ["artist", "album"])
def test_requesting_a_tag_that_no_song_has_is_one_line(group_by):
    library = labelled_library(random_embeddings(16), ["A"] * 8 + ["B"] * 8)
    with pytest.raises(UsageError, match=f"--group-by {group_by}: none of the 16 songs has one") as caught:
        training_dataset(library, group_by)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("n_artists", [1, 2])
def test_a_genre_of_too_few_artists_is_tested_on_songs_and_named(n_artists):
    artists = [f"Solo {row % n_artists}" for row in range(10)] + [f"artist {row // 2}" for row in range(10)]
    library = labelled_library(random_embeddings(20), ["A"] * 10 + ["B"] * 10, artists)
    dataset = training_dataset(library)
    artist = {1: "Solo 0", 2: ""}[n_artists]
    assert dataset.limits == [FewGroups("A", "artist", "song", n_artists, artist, "")]
    assert len(set(dataset.groups)) == 10 + 5
    assert dataset.grouping.exceptions


def test_albums_replace_an_only_artist_and_unknown_ones():
    artists = ["Solo"] * 8 + ["", "", "Ann", "ANN ", "Bo", "Bo", "Cy", ""]
    albums = ["x", "x", "y", "y", "z", "z", "z", "x"] + ["p", "p"] + [""] * 6
    dataset = training_dataset(labelled_library(random_embeddings(16), ["A"] * 8 + ["B"] * 8, artists, albums))
    assert dataset.limits == [FewGroups("A", "artist", "album", 1, "Solo", "x"), UngroupedSongs("B", "artist", 3, 8)]
    groups = dataset.groups
    assert len(set(groups[:8])) == 3
    assert groups[0] == groups[7]
    assert groups[8] == groups[9]
    assert groups[10] == groups[11]
    assert len(set(groups[8:])) == 5


def test_various_artists_are_no_artist_and_guests_are_not_the_artist():
    artists = ["Various Artists"] * 6 + ["Ann", "Ann feat. Bo", "Bo", "bo ft. Cy", "Cy", "Di"]
    artists += ["V.A.", "Various", "Ed", "Flo", "Gus", "Hal"]
    albums = ["x", "x", "y", "y", "z", ""] + [""] * 6 + ["x", "", "", "", "", ""]
    dataset = training_dataset(
        labelled_library(random_embeddings(18), ["A"] * 6 + ["B"] * 6 + ["C"] * 6, artists, albums)
    )
    groups = dataset.groups
    assert dataset.grouping.n_tagged == 10
    assert len(set(groups[:6])) == 4  # albums x, y, z and a song without one
    assert groups[0] == groups[1] == groups[12]
    assert groups[6] == groups[7] != groups[8] == groups[9]
    assert len(set(groups[6:12])) == 4
    assert dataset.limits == [UngroupedSongs("A", "artist", 6, 6), UngroupedSongs("C", "artist", 2, 6)]


def test_a_genre_of_one_compilation_is_not_by_various_artists():
    artists = ["Various Artists"] * 6 + ["Ann", "Bo", "Cy"] * 2
    dataset = training_dataset(labelled_library(random_embeddings(12), ["A"] * 6 + ["B"] * 6, artists, ["x"] * 12))
    assert dataset.limits == [FewGroups("A", "artist", "song", 1, "", "x")]


def test_tags_of_various_artists_alone_are_none():
    library = labelled_library(random_embeddings(16), ["A", "B"] * 8, ["Various Artists"] * 16)
    assert training_dataset(library).grouping.group_by == "song"
    with pytest.raises(UsageError, match="--group-by artist: none of the 16 songs has one"):
        training_dataset(library, "artist")


def test_small_genres_are_left_out_by_name_and_unknown_songs_are_not_trained_on():
    genres = ["A"] * 8 + ["B"] * 8 + ["TINY"] * 2 + ["UNKNOWN"] * 6
    dataset = training_dataset(labelled_library(random_embeddings(len(genres)), genres))
    assert dataset.genres == ["A", "B"]
    assert list(dataset.rows) == list(range(16))
    assert list(dataset.unknown) == list(range(18, 24))
    assert dataset.limits == [SmallGenre("TINY", 2, MIN_SONGS), UnknownArtists(16)]


def test_copies_do_not_make_a_genre_large_enough():
    library = labelled_library(random_embeddings(18), ["A"] * 6 + ["B"] * 6 + ["C"] * 6)
    library.songs.loc[17, "duplicate_of"] = library.songs["file_path"][12]
    dataset = training_dataset(library)
    assert dataset.genres == ["A", "B"]
    assert SmallGenre("C", 5, 6) in dataset.limits


@pytest.mark.parametrize("genres", [["A"] * 9, ["A"], ["A"] * 9 + ["B"] * 5, ["UNKNOWN"] * 9])
def test_fewer_than_two_genres_is_one_line(genres):
    with pytest.raises(UsageError, match="needs 2 genres of at least 6 songs") as caught:
        training_dataset(labelled_library(random_embeddings(len(genres)), genres))
    assert "\n" not in str(caught.value)
    assert (", and 9 songs without a genre" in str(caught.value)) == ("UNKNOWN" in genres)


def test_copies_of_one_song_are_one_line():
    with pytest.raises(UsageError, match="copies of one song"):
        training_dataset(labelled_library(np.ones((12, N_COLUMNS)), ["A"] * 6 + ["B"] * 6))


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
    dataset = training_dataset(library)
    plan = plan_splits(dataset, 1)
    assert len(set(dataset.recordings)) == n_recordings
    assert n_straddling(dataset.recordings, plan) == 0
    assert plan.grouping.n_copies == 24


def test_artists_that_span_genres_inseparably_fall_back_to_songs():
    """Three genres, three artists, each artist in two genres: no split keeps artists together."""
    artists = ["x", "y", "w"] * 3 + ["y", "z", "w"] * 3 + ["x", "z", "w"] * 3
    library = labelled_library(random_embeddings(27), ["A"] * 9 + ["B"] * 9 + ["C"] * 9, artists)
    plan = plan_splits(training_dataset(library), 0)
    assert (plan.grouping.group_by, plan.grouping.reason) == ("song", "fallback")
    assert [len(repeat) for repeat in plan.repeats] == [5, 5, 5]
    assert NoGroupedSplit("artist") in plan.limits


@settings(deadline=None, max_examples=12)
@given(st.data())
def test_groups_never_straddle_and_every_part_has_every_genre(data):
    n_genres = data.draw(st.integers(2, 4))
    sizes = data.draw(st.lists(st.integers(MIN_SONGS, 12), min_size=n_genres, max_size=n_genres))
    genres = [f"G{genre}" for genre, size in enumerate(sizes) for _ in range(size)]
    artists = data.draw(st.lists(st.sampled_from("ABCDEFGHIJ"), min_size=len(genres), max_size=len(genres)))
    dataset = training_dataset(labelled_library(random_embeddings(len(genres)), genres, artists))
    plan, labels = plan_splits(dataset, 1), dataset.labels
    assert n_straddling(plan.groups, plan) == 0
    for train, test in splits_of(plan):
        assert set(labels[test]) == set(labels)
        assert np.bincount(labels[train]).min() >= LEAST_TRAINING
    assert sorted([*plan.development, *plan.test]) == list(range(len(labels)))
    for repeat in plan.repeats:
        assert sorted(np.concatenate([test for _, test in repeat])) == list(plan.development)
        assert all(sorted([*train, *test]) == list(plan.development) for train, test in repeat)


def test_the_test_set_is_a_fifth_and_repeats_differ():
    dataset = training_dataset(separable_library(3, 20))
    plan = plan_splits(dataset, 0)
    assert len(plan.test) == pytest.approx(12, abs=3)
    first, second, _ = ([tuple(test) for _, test in repeat] for repeat in plan.repeats)
    assert set(first) != set(second)
    assert len(plan_splits(dataset, 0, n_repeats=1).repeats) == 1


def test_few_artists_mean_fewer_folds_and_a_reason():
    artists = [f"a{row // 3}" for row in range(12)] + [f"b{row}" for row in range(12)]
    plan = plan_splits(training_dataset(labelled_library(random_embeddings(24), ["A"] * 12 + ["B"] * 12, artists)), 0)
    assert len(plan.repeats[0]) == 3
    assert FewerFolds(3, 5, "A", 4) in plan.limits


def test_the_order_of_the_rows_changes_no_song_s_place():
    library = separable_library(3, 8)
    order = np.random.default_rng(0).permutation(len(library))
    shuffled = Library(library.embeddings[order], library.songs.iloc[order].reset_index(drop=True))
    one, other = training_dataset(library), training_dataset(shuffled)
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


def test_limits_of_a_split_that_does_not_exist_are_left_out():
    """A genre of one artist, and genres whose artists no split can separate: the split by song replaces both."""
    artists = ["x", "y", "w"] * 3 + ["y", "z", "w"] * 3 + ["x", "z", "w"] * 3 + ["w"] * 9
    genres = ["A"] * 9 + ["B"] * 9 + ["C"] * 9 + ["D"] * 9
    dataset = training_dataset(labelled_library(random_embeddings(36), genres, artists))
    assert any(isinstance(limit, FewGroups) for limit in dataset.limits)
    plan = plan_splits(dataset, 0)
    assert plan.grouping.reason == "fallback"
    assert not any(isinstance(limit, FewGroups) for limit in plan.limits)


def test_no_folds_where_a_genre_is_one_group():
    assert make_folds(np.array([0] * 6 + [1] * 6), np.array([0] * 6 + list(range(1, 7))), 5, 0) == []


def test_a_looser_grouping_than_songs_allow_is_a_limit():
    library = separable_library(2, 12)
    assert LooseGrouping("song", "artist") in training_dataset(library, "song").limits
    assert training_dataset(library).limits == []
