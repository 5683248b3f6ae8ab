"""Results of 03: what is known of a classifier and its predictions, as typed values; ``--json`` is these serialised.

Probabilities and scores are fractions 0 to 1, log loss is in nats. A contribution is in probability. Genres are named;
lists of songs have the order in which they are shown.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from songmap.genre.limits import Limit

SIGNIFICANT = 0.05  # p values above it are attributed to chance
_SMALL_GAP = 0.05  # accuracy
_STANDARD_ERRORS = 2  # that a leak must exceed

GroupBy = Literal["artist", "album", "song"]


@dataclass(frozen=True)
class Grouping:
    """Which songs are never on both sides of a split.

    ``reason`` is ``requested``, ``strictest`` that the tags allow, or ``fallback`` where no split by ``requested_by``
    exists. ``n_tagged`` of ``n_songs`` songs name their artist or album (``group_by``); ``exceptions``: some genres are
    split more finely, see the limits. ``n_copies`` files are copies of a recording, which are kept together.
    """

    group_by: GroupBy
    reason: Literal["requested", "strictest", "fallback"]
    n_tagged: int
    n_songs: int
    exceptions: bool = False
    n_copies: int = 0


@dataclass(frozen=True)
class SplitScores:
    """Scores on songs outside the training data, with 95 % intervals, beside the most frequent genre's (``baseline_…``).

    ``split`` is ``test`` or ``cross_validation``, which has ``n_folds`` folds ``n_repeats`` times (test: 0 and 0).
    """

    split: Literal["test", "cross_validation"]
    n_songs: int
    n_folds: int
    n_repeats: int
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    balanced_accuracy: float
    balanced_accuracy_low: float
    balanced_accuracy_high: float
    macro_f1: float
    macro_f1_low: float
    macro_f1_high: float
    log_loss: float
    log_loss_low: float
    log_loss_high: float
    ece: float
    ece_low: float
    ece_high: float
    baseline_accuracy: float
    baseline_macro_f1: float
    train_accuracy: float


@dataclass(frozen=True)
class CandidateScores:
    """A candidate in the folds that all candidates share; ``difference`` is to the default in balanced accuracy."""

    model: str
    title: str
    songs: int
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    balanced_accuracy: float
    macro_f1: float
    macro_f1_low: float
    macro_f1_high: float
    log_loss: float
    ece: float
    difference: float
    difference_error: float


@dataclass(frozen=True)
class Choice:
    """The candidate in use, ``model``: the ``selected`` one, unless another was ``requested``.

    ``selected`` is the candidate of largest balanced accuracy among those better than the ``default`` by more than one
    ``standard_error`` of the ``difference``; the default where there is none (then both are 0).
    """

    model: str
    selected: str
    default: str
    requested: bool
    balanced_accuracy: float
    default_balanced_accuracy: float
    difference: float
    standard_error: float


@dataclass(frozen=True)
class GenreScores:
    """Scores of one genre: in cross-validation, then on the test songs."""

    genre: str
    songs: int
    precision: float
    recall: float
    f1: float
    test_precision: float
    test_recall: float
    test_f1: float


@dataclass(frozen=True)
class OverfittingGap:
    """Accuracy on training songs and in cross-validation."""

    train_accuracy: float
    cv_accuracy: float

    @property
    def difference(self) -> float:
        return self.train_accuracy - self.cv_accuracy

    @property
    def is_small(self) -> bool:
        return self.difference <= _SMALL_GAP


@dataclass(frozen=True)
class PermutationTest:
    """``hits`` of ``n_permutations`` shuffles of genres among groups reach the ``accuracy``; their mean is ``chance``."""

    accuracy: float
    chance: float
    p_value: float
    n_permutations: int
    hits: int

    @property
    def significant(self) -> bool:
        return self.p_value <= SIGNIFICANT


@dataclass(frozen=True)
class Leakage:
    """Accuracy in folds that keep groups together, and in random folds; ``standard_error`` is of the difference."""

    grouped_accuracy: float
    random_accuracy: float
    difference: float
    standard_error: float

    @property
    def margin(self) -> float:
        """The largest difference that is not significant."""
        return _STANDARD_ERRORS * self.standard_error

    @property
    def significant(self) -> bool:
        return self.difference > self.margin


@dataclass(frozen=True)
class ReliabilityBin:
    """Songs of similar confidence (mean probability of the predicted genre) and how many of them are correct."""

    songs: int
    confidence: float
    accuracy: float
    accuracy_low: float
    accuracy_high: float


@dataclass(frozen=True)
class Reliability:
    """``error`` is the expected calibration error over the ``bins``."""

    error: float
    bins: list[ReliabilityBin]


@dataclass(frozen=True)
class ConformalCoverage:
    """How often conformal sets contain the true genre, of ``songs`` that did not set their threshold."""

    wanted: float
    coverage: float
    mean_size: float
    sets_of_one: float
    sets_of_all: float
    songs: int


@dataclass(frozen=True)
class ConfusionMatrix:
    """``counts[i][j]``: songs of genre ``i`` that are predicted as genre ``j``, in the order of ``genres``."""

    split: Literal["test", "cross_validation"]
    genres: list[str]
    counts: list[list[int]]


@dataclass(frozen=True)
class FamilyMeans:
    """What each family of columns adds towards ``genre``: mean points (hundredths) of probability over its own songs."""

    genre: str
    songs: int
    points: dict[str, float]


@dataclass(frozen=True)
class LoadingTerm:
    """One column, or a range of mel bands by their centre frequencies, that rises (``sign`` 1) or falls (-1)."""

    sign: int
    column: str | None
    low_hz: float | None = None
    high_hz: float | None = None


@dataclass(frozen=True)
class Component:
    """Principal component ``number`` (from 1), its share of the variance, and what rises with its score."""

    number: int
    variance_share: float
    terms: list[LoadingTerm]


@dataclass(frozen=True)
class ComponentImportance:
    """Mean absolute SHAP value, summed over genres (of one genre where there are two)."""

    component: Component
    importance: float


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
    """A song's value of a descriptor beside the medians of two genres, ``difference_sd`` apart (SD of the background)."""

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
    """With the columns of ``families`` at the medians of ``genre`` the model predicts ``genre``, with ``probability``."""

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
    """One classified song and why it is classified so.

    ``leading_families`` contribute most, half a point at least; ``descriptors`` are of these.
    ``compared_genre`` is the label where the model disagrees with it, else the second most probable genre. ``agrees`` is
    None where the label is unknown to the model. ``background`` are mean probabilities over the ``n_background``
    background songs; they and the contributions of ``families`` sum to the song's. ``outside_range`` is the share of the
    song's columns outside the range of the background, ``unusual`` whether that is too large to rely on the prediction.
    """

    file_path: str
    predicted_genre: str
    probability: float
    probabilities: dict[str, float]
    song_name: str
    artist: str
    genre: str
    genre_set: list[str]
    set_threshold: float
    agrees: bool | None
    compared_genre: str
    fold_model: ModelReference
    background: dict[str, float]
    n_background: int
    outside_range: float
    unusual: bool
    families: list[FamilyContribution]
    leading_families: list[str]
    descriptors: list[DescriptorComparison]
    pitch_classes: PitchClasses | None
    smallest_change: SmallestChange | None
    components: ComponentExplanation | None


