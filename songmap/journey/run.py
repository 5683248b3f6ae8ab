"""The steps of 02: the maps and statistics of a library, then one song after the other, each handed to views."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from songmap.core.errors import AudioError
from songmap.core.files import remove_leftovers
from songmap.core.locks import exclusive
from songmap.core.progress import OnProgress
from songmap.core.workspace import Workspace
from songmap.features.analysis import analyse_file
from songmap.journey.clusters import describe_clusters, find_clusters
from songmap.journey.colourings import library_colourings
from songmap.journey.genre_statistics import genre_statistics
from songmap.journey.projection import project
from songmap.journey.results import LibraryMaps, MapSongs, SongJourney
from songmap.journey.song_journey import SongChoice, song_journey
from songmap.journey.song_map import current_map
from songmap.journey.views.output import Written, write_song
from songmap.library.genre_similarity import GenreSimilarity
from songmap.library.keys import keys_of
from songmap.library.library import Library
from songmap.library.recordings import recordings
from songmap.library.search import Search, open_search
from songmap.library.song_vectors import load_song_vectors
from songmap.library.spaces import build_space
from songmap.library.tempos import tempos_of

N_NEIGHBOURS = 10  # listed for each song on the pages
_FIGURES = ("embedding_space_*", "genre_similarity", "tempo_and_centroid", "keys", "journey_*", "perspectives_*")
_WRITTEN = {  # names of files by folder
    "models": ["map_*.npz"],  # of all methods and spaces
    "outputs/html": ["embedding_space_*.html"],
    "outputs/plots": [f"{name}.{suffix}" for name in _FIGURES for suffix in ("png", "svg", "pdf")],
}


@contextmanager
def only_drawing(workspace: Workspace) -> Iterator[None]:
    """Be the only run of 02 in a workspace, and remove temporary files of one that was killed.

    Raises SchemaError if there is another run.
    """
    in_use = f"{workspace.models} is in use: another run draws the maps of this workspace; wait, or end it"
    with exclusive(workspace.maps_lock, in_use):
        for folder, names in _WRITTEN.items():
            remove_leftovers(workspace.root / folder, *names)
        yield


def compute_library(
    workspace: Workspace,
    library: Library,
    method: str,
    seed: int | None = None,
    refit: bool = False,
    space: str = "balanced",
) -> LibraryMaps:
    """Maps of a library in two and three dimensions, and its genres compared.

    Parameters
    ----------
    workspace : Workspace
        Where the map is saved, and the genre model is.
    library : Library
    method : str
        A key of ``songmap.journey.song_map.METHODS``.
    seed : int, optional
        Another one than the saved map's fits the map again.
    refit : bool
        Fit the map again in any case.
    space : str
        ``balanced`` or ``cnn``, the vectors of the network that 07 trained.

    Raises
    ------
    SchemaError
        If the saved map is damaged, or there are no vectors of this library.
    """
    network = load_song_vectors(workspace, library) if space == "cnn" else None
    search = open_search(library, build_space(library.embeddings, space, network=network))
    song_map, fit = current_map(workspace.song_map(method, space), library, search.space, method, seed, refit)
    plane, cube = project(song_map, library, search, method)
    statistics = genre_statistics(library, search)
    songs = map_songs(workspace, library, search, song_map.seed, statistics.similarity)
    return LibraryMaps(song_map, fit, plane, cube, songs, statistics)


def map_songs(workspace: Workspace, library: Library, search: Search, seed: int, genres: GenreSimilarity) -> MapSongs:
    """What the pages know of the songs; neighbours are those that 04 lists."""
    files = recordings(library.songs)  # of other recordings with several files, one is listed
    rows, similarities = search.neighbours(min(N_NEIGHBOURS, len(np.unique(files)) - 1), files)
    units = search.units(np.arange(len(library)))
    clusters = find_clusters(units, seed)
    keys, key_sources = keys_of(library.songs["key"].tolist(), library.embeddings)
    return MapSongs(
        songs=library.songs,
        tempos_bpm=tempos_of(library.songs)[0],
        keys=keys,
        key_sources=key_sources,
        colourings=library_colourings(workspace, library, search, clusters),
        clusters=describe_clusters(library, clusters),
        neighbours=rows,
        similarities=similarities,
        recordings=files,
        units=units,
        genres=genres,
    )


def compute_song(library: Library, maps: LibraryMaps, choice: SongChoice) -> SongJourney:
    """A song's journey and its place on the map. Raises AudioError if its file cannot be analysed."""
    analysis = analyse_file(choice.path, library.config)
    if choice.row is None:
        place = maps.song_map.place(analysis.embedding[np.newaxis], 2)[0]
    else:
        place = maps.plane.coordinates[choice.row]
    return song_journey(library, choice.row, analysis, place)


def draw_songs(
    workspace: Workspace,
    library: Library,
    maps: LibraryMaps,
    choices: Sequence[SongChoice],
    formats: Sequence[str],
    on_progress: OnProgress,
) -> tuple[Written, list[tuple[Path, str]]]:
    """Draw songs: the written files, and the songs that could not be analysed with the reasons."""
    written: Written = []
    not_drawn = []
    for number, choice in enumerate(choices, start=1):
        try:
            song = compute_song(library, maps, choice)
            written += write_song(workspace, choice.file_name, song, maps, formats)
        except AudioError as error:
            not_drawn.append((choice.path, str(error)))
        on_progress(number, len(choices))
    return written, not_drawn
