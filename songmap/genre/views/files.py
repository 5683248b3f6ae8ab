"""The files that 03 leaves: model, and in outputs/ tables, figures, the report as a page and as JSON.

They are replaced together. What an earlier run left and this one has nothing for is removed with them: it would
describe another model.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
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

_TABLES = {  # and the field of the report with their songs
    "boundary_songs": "boundary_songs",
    "label_issues": "label_issues",
    "unknown_songs": "unknown_songs",
    "genres_all_songs": "all_songs",
}
_FIGURES = (
    "candidates", "confusion", "reliability", "families", "family_waterfall", "shap_bar", "shap_beeswarm",
    "shap_dependence", "shap_waterfall", "boundary_songs",
)  # fmt: skip
_COMPONENT_FIGURES = (
    "shap_bar",
    "shap_beeswarm",
    "shap_dependence",
    "shap_waterfall",
)  # which the page shows as they are
Figure = tuple[Callable[..., Any], tuple[Any, ...]]


def files_of(workspace: Workspace) -> list[Path]:
    """All files that a run of 03 can leave, and those of earlier versions."""
    return [
        *(workspace.model, workspace.model_pickle, workspace.model_card, workspace.out_of_fold),
        *map(workspace.table, (*_TABLES, "doubtful_labels")),  # what version 0.1 called label_issues
        *(_plot(workspace, name) for name in _FIGURES),
        *(workspace.page("genre_report"), workspace.genre_report),
    ]


def write_files(
    new: Workspace,
    workspace: Workspace,
    report: GenreReport,
    sample: ComponentSample,
    csv_kind: CsvKind = "spreadsheet",
) -> GenreReport:
    """Write everything but the model below ``new``; ``sample`` are SHAP values for the figures of components.

    ``csv_kind`` is as in ``csv_text``. The report is returned with what was written, at the paths in ``workspace`` to which the files are then moved.
    """
    written = [WrittenFile(workspace.model, "model")]
    for name, field in _TABLES.items():
        if songs := getattr(report, field):
            write_songs(new.table(name), songs, csv_kind)
            written.append(WrittenFile(workspace.table(name), name))
    images = {}
    for name, (function, arguments) in figures_of(report, sample).items():
        images[name] = draw(function, _plot(new, name), *arguments).read_bytes()
        written.append(WrittenFile(_plot(workspace, name), f"plot_{name}"))
    written += [
        WrittenFile(workspace.page("genre_report"), "report_page"),
        WrittenFile(workspace.genre_report, "report"),
    ]
    write_atomically(
        new.page("genre_report"),
        report_page(report, {name: images[name] for name in _COMPONENT_FIGURES}, sample.library_genres).encode(),
    )
    report = replace(report, written=written)
    write_atomically(new.genre_report, (to_json(report) + "\n").encode())
    return report


def _plot(workspace: Workspace, name: str) -> Path:
    return workspace.plots / f"genre_{name}.png"


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
