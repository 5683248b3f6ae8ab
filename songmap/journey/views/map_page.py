"""The maps as pages: one HTML file each that opens from disk without a network, light or dark.

All data of the songs goes into the page once, as one table (``_song_table``): strings in shared lists,
numbers as little-endian arrays in base64. ``map_table.js`` reads it, ``map_similar.js`` finds neighbours,
``map_plot.js`` lets plotly draw the points, ``map_labels.js`` names them, ``map_queue.js`` plays songs in an order,
``map_page.js`` shows the rest; names from files and tags become text there, never HTML. ``map_page.html`` is the
template, ``map_page.css`` the look.
"""

import base64
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from songmap.core.figures import SEQUENTIAL_MAP
from songmap.core.files import write_atomically
from songmap.core.pages import render
from songmap.core.text import count_of_songs
from songmap.journey.results import Cluster, Colouring, MapSongs, Projection
from songmap.journey.views.map_figure import cube_limits, plane_limits
from songmap.journey.views.summary import cluster_in_words, genre_rows, space_in_words, trust_in_words
from songmap.library.display_names import display_titles
from songmap.library.keys import ESTIMATE, key_name
from songmap.library.palette import FAMILY_COLOURS, Look, genre_colours, genre_markers, key_look, looks
from songmap.library.schema import FAMILIES, UNKNOWN_GENRE
from songmap.library.spaces import coordinates_of
from songmap.library.trait_words import MEANING

MAX_FAMILY_SONGS = 10_000  # of more the unit vectors would make the page larger by more than 30 %
_N_SCALE_STOPS = 11
_COLOURING_NAMES = {
    "confidence": "confidence of the genre model",
    **{family: f"{family}, first component" for family in FAMILIES},
}


def write_map_page(path: Path, projection: Projection, map_songs: MapSongs, other_page: str = "") -> Path:
    """Write the page of a map in two or three dimensions.

    Parameters
    ----------
    path : Path
        Audio files are named relative to its folder.
    projection : Projection
    map_songs : MapSongs
        The first of its colourings is shown first.
    other_page : str
        Name of the same map's page in the other number of dimensions, in the same folder; empty without one.

    Returns
    -------
    Path
        ``path``.
    """
    from plotly.offline import get_plotlyjs

    page = render(
        "journey/views/map_page.html",
        title=f"Map of {count_of_songs(projection.n_songs)}",
        method=projection.method,
        projected="157 descriptors per song" if projection.space == "balanced" else "a network's vectors",
        compared_by=space_in_words(projection),
        n_dimensions=projection.n_dimensions,
        other_page=other_page,
        trust=trust_in_words(projection),
        genre_rows=genre_rows(map_songs.genres),
        meaning=MEANING,
        songs=_song_table(projection, map_songs, path.parent),
        plotly=get_plotlyjs(),
    )
    # a byte of a file name that is not UTF-8 is a lone surrogate here; written \\udcXX it is what JSON reads as one
    write_atomically(path, page.encode("utf-8", "backslashreplace"))
    return path


def _song_table(projection: Projection, map_songs: MapSongs, page_folder: Path) -> dict[str, Any]:
    """All that the page's script knows."""
    from plotly.colors import sample_colorscale

    songs, neighbours = map_songs.songs, map_songs.neighbours
    paths = [str(path) for path in songs["file_path"]]
    sources = zip(map_songs.keys, map_songs.key_sources, strict=True)
    keys = [key_name(key) + ", estimated" * (source == ESTIMATE) for key, source in sources]
    genres = _shared(songs["genre"])
    limits = cube_limits if projection.n_dimensions == 3 else plane_limits
    return {
        "titles": display_titles(songs),
        "artists": _shared(songs["artist"]),
        "albums": _shared(songs["album"]),
        "genres": genres | _looks(genres["table"]),
        "keys": _shared(keys),
        "durations_s": _packed(songs["duration"], np.float32),
        "tempos_bpm": _packed(map_songs.tempos_bpm, np.float32),
        "years": _packed(songs["year"], np.float32),
        "coordinates": [_packed(axis, np.float32) for axis in projection.coordinates.T],
        "limits": limits(projection.coordinates).tolist(),
        "comparedBy": space_in_words(projection),
        "spaceOption": "" if projection.space == "balanced" else f" --space {projection.space}",
        "nNeighbours": neighbours.shape[1],
        "neighbours": _packed(neighbours, np.uint16 if len(songs) <= 2**16 else np.uint32),
        "similarities": _packed(map_songs.similarities, np.float32),
        "families": _families(map_songs.units)
        if projection.space == "balanced" and len(songs) <= MAX_FAMILY_SONGS
        else None,
        "copies": {row: first for row, first in enumerate(map_songs.recordings.tolist()) if row != first},
        "colourings": [_colouring(colouring, map_songs.clusters) for colouring in map_songs.colourings],
        "scale": sample_colorscale(SEQUENTIAL_MAP, _N_SCALE_STOPS),
    } | _places(paths, page_folder)


