"""What 05 finds out: numbers, names and identifiers, in frozen dataclasses. Times are in seconds from the start."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class ClassifierScore:
    """Accuracy (0 … 1) and log loss (nats) of one classifier, per segment and per song, the mean of its segments.

    ``split``: segments of a song and of others of its group are on one side (``song``), or segments are split at
    ``random``. A classifier of whole songs has no scores of segments.
    """

    classifier: str
    split: Literal["song", "random"]
    segment_accuracy: float | None
    segment_log_loss: float | None
    song_accuracy: float
    song_log_loss: float
