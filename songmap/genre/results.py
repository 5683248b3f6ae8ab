"""Results of 03: what is known of a classifier and its predictions, as typed values; ``--json`` is these serialised.

Scores are fractions 0 to 1, log loss is in nats; genres are named. Results for single songs are in ``song_results``.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from songmap.genre.limits import Limit
from songmap.genre.song_results import SongExplanation

SIGNIFICANT = 0.05  # p values above it are attributed to chance
_SMALL_GAP = 0.05  # accuracy
_STANDARD_ERRORS = 2  # that a leak must exceed

GroupBy = Literal["artist", "album", "song"]
Record = dict[str, Any]  # a row of a table


@dataclass(frozen=True)
class Grouping:
    """Which songs are never on both sides of a split.

    ``reason`` is ``requested``, ``strictest`` that the tags allow, or ``fallback`` where no split by artist or
    album exists. ``n_tagged`` of ``n_songs`` songs name their artist or album (``group_by``); ``exceptions``: some genres are
    split more finely, see the limits. ``n_copies`` files are copies of a recording, which are kept together.
    """

    group_by: GroupBy
    reason: Literal["requested", "strictest", "fallback"]
    n_tagged: int
    n_songs: int
    exceptions: bool = False
    n_copies: int = 0


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
class Reliability:
    """``error`` is the expected calibration error over the ``bins``: songs of similar confidence.

    A bin has ``songs``, ``confidence`` (mean probability of the predicted genre) and ``accuracy``, with its interval.
    """

    error: float
    bins: list[Record]


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
class WrittenFile:
    """A file that was written and a short identifier of its content, such as ``boundary_songs`` or ``plot_confusion``."""

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
    """How good a classifier is on songs outside its training data; ``…_low`` and ``…_high`` are 95 % intervals.

    Attributes
    ----------
    scores : list of dict
        Of the test songs, then of cross-validation (``split``): ``n_songs``, ``n_folds`` and ``n_repeats`` (test: 0),
        five scores with intervals, ``baseline_accuracy`` and ``baseline_macro_f1`` of the most frequent genre, and
        ``train_accuracy``.
    candidates : list of dict
        ``model``, ``title``, ``songs`` and scores of each candidate in the folds that all share; ``difference`` is to
        the default in balanced accuracy, ``difference_error`` its standard error.
    per_genre : list of dict
        ``genre``, ``songs``; ``precision``, ``recall``, ``f1`` in cross-validation, then ``test_…`` on test songs.
    """

    choice: Choice
    grouping: Grouping
    limits: list[Limit]
    scores: list[Record]
    candidates: list[Record]
    leakage: Leakage
    overfitting: OverfittingGap
    permutation: PermutationTest
    reliability: Reliability
    conformal: ConformalCoverage
    per_genre: list[Record]
    confusion: list[ConfusionMatrix]


@dataclass(frozen=True)
class GenreReport(ClassifierScores):
    """Everything that a run of 03 finds out; ``components`` are of the candidate ``component_model``.

    Attributes
    ----------
    families : list of dict
        ``points`` (hundredths) of probability that each family adds towards ``genre``: mean over ``songs`` of its own.
    components : list of dict
        ``component`` and its ``importance``: mean absolute SHAP value, summed over genres (of one where there are two).
    boundary_songs, label_issues, unknown_songs, all_songs : list of dict
        Songs with the columns that ``song_lists.COLUMNS`` names.
    """

    families: list[Record]
    component_model: str
    components: list[Record]
    song: SongExplanation
    boundary_songs: list[Record]
    label_issues: list[Record]
    unknown_songs: list[Record]
    all_songs: list[Record]
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
