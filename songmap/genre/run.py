"""03 in steps: evaluate the candidates, fit the one in use, explain it, save it, write tables, figures and report."""

from dataclasses import dataclass, fields, replace

import numpy as np

from songmap.core.defaults import DEFAULT_SEED
from songmap.core.progress import OnProgress
from songmap.core.tables import CsvKind
from songmap.core.workspace import Workspace
from songmap.genre.candidates import CANDIDATES, EXPLAINED
from songmap.genre.card import model_card
from songmap.genre.comparison import Settings
from songmap.genre.component_attribution import (
    ComponentSample,
    component_attribution,
    component_importance,
    components_of,
)
from songmap.genre.dataset import training_dataset
from songmap.genre.evaluation import evaluate, fit_final
from songmap.genre.results import ClassifierScores, GenreReport
from songmap.genre.splits import plan_splits
from songmap.genre.training import TrainedClassifier
from songmap.genre.views.files import files_of, write_files
from songmap.library.genre_model import save_model, save_out_of_fold
from songmap.library.library import Library
from songmap.library.names import find_song

_EXPLAINED_SONGS = 200  # over which the families' contributions are averaged,
_EXPLAINED_SLOWLY = 40  # or, of a candidate that is slow with many songs, so many
_COMPONENT_SONGS = 1_000  # over which the components' are


@dataclass(frozen=True)
class Options:
    """What a run of 03 does.

    Attributes
    ----------
    model : str or None
        Candidate to use; None for the one that the evaluation selects.
    group_by : str
        ``artist``, ``album``, ``song``, or ``strictest`` of these that the tags allow.
    seed : int
    song : str or None
        Name of the song to explain; None for the least certain one.
    every_song : bool
        Explain every song of the library.
    csv_kind : "spreadsheet" or "raw"
        See ``songmap.core.tables.csv_text``.
    """

    model: str | None = None
    group_by: str = "strictest"
    seed: int = DEFAULT_SEED
    song: str | None = None
    every_song: bool = False
    csv_kind: CsvKind = "spreadsheet"


def classify_library(workspace: Workspace, library: Library, options: Options, on_progress: OnProgress) -> GenreReport:
    """Train, evaluate, explain and save a classifier, and write everything about it: all files of it, or none.

    Parameters
    ----------
    workspace : Workspace
    library : Library
    options : Options
    on_progress : callable
        Called with what is done and what there is to do: of the fits of the evaluation, then of the explained songs.

    Raises
    ------
    UsageError
        When the library cannot be trained on; nothing has been written then.
    QueryError
        When ``options.song`` does not name exactly one song; nothing has been written then.
    SchemaError
        When another run trains a model in this workspace.
    """
    files, folder = workspace.genre_files, workspace.models
    with files.locked(f"{folder} is in use: another run trains a genre model in this workspace; wait, or end it"):
        files.finish(files_of(workspace))
        row = None if options.song is None else find_song(library.songs, options.song)
        trained = train(library, options, on_progress)
        report, sample = explain(trained, row, options.every_song, on_progress)
        with files.replacing(files_of(workspace)) as staging:
            new = Workspace(staging)
            report = replace(report, card=save_model(new, trained.model, model_card(trained)))
            proba = np.full((len(library), len(trained.dataset.genres)), np.nan)
            proba[trained.dataset.rows] = trained.evaluation.out_of_fold
            save_out_of_fold(new, report.card, proba)
            return write_files(new, workspace, report, sample, options.csv_kind)


def train(library: Library, options: Options, on_progress: OnProgress) -> TrainedClassifier:
    """Evaluate the candidates and fit the one in use on all songs."""
    dataset, seed = training_dataset(library, options.group_by), options.seed
    plan = plan_splits(dataset, seed)
    embeddings = library.embeddings[dataset.rows]
    evaluation = evaluate(embeddings, dataset, plan, seed, Settings(options.model), on_progress)
    name, tunings = evaluation.choice.model, evaluation.tunings
    fitted = fit_final(embeddings, dataset, name, tunings[name], seed)
    own_trees = CANDIDATES[name].has_components
    trees = fitted if own_trees else fit_final(embeddings, dataset, EXPLAINED, tunings[EXPLAINED], seed)
    return TrainedClassifier(library, dataset, plan, evaluation, fitted, trees.pipelines[0], seed)


def explain(
    trained: TrainedClassifier, row: int | None, every_song: bool, on_progress: OnProgress
) -> tuple[GenreReport, ComponentSample]:
    """The report, as far as it goes without card and files, and the SHAP values of a sample of songs."""
    library, evaluation = trained.library, trained.evaluation
    song = trained.explain(trained.least_certain_row if row is None else row)
    if every_song:  # in path order
        rows = np.argsort(library.songs["file_path"].to_numpy(dtype=object), kind="stable").tolist()
    else:
        slow = CANDIDATES[trained.fitted.name].most_songs is not None
        rows = trained.sample(_EXPLAINED_SLOWLY if slow else _EXPLAINED_SONGS)
    attributions = list(trained.families(rows, on_progress))
    sampled = trained.sample(_COMPONENT_SONGS)
    attribution = component_attribution(trained.component_pipeline, library.embeddings[sampled])
    components, library_genres = components_of(trained.component_pipeline), sorted(set(library.genres))
    report = GenreReport(
        **{one.name: getattr(evaluation, one.name) for one in fields(ClassifierScores)},
        families=trained.family_means(rows, attributions),
        component_model=trained.component_model,
        components=component_importance(attribution, components),
        novelty=trained.novelty[1],
        song=song,
        boundary_songs=trained.boundary_songs(),
        label_issues=trained.label_issues(),
        unknown_songs=trained.unknown_songs(),
        all_songs=trained.all_songs(rows, attributions) if every_song else [],
    )
    return report, ComponentSample(attribution, components, library.genres[sampled], library_genres)
