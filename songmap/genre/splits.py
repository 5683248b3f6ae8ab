"""Which songs train and which test: folds that keep groups together and have every genre on both sides.

Labels are integers ``(n_songs,)``, groups ``(n_songs,)``: songs of one group are never on both sides of a split. A
fold is ``(train, test)``, two arrays of rows, ascending. Groups are compared by name, so the order of songs decides
nothing once they are in path order.
"""

from dataclasses import dataclass, replace

import numpy as np

from songmap.core.errors import UsageError
from songmap.genre.dataset import Dataset
from songmap.genre.limits import FewerFolds, FewGroups, Limit, NoGroupedSplit
from songmap.genre.results import Grouping

Fold = tuple[np.ndarray, np.ndarray]

N_FOLDS = 5
TEST_FRACTION = 0.2
LEAST_TRAINING = 3  # training songs of every genre: one to leave out in calibration, and two
_REPEATS = ((300, 3), (1_000, 2))  # up to so many songs, so many repetitions; one above
_TRIES = 10  # shuffles that are tried before another number of folds is


@dataclass(frozen=True)
class Plan:
    """Rows of a dataset: ``test``, which no choice ever uses, and ``development``, which ``repeats`` split into folds.

    ``groups (n_songs,)`` are those that stay together, ``grouping`` what they are, ``limits`` the dataset's and those
    of the split.
    """

    test: np.ndarray
    development: np.ndarray
    repeats: list[list[Fold]]
    groups: np.ndarray
    grouping: Grouping
    limits: list[Limit]

    @property
    def fold_of(self) -> np.ndarray:
        """Of every song ``(n_songs,)`` the fold of the first repeat that tests it; of test songs the number of folds."""
        folds = np.full(len(self.groups), len(self.repeats[0]))
        for number, (_, test) in enumerate(self.repeats[0]):
            folds[test] = number
        return folds


def plan_splits(dataset: Dataset, seed: int, n_repeats: int | None = None) -> Plan:
    """A test set of a fifth and folds of the rest; by song where artists that span genres leave nothing else.

    Parameters
    ----------
    dataset : Dataset
    seed : int
    n_repeats : int or None
        Repetitions of the folds; by default fewer, the more songs there are.

    Raises
    ------
    UsageError
        Where copies connect the genres' songs so that not even a split by song is possible.
    """
    limits, labels = list(dataset.limits), dataset.labels
    groups, grouping = dataset.groups, dataset.grouping
    planned = _planned(labels, groups, seed, n_repeats)
    if planned is None:
        limits = [limit for limit in limits if not isinstance(limit, FewGroups)]  # of a split that does not exist
        limits.append(NoGroupedSplit(grouping.group_by))
        groups = dataset.recordings
        grouping = replace(grouping, group_by="song", reason="fallback", n_tagged=0, exceptions=False)
        planned = _planned(labels, groups, seed, n_repeats)
    if planned is None:
        raise UsageError(
            "copies of songs in several genres leave no split into training and test songs; run 01 on other songs"
        )
    (development, test), repeats = planned
    if len(repeats[0]) < N_FOLDS:
        counts = {genre: len(set(groups[labels == label])) for label, genre in enumerate(dataset.genres)}
        scarce = min(counts, key=lambda genre: counts[genre])
        limits.append(FewerFolds(len(repeats[0]), N_FOLDS, scarce, counts[scarce]))
    return Plan(test, development, repeats, groups, grouping, limits)


def _planned(
    labels: np.ndarray, groups: np.ndarray, seed: int, n_repeats: int | None
) -> tuple[Fold, list[list[Fold]]] | None:
    holdout = make_holdout(labels, groups, seed)
    if holdout is None:
        return None
    development = holdout[0]
    n_repeats = n_repeats or next((number for limit, number in _REPEATS if len(development) <= limit), 1)
    repeats = [folds_of(development, labels, groups, seed + 1000 * number) for number in range(n_repeats)]
    return (holdout, repeats) if all(repeats) else None


def folds_of(rows: np.ndarray, labels: np.ndarray, groups: np.ndarray, seed: int, most: int = N_FOLDS) -> list[Fold]:
    """At most ``most`` folds of some of the songs; none where their groups allow none."""
    return [(rows[train], rows[test]) for train, test in make_folds(labels[rows], groups[rows], most, seed)]


def make_folds(
    labels: np.ndarray, groups: np.ndarray, most: int, seed: int, least_training: int = LEAST_TRAINING
) -> list[Fold]:
    """At most ``most`` folds with every genre in both parts of each; none where the groups allow none."""
    for n_folds in range(min(most, _least_groups(labels, groups)), 1, -1):
        for attempt in range(_TRIES):
            folds = _split(labels, groups, n_folds, seed + attempt)
            if all(_is_whole(labels, fold, least_training) for fold in folds):
                return folds
    return []


def make_holdout(labels: np.ndarray, groups: np.ndarray, seed: int) -> Fold | None:
    """The split whose test part is nearest to ``TEST_FRACTION`` and whose other part can be folded, if there is any."""
    least = _least_groups(labels, groups)
    for n_folds in range(min(round(1 / TEST_FRACTION), least), 1, -1):
        for attempt in range(_TRIES):
            folds = _split(labels, groups, n_folds, seed + attempt)
            whole = [fold for fold in folds if _is_whole(labels, fold, LEAST_TRAINING + 1)]
            whole = [fold for fold in whole if folds_of(fold[0], labels, groups, seed)]
            if whole:
                return min(whole, key=lambda fold: abs(len(fold[1]) / len(labels) - TEST_FRACTION))
    return None


def subsample(labels: np.ndarray, groups: np.ndarray, size: int, seed: int) -> np.ndarray:
    """Rows of about ``size`` songs, whole groups, every genre in proportion but ``2 * N_FOLDS`` songs if it has them.

    Groups are taken in random order while one of their genres is short of songs.
    """
    wanted = np.maximum(np.bincount(labels) * size / len(labels), 2 * N_FOLDS)
    names, group = np.unique(groups, return_inverse=True)
    members = np.split(np.argsort(group, kind="stable"), np.cumsum(np.bincount(group))[:-1])
    chosen, counts = [], np.zeros(len(wanted))
    for number in np.random.default_rng(seed).permutation(len(names)):
        own = labels[members[number]]
        if (counts[own] < wanted[own]).any():
            chosen.append(members[number])
            np.add.at(counts, own, 1)
    return np.sort(np.concatenate(chosen))


def _least_groups(labels: np.ndarray, groups: np.ndarray) -> int:
    return min(len(set(groups[labels == label])) for label in np.unique(labels))


def _split(labels: np.ndarray, groups: np.ndarray, n_folds: int, seed: int) -> list[Fold]:
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    alone = len(set(groups)) == len(groups)
    kind = StratifiedKFold if alone else StratifiedGroupKFold
    return list(kind(n_folds, shuffle=True, random_state=seed).split(labels, labels, None if alone else groups))


def _is_whole(labels: np.ndarray, fold: Fold, least_training: int) -> bool:
    train, test = (np.bincount(labels[part], minlength=labels.max() + 1) for part in fold)
    there = np.bincount(labels) > 0
    return bool((train[there] >= least_training).all() and (test[there] >= 1).all())
