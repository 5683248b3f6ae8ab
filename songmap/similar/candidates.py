"""Which songs can be in an answer: one file of each recording, none of the query, and what the filters let pass."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from songmap.similar.filters import Condition, allowed_by, filters_of
from songmap.similar.lookup import FoundSong, Lookup
from songmap.similar.requests import Filters


def candidates(
    lookup: Lookup, query: Sequence[FoundSong], wanted: Filters, away: Sequence[FoundSong] = ()
) -> tuple[np.ndarray, tuple[Condition, ...]]:
    """The songs that can be in an answer, bool ``(n_songs,)``, and the conditions that they meet.

    Raises QueryError if a filter cannot be applied to the query, or no song passes.
    """
    wanted = replace(wanted, genres=tuple(map(lookup.genre, wanted.genres)))
    query_genres, query_keys = [found.record["genre"] for found in query], [found.key for found in query]
    filters = filters_of(wanted, lookup.library, lookup.tempos_bpm, lookup.keys, query_genres, query_keys)
    allowed = allowed_by(filters, lookup.others([*query, *away], wanted.copies))
    return allowed, tuple(one.condition for one in filters)
