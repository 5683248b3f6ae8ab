"""Results of comparing candidates: their scores, the choice among them, and scores that include the choice."""

from dataclasses import dataclass


@dataclass(frozen=True)
class CandidateScores:
    """A candidate in the folds that all candidates share; ``difference`` is in log loss above the ``best`` of them."""

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
    log_loss_low: float
    log_loss_high: float
    ece: float
    best: str
    difference: float
    difference_error: float


@dataclass(frozen=True)
class Choice:
    """The candidate in use, ``model``: the ``selected`` one, unless another was ``requested``.

    ``best`` has the smallest log loss; ``selected`` is the simplest candidate whose log loss is above that by no more
    than one ``standard_error`` of the ``difference``.
    """

    model: str
    selected: str
    best: str
    requested: bool
    log_loss: float
    best_log_loss: float
    difference: float
    standard_error: float


@dataclass(frozen=True)
class Scores:
    """Scores with 95 % intervals; log loss in nats."""

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


@dataclass(frozen=True)
class ChoiceScores(Scores):
    """Scores of a model chosen on other songs; ``chosen``: how often each candidate was."""

    chosen: dict[str, float]