def _families(units: np.ndarray) -> dict[str, Any]:
    """Unit vectors ``(n_songs, 157)``, family by family: integers of 8 bits, and by what each song's family is scaled.

    A number is integer / 127 * scale / 255; similarities computed from them are exact to about 0.003.
    """
    integers, scales = [], []
    for family in FAMILIES:
        own = units[:, coordinates_of(family, described=True)].astype(np.float64)
        scale = np.ceil(255 * np.abs(own).max(axis=1, keepdims=True))
        integers.append(np.divide(127 * 255 * own, scale, out=np.zeros_like(own), where=scale > 0))
        scales.append(scale)
    return {
        "names": FAMILIES,
        "sizes": [own.shape[1] for own in integers],
        "colours": [FAMILY_COLOURS[family] for family in FAMILIES],
        "scales": _packed(np.minimum(np.hstack(scales), 255), np.uint8),
        "integers": _packed(np.clip(np.rint(np.hstack(integers)), -127, 127), np.int8),
    }


def _places(paths: Sequence[str], page_folder: Path) -> dict[str, Any]:
    """Where the files are, as one of ``folders`` / name below a folder that all share; ``fromPage`` leads to that from the page.

    Where no way leads there, since files are on several drives, ``fromPage`` is empty and folders are absolute.
    """
    folders = [os.path.dirname(path) for path in paths]  # noqa: PTH120 - a Path costs 20 times as much
    try:
        base = os.path.commonpath(folders)
        from_page = os.path.relpath(base, Path(page_folder).absolute())
    except ValueError:  # several drives
        base, from_page = "", ""
    tails = {folder: folder[len(base) :].lstrip(os.sep) for folder in set(folders)}
    return {
        "separator": os.sep,
        "fromPage": from_page,
        "folders": _shared(tails[folder] for folder in folders),
        "names": [os.path.basename(path) for path in paths],  # noqa: PTH119
    }


def _colouring(colouring: Colouring, clusters: Sequence[Cluster]) -> dict[str, Any]:
    name = _COLOURING_NAMES.get(colouring.name, colouring.name)
    about = {"name": name, "kind": colouring.kind, "unit": colouring.unit}
    if colouring.kind == "number":
        return about | {"values": _packed(colouring.values, np.float32)}
    if colouring.kind == "cluster":
        table = [cluster_in_words(number, cluster) for number, cluster in enumerate(clusters, start=1)]
        return about | {"table": table, "index": _packed(colouring.values - 1, np.uint8)} | _columns(looks(len(table)))
    if colouring.kind == "key":
        shared = _shared(key_name(key) or UNKNOWN_GENRE for key in colouring.values)  # in natural order round the wheel
        of_name = {key_name(key) or UNKNOWN_GENRE: key_look(key) for key in colouring.values}
        return about | shared | _columns([of_name[name] for name in shared["table"]])
    shared = _shared(colouring.values)
    return about | shared | _looks(shared["table"])


def _looks(names: Sequence[str]) -> dict[str, list[str]]:
    """Colour and plotly's marker of each genre, as everywhere; the unknown one's is grey."""
    colours, markers = genre_colours(names), genre_markers(names, plotly=True)
    return {"colours": [colours[name] for name in names], "markers": [markers[name] for name in names]}


def _columns(looks: Sequence[Look]) -> dict[str, list[str]]:
    return {"colours": [colour for colour, _, _ in looks], "markers": [marker for _, _, marker in looks]}


def _shared(values: Iterable[object]) -> dict[str, Any]:
    """Each different text once, in natural order ("2" before "10"), and its number for every song."""
    texts = [str(value) for value in values]
    table = sorted(set(texts), key=_natural)
    number = {text: index for index, text in enumerate(table)}
    small = np.uint8 if len(table) <= 2**8 else np.uint16 if len(table) <= 2**16 else np.uint32
    return {"table": table, "index": _packed([number[text] for text in texts], small)}


def _natural(text: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d{1,9})", text)]


def _packed(values: Any, dtype: type[np.generic]) -> dict[str, str]:
    """Numbers as the script's typed array of that name, rows one after the other."""
    array = np.ascontiguousarray(np.asarray(values, dtype=dtype).ravel())
    kinds = {"u": "Uint", "i": "Int", "f": "Float"}
    name = "".join((kinds[array.dtype.kind], str(8 * array.itemsize), "Array"))
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return {"type": name, "base64": base64.b64encode(little.tobytes()).decode("ascii")}
