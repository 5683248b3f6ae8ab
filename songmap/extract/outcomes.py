"""Outcomes of files: what the ledger keeps of each, and what a row of it holds."""

import json
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from songmap.features.tags import MAX_CHARACTERS
from songmap.library.schema import MEASURED_SINCE, N_COLUMNS, NUMBER_COLUMNS, AudioConfig
from songmap.library.segments import SongSegments

_REQUIRED = frozenset({"song_name", "file_path", "duration", "artist", "title", "album", "tag_genre"})


@dataclass(frozen=True)
class Outcome:
    """The result of a file: ``content`` hash, ``record`` and ``embedding`` float32 ``(641,)``, or the ``failure``.

    ``segments`` are those of the song where they were wanted; the ledger gives them by ``segments.get``. ``too_short_s`` is
    the duration of a file that failed since it is too short, 0 of one that failed otherwise; None where that is unknown.
    """

    content: str | None = None
    record: dict[str, Any] | None = None
    embedding: np.ndarray | None = None
    failure: str | None = None
    segments: SongSegments | None = None
    too_short_s: float | None = None


@dataclass(frozen=True)
class Known:
    """A path in the ledger without its numbers; ``stamp`` is size, time and how its tags were read.

    ``outdated``: its record was made by an older version and lacks what is measured today. ``too_short_s``: as in Outcome.
    """

    stamp: tuple[int, int, int]
    content: str | None
    failed: bool
    outdated: bool = False
    too_short_s: float | None = None

    def may_be_long_enough(self, least_s: float) -> bool:
        """Whether a file that failed may have failed for being too short, and is at least ``least_s`` long."""
        if self.too_short_s is None:  # an older version did not tell, and had the usual limit
            return least_s < AudioConfig.min_duration_s
        return self.too_short_s >= least_s


def is_outdated(record: dict[str, Any] | None) -> bool:
    """Whether a record was made by an older version, which measured less."""
    return record is not None and not record.keys() >= set(MEASURED_SINCE)


def outcome_of_row(content: Any, record: Any, embedding: Any, failure: Any) -> Outcome | None:
    """The outcome in a row, or None if the row does not hold one."""
    if isinstance(failure, str):
        return Outcome(
            content if isinstance(content, str) else None, failure=failure, too_short_s=_failed_duration_s(record)
        )
    if failure is not None or not isinstance(content, str) or not isinstance(embedding, bytes):
        return None
    values = _record(record)
    if values is None or len(embedding) != N_COLUMNS * np.dtype(np.float32).itemsize:
        return None
    numbers = np.frombuffer(embedding, np.float32)
    return Outcome(content, values, numbers) if np.isfinite(numbers).all() else None


def _failed_duration_s(text: Any) -> float | None:
    """The duration in the record of a failure, which those of older versions do not have."""
    try:
        duration_s = json.loads(text)["duration"]
    except (TypeError, ValueError, KeyError, RecursionError):
        return None
    return float(duration_s) if isinstance(duration_s, int | float) else None


def _record(text: Any) -> dict[str, Any] | None:
    """A record of texts and numbers, as the table of songs takes it, or None if it is not one."""
    try:
        record = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return None
    if not isinstance(record, dict) or not record.keys() >= _REQUIRED:
        return None
    for name, value in record.items():
        is_number = isinstance(value, float) or (isinstance(value, int) and abs(value) < 2**63)
        is_text = isinstance(value, str) and (len(value) <= MAX_CHARACTERS or name == "file_path")
        if not (is_number if name in NUMBER_COLUMNS else is_text):
            return None
    return record if math.isfinite(record["duration"]) else None
