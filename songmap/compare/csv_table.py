"""Any CSV file with a label per row as a dataset: what its columns are, which rows are of one song, what is wrong with it.

Tables of features that are passed around hold pieces of songs as rows, often named like ``blues.00000.3.wav``: the piece 3
of the song blues.00000. Such are one group. So are rows that a column or a pattern says are, and equal rows.
"""

import difflib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from songmap.compare.csv_file import read_table
from songmap.compare.dataset import Dataset, class_sizes
from songmap.compare.feature_sets import TABLE, Features
from songmap.compare.name_pattern import groups_by_pattern
from songmap.compare.results import ClassSize, DataSummary, EqualRows, GroupedBy, TableChecks
from songmap.compare.table_checks import are_pieces, equal_pairs, neighbour_share
from songmap.core.errors import UsageError
from songmap.genre.dataset import MIN_GROUPS, MIN_SONGS, joined_groups

if TYPE_CHECKING:
    import pandas as pd

_NAMES = ("filename", "file_name", "file", "path", "song_name")  # columns that name a row, the first of them
_PIECE = re.compile(r"(.+[._-]\d+)[._-]\d+(?:\.[A-Za-z]\w*)?")
_STEM = re.compile(r"[ _-]?\d+|[ _-](?:mean|std|var|median|min|max|p25|p50|p75)\b", re.IGNORECASE)
_LARGEST = 1e30
_N_PAIRS = 20


@dataclass(frozen=True)
class CsvOptions:
    """What the columns of a CSV file are.

    ``label`` is the column of genres; ``group`` the column of what stays together, or a regular expression whose first
    group, else whole match, in the column of names is that; ``drop`` are columns to leave out; ``impute``: missing values
    are filled within folds.
    """

    label: str
    group: str | None = None
    drop: tuple[str, ...] = ()
    impute: bool = False


def csv_dataset(path: Path, options: CsvOptions) -> Dataset:
    """The rows of a CSV file as a dataset with one feature set. Raises UsageError for what is wrong with it."""
    table = read_table(path, text_columns=(options.label, options.group or options.label, *_NAMES))
    for name in (options.label, *options.drop):
        _check_column(path, table, name)
    labels = _complete(path, table, options.label)
    named = next((name for one in _NAMES for name in table.columns if name.lower() == one), None)
    named = None if named == options.label else named
    names = table[named].to_numpy(dtype=object) if named else None
    groups, grouped_by = _groups(path, table, options, names)
    other = {options.label, named, options.group, *options.drop, ""}
    values, n_missing = _values(path, table[[name for name in table.columns if name not in other]], options.impute)
    kept = _large_classes(path, labels, groups)
    varying = [name for name in values.columns if values[name][kept].nunique() > 1]
    if not varying:
        raise UsageError(f"{path}: no column of features is left that varies")
    filled = values[varying][kept]
    filled = filled.fillna(filled.median()).to_numpy(dtype=np.float64)
    genres = sorted(set(labels[kept]))
    label = np.searchsorted(genres, labels[kept])
    rows = np.flatnonzero(kept)
    shown = [f"row {row + 1}" if names is None else f"{names[row]} (row {row + 1})" for row in rows]
    pairs = equal_pairs(filled, groups[kept])
    joined = joined_groups(groups[kept], pairs.rows)
    share, chance = neighbour_share(filled, label)
    checks = TableChecks(
        file=str(path),
        constant_columns=[name for name in values.columns if name not in varying],
        small_classes=class_sizes_of(labels[~kept], groups[~kept]),
        missing_values=n_missing,
        equal_rows=[
            EqualRows(shown[first], shown[second], float(distance), bool(label[first] == label[second]))
            for (first, second), distance in zip(pairs.rows[:_N_PAIRS], pairs.distances, strict=False)
        ],
        n_equal_rows=len(pairs.rows),
        searched_near=pairs.searched_near,
        neighbour_share=share,
        neighbour_chance=chance,
        unnamed_pieces=len(set(groups)) == len(groups) and are_pieces(share, chance),
    )  # fmt: skip
    features = Features(values[varying][kept].to_numpy(dtype=np.float64), tuple(varying), tuple(map(_stem, varying)))
    summary = DataSummary(
        len(label), len(set(joined)), grouped_by, False, class_sizes(label, joined, genres), [], checks
    )
    return Dataset({TABLE: features}, label, joined, summary, impute=n_missing > 0)


