"""Colours: a colour-blind-safe colour and marker per genre, one colour per family.

Okabe & Ito (2008) for genres, Paul Tol's "muted" (2021) for families. With more genres than colours the colours
repeat with another marker, so that a genre stays recognisable without colour.
"""

from collections.abc import Iterable

from songmap.library.schema import FAMILIES, UNKNOWN_GENRE

GENRE_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#882255", "#999933")
UNKNOWN_COLOUR = "#777777"
FAMILY_COLOURS = dict(
    zip(FAMILIES, ("#332288", "#88CCEE", "#44AA99", "#117733", "#DDCC77", "#CC6677", "#AA4499"), strict=True)
)
_MARKERS = (("o", "circle"), ("s", "square"), ("D", "diamond"), ("X", "x"))


def genre_colours(genres: Iterable[str]) -> dict[str, str]:
    """Colour of each genre by its place in the sorted set of all genres of the library."""
    return {genre: colour for genre, (colour, _, _) in _genre_looks(genres).items()}


def genre_markers(genres: Iterable[str], *, plotly: bool = False) -> dict[str, str]:
    """Marker of each genre, in matplotlib's or plotly's name."""
    return {genre: plotly_name if plotly else name for genre, (_, name, plotly_name) in _genre_looks(genres).items()}


def _genre_looks(genres: Iterable[str]) -> dict[str, tuple[str, str, str]]:
    named = sorted(set(genres) - {UNKNOWN_GENRE})
    looks = {UNKNOWN_GENRE: (UNKNOWN_COLOUR, *_MARKERS[0])}
    for index, genre in enumerate(named):
        marker = _MARKERS[index // len(GENRE_COLOURS) % len(_MARKERS)]
        looks[genre] = (GENRE_COLOURS[index % len(GENRE_COLOURS)], *marker)
    return looks
