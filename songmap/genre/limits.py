"""What a classifier's scores do not show, as typed values; ``views.limits`` words them.

Each carries its ``kind``, by which a limit in a model card is read back.
"""

from dataclasses import dataclass, field
from typing import Any, get_args


@dataclass(frozen=True)
class SmallGenre:
    """``genre`` has ``n_songs`` songs, fewer than the ``minimum``, and is left out."""

    genre: str
    n_songs: int
    minimum: int
    kind: str = field(default="small_genre", init=False)


@dataclass(frozen=True)
class LooseGrouping:
    """The requested ``group_by`` lets songs of one ``strictest`` be on both sides of a split."""

    group_by: str
    strictest: str
    kind: str = field(default="loose_grouping", init=False)


@dataclass(frozen=True)
class FewGroups:
    """``genre`` has ``n_groups`` groups, too few for a split by ``group_by``; it is tested on new ``tested_on``.

    ``artist`` or ``album`` is the name of its only one; both are empty where there are several.
    """

    genre: str
    group_by: str
    tested_on: str
    n_groups: int
    artist: str
    album: str
    kind: str = field(default="few_groups", init=False)


@dataclass(frozen=True)
class UngroupedSongs:
    """``n_ungrouped`` of the ``n_songs`` songs of ``genre`` name no ``group_by``."""

    genre: str
    group_by: str
    n_ungrouped: int
    n_songs: int
    kind: str = field(default="ungrouped_songs", init=False)


@dataclass(frozen=True)
class NoGroupedSplit:
    """No split by ``group_by`` has every genre on both sides; songs are split one by one."""

    group_by: str
    kind: str = field(default="no_grouped_split", init=False)


@dataclass(frozen=True)
class FewerFolds:
    """``n_folds`` instead of ``wanted``, since ``genre`` has only ``n_groups`` groups."""

    n_folds: int
    wanted: int
    genre: str
    n_groups: int
    kind: str = field(default="fewer_folds", init=False)


@dataclass(frozen=True)
class ConstantPredictions:
    """The candidate ``model`` gives every song the same probabilities after training on ``n_songs`` songs."""

    model: str
    n_songs: int
    kind: str = field(default="constant_predictions", init=False)


@dataclass(frozen=True)
class NotBetterThanChance:
    """The permutation test of the candidate ``model`` gives ``p_value``."""

    model: str
    p_value: float
    kind: str = field(default="not_better_than_chance", init=False)


@dataclass(frozen=True)
class AllTestSongsCorrect:
    """No spread over ``n_groups`` test groups; an accuracy down to ``lowest_accuracy`` remains possible (95 %)."""

    n_groups: int
    group_by: str
    lowest_accuracy: float
    kind: str = field(default="all_test_songs_correct", init=False)


@dataclass(frozen=True)
class FewTestGroups:
    """The test songs are of ``n_groups`` groups, so few that intervals are rough."""

    n_groups: int
    group_by: str
    kind: str = field(default="few_test_groups", init=False)


Limit = (
    SmallGenre
    | LooseGrouping
    | FewGroups
    | UngroupedSongs
    | NoGroupedSplit
    | FewerFolds
    | ConstantPredictions
    | NotBetterThanChance
    | AllTestSongsCorrect
    | FewTestGroups
)

_BY_KIND: dict[str, Any] = {limit.kind: limit for limit in get_args(Limit)}


def limit_from(record: dict[str, Any] | str) -> Limit | str:
    """A limit as a model card holds it; cards of version 0.1 hold text, which stays as it is."""
    if isinstance(record, str):
        return record
    return _BY_KIND[record["kind"]](**{name: value for name, value in record.items() if name != "kind"})
