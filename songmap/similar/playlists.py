"""Playlists of a library's songs: similar songs, tempo ramps, radio, the path from one song to another.

Conventions: songs are rows of ``Tracks``; a result is int64 rows in playing order. No recording is chosen
twice: of several files with one recording only the first is. Only ``radio`` is random, by a seed.
No matrix of all pairs is made; only a tempo ramp compares all songs, once.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from songmap.core.blocks import blocks
from songmap.core.errors import QueryError
from songmap.library.search import cosines
from songmap.similar.requests import MAX_PER_ARTIST
from songmap.similar.running_order import running_order
from songmap.similar.transitions import NO_ARTIST, Tracks, scores, tempo_distance, tempo_fit

_RAMP_POOL = 50  # songs near the query and the wanted tempo among which the best transition decides
_RADIO_NEAR = 50  # unplayed songs nearest to the centre; artists just played are left out,
_RADIO_POOL = 10  # of this many nearest ones the best transitions are considered
_RADIO_CHOICES = 3  # of which one is drawn
_RADIO_DRIFT = 0.15  # how far the centre goes towards each song played
_ARTIST_REST = 4  # radio plays this many songs before an artist comes again, where there are others
_PATH_POOL = 64  # songs tried for each place of a path
_PATH_WAYS = 4  # best ways kept to each of them, so that one is left where another holds the song already


@dataclass(frozen=True)
class Playlist:
    """``rows (n,)``; with a tempo ramp ``wanted_bpm (n,)`` and the places ``far`` (0 … n - 1) off it, otherwise empty.

    ``unreached_bpm`` are ends of the ramp that were given, but that no song's tempo matches: it goes as near as there is one.
    A place after the seeds is far off if its song's tempo, half or double, is unknown or not within ± 6 % of the wanted one.
    """

    rows: np.ndarray
    wanted_bpm: np.ndarray
    far: np.ndarray
    unreached_bpm: tuple[float, ...] = ()


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
    that is None is the first seed's tempo, one that no song has is the nearest that one has. Fewer songs where the library has no more. Raises QueryError.
    """
    given = beginning(tracks, seeds, number)
    n_given = len(given)
    if start_bpm is None and end_bpm is None:
        chosen = most_similar_allowed(tracks, given, number - n_given, max_per_artist)
        rows = running_order(tracks, np.concatenate([given, chosen]), fixed=n_given)
        return Playlist(rows, np.empty(0), np.empty(0, dtype=np.int64))
    start, end = (_reached(tracks, given, bpm) for bpm in (start_bpm, end_bpm))
    wanted = _ramp(float(tracks.tempos_bpm[given[0]]), start, end, number)
    rows = _along_ramp(tracks, given, wanted, max_per_artist)
    wanted = wanted[: len(rows)]
    far = np.flatnonzero(tempo_fit(tracks.tempos_bpm[rows], wanted)[n_given:] < 1)
    pairs = ((start_bpm, start), (end_bpm, end))
    unreached = tuple(bpm for bpm, reached in pairs if bpm is not None and reached != bpm)
    return Playlist(rows, wanted, n_given + far, unreached)


def radio(tracks: Tracks, start: int, seed: int = 0) -> Iterator[int]:
    """Rows of every recording once, ``start`` first.

    Each song is near a centre that goes a little towards every song played, so that the sound drifts slowly;
    of the nearest the ones that follow best, of these one drawn at random by ``seed``.
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
    start, end = tracks.search.units([first, last])
    ways, lengths = np.array([[first]], dtype=np.int64), np.zeros(1)
    place_of = np.full(len(taken), -1)  # of a song in the pool
    for place in range(1, number - 1):
        target = _between(start, end, place / (number - 1))
        pool, _ = tracks.search.nearest(target, max(_PATH_POOL, number), ~taken)
        totals = lengths[:, None] + _squared_steps(tracks, ways[:, -1], pool)  # (n_ways, n_pool)
        place_of[pool] = np.arange(len(pool))
        way, step = np.nonzero(place_of[ways] >= 0)
        totals[way, place_of[ways[way, step]]] = np.inf
        place_of[pool] = -1
        best, kept = _smallest(totals, _PATH_WAYS)
        which = np.isfinite(kept)
        ways = np.column_stack([ways[best[which]], np.broadcast_to(pool, best.shape)[which]])
        lengths = kept[which]
    lengths = lengths + _squared_steps(tracks, ways[:, -1], np.array([last]))[:, 0]
    return np.append(ways[lengths.argmin()], last)


def _smallest(values: np.ndarray, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the smallest of each column of ``values (m, k)``, smallest first, and these; both ``(≤ number, k)``."""
    left, columns, rows = values.copy(), np.arange(values.shape[1]), []
    for _ in range(min(number, len(values))):
        rows.append(left.argmin(axis=0))
        left[rows[-1], columns] = np.inf
    return np.array(rows), np.take_along_axis(values, np.array(rows), axis=0)


