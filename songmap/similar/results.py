"""What requests return: numbers, names and identifiers, in frozen dataclasses.

Conventions: tempos are in BPM, 0 where unknown; keys are numbered as in ``songmap.library.keys``; percentiles are
0 … 100, equal values counted half. Similarities are cosines, -1 … 1, or, with hubs corrected, proximities, 0 … 1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from songmap.core.errors import SchemaError
from songmap.library.genre_similarity import GenreSimilarity
from songmap.library.traits import PairTraits, Trait
from songmap.similar.filters import Condition
from songmap.similar.play_results import PlayResult, StopResult
from songmap.similar.requests import PlaylistRequest, Setting, SimilarRequest
from songmap.similar.song import Song
from songmap.similar.space_scores import SpaceScores
from songmap.similar.transitions import Transition


@dataclass(frozen=True)
class ModelInUse:
    """The model behind the ``space`` classifier or cnn, and whether it was trained on this library as it is."""

    name: str
    trained_on_this_library: bool
    space: str = "classifier"


@dataclass(frozen=True)
class Ranked:
    """Songs in an order; their numbers can name them in the next request.

    ``figures`` has an item per song under the name of each figure, such as "similarity". ``first_rank`` is above 1 where
    an answer goes on.
    """

    songs: tuple[Song, ...]
    figures: Mapping[str, Sequence[Any]]
    first_rank: int = field(default=1, kw_only=True)


@dataclass(frozen=True)
class SimilarResult(Ranked):
    """Songs similar to ``query`` and not to ``away``, nearest or, with a diversity, chosen first.

    Where a range of tempos is requested a "tempo_factor" of 1, 2 or 0.5 brings a song's tempo into it.
    ``limited_by_artist``: as near songs were left out because of the limit per artist; ``past_limit`` songs are in the
    result in spite of it, since otherwise there was none above ``random_similarity``, the median similarity of two songs.
    ``copies_left_out`` hold a recording of the query or a song.
    """

    query: tuple[Song, ...]
    away: tuple[Song, ...]
    request: SimilarRequest
    conditions: tuple[Condition, ...]
    limited_by_artist: bool
    past_limit: int
    random_similarity: float
    copies_left_out: int
    setting: Setting
    model: ModelInUse | None


@dataclass(frozen=True)
class ListResult(Ranked):
    """The first songs in path order of ``n_songs``: all, or those of one ``genre`` or ``artist``."""

    genre: str | None
    artist: str | None
    n_songs: int


@dataclass(frozen=True)
class FindResult(Ranked):
    """The first of ``n_songs`` that hold all ``words``; with ``similar_spelling`` none does, and these do nearly."""

    words: tuple[str, ...]
    n_songs: int
    similar_spelling: bool


@dataclass(frozen=True)
class DuplicatesResult(Ranked):
    """Files of the same recording: "group" from 1, and "similarity" to the group's first, 1 for the same sound."""


@dataclass(frozen=True)
class OutliersResult(Ranked):
    """Songs with the lowest mean "similarity" to their ``nearest`` nearest, and the ``median`` over all songs."""

    nearest: int
    median: float | None
    setting: Setting


@dataclass(frozen=True)
class HubsResult(Ranked):
    """Songs that are among the ``nearest`` nearest of most others, "k_occurrence"; its mean and skewness over all.

    ``in_no_list`` of ``n_recordings`` have a k-occurrence of 0.
    """

    nearest: int
    mean: float
    skewness: float
    in_no_list: int
    n_recordings: int


@dataclass(frozen=True)
class OrderedResult(Ranked):
    """Songs in playing order, of a path as they are: the transition to each, None for the first, and its mean score.

    Figures are the "transition", its score, and of what that consists.
    """

    transitions: tuple[Transition | None, ...]
    mean_score: float | None
    conditions: tuple[Condition, ...] = field(default=(), kw_only=True)


@dataclass(frozen=True)
class PlaylistResult(OrderedResult):
    """The playlist ``wanted``, or as much of it as there is, from ``seeds``; with a tempo ramp its ends, and how many are far from it.

    ``unreached_bpm`` are ends that were requested, but whose tempo no song has.
    """

    seeds: tuple[Song, ...]
    ramp_bpm: tuple[float, float] | None
    far_from_ramp: int
    unreached_bpm: tuple[float, ...]
    wanted: PlaylistRequest


@dataclass(frozen=True)
class OrderResult(OrderedResult):
    """The songs of a playlist ``file`` in a better order; or songs as they were given, without a file.

    ``unknown`` are entries of a playlist file, by their line (1 …), that are not songs of the library.
    """

    file: Path | None
    unknown: Mapping[int, str]


