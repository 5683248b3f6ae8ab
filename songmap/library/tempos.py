"""Which tempo of a song counts: the one that is measured, in the octave of its genre, or the one that its tag names.

Conventions: tempos are in BPM, ``(n_songs,)``, 0 where there is none, tags' NaN. A tempo tracker that finds every other
beat, or one between two, is off by an octave: half or double.
"""

import numpy as np
import pandas as pd

from songmap.library.schema import UNKNOWN_GENRE

MEASURED, TAG = "measured", "tag"
TEMPO_SOURCES = (TAG, MEASURED)
OCTAVES = (1.0, 2.0, 0.5)
# a tag within it of the measured tempo, half or double too, is of the same beat: the tolerance of tempo estimation
# (Gouyon et al. 2006, An experimental comparison of audio tempo induction algorithms)
AGREEMENT = 0.04

_LEAST_SONGS = 10  # of a genre, to say where its tempos lie
_CLEAR_SHARE = 2 / 3  # of them must lie within this many octaves of their median on either side. A song and the same
_HALF_WIDTH = 0.25  # song at double tempo are never both within


def octave_factors(tempos_bpm: np.ndarray, genres: np.ndarray) -> np.ndarray:
    """By what to multiply each tempo, 1, 2 or 0.5, so that it lies where most songs of its genre do.

    A genre decides where at least two thirds of its songs, of ten or more with a tempo, lie within a quarter of an octave
    of their median. What doubling or halving does not bring there stays as it is; so does all of an unknown genre.
    """
    factors = np.ones(len(tempos_bpm))
    for genre in set(genres) - {UNKNOWN_GENRE}:
        rows = np.flatnonzero((genres == genre) & (tempos_bpm > 0))
        octaves = np.log2(tempos_bpm[rows])
        if len(rows) < _LEAST_SONGS:
            continue
        centre = np.median(octaves)
        if np.mean(np.abs(octaves - centre) <= _HALF_WIDTH) < _CLEAR_SHARE:
            continue
        for factor in OCTAVES[1:]:
            factors[rows[np.abs(octaves + np.log2(factor) - centre) <= _HALF_WIDTH]] = factor
    return factors


def tempos_of(songs: pd.DataFrame, source: str = TAG) -> tuple[np.ndarray, np.ndarray]:
    """The tempo of each song that counts, 0 where there is none, and whether it is the tag's, bool.

    Parameters
    ----------
    songs : pd.DataFrame
        With ``tempo_bpm`` and ``tag_bpm``.
    source : str
        ``TAG``: the tag's tempo counts, unless it contradicts the measured one: not within 4 % of it, its half or its
        double. ``MEASURED``: tags do not count.
    """
    measured, tags = (songs[name].to_numpy(dtype=np.float64) for name in ("tempo_bpm", "tag_bpm"))
    measured = np.nan_to_num(measured)
    if source == MEASURED:
        return measured, np.zeros(len(songs), dtype=bool)
    known = (tags > 0) & (measured > 0)
    ratios = np.divide(tags, measured, out=np.ones(len(songs)), where=known)
    agrees = np.any([np.abs(ratios / factor - 1) <= AGREEMENT for factor in OCTAVES], axis=0)
    from_tag = (tags > 0) & agrees  # where nothing is measured, nothing contradicts
    return np.where(from_tag, tags, measured), from_tag
