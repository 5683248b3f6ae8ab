"""Songs by words of their title, artist, album and genre, with typing errors where nothing else matches."""

import numpy as np

from songmap.core.errors import QueryError
from songmap.core.text import joined, normalise, shorten
from songmap.library.display_names import display_titles
from songmap.library.names import artist_name
from songmap.similar.lookup import Lookup
from songmap.similar.requests import FindRequest, ListRequest
from songmap.similar.results import FindResult, ListResult

_COLUMNS = ("song_name", "title", "artist", "album", "genre")
SPELLING_CUTOFF = 75.0  # letters in common of two words, in their order, over all letters of both, in %
_MOST_SUGGESTED = 3


def find_songs(lookup: Lookup, request: FindRequest) -> FindResult:
    """Songs whose texts hold all words, or, where no song's do, words spelled similarly. Raises QueryError."""
    words = [normalise(word) for text in request.words for word in text.split()]
    if not words:
        raise QueryError("a word to find is needed, e.g. `find elf land`")
    songs = lookup.library.songs
    columns = [display_titles(songs), *(songs[name].tolist() for name in _COLUMNS)]
    texts = [normalise(" ".join(parts)) for parts in zip(*columns, strict=True)]
    rows = [row for row, text in enumerate(texts) if all(word in text for word in words)]
    similar_spelling = not rows
    if similar_spelling:
        rows = _similarly_spelled(texts, words)
    if not rows:
        raise QueryError(
            f"no song has {joined([repr(shorten(word, 80)) for word in words])} in title, artist, album or genre"
        )
    return FindResult(lookup.songs(rows[: request.number]), {}, request.words, len(rows), similar_spelling)


def _similarly_spelled(texts: list[str], words: list[str]) -> list[int]:
    """Rows of the songs that have, for each of ``words``, one that holds it or is spelled similarly."""
    from rapidfuzz import fuzz, process

    rows_of: dict[str, list[int]] = {}
    for row, text in enumerate(texts):
        for word in set(text.split()):
            rows_of.setdefault(word, []).append(row)
    known = list(rows_of)
    scores = process.cdist(words, known, scorer=fuzz.ratio, dtype=np.float64)
    found = np.ones(len(texts), dtype=bool)
    for word, own_scores in zip(words, scores, strict=True):
        near = [
            other for other, score in zip(known, own_scores, strict=True) if word in other or score >= SPELLING_CUTOFF
        ]
        has = np.zeros(len(texts), dtype=bool)
        has[[row for other in near for row in rows_of[other]]] = True
        found &= has
    return np.flatnonzero(found).tolist()


def list_songs(lookup: Lookup, request: ListRequest) -> ListResult:
    """All songs, or those of a genre or an artist, in path order. Raises QueryError if there is none of that name."""
    genre, artist = (None, None) if request.name is None else _genre_or_artist(lookup, request.name)
    songs = lookup.library.songs
    rows = np.arange(len(songs))
    if genre is not None:
        rows = np.flatnonzero(songs["genre"] == genre)
    elif artist is not None:
        wanted = artist_name(artist)
        rows = np.flatnonzero([artist_name(name) == wanted for name in songs["artist"]])
    return ListResult(lookup.songs(rows[: request.number]), {}, genre, artist, len(rows))


def _genre_or_artist(lookup: Lookup, name: str) -> tuple[str | None, str | None]:
    """The genre or the artist that ``name`` is, case and accents aside, or that alone holds it."""
    genres = sorted(set(lookup.library.genres))
    if name in genres:
        return name, None
    artists = {artist_name(artist): artist for artist in lookup.library.songs["artist"]}
    artists.pop("", None)
    wanted = normalise(name)
    known = [(normalise(genre), genre, True) for genre in genres]
    known += [(key, artist, False) for key, artist in sorted(artists.items())]
    for matches in (
        [one for one in known if one[0] == wanted and one[2]],
        [one for one in known if one[0] == wanted],
        [one for one in known if wanted in one[0]],
    ):
        if len(matches) == 1:
            (_, found, is_genre) = matches[0]
            return (found, None) if is_genre else (None, found)
        if matches:
            listed = shorten(", ".join(found for _, found, _ in matches), 400)
            raise QueryError(f"{len(matches)} genres and artists match {name!r}: {listed}; give one of them")
    raise QueryError(
        f"no genre or artist {name!r}; {_suggestion([(key, one) for key, one, _ in known], wanted, genres)}"
    )


def _suggestion(known: list[tuple[str, str]], wanted: str, genres: list[str]) -> str:
    from rapidfuzz import fuzz, process

    keys = [key for key, _ in known]
    near = process.extract(wanted, keys, scorer=fuzz.ratio, score_cutoff=SPELLING_CUTOFF, limit=_MOST_SUGGESTED)
    if not near:
        return f"genres are {shorten(', '.join(genres), 400)}"
    return f"did you mean {joined([known[place][1] for _, _, place in near], 'or')}?"
