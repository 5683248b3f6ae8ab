"""Results of 03 for single songs: predictions, explanations, songs between genres, label issues.

Probabilities are fractions 0 to 1, a contribution is in probability; genres are named.
"""

from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

from songmap.genre.novelty_results import SongNovelty
from songmap.library.traits import Trait


@dataclass(frozen=True)
class ComponentTerm:
    """A descriptor and its ``correlation``, -1 … 1, with the score on a component."""

    descriptor: str
    correlation: float


@dataclass(frozen=True)
class Component:
    """Principal component ``number`` (from 1), its share of the variance, and the descriptors it goes with."""

    number: int
    variance_share: float
    terms: list[ComponentTerm]


@dataclass(frozen=True)
class ModelReference:
    """Which model classified a song.

    ``kind`` is ``fold``: trained without the song's fold (``fold`` counts from 1); ``development``: trained without the
    test songs, of which the song is one; ``final``: trained on all ``n_songs`` songs. ``includes_song``: the recording
    is in its training data.
    """

    kind: Literal["fold", "development", "final"]
    fold: int | None = None
    n_songs: int | None = None
    includes_song: bool = False


@dataclass(frozen=True)
class FamilyContribution:
    """What a family adds to the probability of the predicted genre, and to that of every genre."""

    family: str
    adds: float
    adds_to: dict[str, float]


@dataclass(frozen=True)
class DescriptorComparison:
    """A song's value of a descriptor beside two genres' medians, ``difference_sd`` apart (SD of the background)."""

    family: str
    descriptor: str
    columns: list[str]
    unit: str
    value: float
    medians: dict[str, float]
    difference_sd: float


@dataclass(frozen=True)
class PitchClasses:
    """The pitch classes of largest mean chroma, strongest first: of a song and of the medians of two genres."""

    song: list[str]
    medians: dict[str, list[str]]


@dataclass(frozen=True)
class SmallestChange:
    """With the columns of ``families`` at the medians of ``genre`` the model predicts that, with ``probability``."""

    families: list[str]
    genre: str
    probability: float


@dataclass(frozen=True)
class ComponentContribution:
    """A song's score on a component, in standard deviations, and its SHAP value towards the predicted genre."""

    component: Component
    deviation_sd: float
    shap: float


@dataclass(frozen=True)
class ComponentExplanation:
    """Components by the size of their SHAP values; ``base`` and they sum to the ``margin`` of the predicted genre.

    ``largest_margin_genre`` is the genre that these trees predict. ``of_model_in_use``: they are the model's own, and
    not those of a second model.
    """

    of_model_in_use: bool
    base: float
    margin: float
    largest_margin_genre: str
    contributions: list[ComponentContribution]


@dataclass(frozen=True)
class SongExplanation:
    """One classified song and its explanation.

    ``leading_families`` contribute most, half a point at least; ``descriptors`` are of these.
    ``compared_genre`` is the label where the model disagrees with it, else the second most probable genre. ``agrees``
    is None where the label is unknown to the model. ``background`` are mean probabilities over the ``n_background``
    background songs; they and the contributions of ``families`` sum to the song's. ``traits`` are the song's and
    ``genre_traits`` those of the median of the predicted genre's songs, compared with the library; empty without one.
    """

    file_path: str
    predicted_genre: str
    probability: float
    probabilities: dict[str, float]
    song_name: str
    artist: str
    title: str
    genre: str
    genre_set: list[str]
    set_threshold: float
    agrees: bool | None
    compared_genre: str
    fold_model: ModelReference
    background: dict[str, float]
    n_background: int
    novelty: SongNovelty
    families: list[FamilyContribution]
    leading_families: list[str]
    descriptors: list[DescriptorComparison]
    pitch_classes: PitchClasses | None
    smallest_change: SmallestChange | None
    components: ComponentExplanation | None
    traits: tuple[Trait, ...] = ()
    genre_traits: tuple[Trait, ...] = ()


@dataclass(frozen=True)
class RankedSong:
    """A song of the training data as predicted by a model trained without it."""

    rank: int
    song_name: str
    artist: str
    title: str
    genre: str
    predicted_genre: str
    probability: float


@dataclass(frozen=True)
class BoundarySong(RankedSong):
    """A training song, those least certain first; ``fold`` counts from 1, None for test songs.

    ``is_between`` genres: its set has several, and the second most probable at least half the probability of the first.
    """

    probabilities: dict[str, float]
    normalised_entropy: float
    margin: float
    genre_set: list[str]
    novelty: SongNovelty
    is_between: bool
    fold: int | None
    file_path: str


@dataclass(frozen=True)
class LabelIssue(RankedSong):
    """A song whose label is probably wrong: ``probability`` reaches the ``usual`` one of the predicted genre."""

    usual: float
    margin: float
    file_path: str


@dataclass(frozen=True)
class UnknownSong:
    """A song without a genre, classified by the final model."""

    song_name: str
    artist: str
    title: str
    predicted_genre: str
    probability: float
    probabilities: dict[str, float]
    genre_set: list[str]
    novelty: SongNovelty
    file_path: str


@dataclass(frozen=True)
class ClassifiedSong:
    """Any song with the points that each family adds to ``background``, the predicted genre's mean probability."""

    song_name: str
    artist: str
    title: str
    genre: str
    predicted_genre: str
    probability: float
    genre_set: list[str]
    novelty: SongNovelty
    normalised_entropy: float
    fold_model: ModelReference
    background: float
    points: dict[str, float]
    file_path: str


ListedSong = TypeVar("ListedSong", BoundarySong, LabelIssue, UnknownSong, ClassifiedSong)


class NamedSong(Protocol):
    """A result of one song, with what its name for people is made of."""

    @property
    def song_name(self) -> str: ...
    @property
    def artist(self) -> str: ...
    @property
    def title(self) -> str: ...
