"""Recommendations by playlists, by sound and by both, and their scores on hidden songs."""

import networkx as nx
import numpy as np
import pytest
from communities.planted import planted, playlists
from libraries import labelled_library, units_of
from scipy import sparse
from sknetwork.ranking import PageRank

from songmap.communities import recommendation_scores
from songmap.communities.graph import build_graph
from songmap.communities.graph_results import NO_COMMUNITY, Interval, Pruning, RecommendationScores, RecommenderScores
from songmap.communities.recommendation import Recommender, personalised_pagerank, recommend
from songmap.communities.recommendation_scores import score_recommenders
from songmap.communities.views.playlist_sentences import recommendation_rows, recommendation_sentence
from songmap.core.errors import QueryError, UsageError

N_SONGS = 40
LISTS = playlists([0, 1, 2, 3], [2, 3, 4], [4, 5, 6, 7], [10, 11])


def directions(groups: np.ndarray, spread: float, seed: int = 0) -> np.ndarray:
    """Unit vectors around the direction of each group."""
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((groups.max() + 1, 20))[groups] + spread * rng.standard_normal((len(groups), 20))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def recommender() -> Recommender:
    units = directions(np.arange(N_SONGS) % 4, 0.3)
    return Recommender(build_graph(LISTS, N_SONGS), units, np.arange(N_SONGS))


@pytest.mark.parametrize(("seeds", "joined"), [([0], [0]), ([0, 4], [0, 4]), ([0, 10], [0, 10]), ([0, 20], [0])])
def test_pagerank_is_that_of_networkx(recommender, seeds, joined):
    """Also of seeds in two parts of the graph; one that no playlist joins does not count."""
    reference = nx.pagerank(
        nx.from_scipy_sparse_array(recommender.graph.weights), 0.85, personalization=dict.fromkeys(joined, 1.0),
        tol=1e-12, max_iter=1000,
    )  # fmt: skip
    found = personalised_pagerank(recommender.steps, np.array(seeds))
    np.testing.assert_allclose(found, [reference[row] for row in range(N_SONGS)], atol=1e-6)
    assert found.sum() == pytest.approx(1)


def test_pagerank_is_that_of_scikit_network_to_the_last_bit(recommender):
    restart = np.bincount([0, 4, 10], np.full(3, 1 / 3), N_SONGS)
    reference = PageRank(0.85, n_iter=100, tol=1e-7).fit_predict(sparse.csr_matrix(recommender.graph.weights), restart)
    np.testing.assert_array_equal(personalised_pagerank(recommender.steps, np.array([0, 4, 10])), reference)


def test_playlists_alone_recommend_only_what_a_walk_reaches(recommender):
    answer = recommend(recommender, [0, 1], 30, alpha=1)
    assert {one.row for one in answer.songs} == {2, 3, 4, 5, 6, 7}
    assert [one.playlist_rank for one in answer.songs] == list(range(1, 7))
    assert {one.row for one in answer.songs[:2]} == {2, 3}


def test_sound_alone_is_the_order_of_cosines(recommender):
    answer = recommend(recommender, [0, 4], 10, alpha=0)
    mean = recommender.units[[0, 4]].mean(axis=0)
    cosines = recommender.units @ mean / np.linalg.norm(mean)
    others = np.setdiff1d(np.arange(N_SONGS), [0, 4])
    assert [one.row for one in answer.songs] == others[np.argsort(-cosines[others])][:10].tolist()
    assert [one.sound_rank for one in answer.songs] == list(range(1, 11))
    assert answer.songs[0].similarity == pytest.approx(cosines[answer.songs[0].row], abs=1e-6)