def beginning(tracks: Tracks, seeds: Sequence[int], number: int) -> np.ndarray:
    """Seeds as a playlist of ``number`` songs begins with. Raises QueryError if they are more."""
    given = _first_files(tracks, seeds)
    if number < len(given):
        raise QueryError(f"{number} songs are fewer than the {len(given)} to begin with; give {len(given)} or more")
    return given


def _first_files(tracks: Tracks, rows: Sequence[int] | np.ndarray) -> np.ndarray:
    """Rows without those whose recording was there before."""
    rows = np.asarray(rows, dtype=np.int64)
    return rows[np.sort(np.unique(tracks.recordings[rows], return_index=True)[1])]


def _taken(tracks: Tracks, rows: Sequence[int] | np.ndarray) -> np.ndarray:
    """Rows that cannot be chosen besides ``rows``: files of their recordings, and all but the first of any; ``(n,)``."""
    copies = tracks.recordings != np.arange(len(tracks.recordings))
    if tracks.candidates is not None:
        copies = copies | ~tracks.candidates
    return copies | np.isin(tracks.recordings, tracks.recordings[rows])


def most_similar_allowed(tracks: Tracks, seeds: np.ndarray, number: int, max_per_artist: int) -> np.ndarray:
    """The songs most similar to all of ``seeds``, at most ``max_per_artist`` by one artist, seeds counted."""
    query = _unit(tracks.search.units(seeds).sum(axis=0, dtype=np.float64))
    allowed = ~_taken(tracks, seeds)
    pool = 4 * number
    while True:  # a library of one artist is searched to its end, another only as far as needed
        near, _ = tracks.search.nearest(query, pool, allowed)
        songs_of = Counter(tracks.artists[seeds].tolist())
        chosen: list[int] = []
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
        raise QueryError("the tempo of the first song is unknown; give both ends of the ramp in BPM")
    start, end = (seed_bpm if bpm is None else bpm for bpm in (start_bpm, end_bpm))
    for bpm in (start, end):
        if not 0 < bpm < np.inf:
            raise QueryError(f"a tempo of {bpm:g} BPM is out of range, give more than 0")
    return np.geomspace(start, end, number)


def _reached(tracks: Tracks, seeds: np.ndarray, bpm: float | None) -> float | None:
    """``bpm`` if the tempo of a song that can be chosen matches it, half or double too; else the tempo nearest to it."""
    rows = np.append(np.flatnonzero(~_taken(tracks, seeds)), seeds)
    tempos = tracks.tempos_bpm[rows][tracks.tempos_bpm[rows] > 0]
    if bpm is None or not 0 < bpm < np.inf or not len(tempos):
        return bpm
    if (tempo_fit(np.full(tempos.shape, bpm), tempos) == 1).any():
        return bpm
    return float(tempos[np.abs(np.log(tempos / bpm)).argmin()])


def _along_ramp(tracks: Tracks, seeds: np.ndarray, wanted_bpm: np.ndarray, max_per_artist: int) -> np.ndarray:
    """Song by song the one with the largest product of similarity to the seeds, nearness to the tempo and transition."""
    query = _unit(tracks.search.units(seeds).sum(axis=0, dtype=np.float64))
    taken = _taken(tracks, seeds)
    everyone = np.arange(len(taken))
    similarities = [cosines(tracks.search.units(everyone[rows]), query) for rows in blocks(len(taken))]
    closeness = (1 + np.concatenate(similarities)) / 2
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
    units = tracks.search.units(others).astype(np.float64)
    angles = np.arccos(np.clip(tracks.search.units(ends).astype(np.float64) @ units.T, -1, 1))
    return np.square(angles)[ends_of]