@dataclass(frozen=True)
class BoundarySong:
    """A song of the training data as classified by a model without it; ``fold`` counts from 1, None for test songs."""

    rank: int
    song_name: str
    artist: str
    genre: str
    predicted_genre: str
    probability: float
    probabilities: dict[str, float]
    normalised_entropy: float
    margin: float
    genre_set: list[str]
    fold: int | None
    file_path: str


@dataclass(frozen=True)
class LabelIssue:
    """A song whose label is probably wrong: ``probability`` of the predicted genre reaches that genre's ``usual`` one."""

    rank: int
    song_name: str
    artist: str
    genre: str
    predicted_genre: str
    probability: float
    usual: float
    margin: float
    file_path: str


@dataclass(frozen=True)
class UnknownSong:
    """A song without a genre, classified by the final model."""

    song_name: str
    artist: str
    predicted_genre: str
    probability: float
    probabilities: dict[str, float]
    genre_set: list[str]
    file_path: str


@dataclass(frozen=True)
class ClassifiedSong:
    """Any song with the points that each family adds to ``background``, the predicted genre's mean probability."""

    song_name: str
    artist: str
    genre: str
    predicted_genre: str
    probability: float
    genre_set: list[str]
    normalised_entropy: float
    fold_model: ModelReference
    background: float
    points: dict[str, float]
    file_path: str


@dataclass(frozen=True)
class WrittenFile:
    """A file that was written and a short identifier of its content, such as ``boundary_songs`` or ``plot_confusion``."""

    file: Path
    content: str


@dataclass(frozen=True)
class GenreReport:
    """Everything that a run of 03 finds out; ``components`` are of the candidate ``component_model``."""

    choice: Choice
    grouping: Grouping
    limits: list[Limit]
    scores: list[SplitScores]
    candidates: list[CandidateScores]
    leakage: Leakage
    overfitting: OverfittingGap
    permutation: PermutationTest
    reliability: Reliability
    conformal: ConformalCoverage
    per_genre: list[GenreScores]
    confusion: list[ConfusionMatrix]
    families: list[FamilyMeans]
    component_model: str
    components: list[ComponentImportance]
    song: SongExplanation
    boundary_songs: list[BoundarySong]
    label_issues: list[LabelIssue]
    unknown_songs: list[UnknownSong]
    all_songs: list[ClassifiedSong]
    card: dict[str, Any] = field(default_factory=dict)
    written: list[WrittenFile] = field(default_factory=list)


@dataclass(frozen=True)
class FileClassification:
    """New audio files: explanations, ``failures`` with the reason of each, and the limits of the model.

    ``library_state``: whether the workspace's library is the training data (``same``, ``changed``), is not there
    (``missing``), or cannot be read (``unreadable``, for ``library_error``).
    """

    songs: list[SongExplanation]
    failures: list[tuple[Path, str]]
    limits: list[Limit | str]
    library_state: Literal["same", "changed", "missing", "unreadable"]
    library_error: str = ""
