"""A library becomes a judged and saved classifier with its reasons, doubts, pictures and report."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from songmap.core.workspace import Workspace
from songmap.genre.conformal import verified
from songmap.genre.document import (
    card,
    component_records,
    components_of,
    doubtful_records,
    family_records,
    reliability,
    song_records,
    unknown_records,
)
from songmap.genre.doubts import boundary_records, uncertainty
from songmap.genre.evaluate import evaluate, final
from songmap.genre.material import training_material
from songmap.genre.models import CANDIDATES, DEFAULT
from songmap.genre.outputs import write_all
from songmap.genre.shapley import attribute, component_names
from songmap.genre.splits import plan_splits
from songmap.genre.trained import WITH_COMPONENTS, Trained
from songmap.genre.words import records
from songmap.library.genre_model import save_model
from songmap.library.library import Library
from songmap.library.names import find_song

Watch = Callable[[str], AbstractContextManager[Callable[..., None]]]
_LISTED_SONGS = (
    10_000  # least certain ones that are listed: with 50 genres all of a large library would fill the memory
)
_EXPLAINED_SONGS = 200  # over which the families' influence is averaged,
_EXPLAINED_SLOWLY = 40  # or, of a candidate that is slow with many songs, so many
_COMPONENT_SONGS = 1_000  # over which the components' is


def classify_library(
    workspace: Workspace,
    library: Library,
    watch: Watch,
    *,
    model: str | None = None,
    group_by: str = "strictest",
    seed: int,
    song: str | None = None,
    every_song: bool = False,
) -> dict[str, Any]:
    """Evaluate, learn from all songs, explain, draw and save. Returns one document of records.

    ``watch`` shows progress, ``model`` is a candidate's name (None: the evaluation's choice), ``song`` the one to explain
    (None: the least certain), ``every_song`` asks for the table of all songs. Raises UsageError when the library cannot
    be learned from, QueryError when ``song`` names no one song; in both cases nothing has been written.
    """
    asked = None if song is None else find_song(library.songs, song)
    material = training_material(library, group_by)
    plan = plan_splits(material, seed)
    embeddings = library.embeddings[material.rows]
    with watch("judging candidates") as on_progress:
        evaluation = evaluate(embeddings, material, plan, seed, model, on_progress)
    learned = final(embeddings, material, evaluation.chosen, seed)
    shown = learned if learned.name in WITH_COMPONENTS else final(embeddings, material, DEFAULT, seed)
    trained = Trained(library, material, plan, evaluation, learned, shown.pipeline, seed)

    found, songs = trained.found, library.songs.iloc[material.rows]
    entropy, margin = uncertainty(found)
    uncertain = np.lexsort((margin, -entropy))[:_LISTED_SONGS]
    asked = int(material.rows[uncertain[0]]) if asked is None else asked
    case = trained.case(asked)
    with watch("explaining songs") as on_progress:
        in_path_order = np.argsort(library.songs["file_path"].to_numpy(dtype=object), kind="stable").tolist()
        slow = CANDIDATES[learned.name].most_songs is not None
        number = _EXPLAINED_SLOWLY if slow else _EXPLAINED_SONGS
        rows = in_path_order if every_song else _spread(trained, number)
        values = list(trained.families(rows, on_progress))
    drawn = _spread(trained, _COMPONENT_SONGS)
    attribution = attribute(trained.components, library.embeddings[drawn])

    document = {
        "chosen": evaluation.chosen,
        "reason": evaluation.reason,
        "grouping": plan.grouping,
        "limits": [*plan.limits, *evaluation.limits],
        "scores": evaluation.scores,
        "candidates": evaluation.candidates,
        "leakage": evaluation.leakage,
        "gap": evaluation.gap,
        "permutation": evaluation.permutation,
        "reliability": reliability(material.labels, found),
        "conformal": verified(found, material.labels, evaluation.fold_of),
        "per_genre": evaluation.per_genre,
        "families": family_records(trained, rows, values),
        "components_of": components_of(trained),
        "components": component_records(attribution, component_names(trained.components)),
        "song": records(case),
        "boundary_songs": boundary_records(
            songs.iloc[uncertain],
            material.genres,
            found[uncertain],
            trained.sets[uncertain],
            evaluation.fold_of[uncertain],
            len(evaluation.judges) - 1,
        ),
        "doubtful_labels": doubtful_records(trained),
        "unknown_songs": unknown_records(trained),
        "all_songs": song_records(trained, rows, values) if every_song else [],
    }
    document["card"] = save_model(workspace, trained.model, card(trained, document))
    document["written"] = write_all(workspace, trained, document, case, attribution, drawn)
    return document


def _spread(trained: Trained, number: int) -> list[int]:
    """At most about ``number`` rows of songs learned from, as many of each genre as it has, drawn by the seed."""
    rng, chosen = np.random.default_rng(trained.seed), []
    each = max(4, number // len(trained.material.genres))
    for label in range(len(trained.material.genres)):
        places = np.flatnonzero(trained.material.labels == label)  # in path order, whatever the library's
        chosen += trained.material.rows[np.sort(rng.permutation(places)[:each])].tolist()
    return chosen
