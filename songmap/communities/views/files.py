"""The files that 08 leaves: the page, a table of songs, everything as JSON; playlists are written beside them."""

from dataclasses import replace

from songmap.communities.results import SongCommunities, SongPlaces, WrittenFile
from songmap.communities.views.page import communities_page
from songmap.core.files import write_atomically
from songmap.core.serialise import to_json
from songmap.core.tables import CsvKind, csv_lines
from songmap.core.workspace import Workspace
from songmap.library.library import Library

NAME = "song_communities"


def write_files(
    workspace: Workspace, result: SongCommunities, places: SongPlaces, library: Library, csv_kind: CsvKind
) -> list[WrittenFile]:
    """Write all of them, and return where they are."""
    report = workspace.table(NAME).with_suffix(".json")
    written = [
        WrittenFile(workspace.page(NAME), "page"),
        WrittenFile(workspace.table(NAME), "table"),
        WrittenFile(report, "report"),
        *(WrittenFile(one.playlist, "playlist") for one in result.clusters),
    ]
    write_atomically(workspace.page(NAME), communities_page(result, places, None).encode())
    names = ("song_name", "file_path", "genre", "artist", "title", "album")
    columns = {name: library.songs[name].tolist() for name in names}
    columns |= {f"cluster_{space}": (labels + 1).tolist() for space, labels in places.clusters.items()}
    columns["community"] = [label + 1 if label >= 0 else "" for label in places.communities.tolist()]
    lines = csv_lines([list(columns), *zip(*columns.values(), strict=True)], csv_kind)
    write_atomically(workspace.table(NAME), "".join(f"{line}\n" for line in lines).encode())
    write_atomically(report, (to_json(replace(result, written=written)) + "\n").encode())
    return written
