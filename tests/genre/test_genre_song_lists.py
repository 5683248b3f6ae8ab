"""Songs between genres and label issues."""

import numpy as np
import pytest
from libraries import make_library

from songmap.genre.novelty_results import SongNovelty
from songmap.genre.song_lists import between_genres, label_issues, least_certain, set_of, song_list, uncertainty
from songmap.genre.song_results import BoundarySong

GENRES = ["A", "B", "C"]


def songs(n_songs: int):
    return make_library(n_songs, genres=GENRES).songs


def boundary_songs(proba: np.ndarray, sets: np.ndarray, folds: list):
    """The least certain of three songs first."""
    rows = least_certain(proba)
    listed, folds = songs(3).iloc[rows], [folds[row] for row in rows]
    novelty = [SongNovelty(1.0, 1.5, False)] * len(rows)
    return song_list(BoundarySong, listed, GENRES, proba[rows], sets=sets[rows], fold=folds, novelty=novelty)


def test_entropy_is_normalised_and_the_margin_is_between_the_most_probable_two():
    proba = np.array([[1 / 3] * 3, [1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.7, 0.2, 0.1]])
    entropy, margin = uncertainty(proba)
    assert entropy == pytest.approx([1, 0, np.log(2) / np.log(3), 0.7298466991620975])
    assert margin == pytest.approx([0, 1, 0, 0.5])


def test_the_least_certain_songs_come_first_with_their_fields():
    proba = np.array([[0.8, 0.1, 0.1], [0.3, 0.4, 0.3], [0.05, 0.9, 0.05]])
    sets = np.array([[True, False, False], [True, True, True], [False, True, False]])
    records = boundary_songs(proba, sets, [1, 2, None])
    assert [record.song_name for record in records] == ["song 001", "song 000", "song 002"]
    assert [record.rank for record in records] == [1, 2, 3]
    assert [record.fold for record in records] == [2, 1, None]
    assert records[0].genre_set == ["B", "A", "C"]
    assert records[0].predicted_genre == "B"
    assert records[0].probabilities == {"A": 0.3, "B": 0.4, "C": 0.3}
    assert (records[1].genre, records[1].probability, records[1].file_path) == ("A", 0.8, "/music/song 000.mp3")
    assert records[1].margin == pytest.approx(0.7)


def test_a_song_is_between_genres_where_its_set_and_its_probabilities_say_so():
    proba = np.array([[0.6, 0.3, 0.1], [0.6, 0.29, 0.11], [0.6, 0.3, 0.1], [0.34, 0.33, 0.33]])
    sets = np.array([[1, 1, 0], [1, 1, 1], [1, 0, 0], [1, 1, 1]], dtype=bool)
    assert between_genres(proba, sets).tolist() == [True, False, False, True]


def test_entropy_ranks_before_the_margin_does():
    proba = np.array([[0.5, 0.5, 0.0], [0.4, 0.35, 0.25], [0.0, 0.5, 0.5]])
    records = boundary_songs(proba, proba > 0, [1, 1, 1])
    assert [record.song_name for record in records] == ["song 001", "song 000", "song 002"]


def test_the_genres_of_a_set_are_named_most_probable_first():
    assert set_of(GENRES, np.array([0.2, 0.3, 0.5]), np.array([True, False, True])) == ["C", "A"]


def test_a_label_is_an_issue_where_the_other_genre_is_as_probable_as_for_its_own_songs():
    labels = np.array([0, 0, 1, 1, 1, 0])
    proba = np.array([[0.9, 0.1], [0.8, 0.2], [0.2, 0.8], [0.4, 0.6], [0.1, 0.9], [0.29, 0.71]])
    usual = np.mean([0.8, 0.6, 0.9])  # of genre 1, which the last song does not reach
    assert label_issues(songs(6), ["A", "B"], labels, proba) == []
    proba[5] = [0.2, 0.8]
    (record,) = label_issues(songs(6), ["A", "B"], labels, proba)
    assert (record.song_name, record.genre, record.predicted_genre) == ("song 005", "A", "B")
    assert record.usual == pytest.approx(usual)
    assert (record.probability, record.margin) == (0.8, pytest.approx(0.6))


def test_swapped_labels_are_found_the_clearest_first():
    rng = np.random.default_rng(0)
    true = np.arange(90) % 3
    proba = rng.dirichlet([1, 1, 1], 90) * 0.3 + 0.7 * (np.arange(3) == true[:, np.newaxis])
    labels = true.copy()
    swapped = np.array([int(proba[:, genre].argmax()) for genre in range(3)])  # the clearest of each genre
    labels[swapped] = (true[swapped] + 1) % 3
    records = label_issues(songs(90), GENRES, labels, proba)
    assert {record.song_name for record in records} == {f"song {row:03d}" for row in swapped}
    assert all(record.genre != record.predicted_genre == GENRES[true[int(record.song_name[5:])]] for record in records)
    margins = [record.margin for record in records]
    assert margins == sorted(margins, reverse=True)
    assert [record.rank for record in records] == [1, 2, 3]


def test_labels_that_the_model_agrees_with_are_never_issues():
    labels = np.arange(30) % 3
    proba = np.full((30, 3), 0.3) + 0.1 * (np.arange(3) == labels[:, np.newaxis])
    assert label_issues(songs(30), GENRES, labels, proba) == []


def test_an_issue_is_more_probable_than_not():
    labels, proba = (
        np.array([0, 1, 2, 0]),
        np.array([[0.9, 0.05, 0.05], [0.3, 0.4, 0.3], [0.1, 0.1, 0.8], [0.3, 0.5, 0.2]]),
    )
    assert label_issues(songs(4), GENRES, labels, proba) == []
    proba[3] = [0.3, 0.51, 0.19]
    assert [record.song_name for record in label_issues(songs(4), GENRES, labels, proba)] == ["song 003"]
