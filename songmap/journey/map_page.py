"""The maps as pages: one HTML file each that opens from disk without a network, light or dark.

Names come from files and tags and are shown as text, never run: plotly reads a few HTML tags in
labels, so they are escaped for it; what goes into the page's own HTML is escaped for that.
"""

import html
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from songmap.core.artifacts import write_atomically
from songmap.core.style import genre_colours, genre_markers, html_page, shorten
from songmap.core.tables import format_duration
from songmap.journey.projection import Projection, cube_limits, trust_in_words

_PAGE_HEAD = """
<style>#map { width: 100%; height: 74vh; min-height: 26rem; } .js-plotly-plot .plotly .cursor-crosshair { cursor: default; }</style>
"""

# plotly draws with colours of its own; the page's go into it, at the start and whenever the scheme changes
_SCRIPT = """
const map = document.getElementById("map");
const scheme = matchMedia("(prefers-color-scheme: dark)");
function look() {
  const own = getComputedStyle(document.documentElement);
  const [text, muted, page, line] = ["--text", "--muted", "--page", "--line"].map((name) => own.getPropertyValue(name).trim());
  const changes = { "font.color": text, "hoverlabel.bgcolor": page, "hoverlabel.bordercolor": line, "hoverlabel.font.color": text,
    "modebar.bgcolor": "rgba(0,0,0,0)", "modebar.color": muted, "modebar.activecolor": text };
  for (const axis of AXES) {
    changes[axis + ".gridcolor"] = line;
    changes[axis + ".linecolor"] = line;
  }
  return changes;
}
// the page stays on this machine: no button that uploads; and a title between $ signs is a title
const settings = { responsive: true, displaylogo: false, showSendToCloud: false, plotlyServerURL: "", typesetMath: false };
Plotly.newPlot(map, FIGURE.data, FIGURE.layout, settings)
  .then(() => Plotly.relayout(map, look()))
  .then(() => scheme.addEventListener("change", () => Plotly.relayout(map, look())));
"""


def plotly_text(text: str) -> str:
    """``text`` so that plotly shows it as it is: it would read tags and entities, quotes it shows."""
    return html.escape(" ".join(text.split()), quote=False)


def hover_text(song: "pd.Series[object]") -> str:
    """Title, artist, genre, tempo and duration of one row of a song table, in plotly's HTML."""
    title, artist, genre = (
        shorten(str(text), 80) for text in (song["title"] or song["song_name"], song["artist"], song["genre"])
    )
    tempo_bpm, duration_s = float(song["tempo_bpm"]), float(song["duration"])
    facts = (
        plotly_text(artist) or "artist unknown",
        plotly_text(genre),
        f"{tempo_bpm:.1f} BPM" if tempo_bpm > 0 and math.isfinite(tempo_bpm) else "no tempo",
        format_duration(duration_s),
    )
    return "<br>".join((f"<b>{plotly_text(title)}</b>", *facts))


def map_page(projection: Projection, songs: pd.DataFrame) -> str:
    """The page of a map of ``songs``, in two or three dimensions; a genre is hidden by a click on its name."""
    from plotly.offline import get_plotlyjs

    n_dimensions = projection.coordinates.shape[1]
    title = f"{len(songs)} songs in {n_dimensions} dimensions"
    handling = (
        "Drag to turn, scroll to come nearer." if n_dimensions == 3 else "Drag to zoom in, double-click to zoom out."
    )
    axes = [f"scene.{name}axis" for name in "xyz"] if n_dimensions == 3 else ["xaxis", "yaxis"]
    body = f"""<h1>{html.escape(title)}</h1>
<p>Each point is a song, placed by {projection.method} of its 641 numbers: near each other means alike. Point at one
to see which it is. A click on a genre hides it, a double-click shows it alone. {handling}</p>
<p class="muted">{html.escape(trust_in_words(projection))}</p>
<div id="map"></div>
<script>{get_plotlyjs()}</script>
<script>
const FIGURE = {_script_json(_figure(projection, songs))};
const AXES = {_script_json(axes)};
{_SCRIPT}</script>"""
    return html_page(title, body, _PAGE_HEAD)


def write_map_page(path: Path, projection: Projection, songs: pd.DataFrame) -> Path:
    """Write ``map_page`` to ``path``, which is returned."""
    write_atomically(path, map_page(projection, songs).encode("utf-8", "backslashreplace"))
    return path


def _script_json(document: Any) -> str:
    """JSON that cannot end the script element it stands in."""
    return json.dumps(document, allow_nan=False).replace("<", "\\u003c")


def _figure(projection: Projection, songs: pd.DataFrame) -> dict[str, Any]:
    """Traces, one per genre, and layout, as plotly's JSON describes them."""
    genres = songs["genre"].to_numpy(dtype=object)
    n_dimensions = projection.coordinates.shape[1]
    colours, markers = genre_colours(genres), genre_markers(genres, plotly=True)
    hover = np.array([hover_text(song) for _, song in songs.iterrows()], dtype=object)
    data = []
    for genre in sorted(set(genres)):
        own = genres == genre
        points = dict(zip("xyz", projection.coordinates[own].round(4).T.tolist(), strict=False))
        look = {"color": colours[genre], "symbol": markers[genre], "size": 5 if n_dimensions == 3 else 10}
        data.append(
            points
            | {
                "type": "scatter3d" if n_dimensions == 3 else "scatter",
                "mode": "markers",
                "marker": look,
                "name": f"{plotly_text(shorten(genre, 28))} ({own.sum()})",
                "hoverinfo": "text",
                "hovertext": hover[own].tolist(),
            }
        )
    axes = {
        f"{axis}axis": {"title": {"text": f"{projection.method} {number}"}, "showticklabels": False, "zeroline": False}
        for number, axis in enumerate("xyz"[:n_dimensions], start=1)
    }
    if n_dimensions == 3:
        for name, (low, high) in zip(axes, cube_limits(projection.coordinates).tolist(), strict=True):
            axes[name] |= {"showspikes": False, "range": [low, high]}
        axes = {"scene": axes | {"aspectmode": "cube", "camera": {"eye": {"x": 1.4, "y": 1.4, "z": 1.1}}}}
    else:
        axes["yaxis"]["scaleanchor"] = "x"
    layout = {
        "showlegend": True,
        "hovermode": "closest",
        "hoverlabel": {"align": "left"},
        "margin": {"l": 40, "r": 10, "t": 30, "b": 40},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
    }
    return {"data": data, "layout": layout | axes}
