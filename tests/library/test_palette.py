"""Colours and markers of genres and families."""

from songmap.library import palette
from songmap.library.schema import FAMILIES


def test_genres_keep_their_colour_and_stay_apart():
    genres = [f"G{index:02d}" for index in range(20)]
    colours, markers = palette.genre_colours(genres), palette.genre_markers(genres)
    assert len({(colours[genre], markers[genre]) for genre in genres}) == 20
    assert palette.genre_colours(reversed(genres)) == colours
    assert palette.genre_colours(["UNKNOWN", "A"])["UNKNOWN"] == palette.UNKNOWN_COLOUR
    assert len(set(palette.FAMILY_COLOURS.values())) == len(FAMILIES)
