"""The song of a name. Case and accents do not matter; an ambiguous name is listed, never guessed.

The first of these steps with a match decides: the exact path; an exact name; a part of a name; words and numbers of a
name, leading zeros and signs between them left out ("blues 1" is blues.00001); a part of a path.
A name is song_name, title (``display_title``), "artist - title", "title - artist" or the file's name. A similar spelling
is not a match: the song that has one is named by the error, and whoever catches it decides.
"""

import os
import re
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property

import numpy as np
import pandas as pd

from songmap.core.errors import QueryError
from songmap.core.text import normalise, shorten
from songmap.library.display_names import display_names, display_title

# Twice the letters in common, in their order, over all letters of both, in %: from 75 on they are at least 60 % of each.
# Of the 374 names of both demo libraries none reaches it with a name of the other library; with three typing errors
# 97 % reach it with their own.
SIMILAR_CUTOFF = 75.0
SIMILAR_LEAD = 5.0  # the best spelling must lead the next song by this much to be the only one
MAX_LISTED = 3
EXACTLY = 3  # the grade of a whole name
# in normalised names: what taggers write where there is no artist, or no single one
_NO_ARTIST = {
    "various", "various artist", "various artists", "various performers", "va", "v.a", "v.a.", "v. a.", "v/a",
    "sampler", "compilation", "compilations", "unknown", "unknown artist", "artist unknown", "no artist", "<unknown>", "[unknown]",
    "diverse", "diverse interpreten", "verschiedene", "verschiedene interpreten", "verschiedene kunstler",
    "artisti vari", "vari artisti", "aa.vv.", "aa. vv.", "aavv", "vv.aa.", "varios", "varios artistas",
    "artistes divers", "artistes varies", "divers", "diversen", "blandade artister",
}  # fmt: skip
_LETTERS_OR_DIGITS = re.compile(r"[^\W\d_]+|\d+")
_GUEST = re.compile(r"(.+?) ?[(\[]? ?\b(?:feat|ft|featuring)\b\.?(?! ?(?:[&+,]|and\b)).+")


class Ambiguous(QueryError):
    """A name, ``query``, that several songs match: ``rows`` of all of them, in the order of the message."""

    def __init__(self, message: str, query: str, rows: Sequence[int]) -> None:
        super().__init__(message)
        self.query, self.rows = query, list(rows)


class SimilarSpelling(Ambiguous):
    """A name that no song has, and ``rows`` of songs whose names are spelled similarly: one, or several as similar."""


def artist_name(text: str) -> str:
    """The artist of an artist tag, normalised; empty where the tag names none, as "Various Artists" does.

    "A feat. B" (ft., featuring) is A: B is a guest. "A & B", "A, B", "A x B" and "A vs. B" stay whole, since many are
    names of one act (Simon & Garfunkel; Earth, Wind & Fire) and no rule separates them from two.

    Examples
    --------
    >>> artist_name("Café del Sol (feat. Ann)"), artist_name("Simon & Garfunkel"), artist_name("V.A.")
    ('cafe del sol', 'simon & garfunkel', '')
    """
    name = normalise(text)
    guest = _GUEST.fullmatch(name)
    name = guest[1] if guest else name
    return "" if name in _NO_ARTIST else name


class Names:
    """All names of a library, normalised once, so that each look-up is a search in one long text."""

    def __init__(self, songs: pd.DataFrame) -> None:
        self._songs = songs
        self._rows = {path: row for row, path in enumerate(songs["file_path"])}
        columns = (songs[name].tolist() for name in ("song_name", "artist", "title", "file_path"))
        self._names = _Lines(_names_of(*texts) for texts in zip(*columns, strict=True))
        self._paths = _Lines([path] for path in self._rows)
        top = len(normalise(os.path.commonpath(map(os.path.dirname, self._rows)))) if self._rows else 0
        self._below = _Lines(
            [normalise(path)[top:]] for path in self._rows
        )  # the name of the folder of all is left out

    @cached_property
    def _plain_names(self) -> "_Lines":
        """Words and numbers of every name."""
        return self._names.mapped(_words_and_numbers)

    def row_of(self, path: str) -> int | None:
        """Row of the song with exactly this path."""
        return self._rows.get(path)

    def find(self, query: str) -> int:
        """Row (0 … n_songs - 1) of the one song that ``query`` names.

        Raises Ambiguous with the candidates if it names several, SimilarSpelling if it names none but is spelled
        similarly to a name, else QueryError.
        """
        wanted = normalise(query)
        if not wanted:
            raise QueryError("the name is empty; give a part of a song's name, its title or its path")
        if query in self._rows:
            return self._rows[query]
        rows, _ = self._matches(wanted)
        if not len(rows):
            raise self._unknown(query, wanted)
        return self._only(query, rows)

    def grade(self, query: str) -> int:
        """How well ``query`` names a song: 3 exactly, 2 in part and one only, 1 in part and several, 0 not at all."""
        wanted = normalise(query)
        if query in self._rows:
            return EXACTLY
        rows, exact = self._matches(wanted) if wanted else (np.empty(0), False)
        return EXACTLY if exact else min(len(rows), 1) + (len(rows) == 1)

    def _matches(self, wanted: str) -> tuple[np.ndarray, bool]:
        """Rows of the first step with a match, and whether that is of whole names."""
        rows = np.union1d(self._names.equal(wanted), self._paths.equal(wanted))
        if len(rows):
            return rows, True
        words = _words_and_numbers(wanted)
        for matches in (
            lambda: self._names.holding(wanted),
            lambda: self._plain_names.equal(words),
            lambda: self._plain_names.holding_words(words),
            lambda: self._below.holding(wanted),
        ):
            rows = matches()
            if len(rows):
                break
        return rows, False

    def _unknown(self, query: str, wanted: str) -> QueryError:
        """The error for a name that no song has."""
        scores = self._names.spelling_scores(wanted, len(self._songs))
        least = max(SIMILAR_CUTOFF, scores.max(initial=0.0) - SIMILAR_LEAD)
        similar = np.flatnonzero(scores >= least)
        similar = similar[np.argsort(-scores[similar], kind="stable")]
        message = f"no song is called {shorten(query, 80)!r}"
        if not len(similar):
            return QueryError(message)
        more = f" and {len(similar) - MAX_LISTED} more" if len(similar) > MAX_LISTED else ""
        message += f"; did you mean {self._listed(similar[:MAX_LISTED])}{more}? Give the name as it is"
        return SimilarSpelling(message, query, similar.tolist())

    def _only(self, query: str, found: np.ndarray) -> int:
        if len(found) == 1:
            return int(found[0])
        more = f" and {len(found) - MAX_LISTED} more" if len(found) > MAX_LISTED else ""
        listed = self._listed(found[:MAX_LISTED])
        message = f"{len(found)} songs match {query!r}: {listed}{more}; give more of the name or the path"
        raise Ambiguous(message, query, found.tolist())

    def _listed(self, rows: np.ndarray) -> str:
        """Names with genres; where two songs share both, their paths, whole, so that they can be given."""
        songs = self._songs.iloc[rows]
        named = zip(display_names(songs), songs["genre"], strict=True)
        labels = [f"{shorten(name, 60)} [{genre}]" for name, genre in named]
        equal = {label for label in labels if labels.count(label) > 1}
        pairs = zip(labels, songs["file_path"], strict=True)
        return ", ".join(f"{label} ({path})" if label in equal else label for label, path in pairs)


