"""What people read as a song's name: its title and artist by the tags, the tidied name of its file without them."""

import re
from collections.abc import Iterable

import pandas as pd

from songmap.core.text import normalise

_TRACK_NUMBER = re.compile(r"\d{1,3}(\.| -) (?=\S)")
_DASH = re.compile(r"\s+[-–—]\s+")
_QUALITY = re.compile(r"\.(hq|lq)$", re.IGNORECASE)


def display_title(song_name: str, artist: str = "", title: str = "") -> str:
    """The title by the tags; without one the file's name, less track number, artist, quality suffix and underscores.

    Parameters
    ----------
    song_name : str
        Name of the file without its suffix.
    artist, title : str
        By the tags or folders; empty where unknown.

    Examples
    --------
    >>> display_title("02", title="Elf Land"), display_title("01 - Kenta Cho - gunroar_gr1.hq", "Kenta Cho")
    ('Elf Land', 'gunroar gr1')
    """
    if title:
        return title
    name = _QUALITY.sub("", song_name).replace("_", " ").strip()
    name = _TRACK_NUMBER.sub("", name, count=1) if _TRACK_NUMBER.match(name) else name
    parts = _DASH.split(name, maxsplit=1)
    if len(parts) == 2 and artist and parts[1] and normalise(parts[0]) == normalise(artist):
        name = parts[1]
    return name or song_name


def display_name(song_name: str, artist: str = "", title: str = "") -> str:
    """``Title – Artist``, or the title alone where the artist is unknown.

    Examples
    --------
    >>> display_name("02", "Aleksi Aubry-Carlson", "Elf Land"), display_name("blues.00001")
    ('Elf Land – Aleksi Aubry-Carlson', 'blues.00001')
    """
    return " – ".join(filter(None, (display_title(song_name, artist, title), artist)))


def display_names(songs: pd.DataFrame) -> list[str]:
    """``display_name`` of every row of a table of songs, ``(n_songs,)``."""
    return [display_name(*texts) for texts in _texts(songs)]


def display_titles(songs: pd.DataFrame) -> list[str]:
    """``display_title`` of every row of a table of songs, ``(n_songs,)``."""
    return [display_title(*texts) for texts in _texts(songs)]


def _texts(songs: pd.DataFrame) -> Iterable[tuple[str, str, str]]:
    return zip(*(songs[column].tolist() for column in ("song_name", "artist", "title")), strict=True)
