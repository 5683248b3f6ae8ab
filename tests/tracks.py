"""Searches of given vectors, for tests of what playlists are made of."""

import numpy as np

from songmap.library.schema import N_COLUMNS
from songmap.library.search import Search, open_search
from songmap.library.spaces import Space
from tests.libraries import labelled_library


def search_of(units: np.ndarray) -> Search:
    """A search whose unit vectors are the given ones, ``(n, 641)``."""
    space = Space("scaled", np.zeros(N_COLUMNS), np.ones(N_COLUMNS))
    return open_search(labelled_library(np.asarray(units), [""] * len(units)), space)
