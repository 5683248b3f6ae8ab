"""The maps as pages: one HTML file each that opens from disk without a network, light or dark.

Everything known of the songs goes into the page once, as one table (``_song_table``): strings in shared lists,
numbers as little-endian arrays in base64. ``map_table.js`` reads it, ``map_plot.js`` lets plotly draw the points,
``map_page.js`` shows the rest; names from files and tags become text there, never HTML. ``map_page.css`` is the look.
"""

import base64
import html
import json
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from songmap.core.figures import SEQUENTIAL_MAP
from songmap.core.files import write_atomically
from songmap.core.pages import html_page
from songmap.journey.projection import Projection, cube_limits, trust_in_words
from songmap.library.palette import genre_colours, genre_markers
from songmap.library.schema import UNKNOWN_GENRE

_SCRIPTS = ("map_table.js", "map_plot.js", "map_page.js")  # one after the other, in one scope
_N_SCALE_STOPS = 11


@dataclass(frozen=True)
class Colouring:
    """What points can be coloured and filtered by: a value for each song, NaN or "" where it is unknown."""

    name: str
    kind: Literal["genre", "category", "number"]
    values: Sequence[str] | Sequence[float]
    unit: str = ""


def write_map_page(
    path: Path,
    projection: Projection,
    songs: pd.DataFrame,
    colourings: Sequence[Colouring],
    neighbours: np.ndarray,
    similarities: np.ndarray,
    other_page: str = "",
) -> Path:
    """Write the page of a map of ``songs``, in two or three dimensions, to ``path``, which is returned.

    The first of ``colourings`` is shown first. ``neighbours`` ``(n_songs, k)`` are row numbers, nearest first,
    ``similarities`` ``(n_songs, k)`` theirs. Audio files are named relative to the page's folder. ``other_page`` is
    the name of the same map's page in the other number of dimensions, beside it.
    """
    from plotly.offline import get_plotlyjs

    folder = Path(__file__).parent
    style = (folder / "map_page.css").read_text(encoding="utf-8")
    script = "\n".join((folder / name).read_text(encoding="utf-8") for name in _SCRIPTS)
    n_songs, n_dimensions = projection.coordinates.shape
    title = f"Map of {n_songs:,} song{'s' * (n_songs != 1)}"
    other = f'<a href="{html.escape(other_page)}">See it in {5 - n_dimensions}D</a>' if other_page else ""
    table = _song_table(projection, songs, colourings, neighbours, similarities, path.parent)
    body = _BODY.format(
        title=title, method=html.escape(projection.method), other=other, trust=html.escape(trust_in_words(projection))
    )
    page = html_page(
        title,
        f"""{body}
<script type="application/json" id="songs">{_script_json(table)}</script>
<script>{get_plotlyjs()}</script>
<script>"use strict";
(() => {{
{script}
}})();</script>""",
        f"<style>{style}</style>",
    )
    # a byte of a file name that is no UTF-8 is a lone surrogate here; written \\udcXX it is what JSON reads as one
    write_atomically(path, page.encode("utf-8", "backslashreplace"))
    return path


_BODY = """<header>
<div class="headline"><h1>{title}</h1>
<p class="muted">Placed by {method} of 641 numbers per song: near each other means alike. {other}</p></div>
<div class="search"><input id="search" type="text" role="combobox" aria-expanded="false" aria-controls="found"
 aria-autocomplete="list" autocomplete="off" autocapitalize="off" spellcheck="false"
 aria-label="Find songs by title, artist, album or genre" placeholder="Find a song, artist, album or genre">
<div id="found" role="listbox" aria-label="Songs found" hidden></div></div>
</header>
<main>
<section class="plane" aria-label="Map">
<div class="tools"><label>Colour <select id="colouring"></select></label><span id="modes" role="group"
 aria-label="What dragging does"></span><span role="group" aria-label="View"><button id="nearer" title="Zoom in"
 aria-label="Zoom in">+</button><button id="farther" title="Zoom out" aria-label="Zoom out">−</button><button
 id="whole">Whole map</button></span></div>
<div id="map" tabindex="0" role="application"></div>
<div id="spot" hidden></div><div id="hover" hidden></div>
</section>
<section class="key" aria-label="Legend"><div id="legend"></div>
<p class="muted"><span id="count" role="status"></span> <button id="all" hidden>Show all</button></p></section>
<aside id="panel"><section id="card" aria-live="polite"></section><section id="selection" aria-live="polite"></section></aside>
<p class="trust muted"><b>How far to trust it.</b> {trust}</p>
</main>"""


