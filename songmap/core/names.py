"""Which song a name means. Case and accents do not matter; whatever stays ambiguous is listed, never guessed.

The first of these steps that finds anything decides: the exact path; an exact name; a part of a name;
a part of a path; a similar spelling. A name is song_name, title, "artist - title" or the file's name.
"""

import unicodedata
from collections.abc import Sequence
from pathlib import PurePath

import pandas as pd

from songmap.core.errors import QueryError
from songmap.core.style import shorten

SIMILAR_CUTOFF = 80.0  # rapidfuzz WRatio, 0-100: below it two spellings are different names
SIMILAR_LEAD = 5.0  # the best spelling must lead the next song by this much to be taken alone
MAX_LISTED = 10


def normalise(text: str) -> str:
    """``text`` without case, accents and repeated spaces; other scripts stay whole."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(sign for sign in decomposed if not "\u0300" <= sign <= "\u036f")
    return " ".join(unicodedata.normalize("NFC", plain).split())


def find_song(songs: pd.DataFrame, query: str) -> int:
    """Row (0 … n_songs - 1) of the one song that ``query`` names.

    Raises QueryError, with the candidates or the closest names, when it names none or several.
    """
    wanted = normalise(query)
    if not wanted:
        raise QueryError("an empty name finds no song; give a part of its name, its title or its path")
    paths = [str(path) for path in songs["file_path"]]
    if query in paths:
        return paths.index(query)
    names = [
        {normalise(name) for name in _names_of(song_name, artist, title, path)} - {""}
        for song_name, artist, title, path in zip(
            songs["song_name"], songs["artist"], songs["title"], paths, strict=True
        )
    ]
    plain_paths = [normalise(path) for path in paths]
    for found in (
        [row for row, own in enumerate(names) if wanted in own or wanted == plain_paths[row]],
        [row for row, own in enumerate(names) if any(wanted in name for name in own)],
        [row for row, path in enumerate(plain_paths) if wanted in path],
    ):
        if found:
            return _only(songs, query, found)
    return _similar(songs, query, wanted, names)


def _names_of(song_name: str, artist: str, title: str, path: str) -> tuple[str, ...]:
    file = PurePath(path)
    return song_name, title, f"{artist} - {title}" if artist and title else "", file.name, file.stem


def _similar(songs: pd.DataFrame, query: str, wanted: str, names: Sequence[set[str]]) -> int:
    from rapidfuzz import fuzz

    scores = [max((fuzz.WRatio(wanted, name) for name in own), default=0.0) for own in names]
    order = sorted(range(len(scores)), key=lambda row: (-scores[row], row))
    if not order or scores[order[0]] < SIMILAR_CUTOFF:
        closest = _listed(songs, order[:3])
        raise QueryError(f"no song is called {query!r}" + (f"; the closest are {closest}" if closest else ""))
    least = max(SIMILAR_CUTOFF, scores[order[0]] - SIMILAR_LEAD)
    return _only(songs, query, [row for row in order if scores[row] >= least])


def _only(songs: pd.DataFrame, query: str, found: Sequence[int]) -> int:
    if len(found) == 1:
        return found[0]
    more = f" and {len(found) - MAX_LISTED} more" if len(found) > MAX_LISTED else ""
    raise QueryError(
        f"{query!r} means {len(found)} songs: {_listed(songs, found[:MAX_LISTED])}{more}; give more of the name or the path"
    )


def _listed(songs: pd.DataFrame, rows: Sequence[int]) -> str:
    """Names with genres; where two songs share both, their paths, whole, so that they can be given."""
    labels = [f"{shorten(songs['song_name'].iloc[row], 60)} [{songs['genre'].iloc[row]}]" for row in rows]
    equal = {label for label in labels if labels.count(label) > 1}
    return ", ".join(
        f"{label} ({songs['file_path'].iloc[row]})" if label in equal else label
        for label, row in zip(labels, rows, strict=True)
    )
