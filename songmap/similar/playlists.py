"""Songs in an order worth hearing: playlists, tempo ramps, radio, the way from one song to another, running orders.

Conventions: songs are rows of ``Tracks``; a result is int64 rows in playing order. No recording is chosen
twice: of several files with one recording the first stands for all. Nothing is random but ``radio``, which a
seed decides. No matrix of all pairs is made, and all songs are looked at one by one only along a tempo ramp, once.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from songmap.core.blocks import blocks
from songmap.core.errors import QueryError
from songmap.library.search import cosines
from songmap.similar.transitions import NO_ARTIST, Tracks, pairwise_scores, scores, tempo_distance, tempo_fit

MAX_PER_ARTIST = 2

_RAMP_POOL = 50  # songs near the wanted sound and tempo among which the best transition decides
_RADIO_NEAR = 50  # unheard songs nearest to the centre; artists just heard are left out,
_RADIO_POOL = 10  # of this many nearest ones the best transitions are considered
_RADIO_CHOICES = 3  # of which chance takes one
_RADIO_DRIFT = 0.15  # how far the centre goes towards each song played
_ARTIST_REST = 4  # radio plays this many songs before an artist comes again, where there are others
_PATH_POOL = 64  # songs tried for each place of a path
_PATH_WAYS = 4  # best ways kept to each of them, so that one is left where another holds the song already
_EXACT_ORDER = 10  # up to this many songs the best running order is found by trying all, in n² 2ⁿ steps
_ORDER_STARTS, _ORDER_WORK = 8, 1000  # orders that are improved, fewer for many songs: starts times songs


@dataclass(frozen=True)
class Playlist:
    """``rows (n,)``; with a tempo ramp ``wanted_bpm (n,)`` and the places ``far`` (0 … n - 1) off it, otherwise empty.

    A place after the seeds is far off if its song's tempo, half or double, is unknown or not within ± 6 % of the wanted one.
    """

    rows: np.ndarray
    wanted_bpm: np.ndarray
    far: np.ndarray


def playlist(
    tracks: Tracks,
    seeds: Sequence[int],
    number: int,
    max_per_artist: int = MAX_PER_ARTIST,
    start_bpm: float | None = None,
    end_bpm: float | None = None,
) -> Playlist:
    """``number`` songs, seeds included and first, then the ones most similar to all seeds, ordered for good transitions.

    No artist is on more than ``max_per_artist`` of them, unless the seeds are; songs without an artist are not
    counted. With ``start_bpm`` or ``end_bpm`` the wanted tempo goes from one to the other by equal factors; one
    that is None is the first seed's tempo. Fewer songs where the library has no more. Raises QueryError.
    """
    seeds = _first_files(tracks, seeds)
    if number < len(seeds):
        raise QueryError(f"{number} songs are fewer than the {len(seeds)} to begin with; ask for {len(seeds)} or more")
    if start_bpm is None and end_bpm is None:
        chosen = _most_similar_allowed(tracks, seeds, number - len(seeds), max_per_artist)
        rows = running_order(tracks, np.concatenate([seeds, chosen]), fixed=len(seeds))
        return Playlist(rows, np.empty(0), np.empty(0, dtype=np.int64))
    wanted = _ramp(tracks.tempos_bpm[seeds[0]], start_bpm, end_bpm, number)
    rows = _along_ramp(tracks, seeds, wanted, max_per_artist)
    wanted = wanted[: len(rows)]
    return Playlist(
        rows, wanted, len(seeds) + np.flatnonzero(tempo_fit(tracks.tempos_bpm[rows], wanted)[len(seeds) :] < 1)
    )


def radio(tracks: Tracks, start: int, seed: int = 0) -> Iterator[int]:
    """Rows without end, ``start`` first: every recording once, then it is over.

    Each song is near a centre that goes a little towards every song played, so that the sound drifts slowly;
    of the nearest the ones that follow best, of these one by chance. ``seed`` decides the chance.
    """
    rng = np.random.default_rng(seed)
    row, taken = int(start), _taken(tracks, [start])
    centre = tracks.search.units([row])[0].astype(np.float64)
    recent: list[int] = []
    while True:
        yield row
        taken[row] = True
        recent = [*recent, int(tracks.artists[row])][-_ARTIST_REST:]
        centre = _unit((1 - _RADIO_DRIFT) * centre + _RADIO_DRIFT * tracks.search.units([row])[0])
        near, _ = tracks.search.nearest(centre, _RADIO_NEAR, ~taken)
        if not len(near):
            return
        rested = (tracks.artists[near] == NO_ARTIST) | ~np.isin(tracks.artists[near], recent)
        near = (near[rested] if rested.any() else near)[:_RADIO_POOL]
        best = np.argsort(-scores(tracks, row, near), kind="stable")[:_RADIO_CHOICES]
        row = int(near[rng.choice(best)])


def path(tracks: Tracks, first: int, last: int, number: int) -> np.ndarray:
    """Rows ``(≤ number,)`` of a smooth way from ``first`` to ``last``, both included; fewer if the library has no more.

    ``number - 2`` places are evenly spaced on the great circle between the two; for each the nearest songs are
    tried, and the way is taken whose steps, as angles between neighbours, have the smallest sum of squares: it
    makes them short and even. Each candidate keeps its best few ways, as one song may not be on a way twice.
    Raises QueryError unless the ends are two recordings and ``number`` ≥ 2.
    """
    first, last = (int(row) for row in (first, last))
    if tracks.recordings[first] == tracks.recordings[last]:
        raise QueryError("both ends of the path are the same recording; give two different songs")
    if number < 2:
        raise QueryError(f"a path of {number} is too short, give 2 or more")
    taken = _taken(tracks, [first, last])
    number = min(number, len(taken) - int(taken.sum()) + 2)
    ends = tracks.search.units([first, last])
    ways, lengths = np.array([[first]], dtype=np.int64), np.zeros(1)
    for place in range(1, number - 1):
        target = _between(*ends, place / (number - 1))
        pool, _ = tracks.search.nearest(target, max(_PATH_POOL, number), ~taken)
        totals = lengths[:, None] + _squared_steps(tracks, ways[:, -1], pool)  # (n_ways, n_pool)
        totals[(ways[:, :, None] == pool).any(axis=1)] = np.inf
        best = np.argsort(totals, axis=0, kind="stable")[:_PATH_WAYS]
        kept = np.take_along_axis(totals, best, axis=0)
        which = np.isfinite(kept)
        ways = np.column_stack([ways[best[which]], np.broadcast_to(pool, best.shape)[which]])
        lengths = kept[which]
    lengths = lengths + _squared_steps(tracks, ways[:, -1], np.array([last]))[:, 0]
    return np.append(ways[lengths.argmin()], last)


def running_order(tracks: Tracks, rows: Sequence[int] | np.ndarray, fixed: int = 0) -> np.ndarray:
    """``rows (m,)`` in the order with the largest sum of transition scores; the first ``fixed`` stay where they are.

    The best there is for up to 10 songs to place; for more, orders made song by song and the given one are
    improved by turning round and moving stretches until nothing is gained (2-opt and or-opt): never worse than
    the given order, and made for up to some 500 songs.
    """
    rows = np.asarray(rows, dtype=np.int64)
    n_songs, to_place = len(rows), np.arange(fixed, len(rows))
    if len(to_place) < 2:
        return rows
    # one more place, "nowhere", which costs nothing to come from or to go to, makes either end free
    costs = np.zeros((n_songs + 1, n_songs + 1))
    costs[:n_songs, :n_songs] = 1 - pairwise_scores(tracks, rows)
    before = fixed - 1 if fixed else n_songs
    if len(to_place) <= _EXACT_ORDER:
        placed = _best_order(costs, before, to_place)
    else:
        n_starts = min(max(_ORDER_WORK // len(to_place), 1), _ORDER_STARTS)
        begins = to_place[np.argsort(costs[before, to_place], kind="stable")[:n_starts]]
        tours = [[before, *_greedy_order(costs, begin, to_place), n_songs] for begin in begins]
        tours = [np.array([before, *to_place, n_songs]), *(_improved(costs, np.array(tour)) for tour in tours)]
        best = min(tours, key=lambda tour: costs[tour[:-1], tour[1:]].sum())
        placed = _improved(costs, best)[1:-1]  # the given order may be better than what was found
    return np.concatenate([rows[:fixed], rows[placed]])


def _first_files(tracks: Tracks, rows: Sequence[int] | np.ndarray) -> np.ndarray:
    """Rows without those whose recording was there before."""
    rows = np.asarray(rows, dtype=np.int64)
    return rows[np.sort(np.unique(tracks.recordings[rows], return_index=True)[1])]


def _taken(tracks: Tracks, rows: Sequence[int] | np.ndarray) -> np.ndarray:
    """Rows that cannot be chosen besides ``rows``: files of their recordings, and all but the first of any; ``(n,)``."""
    copies = tracks.recordings != np.arange(len(tracks.recordings))
    return copies | np.isin(tracks.recordings, tracks.recordings[rows])


def _most_similar_allowed(tracks: Tracks, seeds: np.ndarray, number: int, max_per_artist: int) -> np.ndarray:
    """The songs most similar to all of ``seeds``, at most ``max_per_artist`` by one artist, seeds counted."""
    query = _unit(tracks.search.units(seeds).sum(axis=0, dtype=np.float64))
    allowed = ~_taken(tracks, seeds)
    pool = 4 * number
    while True:  # a library of one artist is looked through to its end, another only as far as needed
        near, _ = tracks.search.nearest(query, pool, allowed)
        songs_of = Counter(tracks.artists[seeds].tolist())
        chosen = []
        for row, artist in zip(near.tolist(), tracks.artists[near].tolist(), strict=True):
            if len(chosen) < number and (artist == NO_ARTIST or songs_of[artist] < max_per_artist):
                songs_of[artist] += 1
                chosen.append(row)
        if len(chosen) == number or len(near) < pool:
            return np.array(chosen, dtype=np.int64)
        pool *= 4


def _ramp(seed_bpm: float, start_bpm: float | None, end_bpm: float | None, number: int) -> np.ndarray:
    """Wanted tempos ``(number,)`` in BPM, by equal factors; an end that is None is the seed's tempo."""
    if None in (start_bpm, end_bpm) and not seed_bpm > 0:
        raise QueryError("the first song has no tempo to take for the other end of the ramp; give both ends in BPM")
    ends = [float(seed_bpm) if bpm is None else bpm for bpm in (start_bpm, end_bpm)]
    for bpm in ends:
        if not 0 < bpm < np.inf:
            raise QueryError(f"a tempo of {bpm:g} BPM is out of range, give more than 0")
    return np.geomspace(*ends, number)


