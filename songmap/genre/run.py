"""A library becomes a judged and saved classifier, its pictures and its explanations; or new files become genres."""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from songmap.core.artifacts import Library, library_fingerprint, load_model, save_model, write_atomically
from songmap.core.config import Workspace
from songmap.core.errors import AudioError
from songmap.core.names import find_song
from songmap.core.style import draw, shorten
from songmap.core.tables import readable
from songmap.genre import pictures
from songmap.genre.evaluate import Evaluation, Plan, confusion, evaluate, plan_splits, uncertainty
from songmap.genre.material import Material, training_material
from songmap.genre.models import PRESETS, classified, fit, probabilities
from songmap.genre.shapley import attribute, component_names
from songmap.genre.words import SongCase, component_records, explain, measure_records

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

_N_DRAWN = 15  # songs in the picture of boundary songs


@dataclass(frozen=True)
class Report:
    """What came out, as records: the script prints them as tables or as one JSON document."""

    grouping: str
    limits: list[str]
    scores: list[dict[str, Any]]
    per_genre: list[dict[str, Any]]
    boundary_songs: list[dict[str, Any]]
    song: dict[str, Any]
    unknown_songs: list[dict[str, Any]]
    written: list[dict[str, str]]


@dataclass(frozen=True)
class _Fitted:
    """The final pipeline, fitted on all material, and what else the pictures and words need."""

    library: Library
    material: Material
    plan: Plan
    evaluation: Evaluation
    pipeline: "Pipeline"

    @property
    def embeddings(self) -> np.ndarray:
        return self.library.embeddings[self.material.rows]

    @property
    def songs(self) -> pd.DataFrame:
        return self.library.songs.iloc[self.material.rows]


def classify_library(
    workspace: Workspace, library: Library, *, preset: str, components: int, seed: int, song: str | None = None
) -> Report:
    """Evaluate, then fit on all songs, explain, draw and save.

    Raises UsageError when the library cannot be learned from, QueryError when ``song`` names no one song;
    in both cases nothing has been written.
    """
    asked = None if song is None else find_song(library.songs, song)
    material = training_material(library)
    learn = partial(fit, n_genres=len(material.genres), preset=preset, components=components, seed=seed)
    embeddings = library.embeddings[material.rows]
    plan = plan_splits(material, seed)
    evaluation = evaluate(embeddings, material, plan, learn)
    fitted = _Fitted(library, material, plan, evaluation, learn(embeddings, material.labels))

    boundary = boundary_records(fitted)
    if asked is None:
        asked = int(material.rows[int(uncertainty(evaluation.out_of_fold)[0].argmax())])
    case = _case(fitted, asked)
    measures = measure_records(case, library.embeddings[asked], embeddings, fitted.songs["genre"].to_numpy(object))
    told = {
        "song_name": case.song["song_name"],
        "file_path": case.song["file_path"],
        "genre": case.song["genre"],
        **_without_path(classified([""], material.genres, case.probabilities[np.newaxis])[0]),
        "judged_by": case.judge,
        "components": component_records(case),
        "measures": measures,
        "sentences": explain(case, measures),
    }
    unknown_paths = list(library.songs["file_path"].iloc[material.unknown])
    unknown = (
        classified(unknown_paths, material.genres, probabilities(fitted.pipeline, library.embeddings[material.unknown]))
        if unknown_paths
        else []
    )
    limits, crossed = list(plan.limits), evaluation.scores[-1]
    if np.ptp(probabilities(fitted.pipeline, embeddings), axis=0).max() == 0:
        limits.append(
            f"the model says the same of every song: the {preset} parameters are too strict for {len(embeddings)} songs"
        )
    elif crossed["accuracy"] - crossed["accuracy_std"] <= crossed["baseline_accuracy"]:
        limits.append(
            f"with {crossed['accuracy']:.2f} ± {crossed['accuracy_std']:.2f} the model is not clearly better than the "
            f"baseline's {crossed['baseline_accuracy']:.2f}: take its answers for guesses"
        )
    card = {
        "data": library_fingerprint(library),
        "genres": material.genres,
        "songs_per_genre": {record["genre"]: record["songs"] for record in evaluation.per_genre},
        "preset": preset,
        "parameters": PRESETS[preset],
        "components": int(fitted.pipeline.named_steps["pca"].n_components_),
        "seed": seed,
        "grouping": plan.grouping,
        "limits": limits,
        "scores": evaluation.scores,
        "per_genre": evaluation.per_genre,
    }
    save_model(workspace, {"pipeline": fitted.pipeline, "genres": material.genres}, card)
    written = [{"file": str(workspace.model), "shows": "the fitted pipeline; its card is the .json beside it"}]
    written += _write_tables(workspace, boundary, unknown, material.genres) + _draw_all(workspace, fitted, case)
    return Report(plan.grouping, limits, evaluation.scores, evaluation.per_genre, boundary, told, unknown, written)


def classify_files(
    workspace: Workspace, files: Sequence[Path], on_progress: Callable[[int, int], None]
) -> tuple[list[dict[str, Any]], list[tuple[Path, str]], list[str]]:
    """Records of the files that could be heard, the others with their reasons, and the model's limits.

    Raises SchemaError when there is no usable saved model.
    """
    from songmap.extract.hear import embed_file

    model, card = load_model(workspace)
    records, failures = [], []
    for number, file in enumerate(files, start=1):
        try:
            embedding, _ = embed_file(file)
            records += classified([str(file)], model["genres"], probabilities(model["pipeline"], embedding))
        except AudioError as error:
            failures.append((file, str(error)))
        on_progress(number, len(files))
    return records, failures, card["limits"]


