"""What is known of playlists: which were read, which songs they name, the graph of songs, its communities, recommendations.

Conventions: rows are those of the library, of ``n_songs``; a label is the number of a community, 0 that of the largest.
"""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csr_array

NO_COMMUNITY = -1  # label of a song that no playlist joins to another
Method = Literal["louvain", "leiden"]
Recommender = Literal["popularity", "sound", "playlists", "mix"]


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a playlist: absolute ``paths`` that may be meant, likeliest first; text is empty where not given."""

    paths: tuple[str, ...]
    artist: str
    title: str


@dataclass(frozen=True, slots=True)
class Playlist:
    """A playlist of a file, ``source``; a file can hold several."""

    name: str
    source: Path
    entries: tuple[Entry, ...]


class UnreadReason(Enum):
    """Why a file, or the rest of it, was not read as playlists."""

    UNREADABLE = "unreadable"  # by the system; the detail is its message
    EMPTY = "empty"
    NOT_TEXT = "not_text"
    BROKEN = "broken"  # XML, JSON or CSV that does not parse; the detail is the parser's message
    ENTITIES = "entities"  # XML that declares entities, which can grow without limit
    NOT_PLAYLISTS = "not_playlists"  # well-formed, of other content
    TOO_LARGE = "too_large"  # the detail is the limit in bytes
    TOO_MANY_ENTRIES = "too_many_entries"  # in all files; the detail is the limit


@dataclass(frozen=True)
class UnreadFile:
    file: Path
    reason: UnreadReason
    detail: str = ""


@dataclass(frozen=True)
class ReadReport:
    """What was read: ``n_files`` with playlists, and the files that hold none or could not be read to their end."""

    n_files: int
    n_playlists: int
    n_entries: int
    unread: tuple[UnreadFile, ...]


@dataclass(frozen=True)
class MatchedPlaylists:
    """Playlists with a song of the library: names, and int64 ``(n,)`` rows of each, each once, in playing order.

    Of several files of the same recording it is always the row of the first.
    """

    names: tuple[str, ...]
    rows: tuple[np.ndarray, ...]

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True)
class MatchReport:
    """How entries were matched. Entries ``by_…``, ``n_ambiguous`` and ``n_not_matched`` add up to ``n_entries``.

    ``n_ambiguous`` name several recordings; ``not_matched`` are the first names of those that match none, of which
    ``n_not_compared`` were too many to compare by spelling. ``spelling_cutoff`` is its least similarity, in %.
    """

    n_playlists: int
    n_entries: int
    by_path: int
    by_tags: int
    by_spelling: int
    n_ambiguous: int
    n_not_matched: int
    n_not_compared: int
    not_matched: tuple[str, ...]
    n_matched_songs: int
    n_playlists_matched: int
    spelling_cutoff: float


@dataclass(frozen=True)
class SampledPlaylist:
    """A playlist of more than ``graph.MAX_JOINED`` songs: each is joined with ``graph.SAMPLED_SONGS`` others of it."""

    name: str
    n_songs: int


@dataclass(frozen=True)
class SongGraph:
    """Songs joined when in one playlist: symmetric ``weights (n_songs, n_songs)`` with an empty diagonal, see ``graph``.

    ``sampled`` are the playlists of which not all pairs are joined; ``n_playlists`` have two songs or more.
    """

    weights: "csr_array"
    n_playlists: int
    sampled: tuple[SampledPlaylist, ...]

    @property
    def n_edges(self) -> int:
        return self.weights.nnz // 2

    @property
    def strengths(self) -> np.ndarray:
        """The sum of each song's weights, float64 ``(n_songs,)``: unpruned, in how many playlists of two songs or more it is."""
        return np.asarray(self.weights @ np.ones(self.weights.shape[1]))

    @property
    def is_joined(self) -> np.ndarray:
        """Whether a song is joined to another, bool ``(n_songs,)``."""
        return np.diff(self.weights.indptr) > 0


@dataclass(frozen=True)
class Pruning:
    """What edges and songs a graph keeps: see ``pruning.prune``. The defaults keep all."""

    minimum_weight: float = 0.0
    k_core: int = 0
    significance: float | None = None


