"""Results of what the filters of a layer respond to, and of why a song was given its genre.

Filters are numbered from 1. Times are seconds from the beginning of a song.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from songmap.similar.song import Song


@dataclass(frozen=True)
class ProbeCorrelation:
    """A probe's rank correlation with a filter's mean activation over excerpts.

    ``p_corrected``: for the number of filters and probes, by songs. ``untrained_limit``: the largest correlation of the
    probe with filters of random weights. ``n_pairs_agreeing`` of ``n_pairs`` pairs of
    synthesised sounds, one with and one without the probe's property, change the activation in the correlation's
    direction; a pair of equal activations is half of one.
    """

    probe: str
    correlation: float
    p_corrected: float
    untrained_limit: float
    n_pairs_agreeing: float
    n_pairs: int


@dataclass(frozen=True)
class FilterMoment:
    """A song and the moment of its strongest response; ``activation`` is what the list is ordered by."""

    song: Song
    start_s: float
    end_s: float
    activation: float


@dataclass(frozen=True)
class FilterPlaylist:
    """The songs of highest mean activation of a filter, each recording once."""

    network: str
    layer: str
    number: int
    songs: list[FilterMoment]


@dataclass(frozen=True)
class SimilarFilter:
    """Another filter of the layer, and the rank correlation of both over excerpts."""

    number: int
    correlation: float


@dataclass(frozen=True)
class FilterDescription:
    """A filter: ``meaning`` is None where no correlation is one; ``nearest`` are the probes of largest correlation.

    ``highest`` are the songs of highest activation at a moment, ``mean`` those of highest mean activation.
    ``active_share`` is the share of excerpts with any activation.
    """

    number: int
    meaning: ProbeCorrelation | None
    nearest: list[ProbeCorrelation]
    active_share: float
    similar: list[SimilarFilter]
    highest: list[FilterMoment]
    mean: list[FilterMoment]


@dataclass(frozen=True)
class LayerDescription:
    """The filters of a layer, those with a meaning first, by the size of its correlation.

    ``receptive_s`` is how long a piece of sound an activation depends on, ``largest_by_chance`` the correlation that no
    filter and probe exceed in 95 % of permutations of the artists.
    """

    network: str
    layer: str
    layers: list[str]
    receptive_s: float
    n_excerpts: int
    n_songs: int
    n_probes: int
    n_permutations: int
    largest_by_chance: float
    filters: list[FilterDescription]


@dataclass(frozen=True)
class ExcerptReason:
    """An excerpt, the genre's probability in it, and what its attribution adds up to (logit, see ``SongReasons``)."""

    start_s: float
    end_s: float
    probability: float
    attribution: float


@dataclass(frozen=True)
class BandReason:
    """What the bands from ``low_hz`` to ``high_hz`` add to the logit, mean over excerpts."""

    low_hz: float
    high_hz: float
    attribution: float


@dataclass(frozen=True)
class SongReasons:
    """Why a network gives a song its genre: integrated gradients of the genre's logit, less the mean of all logits.

    The baseline is the mean of each band over the training excerpts. ``attribution`` is the mean sum over an excerpt,
    ``logit_difference`` what it must equal; ``completeness_error`` is the largest difference of both in an excerpt,
    relative to its logit difference or 1, and ``tolerance`` what it may be. ``probabilities`` are means over excerpts.
    """

    song: Song
    network: str
    genre: str
    probabilities: Mapping[str, float]
    out_of_fold_probability: float | None
    attribution: float
    logit_difference: float
    n_steps: int
    completeness_error: float
    tolerance: float
    excerpts: list[ExcerptReason]
    bands: list[BandReason]
