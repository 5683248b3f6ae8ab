"""Which songs can be in a result: genre, tempo, key, year; and, where none is left, which filter to loosen.

A tempo fits a range as it is, or doubled or halved, since the beats of both fall together; half a BPM beyond either
end too, since people and tags write whole numbers. Keys are those of tags, or estimates from chroma where they are sure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from songmap.core.errors import QueryError
from songmap.library.keys import NO_KEY, camelot, compatible, key_name, key_number
from songmap.library.library import Library
from songmap.library.schema import UNKNOWN_GENRE
from songmap.similar.requests import COMPATIBLE, Filters

TEMPO_FACTORS = (1.0, 2.0, 0.5)  # as it is, double, half; the first that fits
ROUNDING_BPM = 0.5  # of a tempo written as a whole number


@dataclass(frozen=True)
class Condition:
    """One of these genres or keys, a key that mixes with one of these, or the ends of a range of tempos or years.

    Half and double of a tempo are included.
    """

    kind: Literal["genre", "key", "compatible key", "tempo", "year"]
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Filter:
    """A condition and the songs that pass it, bool ``(n_songs,)``; ``hint`` on what the library has instead."""

    condition: Condition
    passes: np.ndarray
    hint: str = ""


def filters_of(
    wanted: Filters,
    library: Library,
    tempos_bpm: np.ndarray,
    keys: np.ndarray,
    query_genres: Sequence[str],
    query_keys: Sequence[int],
) -> list[Filter]:
    """The conditions of a request with the songs that pass each.

    Parameters
    ----------
    wanted : Filters
        ``genres`` are names of genres of the library.
    library : Library
    tempos_bpm, keys : np.ndarray, shape (n_songs,)
        Tempos, 0 where unknown, and keys.
    query_genres, query_keys
        Of the songs of the query, which ``same_genre`` and "compatible" refer to.

    Raises
    ------
    QueryError
        If a condition refers to a genre or key that the query does not have.
    """
    filters = []
    genres = set(wanted.genres)
    if wanted.same_genre:
        known = set(query_genres) - {UNKNOWN_GENRE}
        if not known:
            raise QueryError("the genre of the query is unknown; name one with --genre")
        genres = genres & known if genres else known
        if not genres:
            raise QueryError(f"--genre and --same-genre exclude each other: the query is {', '.join(sorted(known))}")
    if genres:
        names = tuple(sorted(genres))
        filters.append(Filter(Condition("genre", names), np.isin(library.genres.astype(str), names)))
    if wanted.bpm is not None:
        hint = f"its tempos are {_nearby(np.unique(tempos_bpm[tempos_bpm > 0]), sum(wanted.bpm) / 2)} BPM"
        filters.append(Filter(Condition("tempo", wanted.bpm), tempo_factors(tempos_bpm, wanted.bpm) > 0, hint))
    if wanted.key is not None:
        mixing = wanted.key == COMPATIBLE
        chosen = np.array(_known_keys(query_keys) if mixing else [_named_key(wanted.key)])
        passes = np.isin(keys, chosen) if not mixing else np.any(compatible(keys[:, None], chosen), axis=1)
        kind: Literal["compatible key", "key"] = "compatible key" if mixing else "key"
        filters.append(Filter(Condition(kind, tuple(chosen.tolist())), passes))
    if wanted.years is not None:
        first, last = wanted.years
        years = library.songs["year"].to_numpy(dtype=np.float64)
        filters.append(Filter(Condition("year", wanted.years), (years >= first) & (years <= last), _years_of(years)))
    return filters


def allowed_by(filters: Sequence[Filter], candidates: np.ndarray) -> np.ndarray:
    """Which of ``candidates``, bool ``(n_songs,)``, pass all filters.

    Raises QueryError if none does, which names the filter to loosen: the one without which most songs are left.
    """
    passed = candidates.copy()
    for one in filters:
        passed &= one.passes
    if passed.any() or not candidates.any():
        return passed
    without = [candidates.copy() for _ in filters]
    for place, one in enumerate(filters):
        for other, left in enumerate(without):
            if other != place:
                left &= one.passes
    counts = [int(left.sum()) for left in without]
    alone = [int((candidates & one.passes).sum()) for one in filters]
    strictest = min(range(len(filters)), key=lambda place: (-counts[place], alone[place]))
    words = [repr(condition_words(one.condition)) for one in filters]
    hint = f" ({filters[strictest].hint})" if filters[strictest].hint else ""
    if len(filters) == 1:
        advice = f"loosen it{hint}"
    elif counts[strictest]:
        advice = f"without {words[strictest]} there are {counts[strictest]:,}: loosen it{hint}"
    else:
        advice = f"{words[strictest]} alone leaves {alone[strictest]:,}: loosen it{hint}, and another one"
    raise QueryError(f"no other song passes {' and '.join(words)}; {advice}")


def condition_words(condition: Condition) -> str:
    """For messages and titles: "genre DUB or HOUSE", "year 1990-1999"."""
    values = condition.values
    match condition.kind:
        case "genre":
            return f"genre {' or '.join(values)}"
        case "tempo":
            return f"{_range(*values)} BPM ± {ROUNDING_BPM:g}, half or double too"
        case "compatible key":
            return f"key compatible with {' or '.join(map(camelot, values))} (of tags or estimates)"
        case "key":
            return f"key {' or '.join(map(key_name, values))} (of tags or estimates)"
    return f"year {_range(*values)}"


def tempo_factors(tempos_bpm: np.ndarray, bpm: tuple[float, float]) -> np.ndarray:
    """By what a tempo ``(n,)`` is multiplied to lie in the range ``bpm``: 1, 2 or 0.5, the first that fits; 0 if none.

    Both ends of the range are ``ROUNDING_BPM`` further out.
    """
    tempos = np.asarray(tempos_bpm, dtype=np.float64)
    factors = np.zeros(tempos.shape)
    for factor in reversed(TEMPO_FACTORS):
        played = factor * tempos
        fits = (played >= bpm[0] - ROUNDING_BPM) & (played <= bpm[1] + ROUNDING_BPM) & (tempos > 0)
        factors[fits] = factor
    return factors


def _known_keys(query_keys: Sequence[int]) -> list[int]:
    known = sorted({int(key) for key in query_keys} - {NO_KEY})
    if not known:
        raise QueryError(
            "the key of the query is unknown: no tag names it, no estimate is sure; name one, e.g. --key 8A"
        )
    return known


def _named_key(text: str) -> int:
    key = key_number(text)
    if key == NO_KEY:
        raise QueryError(f'{text!r} is not a key, e.g. 8A, F#m, "C minor" or {COMPATIBLE}')
    return key


def _range(low: float, high: float) -> str:
    return f"{low:g}-{high:g}" if low < high else f"{low:g}"


def _nearby(values: np.ndarray, centre: float) -> str:
    """Least and greatest of ``values``, ascending, and the up to four nearest to ``centre``."""
    if not len(values):
        return "all unknown: 0"
    nearest = np.sort(values[np.argsort(np.abs(values - centre), kind="stable")[:4]])
    return f"{values[0]:.0f} to {values[-1]:.0f}, nearest {', '.join(f'{value:.1f}' for value in nearest)}"


def _years_of(years: np.ndarray) -> str:
    known = years[~np.isnan(years)]
    if not len(known):
        return "none of its songs has a year"
    without = f", {len(years) - len(known):,} songs have none" if len(known) < len(years) else ""
    return f"its years are {known.min():.0f} to {known.max():.0f}{without}"
