"""A song as every result of 04 holds it."""

from dataclasses import dataclass

from songmap.library.display_names import display_name, display_title


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

    @property
    def display_title(self) -> str:
        return display_title(self.song_name, self.artist, self.title)

    @property
    def display_name(self) -> str:
        return display_name(self.song_name, self.artist, self.title)