def test_the_mix_has_songs_in_no_playlist_and_the_score_that_is_documented(recommender):
    answer = recommend(recommender, [0, 1], 12, labels=np.full(N_SONGS, NO_COMMUNITY))
    assert any(one.playlist_rank is None and one.pagerank == 0 for one in answer.songs)
    assert any(one.playlist_rank is not None for one in answer.songs)
    for one in answer.songs:
        walk = 0.5 / (60 + one.playlist_rank) if one.playlist_rank else 0
        assert one.score == pytest.approx(walk + 0.5 / (60 + one.sound_rank))
    scores = [one.score for one in answer.songs]
    assert scores == sorted(scores, reverse=True)


def test_a_song_in_no_playlist_gets_recommendations_by_sound(recommender):
    answer = recommend(recommender, [20], 5)
    assert {one.row % 4 for one in answer.songs} == {0}
    assert all(one.playlist_rank is None for one in answer.songs)


def test_copies_are_neither_recommended_nor_lost(recommender):
    recordings = np.arange(N_SONGS)
    recordings[[8, 30]] = 0, 2  # 8 is a copy of the seed, 30 of a song in its playlist
    own = Recommender(recommender.graph, recommender.units, recordings)
    rows = {one.row for one in recommend(own, [0], N_SONGS).songs}
    assert rows == set(range(N_SONGS)) - {0, 8, 30}
    assert [one.row for one in recommend(own, [8], 3, alpha=1).songs] == [
        one.row for one in recommend(own, [0], 3, alpha=1).songs
    ]


@pytest.mark.parametrize(
    ("seeds", "alpha", "words"),
    [([0], 1.5, "out of range"), ([0], float("nan"), "out of range"), ([], 0.5, "at least one"), ([20], 1, "below 1")],
)
def test_what_cannot_be_recommended_is_one_line(recommender, seeds, alpha, words):
    with pytest.raises(QueryError, match=words) as error:
        recommend(recommender, seeds, 5, alpha)
    assert "\n" not in str(error.value)


def test_the_only_song_has_nothing_to_recommend():
    only = Recommender(build_graph(playlists(), 1), np.ones((1, 3), np.float32), np.arange(1))
    with pytest.raises(QueryError, match="no other song"):
        recommend(only, [0])


# ── scores ──
@pytest.mark.parametrize(
    ("ranking", "hidden", "expected"),
    [
        ([1, 2, 3], [1, 2], (1, 1, 1)),
        ([9, 1, 8, 2], [1, 2], (0.5, (1 / np.log2(3) + 1 / np.log2(5)) / (1 + 1 / np.log2(3)), 1)),
        ([9, 8, 7], [1], (0, 0, 0)),
        ([*range(100, 110), 1], [1, 2], (0, 0, 0)),  # found, but after the tenth
    ],
)
def test_metrics_by_hand(ranking, hidden, expected):
    assert recommendation_scores._metrics(np.array(ranking), np.array(hidden)) == pytest.approx(expected)


def scores_of(lists, units, n_songs):
    sources = Recommender(build_graph(lists, n_songs), units, np.arange(n_songs))
    result = score_recommenders(lists, sources, Pruning())
    return result, {one.recommender: one for one in result.scores}