@dataclass(frozen=True)
class CompareResult:
    """How similar two songs are, and what each family adds to it; no ``contributions`` in a space without families.

    ``keys`` and ``descriptors`` (values by name) are those of the two songs.
    """

    pair: tuple[Song, Song]
    similarity: float
    contributions: Mapping[str, float]
    keys: tuple[int, int]
    descriptors: tuple[Mapping[str, float], Mapping[str, float]]
    model: ModelInUse | None


@dataclass(frozen=True)
class DescriptorContribution:
    """What a descriptor adds to the similarity of two songs, and both its values among those of the library.

    ``library_average`` is what they are above or below: the mean, where logarithms are compared the geometric mean.
    """

    descriptor: str
    unit: str
    first: float
    second: float
    first_percentile: float
    second_percentile: float
    library_average: float
    genre_medians: Mapping[str, float]
    contribution: float


@dataclass(frozen=True)
class FamilyContribution:
    """What a family of so many ``coordinates`` of the space adds, and the cosine within it alone (``agreement``).

    ``agree`` and ``differ`` are the descriptors that add and subtract most, strongest first.
    """

    family: str
    coordinates: int
    contribution: float
    agreement: float
    agree: tuple[DescriptorContribution, ...] = ()
    differ: tuple[DescriptorContribution, ...] = ()


@dataclass(frozen=True)
class WhyResult:
    """Why two songs are similar or different. The contributions of all ``families`` add up to ``similarity``.

    ``random_similarity`` is the median similarity of two songs of the library.
    ``more_similar`` of ``others``, other recordings than the first song, are more similar to it than the second is;
    None where the second is outside the library or the same recording. ``tempo_factor`` and ``tempo_change``, of the
    second song from the first, are as in ``Transition``.
    """

    pair: tuple[Song, Song]
    similarity: float
    families: tuple[FamilyContribution, ...]
    same_recording: bool
    more_similar: int | None
    others: int
    tempos_bpm: tuple[float, float]
    tempo_factor: float
    tempo_change: float
    keys: tuple[int, int]
    keys_compatible: bool
    random_similarity: float
    traits: PairTraits


@dataclass(frozen=True)
class DescriptorValue:
    """A song's value of a descriptor among those of the library."""

    descriptor: str
    value: float
    unit: str
    percentile: float
    library_median: float


@dataclass(frozen=True)
class InfoResult:
    """Everything known of a song: ``tags`` are the other entries of its record; ``copies`` are paths.

    ``measured_tempo_bpm`` includes the factor ``tempo_octave``; the key's margin is that to the second key.
    """

    song: Song
    tags: Mapping[str, Any]
    measured_tempo_bpm: float
    tempo_octave: float
    beat_deviation_s: float
    key_estimate: int
    key_correlation: float | None
    key_margin: float | None
    key_tag: str
    copies: tuple[str, ...]
    nearest: Song | None
    nearest_similarity: float | None
    traits: tuple[Trait, ...]
    descriptors: tuple[DescriptorValue, ...]
    model: ModelInUse | None


@dataclass(frozen=True)
class GenresResult:
    """Similarity within and between genres."""

    similarity: GenreSimilarity
    model: ModelInUse | None


@dataclass(frozen=True)
class EvaluateResult:
    """Scores of each space with and without correction of hubs.

    ``best`` is that of the highest precision for genres of the spaces fitted without labels, with the artist filter
    where it leaves two genres; ``model`` or ``model_error`` say what the classifier space uses, or why there is none,
    ``network`` or ``network_error`` that of the cnn space; neither without a network. Of ``n_recordings`` so many are
    by an unknown artist; ``genres_of_one_artist`` have no answer by another.
    """

    scores: tuple[SpaceScores, ...]
    best: SpaceScores | None
    nearest: int
    n_recordings: int
    n_without_artist: int
    genres_of_one_artist: tuple[str, ...]
    model: ModelInUse | None
    model_error: SchemaError | None
    network: ModelInUse | None = None
    network_error: SchemaError | None = None


@dataclass(frozen=True)
class NeighboursResult:
    """The file that holds the ``neighbours`` nearest songs of each of ``songs`` songs."""

    file_path: str
    songs: int
    neighbours: int


Result = (
    Ranked | CompareResult | WhyResult | InfoResult | GenresResult | EvaluateResult | NeighboursResult | PlayResult
    | StopResult
)  # fmt: skip
