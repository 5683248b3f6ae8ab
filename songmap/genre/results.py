"""Results of 03: what is known of a classifier and its predictions, as typed values; ``--json`` is these serialised.

Scores are fractions 0 to 1, log loss is in nats; genres are named. Results for single songs are in ``song_results``,
those of the comparison of candidates in ``comparison_results``.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from songmap.genre.comparison_results import CandidateScores, Choice, ChoiceScores, Scores
from songmap.genre.coverage_results import ConformalCoverage
from songmap.genre.limits import Limit
from songmap.genre.novelty_results import NoveltyScores
from songmap.genre.song_results import BoundarySong, ClassifiedSong, Component, LabelIssue, SongExplanation, UnknownSong

SIGNIFICANT = 0.05  # p values above it are attributed to chance
_STANDARD_ERRORS = 2  # that a leak must exceed

GroupBy = Literal["artist", "album", "song"]


@dataclass(frozen=True)
class Grouping:
    """Which songs are never on both sides of a split.

    ``reason`` is ``requested``, ``strictest`` that the tags allow, or ``fallback`` where no split by artist or
    album exists. ``n_tagged`` of ``n_songs`` songs name their artist or album (``group_by``); ``exceptions``: some
    genres are split more finely, see the limits. ``n_copies`` files are copies of a recording, which are kept together.
    """

    group_by: GroupBy
    reason: Literal["requested", "strictest", "fallback"]
    n_tagged: int
    n_songs: int
    exceptions: bool = False
    n_copies: int = 0


@dataclass(frozen=True)
class SplitScores(Scores):
    """Scores on songs outside the training data, with 95 % intervals; ``baseline_…`` are the most frequent genre's.

    ``ece`` is the expected calibration error, ``calibrated_ece`` what a perfectly calibrated model shows on as many
    songs. ``split`` is ``test`` or ``cross_validation``, which has ``n_folds`` folds ``n_repeats`` times (test: 0 and 0).
    """

    split: Literal["test", "cross_validation"]
    n_songs: int
    n_folds: int
    n_repeats: int
    ece: float
    calibrated_ece: float
    baseline_accuracy: float
    baseline_macro_f1: float
    train_accuracy: float


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
    """Accuracy on training songs and in cross-validation.

    The difference does not measure overfitting: trees classify nearly all of their training songs correctly, however
    good they are on others.
    """

    train_accuracy: float
    cv_accuracy: float


@dataclass(frozen=True)
class PermutationTest:
    """Genres shuffled among groups, against predictions.

    ``recall`` of the model in use, averaged over the groups of a genre, then over genres; ``chance`` is the mean over
    shuffles of the best candidate's, and ``hits`` of ``n_permutations`` shuffles reach ``recall``. ``p_value`` is None
    where genres are ``scarce``: of too few groups.
    """

    recall: float
    chance: float
    p_value: float | None
    n_permutations: int
    hits: int
    scarce: tuple[str, ...] = ()

    @property
    def significant(self) -> bool | None:
        """None where it cannot be tested."""
        return None if self.p_value is None else self.p_value <= SIGNIFICANT


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
    """Whether probabilities are calibrated.

    ``error`` is the expected calibration error over the ``bins``. A perfectly calibrated model shows
    ``calibrated_error`` on as many songs, in 95 % of cases at most ``largest_calibrated_error``. ``accuracy`` and mean
    ``confidence`` are of all songs, whose ``n_groups`` are too few to verify anything unless ``verifiable``.
    """

    error: float
    calibrated_error: float
    largest_calibrated_error: float
    accuracy: float
    confidence: float
    n_groups: int
    verifiable: bool
    bins: list[ReliabilityBin]

    @property
    def is_calibrated(self) -> bool | None:
        """Whether the error is one that calibrated models show; None where that cannot be verified."""
        return self.error <= self.largest_calibrated_error if self.verifiable else None


@dataclass(frozen=True)
class FamilyMeans:
    """What each family of columns adds towards ``genre``: mean points of probability over its own songs."""

    genre: str
    songs: int
    points: dict[str, float]


@dataclass(frozen=True)
class ComponentImportance:
    """Mean absolute SHAP value, summed over genres (of one genre where there are two)."""

    component: Component
    importance: float


@dataclass(frozen=True)
class WrittenFile:
    """A file that was written and an identifier of its content, such as ``boundary_songs`` or ``plot_confusion``."""

    file: Path
    content: str


@dataclass(frozen=True)
class ConfusionMatrix:
    """``counts[i][j]``: songs of genre ``i`` that are predicted as genre ``j``, in the order of ``genres``."""

    split: Literal["test", "cross_validation"]
    genres: list[str]
    counts: list[list[int]]


@dataclass(frozen=True)
class ClassifierScores:
    """How good a classifier is on songs outside its training data; ``scores``: test songs, cross-validation.

    ``choice_scores`` is None where the model was requested.
    """

    choice: Choice
    choice_scores: ChoiceScores | None
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


@dataclass(frozen=True)
class GenreReport(ClassifierScores):
    """Everything that a run of 03 finds out.

    ``components`` are of the candidate ``component_model``, their importance is that for songs it was trained on.
    """

    families: list[FamilyMeans]
    component_model: str
    components: list[ComponentImportance]
    novelty: NoveltyScores
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
    limits: list[Limit]
    library_state: Literal["same", "changed", "missing", "unreadable"]
    library_error: str = ""
