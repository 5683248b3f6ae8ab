"""The files that 06 leaves: the page, tables, and everything as JSON."""

from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from songmap.compare.results import Comparison, VariantScores, WrittenFile
from songmap.compare.views.page import comparison_page
from songmap.core.files import write_atomically
from songmap.core.serialise import to_json
from songmap.core.tables import CsvKind, csv_lines
from songmap.core.text import readable
from songmap.core.workspace import Workspace
from songmap.library.library import Library
from songmap.library.schema import COLUMNS

NAME = "model_comparison"
_NAMED = ("song_name", "file_path", "genre", "artist", "title", "album")


def write_files(workspace: Workspace, comparison: Comparison, csv_kind: CsvKind) -> list[WrittenFile]:
    """Write all of them, and return where they are."""
    report = workspace.table(NAME).with_suffix(".json")
    written = [
        WrittenFile(workspace.page(NAME), "page"),
        WrittenFile(workspace.table(NAME), "table"),
        WrittenFile(workspace.table(f"{NAME}_genres"), "genres"),
        WrittenFile(report, "report"),
    ]
    write_atomically(workspace.page(NAME), comparison_page(comparison).encode())
    _write_rows(workspace.table(NAME), _variant_rows(comparison), csv_kind)
    _write_rows(workspace.table(f"{NAME}_genres"), _genre_rows(comparison.scores), csv_kind)
    write_atomically(report, (to_json(replace(comparison, written=written)) + "\n").encode())
    return written


def write_features(workspace: Workspace, library: Library, kind: CsvKind) -> list[WrittenFile]:
    """The library's 641 columns with what names each song, as CSV and, where pyarrow is installed, as Parquet."""
    import pandas as pd

    named = library.songs[list(_NAMED)].reset_index(drop=True)
    table = pd.concat([named, pd.DataFrame(library.embeddings, columns=list(COLUMNS))], axis=1)
    csv_file = workspace.table("features")
    rows = zip(*(table[name].tolist() for name in table.columns), strict=True)
    lines = csv_lines([table.columns, *rows], kind)
    write_atomically(csv_file, "".join(f"{line}\n" for line in lines).encode())
    written = [WrittenFile(csv_file, "export_csv")]
    if find_spec("pyarrow") is None:
        return written
    parquet = csv_file.with_suffix(".parquet")
    for name in _NAMED:
        table[name] = table[name].map(readable)  # Parquet's text is UTF-8
    write_atomically(parquet, lambda path: table.to_parquet(path, index=False))
    return [*written, WrittenFile(parquet, "export_parquet")]


def _write_rows(path: Path, rows: Sequence[dict[str, Any]], kind: CsvKind) -> None:
    lines = csv_lines([rows[0].keys(), *(row.values() for row in rows)], kind)
    write_atomically(path, "".join(f"{line}\n" for line in lines).encode())


def _variant_rows(comparison: Comparison) -> list[dict[str, Any]]:
    """A row per variant; numbers with six decimals."""
    different = {(one.model, one.features): one for one in comparison.differences}
    rows = []
    for score in comparison.scores:
        values = {name: value for name, value in vars(score).items() if name not in ("genres", "points")}
        difference = different.get((score.model, score.features))
        names = ("difference", "low", "high", "p_value", "p_holm", "equivalent", "better", "worse", "is_real")
        values |= {f"best_{name}": getattr(difference, name) if difference else None for name in names}
        rows.append({name: f"{one:.6f}" if isinstance(one, float) else one for name, one in values.items()})
    return rows


def _genre_rows(scores: Sequence[VariantScores]) -> list[dict[str, Any]]:
    return [
        {"model": score.model, "features": score.features, "genre": one.genre}
        | {name: f"{getattr(one, name):.6f}" for name in ("precision", "recall", "f1")}
        for score in scores
        for one in score.genres
    ]
