"""How well one song follows another, by similarity, tempo and key.

Conventions: ``Tracks`` holds one row per song. Tempos are in BPM, NaN or 0 where unknown; half and double
the tempo count as the same, since beats of both fall together. Every fit is 0 (clashes) … 1 (fits), and
``UNKNOWN`` where a tempo or key is not known. A score is the same in both directions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from songmap.library.keys import NO_KEY, compatible, wheel_steps
from songmap.library.names import artist_name
from songmap.library.search import Search, cosines

# The nearest song (a cosine of some 0.5 in a small library) instead of any (0) then gains 0.24, a tempo that fits
# instead of one that clashes 0.25, a key 0.15: every listener notices jumps of sound and tempo; the key is an
# estimate and wrong for many songs.
LISTENING = (0.6, 0.25, 0.15)  # weights of similarity, tempo and key
# For a DJ tempo and key count most: of all playlists of 8 songs, one from each song, 8 % of the keys clash on the 52
# synthesised songs and 27 % on the 73 open recordings, 5 % and 38 % of the tempos are too far to match; with the weights
# above and the most similar songs 53 % and 59 %, 8 % and 61 %. Mean similarity is 0.28 and 0.31 instead of 0.34 and 0.43.
MIXING = (0.2, 0.4, 0.4)
PITCH_RANGE = 0.06  # how much faster or slower a song can be played: a pitch fader's ± 6 %
UNKNOWN = 0.5  # neither fits nor clashes
UNRELATED = 0.2  # fit of two songs picked at random, whose cosine is 0
NO_ARTIST = -1

_RELATIVE = 0.1  # off the fit of keys when the mode changes: the notes may be the same, the tonic is not


@dataclass(frozen=True)
class Tracks:
    """What playlists need to know of each of n songs.

    ``search`` has their unit vectors; ``tempos_bpm (n,)``; ``keys`` int ``(n,)``, see ``songmap.library.keys``;
    ``artists`` int ``(n,)``, see ``artist_codes``; ``recordings`` int ``(n,)``, the row of the first song with the
    same recording. ``candidates`` bool ``(n,)`` are songs that can be chosen, None for all; ``weights`` those of
    similarity, tempo and key in a score.
    """

    search: Search
    tempos_bpm: np.ndarray
    keys: np.ndarray
    artists: np.ndarray
    recordings: np.ndarray
    candidates: np.ndarray | None = None
    weights: tuple[float, float, float] = LISTENING


@dataclass(frozen=True)
class Transition:
    """One change from a song to the next.

    ``score`` and the fits are 0 … 1, ``similarity`` -1 … 1; ``tempo_change`` is the fraction by which the tempo rises
    once ``tempo_factor`` (0.5, 1 or 2: half, same, double) is taken out, NaN where a tempo is unknown.
    """

    rows: tuple[int, int]
    score: float
    similarity: float
    tempos_bpm: tuple[float, float]
    tempo_factor: float
    tempo_change: float
    tempo_fit: float
    keys: tuple[int, int]
    key_fit: float
    keys_compatible: bool


def artist_codes(artists: Sequence[str]) -> np.ndarray:
    """A number per artist, int64 ``(n,)``, see ``artist_name``; ``NO_ARTIST`` where a tag names none."""
    codes: dict[str, int] = {"": NO_ARTIST}
    of_name = {name: codes.setdefault(artist_name(name), len(codes)) for name in dict.fromkeys(artists)}
    return np.array([of_name[name] for name in artists], dtype=np.int64)


def tempo_change(before_bpm: np.ndarray, after_bpm: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Factor (0.5, 1, 2) nearest to ``after / before``, and what remains of it as a fraction; NaN where unknown."""
    before_bpm, after_bpm = np.broadcast_arrays(*(np.asarray(bpm, dtype=np.float64) for bpm in (before_bpm, after_bpm)))
    known = (before_bpm > 0) & (after_bpm > 0)
    ratio = np.divide(after_bpm, before_bpm, out=np.full(known.shape, np.nan), where=known)
    factor = np.exp2(np.clip(np.round(np.log2(ratio)), -1, 1))
    return factor, ratio / factor - 1


