"""The files that an autoencoder leaves for people: the page, sounds, everything as JSON; the table of a grid."""

from dataclasses import replace

from songmap.communities.autoencoder_results import AutoencoderFile, AutoencoderReport, GridReport, Pictures
from songmap.communities.views.autoencoder_page import autoencoder_page
from songmap.communities.views.files import NAME as CLUSTERS
from songmap.core.files import write_atomically
from songmap.core.serialise import plain, to_json
from songmap.core.tables import CsvKind, csv_lines
from songmap.core.workspace import Workspace

NAME = "autoencoder"


def write_autoencoder(workspace: Workspace, report: AutoencoderReport, pictures: Pictures) -> AutoencoderReport:
    """Write all of them; the report with what is written."""
    page, document = workspace.page(NAME), workspace.table(NAME).with_suffix(".json")
    sounds = {
        workspace.outputs / NAME / f"{place}_{name}.flac": content
        for place, example in enumerate(pictures.examples, 1)
        for name, content in example.sounds.items()
    }
    written = [
        AutoencoderFile(page, "page"), AutoencoderFile(document, "report"),
        *(AutoencoderFile(path, "sound") for path in sounds), *report.written,
    ]  # fmt: skip
    report = replace(report, written=written)
    for path, content in sounds.items():
        write_atomically(path, content)
    write_atomically(page, autoencoder_page(report, pictures, workspace.page(CLUSTERS).name).encode())
    write_atomically(document, (to_json(report) + "\n").encode())
    return report


def write_grid(workspace: Workspace, report: GridReport, csv_kind: CsvKind) -> GridReport:
    """Write the grid's points as a table; the report with what is written."""
    path = workspace.table(f"{NAME}_grid")
    points = [plain(one) for one in report.points]
    lines = csv_lines([list(points[0]), *(one.values() for one in points)], csv_kind)
    write_atomically(path, "".join(f"{line}\n" for line in lines).encode())
    return replace(report, written=[AutoencoderFile(path, "grid")])
