"""The nearest songs of every song as a file for other programs."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from songmap.core.errors import UsageError
from songmap.core.files import write_atomically
from songmap.core.tables import CsvKind, csv_text
from songmap.core.text import readable
from songmap.library.search import NOBODY


def write_neighbours(
    file: Path, paths: Sequence[str], rows: np.ndarray, similarities: np.ndarray, csv_kind: CsvKind = "spreadsheet"
) -> None:
    """Write neighbours ``rows`` and ``similarities``, both ``(n_songs, k)``, of songs at ``paths (n_songs,)``, atomically.

    ``.npz`` holds the two, ``NOBODY`` and NaN where there are fewer neighbours, and ``file_path (n_songs,)``; ``.csv``
    and ``.parquet`` a row for each pair: song, rank (1 is the nearest), neighbour, similarity; ``csv_kind`` as in ``csv_text``. Raises UsageError.
    """
    is_csv = file.suffix.lower() == ".csv"
    paths = [csv_text(path, csv_kind) if is_csv else readable(path) for path in paths]

    def write(temporary: Path) -> None:
        if file.suffix.lower() == ".npz":
            np.savez_compressed(temporary, rows=rows, similarities=similarities, file_path=np.array(paths, dtype=str))
            return
        songs, places = np.nonzero(rows != NOBODY)
        names = np.array(paths, dtype=object)
        columns = {"song": names[songs], "rank": places + 1, "neighbour": names[rows[songs, places]]}
        pairs = pd.DataFrame(columns | {"similarity": similarities[songs, places]})
        if is_csv:
            pairs.to_csv(temporary, index=False, lineterminator="\n")
        else:
            pairs.to_parquet(temporary, index=False)

    try:
        write_atomically(file, write)
    except ImportError as error:
        raise UsageError(
            f"{file} needs pyarrow, which is not installed: pip install pyarrow, or write .csv or .npz"
        ) from error
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror or error}; choose another --out FILE") from error
