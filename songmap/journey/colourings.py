"""What the songs of a map can be coloured by."""

import logging

import numpy as np

from songmap.core.errors import SchemaError
from songmap.core.workspace import Workspace
from songmap.journey.embedding import principal_axes
from songmap.journey.results import Colouring
from songmap.library.genre_model import load_model, load_out_of_fold
from songmap.library.keys import keys_of
from songmap.library.library import Library, library_fingerprint
from songmap.library.schema import FAMILIES
from songmap.library.search import Search
from songmap.library.spaces import build_space, coordinates_of
from songmap.library.tempos import tempos_of


def library_colourings(
    workspace: Workspace, library: Library, search: Search, clusters: np.ndarray
) -> tuple[Colouring, ...]:
    """Genre, tempo, key, year, cluster, the genre model's confidence if it was fitted to this library, families.

    ``clusters (n_songs,)`` are numbered from 1; families are of the space ``balanced``, whatever that of ``search`` is.
    """
    tempo_bpm, _ = tempos_of(library.songs)
    keys, _ = keys_of(library.songs["key"].tolist(), library.embeddings)
    balanced = search.space if search.space.described else build_space(library.embeddings)
    descriptors = balanced.vectors(library.embeddings)
    confidence = model_confidence(workspace, library)
    return (
        Colouring("genre", "genre", library.genres),
        Colouring("tempo", "number", np.where(tempo_bpm > 0, tempo_bpm, np.nan), "BPM"),
        Colouring("key", "key", keys),
        Colouring("year", "number", np.asarray(library.songs["year"], dtype=np.float64)),
        Colouring("cluster", "cluster", clusters),
        *(() if confidence is None else (Colouring("confidence", "number", confidence),)),
        *(
            Colouring(family, "number", first_component(descriptors[:, coordinates_of(family, described=True)]))
            for family in FAMILIES
        ),
    )  # fmt: skip


def first_component(centred: np.ndarray) -> np.ndarray:
    """Score ``(n_songs,)`` on the first principal component of columns of mean 0; 0 where nothing varies.

    It has no unit, and its largest loading is positive.
    """
    axes = principal_axes(centred, 1)
    return (centred @ axes.T)[:, 0] if len(axes) else np.zeros(len(centred))


def model_confidence(workspace: Workspace, library: Library) -> np.ndarray | None:
    """Calibrated probability 0 … 1 of the genre that the model predicts, for every song.

    By a model that was trained without the song. None without a model, or with one that was fitted to another library.
    """
    if not (workspace.model.is_file() and workspace.model_card.is_file()):
        return None
    try:
        model, card = load_model(workspace)
        if card.get("data") != library_fingerprint(library):
            return None
        proba = load_out_of_fold(workspace, card, (len(library), len(model.genres)))
    except SchemaError as error:
        logging.getLogger(__name__).warning("the maps do not show the genre model's confidence: %s", error)
        return None
    untrained = np.isnan(proba).any(axis=1)
    if untrained.any():
        proba[untrained] = model.predict_proba(library.embeddings[untrained])
    return proba.max(axis=1)
