"""Precision, hubness and outliers against their definitions, song by song."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from libraries import labelled_library, make_library, separable_library
from scipy import stats
from searches import Searches

from songmap.core.workspace import Workspace
from songmap.library.library import Library
from songmap.library.schema import N_COLUMNS
from songmap.library.search import NOBODY
from songmap.similar import evaluation
from songmap.similar.lookup import Lookup


def cosines_by_definition(embeddings: np.ndarray) -> np.ndarray:
    """Cosines of standardised columns, float64 ``(n, n)``: the space "scaled"."""
    columns = embeddings.astype(np.float64)
    columns = (columns - columns.mean(axis=0)) / columns.std(axis=0)
    columns /= np.linalg.norm(columns, axis=1, keepdims=True)
    return columns @ columns.T


def nearest_by_definition(
    embeddings: np.ndarray, recordings: np.ndarray, queries, candidates, k: int
) -> list[list[int]]:
    cosine = cosines_by_definition(embeddings)
    return [
        sorted(
            (row for row in candidates if recordings[row] != recordings[query]), key=lambda row: -cosine[query, row]
        )[:k]
        for query in queries
    ]


def precision_by_definition(found, queries, labels, firsts, artists=None, macro=False) -> float:
    """Mean over queries of the share of hits, or over the labels' means of it; ``artists`` are those of the filter."""
    artists = artists if artists is not None else list(range(len(labels)))
    shares = {}
    for query, near in zip(queries, found, strict=True):
        others = [row for row in firsts if row != query and artists[row] != artists[query]]
        if labels[query] and any(labels[row] == labels[query] for row in others):
            shares.setdefault(labels[query], []).append(np.mean([labels[row] == labels[query] for row in near]))
    if not shares:
        return np.nan
    own = [np.mean(each) for each in shares.values()] if macro else np.concatenate(list(shares.values()))
    return float(np.mean(own))


