"""From fits on shared folds to scores of variants, and to what differs from the best of them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from songmap.compare.dataset import Dataset
from songmap.compare.models import MODELS
from songmap.compare.results import ChoiceAccuracy, Confusion, Difference, GenreScore, VariantScores
from songmap.compare.statistics import LEVEL, choice_accuracy, corrected_t_test, correlated_posterior
from songmap.compare.store import FittedFold
from songmap.core.statistics import holm
from songmap.genre.metrics import N_DRAWS, calibration_error, confusion, group_draws, per_genre_scores, sampled_scores
from songmap.genre.splits import Fold

_MOST_DRAWN = 20_000_000  # groups in all bootstrap samples together
Variant = tuple[str, str]  # model, feature set


@dataclass(frozen=True)
class VariantFits:
    """The fits of a variant, repeat by repeat and fold by fold, put together.

    ``rounds (n_repeats, n_songs, n_classes)`` are probabilities out of fold. ``fold_accuracy (n_repeats * n_folds,)`` are
    songs predicted right over the mean size of a fold: folds differ in size, and so their mean is the accuracy.
    """

    fits: list[FittedFold]
    rounds: np.ndarray
    fold_accuracy: np.ndarray


def put_together(fits: Sequence[FittedFold], repeats: Sequence[Sequence[Fold]], labels: np.ndarray) -> VariantFits:
    """Fits of a variant, in the order of the folds of all repeats."""
    rounds = np.zeros((len(repeats), len(labels), fits[0].proba.shape[1]))
    accuracy, left = [], iter(fits)
    for number, folds in enumerate(repeats):
        for _, test in folds:
            rounds[number, test] = next(left).proba
            right = (rounds[number, test].argmax(axis=1) == labels[test]).sum()
            accuracy.append(float(right * len(folds) / len(labels)))
    return VariantFits(list(fits), rounds, np.array(accuracy))


def variant_scores(
    variant: Variant, one: VariantFits, dataset: Dataset, seed: int, title: str | None = None
) -> VariantScores:
    """Scores of a variant, costs as means over folds; ``title`` is that of a model which is not in ``MODELS``."""
    sampled = sampled_scores(dataset.labels, one.rounds, dataset.groups, seed, _n_draws(dataset))
    low, high = sampled.interval("accuracy")
    genres = [
        GenreScore(genre, **scores)
        for genre, scores in zip(dataset.genres, per_genre_scores(dataset.labels, one.rounds), strict=True)
    ]
    ranked = sorted(genres, key=lambda score: -score.f1)
    points = {repr(fit.point): fit.point for fit in one.fits}
    chosen = Counter(repr(fit.point) for fit in one.fits)
    return VariantScores(
        model=variant[0], title=title or MODELS[variant[0]].title, features=variant[1],
        accuracy=sampled.values["accuracy"], accuracy_low=low, accuracy_high=high,
        macro_f1=sampled.values["macro_f1"], log_loss=sampled.values["log_loss"],
        calibration_error=calibration_error(dataset.labels, one.rounds),
        training_accuracy=float(np.mean([fit.training_accuracy for fit in one.fits])),
        train_s=float(np.mean([fit.train_s for fit in one.fits])),
        predict_s=float(np.mean([fit.predict_s for fit in one.fits])),
        size_bytes=float(np.mean([fit.size_bytes for fit in one.fits])),
        genres=genres, best_genre=ranked[0].genre, worst_genre=ranked[-1].genre,
        points=[(points[name], number) for name, number in chosen.most_common()],
    )  # fmt: skip


def differences(fits: Mapping[Variant, VariantFits], best: Variant, test_share: float) -> list[Difference]:
    """Accuracy of the best variant minus that of each other, in the order of ``fits``."""
    others = [variant for variant in fits if variant != best]
    if not others:
        return []
    each = [fits[best].fold_accuracy - fits[variant].fold_accuracy for variant in others]
    n_folds = len(each[0]) // len(fits[best].rounds)
    p_values = np.array([corrected_t_test(one, test_share, n_folds) for one in each])
    results = []
    for variant, one, p_value, corrected in zip(others, each, p_values, holm(p_values), strict=True):
        posterior = correlated_posterior(one, test_share, n_folds)
        results.append(
            Difference(
                *variant, difference=float(one.mean()), low=posterior.low, high=posterior.high,
                p_value=float(p_value), p_holm=float(corrected), equivalent=posterior.within,
                better=posterior.above, worse=posterior.below, is_real=bool(corrected < LEVEL),
            )
        )  # fmt: skip
    return results


def choice(fits: Sequence[VariantFits], dataset: Dataset, seed: int) -> ChoiceAccuracy:
    """Accuracy to expect of whichever variant is best, with the choice included."""
    correct = np.stack([(one.rounds.argmax(axis=2) == dataset.labels).mean(axis=0) for one in fits])
    draws = group_draws(dataset.groups, seed, _n_draws(dataset))
    return ChoiceAccuracy(*choice_accuracy(correct, dataset.groups, draws))


def _n_draws(dataset: Dataset) -> int:
    """Bootstrap samples: fewer of very many groups, whose intervals are narrow."""
    return min(N_DRAWS, max(100, _MOST_DRAWN // dataset.summary.groups))


def confusions(fits: Mapping[Variant, VariantFits], labels: np.ndarray) -> list[Confusion]:
    """Confusion matrix of each variant in the first repeat."""
    return [Confusion(*variant, confusion(labels, one.rounds[0])) for variant, one in fits.items()]
