"""Songs of a library compared with plain librosa calls: is every column what its definition gives?

The reference starts from the samples that songmap decodes, which equal those of ``librosa.load``. The seven columns
that complete librosa's, 634-640, have no such call and are left out.
"""

from concurrent.futures import as_completed
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from songmap.core.progress import OnProgress
from songmap.extract.executors import open_worker_pool
from songmap.extract.options import ExtractionOptions
from songmap.extract.results import SongDeviation, Verification
from songmap.extract.run import embedding_of
from songmap.features.reference import deviation
from songmap.library.library import Library
from songmap.library.schema import COLUMNS, N_LIBROSA


def verify(library: Library, n_songs: int, options: ExtractionOptions, on_progress: OnProgress) -> Verification:
    """Compare songs of a library, evenly spread over its paths, with librosa.

    Parameters
    ----------
    library : Library
        With at least one song, whose files are still there.
    n_songs : int
        How many to compare; all if the library has fewer.
    options : ExtractionOptions
        Workers and limits; the engine is librosa.
    on_progress : callable (done, total)

    Returns
    -------
    Verification
        The songs in path order; it passed if every deviation is at most 1 and no file failed.
    """
    paths = library.songs["file_path"]
    rows = np.unique(np.linspace(0, len(library) - 1, min(n_songs, len(library))).round().astype(int))
    songs: dict[int, SongDeviation] = {}
    with open_worker_pool(replace(options, engine="librosa", config=library.config), Path(paths.iloc[rows[0]])) as pool:
        running = {pool.submit("embed", Path(paths.iloc[row])): int(row) for row in rows}
        for future in as_completed(running):
            row = running[future]
            songs[row] = _compare(paths.iloc[row], library.embeddings[row], pool.result(future))
            on_progress(len(songs), len(rows))
    compared = tuple(songs[row] for row in sorted(songs))
    numbers = [song for song in compared if song.deviation is not None]
    largest = max(numbers, key=lambda song: song.deviation or 0.0, default=None)
    passed = all(song.deviation is not None and song.deviation <= 1 for song in compared)
    return Verification(len(compared), largest, compared, passed)


def _compare(file_path: str, embedding: np.ndarray, answer: dict[str, Any]) -> SongDeviation:
    if "failure" in answer:
        return SongDeviation(file_path, failure=answer["failure"])
    reference = embedding_of(answer)
    deviations = deviation(embedding[:N_LIBROSA].astype(np.float64), reference[:N_LIBROSA].astype(np.float64))
    at = int(deviations.argmax())
    return SongDeviation(file_path, float(deviations[at]), COLUMNS[at], float(embedding[at]), float(reference[at]))