@given(
    labels=st.lists(st.sampled_from(["A", "B", "C", ""]), min_size=3, max_size=30),
    n_artists=st.integers(2, 30),
    k=st.integers(1, 5),
    seed=st.integers(0, 9),
    macro=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_precision_is_the_mean_share_of_hits(labels, n_artists, k, seed, macro):
    rng = np.random.default_rng(seed)
    n_songs = len(labels)
    firsts = np.arange(n_songs)
    artists = firsts % n_artists
    found = np.full((n_songs, k), NOBODY)
    for row in range(n_songs):
        near = rng.permutation(firsts[artists != artists[row]])[:k]
        found[row, : len(near)] = near
    codes = evaluation.label_codes(labels, "")
    result = evaluation.Answers(found, firsts, firsts, artists).precision(codes, artists if macro else None)
    lists = [[row for row in near if row != NOBODY] for near in found]
    expected = precision_by_definition(lists, firsts, labels, firsts, artists, macro)
    np.testing.assert_allclose(result.value, expected)
    others = [[row for row in firsts if artists[row] != artists[query]] for query in firsts]
    same = [sum(labels[row] == labels[query] for row in others[query]) for query in firsts]
    counted = [row for row in firsts if labels[row] and same[row]]
    assert result.queries == len(counted)
    assert result.labels == len({labels[row] for row in counted})
    if counted:
        chance = [same[row] / len(others[row]) for row in counted]
        best = [min(same[row], k, len(others[row])) / min(k, len(others[row])) for row in counted]
        sizes = [sum(labels[row] == labels[other] for other in counted) for row in counted]
        weights = 1 / np.array(sizes) if macro else np.ones(len(counted))
        assert result.chance == pytest.approx(np.average(chance, weights=weights))
        assert result.best == pytest.approx(np.average(best, weights=weights))
        assert result.value <= result.best + 1e-12


def test_an_artist_filter_takes_away_what_is_only_of_the_artist():
    """Songs are near those of their artist and of nothing else: unfiltered every hit, filtered chance."""
    rng = np.random.default_rng(0)
    artists, of_genre = np.repeat(np.arange(24), 5), np.arange(24) % 2
    embeddings = 3 * rng.standard_normal((24, 641))[artists] + rng.standard_normal((120, 641))
    genres = [f"GENRE{code}" for code in of_genre[artists]]
    library = labelled_library(embeddings, genres, [f"artist {code}" for code in artists])
    for record in Searches(library).evaluate().records:
        assert record["same_genre"] > 0.6
        assert record["same_genre_other_artists"] == pytest.approx(record["same_genre_other_artists_chance"], abs=0.08)
        low, high = record["same_genre_other_artists_interval"]
        assert low < record["same_genre_other_artists_chance"] < high


def test_intervals_hold_the_truth_as_often_as_they_claim():
    """Artists drawn from a population whose mean of genre means is 0.5."""
    rng, held = np.random.default_rng(1), 0
    for _ in range(300):
        sizes = rng.integers(1, 6, 40)
        artists, label = np.repeat(np.arange(40), sizes), np.repeat(np.arange(40) % 2, sizes)
        shares = rng.normal(np.where(label, 0.7, 0.3) + rng.normal(0, 0.1, 40)[artists], 0.05)
        low, high = evaluation.interval(shares, label, artists, seed=0)
        held += low <= 0.5 <= high
    assert 0.89 <= held / 300 <= 0.98


def test_few_artists_have_no_interval():
    shares, label = np.linspace(0, 1, 12), np.arange(12) % 2
    assert evaluation.interval(shares, label, np.arange(12) // 2, seed=0) is not None
    assert evaluation.interval(shares, label, np.arange(12) // 4, seed=0) is None


def test_genres_of_one_artist_and_songs_without_are_named():
    embeddings = make_library(30).embeddings
    artists = ["One"] * 10 + [""] * 3 + [f"artist {row}" for row in range(17)]
    shown = Searches(labelled_library(embeddings, ["ALONE"] * 10 + ["B"] * 20, artists)).evaluate()
    assert shown.result.genres_of_one_artist == ("ALONE",)
    assert shown.result.n_without_artist == 3
    assert all(one.precision[evaluation.FILTERED].labels == 1 for one in shown.result.scores)
    text = " ".join(shown.text(verbose=True).split())
    assert "ALONE is by one artist and left out of that column" in text
    assert "3 recordings have no artist tag" in text


def test_a_recording_whose_artist_is_unknown_is_by_an_artist_of_its_own():
    library = labelled_library(np.zeros((5, N_COLUMNS)), ["A"] * 5, ["", "Ann", "", "Ann", ""])
    library.songs.loc[4, "duplicate_of"] = library.songs.loc[2, "file_path"]
    assert Lookup(library).artist_groups.tolist() == [1, 0, 2, 0, 2]


def test_k_occurrence_and_skewness():
    found = np.array([[1, 2], [0, 2], [1, NOBODY]])
    assert evaluation.k_occurrence(found, 4).tolist() == [1, 2, 2, 0]
    values = np.random.default_rng(0).poisson(3, 200)
    assert evaluation.skewness(values) == pytest.approx(stats.skew(values))
    assert evaluation.skewness(np.full(5, 10)) == 0


@pytest.fixture(scope="module")
def library() -> Library:
    """60 songs of three genres that overlap, two songs per artist and album, three copies, unknown labels."""
    library = separable_library(3, 20, distance=0.25, seed=3)
    for copy, first in ((1, 0), (7, 5), (30, 10)):
        library.embeddings[copy] = library.embeddings[first]
        library.songs.loc[copy, "duplicate_of"] = library.songs["file_path"][first]
    library.songs["album"] = [f"Album {row // 4}" if row % 5 else "" for row in range(60)]
    library.songs.loc[[2, 50], "artist"] = ["", "ARTIST 4"]
    library.songs.loc[[3, 33], "genre"] = "UNKNOWN"
    return library


def expected_scores(library: Library, queries, candidates) -> dict[str, float]:
    firsts = np.flatnonzero(library.songs["duplicate_of"] == "")
    recordings = Searches(library).session.lookup.recordings
    found = nearest_by_definition(library.embeddings, recordings, queries, candidates, 10)
    albums = [
        (album.lower(), artist.lower()) if album else ""
        for album, artist in zip(library.songs["album"], library.songs["artist"], strict=True)
    ]
    labels = {
        "genre": ["" if genre == "UNKNOWN" else genre for genre in library.genres],
        "artist": library.songs["artist"].str.lower().tolist(),
        "album": albums,
    }
    scores = {
        f"same_{kind}": precision_by_definition(found, queries, own, firsts, macro=kind == "genre")
        for kind, own in labels.items()
    }
    artists = [name or f"alone {row}" for row, name in enumerate(labels["artist"])]
    by_others = nearest_by_definition(library.embeddings, np.array(artists), queries, candidates, 10)
    filtered = precision_by_definition(by_others, queries, labels["genre"], firsts, artists, macro=True)
    return scores | {"same_genre_other_artists": filtered}


def test_evaluate_is_the_definition(library):
    records = Searches(library).evaluate().records
    assert [(record["space"], record["hubs_corrected"]) for record in records] == [
        (space, corrected) for space in ("balanced", "scaled", "balanced641") for corrected in (False, True)
    ]
    firsts = np.flatnonzero(library.songs["duplicate_of"] == "")
    scaled = next(record for record in records if record["space"] == "scaled" and not record["hubs_corrected"])
    for name, value in expected_scores(library, firsts, firsts).items():
        assert scaled[name] == pytest.approx(value)
    found = nearest_by_definition(library.embeddings, Searches(library).session.lookup.recordings, firsts, firsts, 10)
    occurrence = np.bincount(np.concatenate(found), minlength=60)[firsts]
    assert scaled["hubness_skewness"] == pytest.approx(stats.skew(occurrence))
    assert scaled["in_no_list"] == (occurrence == 0).mean()
    assert scaled["queries"] == 57


def test_copies_are_no_hits(library):
    """Only song 0 and its copy 1 are by artist 0: no query counts for it."""
    only = library.songs["artist"] == "artist 0"
    assert only.sum() == 2
    alone = Library(library.embeddings, library.songs.assign(artist=np.where(only, "artist 0", "")))
    record = Searches(alone).evaluate().records[0]
    assert record["same_artist_queries"] == 0
    assert np.isnan(record["same_artist"])


def test_queries_of_a_large_library_are_a_sample(library, monkeypatch):
    monkeypatch.setattr(evaluation, "MAX_QUERIES", 15)
    answer = Searches(library, space="scaled").evaluate(seed=1)
    scaled = answer.records[2]
    firsts = np.flatnonzero(library.songs["duplicate_of"] == "")
    queries = np.sort(np.random.default_rng(1).choice(firsts, 15, replace=False))
    for name, value in expected_scores(library, queries, firsts).items():
        assert scaled[name] == pytest.approx(value, nan_ok=True)
    among = nearest_by_definition(library.embeddings, Searches(library).session.lookup.recordings, queries, queries, 10)
    occurrence = np.bincount(np.concatenate(among), minlength=60)[queries]
    assert scaled["hubness_skewness"] == pytest.approx(stats.skew(occurrence))
    assert "a sample of 15 of 57 recordings" in answer.text(verbose=True)
    assert answer.records == Searches(library).evaluate(seed=1).records
    assert answer.records != Searches(library).evaluate(seed=2).records


def test_evaluate_distinguishes_clouds_from_noise():
    clouds = Searches(separable_library(3, 12)).evaluate()
    assert all(record["same_genre"] > 0.95 for record in clouds.records)
    noise = Searches(labelled_library(make_library(90).embeddings, ["A", "B", "C"] * 30)).evaluate()
    for record in noise.records:
        assert record["same_genre"] == pytest.approx(record["same_genre_chance"], abs=0.06)
    text = noise.text()
    assert "Precision at 10 and hubness of every space" in text
    assert "by chance" in text
    assert "run 03_genre_classifier.py" in text


def test_outliers_are_farthest_from_their_nearest(library):
    answers = Searches(library, space="scaled")
    firsts = np.flatnonzero(library.songs["duplicate_of"] == "")
    cosine = cosines_by_definition(library.embeddings)
    near = nearest_by_definition(library.embeddings, answers.session.lookup.recordings, firsts, firsts, 10)
    means = {row: cosine[row, found].mean() for row, found in zip(firsts, near, strict=True)}
    expected = sorted(firsts, key=means.__getitem__)[:5]
    answer = answers.outliers(5)
    assert [record["file_path"] for record in answer.records] == library.songs["file_path"].iloc[expected].tolist()
    np.testing.assert_allclose(
        [record["similarity"] for record in answer.records], [means[row] for row in expected], atol=1e-6
    )
    assert answers.session.last == library.songs["file_path"].iloc[expected].tolist()
    assert "mean similarity to their 10 nearest" in answer.text()


def test_hubs_are_in_most_lists(library):
    answers = Searches(library, space="scaled")
    firsts = np.flatnonzero(library.songs["duplicate_of"] == "")
    near = nearest_by_definition(library.embeddings, answers.session.lookup.recordings, firsts, firsts, 10)
    occurrence = np.bincount(np.concatenate(near), minlength=60)
    answer = answers.hubs(100)
    assert len(answer.records) == 57
    row_of = {path: row for row, path in enumerate(library.songs["file_path"])}
    assert [record["k_occurrence"] for record in answer.records] == sorted(occurrence[firsts], reverse=True)
    assert all(record["k_occurrence"] == occurrence[row_of[record["file_path"]]] for record in answer.records)
    assert f"skewness {stats.skew(occurrence[firsts]):.2f}" in answer.text()


def test_a_library_of_one_recording_has_neither_hubs_nor_outliers():
    library = make_library(3)
    library.embeddings[:] = library.embeddings[0]
    library.songs.loc[[1, 2], "duplicate_of"] = library.songs["file_path"][0]
    answers = Searches(library)
    assert answers.outliers(5).records == []
    assert [record["k_occurrence"] for record in answers.hubs(5).records] == [0]
    assert np.isnan(answers.evaluate().records[0]["same_genre"])


def test_evaluate_names_the_best_space_and_takes_weights(library):
    answer = Searches(library, weights={"mel": 3.0}).evaluate()
    names = [record["space"] for record in answer.records]
    assert names == [name for name in ("balanced", "scaled", "balanced641", "balanced, weighted") for _ in range(2)]
    best = max(answer.records, key=lambda record: record["same_genre_other_artists"])
    assert (
        f"{best['space']}{', hubs corrected' * best['hubs_corrected']} has the highest precision for genres"
        in answer.sentences[0]
    )
    plain, weighted = answer.records[0], answer.records[6]
    assert plain["hubness_skewness"] != weighted["hubness_skewness"]


def test_a_model_that_cannot_be_read_leaves_its_space_out(library, tmp_path):
    workspace = Workspace(tmp_path)
    workspace.model_card.parent.mkdir()
    workspace.model_card.write_text("{}")
    workspace.model.write_text("no model")
    answer = Searches(library, workspace).evaluate()
    assert len(answer.records) == 6
    assert any("The classifier space is left out: " in note and "03" in note for note in answer.sentences)


@pytest.mark.parametrize("seed", range(5))
def test_what_a_query_can_find_is_counted_as_one_by_one(seed):
    rng = np.random.default_rng(seed)
    codes, groups = rng.integers(-1, 3, 60), rng.integers(0, 20, 60)
    candidates, queries = np.sort(rng.choice(60, 40, replace=False)), rng.choice(60, 15, replace=False)
    found = rng.choice(candidates, (15, 10))
    precision = evaluation.Answers(found, queries, candidates, groups).precision(codes)
    shares, chances = [], []
    for row, near in zip(queries, found, strict=True):
        others = candidates[groups[candidates] != groups[row]]
        if codes[row] >= 0 and (codes[others] == codes[row]).any():
            shares.append(np.mean(codes[near] == codes[row]))
            chances.append(np.mean(codes[others] == codes[row]))
    assert (precision.queries, precision.value, precision.chance) == pytest.approx(
        (len(shares), np.mean(shares), np.mean(chances))
    )
