"""The song of a name. Case and accents do not matter; an ambiguous name is listed, never guessed.

The first of these steps with a match decides: the exact path; an exact name; a part of a name;
a part of a path; a similar spelling. A name is song_name, title, "artist - title" or the file's name.
"""

import os
import re
import unicodedata
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from songmap.core.errors import QueryError
from songmap.core.text import shorten

SIMILAR_CUTOFF = 80.0  # rapidfuzz WRatio, 0-100: below it two spellings are different names
SIMILAR_LEAD = 5.0  # the best spelling must lead the next song by this much to be the only match
MAX_LISTED = 10
# typographic quotes and dashes as a keyboard writes them; letters that are not accented ones in Unicode;
# emoji with and without the variation selector for colour
_PLAIN = str.maketrans("‘’ʼ′“”„‐‑–—øłđıð", "''''\"\"\"----oldid", "\ufe0e\ufe0f") | {ord("æ"): "ae", ord("œ"): "oe"}
_ACCENTS = re.compile("[\u0300-\u036f]+")
# in normalised names: what taggers write where there is no artist, or no single one
_NO_ARTIST = {
    "various", "various artist", "various artists", "various performers", "va", "v.a", "v.a.", "v. a.", "v/a",
    "sampler", "compilation", "unknown", "unknown artist", "artist unknown", "no artist", "<unknown>", "[unknown]",
    "diverse", "diverse interpreten", "verschiedene", "verschiedene interpreten", "verschiedene kunstler",
    "artisti vari", "vari artisti", "aa.vv.", "aa. vv.", "aavv", "vv.aa.", "varios", "varios artistas",
    "artistes divers", "artistes varies", "divers", "diversen", "blandade artister",
}  # fmt: skip
_GUEST = re.compile(r"(.+?) ?[(\[]? ?\b(?:feat|ft|featuring)\b\.?(?! ?(?:[&+,]|and\b)).+")


class Ambiguous(QueryError):
    """A name, ``query``, that several songs match: ``rows`` of all of them, in the order of the message."""

    def __init__(self, message: str, query: str, rows: Sequence[int]) -> None:
        super().__init__(message)
        self.query, self.rows = query, list(rows)


def normalise(text: str) -> str:
    """``text`` without case, accents, typographic signs and repeated spaces; other scripts stay whole."""
    text = text.casefold()
    if not text.isascii():
        plain = _ACCENTS.sub("", unicodedata.normalize("NFKD", text.translate(_PLAIN)))
        text = unicodedata.normalize("NFC", plain)
    return " ".join(text.split())


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

    def row_of(self, path: str) -> int | None:
        """Row of the song with exactly this path."""
        return self._rows.get(path)

    def find(self, query: str) -> int:
        """Row (0 … n_songs - 1) of the one song that ``query`` names.

        Raises QueryError with the closest names if it names none, Ambiguous with the candidates if several.
        """
        wanted = normalise(query)
        if not wanted:
            raise QueryError("the name is empty; give a part of a song's name, its title or its path")
        if query in self._rows:
            return self._rows[query]
        for matches in (
            lambda: np.union1d(self._names.equal(wanted), self._paths.equal(wanted)),
            lambda: self._names.holding(wanted),
            lambda: self._below.holding(wanted),
        ):
            rows = matches()
            if len(rows):
                return self._only(query, rows)
        return self._similar(query, wanted)

    def _similar(self, query: str, wanted: str) -> int:
        scores = self._names.spelling_scores(wanted, len(self._songs))
        order = np.argsort(-scores, kind="stable")
        if not len(order) or scores[order[0]] < SIMILAR_CUTOFF:
            closest = f"; the closest are {self._listed(order[:3])}" if len(order) else ""
            raise QueryError(f"no song is called {shorten(query, 80)!r}{closest}")
        least = max(SIMILAR_CUTOFF, scores[order[0]] - SIMILAR_LEAD)
        return self._only(query, order[scores[order] >= least])

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
        named = zip(songs["song_name"], songs["genre"], strict=True)
        labels = [f"{shorten(name, 60)} [{genre}]" for name, genre in named]
        equal = {label for label in labels if labels.count(label) > 1}
        pairs = zip(labels, songs["file_path"], strict=True)
        return ", ".join(f"{label} ({path})" if label in equal else label for label, path in pairs)


def find_song(songs: pd.DataFrame, query: str) -> int:
    """Row of the one song that ``query`` names, as ``Names.find``, for a single look-up."""
    return Names(songs).find(query)


def _names_of(song_name: str, artist: str, title: str, path: str) -> tuple[str, ...]:
    file = path.rsplit("/", 1)[-1]
    stem = file.rsplit(".", 1)[0] or file
    return song_name, title, f"{artist} - {title}" if artist and title else "", file, stem


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

    def _find(self, wanted: str, shift: int) -> np.ndarray:
        places, place = [], self._text.find(wanted)
        while place >= 0:
            places.append(place + shift)
            place = self._text.find(wanted, place + 1)
        return np.unique(self._rows[np.searchsorted(self._starts, places, side="right") - 1])

    def spelling_scores(self, wanted: str, n_rows: int) -> np.ndarray:
        """How similar the nearest spelling of each row is, float64 ``(n_rows,)``, 0-100."""
        from rapidfuzz import fuzz, process

        best = np.zeros(n_rows)
        if self._lines:
            scores = process.cdist([wanted], self._lines, scorer=fuzz.WRatio, dtype=np.float64)[0]
            np.maximum.at(best, self._rows, scores)
        return best
