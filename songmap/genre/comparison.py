"""Candidates compared by cross-validation on the same folds, the choice among them, and a score that includes it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from songmap.genre.candidates import CANDIDATES, CHOSEN_FROM, EXPLAINED
from songmap.genre.comparison_results import CandidateScores, Choice, ChoiceScores
from songmap.genre.cross_validation import CrossValidated, CrossValidator, Points
from songmap.genre.metrics import LEAST, N_DRAWS, SCORES, calibration_error, group_draws, scores_of
from songmap.genre.permutation import N_PERMUTATIONS
from songmap.genre.splits import Plan, folds_of, subsample

COMPARE_ALL = 1_500  # development songs up to which every candidate is compared on all of them
_RUNG_FACTOR = 4
_ALWAYS = (EXPLAINED, "majority")


@dataclass(frozen=True)
class Settings:
    """How to evaluate.

    Attributes
    ----------
    model : str or None
        The candidate to use, whatever its scores.
    names : sequence of str
        The candidates, PCA + XGBoost and ``majority`` among them.
    n_draws, n_permutations : int
        Bootstrap samples of every interval; shuffles of the permutation test.
    compare_all : int
        Of more development songs the candidates are thinned by successive halving.
    """

    model: str | None = None
    names: Sequence[str] = tuple(CANDIDATES)
    n_draws: int = N_DRAWS
    n_permutations: int = N_PERMUTATIONS
    compare_all: int = COMPARE_ALL


HalvingRound = dict[str, CrossValidated]


def compare(validator: CrossValidator, plan: Plan, settings: Settings) -> list[HalvingRound]:
    """Rounds of candidates, each on the same folds, the last on all development songs.

    Where these are many, candidates are thinned by successive halving (Jamieson & Talwalkar 2016): all are compared on
    a subsample of groups, the better half by log loss on one ``_RUNG_FACTOR`` times as large, and so on; each keeps the
    point of its grid that the first round chose. References, PCA + XGBoost and a requested model always stay.
    """
    groups, labels, n_songs = plan.groups, validator.labels, len(plan.development)
    left, rounds, points = list(settings.names), list[HalvingRound](), Points()
    size = settings.compare_all // 2
    while n_songs > settings.compare_all and size < n_songs / 2:
        rows = plan.development[subsample(labels[plan.development], groups[plan.development], size, validator.seed)]
        folds = folds_of(rows, labels, groups, validator.seed)
        if folds:
            results = validator.cross_validate(left, rows, [folds], groups, points)
            rounds.append(results)
            points = points or {
                name: [one.tuning.point] for name, one in results.items() if not CANDIDATES[name].members
            }
            ranked = sorted((name for name in left if name in CHOSEN_FROM), key=lambda name: log_loss(results[name]))
            kept = {*ranked[: (len(ranked) + 1) // 2], *_ALWAYS, settings.model}
            left = [name for name in left if name in kept]
        size *= _RUNG_FACTOR
        left = [name for name in left if most_songs(name) >= size]
    left = [name for name in left if most_songs(name) >= len(labels)]
    return [*rounds, validator.cross_validate(left, plan.development, plan.repeats, groups, points)]


def most_songs(name: str) -> float:
    """Of how many songs a candidate and its members are fitted on at most."""
    return CANDIDATES[name].most_songs or np.inf


def log_loss(one: CrossValidated) -> float:
    return one.sampled.values["log_loss"]


def choose(results: HalvingRound, labels: np.ndarray, groups: np.ndarray, requested: str | None) -> Choice:
    """The simplest candidate whose log loss is within one standard error of the smallest, unless one is requested.

    Parameters
    ----------
    results : dict
        By name, on the same rows.
    labels, groups : np.ndarray, shape (n_rows,)
    requested : str or None

    Notes
    -----
    The one-standard-error rule (Breiman et al. 1984), with the standard error of the difference of two candidates over
    groups.
    """
    names = [name for name in CHOSEN_FROM if name in results]
    losses, sizes = _losses([results[name] for name in names], labels, groups)
    everything = np.ones((1, len(sizes)))
    simplest, best = (int(one[0]) for one in _chosen(losses, sizes, everything))
    difference, error = (float(one[0, simplest]) for one in _differences(losses, sizes, everything, np.array([best])))
    return Choice(
        model=requested or names[simplest],
        selected=names[simplest],
        best=names[best],
        requested=requested is not None,
        log_loss=log_loss(results[names[simplest]]),
        best_log_loss=log_loss(results[names[best]]),
        difference=difference,
        standard_error=error,
    )


def choice_scores(
    results: HalvingRound, labels: np.ndarray, groups: np.ndarray, seed: int, n_draws: int
) -> ChoiceScores:
    """Scores of whatever is chosen: by bootstrap bias corrected cross-validation (Tsamardinos et al. 2018).

    Each bootstrap sample of groups chooses a candidate; the groups outside the sample score it. ``labels`` and
    ``groups`` are of the results' rows.
    """
    names = [name for name in CHOSEN_FROM if name in results]
    losses, sizes = _losses([results[name] for name in names], labels, groups)
    weights = group_draws(groups, seed, n_draws)
    weights = weights[(weights == 0).any(axis=1)]
    chosen, _ = _chosen(losses, sizes, weights)
    draws = {name: np.empty(len(weights)) for name in SCORES}
    for index, name in enumerate(names):
        own = chosen == index
        if own.any():
            outside = (weights[own] == 0).astype(np.float64)
            for score, values in scores_of(labels, results[name].repeats_proba, groups, outside).items():
                draws[score][own] = values
    intervals = {
        f"{name}_{end}": float(np.quantile(values, at))
        for name, values in draws.items()
        for end, at in (("low", 0.025), ("high", 0.975))
    }
    shares = {name: float((chosen == index).mean()) for index, name in enumerate(names)}
    return ChoiceScores(**{name: float(values.mean()) for name, values in draws.items()}, **intervals, chosen=shares)


def _losses(
    compared: Sequence[CrossValidated], labels: np.ndarray, groups: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Sums of log losses ``(n_groups, n_candidates)``, mean over repeats, and songs ``(n_groups,)`` of every group."""
    _, group = np.unique(groups, return_inverse=True)
    songs = np.arange(len(labels))
    columns = [-np.log(np.clip(one.repeats_proba[:, songs, labels], LEAST, None)).mean(axis=0) for one in compared]
    return np.stack([np.bincount(group, column) for column in columns], axis=1), np.bincount(group)


