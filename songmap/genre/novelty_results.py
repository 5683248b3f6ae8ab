"""Results of 03 on novelty: how far a song is from the genres of the training data, and how well that is known."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SongNovelty:
    """``distance`` to the nearest genre; above ``threshold`` the song is like none of them: ``is_novel``."""

    distance: float
    threshold: float
    is_novel: bool


@dataclass(frozen=True)
class LeftOutGenre:
    """A genre's ``songs`` as those of an unknown genre, for detectors trained without it.

    ``auroc`` is the chance that one of them is at a larger distance than a held-out song of the other genres (0.5: no
    better than guessing), ``detected`` the share beyond the threshold.
    """

    genre: str
    songs: int
    auroc: float
    detected: float


@dataclass(frozen=True)
class NoveltyScores:
    """``false_alarms``: the share of ``songs`` beyond a threshold set on the songs of other folds; ``wanted`` of it.

    ``threshold`` is that of the model in use; ``genres`` are left out one by one.
    """

    wanted: float
    false_alarms: float
    songs: int
    threshold: float
    genres: list[LeftOutGenre]

    @property
    def auroc(self) -> float:
        """Mean over the genres."""
        return sum(one.auroc for one in self.genres) / len(self.genres)
