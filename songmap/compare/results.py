"""Results of a comparison: numbers, names and identifiers. Scores are fractions 0 … 1, log loss is in nats.

A *variant* is a model on a feature set. ``songs`` are rows of the table that is compared on, pieces of songs where it
holds such; ``groups`` are what is never on both sides of a split.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from songmap.genre.limits import Limit

GroupedBy = Literal["artist", "album", "song", "column", "pattern", "pieces", "row"]


@dataclass(frozen=True)
class ClassSize:
    """Rows and groups of a genre."""

    genre: str
    songs: int
    groups: int


@dataclass(frozen=True)
class EqualRows:
    """Two rows under different names, counted from 1, whose columns are equal, or whose ``distance`` is small.

    ``distance`` is in standard deviations per column.
    """

    first: str
    second: str
    distance: float
    same_genre: bool


@dataclass(frozen=True)
class TableChecks:
    """What a table of unknown origin was searched for.

    Attributes
    ----------
    file : str
    constant_columns : list of str
        Left out: they have one value.
    small_classes : list of ClassSize
        Left out: too few to be split.
    missing_values : int
        Filled with medians of training songs, within folds.
    equal_rows : list of EqualRows
        The first of ``n_equal_rows`` pairs; such rows are one group.
    n_equal_rows : int
    searched_near : bool
        Whether nearly equal rows were searched too, which takes too long in large tables.
    neighbour_share, neighbour_chance : float
        How often the nearest row of the same genre is the one before or after; and in random order.
    unnamed_pieces : bool
        That is far above chance, and nothing says which rows are of one song.
    """

    file: str
    constant_columns: list[str]
    small_classes: list[ClassSize]
    missing_values: int
    equal_rows: list[EqualRows]
    n_equal_rows: int
    searched_near: bool
    neighbour_share: float
    neighbour_chance: float
    unnamed_pieces: bool


@dataclass(frozen=True)
class DataSummary:
    """What was compared on; ``checks`` of a table that is not this library's, ``limits`` of a library."""

    songs: int
    groups: int
    grouped_by: GroupedBy
    exceptions: bool
    genres: list[ClassSize]
    limits: list[Limit]
    checks: TableChecks | None


@dataclass(frozen=True)
class FeatureSetSize:
    """A feature set and the number of its columns."""

    name: str
    title: str
    columns: int


@dataclass(frozen=True)
class GenreScore:
    """Scores of a genre in all repeats."""

    genre: str
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class VariantScores:
    """A model on a feature set, in the folds that all share.

    Intervals are of 95 %, over resampled groups. ``training_accuracy`` is the mean over folds, on the songs trained on.
    ``train_s`` is processor time of a fit with the search for its point, ``predict_s`` of predicting 1,000 songs,
    ``size_bytes`` that of the fitted Pipeline as a pickle, means over folds. ``points`` of its grid, and in how many
    folds each was chosen.
    """

    model: str
    title: str
    features: str
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    macro_f1: float
    log_loss: float
    calibration_error: float
    training_accuracy: float
    train_s: float
    predict_s: float
    size_bytes: float
    genres: list[GenreScore]
    best_genre: str
    worst_genre: str
    points: list[tuple[dict[str, Any], int]]


@dataclass(frozen=True)
class Difference:
    """Accuracy of the best variant minus that of another: corrected resampled t-test and Bayesian correlated t-test.

    ``p_value``, and ``p_holm`` corrected for all comparisons, are two-sided. The probabilities are that the difference
    is within ±1 point of accuracy (``equivalent``), above (``better``) and below (``worse``); 95 % of the posterior are
    between ``low`` and ``high``.
    """

    model: str
    features: str
    difference: float
    low: float
    high: float
    p_value: float
    p_holm: float
    equivalent: float
    better: float
    worse: float
    is_real: bool


@dataclass(frozen=True)
class ChoiceAccuracy:
    """Accuracy of choosing the best variant: chosen on resampled groups, scored on the others (95 % interval)."""

    accuracy: float
    low: float
    high: float


@dataclass(frozen=True)
class SplitClaim:
    """What the first repeat's folds give, and what folds that split groups at random would have claimed."""

    model: str
    features: str
    grouped: float
    random: float


@dataclass(frozen=True)
class TrainingSize:
    """Accuracy of the best variant when trained on a part of the training songs; mean over the first repeat's folds."""

    songs: float
    accuracy: float
    training_accuracy: float


@dataclass(frozen=True)
class FamilyImportance:
    """Of a family of columns.

    ``permutation`` is the accuracy that the best variant loses on held-out songs when the family's columns are shuffled
    together, mean over folds and ``permutation_std`` over folds. ``impurity`` and ``shap`` are the family's shares of a
    model of trees: of the impurity its splits remove, and of mean |SHAP| of held-out songs.
    """

    family: str
    columns: int
    permutation: float
    permutation_std: float
    impurity: float | None
    shap: float | None


@dataclass(frozen=True)
class Importances:
    """Importances of families for the best variant; ``trees`` is the model of impurity and SHAP, where there is one."""

    model: str
    features: str
    trees: str | None
    families: list[FamilyImportance]


@dataclass(frozen=True)
class Confusion:
    """``counts[i][j]``: songs of genre ``i`` predicted as genre ``j`` in the first repeat."""

    model: str
    features: str
    counts: list[list[int]]


@dataclass(frozen=True)
class WrittenFile:
    """A file, and what it holds."""

    path: Path
    content: Literal["page", "table", "genres", "report", "export_csv", "export_parquet"]


@dataclass(frozen=True)
class Comparison:
    """Everything. ``scores`` are sorted, the most accurate first; ``differences`` are of all others from that one."""

    data: DataSummary
    feature_sets: list[FeatureSetSize]
    n_folds: int
    n_repeats: int
    seed: int
    scores: list[VariantScores]
    differences: list[Difference]
    choice: ChoiceAccuracy
    claims: list[SplitClaim]
    training_sizes: list[TrainingSize]
    confusion: list[Confusion]
    importances: Importances
    left_out: list[str]
    written: list[WrittenFile]
