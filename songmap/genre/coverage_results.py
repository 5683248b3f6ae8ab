"""Results of 03 on conformal sets: how often they contain the true genre."""

from dataclasses import dataclass


@dataclass(frozen=True)
class GenreCoverage:
    """The share of a genre's ``songs``, of ``groups`` artists, whose sets contain it, with a 95 % interval."""

    genre: str
    songs: int
    groups: int
    coverage: float
    coverage_low: float
    coverage_high: float


@dataclass(frozen=True)
class ConformalCoverage:
    """How often conformal sets contain the true genre, of ``songs`` not used to set the threshold."""

    wanted: float
    coverage: float
    coverage_low: float
    coverage_high: float
    mean_size: float
    sets_of_one: float
    sets_of_all: float
    songs: int
    per_genre: list[GenreCoverage]
