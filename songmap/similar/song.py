"""A song as every result of 04 holds it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Song:
    """What is known of a song; text is empty where it is unknown.

    ``tempo_source`` is "tag", "measured" or "octave" (see ``library.tempos``); ``key`` is a place on the Camelot wheel,
    ``key_source`` "tag" or "estimate".
    """

    song_name: str
    artist: str
    genre: str
    title: str
    album: str
    year: int | None
    duration: float
    tempo_bpm: float
    tempo_source: str
    key: str
    key_source: str
    file_path: str
