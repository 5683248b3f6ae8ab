"""Which analysed songs are not in a library: outside a range of durations, or speech."""

from collections.abc import Mapping
from typing import Any

from songmap.extract.labels import genre_of_tag
from songmap.extract.results import Reason

SPEECH_GENRES = frozenset({
    "AUDIOBOOK", "AUDIOBOOKS", "AUDIO BOOK", "HÖRBUCH", "HÖRSPIEL", "PODCAST", "PODCASTS", "SPEECH", "SPOKEN", "SPOKEN WORD",
})  # fmt: skip


def left_out(
    record: Mapping[str, Any], genre: str, least_s: float, most_s: float | None, keep_speech: bool
) -> Reason | None:
    """Why a song with these tags, of this genre, is not in the library; None if it is."""
    if record["duration"] < least_s:
        return "too_short"
    if most_s is not None and record["duration"] > most_s:
        return "too_long"
    speech = {genre, genre_of_tag(record["tag_genre"])} & SPEECH_GENRES
    return "speech" if speech and not keep_speech else None