def tempo_distance(before_bpm: np.ndarray, after_bpm: np.ndarray) -> np.ndarray:
    """How far apart two tempos are, ≥ 0, in units of ``PITCH_RANGE``, half and double being equal; NaN where unknown.

    On a logarithmic scale, so that faster and slower count the same.
    """
    return np.abs(np.log1p(tempo_change(before_bpm, after_bpm)[1])) / np.log1p(PITCH_RANGE)


def tempo_fit(before_bpm: np.ndarray, after_bpm: np.ndarray) -> np.ndarray:
    """1 within ``PITCH_RANGE``; halved by every further 6 %, so that a smaller jump is always the better one."""
    beyond = np.maximum(tempo_distance(before_bpm, after_bpm) - 1 - 1e-9, 0)  # 106 after 100 is within, rounded or not
    return np.where(np.isnan(beyond), UNKNOWN, np.exp2(-beyond))


def key_fit(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """1 for the same key, 0.9 its relative, 0.8 a fifth away, then less: the share of notes two scales have in common.

    Scales k fifths apart share 7 - k notes, 2 at least, which is mapped to 0 … 1; another mode takes off 0.1.
    """
    before, after = np.asarray(before), np.asarray(after)
    fifths, other_mode = wheel_steps(before, after)
    fit = np.maximum(1 - fifths / 5 - _RELATIVE * other_mode, 0)
    return np.where((before == NO_KEY) | (after == NO_KEY), UNKNOWN, fit)


def similarity_fit(cosine: np.ndarray) -> np.ndarray:
    """0 at a cosine of -1, ``UNRELATED`` at 0, 1 at 1, linear between: most of the range is for similar songs.

    Of two dissimilar ones the less dissimilar is still better.
    """
    cosine = np.asarray(cosine, dtype=np.float64)
    return UNRELATED + cosine * np.where(cosine > 0, 1 - UNRELATED, UNRELATED)


def similarities(tracks: Tracks, row: int, others: Sequence[int] | np.ndarray) -> np.ndarray:
    """Cosines float64 ``(m,)`` of a song with others, also where the search corrects for hubs."""
    return cosines(tracks.search.units(others), tracks.search.units([row])[0])


def scores(tracks: Tracks, row: int, others: Sequence[int] | np.ndarray) -> np.ndarray:
    """Score 0 … 1, float64 ``(m,)``, of going from ``row`` to each of ``others (m,)``.

    The weighted mean of the fits of similarity, tempo and key.
    """
    return _scores(tracks, row, np.asarray(others, dtype=np.int64), similarities(tracks, row, others))


def pairwise_scores(tracks: Tracks, rows: Sequence[int] | np.ndarray) -> np.ndarray:
    """Scores float64 ``(m, m)`` between all of ``rows (m,)``: for a playlist, not for a library."""
    rows = np.asarray(rows, dtype=np.int64)
    units = tracks.search.units(rows)
    matrix = [_scores(tracks, row, rows, cosines(units, unit)) for row, unit in zip(rows, units, strict=True)]
    return np.array(matrix).reshape(len(rows), len(rows))


def _scores(tracks: Tracks, row: int, others: np.ndarray, cosine: np.ndarray) -> np.ndarray:
    tempo = tempo_fit(tracks.tempos_bpm[row], tracks.tempos_bpm[others])
    key = key_fit(tracks.keys[row], tracks.keys[others])
    of_similarity, of_tempo, of_key = tracks.weights
    return of_similarity * similarity_fit(cosine) + of_tempo * tempo + of_key * key


def transitions(tracks: Tracks, rows: Sequence[int] | np.ndarray) -> list[Transition]:
    """The m - 1 changes of a playlist of ``rows (m,)``, in order."""
    result = []
    for before, after in pairwise(rows):
        tempos = tracks.tempos_bpm[[before, after]].astype(np.float64)
        keys = tracks.keys[[before, after]]
        factor, change = tempo_change(*tempos)
        result.append(
            Transition(
                rows=(int(before), int(after)),
                score=float(scores(tracks, before, [after])[0]),
                similarity=float(similarities(tracks, before, [after])[0]),
                tempos_bpm=(float(tempos[0]), float(tempos[1])),
                tempo_factor=float(factor),
                tempo_change=float(change),
                tempo_fit=float(tempo_fit(*tempos)),
                keys=(int(keys[0]), int(keys[1])),
                key_fit=float(key_fit(*keys)),
                keys_compatible=bool(compatible(*keys)),
            )
        )
    return result
