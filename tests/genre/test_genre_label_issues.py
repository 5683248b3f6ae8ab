"""Songs between genres and doubtful labels."""

import numpy as np
import pytest
from libraries import make_library

from songmap.genre.doubts import boundary_records, set_of, uncertainty, wrong_labels

GENRES = ["A", "B", "C"]


def songs(n_songs: int):
    return make_library(n_songs, genres=GENRES).songs


def test_entropy_is_normalised_and_the_margin_is_between_the_likeliest_two():
    found = np.array([[1 / 3] * 3, [1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.7, 0.2, 0.1]])
    entropy, margin = uncertainty(found)
    assert entropy == pytest.approx([1, 0, np.log(2) / np.log(3), 0.7298466991620975])
    assert margin == pytest.approx([0, 1, 0, 0.5])


def test_the_least_certain_songs_come_first_with_all_that_is_known_of_them():
    found = np.array([[0.8, 0.1, 0.1], [0.3, 0.4, 0.3], [0.05, 0.9, 0.05]])
    sets = np.array([[True, False, False], [True, True, True], [False, True, False]])
    records = boundary_records(songs(3), GENRES, found, sets, np.array([0, 1, 2]), test_fold=2)
    assert [record["song_name"] for record in records] == ["song 001", "song 000", "song 002"]
    assert [record["rank"] for record in records] == [1, 2, 3]
    assert [record["fold"] for record in records] == [2, 1, None]
    assert records[0]["genre_set"] == ["B", "A", "C"]
    assert records[0]["predicted_genre"] == "B"
    assert records[0]["probabilities"] == {"A": 0.3, "B": 0.4, "C": 0.3}
    assert (records[1]["genre"], records[1]["probability"], records[1]["file_path"]) == (
        "A",
        0.8,
        "/music/song 000.mp3",
    )
    assert records[1]["margin"] == pytest.approx(0.7)


def test_entropy_ranks_before_the_margin_does():
    found = np.array([[0.5, 0.5, 0.0], [0.4, 0.35, 0.25], [0.0, 0.5, 0.5]])
    records = boundary_records(songs(3), GENRES, found, found > 0, np.zeros(3, int), test_fold=1)
    assert [record["song_name"] for record in records] == ["song 001", "song 000", "song 002"]


def test_the_genres_of_a_set_are_named_likeliest_first():
    assert set_of(GENRES, np.array([0.2, 0.3, 0.5]), np.array([True, False, True])) == ["C", "A"]


def test_a_label_is_doubtful_where_the_other_genre_is_as_likely_as_for_its_own_songs():
    labels = np.array([0, 0, 1, 1, 1, 0])
    found = np.array([[0.9, 0.1], [0.8, 0.2], [0.2, 0.8], [0.4, 0.6], [0.1, 0.9], [0.29, 0.71]])
    usual = np.mean([0.8, 0.6, 0.9])  # of genre 1, which the last song does not reach
    assert wrong_labels(songs(6), ["A", "B"], labels, found) == []
    found[5] = [0.2, 0.8]
    (record,) = wrong_labels(songs(6), ["A", "B"], labels, found)
    assert (record["song_name"], record["genre"], record["probably"]) == ("song 005", "A", "B")
    assert record["usual"] == pytest.approx(usual)
    assert (record["probability"], record["margin"]) == (0.8, pytest.approx(0.6))


def test_labels_that_were_swapped_are_found_the_clearest_first():
    rng = np.random.default_rng(0)
    true = np.arange(90) % 3
    found = rng.dirichlet([1, 1, 1], 90) * 0.3 + 0.7 * (np.arange(3) == true[:, np.newaxis])
    labels = true.copy()
    swapped = np.array([int(found[:, genre].argmax()) for genre in range(3)])  # the clearest of each genre
    labels[swapped] = (true[swapped] + 1) % 3
    records = wrong_labels(songs(90), GENRES, labels, found)
    assert {record["song_name"] for record in records} == {f"song {row:03d}" for row in swapped}
    assert all(
        record["genre"] != record["probably"] == GENRES[true[int(record["song_name"][5:])]] for record in records
    )
    margins = [record["margin"] for record in records]
    assert margins == sorted(margins, reverse=True)
    assert [record["rank"] for record in records] == [1, 2, 3]


def test_labels_that_the_model_agrees_with_are_never_doubtful():
    labels = np.arange(30) % 3
    found = np.full((30, 3), 0.3) + 0.1 * (np.arange(3) == labels[:, np.newaxis])
    assert wrong_labels(songs(30), GENRES, labels, found) == []
