"""Where genres come from: the folders, unless these are artists and the files' own tags name genres.

The choice is kept in the workspace, so that a later run without ``--labels`` does not undo it.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from songmap.core.errors import SchemaError
from songmap.core.files import read_json, write_json
from songmap.core.workspace import Workspace
from songmap.extract.files import SongFile
from songmap.extract.results import LabelSource
from songmap.library.names import artist_name

AUTO = "auto"
_SHARE = 0.8  # of the songs whose tags name an artist: their folder is called like it
_LEAST_TAGGED = 0.5  # of the same songs: their tags name a genre


def requested_labels(workspace: Workspace, given: str | None) -> tuple[str, bool]:
    """The source to use, and whether an earlier run chose it: ``given``, else the kept one, else ``auto``."""
    if given is not None:
        return given, False
    try:
        kept = read_json(workspace.label_source, "01_feature_extraction.py").get("labels")
    except SchemaError:  # none, or damaged: nothing is lost by deciding anew
        kept = None
    return (str(kept), True) if kept else (AUTO, False)


def keep_labels(workspace: Workspace, source: LabelSource) -> None:
    """Remember the source for runs that are given none."""
    labels = source.used if source.used in ("folder", "tag") else str(Path(source.used).resolve())
    write_json(workspace.label_source, {"labels": labels})


def labelled(
    songs: Sequence[SongFile], records: Mapping[int, Mapping[str, Any]], labels: str, kept: bool
) -> tuple[list[SongFile], LabelSource]:
    """The songs with the labels that are used, and where these are from.

    Parameters
    ----------
    songs : sequence of SongFile, (n_songs,)
        Of ``label_songs(…, labels)``.
    records : dict
        By the row of the song: what its tags say, as far as it could be analysed.
    labels : str
        ``auto``, ``folder``, ``tag`` or the path of a CSV file.
    kept : bool
        Whether ``labels`` is the choice of an earlier run.
    """
    if labels != AUTO:
        return list(songs), LabelSource(labels, "kept" if kept else "given")
    if folders_are_artists(songs, records):
        return [song.by_tag or song for song in songs], LabelSource("tag", "artists")
    return list(songs), LabelSource("folder", "default")


def folders_are_artists(songs: Sequence[SongFile], records: Mapping[int, Mapping[str, Any]]) -> bool:
    """Whether the folders below the music folder are called like the artists of their songs, which have genre tags."""
    named, equal, tagged = 0, 0, 0
    for row, record in records.items():
        by_tag = songs[row].by_tag
        folder = artist_name(by_tag.defaults.get("artist", "")) if by_tag else ""
        artists = {artist_name(record["artist"]), artist_name(record["album_artist"])} - {""}
        if artists:  # a file without tags says nothing of either
            named += 1
            equal += folder in artists
            tagged += bool(record["tag_genre"])
    return named > 0 and equal >= _SHARE * named and tagged >= _LEAST_TAGGED * named
