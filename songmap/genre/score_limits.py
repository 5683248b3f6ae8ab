"""What the scores of a classifier do not show, by how they came about."""

import numpy as np

from songmap.genre.limits import (
    AllTestSongsCorrect,
    ConstantPredictions,
    FewTestGroups,
    FewTestSongs,
    Limit,
    NotBetterThanChance,
    UnverifiedCalibration,
)
from songmap.genre.results import PermutationTest, Reliability
from songmap.genre.splits import Plan

_FEW_GROUPS = 10  # intervals of fewer are rough
_FEW_TEST_SONGS = 5  # of a genre: one song more or less is more than 20 points of its recall


def score_limits(
    model: str, constant: bool, permutation: PermutationTest, test_accuracy: float, plan: Plan
) -> list[Limit]:
    """What the scores of a candidate do not show; ``constant``: it gives every song the same probabilities."""
    limits: list[Limit] = []
    group_by, n_test_groups = plan.grouping.group_by, len(set(plan.groups[plan.test]))
    if constant:
        limits.append(ConstantPredictions(model, len(plan.development)))
    elif permutation.p_value is not None and not permutation.significant:
        limits.append(NotBetterThanChance(model, permutation.p_value))
    if test_accuracy == 1:
        lowest = 0.05 ** (1 / n_test_groups)  # all right although each is wrong with 1 - lowest: 5 % (exact binomial)
        limits.append(AllTestSongsCorrect(n_test_groups, group_by, lowest))
    elif n_test_groups < _FEW_GROUPS:
        limits.append(FewTestGroups(n_test_groups, group_by))
    return limits


def size_limits(test_labels: np.ndarray, genres: list[str], reliability: Reliability, group_by: str) -> list[Limit]:
    """What too few songs do not show: scores of single genres on the test set, and calibration."""
    limits: list[Limit] = []
    counts = np.bincount(test_labels, minlength=len(genres))
    if counts.min() < _FEW_TEST_SONGS:
        n_genres = int((counts < _FEW_TEST_SONGS).sum())
        limits.append(FewTestSongs(genres[counts.argmin()], int(counts.min()), n_genres, _FEW_TEST_SONGS))
    if not reliability.verifiable:
        limits.append(UnverifiedCalibration(reliability.n_groups, group_by))
    return limits