class CommunityWarning(Enum):
    """Why communities may mean little."""

    ONE_COMMUNITY = "one_community"
    ONE_HOLDS_MOST = "one_holds_most"  # more than half of the joined songs
    UNSTABLE = "unstable"  # other seeds give other communities
    NOT_ABOVE_CHANCE = "not_above_chance"  # playlists of random songs have communities as good


@dataclass(frozen=True)
class ModularityNull:
    """Modularity of ``n_runs`` random sets of playlists; ``p_value`` is (1 + runs at least as modular) / (1 + ``n_runs``)."""

    n_runs: int
    mean: float
    standard_deviation: float
    p_value: float


@dataclass(frozen=True)
class Communities:
    """Communities of a graph.

    ``labels (n_songs,)`` are 0 … n_communities - 1, the largest first, ``NO_COMMUNITY`` for songs that are not joined;
    ``sizes (n_communities,)`` their songs. ``modularity`` is Newman's, weighted, at resolution 1 whatever ``resolution``
    they were detected with. ``stability`` is the mean adjusted Rand index of all pairs of ``n_runs`` runs with other
    seeds, None of a single run. ``null`` is None where it was not computed.
    """

    labels: np.ndarray
    sizes: np.ndarray
    modularity: float
    stability: float | None
    n_runs: int
    method: Method
    resolution: float
    null: ModularityNull | None
    warnings: tuple[CommunityWarning, ...]

    @property
    def largest_share(self) -> float:
        """Share of the joined songs that the largest community has."""
        return float(self.sizes[0] / self.sizes.sum())


@dataclass(frozen=True)
class Recommended:
    """A song that was recommended, and what its ``score`` consists of: ranks, from 1, among the candidates.

    ``pagerank`` is 0, and ``playlist_rank`` None, where no walk along playlists leads to the song. ``similarity`` is the
    cosine with the mean of the seeds.
    """

    row: int
    score: float
    playlist_rank: int | None
    pagerank: float
    sound_rank: int
    similarity: float
    label: int


@dataclass(frozen=True)
class Recommendation:
    """Songs recommended for the rows ``seeds``, best first. ``alpha`` 1 counts playlists alone, 0 sound alone."""

    seeds: tuple[int, ...]
    alpha: float
    songs: tuple[Recommended, ...]


@dataclass(frozen=True)
class Interval:
    """A mean over playlists, and its 95 % interval by resampling playlists."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class RecommenderScores:
    """How well hidden songs of playlists are recommended; ``mix_ahead`` is the NDCG by which the mix is better than this."""

    recommender: Recommender
    r_precision: Interval
    ndcg: Interval
    recall: Interval
    mix_ahead: Interval


@dataclass(frozen=True)
class RecommendationScores:
    """Scores on the same ``n_playlists``, no two with the same songs, of each of which half, ``n_hidden`` in all, were hidden.

    ``n_at`` recommendations count for NDCG and recall. ``unreachable_share`` of the hidden songs were in no playlist then.
    """

    scores: tuple[RecommenderScores, ...]
    n_playlists: int
    n_hidden: int
    unreachable_share: float
    n_at: int
    alpha: float


@dataclass(frozen=True)
class PlaylistCommunities:
    """What was read and matched, the graph before and after pruning, and its communities."""

    read: ReadReport
    match: MatchReport
    playlists: MatchedPlaylists
    graph: SongGraph
    pruned: SongGraph
    pruning: Pruning
    communities: Communities


@dataclass(frozen=True)
class CommunityFacts:
    """What is in a community: ``rows`` of its songs, those with most strength within it first.

    ``genre``, of ``n_of_genre`` songs, is the most frequent, None where none is known. ``artists`` are the three most frequent
    and their songs; ``playlists`` the three of which most songs are in it, and how many.
    """

    label: int
    rows: tuple[int, ...]
    genre: str | None
    n_of_genre: int
    artists: tuple[tuple[str, int], ...]
    playlists: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class GraphDrawing:
    """Songs to draw: ``rows (n,)``, ``places (n, 2)`` from -1 to 1, ``strengths (n,)`` and in how many playlists each is.

    Edges, the strongest of each song, lead from ``first`` to ``second (n_edges,)``, places in ``rows``; ``n_left_out`` joined
    songs of less strength are not drawn.
    """

    rows: np.ndarray
    places: np.ndarray
    strengths: np.ndarray
    n_playlists: np.ndarray
    first: np.ndarray
    second: np.ndarray
    weights: np.ndarray
    n_left_out: int
