"""New audio files → their genres, by the saved model, with the same reasons as for songs of the library."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from songmap.core.errors import AudioError, SchemaError
from songmap.core.workspace import Workspace
from songmap.genre.trained import WITH_COMPONENTS
from songmap.genre.words import records, song_case
from songmap.library.genre_model import load_model
from songmap.library.library import Library, library_fingerprint, load_library
from songmap.library.recordings import MAX_DISTANCE, coordinates
from songmap.library.schema import N_COLUMNS

_FIRST = ("file_path", "predicted_genre", "probability", "probabilities")


@dataclass(frozen=True)
class Named:
    """``records`` of the files that could be heard, ``failures`` of the others with reasons, the model's ``limits``.

    ``note`` says if the workspace's library is not the one that the model learned from; else it is empty.
    """

    records: list[dict[str, Any]]
    failures: list[tuple[Path, str]]
    limits: list[str]
    note: str


def classify_files(workspace: Workspace, files: Sequence[Path], on_progress: Callable[..., None]) -> Named:
    """Hear, classify and explain files. Raises SchemaError when there is no usable saved model."""
    from songmap.features.analysis import analyse_file

    model, card = load_model(workspace)
    library, note = _learned_from(workspace, card["data"])
    learned = coordinates(np.empty((0, N_COLUMNS), np.float32))
    if library is not None:
        learned = coordinates(library.embeddings[library.songs["genre"].isin(model.genres).to_numpy()])
    trees = model.pipeline if model.name in WITH_COMPONENTS else None
    n_songs = sum(card["songs_per_genre"].values())
    answers, failures = [], []
    for number, file in enumerate(files, start=1):
        try:
            analysis = analyse_file(file)
            embedding, song = analysis.embedding, analysis.record
        except AudioError as error:
            failures.append((file, str(error)))
        else:
            distances = np.linalg.norm(learned - coordinates(embedding[np.newaxis]), axis=1)
            among = ", this recording among them," if (distances <= MAX_DISTANCE).any() else ""
            told = records(song_case(song, embedding, model, f"the model of {n_songs} songs{among}", trees))
            answers.append({name: told[name] for name in _FIRST} | told)
        on_progress(number, len(files))
    return Named(answers, failures, card["limits"], note)


def _learned_from(workspace: Workspace, fingerprint: str) -> tuple[Library | None, str]:
    """The workspace's library if the model learned from it as it is now; else None and a sentence."""
    if not workspace.manifest.is_file():
        return None, ""
    try:
        library = load_library(workspace)
    except SchemaError as error:
        return None, f"whether the model is of this library cannot be told: {error}"
    if library_fingerprint(library) == fingerprint:
        return library, ""
    return (
        None,
        "the model was trained on another state of this library, or another one; run 03_genre_classifier.py without --classify",
    )
