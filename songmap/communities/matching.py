"""Which songs of the library playlists name: by path, then by tags, then by similar spelling.

Path: an entry's path is a song's, also through links; or, of an entry without a title, as in playlists from another machine,
the names of folder and file are those of one song alone. Tags: artist and title are equal, case, accents and guests aside; a
title alone must be one recording's. What has no match so is compared without "(feat. …)" and "2011 Remaster" in titles, and by the
first of several artists, as streaming services write them. Without either, the file's name is what is compared: "Artist - Title" or a title.
Spelling: at least ``SPELLING_CUTOFF`` % of the letters of "artist - title" are common to both, ``TITLE_CUTOFF`` % of those of the
title, no other song is as near by ``names.SIMILAR_LEAD``, and numbers and single letters are equal: "Part 1" is not "Part 2".

An entry that names several recordings equally well is not guessed: it is counted as ambiguous.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from songmap.communities.graph_results import Entry, MatchedPlaylists, MatchReport, Playlist
from songmap.core.text import normalise
from songmap.library.display_names import display_titles
from songmap.library.library import Library
from songmap.library.m3u8 import rows_of_paths
from songmap.library.names import SIMILAR_LEAD, artist_name
from songmap.library.recordings import recordings

# Of the 125 names of both demo libraries, each compared with all others, none is matched; with two typing errors in
# artist and title 93 % are matched to their own and none of 1,000 to another, with three 81 % and one.
SPELLING_CUTOFF = 90.0
TITLE_CUTOFF = 80.0
MAX_COMPARISONS = 400_000_000  # of spelling, about 10 s
_AT_ONCE = 4_000_000  # comparisons whose results are held
N_LISTED = 20  # entries without a match that a report names
_AMBIGUOUS, _NONE = -1, -2
_DISTINCT = re.compile(r"\d+|(?<![^\W\d_])[^\W\d_](?![^\W\d_])")  # numbers and single letters
_VERSION = re.compile(
    r" [(\[](?:feat|ft|featuring)\b[^)\]]*[)\]]| (?:- |[(\[])(?:\d{4} )?(?:digital )?remaster(?:ed)?(?: \d{4})?(?: version)?[)\]]?$"
)
_TRACK_NUMBER = re.compile(r"\d{1,3}\s*[.\-_]\s*(?=\S)")


def match_playlists(playlists: Sequence[Playlist], library: Library) -> tuple[MatchedPlaylists, MatchReport]:
    """Match every entry of playlists with a song of the library.

    Parameters
    ----------
    playlists : sequence of Playlist
    library : Library

    Returns
    -------
    matched : MatchedPlaylists
        Playlists with at least one song of the library.
    report : MatchReport
    """
    counts: dict[Entry, int] = defaultdict(int)
    for playlist in playlists:
        for entry in playlist.entries:
            counts[entry] += 1
    songs = _Songs(library)
    entries = list(counts)
    steps: dict[str, dict[Entry, int]] = {"path": {}, "tags": {}, "spelling": {}}
    paths = rows_of_paths([entry.paths for entry in entries], library.songs["file_path"].tolist())
    for entry, row in zip(entries, paths, strict=True):
        code = int(songs.first[row]) if row is not None else songs.of_file_name(entry)
        if code >= 0:
            steps["path"][entry] = code
        elif (code := songs.of_tags(entry)) != _NONE:
            steps["tags"][entry] = code
    left = [entry for entry in entries if entry not in steps["path"] and entry not in steps["tags"]]
    compared = left[: MAX_COMPARISONS // max(len(songs.names), 1)]
    steps["spelling"] = songs.of_spelling(compared)
    codes = steps["path"] | steps["tags"] | steps["spelling"]
    matched = _matched(playlists, codes)
    unmatched = [entry for entry in left if entry not in codes]

    def total(some: Sequence[Entry]) -> int:
        return sum(counts[entry] for entry in some)

    by = {name: total([entry for entry, code in own.items() if code >= 0]) for name, own in steps.items()}
    rows = np.unique(np.concatenate([*matched.rows, np.empty(0, dtype=np.int64)]))
    report = MatchReport(
        n_playlists=len(playlists),
        n_entries=sum(counts.values()),
        by_path=by["path"],
        by_tags=by["tags"],
        by_spelling=by["spelling"],
        n_ambiguous=total([entry for entry, code in codes.items() if code == _AMBIGUOUS]),
        n_not_matched=total(unmatched),
        n_not_compared=total(left[len(compared) :]),
        not_matched=tuple(_shown(entry) for entry in unmatched[:N_LISTED]),
        n_matched_songs=len(rows),
        n_playlists_matched=len(matched),
        spelling_cutoff=SPELLING_CUTOFF,
    )
    return matched, report


def _matched(playlists: Sequence[Playlist], codes: dict[Entry, int]) -> MatchedPlaylists:
    names, rows = [], []
    for playlist in playlists:
        own = dict.fromkeys(codes.get(entry, _NONE) for entry in playlist.entries)  # once each, in playing order
        found = [code for code in own if code >= 0]
        if found:
            names.append(playlist.name)
            rows.append(np.array(found, dtype=np.int64))
    return MatchedPlaylists(tuple(names), tuple(rows))


@dataclass(frozen=True)
class _Tags:
    """Normalised artist and title of an entry."""

    artist: str
    title: str


class _Songs:
    """The songs of a library by file name, tags and spelling; answers are rows of first files, _AMBIGUOUS or _NONE."""

    def __init__(self, library: Library) -> None:
        songs = library.songs
        self.first = recordings(songs)
        titles = [normalise(title) for title in display_titles(songs)]
        artists = [artist_name(artist) for artist in songs["artist"]]
        self.tags = [_Tags(*pair) for pair in zip(artists, titles, strict=True)]
        self.names = [_whole(tags) for tags in self.tags]
        self._paths: list[str] = songs["file_path"].tolist()

    @cached_property
    def _of_tags(self) -> dict[_Tags, int]:
        return self._codes(self.tags)

    @cached_property
    def _of_title(self) -> dict[str, int]:
        return self._codes([tags.title for tags in self.tags])

    @cached_property
    def _of_plain_tags(self) -> dict[_Tags, int]:
        return self._codes([_plain(tags) for tags in self.tags])

    @cached_property
    def _of_file_name(self) -> dict[str, int]:
        return self._codes([_file_name(path) for path in self._paths])

    @cached_property
    def _distinct(self) -> list[list[str]]:
        return [_DISTINCT.findall(name) for name in self.names]

    def _codes(self, keys: Sequence[Any]) -> dict[Any, int]:
        """The recording of each key, _AMBIGUOUS where several have it."""
        found: dict[Any, int] = {}
        for key, first in zip(keys, self.first.tolist(), strict=True):
            found[key] = first if found.get(key, first) == first else _AMBIGUOUS
        return found

    def of_file_name(self, entry: Entry) -> int:
        if entry.title:  # is better evidence: many albums have a "CD1/01.mp3"
            return _NONE
        for path in entry.paths:
            if (code := self._of_file_name.get(_file_name(path), _NONE)) >= 0:
                return code
        return _NONE

    def of_tags(self, entry: Entry) -> int:
        codes = []
        for tags in _tags_of(entry):
            if tags.artist:
                codes += [self._of_tags.get(tags, _NONE), self._of_plain_tags.get(_plain(tags), _NONE)]
            else:
                codes.append(self._of_title.get(tags.title, _NONE))
        return next((code for code in codes if code >= 0), max(codes, default=_NONE))

    def of_spelling(self, entries: Sequence[Entry]) -> dict[Entry, int]:
        """Answers of the entries that have one, _AMBIGUOUS among them."""
        # a title alone is too little
        tags_of = {entry: [tags for tags in _tags_of(entry) if tags.artist] for entry in entries}
        near = self._near(list(dict.fromkeys(_whole(tags) for several in tags_of.values() for tags in several)))
        codes = {}
        for entry, several in tags_of.items():
            found = (self._of_near(tags, near[_whole(tags)]) for tags in several if _whole(tags) in near)
            if (code := next((one for one in found if one != _NONE), _NONE)) != _NONE:
                codes[entry] = code
        return codes

    def _near(self, names: Sequence[str]) -> dict[str, list[tuple[int, float]]]:
        """Songs nearly or really spelt like each of ``names``, and how similar in %; names without any are left out."""
        from rapidfuzz import fuzz, process

        least, near = SPELLING_CUTOFF - SIMILAR_LEAD, defaultdict[str, list[tuple[int, float]]](list)
        step = max(_AT_ONCE // max(len(self.names), 1), 1)
        for start in range(0, len(names), step):
            own = names[start : start + step]
            # many at once are three times faster; their 32 bits are rounded
            scores = process.cdist(own, self.names, scorer=fuzz.ratio, score_cutoff=least - 0.01, dtype=np.float32)
            for place, row in np.argwhere(scores > 0).tolist():
                if (score := fuzz.ratio(own[place], self.names[row])) >= least:
                    near[own[place]].append((row, score))
        return dict(near)

    def _of_near(self, tags: _Tags, near: Sequence[tuple[int, float]]) -> int:
        from rapidfuzz import fuzz

        distinct, best = _DISTINCT.findall(_whole(tags)), dict[int, float]()
        for row, score in near:
            is_same = self._distinct[row] == distinct
            if is_same and fuzz.ratio(tags.title, self.tags[row].title) >= TITLE_CUTOFF:
                first = int(self.first[row])
                best[first] = max(best.get(first, 0.0), score)
        ranked = sorted(best.items(), key=lambda item: -item[1])
        if not ranked or ranked[0][1] < SPELLING_CUTOFF:
            return _NONE
        is_only = len(ranked) == 1 or ranked[0][1] - ranked[1][1] >= SIMILAR_LEAD
        return ranked[0][0] if is_only else _AMBIGUOUS


def _tags_of(entry: Entry) -> list[_Tags]:
    """What an entry may be called, likeliest first: its tags, else what its file's name says."""
    if entry.title:
        return [_Tags(artist_name(entry.artist), normalise(entry.title))] + (
            # "#EXTINF:1,Title - Part" is read as an artist and a title
            [_Tags("", normalise(f"{entry.artist} - {entry.title}"))] if entry.artist else []
        )
    found = []
    for path in entry.paths:
        stem = _parts(path)[-1].rpartition(".")[0]
        for name in (stem, _TRACK_NUMBER.sub("", stem, count=1)):
            artist, separator, title = name.replace("_", " ").partition(" - ")
            pair = (artist, title) if separator else ("", artist)
            found.append(_Tags(artist_name(pair[0]), normalise(pair[1])))
    return [tags for tags in dict.fromkeys(found) if tags.title]


def _plain(tags: _Tags) -> _Tags:
    """Without guests and remasters in the title, by the first of several artists."""
    return _Tags(re.split("[,;]", tags.artist)[0].strip(), _VERSION.sub("", tags.title))


def _whole(tags: _Tags) -> str:
    return f"{tags.artist} - {tags.title}"


def _parts(path: str) -> list[str]:
    return path.replace("\\", "/").split("/")


def _file_name(path: str) -> str:
    """Folder and file, as two machines have them in common."""
    return normalise("/".join(_parts(path)[-2:]))


def _shown(entry: Entry) -> str:
    name = " - ".join(filter(None, (entry.artist, entry.title)))
    return name or (_parts(entry.paths[0])[-1] if entry.paths else "")
