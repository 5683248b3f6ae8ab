"""Where a recording changes: smoothed probabilities, and change points of genre or of sound.

``centres_s (n_segments,)`` are the middles of segments, ascending; ``proba (n_segments, n_genres)`` their probabilities,
``units (n_segments, d)`` their unit vectors in the space that songs are compared in.
"""

from itertools import pairwise

import numpy as np

SMOOTHING = np.array([1, 4, 6, 4, 1]) / 16  # of neighbouring segments
LONG_S = 900.0  # from here on parts are what sounds different, not only of another genre
_SHORTEST_S = {"genre": 15.0, "sound": 45.0}
# what a change must gain, in seconds times squared distance: of square roots of probabilities, or of unit vectors; chosen
# on recordings joined of others, see benchmarks/recording.md
_PENALTY_S = {"genre": 4.0, "sound": 25.0}


def smooth(proba: np.ndarray) -> np.ndarray:
    """Weighted means over five segments, ``(n_segments, n_genres)``; at the ends over those that there are."""
    reach = len(SMOOTHING) // 2
    total, weights = np.zeros_like(proba), np.zeros(len(proba))
    for step, weight in zip(range(-reach, reach + 1), SMOOTHING, strict=True):
        here = slice(max(0, -step), len(proba) - max(0, step))
        there = slice(max(0, step), len(proba) + min(0, step))
        total[here] += weight * proba[there]
        weights[here] += weight
    return total / weights[:, np.newaxis]


def change_points(points: np.ndarray, hop_s: float, kind: str) -> list[int]:
    """The first segments of parts but the first one: where the mean of ``points (n_segments, d)`` changes.

    Kernel change-point detection with a linear kernel (Celisse et al. 2018): the parts whose squared distances from
    their means, with a penalty for each part, have the smallest sum.

    Parameters
    ----------
    points : np.ndarray
        Square roots of probabilities, whose squared distance is twice Hellinger's, or unit vectors.
    hop_s : float
        Seconds from one segment to the next.
    kind : str
        ``genre`` or ``sound``: how long parts are at least, and how large a change must be.
    """
    import ruptures

    shortest = max(1, round(_SHORTEST_S[kind] / hop_s))
    if len(points) < 2 * shortest:
        return []
    detector = ruptures.KernelCPD(kernel="linear", min_size=shortest, jump=1).fit(points)
    return [int(place) for place in detector.predict(pen=_PENALTY_S[kind] / hop_s)[:-1]]


def parts_of(proba: np.ndarray, units: np.ndarray, centres_s: np.ndarray, duration_s: float) -> list[tuple[int, int]]:
    """First and last segment + 1 of every part: of one genre, or, of a long recording, of one sound."""
    if len(proba) < 2:
        return [(0, len(proba))]
    hop_s, long = float(np.median(np.diff(centres_s))), duration_s >= LONG_S
    changes = change_points(units if long else np.sqrt(proba), hop_s, "sound" if long else "genre")
    bounds = [0, *changes, len(proba)]
    parts = list(pairwise(bounds))
    if long:
        return parts
    merged = parts[:1]
    for first, stop in parts[1:]:
        before = merged[-1]
        if proba[first:stop].mean(axis=0).argmax() == proba[before[0] : before[1]].mean(axis=0).argmax():
            merged[-1] = before[0], stop
        else:
            merged.append((first, stop))
    return merged
