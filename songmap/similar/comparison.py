"""A library in one setting: the space, the search, and what is computed from them once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from songmap.core.progress import OnProgress
from songmap.library.search import Search
from songmap.library.spaces import sampled_rows
from songmap.similar.filters import Condition
from songmap.similar.lookup import FoundSong, Lookup
from songmap.similar.requests import Setting
from songmap.similar.results import ModelInUse, OrderedResult
from songmap.similar.transitions import Tracks, transitions

_RANDOM = 300  # songs, which are 44,850 pairs
_FIGURES = ("score", "similarity", "tempo_factor", "tempo_change", "tempo_fit", "key_fit")  # of a transition


@dataclass(frozen=True)
class Comparison:
    """The songs of ``lookup`` compared by ``search``; ``model`` is what the classifier or the cnn space rests on."""

    lookup: Lookup
    setting: Setting
    search: Search
    model: ModelInUse | None = None
    _neighbours: dict[int, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)

    @cached_property
    def tracks(self) -> Tracks:
        """What decides which song goes well after which."""
        lookup = self.lookup
        return Tracks(self.search, lookup.tempos_bpm, lookup.keys, lookup.artists, lookup.recordings)

    @cached_property
    def random_similarity(self) -> float:
        """The median similarity of two recordings of the library; of a sample of ``_RANDOM`` ones of a larger library."""
        firsts = self.lookup.firsts
        rows = firsts[sampled_rows(len(firsts), _RANDOM)]
        units = self.search.units(rows)
        pairs = [self.search.similarities(units[place], rows[:place]) for place in range(1, len(rows))]
        return float(np.median(np.concatenate(pairs))) if pairs else 0.0

    def unit(self, found: FoundSong) -> np.ndarray:
        """Unit vector float32 ``(d,)`` of a song."""
        return self.search.units([found.row])[0] if found.row is not None else self.search.unit(found.embedding)

    def neighbours(self, number: int, on_progress: OnProgress | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Rows and similarities, both ``(n_songs, number)``, of the nearest other recordings of every song."""
        if number not in self._neighbours:
            self._neighbours[number] = self.search.neighbours(number, self.lookup.recordings, on_progress)
        return self._neighbours[number]

    def ordered(
        self, rows: Sequence[int] | np.ndarray, tracks: Tracks | None = None, conditions: tuple[Condition, ...] = ()
    ) -> OrderedResult:
        """Songs of ``rows`` in playing order, the transition to each by ``tracks``, and the mean score of these."""
        changes = transitions(tracks or self.tracks, rows)
        mean = float(np.mean([change.score for change in changes])) if changes else None
        figures = {name: [None, *(getattr(change, name) for change in changes)] for name in _FIGURES}
        figures = {"transition": figures.pop("score")} | figures
        return OrderedResult(self.lookup.songs(rows), figures, (None, *changes), mean, conditions=conditions)
