"""Which songs may be an answer: genre, tempo, key, year; how the filters are written, told and loosened.

A tempo fits a range as it is, or doubled or halved, since the beats of both fall together. Tempos are measured
in whole frames between beats, 123.0 and 129.2 BPM being neighbours, so each stands for all tempos nearer to it
than to its neighbours: a song of 128 BPM is measured as 129.2 and fits 120-128. Keys are estimates from chroma.
"""

import argparse
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from songmap.core.errors import QueryError
from songmap.library.keys import NO_KEY, camelot, compatible, key_name, key_number
from songmap.library.schema import FAMILIES, UNKNOWN_GENRE, AudioConfig

if TYPE_CHECKING:  # it needs pandas, which the command line's --help does not
    from songmap.library.library import Library

COMPATIBLE = "compatible"
TEMPO_FACTORS = {"as it is": 1.0, "double": 2.0, "half": 0.5}
LOWEST_BPM, HIGHEST_BPM = 10.0, 1000.0
_RANGE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(?:[-–:]\s*(\d+(?:\.\d+)?)\s*)?")


@dataclass(frozen=True)
class Filters:
    """What an answer must be. Ranges include both ends; None and () ask for nothing.

    ``genres``: one of these names of genres of the library; ``same_genre``: that of a song asked for; ``key``: "8A",
    "F#m" …, or "compatible" with a song asked for; at most ``max_per_artist`` answers by one artist (None: no
    limit; songs without an artist are not counted); ``copies``: all files of a recording, not only the first.
    """

    genres: tuple[str, ...] = ()
    same_genre: bool = False
    bpm: tuple[float, float] | None = None
    key: str | None = None
    years: tuple[int, int] | None = None
    max_per_artist: int | None = 2
    copies: bool = False


@dataclass(frozen=True)
class Held:
    """A filter in ``words`` and the songs that pass it, bool ``(n_songs,)``; ``hint`` on what the library has instead."""

    words: str
    passes: np.ndarray
    hint: str = ""


def held_filters(
    filters: Filters, library: "Library", keys: np.ndarray, asked_genres: Sequence[str], asked_keys: Sequence[int]
) -> list[Held]:
    """The filters that ask for something. ``keys (n_songs,)`` are estimates; raises QueryError where one has no sense.

    ``asked_genres`` and ``asked_keys`` are those of the songs asked for, which ``same_genre`` and "compatible" mean.
    """
    held = []
    genres = set(filters.genres)
    if filters.same_genre:
        known = set(asked_genres) - {UNKNOWN_GENRE}
        if not known:
            raise QueryError("the song asked for has no genre that others could share; name one with --genre")
        genres = genres & known if genres else known
        if not genres:
            raise QueryError(f"--genre and --same-genre leave none: the song asked for is {', '.join(sorted(known))}")
    if genres:
        held.append(Held(f"genre {' or '.join(sorted(genres))}", np.isin(library.genres.astype(str), sorted(genres))))
    if filters.bpm is not None:
        low, high = filters.bpm
        tempos = library.songs["tempo_bpm"].to_numpy(dtype=np.float64)
        words = f"{low:g}-{high:g} BPM" if low < high else f"{low:g} BPM"
        hint = f"its tempos are {_nearby(np.unique(tempos[tempos > 0]), (low + high) / 2)} BPM"
        held.append(
            Held(
                f"{words} as near as tempo is measured, half or double too",
                tempo_factors(tempos, filters.bpm) > 0,
                hint,
            )
        )
    if filters.key is not None:
        wanted = _wanted_keys(filters.key, asked_keys)
        words = f"key {' or '.join(key_name(key) for key in wanted)}"
        if filters.key == COMPATIBLE:
            words = f"key that goes with {' or '.join(camelot(key) for key in wanted)}"
            passes = compatible(keys[:, None], np.array(wanted)).any(axis=1)
        else:
            passes = np.isin(keys, wanted)
        held.append(Held(f"{words} (estimates)", passes))
    if filters.years is not None:
        first, last = filters.years
        years = library.songs["year"].to_numpy(dtype=np.float64)
        words = f"{first}-{last}" if first < last else f"{first}"
        known = years[~np.isnan(years)]
        hint = (
            f"its years go from {known.min():.0f} to {known.max():.0f}"
            if len(known)
            else "none of its songs has a year"
        )
        if 0 < len(known) < len(years):
            hint += f", {len(years) - len(known):,} songs have none"
        held.append(Held(f"year {words}", (years >= first) & (years <= last), hint))
    return held


