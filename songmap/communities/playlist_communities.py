"""From playlists to communities of a library's songs: the steps in their order."""

from dataclasses import dataclass, field
from pathlib import Path

from songmap.communities.community_detection import Detection, against_chance, detect
from songmap.communities.graph import build_graph
from songmap.communities.graph_results import MatchedPlaylists, MatchReport, PlaylistCommunities, Pruning, ReadReport
from songmap.communities.matching import match_playlists
from songmap.communities.playlist_files import read_playlists, unread_line
from songmap.communities.pruning import prune
from songmap.core.errors import UsageError
from songmap.core.progress import OnProgress
from songmap.core.text import shorten
from songmap.library.library import Library

MAX_NULL_EDGES = 1_000_000  # of a graph whose modularity is compared with that of random playlists


@dataclass(frozen=True)
class GraphSettings:
    """How playlists become communities."""

    pruning: Pruning = field(default_factory=Pruning)
    detection: Detection = field(default_factory=Detection)


def playlist_communities(
    library: Library, source: Path, settings: GraphSettings | None = None, on_progress: OnProgress | None = None
) -> PlaylistCommunities:
    """Read playlists, match their entries with songs, join these and detect communities.

    Parameters
    ----------
    library : Library
    source : Path
        A folder of playlists, or one file.
    settings : GraphSettings, optional
    on_progress : callable, optional
        Called with files read and all files.

    Returns
    -------
    PlaylistCommunities
        Modularity is compared with chance where the pruned graph has at most ``MAX_NULL_EDGES``.

    Raises
    ------
    UsageError
        If no playlist can be read, no entry is a song of the library, no two songs share a playlist, or none do after
        pruning.
    """
    settings = settings or GraphSettings()
    playlists, read = read_playlists(source, on_progress)
    matched, match = match_playlists(playlists, library)
    _check_matched(matched, match, read)
    graph = build_graph(matched, len(library), settings.detection.seed)
    pruned = prune(graph, settings.pruning)
    if graph.n_edges and not pruned.n_edges:
        raise UsageError(
            f"none of {graph.n_edges:,} edges is left by minimum weight {settings.pruning.minimum_weight:g} (the largest is "
            f"{graph.weights.data.max():.3g}), significance {settings.pruning.significance or 'off'} and k-core "
            f"{settings.pruning.k_core}; prune less"
        )
    communities = detect(pruned, settings.detection)
    if pruned.n_edges <= MAX_NULL_EDGES:
        communities = against_chance(communities, matched, settings.pruning, settings.detection)
    return PlaylistCommunities(read, match, matched, graph, pruned, settings.pruning, communities)


def _check_matched(matched: MatchedPlaylists, match: MatchReport, read: ReadReport) -> None:
    if not read.n_playlists:
        more = f" (and {len(read.unread) - 1} more files)" if len(read.unread) > 1 else ""
        raise UsageError(f"no playlist could be read: {unread_line(read.unread[0])}{more}")
    if not len(matched):
        names = ", ".join(repr(shorten(name, 40)) for name in match.not_matched[:3] if name)
        raise UsageError(
            f"none of {match.n_entries:,} playlist entries is a song of the library, e.g. {names or 'those without a name'}; "
            "their paths, or artists and titles, must be those of the library's songs"
        )
