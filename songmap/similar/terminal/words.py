"""The words of a line, and the names they form: of songs, songs to steer away from, and pairs.

Names need no quotes where words decide: ``+`` joins songs, a word that begins with ``-`` and is not an option begins a
song to steer away from, ``vs`` and ``to`` separate two.
"""

import re
import shlex
from collections.abc import Sequence
from itertools import groupby

from songmap.core.errors import QueryError

BEGINS_WITH_DASH = re.compile("-.")


def split_words(line: str) -> list[str]:
    """The words of a line, quoted as in a shell; an apostrophe inside a word, or one never closed, is a letter."""
    hidden = re.sub(r"(?<=\w)'(?=\w)", "\ue000", line)
    try:
        words = shlex.split(hidden)
    except ValueError:  # a quote that is not closed
        words = hidden.split()
    return [word.replace("\ue000", "'") for word in words]


def split_steering(words: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the query, and names to steer away from: what ``+`` and words that begin with ``-`` begin."""
    query: list[list[str]] = [[]]
    away: list[list[str]] = []
    current = query[0]
    for word in words:
        if word == "+":
            query.append(current := [])
        elif BEGINS_WITH_DASH.match(word):
            away.append(current := [word[1:]])
        else:
            current.append(word)
    songs = tuple(" ".join(name) for name in query if name)
    if not songs:
        raise QueryError("a song is needed before those to steer away from; give SONG -SONG")
    return songs, tuple(" ".join(name) for name in away)


def split_songs(words: Sequence[str]) -> tuple[str, ...]:
    """The names between plus signs that are words of their own."""
    names = [list(group) for plus, group in groupby(words, "+".__eq__) if not plus]
    return tuple(" ".join(name) for name in names)


def split_pair(words: Sequence[str], between: str) -> tuple[str, str]:
    """Two names: those around the one word ``between``, or exactly two words. Raises QueryError."""
    if words.count(between) == 1:
        middle = words.index(between)
        first, second = " ".join(words[:middle]), " ".join(words[middle + 1 :])
        if first and second:
            return first, second
    elif len(words) == 2:
        return words[0], words[1]
    raise QueryError(f"two songs are needed, not {' '.join(words)!r}; write A {between} B, or two names in quotes")
