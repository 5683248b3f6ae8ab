"""The graph, its pruning and its communities, compared with networkx, and with what was planted."""

from itertools import combinations

import networkx as nx
import numpy as np
import pytest
from communities.planted import planted, playlists
from scipy import sparse
from sklearn.metrics import adjusted_rand_score

from songmap.communities import graph as graph_module
from songmap.communities.community_detection import Detection, against_chance, detect, modularity, shuffled
from songmap.communities.graph import build_graph
from songmap.communities.graph_results import NO_COMMUNITY, CommunityWarning, MatchedPlaylists, Pruning, SongGraph
from songmap.communities.pruning import disparity_p_values, prune
from songmap.core.errors import UsageError

PLANTED = planted(4, 25, 40)
TRUTH = np.repeat(np.arange(4), 25)


def network(graph: SongGraph) -> nx.Graph:
    return nx.from_scipy_sparse_array(graph.weights)


def edges(graph: SongGraph) -> set[tuple[int, int]]:
    return {(int(a), int(b)) for a, b in zip(*sparse.triu(graph.weights).nonzero(), strict=True)}


def test_a_playlist_adds_one_to_the_strength_of_each_of_its_songs():
    graph = build_graph(playlists([0, 1, 2], [1, 2], [3], [2, 4, 5, 0]), 7)
    expected = nx.Graph()
    expected.add_nodes_from(range(7))
    for rows in ([0, 1, 2], [1, 2], [2, 4, 5, 0]):
        for a, b in combinations(rows, 2):
            weight = expected.get_edge_data(a, b, {"weight": 0})["weight"] + 1 / (len(rows) - 1)
            expected.add_edge(a, b, weight=weight)
    np.testing.assert_allclose(graph.weights.toarray(), nx.to_numpy_array(expected), rtol=1e-6)
    np.testing.assert_allclose(graph.strengths, [2, 2, 3, 0, 1, 1, 0], rtol=1e-6)
    assert graph.n_playlists == 3  # one song joins nothing
    assert graph.n_edges == expected.number_of_edges()
    assert graph.is_joined.tolist() == [True, True, True, False, True, True, False]


def test_weights_are_exactly_symmetric_without_a_diagonal():
    weights = build_graph(PLANTED, 100).weights
    assert (weights != weights.T).nnz == 0
    assert not weights.diagonal().any()


def test_a_giant_playlist_is_sampled(monkeypatch):
    giant = list(range(2_000))
    graph = build_graph(playlists(giant, [0, 1]), 2_000)
    assert graph.n_edges <= 2_000 * graph_module.SAMPLED_SONGS / 2 + 1
    np.testing.assert_allclose(graph.strengths[2:], 1, rtol=1e-5)  # as of any playlist
    assert [(one.name, one.n_songs) for one in graph.sampled] == [("list 0", 2_000)]
    assert (graph.weights != graph.weights.T).nnz == 0
    again, other = build_graph(playlists(giant, [0, 1]), 2_000), build_graph(playlists(giant, [0, 1]), 2_000, seed=1)
    assert edges(again) == edges(graph) != edges(other)


def test_a_giant_playlist_hides_no_communities():
    lists = planted(4, 200, 400, length=15)
    giant = np.arange(800)
    graph = build_graph(MatchedPlaylists((*lists.names, "all"), (*lists.rows, giant)), 800)
    assert len(graph.sampled) == 1
    found = detect(graph, Detection(n_runs=1))
    assert adjusted_rand_score(np.repeat(np.arange(4), 200), found.labels) > 0.95


@pytest.mark.parametrize("k", [2, 5, 6, 50])
def test_the_k_core_is_that_of_networkx(k):
    graph = build_graph(planted(4, 25, 20, length=8, mixing=0.5), 100)
    pruned = prune(graph, Pruning(k_core=k))
    expected = {tuple(sorted(edge)) for edge in nx.k_core(network(graph), k).edges}
    assert edges(pruned) == expected
    assert bool(expected) == (k < 50)


def test_the_disparity_filter_is_that_of_its_definition():
    graph = build_graph(planted(4, 25, 40, mixing=0.4), 100)
    reference = network(graph)
    p_values = disparity_p_values(graph.weights)
    kept = set()
    for a, b, weight in reference.edges(data="weight"):
        own = []
        for one, other in ((a, b), (b, a)):
            strength, degree = reference.degree(one, weight="weight"), reference.degree(one)
            # the integral of Serrano et al., equation 2, by its closed form
            own.append((1 - weight / strength) ** (degree - 1))
            assert p_values[one, other] == pytest.approx(own[-1], rel=1e-4)
        if min(own) < 0.3:
            kept.add((a, b))
    assert 0 < len(kept) < graph.n_edges
    assert edges(prune(graph, Pruning(significance=0.3))) == kept


def test_an_edge_between_two_songs_of_one_neighbour_is_never_significant():
    graph = build_graph(playlists([0, 1]), 2)
    assert prune(graph, Pruning(significance=0.99)).n_edges == 0


def test_pruning_by_weight_and_all_of_it_at_once():
    graph = build_graph(planted(4, 25, 40, mixing=0.4), 100)
    weights = graph.weights.toarray()
    light = prune(graph, Pruning(minimum_weight=0.15))
    np.testing.assert_array_equal(light.weights.toarray(), np.where(weights >= 0.15, weights, 0))
    both = prune(graph, Pruning(minimum_weight=0.15, k_core=3))
    assert edges(both) == {tuple(sorted(edge)) for edge in nx.k_core(network(light), 3).edges}
    assert prune(graph, Pruning()).n_edges == graph.n_edges
    assert (both.weights != both.weights.T).nnz == 0