def class_sizes_of(labels: np.ndarray, groups: np.ndarray) -> list[ClassSize]:
    """Rows and groups of genres by name."""
    genres = sorted(set(labels))
    return class_sizes(np.searchsorted(genres, labels), groups, genres) if genres else []


def _complete(path: Path, table: "pd.DataFrame", name: str) -> np.ndarray:
    """A column of text ``(n_rows,)``. Raises UsageError where a row has none."""
    values = table[name].to_numpy(dtype=object)
    if (missing := np.flatnonzero(values == "")).size:
        raise UsageError(
            f"{path}: row {missing[0] + 1} has no {name} (rows without: {missing.size:,}); fill it in or remove such rows"
        )
    return values


def _check_column(path: Path, table: "pd.DataFrame", name: str) -> None:
    if name not in table.columns:
        near = difflib.get_close_matches(name, list(table.columns), 1)
        first = ", ".join(list(table.columns)[:5])
        advice = f"did you mean {near[0]!r}?" if near else f"the first of {len(table.columns)} are {first}"
        raise UsageError(f"{path}: there is no column {name!r}; {advice}")


def _groups(
    path: Path, table: "pd.DataFrame", options: CsvOptions, names: np.ndarray | None
) -> tuple[np.ndarray, GroupedBy]:
    """The group of every row ``(n_rows,)``, text, and what it is."""
    if options.group is not None and options.group in table.columns:
        return _complete(path, table, options.group), "column"
    if options.group is not None:
        if names is None:
            raise UsageError(
                f"{path}: --group {options.group!r} is not a column, and for a pattern there is no column of names "
                f"({', '.join(_NAMES)})"
            )
        groups = groups_by_pattern(options.group, names.tolist())
        unmatched = [name for name, group in zip(names, groups, strict=True) if not group]
        if unmatched:
            raise UsageError(
                f"{path}: --group {options.group!r} does not match {unmatched[0]!r} (rows: {len(unmatched):,})"
            )
        return np.array(groups, dtype=object), "pattern"
    if names is None:
        return np.array([f"row {row}" for row in range(len(table))], dtype=object), "row"
    songs = np.array([match[1] if (match := _PIECE.fullmatch(name)) else name for name in names], dtype=object)
    if len(set(songs)) < len(set(names)):
        return songs, "pieces"
    return np.array([f"{name} {row}" for row, name in enumerate(names)], dtype=object), "row"


def _values(path: Path, table: "pd.DataFrame", impute: bool) -> tuple["pd.DataFrame", int]:
    """Columns as float64, missing and infinite values as NaN, and their number."""
    import pandas as pd

    columns = {}
    for name in table.columns:
        numbers = pd.to_numeric(table[name], errors="coerce")
        wrong = np.flatnonzero(numbers.isna() & table[name].notna())
        if wrong.size:
            raise UsageError(
                f"{path}: column {name!r} is not numeric: {str(table[name].iloc[wrong[0]])[:40]!r} in row "
                f"{wrong[0] + 1} (rows: {wrong.size:,}); --drop {name!r} leaves it out"
            )
        columns[name] = numbers.astype(np.float64).where(lambda one: one.abs() <= _LARGEST)
    values = pd.DataFrame(columns, index=table.index)
    missing = values.isna().to_numpy()
    if missing.any() and not impute:
        row, column = np.argwhere(missing)[0]
        raise UsageError(
            f"{path}: column {values.columns[column]!r} is missing or infinite in row {row + 1} (values: "
            f"{int(missing.sum()):,}); --impute fills them with medians of training songs"
        )
    return values, int(missing.sum())


def _large_classes(path: Path, labels: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Which rows are of genres large enough to be split ``(n_rows,)``."""
    large = {one.genre for one in class_sizes_of(labels, groups) if one.songs >= MIN_SONGS and one.groups >= MIN_GROUPS}
    if len(large) < 2:
        sizes = ", ".join(f"{one.genre} ({one.songs}, {one.groups})" for one in class_sizes_of(labels, groups)[:5])
        raise UsageError(
            f"{path}: 2 genres of {MIN_SONGS} rows and {MIN_GROUPS} groups are needed; rows and groups: {sizes}"
        )
    return np.isin(labels, list(large))


def _stem(name: str) -> str:
    """The family of a column by its name: without numbers and statistics, ``mfcc3_mean`` → ``mfcc``."""
    return _STEM.sub("", name) or name
