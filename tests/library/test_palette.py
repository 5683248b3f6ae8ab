"""Colours and markers of genres and families."""

from itertools import combinations, pairwise

import numpy as np
import pytest

from songmap.library import palette
from songmap.library.keys import KEYS, NO_KEY, camelot_place
from songmap.library.schema import FAMILIES


def test_genres_keep_their_colour_and_stay_apart():
    genres = [f"G{index:02d}" for index in range(20)]
    colours, markers = palette.genre_colours(genres), palette.genre_markers(genres)
    assert len({(colours[genre], markers[genre]) for genre in genres}) == 20
    assert palette.genre_colours(reversed(genres)) == colours
    assert palette.genre_colours(["UNKNOWN", "A"])["UNKNOWN"] == palette.UNKNOWN_COLOUR
    assert len(set(palette.FAMILY_COLOURS.values())) == len(FAMILIES)


def rgb(colour: str) -> np.ndarray:
    """Linear sRGB of ``#RRGGBB``."""
    values = np.array([int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)])
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def oklab(linear: np.ndarray) -> np.ndarray:
    """Ottosson 2020: equal distances look about equally different."""
    cones = np.array(
        [[0.41222147, 0.53633254, 0.05144599], [0.2119035, 0.68069955, 0.10739696], [0.08830246, 0.28171884, 0.6299787]]
    )
    axes = np.array(
        [
            [0.21045426, 0.79361779, -0.00407205],
            [1.9779985, -2.42859221, 0.4505937],
            [0.02590404, 0.78277177, -0.80867577],
        ]
    )
    return axes @ np.cbrt(cones @ np.clip(linear, 0, 1))


VISIONS = {  # Machado, Oliveira & Fernandes 2009, complete loss; the least distance of two colours with one symbol
    "normal": (np.eye(3), 0.12),
    "protan": (np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]), 0.035),
    "deutan": (np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]]), 0.035),
}  # fmt: skip


@pytest.mark.parametrize("n_genres", [2, 8, 9, 14, 30])
@pytest.mark.parametrize("vision", VISIONS)
def test_genres_with_one_symbol_are_told_apart_by_colour(n_genres: int, vision: str):
    seen, least = VISIONS[vision]
    looks = palette.looks(n_genres)
    assert len(set(looks)) == n_genres
    for one, other in combinations(looks, 2):
        if one[1] == other[1]:
            assert np.linalg.norm(oklab(seen @ rgb(one[0])) - oklab(seen @ rgb(other[0]))) > least, (one, other)


@pytest.mark.parametrize("n_genres", [9, 14, 16, 30])
def test_of_many_genres_none_has_the_colour_or_symbol_of_the_next_and_sixteen_have_their_own_colours(n_genres: int):
    looks = palette.looks(n_genres)
    for one, following in pairwise(looks):
        assert one[0] != following[0]
        assert one[1] != following[1]
    assert len({colour for colour, _, _ in looks}) == min(n_genres, 16)


def test_keys_go_round_the_wheel():
    order = sorted(range(len(KEYS)), key=lambda key: (camelot_place(key)[1], camelot_place(key)[0]))
    looks = [palette.key_look(key) for key in order]
    assert len(set(looks)) == 24
    for half in (looks[:12], looks[12:]):
        assert len({marker for _, marker, _ in half}) == 1
        places = [oklab(rgb(colour)) for colour, _, _ in half]
        hues = [np.degrees(np.arctan2(place[2], place[1])) for place in places]
        steps = [(after - before) % 360 for before, after in zip(hues, [*hues[1:], hues[0]], strict=True)]
        assert steps == pytest.approx([30] * 12, abs=9)
    assert palette.key_look(NO_KEY)[0] == palette.UNKNOWN_COLOUR
