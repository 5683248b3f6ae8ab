"""By what the songs of a map can be coloured."""

import logging

import numpy as np

from songmap.core.errors import SchemaError
from songmap.core.workspace import Workspace
from songmap.journey.clusters import find_clusters
from songmap.journey.drawing import principal_axes
from songmap.journey.map_page import Colouring
from songmap.journey.position import standardise
from songmap.library.genre_model import load_model
from songmap.library.keys import KEYS, NO_KEY, estimate_keys
from songmap.library.library import Library, library_fingerprint
from songmap.library.schema import FAMILIES, family_indices


def library_colourings(workspace: Workspace, library: Library, seed: int) -> list[Colouring]:
    """Genre, tempo, key, year, cluster, the model's confidence if 03 has learned from this library, families."""
    tempo_bpm = np.asarray(library.songs["tempo_bpm"], dtype=np.float64)
    scaled = standardise(library.embeddings)
    confidence = model_confidence(workspace, library)
    return [
        Colouring("genre", "genre", library.genres),
        Colouring("tempo", "number", np.where(tempo_bpm > 0, tempo_bpm, np.nan), "BPM"),
        Colouring("key (estimated)", "category", key_names(library.embeddings)),
        Colouring("year", "number", np.asarray(library.songs["year"], dtype=np.float64)),
        Colouring("cluster", "category", [str(number) for number in find_clusters(scaled, seed)]),
        *([] if confidence is None else [Colouring("confidence of the genre model", "number", confidence)]),
        *(
            Colouring(f"{family}, first component", "number", first_component(scaled[:, family_indices(family)]))
            for family in FAMILIES
        ),
    ]


def key_names(embeddings: np.ndarray) -> list[str]:
    """Estimated key of every song, "" where there is none."""
    keys, _ = estimate_keys(embeddings)
    return ["" if key == NO_KEY else KEYS[key] for key in keys]


def first_component(scaled: np.ndarray) -> np.ndarray:
    """Score ``(n_songs,)`` on the first principal component of standardised columns; 0 where nothing varies.

    It has no unit; songs at its ends differ most in these columns, and its largest loading is positive.
    """
    axes = principal_axes(scaled, 1)
    return (scaled @ axes.T)[:, 0] if len(axes) else np.zeros(len(scaled))


def model_confidence(workspace: Workspace, library: Library) -> np.ndarray | None:
    """Calibrated probability 0…1 that 03's model gives its own answer for every song; None if it learned from another library.

    Most songs were learned from, so it is more certain of them than of new ones.
    """
    if not (workspace.model.is_file() and workspace.model_card.is_file()):
        return None
    try:
        model, card = load_model(workspace)
    except SchemaError as error:
        logging.getLogger(__name__).warning("the maps show no confidence of the genre model: %s", error)
        return None
    if card.get("data") != library_fingerprint(library):
        return None
    return model.predict_proba(library.embeddings).max(axis=1)
