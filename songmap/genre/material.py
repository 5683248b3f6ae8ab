"""Which songs are trained on, as what, and which of them must stay together.

A library becomes rows, integer labels and groups in path order; what the songs do not allow to learn or
to test is said in sentences (``limits``), never left out quietly.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from songmap.core.artifacts import Library
from songmap.core.config import UNKNOWN_GENRE
from songmap.core.errors import UsageError
from songmap.core.names import normalise

MIN_SONGS = 4  # of one genre: fewer leave next to nothing on one side of every split


@dataclass(frozen=True)
class Material:
    """``rows`` index the library's songs, ``labels`` ``(n_songs,)`` index ``genres``, ``groups`` ``(n_songs,)``.

    ``recordings (n_songs,)`` name the first file with the same recording: copies never stand on both sides of a
    split either. ``grouping`` says in a sentence what is kept together, ``limits`` what cannot be learned or tested.
    ``unknown`` are the library's rows without a genre, which are classified only.
    """

    rows: np.ndarray
    labels: np.ndarray
    genres: list[str]
    groups: np.ndarray
    recordings: np.ndarray
    grouping: str
    limits: list[str]
    unknown: np.ndarray


def training_material(library: Library) -> Material:
    """Songs of all genres with at least ``MIN_SONGS`` songs. Raises UsageError when fewer than two remain."""
    order = np.argsort(library.songs["file_path"].to_numpy(dtype=object), kind="stable")
    named = library.genres[order]
    recordings = recording_of(library.songs)
    counts = {genre: len(set(recordings[order][named == genre])) for genre in sorted(set(named) - {UNKNOWN_GENRE})}
    small = {genre: count for genre, count in counts.items() if count < MIN_SONGS}
    genres = [genre for genre in counts if genre not in small]
    if len(genres) < 2:
        held = ", ".join(f"{genre} ({count})" for genre, count in counts.items()) or "no song with a genre"
        raise UsageError(
            f"a classifier needs 2 genres of at least {MIN_SONGS} songs each, the library holds {held}, copies not counted; "
            "add songs in a folder per genre and run 01 again"
        )
    rows = order[np.isin(named, genres)]
    if (library.embeddings[rows] == library.embeddings[rows[0]]).all():
        raise UsageError("all songs have the same 641 numbers: copies of one song? add other songs and run 01 again")
    limits = [
        f"{genre} is set aside: it has {count} {'song' if count == 1 else 'songs'}, at least {MIN_SONGS} are needed"
        for genre, count in small.items()
    ]
    groups, more = song_groups(library.songs.iloc[rows])
    labels = np.array([genres.index(genre) for genre in library.genres[rows]])
    if len(set(groups)) == len(set(recordings[rows])):
        grouping = "Songs are split one by one, in each genre's proportion: none share an artist or album that could be kept together."
    else:
        grouping = "Songs of one artist (of one album, where the artist is unknown) are never on both sides of a split"
        grouping += ", except as named below." if more else "."
    return Material(
        rows, labels, genres, groups, recordings[rows], grouping, limits + more, order[named == UNKNOWN_GENRE]
    )


def recording_of(songs: pd.DataFrame) -> np.ndarray:
    """The first file with the same recording, for every song ``(n_songs,)`` of str: its own path if it has no copy."""
    return songs["duplicate_of"].where(songs["duplicate_of"] != "", songs["file_path"]).to_numpy(dtype=object)


def copies_note(recordings: np.ndarray) -> str:
    """A sentence, to follow others, on the copies among ``recordings (n_songs,)``; empty without any."""
    n_copies = len(recordings) - len(set(recordings))
    which = "1 is a copy" if n_copies == 1 else f"{n_copies} are copies"
    return f" Files of one recording always stand together ({which})." if n_copies else ""


def song_groups(songs: pd.DataFrame) -> tuple[np.ndarray, list[str]]:
    """Group of every song ``(n_songs,)``, and sentences on genres that cannot be tested on unseen artists.

    A group is an artist; an album where the artist is unknown; a song where both are. A genre that is
    one group could be either learned or tested, not both: there the albums, else the songs are groups.
    Groups that hold files of one recording become one.
    """
    genres = songs["genre"].to_numpy(dtype=object)
    by_song = np.array([f"song {path}" for path in songs["file_path"]], dtype=object)
    by_album = np.where(songs["album"] != "", "album " + songs["album"].map(normalise), by_song)
    by_artist = np.where(songs["artist"] != "", "artist " + songs["artist"].map(normalise), by_album)
    groups, limits = by_artist.copy(), []
    for genre in sorted(set(genres)):
        own = genres == genre
        nameless = int((songs["artist"].to_numpy()[own] == "").sum())
        if len(set(by_artist[own])) == 1:
            groups[own] = by_album[own] if len(set(by_album[own])) > 1 else by_song[own]
            first = songs[own].iloc[0]
            whose = f"by {first['artist']}" if first["artist"] else f"from one album, {first['album']}"
            unit = "songs" if (groups[own] == by_song[own]).any() else "albums"
            limits.append(f"{genre} is all {whose}: tested on unseen {unit}, not on unseen artists")
        elif nameless:
            limits.append(f"{genre} has {nameless} of {int(own.sum())} songs without an artist: theirs may be known")
    return _joined(groups, recording_of(songs)), limits


def _joined(groups: np.ndarray, recordings: np.ndarray) -> np.ndarray:
    """``groups (n_songs,)`` with those that share a recording under one name."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    names, group = np.unique(groups, return_inverse=True)
    recording = np.unique(recordings, return_inverse=True)[1] + len(names)
    shape = (recording.max(initial=-1) + 1,) * 2
    component = connected_components(coo_array((np.ones(len(group)), (group, recording)), shape))[1][: len(names)]
    return names[np.unique(component, return_index=True)[1]][component[group]]
