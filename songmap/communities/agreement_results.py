"""Results of the comparison of sound and playlists.

Similarities are cosines of centred vectors; AUC, adjusted Rand index (ARI) and adjusted mutual information (AMI) have no unit;
p-values are 0 … 1. Clusters and communities are numbered from 0, the largest first.
"""

from dataclasses import dataclass
from enum import Enum

import numpy as np


class Conclusion(Enum):
    """Whether songs that sound similar are in the same playlists; the rule is in ``communities.conclusion``."""

    YES = "yes"
    NO = "no"
    CANNOT_TELL = "cannot_tell"


class Reason(Enum):
    """What keeps a comparison from an answer, or from one of its measures."""

    NO_PLAYLISTS = "no_playlists"
    FEW_SONGS = "few_songs"
    FEW_PLAYLISTS = "few_playlists"
    FEW_ARTISTS = "few_artists"
    FEW_PAIRS = "few_pairs"
    ONE_COMMUNITY = "one_community"
    NO_CLUSTERS = "no_clusters"
    UNCERTAIN = "uncertain"


@dataclass(frozen=True)
class Estimate:
    """A measure with its 95 % interval over artists, and its p-value against permuted artists."""

    value: float
    low: float
    high: float
    p_value: float
    null_mean: float
    null_high: float


@dataclass(frozen=True)
class Contingency:
    """Songs of each cluster (a row) in each community (a column), by their numbers."""

    clusters: list[int]
    communities: list[int]
    counts: np.ndarray


@dataclass(frozen=True)
class CommunitySound:
    """How similar the songs of a community sound: the mean of pairs by different artists.

    ``expected`` is the mean with permuted artists; ``p_holm`` is corrected for the number of communities.
    """

    number: int
    songs: int
    artists: int
    similarity: float
    expected: float
    p_value: float
    p_holm: float
    is_similar: bool


@dataclass(frozen=True)
class SpaceAgreement:
    """Sound and playlists in one space; ``p_holm`` is corrected for all measures of all spaces.

    Attributes
    ----------
    space : str
    auc : Estimate or None
        How well similarity predicts "in the same playlist", pairs of different artists; None with too few pairs.
    ari, ami : Estimate or None
        Of clusters and communities; None where one of the two says nothing, see ``reasons``.
    p_holm : float
        The smallest of the corrected p-values of AUC and AMI.
    contingency : Contingency
    communities : list of CommunitySound
    reasons : list of Reason
    """

    space: str
    auc: Estimate | None
    ari: Estimate | None
    ami: Estimate | None
    p_holm: float
    contingency: Contingency
    communities: list[CommunitySound]
    reasons: list[Reason]


@dataclass(frozen=True)
class Agreement:
    """The comparison of sound and playlists.

    Attributes
    ----------
    conclusion : Conclusion
    space : str
        That the conclusion rests on.
    reasons : list of Reason
        Why it is undecided.
    songs, artists, playlists, communities : int
        Compared; ``artists`` counts a song without one as an artist, ``playlists`` those with the same songs once.
    same_pairs, other_pairs : int
        Pairs of songs of different artists in the same playlist, and in none together.
    sampled_songs : int
        That these pairs are of.
    permutations : int
    spaces : list of SpaceAgreement
    """

    conclusion: Conclusion
    space: str
    reasons: list[Reason]
    songs: int
    artists: int
    playlists: int
    communities: int
    same_pairs: int
    other_pairs: int
    sampled_songs: int
    permutations: int
    spaces: list[SpaceAgreement]
