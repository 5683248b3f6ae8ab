"""Playlists, ramps, radio, paths and running orders: limits kept, nothing twice, and the best there is where it is known."""

from collections import Counter
from dataclasses import replace
from itertools import islice, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from songmap.core.errors import QueryError
from songmap.library.search import open_search
from songmap.library.spaces import build_space
from songmap.similar import playlists
from songmap.similar.mixes import mix
from songmap.similar.playlists import path, playlist, radio
from songmap.similar.running_order import running_order
from songmap.similar.transitions import NO_ARTIST, Tracks, pairwise_scores, tempo_fit, transitions
from tests.libraries import make_library
from tests.tracks import search_of


def make_tracks(n_songs: int, seed: int = 0, artists: int = 5, copies: int = 0) -> Tracks:
    """Songs in 12 dimensions of any direction; the last ``copies`` are recordings that are further up too."""
    rng = np.random.default_rng(seed)
    units = rng.standard_normal((n_songs, 12)) @ np.linalg.qr(rng.standard_normal((641, 12)))[0].T
    recordings = np.arange(n_songs)
    recordings[n_songs - copies :] = rng.integers(0, n_songs - copies, copies)
    units = units[recordings]
    return Tracks(
        search=search_of(units),
        tempos_bpm=rng.choice([0, *np.linspace(60, 200, 50)], n_songs),
        keys=rng.integers(-1, 24, n_songs),
        artists=rng.integers(NO_ARTIST, artists, n_songs)[recordings],
        recordings=recordings,
    )


def on_a_circle(degrees) -> Tracks:
    """Songs that differ in one angle only, with one tempo and key."""
    angles = np.radians(np.asarray(degrees, dtype=float))
    units = np.zeros((len(angles), 641), dtype=np.float32)
    units[:, 0], units[:, 1] = np.cos(angles), np.sin(angles)
    rows = np.arange(len(angles))
    return Tracks(search_of(units), np.full(len(rows), 120.0), np.zeros(len(rows), dtype=int), rows, rows)


def units_of(tracks: Tracks) -> np.ndarray:
    return tracks.search.units(np.arange(len(tracks.search)))


def with_tempos(tempos_bpm) -> Tracks:
    """Songs equal in everything but tempo."""
    tracks = on_a_circle(np.zeros(len(tempos_bpm)))
    return Tracks(tracks.search, np.asarray(tempos_bpm, dtype=float), tracks.keys, tracks.artists, tracks.recordings)


def total(tracks: Tracks, rows) -> float:
    return sum(change.score for change in transitions(tracks, rows))


def squared_steps(tracks: Tracks, rows) -> np.ndarray:
    cosines = [change.similarity for change in transitions(tracks, rows)]
    return np.square(np.arccos(cosines))


libraries = st.builds(make_tracks, st.integers(12, 40), st.integers(0, 500), st.integers(1, 8), st.integers(0, 6))


