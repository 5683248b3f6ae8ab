"""The genre of every song and its further labels, by folder, by tag or by a CSV file.

folder: ``GENRE/Artist/Album/song``. The folder directly below the music folder is the genre, in upper case;
    the next two fill artist and album where the tags have none. Discs (``CD1``) are not albums, ``Various
    Artists`` is not an artist. ``blues.00001.wav``, GTZAN's naming, means BLUES directly in the music folder and
    in a folder ``blues`` however deep.
tag: the file's own genre tag, the first if there are several.
FILE.csv: a row per song, with a column that names the file and one that names the genre; FMA's
    ``tracks.csv`` is read as it is. Columns called artist, title, album, album_artist, year, key, isrc or
    musicbrainz_id win over the tags where they are not empty; all others are kept as text under their own
    names, with ``label_`` before a name that the table of songs has a meaning for.

Genres are in upper case; a song without one is UNKNOWN.
"""

import csv
import io
import logging
import re
import statistics
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from songmap.core.errors import UsageError
from songmap.core.text import readable
from songmap.extract.files import SongFile, music_root
from songmap.extract.label_rows import match_rows
from songmap.library.names import artist_name
from songmap.library.schema import SONG_COLUMNS, UNKNOWN_GENRE

_log = logging.getLogger(__name__)

_GTZAN_STEM = re.compile(r"([^\W\d_][\w&' -]*)\.\d{5}")
_DISC = re.compile(
    r"(cd|dis[ck]|disque|dvd)([\s._-]*\d{1,3}|[\s._-]+([a-d]|[ivx]{1,4}))(\s*[-–:(\[].*)?", re.IGNORECASE
)
# between several genres in one text; an unspaced slash belongs to the name: HIP-HOP/RAP
_BETWEEN_GENRES = re.compile(r";|\0|\\\\|//|\s[/|]\s")

# in order of preference; compared in lower case, blanks and hyphens as underscores
_FILE_HEADERS = (
    "path", "file_path", "filepath", "audio_path", "file", "filename", "file_name", "audio", "track_id", "song_id",
    "id", "track", "song", "name",
)  # fmt: skip
_GENRE_HEADERS = (
    "genre", "genre_top", "track_genre_top", "top_genre", "main_genre", "genres",
    "label", "labels", "class", "category", "style",
)  # fmt: skip
_OVERRIDING = ("artist", "title", "album", "album_artist", "year", "key", "isrc", "musicbrainz_id")
_OTHER_NAMES = {"artist_name": "artist", "track_title": "title", "album_title": "album"}  # FMA's


def label_songs(paths: Sequence[Path], music: Path, labels: str) -> list[SongFile]:
    """Label the songs of a music folder.

    Parameters
    ----------
    paths : sequence of Path, (n_songs,)
        The files of ``find_songs(music)``.
    music : Path
        The music folder, or a single file.
    labels : str
        ``auto``, ``folder``, ``tag`` or the path of a CSV file. ``auto`` is ``folder`` until tags are known, see
        ``songmap.extract.label_source``.

    Returns
    -------
    list of SongFile, (n_songs,)
        In the order of ``paths``.

    Raises
    ------
    UsageError
        For a CSV file that cannot be used, names a song ambiguously or fits none.
    """
    if labels in ("auto", "folder"):
        return _by_folder(paths, music_root(music))
    if labels == "tag":
        return [SongFile(path, "") for path in paths]
    return _by_csv(paths, music_root(music), Path(labels))


def label_record(record: dict[str, Any], song: SongFile) -> dict[str, Any]:
    """The record of a file's tags and measurements, completed by the labels and defaults of ``song``."""
    defaults = {name: text for name, text in song.defaults.items() if not record[name]}
    return record | defaults | song.labels | {"genre": song.genre or genre_of_tag(record["tag_genre"])}


def genre_of_tag(text: str) -> str:
    """The first genre that a text names, in upper case; UNKNOWN if it names none."""
    names = (" ".join(name.split()) for name in _BETWEEN_GENRES.split(unicodedata.normalize("NFC", text)))
    return next((name.upper() for name in names if name), UNKNOWN_GENRE)


def _by_folder(paths: Sequence[Path], root: Path) -> list[SongFile]:
    songs = []
    uppers = set()
    for path in paths:
        *folders, name = (unicodedata.normalize("NFC", readable(part)) for part in path.relative_to(root).parts)
        gtzan = _GTZAN_STEM.fullmatch(name.rpartition(".")[0])
        if gtzan and (not folders or folders[-1].casefold() == gtzan[1].casefold()):
            songs.append(SongFile(path, gtzan[1].upper()))
            folders = []
        else:
            genre = folders[0].upper() if folders else UNKNOWN_GENRE
            by_tag = SongFile(path, "", defaults=_places(folders))
            songs.append(SongFile(path, genre, defaults=_places(folders[1:]), by_tag=by_tag))
        uppers.add(tuple(folders[:2]))
    # one folder that holds only folders: a genre with artists, or --music one level too high?
    if len(uppers) > 1 and all(len(upper) == 2 for upper in uppers) and len({upper[0] for upper in uppers}) == 1:
        folder = next(iter(uppers))[0]
        _log.warning(
            "all songs are of genre %s, the only folder in %s; if the folders in it are the genres, give --music %s",
            folder.upper(), root, root / folder,
        )  # fmt: skip
    return songs


