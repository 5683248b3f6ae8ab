"""The files that 03 leaves in outputs/: tables, pictures, the report as a page and as JSON.

What an earlier run left and this one has nothing for is removed: it would describe another model.
"""

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from songmap.core.figures import draw
from songmap.core.files import write_atomically
from songmap.core.serialise import to_json
from songmap.core.text import readable, shorten
from songmap.core.workspace import Workspace
from songmap.genre import pictures, reason_pictures
from songmap.genre.models import CANDIDATES, DEFAULT
from songmap.genre.report_page import report_page
from songmap.genre.scores import confusion
from songmap.genre.shapley import Attribution, component_names
from songmap.genre.trained import WITH_COMPONENTS, Trained
from songmap.genre.words import SongCase
from songmap.library.schema import FAMILIES

_N_DRAWN = 15  # songs in the picture of boundary songs
_N_DEPENDENCE = 4  # components whose dependence is drawn

Picture = tuple[str, Callable[..., Any], tuple[Any, ...]]


def write_all(
    workspace: Workspace,
    trained: Trained,
    document: dict[str, Any],
    case: SongCase,
    attribution: Attribution,
    rows: list[int],
) -> list[dict[str, str]]:
    """Write everything and return records of ``file`` and what it ``shows``.

    ``attribution`` is of the library's ``rows`` by the components.
    """
    genres = trained.material.genres
    written = [
        {"file": str(workspace.model), "shows": "the model; its card is the .json beside it"},
        *_write_tables(workspace.outputs, document, genres),
    ]
    drawn = {}
    for name, (shows, function, arguments) in _pictures(trained, document, case, attribution, rows).items():
        path = draw(function, workspace.plots / f"genre_{name}.png", *arguments)
        drawn[name] = (path.read_bytes(), shows)
        written.append({"file": str(path), "shows": shows})
    page, machine = workspace.html / "genre_report.html", workspace.outputs / "genre_report.json"
    written += [
        {"file": str(page), "shows": "everything on one page"},
        {"file": str(machine), "shows": "the same for programs"},
    ]
    write_atomically(page, report_page(document, drawn).encode())
    write_atomically(machine, (readable(to_json(document | {"written": written})) + "\n").encode())
    return written


def _write_tables(folder: Path, document: dict[str, Any], genres: Sequence[str]) -> list[dict[str, str]]:
    written = []
    for name, records, shows in (
        (
            "boundary_songs.csv",
            document["boundary_songs"],
            "songs learned from, the least certain first (at most 10,000)",
        ),
        ("doubtful_labels.csv", document["doubtful_labels"], "songs whose label may be wrong, to listen to"),
        ("unknown_songs.csv", document["unknown_songs"], "songs without a genre, classified"),
        ("genres_all_songs.csv", document["all_songs"], "every song with its genre and the families' points"),
    ):
        path = folder / name
        if not records:
            path.unlink(missing_ok=True)
            continue
        _write_table(path, [_flat(record, genres) for record in records])
        written.append({"file": str(path), "shows": shows})
    return written


def _write_table(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Records as CSV, numbers with six decimals."""
    text = io.StringIO()
    table = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    table.writeheader()
    for row in rows:
        table.writerow({key: f"{value:.6f}" if isinstance(value, float) else value for key, value in row.items()})
    write_atomically(path, readable(text.getvalue()).encode())


def _flat(record: dict[str, Any], genres: Sequence[str]) -> dict[str, Any]:
    """A record as a row of cells: a set as "A or B", probabilities in a column for each genre at the end."""
    row = {key: " or ".join(value) if isinstance(value, list) else value for key, value in record.items()}
    found = row.pop("probabilities", None)
    return row | ({f"probability_{genre}": found[genre] for genre in genres} if found else {})


def _pictures(
    trained: Trained, document: dict[str, Any], case: SongCase, attribution: Attribution, rows: list[int]
) -> dict[str, Picture]:
    """What to draw by name: what it shows, the function, its arguments."""
    material = trained.material
    genres, labels, found, test = material.genres, material.labels, trained.found, trained.plan.test
    palette = sorted(set(trained.library.genres))
    crossed = trained.plan.development
    matrices = {
        "Cross-validation": confusion(labels[crossed], found[crossed].argmax(axis=1), len(genres)),
        f"{len(test)} test songs": confusion(labels[test], found[test].argmax(axis=1), len(genres)),
    }
    least = document["boundary_songs"][:_N_DRAWN]
    between = np.array([[record["probabilities"][genre] for genre in genres] for record in least])
    names = [f"{shorten(record['song_name'], 32)} [{record['genre']}]" for record in least]
    points = np.array([[record[family] for family in FAMILIES] for record in document["families"]])
    predicted = genres[case.predicted]
    title = (
        f"{shorten(case.song['song_name'], 60)}: {predicted} {100 * case.probabilities.max():.0f} %, "
        f"judged by {case.judge.rstrip(',')}"
    )
    components = component_names(trained.components)
    served = trained.learned.name in WITH_COMPONENTS
    whose = CANDIDATES[trained.learned.name if served else DEFAULT].title + (
        "" if served else " (not the served model)"
    )
    return {
        "candidates": (
            "all candidates on the same songs", pictures.candidates_picture, (document["candidates"], document["chosen"])
        ),
        "confusion": ("which genres are mistaken for which; of a repeated cross-validation the first", pictures.confusion_picture, (matrices, genres)),
        "reliability": (
            "whether probabilities keep their word: one model per song, test songs too", pictures.reliability_picture, (document["reliability"]["bins"], document["reliability"]["error"])
        ),
        "families": (
            "what each family of columns adds, by genre", reason_pictures.families_picture, (points, genres)
        ),
        "family_waterfall": (
            "one song explained by families", reason_pictures.waterfall_picture,
            (
                100 * case.pushes, 100 * float(case.families.base[case.predicted]), FAMILIES, title,
                f"probability of {predicted} in points", "families of columns; the base is the background songs' average", 1,
            ),
        ),
        "shap_bar": (
            "components by influence", reason_pictures.importance_picture,
            (attribution.importance, components, genres, palette, whose),
        ),
        "shap_beeswarm": (
            "every song's SHAP values", reason_pictures.beeswarm_picture,
            (attribution.values, attribution.scores, components, genres, whose),
        ),
        "shap_dependence": (
            "the strongest components, song by song", reason_pictures.dependence_picture,
            (_panels(attribution, components, genres), trained.library.genres[rows], genres, palette, whose),
        ),
        "shap_waterfall": (
            "one song explained by components", reason_pictures.waterfall_picture,
            (
                case.towards, float(case.attribution.base[case.predicted]), case.components, title,
                f"margin towards {predicted}", f"components of {whose}; words describe a positive score", 2,
            ),
        ),
        "boundary_songs": ("songs between genres", pictures.boundary_picture, (between, names, genres, palette)),
    }  # fmt: skip


def _panels(
    attribution: Attribution, components: Sequence[str], genres: Sequence[str]
) -> list[tuple[np.ndarray, np.ndarray, str, str]]:
    """The strongest components, each towards the genre that it moves most; of two genres the second."""
    panels = []
    for index in reason_pictures.strongest(attribution.importance)[:_N_DEPENDENCE]:
        side = 1 if len(genres) == 2 else int(attribution.importance[index].argmax())
        panels.append(
            (attribution.scores[:, index], attribution.values[:, index, side], components[index], genres[side])
        )
    return panels
