"""What listeners notice of a song, compared with its library: slow or fast, dark or bright, with little percussion, …

A quality is one number of a song; a trait is a quality in which the song is in the lowest or the highest third of the
library. Which of two songs is "slow" therefore depends on the songs around them, as in a listener's own collection.

Conventions: qualities are float64 ``(n_songs, 7)`` in the order of ``QUALITIES``, NaN where there is no tempo;
percentiles are 0 … 100, equal values counted half. Words for traits are in ``songmap.library.trait_words``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from songmap.library.schema import COLUMNS

Quality = Literal["tempo", "brightness", "loudness", "dynamics", "percussion", "onsets", "pulse"]
Direction = Literal["low", "high"]
QUALITIES: tuple[Quality, ...] = ("tempo", "brightness", "loudness", "dynamics", "percussion", "onsets", "pulse")
LOW_PERCENTILE, HIGH_PERCENTILE = 100 / 3, 200 / 3


@dataclass(frozen=True)
class Trait:
    """A quality in which a song is in the lowest or the highest third of a library, and its percentile there."""

    quality: Quality
    direction: Direction
    percentile: float


@dataclass(frozen=True)
class PairTraits:
    """Traits that two songs share, and those of the first where the second is in the opposite third; clearest first."""

    shared: tuple[Trait, ...]
    opposite: tuple[Trait, ...]


def qualities(embeddings: np.ndarray, tempos_bpm: np.ndarray) -> np.ndarray:
    """The numbers behind traits, float64 ``(n_songs, 7)``.

    Parameters
    ----------
    embeddings : np.ndarray, shape (n_songs, 641)
        Raw columns.
    tempos_bpm : np.ndarray, shape (n_songs,)
        The tempos that count (``songmap.library.tempos``), in BPM; 0 or NaN where there is none.

    Returns
    -------
    np.ndarray, shape (n_songs, 7)
        Tempo (BPM, NaN where there is none), mean spectral centroid (Hz), mean RMS, its standard deviation over its
        mean, the percussive share of harmonic and percussive RMS (0 … 1), mean onset strength, pulse clarity. Shares
        of silence are 0.
    """
    names = (
        "centroid_mean", "rms_mean", "rms_std", "percussive_rms_mean", "harmonic_rms_mean", "onset_strength_mean",
        "pulse_clarity",
    )  # fmt: skip
    columns = np.asarray(embeddings)[:, [COLUMNS.index(name) for name in names]].astype(np.float64)
    centroid, rms, rms_std, percussive, harmonic, onsets, pulse = columns.T
    tempos = np.asarray(tempos_bpm, dtype=np.float64)
    tempo = np.where(tempos > 0, tempos, np.nan)
    return np.stack(
        [tempo, centroid, rms, _ratio(rms_std, rms), _ratio(percussive, percussive + harmonic), onsets, pulse], axis=1
    )


def traits(song: np.ndarray, library: np.ndarray) -> tuple[Trait, ...]:
    """The traits of a song, or of what is typical of a group, clearest first.

    Parameters
    ----------
    song : np.ndarray, shape (7,)
        Qualities of the song; of a group of songs their medians.
    library : np.ndarray, shape (n_songs, 7)
        Qualities of all songs. NaN is left out.

    Examples
    --------
    >>> library = np.tile(np.arange(9.0)[:, None], 7)
    >>> [(one.quality, one.direction) for one in traits(np.array([0, 8, 4, 4, 4, 4, np.nan]), library)]
    [('tempo', 'low'), ('brightness', 'high')]
    """
    found = []
    for quality, value, column in zip(QUALITIES, song, np.asarray(library).T, strict=True):
        known = column[~np.isnan(column)]
        if np.isnan(value) or not len(known):
            continue
        place = percentile(known, value)
        if place <= LOW_PERCENTILE or place >= HIGH_PERCENTILE:
            found.append(Trait(quality, "low" if place <= LOW_PERCENTILE else "high", place))
    return tuple(sorted(found, key=lambda one: -_clearness(one)))


def pair_traits(first: Sequence[Trait], second: Sequence[Trait]) -> PairTraits:
    """What the traits of two songs have in common, and where they are opposites.

    Examples
    --------
    >>> pair = pair_traits([Trait("tempo", "low", 4.0), Trait("pulse", "low", 9.0)], [Trait("tempo", "high", 80.0)])
    >>> pair.shared, [one.quality for one in pair.opposite]
    ((), ['tempo'])
    """
    others = {one.quality: one for one in second}
    both = [(one, others[one.quality]) for one in first if one.quality in others]
    both.sort(key=lambda pair: -min(map(_clearness, pair)))  # as clear as the less clear of the two
    return PairTraits(
        shared=tuple(one for one, other in both if one.direction == other.direction),
        opposite=tuple(one for one, other in both if one.direction != other.direction),
    )


def percentile(values: np.ndarray, value: float) -> float:
    """0 … 100: the share of ``values (n,)`` below ``value``, those equal to it counted half."""
    return float(100 * ((values < value).mean() + (values <= value).mean()) / 2)


def _clearness(one: Trait) -> float:
    return abs(one.percentile - 50)


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.zeros_like(whole), where=whole > 0)
