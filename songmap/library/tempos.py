"""Which tempo of a song counts: the one that is measured, in the octave of its genre, or the one that its tag names.

Conventions: tempos are in BPM, ``(n_songs,)``, 0 where there is none, tags' NaN. A tempo tracker that finds every other
beat, or one between two, is off by an octave: half or double.
"""

import numpy as np
import pandas as pd

from songmap.library.schema import UNKNOWN_GENRE

TAG, MEASURED, OCTAVE = "tag", "measured", "octave"  # where a tempo comes from; the last: measured, octave by the genre
TEMPO_SOURCES = (TAG, MEASURED)  # what to prefer
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


def tempos_of(songs: pd.DataFrame, preferred: str = TAG) -> tuple[np.ndarray, np.ndarray]:
    """The tempo of each song that counts, 0 where there is none, and its source: TAG, MEASURED, OCTAVE, or empty.

    Parameters
    ----------
    songs : pd.DataFrame
        With ``tempo_bpm``, ``tempo_octave`` and ``tag_bpm``.
    preferred : str
        ``TAG``: the tag's tempo counts, unless it contradicts the measured one: not within 4 % of it, its half or its
        double. ``MEASURED``: tags do not count.
    """
    measured, tags = (songs[name].to_numpy(dtype=np.float64) for name in ("tempo_bpm", "tag_bpm"))
    measured = np.nan_to_num(measured)
    octaves = songs["tempo_octave"].to_numpy(dtype=np.float64)
    moved = np.isfinite(octaves) & (octaves != 1)
    sources = np.select([measured <= 0, moved], ["", OCTAVE], MEASURED).astype(object)
    if preferred == MEASURED:
        return measured, sources
    known = (tags > 0) & (measured > 0)
    ratios = np.divide(tags, measured, out=np.ones(len(songs)), where=known)
    agrees = np.any([np.abs(ratios / factor - 1) <= AGREEMENT for factor in OCTAVES], axis=0)
    from_tag = (tags > 0) & agrees  # where nothing is measured, nothing contradicts
    return np.where(from_tag, tags, measured), np.where(from_tag, TAG, sources)
