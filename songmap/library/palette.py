"""Colours: a colour and marker per genre, a colour per key round the wheel, one per family.

Up to eight genres have Okabe & Ito's colours (2008), which colour-blind people tell apart. More have sixteen: the
others are as far from those and from each other, in OKLab, as they can be seen on white and on black, by normal vision
and by that of dichromats (Machado, Oliveira & Fernandes 2009); symbols change from genre to genre too. Families have Paul
Tol's "muted" (2021). Colours of keys are hues 30 degrees apart in OKLCH, a fifth each, darker for minor.
"""

from collections.abc import Iterable

from songmap.library.keys import KEYS, camelot_place
from songmap.library.schema import FAMILIES, UNKNOWN_GENRE

Look = tuple[str, str, str]
"""Colour, and marker in matplotlib's and in plotly's name."""

GENRE_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#882255", "#999933")
MORE_COLOURS = ("#9600FF", "#D200B4", "#8778F0", "#D2004B", "#3C692D", "#4BC35A", "#B4A596", "#A53C00")
UNKNOWN_COLOUR = "#777777"
FAMILY_COLOURS = dict(
    zip(FAMILIES, ("#332288", "#88CCEE", "#44AA99", "#117733", "#DDCC77", "#CC6677", "#AA4499"), strict=True)
)
_MARKERS = (("o", "circle"), ("s", "square"), ("D", "diamond"), ("X", "x"), ("P", "cross"))
_MINOR_COLOURS = (
    "#B9585B", "#B4612D", "#A17000", "#7F8006", "#4F8C41", "#00916F",
    "#008F97", "#0086B5", "#4D79C4", "#7A6CBF", "#9B60A8", "#B05885",
)  # fmt: skip
_MAJOR_COLOURS = (
    "#F68F90", "#F09866", "#DBA84A", "#B6B852", "#85C577", "#4BCAA5",
    "#1EC8D0", "#4BBFF1", "#82B2FF", "#B0A3FB", "#D496E2", "#EC8FBC",
)  # fmt: skip


def genre_colours(genres: Iterable[str]) -> dict[str, str]:
    """Colour of each genre by its place in the sorted set of all genres of the library."""
    return {genre: colour for genre, (colour, _, _) in _genre_looks(genres).items()}


def genre_markers(genres: Iterable[str], *, plotly: bool = False) -> dict[str, str]:
    """Marker of each genre, in matplotlib's or plotly's name."""
    return {genre: plotly_name if plotly else name for genre, (_, name, plotly_name) in _genre_looks(genres).items()}


def looks(number: int) -> list[Look]:
    """Looks of so many genres or groups, up to 80 all different; one beside the next differs in colour and symbol."""
    if number <= len(GENRE_COLOURS):
        return [(colour, *_MARKERS[0]) for colour in GENRE_COLOURS[:number]]
    colours = (*GENRE_COLOURS, *MORE_COLOURS)
    return [(colours[place % len(colours)], *_MARKERS[place % len(_MARKERS)]) for place in range(number)]


def key_look(key: int) -> Look:
    """Look of a key of ``songmap.library.keys``: neighbours on the Camelot wheel have neighbouring hues, minor is round."""
    if not 0 <= key < len(KEYS):
        return (UNKNOWN_COLOUR, *_MARKERS[0])
    hour, minor = camelot_place(key)
    return (_MINOR_COLOURS[hour - 1], *_MARKERS[0]) if minor else (_MAJOR_COLOURS[hour - 1], *_MARKERS[1])


def _genre_looks(genres: Iterable[str]) -> dict[str, Look]:
    named = sorted(set(genres) - {UNKNOWN_GENRE})
    return {UNKNOWN_GENRE: (UNKNOWN_COLOUR, *_MARKERS[0])} | dict(zip(named, looks(len(named)), strict=True))
