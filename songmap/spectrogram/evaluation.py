"""A network in the folds of 06, beside models on the 641 columns, and joined with the best of them. Needs torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from songmap.compare.dataset import Dataset
from songmap.compare.evaluation import Task, open_evaluator
from songmap.compare.results import Confusion, Difference, VariantScores
from songmap.compare.scores import Variant, VariantFits, confusions, differences, put_together, variant_scores
from songmap.compare.store import FittedFold, open_store
from songmap.core.progress import OnProgress
from songmap.core.workspace import Workspace
from songmap.genre.metrics import LEAST
from songmap.genre.splits import Fold
from songmap.spectrogram.results import JOINED, NETWORK
from songmap.spectrogram.side_by_side import TrainingOutcome

OTHERS: tuple[Variant, ...] = (
    ("lda", "descriptors"), ("svm", "descriptors"), ("xgboost", "all641"), ("majority", "descriptors"),
)  # fmt: skip
FEATURES = ("descriptors", "all641")


@dataclass(frozen=True)
class NetworkEvaluation:
    """Scores of the network, of the joined and of the others, the most accurate first; ``partner`` is what it is joined with."""

    scores: list[VariantScores]
    differences: list[Difference]
    partner: Variant
    confusion: list[Confusion]


def fit_others(
    workspace: Workspace,
    dataset: Dataset,
    folds: Sequence[Fold],
    seed: int,
    workers: int,
    on_progress: OnProgress | None,
) -> dict[Variant, VariantFits]:
    """The models that 06 has too, in the same folds; fits that 06 has kept are not repeated."""
    tasks = [Task(*variant, fold) for variant in OTHERS for fold in folds]
    with (
        open_store(workspace.fitted_folds, dataset.key) as store,
        open_evaluator(dataset, seed, workers, store, on_progress) as evaluator,
    ):
        evaluator.plan(len(tasks))
        fits = evaluator.run(tasks)
    n_folds = len(folds)
    return {
        variant: put_together(fits[place * n_folds : (place + 1) * n_folds], [list(folds)], dataset.labels)
        for place, variant in enumerate(OTHERS)
    }


def fold_fit(outcome: TrainingOutcome, dataset: Dataset, rows: np.ndarray, fold: Fold) -> FittedFold:
    """The network of a fold as a fit of 06; ``rows (n_songs,)`` of the library are the dataset's.

    A song without excerpts gets the genres' shares among the training songs.
    """
    train, test = fold
    shares = np.bincount(dataset.labels[train], minlength=len(dataset.genres)) / len(train)
    proba = np.where(np.isnan(outcome.proba[rows]), shares, outcome.proba[rows])
    right = proba[train].argmax(axis=1) == dataset.labels[train]
    weights = outcome.trained.network.state_dict().values()
    size = sum(one.numel() * one.element_size() for one in weights)
    return FittedFold(proba[test], float(right.mean()), outcome.curve.train_s, outcome.predict_s, size, {})


def evaluate(
    network: VariantFits, others: Mapping[Variant, VariantFits], dataset: Dataset, folds: Sequence[Fold], seed: int
) -> NetworkEvaluation:
    """Scores of the network, of the others, and of the geometric mean of its probabilities and those of the best of them.

    The best other is chosen by the same folds, so that what joins it looks better than it is by a little.
    """
    ranked = sorted(others, key=lambda variant: -others[variant].fold_accuracy.mean())
    partner = ranked[0]
    joined = _joined(network, others[partner], dataset.labels, folds)
    fits = {(NETWORK, ""): network, (JOINED, ""): joined} | dict(others)
    titles = {NETWORK: NETWORK, JOINED: JOINED}
    scores = [variant_scores(variant, one, dataset, seed, titles.get(variant[0])) for variant, one in fits.items()]
    scores = sorted(scores, key=lambda one: (-one.accuracy, one.log_loss))
    ordered = {(one.model, one.features): fits[one.model, one.features] for one in scores}
    test_share = float(np.mean([len(test) / len(dataset.labels) for _, test in folds]))
    return NetworkEvaluation(
        scores, differences(ordered, next(iter(ordered)), test_share), partner, confusions(ordered, dataset.labels)
    )


def _joined(one: VariantFits, other: VariantFits, labels: np.ndarray, folds: Sequence[Fold]) -> VariantFits:
    """Geometric means of probabilities, fold by fold; costs and training accuracy are not those of a fit."""
    from scipy.special import softmax

    fits = []
    for first, second in zip(one.fits, other.fits, strict=True):
        logs = [np.log(np.maximum(fit.proba, LEAST)) for fit in (first, second)]
        fits.append(FittedFold(softmax(np.mean(logs, axis=0), axis=1), np.nan, np.nan, np.nan, 0, {}))
    return put_together(fits, [list(folds)], labels)
