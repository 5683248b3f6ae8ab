"""Types of 04's arguments: ranges of tempos and years, keys and weights of families."""

import argparse
import re

import numpy as np

from songmap.library.keys import NO_KEY, key_number
from songmap.library.schema import FAMILIES
from songmap.similar.requests import COMPATIBLE

LOWEST_BPM, HIGHEST_BPM = 10.0, 1000.0
_RANGE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(?:[-–:]\s*(\d+(?:\.\d+)?)\s*)?")


def bpm_range(text: str) -> tuple[float, float]:
    """ "120-128", or one tempo."""
    low, high = _range(text, "BPM range, e.g. 120-128")
    if not LOWEST_BPM <= low <= high <= HIGHEST_BPM:
        raise argparse.ArgumentTypeError(
            f"{text!r} is out of range, give {LOWEST_BPM:g} to {HIGHEST_BPM:g} BPM, lower first"
        )
    return low, high


def year_range(text: str) -> tuple[int, int]:
    """ "1990-1999", or one year."""
    first, last = _range(text, "year range, e.g. 1990-1999")
    if not (first <= last and first.is_integer() and last.is_integer()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a year range, give whole years, the earlier first")
    return int(first), int(last)


def key_or_compatible(text: str) -> str:
    """ "compatible", or a key as tags and DJs write it."""
    if text.strip().lower() == COMPATIBLE:
        return COMPATIBLE
    if key_number(text) == NO_KEY:
        raise argparse.ArgumentTypeError(f'{text!r} is not a key, e.g. 8A, F#m, "C minor" or {COMPATIBLE}')
    return text


def family_weights(text: str) -> tuple[tuple[str, float], ...]:
    """ "timbre=2,rhythm=0.5"; families left out weigh 1, a weight of 0 leaves one out."""
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
            raise argparse.ArgumentTypeError(f"{part.strip()!r} is not a weight, give {name}=NUMBER, 0 or more")
        if name in weights:
            raise argparse.ArgumentTypeError(f"{name} is given twice")
        weights[name] = weight
    return tuple(weights.items())


def _range(text: str, kind: str) -> tuple[float, float]:
    limits = _RANGE.fullmatch(text)
    if not limits:
        raise argparse.ArgumentTypeError(f"{text!r} is not a {kind}")
    return float(limits[1]), float(limits[2] or limits[1])
