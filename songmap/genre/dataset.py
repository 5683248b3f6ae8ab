"""Which songs are trained on, with which labels, and which of them must stay together.

A library becomes rows, integer labels and groups in path order. What its songs do not allow to train or to test is
stated in ``limits``, never left out quietly.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from songmap.core.errors import UsageError
from songmap.core.text import count_of_songs, normalise
from songmap.genre.limits import FewGroups, Limit, LooseGrouping, SmallGenre, UngroupedSongs, UnknownArtists
from songmap.genre.results import GroupBy, Grouping
from songmap.library.library import Library
from songmap.library.names import artist_name
from songmap.library.recordings import recordings
from songmap.library.schema import UNKNOWN_GENRE

MIN_SONGS = 6  # of one genre: one for the test set and one for each of five folds
MIN_GROUPS = 3  # of one genre: one for the test set and two that take turns in training
GROUP_BY: tuple[GroupBy, ...] = ("artist", "album", "song")  # the strictest first


@dataclass(frozen=True)
class Dataset:
    """The labelled songs of a library.

    Attributes
    ----------
    rows : np.ndarray, shape (n_songs,)
        Rows of the library, in path order.
    labels : np.ndarray, shape (n_songs,)
        Indices of ``genres``.
    genres : list of str
    groups : np.ndarray, shape (n_songs,)
        Songs with equal groups are never on both sides of a split.
    recordings : np.ndarray, shape (n_songs,)
        Equal for files of the same recording, which are never on both sides of a split either.
    grouping : Grouping
        What the groups are.
    limits : list of Limit
        What cannot be trained or tested.
    unknown : np.ndarray
        Rows of the library without a genre, which are classified only.
    """

    rows: np.ndarray
    labels: np.ndarray
    genres: list[str]
    groups: np.ndarray
    recordings: np.ndarray
    grouping: Grouping
    limits: list[Limit]
    unknown: np.ndarray


def training_dataset(library: Library, group_by: str = "strictest") -> Dataset:
    """Songs of all genres with at least ``MIN_SONGS`` songs, grouped by artist, album or song.

    Parameters
    ----------
    library : Library
    group_by : str
        One of ``GROUP_BY``, or ``strictest`` for the first of them that songs are tagged with.

    Raises
    ------
    UsageError
        When fewer than two genres remain, or when no song is tagged with ``group_by``.
    """
    order = np.argsort(library.songs["file_path"].to_numpy(dtype=object), kind="stable")
    songs = library.songs.iloc[order]
    named, recording = library.genres[order], recordings(songs)
    counts = {genre: len(set(recording[named == genre])) for genre in sorted(set(named) - {UNKNOWN_GENRE})}
    genres = [genre for genre, count in counts.items() if count >= MIN_SONGS]
    if len(genres) < 2:
        present = ", ".join(f"{genre} ({count})" for genre, count in counts.items()) or "no song with a genre"
        n_unknown = int((named == UNKNOWN_GENRE).sum())
        without = f", and {count_of_songs(n_unknown)} without a genre" if n_unknown else ""
        raise UsageError(
            f"a classifier needs 2 genres of at least {MIN_SONGS} songs each, the library has {present}, copies not "
            f"counted{without}; add songs, or give genres "
            "to 01 by --labels"
        )
    own = np.isin(named, genres)
    rows, songs, recording = order[own], songs[own], recording[own]
    if (library.embeddings[rows] == library.embeddings[rows[0]]).all():
        raise UsageError("all songs have the same 641 numbers: copies of one song? add other songs and run 01 again")
    limits: list[Limit] = [SmallGenre(genre, count, MIN_SONGS) for genre, count in counts.items() if count < MIN_SONGS]
    n_tagged = {level: int((_names(songs, level) != "").sum()) for level in ("artist", "album")}
    if n_tagged.get(group_by) == 0:
        raise UsageError(
            f"--group-by {group_by}: none of the {len(songs)} songs has one; tag them and run 01 again, "
            "or leave the option out"
        )
    strictest: GroupBy = next((level for level in GROUP_BY if n_tagged.get(level)), "song")
    used: GroupBy = next((level for level in GROUP_BY if level == group_by), strictest)
    if GROUP_BY.index(used) > GROUP_BY.index(strictest):
        limits.append(LooseGrouping(used, strictest))
    if not n_tagged["artist"]:
        limits.append(UnknownArtists(len(songs)))
    groups, more = song_groups(songs, recording, used)
    reason: Any = "requested" if used == group_by else "strictest"
    n_copies = len(recording) - len(set(recording))
    grouping = Grouping(used, reason, n_tagged.get(used, 0), len(songs), bool(more), n_copies)
    labels = np.searchsorted(genres, named[own])
    return Dataset(rows, labels, genres, groups, recording, grouping, limits + more, order[named == UNKNOWN_GENRE])


def song_groups(songs: pd.DataFrame, recording: np.ndarray, group_by: GroupBy) -> tuple[np.ndarray, list[Limit]]:
    """Group of every song ``(n_songs,)``, and the genres that cannot be tested on new artists or albums.

    A group is what ``group_by`` names; where a song lacks that tag, or its artist tag names no artist ("Various
    Artists"), the next of ``GROUP_BY`` that it has. A genre of
    fewer than ``MIN_GROUPS`` groups could not be trained, selected and tested on different ones: there the albums, else
    the songs are groups. Groups that contain files of the same recording become one.
    """
    genres = songs["genre"].to_numpy(dtype=object)
    names = np.array([f"song {path}" for path in songs["file_path"]], dtype=object)
    levels = [names]
    for level in ("album", "artist"):
        if GROUP_BY.index(level) >= GROUP_BY.index(group_by):
            tagged = _names(songs, level)
            names = np.where(tagged != "", f"{level} " + tagged, names)
            levels.insert(0, names)
    groups = levels[0].copy()
    limits: list[Limit] = []
    if group_by == "song":
        return _joined(groups, recording), limits
    for genre in sorted(set(genres)):
        own = genres == genre
        n_groups, n_ungrouped = len(set(groups[own])), int((_names(songs, group_by)[own] == "").sum())
        if n_groups < MIN_GROUPS:
            finer = next((level for level in levels if len(set(level[own])) >= MIN_GROUPS), levels[-1])
            groups[own] = finer[own]
            tested_on = "song" if (groups[own] == levels[-1][own]).any() else "album"
            first = songs[own].iloc[0]
            artist, album = (first["artist"], first["album"]) if n_groups == 1 else ("", "")
            artist = artist if artist_name(artist) else ""
            limits.append(FewGroups(genre, group_by, tested_on, n_groups, artist, album))
        elif n_ungrouped:
            limits.append(UngroupedSongs(genre, group_by, n_ungrouped, int(own.sum())))
    return _joined(groups, recording), limits


def _names(songs: pd.DataFrame, level: str) -> np.ndarray:
    """Normalised artist or album of each song ``(n_songs,)``, empty where there is none."""
    return songs[level].map(artist_name if level == "artist" else normalise).to_numpy(dtype=object)


def _joined(groups: np.ndarray, recording: np.ndarray) -> np.ndarray:
    """``groups (n_songs,)`` with those that share a recording under one name."""
    _, first, which = np.unique(recording, return_index=True, return_inverse=True)
    return joined_groups(groups, np.stack([first[which], np.arange(len(groups))], axis=1))


def joined_groups(groups: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """``groups (n_songs,)`` with those of each pair of rows ``(n_pairs, 2)``, and of chains of pairs, under one name."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    names, group = np.unique(groups, return_inverse=True)
    ends = group[pairs]
    graph = coo_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), (len(names), len(names)))
    component = connected_components(graph, directed=False)[1]
    return names[np.unique(component, return_index=True)[1]][component[group]]
