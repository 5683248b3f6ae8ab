"""Which songs are trained on, as what, and which of them must stay together.

A library becomes rows, integer labels and groups in path order; what the songs do not allow to learn or
to test is said in sentences (``limits``), never left out quietly.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from songmap.core.errors import UsageError
from songmap.library.library import Library
from songmap.library.names import normalise
from songmap.library.recordings import recordings
from songmap.library.schema import UNKNOWN_GENRE

MIN_SONGS = 6  # of one genre: one for the test set and one for each of five folds
MIN_GROUPS = 3  # of one genre: one for the test set and two that take turns in training
UNSEEN = "tested on unseen"  # what sentences on a split say
GROUP_BY = ("artist", "album", "song")  # the strictest first


@dataclass(frozen=True)
class Material:
    """``rows`` index the library's songs, ``labels`` ``(n_songs,)`` index ``genres``, ``groups`` ``(n_songs,)``.

    ``group_by``, one of ``GROUP_BY``, is what groups are, as far as songs tell. ``recordings (n_songs,)`` int are equal
    for files of one recording: copies never stand on both sides of a split either. ``grouping`` says in sentences what
    is kept together and why, ``limits`` what cannot be learned or tested. ``unknown`` are the library's rows without
    a genre, which are classified only.
    """

    rows: np.ndarray
    labels: np.ndarray
    genres: list[str]
    groups: np.ndarray
    group_by: str
    recordings: np.ndarray
    grouping: str
    limits: list[str]
    unknown: np.ndarray


def training_material(library: Library, group_by: str = "strictest") -> Material:
    """Songs of all genres with at least ``MIN_SONGS`` songs, grouped by artist, album or song.

    Raises UsageError when fewer than two genres remain, or when no song has what ``group_by`` asks for.
    """
    order = np.argsort(library.songs["file_path"].to_numpy(dtype=object), kind="stable")
    songs = library.songs.iloc[order]
    named, recording = library.genres[order], recordings(songs)
    counts = {genre: len(set(recording[named == genre])) for genre in sorted(set(named) - {UNKNOWN_GENRE})}
    small = {genre: count for genre, count in counts.items() if count < MIN_SONGS}
    genres = [genre for genre in counts if genre not in small]
    if len(genres) < 2:
        held = ", ".join(f"{genre} ({count})" for genre, count in counts.items()) or "no song with a genre"
        raise UsageError(
            f"a classifier needs 2 genres of at least {MIN_SONGS} songs each, the library holds {held}, copies not counted; "
            "add songs in a folder per genre and run 01 again"
        )
    own = np.isin(named, genres)
    rows, songs, recording = order[own], songs[own], recording[own]
    if (library.embeddings[rows] == library.embeddings[rows[0]]).all():
        raise UsageError("all songs have the same 641 numbers: copies of one song? add other songs and run 01 again")
    limits = [
        f"{genre} is set aside: it has {count} {'song' if count == 1 else 'songs'}, at least {MIN_SONGS} are needed"
        for genre, count in small.items()
    ]
    used, grouping = _decided(songs, group_by)
    strictest, _ = _decided(songs, "strictest")
    if GROUP_BY.index(used) > GROUP_BY.index(strictest):
        limits.append(
            f"--group-by {used}: songs of one {strictest} may stand on both sides of a split, which flatters the scores; "
            "leave the option out to keep them together"
        )
    groups, more = song_groups(songs, recording, used)
    if more and used != "song":
        grouping += " Exceptions are named below."
    labels = np.searchsorted(genres, named[own])
    return Material(
        rows, labels, genres, groups, used, recording, grouping, limits + more, order[named == UNKNOWN_GENRE]
    )


def _decided(songs: pd.DataFrame, asked: str) -> tuple[str, str]:
    """One of ``GROUP_BY``, and a sentence on what is kept together and why."""
    known = {level: int((songs[level] != "").sum()) for level in ("artist", "album")}
    if known.get(asked) == 0:
        raise UsageError(
            f"--group-by {asked}: none of the {len(songs)} songs has one; tag them and run 01 again, "
            "or leave the option out"
        )
    used = next((level for level in GROUP_BY if known.get(level)), "song") if asked == "strictest" else asked
    if used == "song":
        why = "as asked for" if asked == "song" else "since no song names its artist or album"
        return used, f"Songs are split one by one, in each genre's proportion, {why}."
    reasons = {"artist": "the strictest that the songs allow", "album": "since no song names its artist"}
    rest = " (of one album, where the artist is unknown)" if used == "artist" else ""
    return used, (
        f"Songs of one {used}{rest} are never on both sides of a split, "
        f"{'as asked for' if asked == used else reasons[used]}: {known[used]} of {len(songs)} songs name their {used}."
    )


def copies_note(recording: np.ndarray) -> str:
    """A sentence, to follow others, on the copies among ``recording (n_songs,)``; empty without any."""
    n_copies = len(recording) - len(set(recording))
    which = "1 is a copy" if n_copies == 1 else f"{n_copies} are copies"
    return f" Files of one recording always stand together ({which})." if n_copies else ""


def song_groups(songs: pd.DataFrame, recording: np.ndarray, group_by: str) -> tuple[np.ndarray, list[str]]:
    """Group of every song ``(n_songs,)``, and sentences on genres that cannot be tested on unseen artists or albums.

    A group is what ``group_by`` says; where that is unknown, the next of ``GROUP_BY`` that is known. A genre of fewer
    than ``MIN_GROUPS`` groups could not be learned, chosen and tested on different ones: there the albums, else the
    songs are groups. Groups that hold files of one recording become one.
    """
    genres = songs["genre"].to_numpy(dtype=object)
    names = np.array([f"song {path}" for path in songs["file_path"]], dtype=object)
    levels = [names]
    for level in ("album", "artist"):
        if GROUP_BY.index(level) >= GROUP_BY.index(group_by):
            names = np.where(songs[level] != "", f"{level} " + songs[level].map(normalise), names)
            levels.insert(0, names)
    groups, limits = levels[0].copy(), []
    if group_by == "song":
        return _joined(groups, recording), limits
    for genre in sorted(set(genres)):
        own = genres == genre
        n_groups, nameless = len(set(groups[own])), int((songs[group_by].to_numpy()[own] == "").sum())
        if n_groups < MIN_GROUPS:
            finer = next((level for level in levels if len(set(level[own])) >= MIN_GROUPS), levels[-1])
            groups[own] = finer[own]
            unit = "songs" if (groups[own] == levels[-1][own]).any() else "albums"
            limits.append(f"{genre} is all {_whose(songs[own], n_groups)}: {UNSEEN} {unit}, not on unseen {group_by}s")
        elif nameless:
            article = "an" if group_by[0] in "aeiou" else "a"
            limits.append(
                f"{genre} has {nameless} of {int(own.sum())} songs without {article} {group_by}: theirs may be known"
            )
    return _joined(groups, recording), limits


def _whose(songs: pd.DataFrame, n_groups: int) -> str:
    if n_groups > 1:
        return f"from {n_groups} artists or albums"
    first = songs.iloc[0]
    return f"by {first['artist']}" if first["artist"] else f"from one album, {first['album']}"


def _joined(groups: np.ndarray, recording: np.ndarray) -> np.ndarray:
    """``groups (n_songs,)`` with those that share a recording under one name."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    names, group = np.unique(groups, return_inverse=True)
    file = np.unique(recording, return_inverse=True)[1] + len(names)
    shape = (file.max(initial=-1) + 1,) * 2
    component = connected_components(coo_array((np.ones(len(group)), (group, file)), shape))[1][: len(names)]
    return names[np.unique(component, return_index=True)[1]][component[group]]