def _song_table(
    projection: Projection,
    songs: pd.DataFrame,
    colourings: Sequence[Colouring],
    neighbours: np.ndarray,
    similarities: np.ndarray,
    page_folder: Path,
) -> dict[str, Any]:
    """All that the page's script knows."""
    from plotly.colors import sample_colorscale

    text = {name: [str(value) for value in songs[name]] for name in ("title", "song_name", "key", "file_path")}
    estimates = songs["key_estimate"] if "key_estimate" in songs else [""] * len(songs)
    keys = [
        key or (f"{estimate} (estimated)" if estimate else "")
        for key, estimate in zip(text["key"], estimates, strict=True)
    ]
    genres = _shared(songs["genre"])
    return {
        "titles": [title or name for title, name in zip(text["title"], text["song_name"], strict=True)],
        "artists": _shared(songs["artist"]),
        "albums": _shared(songs["album"]),
        "genres": genres | _looks(genres["table"]),
        "keys": _shared(keys),
        "durations_s": _packed(songs["duration"], np.float32),
        "tempos_bpm": _packed(songs["tempo_bpm"], np.float32),
        "years": _packed(songs["year"], np.float32),
        "coordinates": [_packed(axis, np.float32) for axis in projection.coordinates.T],
        "limits": _limits(projection.coordinates).tolist(),
        "nNeighbours": np.asarray(neighbours).shape[1],
        "neighbours": _packed(neighbours, np.uint16 if len(songs) <= 2**16 else np.uint32),
        "similarities": _packed(similarities, np.float32),
        "colourings": [_colouring(colouring) for colouring in colourings],
        "scale": sample_colorscale(SEQUENTIAL_MAP, _N_SCALE_STOPS),
    } | _places(text["file_path"], page_folder)


def _limits(coordinates: np.ndarray) -> np.ndarray:
    """Limits ``(n_dimensions, 2)`` of the axes: a cube in space; on the plane what holds all points, with a margin."""
    if coordinates.shape[1] == 3:
        return cube_limits(coordinates)
    low, high = coordinates.min(axis=0), coordinates.max(axis=0)
    margin = np.maximum(0.07 * (high - low), 1e-6)
    return np.stack([low - margin, high + margin], axis=1)


def _places(paths: Sequence[str], page_folder: Path) -> dict[str, Any]:
    """Where the files are, as ``base`` / one of ``folders`` / name; ``fromPage`` leads from the page to ``base``."""
    folders = [os.path.dirname(path) for path in paths]  # noqa: PTH120 - a Path costs 20 times as much
    try:
        base = os.path.commonpath(folders)
        from_page = os.path.relpath(base, Path(page_folder).absolute())
    except ValueError:  # several drives
        base, from_page = "", ""
    tails = {folder: folder[len(base) :].lstrip(os.sep) for folder in set(folders)}
    return {
        "separator": os.sep,
        "base": base,
        "fromPage": from_page,
        "folders": _shared(tails[folder] for folder in folders),
        "names": [os.path.basename(path) for path in paths],  # noqa: PTH119
    }


def _colouring(colouring: Colouring) -> dict[str, Any]:
    about = {"name": colouring.name, "kind": colouring.kind, "unit": colouring.unit}
    if colouring.kind == "number":
        return about | {"values": _packed(colouring.values, np.float32)}
    shared = _shared(str(value) or UNKNOWN_GENRE for value in colouring.values)
    return about | shared | _looks(shared["table"])


def _looks(names: Sequence[str]) -> dict[str, list[str]]:
    """Colour and plotly's marker of each name, as everywhere; the unknown one's is grey."""
    colours, markers = genre_colours(names), genre_markers(names, plotly=True)
    return {"colours": [colours[name] for name in names], "markers": [markers[name] for name in names]}


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
    name = "".join(("Uint" if array.dtype.kind == "u" else "Float", str(8 * array.itemsize), "Array"))
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return {"type": name, "base64": base64.b64encode(little.tobytes()).decode("ascii")}


def _script_json(document: Any) -> str:
    """JSON that cannot end the script element it stands in."""
    return json.dumps(document, allow_nan=False, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