@pytest.mark.parametrize("method", ["louvain", "leiden"])
def test_planted_communities_are_found(method):
    found = detect(build_graph(PLANTED, 101), Detection(method))
    assert found.labels[100] == NO_COMMUNITY
    joined = found.labels[:100] >= 0
    assert adjusted_rand_score(TRUTH[joined], found.labels[:100][joined]) > 0.9
    assert found.stability > 0.9
    assert found.warnings == ()
    assert found.sizes.tolist() == sorted(np.bincount(found.labels[found.labels >= 0]).tolist(), reverse=True)
    assert found.largest_share == found.sizes[0] / found.sizes.sum()


@pytest.mark.parametrize("method", ["louvain", "leiden"])
def test_modularity_is_that_of_networkx_and_as_high_as_its_louvain(method):
    graph = build_graph(planted(4, 25, 40, mixing=0.4), 101)
    found = detect(graph, Detection(method))
    reference = network(graph).subgraph(np.flatnonzero(graph.is_joined).tolist())
    parts = [set(np.flatnonzero(found.labels == label).tolist()) for label in range(len(found.sizes))]
    assert found.modularity == pytest.approx(nx.community.modularity(reference, parts), rel=1e-6)
    theirs = max(
        nx.community.modularity(reference, nx.community.louvain_communities(reference, seed=seed)) for seed in range(5)
    )
    assert found.modularity > theirs - 0.01


def test_the_same_seed_gives_the_same_and_a_higher_resolution_more_communities():
    graph = build_graph(planted(4, 25, 40, mixing=0.5), 100)
    first, again = (detect(graph, Detection(seed=3)) for _ in range(2))
    np.testing.assert_array_equal(first.labels, again.labels)
    fine = detect(graph, Detection(resolution=4))
    assert len(fine.sizes) > len(first.sizes)
    assert fine.modularity == pytest.approx(modularity(graph.weights, fine.labels))


def test_one_community_and_one_that_holds_most_are_warned_of():
    one = detect(build_graph(playlists(list(range(10))), 12))
    assert one.warnings == (CommunityWarning.ONE_COMMUNITY,)
    most = detect(build_graph(playlists(list(range(10)), [10, 11]), 12))
    assert most.warnings == (CommunityWarning.ONE_HOLDS_MOST,)
    assert most.largest_share == pytest.approx(10 / 12)


@pytest.mark.parametrize("lists", [playlists(), playlists([1], [2])])
def test_without_edges_there_are_no_communities(lists):
    with pytest.raises(UsageError, match="no two songs"):
        detect(build_graph(lists, 3))


def test_shuffled_playlists_keep_lengths_and_popularity():
    lists = planted(4, 25, 40, length=20)
    random = shuffled(lists, np.random.default_rng(0))
    assert [len(rows) for rows in random.rows] == [len(rows) for rows in lists.rows]
    assert all(len(set(rows.tolist())) == len(rows) for rows in random.rows)
    counts = [np.bincount(np.concatenate(one.rows), minlength=100).tolist() for one in (lists, random)]
    assert counts[0] == counts[1]
    assert any(not np.array_equal(a, b) for a, b in zip(lists.rows, random.rows, strict=True))


def test_shuffling_ends_where_songs_are_in_every_playlist():
    lists = playlists(*[[0, 1, 2]] * 5)
    random = shuffled(lists, np.random.default_rng(0))
    assert len(random) == 5
    assert all(len(set(rows.tolist())) == len(rows) <= 3 for rows in random.rows)


def test_planted_communities_are_above_chance():
    lists = planted(4, 25, 40, mixing=0.3)
    found = against_chance(detect(build_graph(lists, 100)), lists, Pruning(), n_runs=19)
    assert found.null.p_value == 1 / 20
    assert found.modularity > found.null.mean + 5 * found.null.standard_deviation
    assert CommunityWarning.NOT_ABOVE_CHANCE not in found.warnings


def test_playlists_that_are_there_twice_are_no_communities():
    """Compared with random ones that are not equal, any set of playlists was above chance."""
    lists = planted(1, 60, 25, length=8, seed=0)
    twice = MatchedPlaylists(lists.names * 2, (*lists.rows, *(rows[::-1] for rows in lists.rows)))
    found = detect(build_graph(lists, 60))
    assert (
        against_chance(found, twice, Pruning(), n_runs=19).null
        == against_chance(found, lists, Pruning(), n_runs=19).null
    )


@pytest.mark.parametrize(("n_sets", "limit"), [(25, 4), pytest.param(200, 14, marks=pytest.mark.slow)])
def test_random_playlists_are_above_chance_in_five_percent_of_runs(n_sets, limit):
    """Playlists without communities: p is 0.05 or less in 7 % of 200 at most; more than 4 of 25 has a probability of 1 %."""
    detection, n_above = Detection(n_runs=1), 0
    for seed in range(n_sets):
        lists = planted(1, 60, 25, length=8, seed=seed)
        found = detect(build_graph(lists, 60), detection)
        assert found.modularity > 0.1  # positive, though there is nothing to find
        tested = against_chance(found, lists, Pruning(), detection, n_runs=19)
        n_above += tested.null.p_value <= 0.05
        assert (CommunityWarning.NOT_ABOVE_CHANCE in tested.warnings) == (tested.null.p_value > 0.05)
    assert n_above <= limit
