"""Clusters, communities and their comparison: what 08 calls, and what a notebook can."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from songmap.communities.agreement import N_PERMUTATIONS, PlaylistSongs, SpaceSongs, compare_spaces
from songmap.communities.agreement_results import Agreement, Reason
from songmap.communities.autoencoder_results import AutoencoderReport, GridReport
from songmap.communities.autoencoder_settings import AutoencoderOptions
from songmap.communities.cluster_description import describe_clusters
from songmap.communities.clusters import MIN_SONGS, ClusterOptions, cluster_space
from songmap.communities.community_description import describe_communities
from songmap.communities.conclusion import conclude, limits
from songmap.communities.graph import different_playlists
from songmap.communities.graph_results import NO_COMMUNITY, CommunityFacts, PlaylistCommunities
from songmap.communities.layout import graph_drawing
from songmap.communities.playlist_communities import GraphSettings, playlist_communities
from songmap.communities.recommendation import DEFAULT_ALPHA, Recommender, recommend
from songmap.communities.recommendation_scores import MIN_SONGS as MIN_TESTED
from songmap.communities.recommendation_scores import score_recommenders
from songmap.communities.results import (
    NamedSong,
    PlaylistSummary,
    RecommendedSongs,
    SongCommunities,
    SongPlaces,
    SpaceClusters,
)
from songmap.communities.sound_spaces import check_spaces, sound_spaces
from songmap.communities.views.autoencoder_files import write_autoencoder, write_grid
from songmap.communities.views.exports import NAME as GRAPH_NAME
from songmap.communities.views.files import NAME, write_files, write_graph_files
from songmap.core.defaults import DEFAULT_SEED
from songmap.core.errors import UsageError
from songmap.core.files import remove_leftovers
from songmap.core.locks import exclusive
from songmap.core.progress import OnProgress, stages
from songmap.core.tables import CSV_KINDS, CsvKind
from songmap.core.workspace import Workspace
from songmap.journey.embedding import embed, principal_axes
from songmap.library.display_names import display_names
from songmap.library.library import Library
from songmap.library.spaces import build_space, sampled_rows
from songmap.similar.lookup import Lookup
from songmap.similar.transitions import NO_ARTIST
from songmap.spectrogram.deep import require_torch

N_PICTURED = 1_000  # songs of the pictures
_PART = 100  # of the progress, for each of four steps
_SUFFIXES = ("html", "csv", "json", "graphml")
METHODS = ("PCA", "t-SNE", "UMAP")


@dataclass(frozen=True)
class Options:
    """What is clustered and compared.

    Attributes
    ----------
    playlists : Path, optional
        A folder or file; the workspace's folder where there is one, else none.
    spaces : tuple of str
        Names, see ``communities.sound_spaces``; without any all. Clusters of the first are described.
    graph : GraphSettings
    recommend : tuple of str
        Names of songs to recommend others for.
    alpha : float
        The share of playlists in recommendations, 0 … 1.
    workers, seed : int
    autoencoder : AutoencoderOptions, optional
        Of one to train, or load, before; its vectors are a space too. Needs torch.
    """

    playlists: Path | None = None
    spaces: tuple[str, ...] = ()
    graph: GraphSettings = field(default_factory=GraphSettings)
    recommend: tuple[str, ...] = ()
    alpha: float = DEFAULT_ALPHA
    workers: int = 1
    seed: int = DEFAULT_SEED
    autoencoder: AutoencoderOptions | None = None


def song_communities(
    workspace: Workspace,
    library: Library,
    options: Options,
    on_progress: OnProgress | None = None,
    csv_kind: CsvKind = CSV_KINDS[0],
) -> SongCommunities:
    """Cluster songs, detect communities of playlists, compare both, and write page, tables and playlists.

    Raises
    ------
    UsageError
        With too few songs or unusable playlists.
    QueryError
        For songs to recommend others for that do not exist.
    SchemaError
        If another run writes the same files.
    """
    in_use = f"{workspace.outputs} is in use: another run of 08 works in this workspace; wait, or end it"
    with exclusive(workspace.communities_lock, in_use):
        for folder in (workspace.outputs, workspace.page(NAME).parent):  # what a killed run left can be 100 MB
            remove_leftovers(folder, *(f"{name}*.{suffix}" for name in (NAME, GRAPH_NAME) for suffix in _SUFFIXES))
        return _song_communities(workspace, library, options, on_progress or _silent, csv_kind)


def _song_communities(
    workspace: Workspace, library: Library, options: Options, on_progress: OnProgress, csv_kind: CsvKind
) -> SongCommunities:
    if len(library) < MIN_SONGS:
        raise UsageError(
            f"{len(library)} songs are too few to cluster, {MIN_SONGS} are needed; add music and run 01 again"
        )
    lookup = Lookup(library)
    seeds = lookup.rows(options.recommend)
    source = _source(workspace, options)
    if seeds and source is None:
        raise UsageError(
            f"recommendations need playlists; put some into {workspace.playlists}, or name --playlists FOLDER"
        )
    reading, clustering, comparing, scoring = (_part(one) for one in stages(on_progress, [_PART] * 4))
    found = playlist_communities(library, source, options.graph, reading) if source else None
    autoencoder = None
    if options.autoencoder:
        check_spaces(library, workspace, options.spaces, options.autoencoder.settings.model)
        autoencoder = _autoencoder(workspace, library, options.autoencoder, on_progress)
    vectors = sound_spaces(library, workspace, options.spaces)
    spaces, clusters = _clusters(vectors, options, clustering)
    first, artists = next(iter(vectors)), lookup.artist_groups
    agreement = scores = recommended = None
    if found:
        songs = PlaylistSongs(
            different_playlists(found.playlists).rows, found.communities.labels, artists, options.seed
        )
        by_space = {one.space: SpaceSongs(vectors[one.space], clusters[one.space], one.has_structure) for one in spaces}
        agreement = _agreement(by_space, songs, comparing)
        units = build_space(library.embeddings).units(library.embeddings)
        recommender = Recommender(found.pruned, units, lookup.recordings)
        if any(len(rows) >= MIN_TESTED for rows in found.playlists.rows):
            scores = score_recommenders(
                found.playlists, recommender, options.graph.pruning, alpha=options.alpha, seed=options.seed,
                on_progress=scoring,
            )  # fmt: skip
        if seeds:
            recommended = _recommended(lookup, recommender, seeds, options.alpha, found)
    facts = describe_communities(library, found.pruned, found.communities, found.playlists) if found else ()
    result = SongCommunities(
        songs=len(library),
        artists=int(artists.max()) + 1,
        songs_without_artist=int((lookup.artists == NO_ARTIST).sum()),
        spaces=spaces,
        clusters=describe_clusters(lookup, vectors[first], clusters[first], workspace),
        playlists=_summary(found, facts) if found else None,
        agreement=agreement,
        scores=scores,
        recommended=recommended,
        seed=options.seed,
        autoencoder=autoencoder,
        written=[],
    )
    labels = found.communities.labels if found else np.full(len(library), NO_COMMUNITY)
    places = _places(library, vectors[first], clusters, labels, options.seed)
    if found:
        drawing = graph_drawing(found.pruned, found.communities, found.playlists, options.seed)
        graph = write_graph_files(workspace, found, drawing, facts, library.songs, csv_kind)
        result = replace(result, written=graph)
    return replace(result, written=write_files(workspace, result, places, library.songs, csv_kind))


def autoencoder_grid(
    workspace: Workspace,
    library: Library,
    options: AutoencoderOptions,
    on_progress: OnProgress | None = None,
    csv_kind: CsvKind = CSV_KINDS[0],
) -> GridReport:
    """Train an autoencoder for every point of the published grid, and write the table; finished points are kept.

    Raises UsageError where torch is not installed, no file can be read, or recordings are too few.
    """
    require_torch()
    from songmap.communities.autoencoder_run import train_grid

    return write_grid(workspace, train_grid(workspace, library, options, on_progress or _silent), csv_kind)


def _autoencoder(
    workspace: Workspace, library: Library, options: AutoencoderOptions, on_progress: OnProgress
) -> AutoencoderReport:
    require_torch()
    from songmap.communities.autoencoder_run import train_autoencoder

    return write_autoencoder(workspace, *train_autoencoder(workspace, library, options, on_progress))


def _silent(done: int, total: int) -> None:
    """Progress that nobody wants to see."""


def _part(stage: OnProgress) -> OnProgress:
    """A step's progress, which counts in numbers of its own, as one of several equal parts."""
    return lambda done, total: stage(_PART * done // max(total, 1), _PART)


def _source(workspace: Workspace, options: Options) -> Path | None:
    """Where playlists are; None where none were named and the workspace has none."""
    if options.playlists is not None:
        own, given = workspace.cluster_playlists.resolve(), options.playlists.resolve()
        if own.is_dir() and (own.is_relative_to(given) or given.is_relative_to(own)):
            raise UsageError(
                f"{options.playlists} holds the playlists of clusters, which are made of sound and agree with it; "
                f"give a folder without {workspace.cluster_playlists}"
            )
        return options.playlists
    folder = workspace.playlists
    return folder if folder.is_dir() and any(folder.iterdir()) else None


def _clusters(
    vectors: Mapping[str, np.ndarray], options: Options, on_progress: OnProgress
) -> tuple[list[SpaceClusters], dict[str, np.ndarray]]:
    spaces, labels = [], {}
    for at, (name, own) in enumerate(vectors.items()):

        def tell(done: int, total: int, at: int = at) -> None:
            on_progress(at * total + done, len(vectors) * total)

        one, labels[name] = cluster_space(name, own, ClusterOptions(seed=options.seed, workers=options.workers), tell)
        spaces.append(one)
    return spaces, labels


def _agreement(spaces: Mapping[str, SpaceSongs], songs: PlaylistSongs, on_progress: OnProgress) -> Agreement:
    reasons = limits(songs)
    compared = [] if Reason.FEW_ARTISTS in reasons else compare_spaces(spaces, songs, on_progress=on_progress)
    conclusion, space, reasons = conclude(compared, reasons)
    joined = songs.communities >= 0
    return Agreement(
        conclusion=conclusion,
        space=space or next(iter(spaces)),
        reasons=reasons,
        songs=int(joined.sum()),
        artists=len(np.unique(songs.artists[joined])),
        playlists=len(songs.playlists),
        communities=len(np.unique(songs.communities[joined])),
        same_pairs=len(songs.pairs.same),
        other_pairs=len(songs.pairs.other),
        sampled_songs=len(songs.rows),
        permutations=N_PERMUTATIONS,
        spaces=compared,
    )


def _summary(found: PlaylistCommunities, facts: tuple[CommunityFacts, ...]) -> PlaylistSummary:
    edges = found.graph.n_edges, found.pruned.n_edges
    return PlaylistSummary(
        found.read, found.match, *edges, found.graph.sampled, found.pruning, found.communities, facts
    )


def _recommended(
    lookup: Lookup, recommender: Recommender, seeds: list[int], alpha: float, found: PlaylistCommunities
) -> RecommendedSongs:
    made = recommend(recommender, seeds, alpha=alpha, labels=found.communities.labels)
    return RecommendedSongs(_named(lookup, made.seeds), _named(lookup, [one.row for one in made.songs]), made)


def _named(lookup: Lookup, rows: Sequence[int]) -> list[NamedSong]:
    return [NamedSong(song.display_name, song.file_path) for song in lookup.songs(rows)]


def _places(
    library: Library, vectors: np.ndarray, clusters: dict[str, np.ndarray], communities: np.ndarray, seed: int
) -> SongPlaces:
    """Pictures of the first space, by its principal components, t-SNE and UMAP."""
    shown = sampled_rows(len(library), N_PICTURED, seed)
    centred = vectors[shown] - vectors[shown].mean(axis=0, dtype=np.float64)
    pictures = {
        method: centred @ principal_axes(centred, 2).T if method == "PCA" else embed(centred, method, (2,), seed)[0]
        for method in METHODS
    }
    return SongPlaces(display_names(library.songs), library.genres.tolist(), clusters, communities, shown, pictures)
