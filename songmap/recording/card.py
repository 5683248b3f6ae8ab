"""What the card of a saved model says of its training."""

from collections.abc import Mapping
from typing import Any

from songmap.core.errors import SchemaError, UsageError
from songmap.library.segments import SegmentSettings
from songmap.recording.members import MEMBERS
from songmap.recording.results import ClassifierScore, Training


def training_of(card: Mapping[str, Any]) -> Training:
    """The training that a card describes. Raises SchemaError for a card of another version."""
    try:
        described = dict(card["training"])
        scores = tuple(ClassifierScore(**one) for one in described.pop("scores"))
        settings = SegmentSettings(**described.pop("settings"))
        members = tuple(described.pop("members", MEMBERS))
        return Training(tuple(described.pop("genres")), scores=scores, settings=settings, members=members, **described)
    except (KeyError, TypeError, ValueError, UsageError) as error:
        raise SchemaError("the model's card is not of this version; run 05_classify_recording.py --train") from error
