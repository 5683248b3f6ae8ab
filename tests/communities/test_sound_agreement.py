"""Sound against playlists: planted agreement is found, what artists alone explain is not."""

from types import SimpleNamespace

import numpy as np
import pytest
from communities.playlist_worlds import world
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score, roc_auc_score

from songmap.communities.agreement import PlaylistSongs, SpaceSongs, compare_spaces, contingency
from songmap.communities.agreement_results import (
    CommunitySound,
    Conclusion,
    Contingency,
    Estimate,
    Reason,
    SpaceAgreement,
)
from songmap.communities.conclusion import conclude, limits
from songmap.communities.pairs import auc, cosines, mid_ranks, song_pairs
from songmap.communities.partitions import adjusted_mutual_information, adjusted_rand, contingency_table
from songmap.communities.views.agreement_sentences import similar_sentence
from songmap.library.artists import ArtistPermutation, jackknife


def compared(seed: int, preference: float, n_permutations: int = 99):
    one = world(seed, preference)
    spaces = compare_spaces({"x": SpaceSongs(one.vectors, one.moods, True)}, one.songs, n_permutations)
    return spaces[0], conclude(spaces, limits(one.songs))[0]


def test_planted_agreement_is_found():
    for seed in range(3):
        space, conclusion = compared(seed, preference=20)
        assert conclusion is Conclusion.YES
        assert space.auc.value > 0.6
        assert space.ami.value > space.ami.null_high
        assert space.auc.low < space.auc.value < space.auc.high


def test_independent_playlists_do_not_agree():
    """7 % of 15 are 1."""
    conclusions = [compared(seed, preference=1)[1] for seed in range(15)]
    assert conclusions.count(Conclusion.YES) <= 1


@pytest.mark.slow
def test_false_positives_are_at_most_7_percent():
    conclusions = [compared(seed, preference=1)[1] for seed in range(200)]
    assert conclusions.count(Conclusion.YES) <= 14


def test_artists_alone_make_clusters_and_communities_agree():
    """An adjusted measure is not 0 by chance where artists have several songs: hence permuted artists."""
    spaces = [compared(seed, preference=1)[0] for seed in range(5)]
    assert np.mean([one.ami.null_mean for one in spaces]) > 0.1
    assert np.mean([one.auc.null_mean for one in spaces]) == pytest.approx(0.5, abs=0.02)