def _chosen(losses: np.ndarray, sizes: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The simplest candidate within one standard error of the best, and the best, of each draw ``(n_draws,)``."""
    best = (weights @ losses).argmin(axis=1)
    difference, error = _differences(losses, sizes, weights, best)
    return (difference <= error).argmax(axis=1), best


def _differences(
    losses: np.ndarray, sizes: np.ndarray, weights: np.ndarray, best: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Log loss above the best's, and its standard error over groups, ``(n_draws, n_candidates)`` both."""
    songs = weights @ sizes
    difference, error = (np.empty((len(weights), losses.shape[1])) for _ in range(2))
    for index in np.unique(best):
        own, above = best == index, losses - losses[:, [index]]
        mean = weights[own] @ above / songs[own, np.newaxis]
        residuals = (  # sum over groups of weight * (above - mean * size) ** 2
            weights[own] @ above**2
            - 2 * mean * (weights[own] @ (above * sizes[:, np.newaxis]))
            + mean**2 * (weights[own] @ sizes**2)[:, np.newaxis]
        )
        difference[own], error[own] = mean, np.sqrt(np.clip(residuals, 0, None)) / songs[own, np.newaxis]
    return difference, error


def candidate_scores(
    rounds: list[HalvingRound], names: Sequence[str], labels: np.ndarray, groups: np.ndarray
) -> list[CandidateScores]:
    """Every candidate as it was in the last round that it reached, beside the best of that round."""
    scores = []
    for name in names:
        results = next((results for results in reversed(rounds) if name in results), None)
        if results is None:  # never fitted on so many songs
            continue
        one, rows = results[name], results[name].rows
        best = min((other for other in results if other in CHOSEN_FROM), key=lambda other: log_loss(results[other]))
        losses, sizes = _losses([one, results[best]], labels[rows], groups[rows])
        difference, error = _differences(losses, sizes, np.ones((1, len(sizes))), np.array([1]))
        scores.append(
            CandidateScores(
                name, CANDIDATES[name].title, len(rows), **one.sampled.fields("accuracy", "macro_f1", "log_loss"),
                ece=calibration_error(labels[rows], one.repeats_proba), best=best,
                difference=float(difference[0, 0]), difference_error=float(error[0, 0]),
            )
        )  # fmt: skip
    return scores
