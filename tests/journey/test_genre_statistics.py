"""Genres compared: similarity, tempo, spectral centroid, keys."""

import re

import numpy as np
import pytest
from libraries import labelled_library, units_of
from maps import grouped_embeddings, searched
from numpy.testing import assert_array_equal

from songmap.journey.genre_statistics import by_genre, count_keys, genre_statistics
from songmap.journey.views.library_figures import similarity_figure
from songmap.journey.views.summary import genre_rows
from songmap.library.keys import NO_KEY, keys_of
from songmap.library.schema import column_index
from songmap.similar.requests import GenresRequest
from songmap.similar.session import Session
from songmap.similar.views.tables import as_text

GENRES = ["a", "b", "c"] * 3 + ["alone"]


def test_similarity_against_every_pair_of_songs():
    library = labelled_library(grouped_embeddings(10), GENRES)
    similarity = genre_statistics(library, searched(library)).similarity
    assert similarity.genres == ("a", "alone", "b", "c")
    units = units_of(library.embeddings).astype(np.float64)
    for row, first in enumerate(similarity.genres):
        for column, second in enumerate(similarity.genres):
            pairs = [
                units[i] @ units[j]
                for i in range(10)
                for j in range(10)
                if i != j and GENRES[i] == first and GENRES[j] == second
            ]
            expected = np.mean(pairs) if pairs else np.nan
            assert similarity.means[row, column] == pytest.approx(expected, abs=1e-6, nan_ok=True)
    assert np.isnan(similarity.means[1, 1])


def test_genres_of_the_pages_are_as_similar_as_those_of_the_search():
    library = labelled_library(grouped_embeddings(10), GENRES)
    of_search = Session(library).run(GenresRequest()).similarity
    assert_array_equal(genre_statistics(library, searched(library)).similarity.means, of_search.means)


def decimals(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"-?\d\.\d+", text)]


def test_figure_page_and_search_print_the_same_numbers():
    library = labelled_library(grouped_embeddings(10), GENRES)
    of_genres, between = as_text(Session(library).run(GenresRequest())).split("Between genres")
    statistics = genre_statistics(library, searched(library))
    annotated = decimals(" ".join(text.get_text() for text in similarity_figure(statistics).axes[0].texts))
    assert len(annotated) == 15  # a genre of one song has no pair
    assert decimals(between) == pytest.approx(annotated, abs=0.0051)
    rows = genre_rows(statistics.similarity)
    assert [row[0] for row in rows] == list(statistics.similarity.genres)
    means = np.insert(annotated, 5, np.nan).reshape(4, 4)
    for place, (genre, n_songs, within, to_others, nearest, similarity) in enumerate(rows):
        line = next(line for line in of_genres.splitlines() if line.split()[:2] == [genre, n_songs])
        assert nearest in line.split()
        assert decimals(line) == pytest.approx(decimals(f"{within} {to_others} {similarity}"), abs=0.0051)
        assert decimals(within) == ([] if np.isnan(means[place, place]) else [means[place, place]])
        assert decimals(similarity) == [means[place, statistics.similarity.genres.index(nearest)]]


def test_statistics_are_of_the_songs_of_the_library():
    embeddings = grouped_embeddings(10)
    library = labelled_library(embeddings, GENRES)
    library.songs["tempo_bpm"] = [0.0, 120, 90, 100, 0, 80, 110, 130, 70, 0]
    result = genre_statistics(library, searched(library))
    assert [values.tolist() for values in result.tempo_bpm.values] == [[100, 110], [], [120, 130], [70, 80, 90]]
    assert result.tempo_bpm.medians == pytest.approx([105, np.nan, 125, 80], nan_ok=True)
    assert result.tempo_bpm.n_unknown == 3
    own = embeddings[[0, 3, 6], column_index("centroid_mean")]
    assert result.centroid_hz.values[0].tolist() == sorted(own.tolist())
    assert result.centroid_hz.n_unknown == 0
    keys, _ = keys_of([""] * 10, embeddings)
    assert np.array_equal(result.keys.counts, count_keys(keys, np.array(GENRES, dtype=object)).counts)


def test_values_by_genre_are_sorted_and_unknown_ones_counted():
    genres = np.array(["x", "y", "x", "x", "z"], dtype=object)
    result = by_genre(np.array([3.0, np.nan, 1.0, np.nan, 7.0]), genres)
    assert [values.tolist() for values in result.values] == [[1, 3], [], [7]]
    assert result.medians == pytest.approx([2, np.nan, 7], nan_ok=True)
    assert result.n_unknown == 2


def test_keys_are_counted_by_genre_in_percent_of_its_songs():
    genres = np.array(["x", "y", "x", "x", "x"], dtype=object)
    result = count_keys(np.array([5, 23, 5, 0, NO_KEY]), genres)
    assert result.counts.shape == result.shares.shape == (2, 24)
    assert {(row, key): result.counts[row, key] for row, key in np.argwhere(result.counts)} == {
        (0, 5): 2, (0, 0): 1, (1, 23): 1
    }  # fmt: skip
    assert (result.shares[0, 5], result.shares[0, 0], result.shares[1, 23]) == (50, 25, 100)
    assert result.n_unknown == 1
