"""What a classifier's scores do not show, as typed values; ``views.limits`` words them.

Each carries its ``kind``, by which a limit in a model card is read back.
"""

from dataclasses import dataclass, fields
from typing import Any


class Limit:
    """A dataclass whose last field is its kind."""

    kind: str


@dataclass(frozen=True)
class SmallGenre(Limit):
    """``genre`` has ``n_songs`` songs, fewer than the ``minimum``, and is left out."""

    genre: str
    n_songs: int
    minimum: int
    kind: str = "small_genre"


@dataclass(frozen=True)
class LooseGrouping(Limit):
    """The requested ``group_by`` lets songs of one ``strictest`` be on both sides of a split."""

    group_by: str
    strictest: str
    kind: str = "loose_grouping"


@dataclass(frozen=True)
class FewGroups(Limit):
    """``genre`` has ``n_groups`` groups, too few for a split by ``group_by``; it is tested on new ``tested_on``.

    ``artist`` or ``album`` is the name of its only one; both are empty where there are several.
    """

    genre: str
    group_by: str
    tested_on: str
    n_groups: int
    artist: str
    album: str
    kind: str = "few_groups"


@dataclass(frozen=True)
class UngroupedSongs(Limit):
    """``n_ungrouped`` of the ``n_songs`` songs of ``genre`` name no ``group_by``."""

    genre: str
    group_by: str
    n_ungrouped: int
    n_songs: int
    kind: str = "ungrouped_songs"


@dataclass(frozen=True)
class UnknownArtists(Limit):
    """The artists of all ``n_songs`` songs are unknown: songs of one may be on both sides of a split."""

    n_songs: int
    kind: str = "unknown_artists"


@dataclass(frozen=True)
class NoGroupedSplit(Limit):
    """No split by ``group_by`` has every genre on both sides; songs are split one by one."""

    group_by: str
    kind: str = "no_grouped_split"


@dataclass(frozen=True)
class FewerFolds(Limit):
    """``n_folds`` instead of ``wanted``, since ``genre`` has only ``n_groups`` groups."""

    n_folds: int
    wanted: int
    genre: str
    n_groups: int
    kind: str = "fewer_folds"


@dataclass(frozen=True)
class ConstantPredictions(Limit):
    """The candidate ``model`` gives every song the same probabilities after training on ``n_songs`` songs."""

    model: str
    n_songs: int
    kind: str = "constant_predictions"


@dataclass(frozen=True)
class NotBetterThanChance(Limit):
    """The permutation test of the candidate ``model`` gives ``p_value``."""

    model: str
    p_value: float
    kind: str = "not_better_than_chance"


@dataclass(frozen=True)
class AllTestSongsCorrect(Limit):
    """No spread over ``n_groups`` test groups; an accuracy down to ``lowest_accuracy`` remains possible (95 %)."""

    n_groups: int
    group_by: str
    lowest_accuracy: float
    kind: str = "all_test_songs_correct"


@dataclass(frozen=True)
class FewTestGroups(Limit):
    """The test songs are of ``n_groups`` groups, so few that intervals are rough."""

    n_groups: int
    group_by: str
    kind: str = "few_test_groups"


@dataclass(frozen=True)
class FewTestSongs(Limit):
    """``n_genres`` genres have fewer than ``minimum`` test songs; ``genre`` has the fewest, ``n_songs``."""

    genre: str
    n_songs: int
    n_genres: int
    minimum: int
    kind: str = "few_test_songs"


@dataclass(frozen=True)
class UnverifiedCalibration(Limit):
    """``n_groups`` groups are too few to verify that probabilities are calibrated."""

    n_groups: int
    group_by: str
    kind: str = "unverified_calibration"


_BY_KIND: dict[str, Any] = {limit.kind: limit for limit in Limit.__subclasses__()}


def limit_from(record: dict[str, Any]) -> Limit:
    """A limit as a model card holds it. Raises KeyError, TypeError or ValueError for what is none."""
    limit = _BY_KIND[record["kind"]](**record)
    for one in fields(limit):
        kind: Any = (int, float) if one.type is float else one.type
        if not isinstance(getattr(limit, one.name), kind):
            raise ValueError(f"{one.name} of {limit.kind}")
    return limit
