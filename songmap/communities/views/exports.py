"""The graph for other programs: GraphML, and CSV files of its songs and edges.

Files are written as they are made, since a graph can have millions of edges.
"""

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
import pandas as pd

from songmap.communities.graph_results import Communities, SongGraph
from songmap.core.files import write_atomically
from songmap.core.tables import CsvKind, csv_lines
from songmap.core.text import one_line
from songmap.core.workspace import Workspace
from songmap.library.display_names import display_titles

NAME = "song_graph"
MAX_EDGES = 1_000_000  # in files, of about 70 and 20 MB
_AT_ONCE = 10_000  # edges that become Python's numbers
_NOT_XML = dict.fromkeys((0xFFFE, 0xFFFF), "\ufffd")  # what is left of names that XML cannot hold
_NODE_TYPES = {
    "title": "string", "artist": "string", "genre": "string", "file_path": "string", "community": "int",
    "strength": "double", "n_neighbours": "int",
}  # fmt: skip


def write_graph(
    workspace: Workspace, songs: pd.DataFrame, graph: SongGraph, communities: Communities, csv_kind: CsvKind
) -> list[Path]:
    """Write joined songs and their edges as GraphML and as two CSV tables; the files' paths.

    A song's id is its row in the library; communities are numbered from 1, as everywhere people see them.
    """
    nodes, edges = _nodes(songs, graph, communities), _edges(graph)
    files = {
        workspace.table(NAME).with_suffix(".graphml"): _graphml(nodes, edges),
        workspace.table(f"{NAME}_songs"): csv_lines([["id", *_NODE_TYPES], *([row, *one.values()] for row, one in nodes)], csv_kind),
        workspace.table(f"{NAME}_edges"): _edge_lines(edges),
    }  # fmt: skip
    for path, lines in files.items():
        write_atomically(path, partial(_write_lines, lines))
    return list(files)


def _nodes(songs: pd.DataFrame, graph: SongGraph, communities: Communities) -> list[tuple[int, dict[str, Any]]]:
    """Row and attributes of each joined song."""
    rows = np.flatnonzero(graph.is_joined)
    strength, degrees = graph.strengths, np.diff(graph.weights.indptr)
    own = songs.iloc[rows]
    texts = zip(display_titles(own), own["artist"], own["genre"], own["file_path"], strict=True)
    return [
        (int(row), dict(zip(_NODE_TYPES, (*map(one_line, text), int(communities.labels[row]) + 1, float(strength[row]), int(degrees[row])), strict=True)))
        for row, text in zip(rows, texts, strict=True)
    ]  # fmt: skip


def _edges(graph: SongGraph) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ends, the first before the second, and weight of each edge; of more than ``MAX_EDGES`` the strongest, earlier ones of equals."""
    weights = graph.weights
    rows = np.repeat(np.arange(weights.shape[0], dtype=np.int32), np.diff(weights.indptr))
    places = np.flatnonzero(weights.indices > rows)
    if len(places) > MAX_EDGES:
        places = np.sort(places[np.argsort(-weights.data[places], kind="stable")[:MAX_EDGES]])
    return rows[places], weights.indices[places], weights.data[places]


def _texts(edges: tuple[np.ndarray, np.ndarray, np.ndarray]) -> Iterator[tuple[int, int, str]]:
    """Ends and weight, as written, of each edge."""
    for start in range(0, len(edges[0]), _AT_ONCE):
        for first, second, weight in zip(*(one[start : start + _AT_ONCE].tolist() for one in edges), strict=True):
            yield first, second, f"{weight:.6g}"


def _edge_lines(edges: tuple[np.ndarray, np.ndarray, np.ndarray]) -> Iterator[str]:
    """CSV: of numbers alone, which need no care."""
    yield "source,target,weight"
    for first, second, weight in _texts(edges):
        yield f"{first},{second},{weight}"


def _graphml(
    nodes: list[tuple[int, dict[str, Any]]], edges: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">'
    for name, kind in _NODE_TYPES.items():
        yield f'<key id="{name}" for="node" attr.name="{name}" attr.type="{kind}"/>'
    yield '<key id="weight" for="edge" attr.name="weight" attr.type="double"/>'
    yield '<graph edgedefault="undirected">'
    for row, values in nodes:
        yield f'<node id="{row}">'
        for name, value in values.items():
            yield f'<data key="{name}">{escape(str(value).translate(_NOT_XML))}</data>'
        yield "</node>"
    for first, second, weight in _texts(edges):
        yield f'<edge source="{first}" target="{second}"><data key="weight">{weight}</data></edge>'
    yield "</graph>"
    yield "</graphml>"


def _write_lines(lines: Iterable[str], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        stream.writelines(f"{line}\n" for line in lines)
