"""Hubs: songs that are among the nearest of very many others, because of the space and not of the music.

Mutual proximity (Schnitzer et al. 2012) corrects for them: two songs are near if each is among the nearest of the
other. With the similarities of a song to all songs taken as normally distributed, it is the probability that a song
picked at random is less similar to either of the two than they are to each other,

    P = F((s - m1) / d1) * F((s - m2) / d2)

with s their cosine, m and d mean and standard deviation of the cosines of each with the library, F the normal
distribution function. P is 0 … 1, grows with s for the same two means and deviations, and is symmetric. A song that
is similar to everything has a large mean, and so a small P.

Means and deviations follow from mean and covariance of the unit vectors: no matrix of all pairs is needed. Both are
taken over a sample of a larger library, see ``songmap.library.spaces.sampled_rows``.
"""

from dataclasses import dataclass

import numpy as np

_N_AXES = 128  # the leading ones; what the rest adds to a deviation is far below the error of taking it as normal
_LEAST_DEVIATION = 1e-6  # below it, all cosines of a song are the same but for rounding


@dataclass(frozen=True)
class HubCorrection:
    """``mean (d,)`` of the reference unit vectors; ``|spread @ unit|`` is the standard deviation of a song's cosines.

    ``spread`` is ``(k, d)``.
    """

    mean: np.ndarray
    spread: np.ndarray

    @classmethod
    def of(cls, references: np.ndarray) -> "HubCorrection":
        """From unit vectors ``(n, d)``, of ``sampled_rows``."""
        mean = references.mean(axis=0, dtype=np.float64)
        centred = references - mean
        variances, axes = np.linalg.eigh(centred.T @ centred / len(references))
        deviations = np.sqrt(np.clip(variances[-_N_AXES:], 0, None))
        return cls(mean, (axes[:, -_N_AXES:] * deviations).T)

    def distances(self, cosines: np.ndarray, units: np.ndarray, query: np.ndarray) -> np.ndarray:
        """1 - P ``(m,)`` of a query ``(d,)`` with songs of ``units (m, d)``, given their ``cosines (m,)``.

        The complement, since P of near songs is so close to 1 that float64 could not tell them apart.
        """
        from scipy.special import ndtr

        first = ndtr(-self._standardised(cosines, units))
        second = ndtr(-self._standardised(cosines, np.asarray(query)[None]))
        return first + second - first * second

    def _standardised(self, cosines: np.ndarray, units: np.ndarray) -> np.ndarray:
        """``cosines (m,)`` less their means, over their deviations; 0 where all songs are equally similar."""
        units = units.astype(np.float64)
        # rounded, so that equal songs are equal in whatever order the product sums
        means = (units @ self.mean).astype(np.float32)
        deviations = np.sqrt(np.square(units @ self.spread.T).sum(axis=1)).astype(np.float32)
        varies = np.broadcast_to(deviations > _LEAST_DEVIATION, cosines.shape)
        return np.divide(cosines - means, deviations, out=np.zeros(len(cosines)), where=varies)