def test_communities_that_sound_similar_are_named():
    """Two communities by many artists: one of one sound, one of any."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], [60, 20])
    vectors = rng.standard_normal((80, 8))
    vectors[:30, 0] += 4  # half of the larger community
    vectors[60:, 0] += 4
    songs = PlaylistSongs([np.flatnonzero(labels == one) for one in (0, 1)], labels, np.arange(80))
    one = compare_spaces({"x": SpaceSongs(vectors, labels, True)}, songs, 199)[0]
    assert [(sound.number, sound.is_similar) for sound in one.communities] == [(0, False), (1, True)]
    assert one.contingency.counts.tolist() == [[60, 0], [0, 20]]


def test_many_similar_communities_are_counted_not_listed():
    def sentence(n_similar: int) -> str:
        sounds = [CommunitySound(n, 30, 9, 0.2, 0.0, 0.001, 0.01, n < n_similar) for n in range(12)]
        space = SimpleNamespace(communities=sounds)
        return similar_sentence(SimpleNamespace(agreement=SimpleNamespace(spaces=[space])))

    assert sentence(2).startswith("Communities 1 and 2 of 12 have")
    assert sentence(9).startswith("9 of the 12 largest communities")
    assert sentence(12).startswith("All 12 largest communities")


@pytest.mark.parametrize(("n_first", "n_second"), [(4, 5), (1, 3), (1, 1), (12, 2)])
def test_scores_of_partitions_are_those_of_scikit_learn(n_first, n_second):
    rng = np.random.default_rng(0)
    first = rng.integers(n_first, size=60)
    second = (first + rng.integers(2, size=60)) % n_second
    table = contingency_table(first, second)
    assert adjusted_rand(table) == pytest.approx(adjusted_rand_score(first, second))
    assert adjusted_mutual_information(table) == pytest.approx(adjusted_mutual_info_score(first, second), abs=1e-9)


def test_songs_without_community_do_not_count():
    table = contingency(np.array([0, 0, 1, 1]), np.array([0, -1, 1, 0]))
    assert (table.clusters, table.communities, table.counts.tolist()) == ([0, 1], [0, 1], [[1, 0], [1, 1]])


def test_auc_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    same, other = rng.integers(9, size=50) / 9, rng.integers(7, size=80) / 9
    expected = roc_auc_score(np.repeat([1, 0], [50, 80]), np.concatenate([same, other]))
    assert auc(same, other) == pytest.approx(expected)
    both = np.concatenate([same, other])
    by_ranks = 0.5 + mid_ranks(same, both).mean() - mid_ranks(other, both).mean()
    assert by_ranks == pytest.approx(expected, abs=1e-6)


def test_pairs_are_of_different_artists():
    pairs = song_pairs([np.array([0, 1, 2])], np.array([0, 0, 0, -1]), np.array([0, 0, 1, 2]), 0)
    assert pairs.same.tolist() == [[0, 2], [1, 2]]
    assert pairs.other.tolist() == [[0, 3], [1, 3], [2, 3]]
    assert {label: places.tolist() for label, places in pairs.within.items()} == {0: [[0, 2], [1, 2]]}


def test_cosines_of_zero_vectors_are_zero():
    assert cosines(np.array([[3.0, 4], [0, 0], [4, -3]])) == pytest.approx(np.diag([1.0, 0, 1]), abs=1e-6)


def test_an_artist_gets_the_songs_of_one_artist():
    artists = np.repeat(np.arange(12), [1, 1, 1, 1, 1, 1, 3, 3, 3, 2, 3, 3])
    rows = ArtistPermutation(artists).draw(np.random.default_rng(0))
    sources = [np.unique(artists[rows[artists == one]]) for one in range(12)]
    assert all(len(one) == 1 for one in sources)
    assert sorted(int(one[0]) for one in sources) == list(range(12))
    assert {int(one[0]) for one in sources[:6]} == set(range(6))  # artists of one song among each other


def test_songs_of_artists_with_equally_many_songs_are_permuted():
    artists = np.repeat(np.arange(10), 3)
    rows = ArtistPermutation(artists).draw(np.random.default_rng(1))
    assert np.array_equal(np.sort(rows), np.arange(30))


def test_few_artists_are_one_class():
    rows = ArtistPermutation(np.repeat([0, 1, 2], [1, 4, 20])).draw(np.random.default_rng(0))
    assert len(rows) == 25


def test_the_jackknife_of_a_mean_has_its_standard_error():
    from scipy.stats import t

    values = np.random.default_rng(0).standard_normal(20)
    low, high = jackknife(np.arange(20), lambda kept: float(values[kept].mean()), float(values.mean()), 0)
    half = t.ppf(0.975, 19) * values.std(ddof=1) / np.sqrt(20)
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half))


def space(auc_value=0.5, half=0.02, p_holm=1.0, ami_above=0.0, reasons=(), name="x") -> SpaceAgreement:
    estimate = Estimate(auc_value, auc_value - half, auc_value + half, p_holm, 0.5, 0.52)
    ami = Estimate(0.2 + ami_above, 0.2 + ami_above - half, 0.2 + ami_above + half, p_holm, 0.2, 0.25)
    empty = Contingency([], [], np.empty((0, 0)))
    return SpaceAgreement(name, estimate, ami, ami, p_holm, empty, [], list(reasons))


@pytest.mark.parametrize(
    ("spaces", "reasons", "expected"),
    [
        ([space(0.7, 0.1, 0.001)], [], (Conclusion.YES, "x", [])),
        ([space(0.7, 0.1, 0.001)], [Reason.ONE_COMMUNITY], (Conclusion.CANNOT_TELL, "x", [Reason.ONE_COMMUNITY])),
        ([space()], [], (Conclusion.NO, "x", [])),
        ([space(0.51, 0.02, 0.001)], [], (Conclusion.NO, "x", [])),  # above chance, but negligible
        ([space(0.5, 0.2)], [], (Conclusion.CANNOT_TELL, "x", [Reason.UNCERTAIN])),
        ([space(ami_above=0.3)], [], (Conclusion.CANNOT_TELL, "x", [Reason.UNCERTAIN])),
        ([space(ami_above=0.3, reasons=[Reason.NO_CLUSTERS])], [], (Conclusion.NO, "x", [])),
        ([space(), space(0.7, 0.1, 0.01, name="y")], [], (Conclusion.YES, "y", [])),
    ],
)
def test_the_conclusion_follows_the_rule(spaces, reasons, expected):
    assert conclude(spaces, reasons) == expected


def test_without_pairs_nothing_is_concluded():
    one = SpaceAgreement("x", None, None, None, 1.0, Contingency([], [], np.empty((0, 0))), [], [])
    assert conclude([one], []) == (Conclusion.CANNOT_TELL, "x", [Reason.FEW_PAIRS])


@pytest.mark.parametrize(
    ("labels", "n_playlists", "n_artists", "expected"),
    [
        ([0] * 15 + [1] * 10, 3, 25, []),
        ([0] * 24 + [1], 3, 25, [Reason.ONE_COMMUNITY]),
        ([0] * 8 + [1] * 8 + [-1] * 9, 3, 25, [Reason.FEW_SONGS]),
        ([0] * 15 + [1] * 10, 2, 25, [Reason.FEW_PLAYLISTS]),
        ([0] * 15 + [1] * 10, 3, 5, [Reason.FEW_ARTISTS]),
    ],
)
def test_what_keeps_from_an_answer(labels, n_playlists, n_artists, expected):
    songs = PlaylistSongs([np.arange(9)] * n_playlists, np.array(labels), np.arange(25) % n_artists)
    assert limits(songs) == expected
