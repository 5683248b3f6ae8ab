"""What ``evaluate`` measures of one space, see ``songmap.similar.evaluation``."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Precision:
    """Mean share of the k nearest songs that have the query's label, over the ``queries`` that could have hits.

    For genres it is the mean over the ``labels``, each its own queries' mean, and has a 95 % ``interval``, of other
    artists as queries, where every genre has enough artists. ``chance`` is what songs picked at random would give,
    ``best`` what is possible, as few songs share some labels.
    """

    value: float
    queries: int
    chance: float
    best: float
    labels: int
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class SpaceScores:
    """How good a space is: precision by kind of label, the skewness of k-occurrence, the share of songs in no list."""

    space: str
    hubs_corrected: bool
    queries: int
    precision: Mapping[str, Precision]
    hubness_skewness: float
    in_no_list: float