def boundary_records(fitted: _Fitted) -> list[dict[str, Any]]:
    """All trained songs, the least certain first, with what the model that had not seen them said."""
    found = fitted.evaluation.out_of_fold
    entropy, margin = uncertainty(found)
    songs, genres = fitted.songs, fitted.material.genres
    records = classified(list(songs["file_path"]), genres, found)
    order = np.lexsort((margin, -entropy))
    return [
        {
            "rank": rank,
            "song_name": songs["song_name"].iloc[row],
            "artist": songs["artist"].iloc[row],
            "genre": songs["genre"].iloc[row],
            **_without_path(records[row]),
            "normalised_entropy": float(entropy[row]),
            "margin": float(margin[row]),
            "fold": int(fitted.evaluation.fold_of[row]) + 1,
            "file_path": records[row]["file_path"],
        }
        for rank, row in enumerate(order, start=1)
    ]


def _case(fitted: _Fitted, row: int) -> SongCase:
    """A training song is judged by its fold's model, which has not seen it; any other by the final one."""
    material, evaluation = fitted.material, fitted.evaluation
    embedding = fitted.library.embeddings[row]
    places = np.flatnonzero(material.rows == row)
    if len(places):
        fold = int(evaluation.fold_of[places[0]])
        judge, pipeline = f"the model of fold {fold + 1}, trained without it,", evaluation.pipelines[fold]
    else:
        judge, pipeline = f"the model of all {len(material.rows)} songs", fitted.pipeline
    attribution = attribute(pipeline, embedding)
    spread = np.sqrt(pipeline.named_steps["pca"].explained_variance_)
    return SongCase(
        fitted.library.songs.iloc[row].to_dict(),
        material.genres,
        probabilities(pipeline, embedding)[0],
        attribution,
        attribution.scores[0] / np.where(spread > 0, spread, 1.0),
        component_names(pipeline),
        judge,
    )


def _write_tables(
    workspace: Workspace, boundary: list[dict[str, Any]], unknown: list[dict[str, Any]], genres: list[str]
) -> list[dict[str, str]]:
    written = []
    for name, records, shows in (
        ("boundary_songs.csv", boundary, "all trained songs, the least certain first, out-of-fold"),
        ("unknown_songs.csv", unknown, "songs without a genre, classified"),
    ):
        path = workspace.outputs / name
        if not records:
            path.unlink(missing_ok=True)  # of an earlier library
            continue
        rows = [
            {key: value for key, value in record.items() if key != "probabilities"}
            | {f"probability_{genre}": record["probabilities"][genre] for genre in genres}
            for record in records
        ]
        text = io.StringIO()
        table = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        table.writeheader()
        for row in rows:
            table.writerow({key: f"{value:.6f}" if isinstance(value, float) else value for key, value in row.items()})
        write_atomically(path, readable(text.getvalue()).encode())
        written.append({"file": str(path), "shows": shows})
    return written


def _draw_all(workspace: Workspace, fitted: _Fitted, case: SongCase) -> list[dict[str, str]]:
    material, evaluation, genres = fitted.material, fitted.evaluation, fitted.material.genres
    labels, found, test = material.labels, evaluation.out_of_fold, fitted.plan.holdout[1]
    attribution, names = attribute(fitted.pipeline, fitted.embeddings), component_names(fitted.pipeline)
    top = int(attribution.importance.sum(axis=1).argmax())
    side = 1 if len(genres) == 2 else int(attribution.importance[top].argmax())
    matrices = {
        "Cross-validation": confusion(labels, found.argmax(axis=1), len(genres)),
        f"{len(test)} test songs": confusion(labels[test], evaluation.held_out.argmax(axis=1), len(genres)),
    }
    entropy, margin = uncertainty(found)
    least = np.lexsort((margin, -entropy))[:_N_DRAWN]
    songs = fitted.songs
    least_labels = [f"{shorten(songs['song_name'].iloc[row], 32)} [{songs['genre'].iloc[row]}]" for row in least]
    palette, predicted = sorted(set(fitted.library.genres)), genres[case.predicted]
    title = (
        f"{shorten(case.song['song_name'], 60)}: {predicted} {100 * case.probabilities.max():.0f} %, "
        f"judged by {case.judge.rstrip(',')}"
    )
    jobs: list[tuple[str, str, Callable[..., Any], tuple[Any, ...]]] = [
        ("confusion", "which genres are mistaken for which", pictures.confusion_picture, (matrices, genres)),
        ("shap_bar", "components by influence", pictures.importance_picture, (attribution.importance, names, genres, palette)),
        (
            "shap_beeswarm", "every song's SHAP values", pictures.beeswarm_picture,
            (attribution.values, attribution.scores, names, genres),
        ),
        (
            "shap_waterfall", "one song, step by step", pictures.waterfall_picture,
            (case.towards, float(case.attribution.base[case.predicted]), case.components, title, predicted),
        ),
        (
            "shap_dependence", "the most influential component", pictures.dependence_picture,
            (
                attribution.scores[:, top], attribution.values[:, top, side], songs["genre"].to_numpy(object),
                names[top], genres[side], genres, palette,
            ),
        ),
        ("boundary_songs", "songs between genres", pictures.boundary_picture, (found[least], least_labels, genres, palette)),
    ]  # fmt: skip
    return [
        {"file": str(draw(function, workspace.plots / f"genre_{name}.png", *arguments)), "shows": shows}
        for name, shows, function, arguments in jobs
    ]


def _without_path(record: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key != "file_path"}