def _along_ramp(tracks: Tracks, seeds: np.ndarray, wanted_bpm: np.ndarray, max_per_artist: int) -> np.ndarray:
    """Song by song the one that is most like the seeds, nearest to the wanted tempo and follows best, as a product."""
    query = _unit(tracks.search.units(seeds).sum(axis=0, dtype=np.float64))
    taken = _taken(tracks, seeds)
    everyone = np.arange(len(taken))
    found = [cosines(tracks.search.units(everyone[rows]), query) for rows in blocks(len(taken))]
    closeness = (1 + np.concatenate(found)) / 2
    songs_of = Counter(tracks.artists[seeds].tolist())
    rows = seeds.tolist()
    for bpm in wanted_bpm[len(rows) :]:
        for artist, songs in songs_of.items():
            if artist != NO_ARTIST and songs >= max_per_artist:
                taken |= tracks.artists == artist
        # halved by every 6 % off the ramp; a song without tempo comes after all that have one
        nearness = np.exp2(-tempo_distance(tracks.tempos_bpm, bpm))
        value = np.where(taken, -np.inf, closeness * np.nan_to_num(nearness))
        least = np.partition(value, max(len(value) - _RAMP_POOL, 0))[max(len(value) - _RAMP_POOL, 0)]
        near = np.flatnonzero((value >= least) & ~taken)
        if not len(near):
            break
        row = int(near[np.argmax(value[near] * scores(tracks, rows[-1], near))])
        rows.append(row)
        taken[row] = True
        songs_of[int(tracks.artists[row])] += 1
    return np.array(rows, dtype=np.int64)


