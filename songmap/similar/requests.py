"""What can be requested of a library: one frozen class per command, without anything of how it is written or shown.

A song is given as ``songmap.similar.lookup`` understands it: a name, a part of one, a number of the last result, or
the path of an audio file.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from songmap.core.defaults import DEFAULT_SEED
from songmap.core.tables import CsvKind

COMPATIBLE = "compatible"  # a key that mixes with a query's
MAX_PER_ARTIST = 2
Purpose = Literal["listening", "dj"]
Curve = Literal["rise", "fall", "arc", "flat"]  # of energy
CURVES: tuple[Curve, ...] = get_args(Curve)
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)


@dataclass(frozen=True)
class Setting:
    """How songs are compared: the space, weights of families (1 where not given), and whether hubs are corrected.

    ``tempo``: "tag", the tempo that a tag names counts unless it contradicts what is measured; or "measured".
    """

    space: str = "balanced"
    weights: tuple[tuple[str, float], ...] = ()
    correct_hubs: bool = False
    tempo: str = "tag"


@dataclass(frozen=True)
class Filters:
    """Which songs can be in a result. Ranges include both ends; None and () set no condition.

    ``genres``: one of these genres of the library; ``same_genre``: that of a query; ``key``: "8A", "F#m" …, or
    "compatible" with a query; at most ``max_per_artist`` songs of one artist (None: no limit; songs without an artist
    are not counted); ``copies``: all files of a recording, not only the first.
    """

    genres: tuple[str, ...] = ()
    same_genre: bool = False
    bpm: tuple[float, float] | None = None
    key: str | None = None
    years: tuple[int, int] | None = None
    max_per_artist: int | None = MAX_PER_ARTIST
    copies: bool = False


@dataclass(frozen=True)
class SimilarRequest:
    """The ``number`` songs most similar to all of ``songs`` and dissimilar to those of ``away``.

    With a ``diversity``, 0 to 1, they are dissimilar to each other too.
    """

    songs: tuple[str, ...]
    away: tuple[str, ...] = ()
    number: int = 10
    filters: Filters = Filters()
    diversity: float = 0.0


@dataclass(frozen=True)
class CompareRequest:
    """How similar two songs are."""

    first: str
    second: str


@dataclass(frozen=True)
class WhyRequest:
    """What makes two songs similar or different."""

    first: str
    second: str


@dataclass(frozen=True)
class InfoRequest:
    """Everything known of a song."""

    song: str


@dataclass(frozen=True)
class ListRequest:
    """All songs, or those of a genre or an artist; ``number`` of them, None for all."""

    name: str | None = None
    number: int | None = None


@dataclass(frozen=True)
class FindRequest:
    """The first ``number`` songs whose title, artist, album and genre hold all ``words``."""

    words: tuple[str, ...]
    number: int = 20


@dataclass(frozen=True)
class NextRequest:
    """More of the last answer: ``number`` songs, None for as many as were requested."""

    number: int | None = None


@dataclass(frozen=True)
class GenresRequest:
    """Similarity within and between genres."""


@dataclass(frozen=True)
class DuplicatesRequest:
    """Recordings in several files."""


@dataclass(frozen=True)
class OutliersRequest:
    """The ``number`` songs least similar to any other."""

    number: int = 10


@dataclass(frozen=True)
class HubsRequest:
    """The ``number`` songs that are among the nearest of most others."""

    number: int = 10


@dataclass(frozen=True)
class EvaluateRequest:
    """How well each space finds songs of the same genre, artist and album."""

    seed: int = DEFAULT_SEED


@dataclass(frozen=True)
class NeighboursRequest:
    """Write the ``number`` nearest songs of every song to ``file``, .npz, .csv (of a ``csv_kind``) or .parquet."""

    file: Path
    number: int = 20
    csv_kind: CsvKind = "spreadsheet"


@dataclass(frozen=True)
class PlaylistRequest:
    """``number`` songs similar to ``songs``, which come first, ordered for good transitions.

    With the ``purpose`` "dj" songs are chosen too by how well each mixes with the one before, with ``energy`` also so
    that level and onset strength follow a curve.
    """

    songs: tuple[str, ...]
    number: int = 25
    filters: Filters = Filters()
    start_bpm: float | None = None
    end_bpm: float | None = None
    purpose: Purpose = "listening"
    energy: Curve | None = None


@dataclass(frozen=True)
class RadioRequest:
    """Song after song from ``song`` on, ``number`` of them or all, for a ``player`` where they are played."""

    song: str
    number: int | None = None
    seed: int = DEFAULT_SEED
    filters: Filters = Filters()
    player: str | None = None


@dataclass(frozen=True)
class PathRequest:
    """A smooth way of ``number`` songs from one song to another."""

    first: str
    second: str
    number: int = 12
    filters: Filters = Filters()


@dataclass(frozen=True)
class OrderRequest:
    """The songs of a playlist file in the order with the best transitions."""

    file: str


@dataclass(frozen=True)
class TransitionsRequest:
    """How well each song follows the one before: several songs, or one playlist file."""

    songs: tuple[str, ...]


@dataclass(frozen=True)
class PlayRequest:
    """Start a player on a song or a playlist file."""

    song: str
    player: str | None = None


@dataclass(frozen=True)
class StopRequest:
    """Stop what plays."""


Request = (
    SimilarRequest | CompareRequest | WhyRequest | InfoRequest | FindRequest | ListRequest | NextRequest
    | GenresRequest | DuplicatesRequest | OutliersRequest | HubsRequest | EvaluateRequest | NeighboursRequest
    | PlaylistRequest | PathRequest | OrderRequest | TransitionsRequest | PlayRequest | StopRequest
)  # fmt: skip
AnyRequest = TypeVar("AnyRequest", bound=Request | RadioRequest)
_SONGS = ("song", "first", "second", "songs", "away")  # fields that name songs


def renamed(request: AnyRequest, name: str, path: str) -> AnyRequest:
    """``request`` with the path of a song in place of its name."""

    def changed(value: Any) -> Any:
        return tuple(map(changed, value)) if isinstance(value, tuple) else path if value == name else value

    return replace(request, **{field: changed(value) for field, value in vars(request).items() if field in _SONGS})
