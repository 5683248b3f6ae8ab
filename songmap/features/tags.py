"""What a file says about itself: artist, title, album, year, key, … Tags may be absent; nothing is made up.

One exception, documented because grouping by artist rests on it: a file without an artist tag that is
named ``Artist - Title`` takes both from its name, a track number before them left out.

mutagen reads ID3, Vorbis comments, MP4, ASF and APEv2; FFmpeg what mutagen does not know, such as RIFF INFO
and Matroska. Tags are read leniently: a damaged one is absent, and never a reason to lose the song. They are bounded
too: ``MAX_CHARACTERS`` of a field, and of the file what songmap.features.tag_file lets mutagen read.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from songmap.core.errors import AudioError
from songmap.core.text import readable
from songmap.features.decode import demuxed, opened
from songmap.features.tag_file import TagFile

# names in lower case, the preferred first: ID3 frame, MP4 atom, ASF attribute, Vorbis comment or APEv2 item;
# free-form names (TXXX, ----:com.apple.iTunes) stand without their prefix
_TEXTS = {
    "artist": ("tpe1", "\xa9art", "author", "artist"),
    "title": ("tit2", "\xa9nam", "title"),
    "album": ("talb", "\xa9alb", "wm/albumtitle", "album"),
    "album_artist": ("tpe2", "aart", "wm/albumartist", "albumartist", "album artist", "album_artist"),
    "key": ("tkey", "wm/initialkey", "initialkey", "key"),
    "tag_genre": ("tcon", "\xa9gen", "wm/genre", "genre"),
    "isrc": ("tsrc", "wm/isrc", "isrc"),
    "musicbrainz_id": (
        "ufid:http://musicbrainz.org", "musicbrainz track id", "musicbrainz/track id", "musicbrainz_trackid",
    ),
}  # fmt: skip
_YEARS = ("tdrc", "\xa9day", "wm/year", "date", "year", "tdor", "wm/originalreleaseyear", "originaldate")
_TEMPI = ("tbpm", "tmpo", "wm/beatsperminute", "bpm", "tempo")
_GAINS = ("replaygain_track_gain", "rva2:track")
_R128_GAIN = "r128_track_gain"
_WANTED = frozenset(chain(*_TEXTS.values(), _YEARS, _TEMPI, _GAINS, [_R128_GAIN]))
_YEAR = re.compile(r"(?<![0-9])(1[0-9]{3}|20[0-9]{2})(?:[0-9]{4})?(?![0-9])")
_NUMBER = re.compile(r"[-+]?[0-9]+(?:[.,][0-9]+)?")
_BPM_RANGE = (20.0, 999.0)
_GAIN_RANGE_DB = (-60.0, 60.0)
_R128_TO_REPLAYGAIN_DB = 5.0  # R128_TRACK_GAIN aims at -23 LUFS (RFC 7845, 5.2.1), ReplayGain 2.0 at -18 LUFS
_FREE_FORM = ("txxx:", "----:com.apple.itunes:")
_TRACK_NUMBER = re.compile(r"^\s*(?:\d{1,2}-)?(?:\d{1,3}|[A-H]\d{1,2})\s*[-._)]+\s+")  # "01 - ", "1-02. ", "A1 - "
_NAN = float("nan")
MAX_CHARACTERS = 1000
_MAX_VALUES = 100  # of one tag


def read_tags(path: Path) -> dict[str, str | float]:
    """Read the tags of one file.

    Parameters
    ----------
    path : Path
        Any file; one that has no tags, or cannot be read, gives empty values.

    Returns
    -------
    dict
        ``artist, title, album, album_artist, key, tag_genre, isrc, musicbrainz_id`` (of the recording) as text,
        several values joined by "; ", up to ``MAX_CHARACTERS``; ``year``, ``tag_bpm`` (20 to 999) and ``replaygain_db`` (track gain, to
        -18 LUFS) as float. What is absent or absurd is empty, or NaN.
    """
    try:
        with opened(path) as file:
            return tags_of(file, path)
    except AudioError:
        return _record({}, path)


def tags_of(file: BinaryIO, path: Path, metadata: dict[str, str] | None = None) -> dict[str, str | float]:
    """``read_tags`` of a file that ``decode.opened`` gave; ``path`` is its name only.

    ``metadata`` is FFmpeg's where it has been read already.
    """
    return _record(_tags(file, str(path), metadata), path)


def metadata_of(container: Any, stream: Any) -> dict[str, str]:
    """What FFmpeg has read of tags; those of the whole file win over those of the stream."""
    return dict(stream.metadata | container.metadata)


def _record(tags: dict[str, list[str]], path: Path) -> dict[str, str | float]:
    record: dict[str, str | float] = {
        field: next(("; ".join(tags[name])[:MAX_CHARACTERS] for name in names if name in tags), "").strip()
        for field, names in _TEXTS.items()
    }
    years = (_YEAR.search(text) for text in _all(tags, _YEARS))
    record["year"] = next((float(year[1]) for year in years if year), _NAN)
    record["tag_bpm"] = next(_numbers(_all(tags, _TEMPI), *_BPM_RANGE), _NAN)
    r128 = (q7_8 / 256 + _R128_TO_REPLAYGAIN_DB for q7_8 in _numbers(_all(tags, (_R128_GAIN,)), -(2**15), 2**15))
    record["replaygain_db"] = next(_numbers(_all(tags, _GAINS), *_GAIN_RANGE_DB), next(r128, _NAN))
    artist, dash, title = _TRACK_NUMBER.sub("", readable(path.stem), count=1).partition(" - ")
    if not record["artist"] and dash:
        record["artist"] = artist.strip()
        record["title"] = record["title"] or title.strip()
    return record


def _tags(file: BinaryIO, name: str, metadata: dict[str, str] | None) -> dict[str, list[str]]:
    """Every tag that holds text: its name in lower case, and its values."""
    from mutagen import File
    from mutagen.apev2 import APEv2
    from mutagen.id3 import ID3

    # ID3 alone where mutagen fails on the audio; APEv2 may stand behind another tag, in MP3 files with ReplayGain
    tags = _read(lambda: File(TagFile(file, name)).tags) or _read(lambda: ID3(TagFile(file, name)))
    return _read(lambda: APEv2(TagFile(file, name))) | tags or (
        _tags_of_ffmpeg(file) if metadata is None else _wanted(metadata)
    )


def _read(reader: Callable[[], Mapping]) -> dict[str, list[str]]:
    try:
        return _wanted(reader())
    except Exception:  # mutagen is pure Python: besides its own errors, damaged tags raise nearly any
        return {}


def _tags_of_ffmpeg(file: BinaryIO) -> dict[str, list[str]]:
    try:
        with demuxed(file) as (container, stream):
            return _wanted(metadata_of(container, stream))
    except AudioError:
        return {}


def _wanted(tags: Mapping | list[tuple[str, str]] | None) -> dict[str, list[str]]:
    values: dict[str, Any] = {}
    if isinstance(tags, list):  # Vorbis comments, whose names are looked up one by one otherwise
        for key, text in tags:
            values.setdefault(_name(key), []).append(text)
    else:
        values = {_name(key): value for key, value in (tags or {}).items()}
    return {name: texts for name in _WANTED & values.keys() if (texts := _texts(values[name]))}


def _name(key: str) -> str:
    name = key.lower()
    for prefix in _FREE_FORM:
        name = name.removeprefix(prefix)
    return name


def _texts(value: Any) -> list[str]:
    """The values of one tag as clean text. A genre is a name, also where ID3 numbers it."""
    for attribute in ("genres", "text", "gain", "data"):  # ID3's TCON, other text, RVA2, UFID
        if hasattr(value, attribute):
            value = getattr(value, attribute)
            break
    texts = []
    for part in value[:_MAX_VALUES] if isinstance(value, list | tuple) else [value]:
        part = getattr(part, "value", part)  # ASF
        part = part[: 4 * MAX_CHARACTERS].decode("utf-8", "replace") if isinstance(part, bytes) else str(part)
        pieces = part[: 4 * MAX_CHARACTERS].split("\0")  # cut before it is cleaned, which makes it shorter
        texts += [clean[:MAX_CHARACTERS] for piece in pieces if (clean := _clean(piece))]
    return texts


def _clean(text: str) -> str:
    """One line without control characters."""
    printable = (" " if unicodedata.category(letter) in ("Cc", "Cs") else letter for letter in _as_meant(text))
    return " ".join("".join(printable).split())


def _as_meant(text: str) -> str:
    """UTF-8 or Windows-1252 that was declared Latin-1, read as what it is; other text unchanged."""
    for encoding, suspicious in (("utf-8", "[\x80-\xff]"), ("cp1252", "[\x80-\x9f]")):
        if re.search(suspicious, text):
            try:
                return text.encode("latin-1").decode(encoding)
            except UnicodeError:
                continue
    return text


def _all(tags: dict[str, list[str]], names: tuple[str, ...]) -> Iterator[str]:
    return (text for name in names for text in tags.get(name, ()))


def _numbers(texts: Iterator[str], low: float, high: float) -> Iterator[float]:
    """The first number of each text, with a decimal point or comma, if it is from ``low`` to ``high``."""
    for text in texts:
        match = _NUMBER.search(text)
        if match and low <= (number := float(match[0].replace(",", "."))) <= high:
            yield number