def _unit(vector: np.ndarray) -> np.ndarray:
    length = np.sqrt(np.square(vector).sum())
    return vector / length if length > 0 else vector


def _between(first: np.ndarray, last: np.ndarray, share: float) -> np.ndarray:
    """The point ``share`` (0 … 1) of the way from one unit vector to another on the great circle; float64 ``(d,)``."""
    angle = np.arccos(np.clip(np.dot(first.astype(np.float64), last), -1, 1))
    if np.sin(angle) < 1e-6:  # the same or opposite points: every great circle is as short
        return (1 - share) * first.astype(np.float64) + share * last
    return (np.sin((1 - share) * angle) * first.astype(np.float64) + np.sin(share * angle) * last) / np.sin(angle)


def _squared_steps(tracks: Tracks, rows: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Squares ``(m, k)`` of the angles, in radians, between songs."""
    ends, ends_of = np.unique(rows, return_inverse=True)
    units = tracks.search.units(others)
    angles = np.arccos(np.array([cosines(units, unit) for unit in tracks.search.units(ends)]))
    return np.square(angles)[ends_of]


def _best_order(costs: np.ndarray, before: int, to_place: np.ndarray) -> np.ndarray:
    """The cheapest order after ``before``, by the best way to each last song of each set (Held & Karp 1962)."""
    n_songs = len(to_place)
    between = costs[np.ix_(to_place, to_place)]
    best = np.full((1 << n_songs, n_songs), np.inf)  # of each set of songs, by the last one
    best[1 << np.arange(n_songs), np.arange(n_songs)] = costs[before, to_place]
    came_from = np.zeros(best.shape, dtype=np.int64)
    for chosen in range(1, 1 << n_songs):
        ways = best[chosen][:, None] + between  # (last, next)
        for following in range(n_songs):
            if not chosen >> following & 1:
                more = chosen | 1 << following
                came_from[more, following] = ways[:, following].argmin()
                best[more, following] = ways[:, following].min()
    chosen = (1 << n_songs) - 1
    order = [int(best[chosen].argmin())]
    while len(order) < n_songs:
        last = order[-1]
        order.append(int(came_from[chosen, last]))
        chosen ^= 1 << last
    return to_place[order[::-1]]


def _greedy_order(costs: np.ndarray, begin: int, to_place: np.ndarray) -> list[int]:
    """``begin``, then always the song that is cheapest after the last one."""
    order, left = [int(begin)], [int(song) for song in to_place if song != begin]
    while left:
        order.append(left.pop(int(costs[order[-1], left].argmin())))
    return order


def _improved(costs: np.ndarray, tour: np.ndarray) -> np.ndarray:
    """``tour`` with both ends kept, where turning round or moving a stretch of one to three songs gains nothing."""
    gained = True
    while gained:
        gained = False
        for start in range(1, len(tour) - 1):
            for move in (_turned, _moved):
                better = move(costs, tour, start)
                if better is not None:
                    tour, gained = better, True
    return tour


def _turned(costs: np.ndarray, tour: np.ndarray, start: int) -> np.ndarray | None:
    """The tour with the best stretch from ``start`` the other way round; None if none is cheaper."""
    ends, after = tour[start:-1], tour[start + 1 :]
    gains = costs[tour[start - 1], tour[start]] + costs[ends, after]
    gains = gains - costs[tour[start - 1], ends] - costs[tour[start], after]
    best = int(gains.argmax())
    if gains[best] < 1e-9:
        return None
    stop = start + best + 1
    return np.concatenate([tour[:start], tour[start:stop][::-1], tour[stop:]])


def _moved(costs: np.ndarray, tour: np.ndarray, start: int) -> np.ndarray | None:
    """The tour with a stretch from ``start`` put where it costs least, either way round; None if nothing is gained."""
    best_gain, best_tour = 1e-9, None
    for length in range(1, min(3, len(tour) - 1 - start) + 1):
        stretch = tour[start : start + length]
        rest = np.concatenate([tour[:start], tour[start + length :]])
        removed = (
            costs[rest[start - 1], stretch[0]] + costs[stretch[-1], rest[start]] - costs[rest[start - 1], rest[start]]
        )
        gaps = costs[rest[:-1], rest[1:]]
        for piece in (stretch, stretch[::-1]):
            gains = removed + gaps - costs[rest[:-1], piece[0]] - costs[piece[-1], rest[1:]]
            place = int(gains.argmax())
            if gains[place] > best_gain:
                best_gain, best_tour = gains[place], np.insert(rest, place + 1, piece)
    return best_tour
