"""The words of a line, and the names they form: of songs, songs to steer away from, and pairs.

Names need no quotes where words decide: ``+`` joins songs, a word that begins with ``-`` and is not an option begins a
song to steer away from, ``vs`` and ``to`` separate two. Where a name holds such a word too ("Return to Wesnoth"), each
reading is tried: a ``Grade`` says how well a text names a song, 0 not at all, and the reading whose worst name has the
highest is taken.
"""

import re
import shlex
from collections.abc import Callable, Container, Sequence
from contextlib import suppress
from itertools import combinations
from typing import TypeVar

from songmap.core.errors import QueryError

BEGINS_WITH_DASH = re.compile("-.")
UNLIKE = "--unlike"  # begins a song to steer away from, also one whose name begins with a dash
SIGNS = ("+", UNLIKE, "--")
PAIR_WORDS = ("vs", "to")  # between two songs
MOST_PLUSES = 4  # of which each can be part of a name
Grade = Callable[[str], int]
Reading = TypeVar("Reading", bound=tuple[object, ...])


class SeveralReadings(QueryError):
    """Words that can be read in several ways: ``readings`` are the words of each, a name one word."""

    def __init__(self, readings: Sequence[list[str]]) -> None:
        self.readings = readings
        super().__init__(f"this can be read as {' or as '.join(map(quoted, readings))}; put names in quotes")


def quoted(words: Sequence[str]) -> str:
    """Words of a reading, names in quotes."""
    return " ".join(word if word in SIGNS else f'"{word}"' for word in words)


def no_song(name: str) -> int:
    """The grade of names where no library is at hand: then every plus sign joins songs."""
    return 0


def split_words(line: str) -> list[str]:
    """The words of a line, quoted as in a shell; an apostrophe inside a word, or one never closed, is a letter."""
    hidden = re.sub(r"(?<=\w)'(?=\w)", "\ue000", line)
    try:
        words = shlex.split(hidden)
    except ValueError:  # a quote that is not closed
        words = hidden.split()
    return [word.replace("\ue000", "'") for word in words]


def songs_and_away(words: Sequence[str], grade: Grade) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the query, and names to steer away from, in the best reading of ``words``."""
    first, *others = _pluses(words)
    readings = [split_steering(words, first)]
    for pluses in others:
        with suppress(QueryError):  # all songs are to be steered away from
            readings.append(split_steering(words, pluses))

    def words_of(songs: Sequence[str], away: Sequence[str]) -> list[str]:
        return [*(word for name in away for word in (UNLIKE, name)), "--", *_joined(songs)]

    return _best(readings, words_of, grade)


def songs_of(words: Sequence[str], grade: Grade) -> tuple[str, ...]:
    """The names that plus signs join, in the best reading of ``words``."""
    return _best([split_songs(words, pluses) for pluses in _pluses(words)], lambda *names: _joined(names), grade)


def split_pair(words: Sequence[str], between: str, grade: Grade = no_song) -> tuple[str, str]:
    """Two names: exactly two words, or those around one of ``PAIR_WORDS``, or without one around any space.

    Of the two, ``between`` is the one that the command's help names; where no reading has two songs, it decides.

    Raises QueryError where none of several readings has two songs.
    """
    words = words[0].split() if len(words) == 1 else list(words)  # all in one pair of quotes
    if len(words) == 2 and not set(PAIR_WORDS) & set(words):
        return words[0], words[1]
    middles = [place for place, word in enumerate(words) if word in PAIR_WORDS] or range(1, len(words))
    readings, usual = [], []
    for middle in middles:
        separator = words[middle] in PAIR_WORDS
        first, second = " ".join(words[:middle]), " ".join(words[middle + separator :])
        if first and second:
            readings.append((first, second))
            usual += [(first, second)] * (words[middle] == between)
    if len(readings) > 1:
        readings = [pair for pair in readings if all(map(grade, pair))] or (usual if len(usual) == 1 else [])
    if not readings:
        raise QueryError(f"two songs are needed, not {' '.join(words)!r}; write A {between} B, or two names in quotes")
    return _best(readings, lambda *names: list(names), grade)


def split_steering(
    words: Sequence[str], pluses: Container[int] | None = None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the query, and names to steer away from: what ``+``, and words that begin with ``-`` or ``UNLIKE``, begin.

    ``pluses`` are the places of those plus signs that join songs, all of them by default. Words after ``--`` are names,
    whatever they begin with.
    """
    query: list[list[str]] = [[]]
    away: list[list[str]] = []
    current, steers, left = query[0], True, list(enumerate(words))
    while left:
        place, word = left.pop(0)
        if word == "+" and (pluses is None or place in pluses):
            query.append(current := [])
        elif steers and word == UNLIKE:
            away.append(current := [left.pop(0)[1]] if left else [])
        elif steers and word == "--":
            steers, current = False, query[-1]
        elif steers and BEGINS_WITH_DASH.match(word):
            away.append(current := [word[1:]])
        else:
            current.append(word)
    songs = tuple(" ".join(name) for name in query if name)
    if not songs:
        raise QueryError(f"a song is needed before those to steer away from, e.g. SONG {UNLIKE} SONG")
    return songs, tuple(" ".join(name) for name in away if name)


def split_songs(words: Sequence[str], pluses: Container[int] | None = None) -> tuple[str, ...]:
    """The names between plus signs that are words of their own, all of them or those at the places ``pluses``."""
    names: list[list[str]] = [[]]
    for place, word in enumerate(words):
        if word == "+" and (pluses is None or place in pluses):
            names.append([])
        else:
            names[-1].append(word)
    return tuple(" ".join(name) for name in names if name)


def _pluses(words: Sequence[str]) -> list[tuple[int, ...]]:
    """Which plus signs may join songs: all of them, then some, the others being part of a name; of very many all."""
    places = [place for place, word in enumerate(words) if word == "+"]
    if len(places) > MOST_PLUSES:
        return [tuple(places)]
    return [some for number in range(len(places), -1, -1) for some in combinations(places, number)]


def _joined(names: Sequence[str]) -> list[str]:
    return [word for name in names for word in ("+", name)][1:]


def _best(readings: Sequence[Reading], words_of: Callable[..., list[str]], grade: Grade) -> Reading:
    """The reading whose worst name is the best; the first where none has songs only. Raises SeveralReadings."""
    if len(readings) == 1:
        return readings[0]
    words = [words_of(*reading) for reading in readings]
    worst = [min((grade(word) for word in one if word not in SIGNS), default=0) for one in words]
    best = [place for place, value in enumerate(worst) if value == max(worst)]
    if len(best) > 1 and max(worst):
        raise SeveralReadings([words[place] for place in best])
    return readings[best[0]]