@given(libraries, st.integers(1, 3), st.integers(3, 30), st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_a_playlist_keeps_its_limits_and_takes_the_most_similar(tracks, n_seeds, number, per_artist):
    seeds = np.random.default_rng(number).choice(6, n_seeds, replace=False)
    result = playlist(tracks, seeds, number, per_artist)
    assert result.rows[:n_seeds].tolist() == seeds.tolist()
    assert len(set(tracks.recordings[result.rows])) == len(result.rows)
    expected, songs_of = list(seeds), Counter(tracks.artists[seeds].tolist())
    units = units_of(tracks).astype(float)
    mean = units @ units[seeds].sum(axis=0)
    for row in np.argsort(-mean, kind="stable"):
        artist = int(tracks.artists[row])
        free = artist == NO_ARTIST or songs_of[artist] < per_artist
        if row == tracks.recordings[row] and row not in seeds and free and len(expected) < number:
            expected.append(row)
            songs_of[artist] += 1
    assert sorted(result.rows) == sorted(expected)
    assert total(tracks, result.rows) >= total(tracks, expected) - 1e-9
    assert len(result.wanted_bpm) == len(result.far) == 0


def test_a_seed_may_be_a_copy_and_counts_once():
    tracks = make_tracks(30, copies=4)
    copy, first = 29, int(tracks.recordings[29])
    assert playlist(tracks, [copy, first, copy], 5).rows[0] == copy
    assert first not in playlist(tracks, [copy, first], 25, 99).rows
    assert next(radio(tracks, copy)) == copy
    assert first not in list(radio(tracks, copy))


def test_a_library_of_one_artist_is_searched_to_its_end():
    tracks = make_tracks(400)
    artists = np.zeros(400, dtype=int)
    far = np.argsort(units_of(tracks) @ units_of(tracks)[0])[:3]
    artists[far] = 1, 2, 3
    one = Tracks(tracks.search, tracks.tempos_bpm, tracks.keys, artists, tracks.recordings)
    rows = playlist(one, [0], 10).rows
    assert len(rows) == 5
    assert set(far) < set(rows.tolist())


@given(libraries, st.integers(1, 3), st.integers(3, 30), st.integers(1, 4), st.floats(40, 220), st.floats(40, 220))
@settings(max_examples=40, deadline=None)
def test_a_ramp_keeps_the_limits_and_lists_the_songs_far_off(tracks, n_seeds, number, per_artist, start, end):
    seeds = np.arange(n_seeds)
    result = playlist(tracks, seeds, number, per_artist, start, end)
    assert result.rows[:n_seeds].tolist() == seeds.tolist()
    assert len(set(tracks.recordings[result.rows])) == len(result.rows)
    added = Counter(tracks.artists[result.rows[n_seeds:]].tolist())
    own = Counter(tracks.artists[seeds].tolist())
    assert all(artist == NO_ARTIST or own[artist] + songs <= per_artist for artist, songs in added.items())
    tempos = tracks.tempos_bpm[np.unique(tracks.recordings)]
    for bpm in (start, end):
        ratios = tempos[tempos > 0][:, None] * [0.5, 1, 2] / bpm
        assert (bpm in result.unreached_bpm) <= (not ((ratios >= 1 / 1.06) & (ratios <= 1.06)).any())
    if not result.unreached_bpm:
        np.testing.assert_allclose(result.wanted_bpm, np.geomspace(start, end, number)[: len(result.rows)])
    for place, (row, wanted) in enumerate(zip(result.rows, result.wanted_bpm, strict=True)):
        bpm = tracks.tempos_bpm[row]
        near = any(1 / 1.06 <= factor * bpm / wanted <= 1.06 for factor in (0.5, 1, 2))
        assert near or place < n_seeds or place in result.far
        assert not near or place not in result.far


def test_a_ramp_goes_from_one_tempo_to_the_other_by_half_and_double_too():
    rng = np.random.default_rng(1)
    tracks = with_tempos([100, *rng.uniform(95, 130, 200), *rng.uniform(65, 100, 200)])
    result = playlist(tracks, [0], 20, start_bpm=100, end_bpm=180)
    assert len(result.rows) == 20
    assert len(result.far) == 0
    tempos = tracks.tempos_bpm[result.rows]
    assert (tempos[result.wanted_bpm > 140] < 100).all()  # only double them reach it
    assert (np.abs(np.log2(tempos / result.wanted_bpm) - np.round(np.log2(tempos / result.wanted_bpm))) < 0.05).all()


def test_a_ramp_lists_the_places_where_the_library_has_no_song():
    tracks = with_tempos([100, *np.linspace(95, 110, 300), *np.linspace(135, 150, 300), 0, np.nan])
    result = playlist(tracks, [0], 30, start_bpm=100, end_bpm=145)
    gap = (result.wanted_bpm > 110 * 1.06) & (result.wanted_bpm < 135 / 1.06)
    assert gap.any()
    assert set(np.flatnonzero(gap)) == set(result.far)
    assert tracks.tempos_bpm[result.rows].min() > 0


def test_an_end_of_a_ramp_that_is_not_given_is_the_tempo_of_the_first_song():
    tracks = with_tempos([120, 0, *np.linspace(60, 180, 100)])
    assert playlist(tracks, [0], 9, start_bpm=90).wanted_bpm[[0, -1]] == pytest.approx([90, 120])
    assert playlist(tracks, [0], 9, end_bpm=150).wanted_bpm[[0, -1]] == pytest.approx([120, 150])
    with pytest.raises(QueryError, match="the tempo of the first song is unknown"):
        playlist(tracks, [1], 9, end_bpm=150)
    for bpm in (0, -3, float("nan"), float("inf")):
        with pytest.raises(QueryError, match="out of range"):
            playlist(tracks, [0], 9, start_bpm=bpm)
    with pytest.raises(QueryError, match="fewer than the 3"):
        playlist(tracks, [0, 1, 2], 2)


@given(libraries, st.integers(0, 50))
@settings(max_examples=30, deadline=None)
def test_radio_plays_every_recording_once_and_the_same_again_from_the_same_seed(tracks, seed):
    start = seed % len(tracks.search)
    rows = list(radio(tracks, start, seed))
    assert rows[0] == start
    assert sorted(tracks.recordings[rows]) == sorted(set(tracks.recordings))
    assert rows == list(radio(tracks, start, seed))


def test_radio_drifts_to_similar_songs():
    rng = np.random.default_rng(0)
    tracks = on_a_circle(np.concatenate([rng.normal(centre, 4, 60) for centre in (0, 60, 120)]))
    rows = list(radio(tracks, 0))
    # the three clouds in turn, but for a few songs at the edge of each
    assert [{row // 60 for row in rows[begin : begin + 45]} for begin in (0, 65, 125)] == [{0}, {1}, {2}]
    assert list(radio(tracks, 0, 1)) != rows


def test_radio_lets_an_artist_rest_while_there_are_others():
    tracks = make_tracks(60, artists=12)
    artists = tracks.artists[list(islice(radio(tracks, 3), 30))]
    for place in range(1, 30):
        assert artists[place] == NO_ARTIST or artists[place] not in artists[max(0, place - 4) : place]


@given(libraries, st.integers(2, 45))
@settings(max_examples=40, deadline=None)
def test_a_path_has_its_ends_and_nothing_twice(tracks, number):
    first, last = 2, 5
    rows = path(tracks, first, last, number)
    assert (rows[0], rows[-1]) == (first, last)
    assert len(rows) == min(number, len(set(tracks.recordings)))
    assert len(set(tracks.recordings[rows])) == len(rows)


@given(st.integers(0, 500), st.integers(2, 5))
@settings(max_examples=25, deadline=None)
def test_a_path_in_a_small_library_is_the_best_of_all(seed, number):
    tracks = make_tracks(8, seed)
    ways = [(0, *between, 7) for between in permutations(range(1, 7), number - 2)]
    best = min(squared_steps(tracks, way).sum() for way in ways)
    assert squared_steps(tracks, path(tracks, 0, 7, number)).sum() == pytest.approx(best)


def test_a_path_takes_even_steps_where_there_are_songs_for_them():
    degrees = np.random.default_rng(0).permutation(np.arange(-60, 150))
    tracks = on_a_circle(degrees)
    first, last = (int(np.flatnonzero(degrees == end)[0]) for end in (0, 90))
    rows = path(tracks, first, last, 10)
    assert degrees[rows].tolist() == list(range(0, 91, 10))
    assert degrees[path(tracks, last, first, 10)].tolist() == list(range(90, -1, -10))


def test_a_path_is_smoother_than_the_songs_nearest_to_the_straight_way():
    tracks = make_tracks(3000, seed=4)
    rows = path(tracks, 10, 20, 12)
    units, straight = units_of(tracks), [10]
    for share in np.arange(1, 11) / 11:
        target = playlists._between(units[10], units[20], share)
        straight.append(next(row for row in np.argsort(-units @ target) if row not in [*straight, 20]))
    straight.append(20)
    assert squared_steps(tracks, rows).sum() < 0.7 * squared_steps(tracks, straight).sum()
    assert squared_steps(tracks, rows).max() < squared_steps(tracks, straight).max()


def test_paths_between_the_same_the_opposite_and_no_direction_exist():
    tracks = on_a_circle([0, 180, 0, *range(1, 12)])
    for last in (1, 2):
        assert sorted(set(path(tracks, 0, last, 6))) == sorted(path(tracks, 0, last, 6))
    nowhere = Tracks(search_of(np.zeros((14, 641))), tracks.tempos_bpm, tracks.keys, tracks.artists, tracks.recordings)
    assert len(path(nowhere, 0, 1, 14)) == 14


def test_a_path_needs_two_recordings_and_two_songs():
    tracks = make_tracks(10, copies=1)
    with pytest.raises(QueryError, match="same recording"):
        path(tracks, 9, int(tracks.recordings[9]), 5)
    with pytest.raises(QueryError, match="too short"):
        path(tracks, 0, 1, 1)


def best_total(tracks: Tracks, rows: np.ndarray, fixed: int) -> float:
    matrix = pairwise_scores(tracks, rows)
    tails = np.array(list(permutations(range(fixed, len(rows)))))
    orders = np.column_stack([np.broadcast_to(np.arange(fixed), (len(tails), fixed)), tails])
    return matrix[orders[:, :-1], orders[:, 1:]].sum(axis=1).max()


@given(st.integers(0, 500), st.integers(0, 7), st.integers(0, 3))
@settings(max_examples=40, deadline=None)
def test_a_short_running_order_is_the_best_of_all(seed, n_songs, fixed):
    tracks = make_tracks(20, seed)
    rows = np.random.default_rng(seed).permutation(20)[:n_songs]
    ordered = running_order(tracks, rows, min(fixed, n_songs))
    assert sorted(ordered) == sorted(rows)
    assert ordered[:fixed].tolist() == rows[:fixed].tolist()
    if n_songs > fixed:
        assert total(tracks, ordered) == pytest.approx(best_total(tracks, rows, fixed))


@pytest.mark.parametrize("fixed", [0, 1])
def test_nine_songs_are_in_the_best_order_of_all(fixed):
    tracks = make_tracks(9, seed=8)
    assert total(tracks, running_order(tracks, range(9), fixed)) == pytest.approx(
        best_total(tracks, np.arange(9), fixed)
    )


@given(st.integers(0, 500), st.integers(11, 40), st.integers(0, 3))
@settings(max_examples=12, deadline=None)
def test_a_long_running_order_is_a_permutation_and_never_worse_than_the_given_one(seed, n_songs, fixed):
    tracks = make_tracks(70, seed)
    rows = np.random.default_rng(seed).integers(0, 70, n_songs)  # a playlist may hold a song twice
    once = running_order(tracks, rows, fixed)
    assert sorted(once) == sorted(rows)
    assert once[:fixed].tolist() == rows[:fixed].tolist()
    assert total(tracks, once) >= total(tracks, rows) - 1e-9
    assert total(tracks, running_order(tracks, once, fixed)) >= total(tracks, once) - 1e-9


def test_a_long_running_order_finds_the_line_that_songs_lie_on():
    degrees = np.random.default_rng(3).permutation(np.linspace(0, 170, 60))
    tracks = on_a_circle(degrees)
    steps = np.diff(degrees[running_order(tracks, np.arange(60))])
    assert (steps > 0).all() or (steps < 0).all()
    # cosines curve downwards: from one end of the arc, going on step by step is best
    first = int(degrees.argmin())
    rows = [first, *(row for row in range(60) if row != first)]
    assert (np.diff(degrees[running_order(tracks, rows, fixed=1)]) > 0).all()


def best_total_by_sets(matrix: np.ndarray) -> float:
    """The largest sum of scores ``(n, n)`` along any order, from the best way to each last song of each set of songs."""
    n_songs = len(matrix)
    best = np.full((1 << n_songs, n_songs), -np.inf)
    best[1 << np.arange(n_songs), np.arange(n_songs)] = 0
    for chosen in range(1, 1 << n_songs):
        following = (best[chosen][:, None] + matrix).max(axis=0)
        for song in range(n_songs):
            if not chosen >> song & 1:
                more = chosen | 1 << song
                best[more, song] = max(best[more, song], following[song])
    return best[-1].max()


def test_a_longer_running_order_comes_close_to_the_best_of_all():
    for seed in range(10):
        tracks = make_tracks(12, seed)
        best = best_total_by_sets(pairwise_scores(tracks, np.arange(12)))
        assert total(tracks, running_order(tracks, range(12))) >= 0.98 * best


def test_transitions_of_a_playlist_fit_better_than_by_chance():
    tracks = make_tracks(2000, seed=2, artists=400)
    rows = playlist(tracks, [0], 25).rows
    scores = np.mean([change.score for change in transitions(tracks, rows)])
    chance = np.mean([change.score for change in transitions(tracks, np.arange(200))])
    assert scores > chance + 0.2
    tempos = tracks.tempos_bpm[rows]
    known = (tempos[1:] > 0) & (tempos[:-1] > 0)
    assert np.mean(tempo_fit(tempos[:-1], tempos[1:])[known]) > 0.7


def test_where_hubs_are_corrected_transitions_are_scored_as_elsewhere():
    library = make_library(60)
    space = build_space(library.embeddings)
    rows = np.arange(60)
    tracks, corrected = (
        Tracks(open_search(library, space, correct_hubs=correct), np.full(60, 120.0), rows % 24, rows, rows)
        for correct in (False, True)
    )
    np.testing.assert_allclose(pairwise_scores(corrected, rows), pairwise_scores(tracks, rows))
    assert len(path(corrected, 1, 2, 7)) == 7
    assert len(playlist(corrected, [1], 9, start_bpm=120).rows) == 9


@given(libraries, st.integers(0, 2**31), st.integers(2, 30), st.floats(0, 1))
@settings(max_examples=15, deadline=None)
def test_only_candidates_are_chosen(tracks, seed, number, share):
    chosen = np.random.default_rng(seed).random(len(tracks.recordings)) < share
    chosen[:2] = False
    filtered = replace(tracks, candidates=chosen)
    ends = [0, 1]
    for rows in (
        path(filtered, *ends, number),
        playlist(filtered, ends, number).rows,
        playlist(filtered, ends, number, start_bpm=120, end_bpm=90).rows,
        mix(filtered, ends, number, 9).rows,
        np.array([1, *list(radio(filtered, 0))]),
    ):
        others = set(rows.tolist()) - set(ends)
        assert chosen[list(others)].all()
        assert len(others) == len(rows) - 2
