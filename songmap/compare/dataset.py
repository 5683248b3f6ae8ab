"""What models are compared on: rows with a genre, in groups that are never on both sides of a split."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from songmap.compare.feature_sets import FEATURE_SETS, Features
from songmap.compare.results import ClassSize, DataSummary
from songmap.compare.store import key_of
from songmap.core.errors import UsageError
from songmap.genre.dataset import training_dataset
from songmap.genre.splits import Fold, folds_of, make_folds
from songmap.library.library import Library

N_FOLDS = 5
_SEED_STEP = 1000  # between repeats, as in 03


@dataclass(frozen=True)
class Dataset:
    """Feature sets by name, each of ``n_songs`` rows; ``labels (n_songs,)`` are indices of the genres in ``summary``.

    ``impute``: values may be missing.
    """

    features: dict[str, Features]
    labels: np.ndarray
    groups: np.ndarray
    summary: DataSummary
    impute: bool = False

    @property
    def genres(self) -> list[str]:
        return [one.genre for one in self.summary.genres]

    @property
    def key(self) -> str:
        """SHA-256 of labels and groups."""
        return key_of(self.labels, repr(self.groups.tolist()))

    @property
    def is_grouped(self) -> bool:
        """Whether random folds would differ: a group has several songs."""
        return len(np.unique(self.groups)) < len(self.groups)

    def repeats(self, n_repeats: int, seed: int) -> list[list[Fold]]:
        """The folds that all models share. Raises UsageError where the groups allow none."""
        rows = np.arange(len(self.labels))
        repeats = [
            folds_of(rows, self.labels, self.groups, seed + _SEED_STEP * number, N_FOLDS) for number in range(n_repeats)
        ]
        if not all(repeats):
            sizes = ", ".join(f"{one.genre} ({one.groups} of {one.songs} rows)" for one in self.summary.genres)
            raise UsageError(f"no split has every genre on both sides and keeps groups together; groups: {sizes}")
        return repeats

    def random_folds(self, seed: int) -> list[Fold]:
        """Folds that split groups at random."""
        return make_folds(self.labels, np.arange(len(self.labels)), N_FOLDS, seed)


def library_dataset(library: Library, names: Sequence[str], group_by: str) -> Dataset:
    """The songs of a library with a genre, as 03 trains on them, by some of ``FEATURE_SETS``."""
    dataset = training_dataset(library, group_by)
    labels, groups, by = dataset.labels, dataset.groups, dataset.grouping.group_by
    limits = dataset.limits
    if not make_folds(labels, groups, N_FOLDS, 0):  # artists span genres: by song, as 03 does
        groups, by = dataset.recordings, "song"
    embeddings = library.embeddings[dataset.rows]
    summary = DataSummary(
        len(labels), len(set(groups)), by, dataset.grouping.exceptions, class_sizes(labels, groups, dataset.genres),
        limits, None,
    )  # fmt: skip
    return Dataset({name: FEATURE_SETS[name].features(embeddings) for name in names}, labels, groups, summary)


def class_sizes(labels: np.ndarray, groups: np.ndarray, genres: Sequence[str]) -> list[ClassSize]:
    """Rows and groups of every genre."""
    return [
        ClassSize(genre, int((labels == label).sum()), len(set(groups[labels == label])))
        for label, genre in enumerate(genres)
    ]