def allowed_by(held: Sequence[Held], candidates: np.ndarray) -> np.ndarray:
    """Which of ``candidates``, bool ``(n_songs,)``, pass all filters.

    Raises QueryError if none does, which names the filter to loosen: the one without which most songs are left.
    """
    passed = candidates.copy()
    for one in held:
        passed &= one.passes
    if passed.any() or not candidates.any():
        return passed
    without = [candidates.copy() for _ in held]
    for place, one in enumerate(held):
        for other, left in enumerate(without):
            if other != place:
                left &= one.passes
    counts = [int(left.sum()) for left in without]
    alone = [int((candidates & one.passes).sum()) for one in held]
    strictest = min(range(len(held)), key=lambda place: (-counts[place], alone[place]))
    one = held[strictest]
    hint = f" ({one.hint})" if one.hint else ""
    if len(held) == 1:
        advice = f"loosen that{hint}"
    elif counts[strictest]:
        advice = f"without {one.words!r} {counts[strictest]:,} do: loosen that{hint}"
    else:
        advice = f"{one.words!r} alone leaves {alone[strictest]:,}: loosen that{hint}, and another one"
    raise QueryError(f"no other song passes {' and '.join(repr(each.words) for each in held)}; {advice}")


def tempo_factors(tempos_bpm: np.ndarray, bpm: tuple[float, float]) -> np.ndarray:
    """By what a tempo ``(n,)`` is taken to lie in the range ``bpm``: 1, 2 or 0.5, the first that fits; 0 if none does.

    A tempo lies in a range that its cell touches: what is nearer to it than to other whole numbers of frames.
    """
    tempos = np.asarray(tempos_bpm, dtype=np.float64)
    frames = np.divide(60 * AudioConfig().frame_rate_hz, tempos, out=np.full(tempos.shape, np.inf), where=tempos > 0)
    slowest, fastest = (60 * AudioConfig().frame_rate_hz / (frames + half) for half in (0.5, -0.5))
    factors = np.zeros(tempos.shape)
    for factor in reversed(TEMPO_FACTORS.values()):
        fits = (factor * fastest >= bpm[0]) & (factor * slowest <= bpm[1]) & (tempos > 0)
        factors[fits] = factor
    return factors


def bpm_range(text: str) -> tuple[float, float]:
    """Type of a tempo argument: "120-128", or one tempo."""
    low, high = _range(text, "BPM, like 120-128")
    if not LOWEST_BPM <= low <= high <= HIGHEST_BPM:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no range of tempos, give {LOWEST_BPM:g} to {HIGHEST_BPM:g}, lower first"
        )
    return low, high


def year_range(text: str) -> tuple[int, int]:
    """Type of a year argument: "1990-1999", or one year."""
    first, last = _range(text, "years, like 1990-1999")
    if not (first <= last and first.is_integer() and last.is_integer()):
        raise argparse.ArgumentTypeError(f"{text!r} is no range of years, give whole ones, the earlier first")
    return int(first), int(last)


def key_wish(text: str) -> str:
    """Type of a key argument: "compatible", or a key as tags and DJs write it."""
    if text.strip().lower() == COMPATIBLE:
        return COMPATIBLE
    if key_number(text) == NO_KEY:
        raise argparse.ArgumentTypeError(f'no key {text!r}; give one like 8A, F#m or "C minor", or {COMPATIBLE}')
    return text


def family_weights(text: str) -> Mapping[str, float]:
    """Type of a weights argument: "timbre=2,rhythm=0.5"; families left out weigh 1, 0 silences one."""
    weights: dict[str, float] = {}
    for part in text.split(","):
        name, equals, number = (piece.strip() for piece in part.partition("="))
        if name not in FAMILIES:
            raise argparse.ArgumentTypeError(f"no family {name!r}; there are {', '.join(FAMILIES)}")
        try:
            weight = float(number) if equals else np.nan
        except ValueError:
            weight = np.nan
        if not 0 <= weight < np.inf:
            raise argparse.ArgumentTypeError(f"{part.strip()!r} is no weight, give {name}=NUMBER, 0 or more")
        if name in weights:
            raise argparse.ArgumentTypeError(f"{name} is given twice")
        weights[name] = weight
    return weights


def _wanted_keys(wish: str, asked_keys: Sequence[int]) -> list[int]:
    if wish == COMPATIBLE:
        known = sorted({int(key) for key in asked_keys} - {NO_KEY})
        if not known:
            raise QueryError("the song asked for has no key that could be estimated; name one, like --key 8A")
        return known
    key = key_number(wish)
    if key == NO_KEY:
        raise QueryError(f'no key {wish!r}; give one like 8A, F#m or "C minor", or {COMPATIBLE}')
    return [key]


def _range(text: str, like: str) -> tuple[float, float]:
    found = _RANGE.fullmatch(text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is no range of {like}")
    return float(found[1]), float(found[2] or found[1])


def _nearby(values: np.ndarray, centre: float) -> str:
    """The up to four ``values`` nearest to ``centre``, ascending, and how far all of them go."""
    if not len(values):
        return "all unknown: 0"
    nearest = np.sort(values[np.argsort(np.abs(values - centre), kind="stable")[:4]])
    return f"{values[0]:.0f} to {values[-1]:.0f}, next to it {', '.join(f'{value:.1f}' for value in nearest)}"
