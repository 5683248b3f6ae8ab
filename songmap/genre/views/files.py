"""The files that 03 leaves in outputs/: tables, figures, the report as a page and as JSON.

What an earlier run left and this one has nothing for is removed: it would describe another model.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from songmap.core.figures import draw
from songmap.core.files import write_atomically
from songmap.core.serialise import to_json
from songmap.core.tables import CsvKind
from songmap.core.workspace import Workspace
from songmap.genre.component_attribution import ComponentSample
from songmap.genre.results import GenreReport, WrittenFile
from songmap.genre.views import attribution_figures, figures
from songmap.genre.views.report_page import report_page
from songmap.genre.views.tables import write_songs

Figure = tuple[Callable[..., Any], tuple[Any, ...]]


def write_files(
    workspace: Workspace, report: GenreReport, sample: ComponentSample, csv_kind: CsvKind = "spreadsheet"
) -> list[WrittenFile]:
    """Write everything; ``sample`` are SHAP values for the figures of components; ``csv_kind`` as in ``csv_text``."""
    written = [WrittenFile(workspace.model, "model"), *_write_tables(workspace, report, csv_kind)]
    images = {}
    for name, (function, arguments) in figures_of(report, sample).items():
        path = draw(function, workspace.plots / f"genre_{name}.png", *arguments)
        images[name] = path.read_bytes()
        written.append(WrittenFile(path, f"plot_{name}"))
    page = workspace.page("genre_report")
    written += [WrittenFile(page, "report_page"), WrittenFile(workspace.genre_report, "report")]
    write_atomically(page, report_page(report, images).encode())
    document = to_json(replace(report, written=written)) + "\n"
    write_atomically(workspace.genre_report, document.encode())
    return written


def _write_tables(workspace: Workspace, report: GenreReport, csv_kind: CsvKind) -> list[WrittenFile]:
    tables: dict[str, list[Any]] = {
        "boundary_songs": report.boundary_songs,
        "label_issues": report.label_issues,
        "unknown_songs": report.unknown_songs,
        "genres_all_songs": report.all_songs,
    }
    workspace.table("doubtful_labels").unlink(missing_ok=True)  # what version 0.1 called label_issues
    written = []
    for name, songs in tables.items():
        path = workspace.table(name)
        if songs:
            write_songs(path, songs, csv_kind)
            written.append(WrittenFile(path, name))
        else:
            path.unlink(missing_ok=True)
    return written


def figures_of(report: GenreReport, sample: ComponentSample) -> dict[str, Figure]:
    """Functions that draw the figures, by name, and their arguments."""
    return {
        "candidates": (figures.candidates_figure, (report.candidates, report.choice.model)),
        "confusion": (figures.confusion_figure, (report.confusion,)),
        "reliability": (figures.reliability_figure, (report.reliability,)),
        "families": (attribution_figures.families_figure, (report.families,)),
        "family_waterfall": (attribution_figures.family_waterfall_figure, (report.song,)),
        "shap_bar": (attribution_figures.importance_figure, (report, sample)),
        "shap_beeswarm": (attribution_figures.beeswarm_figure, (report, sample)),
        "shap_dependence": (attribution_figures.dependence_figure, (report, sample)),
        "shap_waterfall": (attribution_figures.component_waterfall_figure, (report,)),
        "boundary_songs": (figures.boundary_figure, (report.boundary_songs, sample.library_genres)),
    }