def _places(folders: Sequence[str]) -> dict[str, str]:
    """Artist and album from the folders between the genre and the song."""
    places = [folder for folder in folders if not _DISC.fullmatch(folder)]
    defaults = dict(zip(("artist", "album"), places, strict=False))
    if "artist" in defaults and not artist_name(defaults["artist"]):
        del defaults["artist"]
    return defaults


def _by_csv(paths: Sequence[Path], root: Path, file: Path) -> list[SongFile]:
    names, rows = _read_csv(file)
    file_column, genre_column = _roles(file, names)
    label_names = _label_names(names, {file_column, genre_column})
    keys = [row[file_column].strip() for row in rows]
    genres = [genre_of_tag(row[genre_column]) for row in rows]
    row_of, left_over = match_rows(paths, root, file, keys, genres)
    if not row_of:
        raise UsageError(
            f"no row of {file} names a song below {root}: its column {names[file_column]!r} begins with "
            f"{next(filter(None, keys), '')!r}, the first song is {paths[0].relative_to(root)}"
        )

    def warn(message: str, left: Sequence[Path | str]) -> None:
        if left:
            _log.warning(f"{message}: %d, the first is %s", file, len(left), left[0])

    warn("songs without a row in %s, of genre UNKNOWN", [path for path in paths if path not in row_of])
    warn("songs without a genre in %s", [path for path, row in row_of.items() if genres[row] == UNKNOWN_GENRE])
    warn("rows of %s without a song", [keys[row] for row in left_over])
    songs = {path: SongFile(path, genres[row], dict(_labels(rows[row], label_names))) for path, row in row_of.items()}
    return [songs.get(path) or SongFile(path, UNKNOWN_GENRE) for path in paths]


def _read_csv(file: Path) -> tuple[list[str], list[tuple[str, ...]]]:
    """Column names and rows, all text. Raises UsageError for what is not a table."""
    import pandas as pd

    try:
        text = file.read_bytes().decode("utf-8-sig")
        table = pd.read_csv(io.StringIO(text), sep=_delimiter(text), header=None, dtype=object, na_filter=False)
    except OSError as error:
        raise UsageError(
            f"labels {file} cannot be read ({error.strerror}); give folder, tag or a CSV file of songs and genres"
        ) from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} is not UTF-8 text (byte {error.start + 1}); save it as CSV UTF-8") from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise UsageError(f"{file} is not a CSV table: {error}") from error
    if len(table.columns) < 2:
        raise UsageError(f"{file} has one column; songs and genres are needed, separated by comma, semicolon or tab")
    rows = list(zip(*(table[column].tolist() for column in table.columns), strict=True))
    return _split_header(rows)


def _delimiter(text: str) -> str:
    """The sign that splits most of the first rows into most columns."""

    def columns(delimiter: str) -> tuple[float, int]:
        lines = io.StringIO(text[: 1 << 16], newline="")  # a row cut off there is outvoted
        counts = [len(row) for row in islice(csv.reader(lines, delimiter=delimiter), 20) if row]
        return statistics.median_low(counts or [0]), counts[0] if counts else 0

    return max("\t;,", key=columns)


def _split_header(rows: list[tuple[str, ...]]) -> tuple[list[str], list[tuple[str, ...]]]:
    """FMA's three rows of header, one row, or none, which means file and genre come first."""
    if len(rows) > 2 and not rows[0][0] and not rows[1][0] and _plain(rows[2][0]) in _FILE_HEADERS:
        upper, lower = rows[0][1:], rows[1][1:]
        return [rows[2][0], *(f"{group}_{name}" for group, name in zip(upper, lower, strict=True))], rows[3:]
    names = [" ".join(name.split()) or f"column_{number}" for number, name in enumerate(rows[0], 1)]
    if any(_plain(name) in (*_FILE_HEADERS, *_GENRE_HEADERS) for name in names):
        return names, rows[1:]
    return ["file", "genre", *(f"column_{number}" for number in range(3, len(names) + 1))], rows


def _plain(name: str) -> str:
    return re.sub(r"[\s-]+", "_", name.strip().casefold())


def _roles(file: Path, names: Sequence[str]) -> tuple[int, int]:
    """Indices of the columns with the file and with the genre."""
    plain = [_plain(name) for name in names]
    named = next((plain.index(name) for name in _FILE_HEADERS if name in plain), None)
    genre = next((plain.index(name) for name in _GENRE_HEADERS if name in plain), None)
    if named is None:
        named = 1 if genre == 0 else 0
    if genre is None and len(names) == 2:
        genre = 1 - named
    if genre is None:
        raise UsageError(f"{file} has no column of genres among {', '.join(names)}; name one of them genre")
    return named, genre


def _label_names(names: Sequence[str], taken: set[int]) -> dict[int, str]:
    """Under which name each further column is kept."""
    kept: dict[int, str] = {}
    for column, name in enumerate(names):
        if column in taken:
            continue
        meaning = _OTHER_NAMES.get(_plain(name), _plain(name))
        name = meaning if meaning in _OVERRIDING and meaning not in kept.values() else name
        if name in SONG_COLUMNS and (name not in _OVERRIDING or name in kept.values()):
            name = f"label_{name}"
        while name in kept.values():
            name += "_2"
        kept[column] = name
    return kept


def _labels(row: Sequence[str], names: dict[int, str]) -> Iterator[tuple[str, str | float]]:
    for column, name in names.items():
        text = " ".join(row[column].split())
        if name != "year":
            if text:
                yield name, text
        elif year := re.search(r"\b\d{4}\b", text):
            yield name, float(year[0])