def _words_and_numbers(normalised: str) -> str:
    """Words and numbers without what separates them, numbers without leading zeros: "blues 1" of "blues.00001"."""
    parts = _LETTERS_OR_DIGITS.findall(normalised)
    return " ".join(part.lstrip("0") or "0" if part.isdecimal() else part for part in parts)


def find_song(songs: pd.DataFrame, query: str) -> int:
    """Row of the one song that ``query`` names, as ``Names.find``, for a single look-up."""
    return Names(songs).find(query)


def _names_of(song_name: str, artist: str, title: str, path: str) -> tuple[str, ...]:
    file = path.rsplit("/", 1)[-1]
    stem = file.rsplit(".", 1)[0] or file
    shown = display_title(song_name, artist, title)
    both = (f"{artist} - {shown}", f"{shown} - {artist}") if artist else ()
    return song_name, shown, *both, file, stem


class _Lines:
    """Normalised texts of each row as lines of one text, in row order; a text holds no line break once normalised."""

    def __init__(self, texts_of_rows: Iterable[Iterable[str]]) -> None:
        self._lines: list[str] = []
        rows = []
        for row, texts in enumerate(texts_of_rows):
            own = dict.fromkeys(normalise(text) for text in dict.fromkeys(texts))
            own.pop("", None)
            self._lines += own
            rows += [row] * len(own)
        self._text = "\n".join(["", *self._lines, ""])
        self._rows = np.array(rows, dtype=np.int64)
        # where each line's text begins, after the break before it
        self._starts = 1 + np.cumsum([0, *(len(line) + 1 for line in self._lines)])[:-1]

    def equal(self, wanted: str) -> np.ndarray:
        """Rows, ascending, with a line that is ``wanted``."""
        return self._find(f"\n{wanted}\n", 1)

    def holding(self, wanted: str) -> np.ndarray:
        """Rows, ascending, with a line that holds ``wanted``."""
        return self._find(wanted, 0)

    def holding_words(self, wanted: str) -> np.ndarray:
        """Rows, ascending, with a line that has the words of ``wanted`` in a row, each whole."""
        if not wanted:
            return np.empty(0, dtype=np.int64)
        return np.unique(np.concatenate([self._find(f"{a}{wanted}{b}", int(a == "\n")) for a in "\n " for b in "\n "]))

    def mapped(self, change: Callable[[str], str]) -> "_Lines":
        """Each line changed; those that become empty are left out."""
        lines: list[list[str]] = [[] for _ in range(int(self._rows[-1]) + 1)] if len(self._rows) else []
        for row, line in zip(self._rows, self._lines, strict=True):
            lines[row].append(change(line))
        return _Lines(lines)

    def _find(self, wanted: str, shift: int) -> np.ndarray:
        places, place = [], self._text.find(wanted)
        while place >= 0:
            places.append(place + shift)
            place = self._text.find(wanted, place + 1)
        return np.unique(self._rows[np.searchsorted(self._starts, places, side="right") - 1])

    def spelling_scores(self, wanted: str, n_rows: int) -> np.ndarray:
        """Letters in common with the nearest spelling of each row, in % of all, float64 ``(n_rows,)``."""
        from rapidfuzz import fuzz, process

        best = np.zeros(n_rows)
        if self._lines:
            scores = process.cdist([wanted], self._lines, scorer=fuzz.ratio, dtype=np.float64)[0]
            np.maximum.at(best, self._rows, scores)
        return best
