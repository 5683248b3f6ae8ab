"""The files that 08 leaves: pages, tables, the graph for other programs, everything as JSON; playlists are beside them."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from songmap.communities.graph_results import CommunityFacts, GraphDrawing, PlaylistCommunities
from songmap.communities.results import SongCommunities, SongPlaces, WrittenFile
from songmap.communities.views import graph_page
from songmap.communities.views.exports import write_graph
from songmap.communities.views.page import communities_page
from songmap.core.files import write_atomically
from songmap.core.serialise import to_json
from songmap.core.tables import CsvKind, csv_lines
from songmap.core.workspace import Workspace

NAME = "song_communities"


def write_files(
    workspace: Workspace, result: SongCommunities, places: SongPlaces, songs: pd.DataFrame, csv_kind: CsvKind
) -> list[WrittenFile]:
    """Write page, table and report, and return where these and all that ``result`` names already are."""
    report = workspace.table(NAME).with_suffix(".json")
    written = [
        WrittenFile(workspace.page(NAME), "page"),
        WrittenFile(workspace.table(NAME), "table"),
        WrittenFile(report, "report"),
        *(WrittenFile(one.playlist, "playlist") for one in result.clusters),
        *result.written,
    ]
    write_atomically(workspace.page(NAME), communities_page(result, places).encode())
    names = ("song_name", "file_path", "genre", "artist", "title", "album")
    columns = {name: songs[name].tolist() for name in names}
    columns |= {f"cluster_{space}": (labels + 1).tolist() for space, labels in places.clusters.items()}
    columns["community"] = [label + 1 if label >= 0 else "" for label in places.communities.tolist()]
    lines = csv_lines([list(columns), *zip(*columns.values(), strict=True)], csv_kind)
    write_atomically(workspace.table(NAME), "".join(f"{line}\n" for line in lines).encode())
    write_atomically(report, (to_json(replace(result, written=written)) + "\n").encode())
    return written


def write_graph_files(
    workspace: Workspace,
    found: PlaylistCommunities,
    drawing: GraphDrawing,
    facts: Sequence[CommunityFacts],
    songs: pd.DataFrame,
    csv_kind: CsvKind,
) -> list[WrittenFile]:
    """Write the graph's page, GraphML and tables, and return where they are."""
    page = workspace.page(graph_page.NAME)
    write_atomically(page, graph_page.graph_page(found, drawing, facts, songs, f"{NAME}.html").encode())
    graph = write_graph(workspace, songs, found.pruned, found.communities, csv_kind)
    return [WrittenFile(page, "graph_page"), *(WrittenFile(path, "graph") for path in graph)]