def test_playlists_by_community_are_recommended_by_playlists_and_those_by_sound_by_sound():
    lists = planted(5, 20, 60, length=10, mixing=0)
    groups = np.repeat(np.arange(5), 20)
    result, by_name = scores_of(lists, directions(np.arange(100) % 7, 0.5), 100)  # sound says nothing
    assert by_name["playlists"].ndcg.low > by_name["popularity"].ndcg.high
    assert by_name["playlists"].ndcg.low > by_name["sound"].ndcg.high
    assert by_name["mix"].mix_ahead.mean == 0
    assert by_name["sound"].mix_ahead.low > 0
    assert result.n_playlists == 60
    assert result.n_hidden == sum(len(rows) // 2 for rows in lists.rows)
    _, by_name = scores_of(lists, directions(groups, 0.1), 100)
    assert by_name["sound"].r_precision.low > by_name["popularity"].r_precision.high


def test_songs_of_no_other_playlist_are_recommended_by_sound_alone():
    """Every song is in one playlist: once hidden no walk leads to it."""
    lists = playlists(*np.arange(120).reshape(12, 10).tolist())
    result, by_name = scores_of(lists, directions(np.repeat(np.arange(12), 10), 0.1), 120)
    assert result.unreachable_share == 1
    assert by_name["playlists"].recall.mean < 0.3
    assert by_name["sound"].recall.mean > 0.9
    assert by_name["mix"].recall.mean > 0.9


def test_random_playlists_are_recommended_no_better_than_by_chance():
    lists = planted(1, 100, 60, length=10, seed=4)
    _, by_name = scores_of(lists, directions(np.arange(100) % 5, 0.5), 100)
    for one in by_name.values():
        assert one.recall.low < 10 / 95 < one.recall.high + 0.02


def test_a_playlist_that_is_there_twice_does_not_show_what_is_hidden():
    """In another order and under another name, as of an export in another format."""
    rng = np.random.default_rng(0)
    lists = [rng.choice(200, 12, replace=False) for _ in range(20)]
    sources = Recommender(build_graph(playlists(*lists), 200), directions(np.arange(200), 0, 1), np.arange(200))
    once, twice = (
        score_recommenders(playlists(*some), sources, Pruning())
        for some in (lists, [*lists, *(rng.permutation(rows) for rows in lists)])
    )
    assert twice == once


def test_of_a_graph_with_many_edges_fewer_playlists_are_tested(monkeypatch):
    lists = planted(3, 20, 23)
    sources = Recommender(build_graph(lists, 60), directions(np.arange(60) % 3, 0.5), np.arange(60))
    monkeypatch.setattr(recommendation_scores, "LEAST_TESTED", 5)
    for per_edge, expected in ((40, 23), (12, 12), (1, 5)):
        monkeypatch.setattr(recommendation_scores, "_MAX_WALKED", per_edge * sources.graph.n_edges)
        assert score_recommenders(lists, sources, Pruning()).n_playlists == expected


def test_the_same_seed_gives_the_same_scores_and_progress_ends_at_all():
    lists, steps = planted(3, 20, 23), []
    sources = Recommender(build_graph(lists, 60), directions(np.arange(60) % 3, 0.5), np.arange(60))
    first, again = (
        score_recommenders(lists, sources, Pruning(), on_progress=lambda *step: steps.append(step)) for _ in range(2)
    )
    assert first == again
    assert steps[22] == (23, 23)


def test_short_playlists_cannot_be_evaluated():
    with pytest.raises(UsageError, match="no playlist has 4"):
        scores_of(playlists([0, 1, 2]), np.ones((3, 2), np.float32), 3)


def test_units_of_a_library_serve(recommender):
    library = labelled_library(np.random.default_rng(0).standard_normal((N_SONGS, 641)), ["A"] * N_SONGS)
    own = Recommender(recommender.graph, units_of(library.embeddings), np.arange(N_SONGS))
    assert len(recommend(own, [0], 5).songs) == 5


@pytest.mark.parametrize(
    ("sound", "playlists", "words"),
    [
        (0.1, 0.2, "better than sound alone and playlists alone"),
        (-0.1, 0.0, "worse than sound alone"),
        (-0.1, 0.2, "better than playlists alone and worse than sound alone"),
        (0.0, 0.0, "better or worse than another way"),
    ],
)
def test_what_the_mix_is_better_than_is_said(sound, playlists, words):
    score = Interval(0.2, 0.15, 0.25)
    scores = tuple(
        RecommenderScores(name, score, score, score, Interval(ahead, ahead - 0.05, ahead + 0.05))
        for name, ahead in (("sound", sound), ("playlists", playlists))
    )
    sentence = recommendation_sentence(RecommendationScores(scores, 1, 4, 0.0, 10, 0.5))
    assert f" {words} (1 playlist, half of each hidden)." in sentence
    assert recommendation_rows(RecommendationScores(scores, 1, 4, 0.0, 10, 0.5))[0]["recall@10"] == "0.20 (0.15–0.25)"
