"""Traits of an explained song, compared with a library, and those that are typical of its predicted genre there."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from songmap.core.statistics import known_median
from songmap.genre.song_results import SongExplanation
from songmap.library.library import Library
from songmap.library.tempos import tempos_of
from songmap.library.traits import qualities, traits


@dataclass(frozen=True)
class TraitReference:
    """Qualities ``(n_songs, 7)`` and genres ``(n_songs,)`` of the library that songs are compared with."""

    values: np.ndarray
    genres: np.ndarray

    def describe(self, song: SongExplanation, record: dict[str, Any], embedding: np.ndarray) -> SongExplanation:
        """``song`` with its traits and its predicted genre's; ``record`` has its tempos, ``embedding`` is ``(641,)``."""
        own = qualities(embedding[np.newaxis], tempos_of(pd.DataFrame([record]))[0])[0]
        of_genre = self.values[self.genres == song.predicted_genre]
        typical = np.array([known_median(column) for column in of_genre.T])
        return replace(song, traits=traits(own, self.values), genre_traits=traits(typical, self.values))


def trait_reference(library: Library) -> TraitReference:
    """All songs of a library, with the tempos that count."""
    return TraitReference(qualities(library.embeddings, tempos_of(library.songs)[0]), library.genres)
