"""What a file says about itself: artist, title, album, year, key. Tags may be absent; nothing is invented.

One exception, documented because grouping by artist rests on it: a file without an artist tag that is
named ``Artist - Title`` takes both from its name.
"""

import re
from pathlib import Path

# ID3 frame, Vorbis comment, MP4 atom
_FIELDS = {
    "artist": ("TPE1", "artist", "\xa9ART"),
    "title": ("TIT2", "title", "\xa9nam"),
    "album": ("TALB", "album", "\xa9alb"),
    "year": ("TDRC", "date", "\xa9day"),
    "key": ("TKEY", "initialkey", "----:com.apple.iTunes:initialkey"),
}


def read_tags(path: Path) -> dict[str, str | float]:
    """``artist, title, album, key`` as text, empty if absent; ``year`` as float, NaN if absent."""
    import mutagen

    try:
        found = mutagen.File(path)
    except (mutagen.MutagenError, OSError):
        found = None  # tags that cannot be read are no reason to refuse audio that can be
    tags = getattr(found, "tags", None) or {}
    record: dict[str, str | float] = {field: _first(tags, keys) for field, keys in _FIELDS.items()}
    year = re.search(r"\b(\d{4})\b", str(record["year"]))
    record["year"] = float(year[1]) if year else float("nan")
    if not record["artist"] and " - " in path.stem:
        artist, title = readable(path.stem).split(" - ", 1)
        record["artist"] = artist.strip()
        record["title"] = record["title"] or title.strip()
    return record


def readable(text: str) -> str:
    """A name from the file system with bytes that are no UTF-8 shown as �."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _first(tags, keys: tuple[str, ...]) -> str:
    for key in keys:
        try:
            value = tags.get(key)
        except (KeyError, ValueError):  # a key that this kind of tag cannot have
            continue
        text = getattr(value, "text", value)
        if isinstance(text, list | tuple):
            text = text[0] if text else None
        if isinstance(text, bytes):
            text = text.decode("utf-8", "replace")
        if text is not None and str(text).strip():
            return " ".join(str(text).replace("\0", " ").split())
    return ""
