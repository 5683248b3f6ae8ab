"""Compare models on feature sets: ``write_comparison`` is what 06 calls, ``compare_models`` what a notebook calls."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from songmap.compare.csv_table import CsvOptions, csv_dataset
from songmap.compare.dataset import Dataset, library_dataset
from songmap.compare.evaluation import Evaluator, Task, open_evaluator
from songmap.compare.feature_sets import DEFAULT_SETS, FEATURE_SETS, feature_set_names
from songmap.compare.importances import importances
from songmap.compare.models import MODELS, model_names
from songmap.compare.results import Comparison, FeatureSetSize, SplitClaim, TrainingSize
from songmap.compare.scores import Variant, VariantFits, choice, confusions, differences, put_together, variant_scores
from songmap.compare.store import open_store
from songmap.compare.views.files import write_files
from songmap.core.defaults import DEFAULT_SEED
from songmap.core.errors import UsageError
from songmap.core.progress import OnProgress
from songmap.core.tables import CSV_KINDS, CsvKind
from songmap.core.workspace import Workspace
from songmap.genre.splits import Fold, subsample
from songmap.library.library import load_library

N_REPEATS = 3
_SHARES = (0.2, 0.4, 0.6, 0.8, 1.0)  # of the training songs


@dataclass(frozen=True)
class Options:
    """What is compared, names of ``MODELS``, how often folds are drawn, and by how many processes fits run."""

    models: tuple[str, ...] = tuple(MODELS)
    n_repeats: int = N_REPEATS
    seed: int = DEFAULT_SEED
    workers: int = 1


def compare_models(
    source: Workspace | Path | str,
    label: str | None = None,
    group: str | None = None,
    models: Sequence[str] = ("all",),
    features: Sequence[str] = DEFAULT_SETS,
    n_repeats: int = N_REPEATS,
) -> Comparison:
    """Compare models on a library, or on any table of features, in the same grouped folds. Writes nothing.

    One fit at a time: 06 uses all cores.

    Parameters
    ----------
    source : Workspace, Path or str
        A workspace, or a CSV file with a row per song or piece of one.
    label : str, optional
        Of a CSV file the column of genres.
    group : str, optional
        Of a CSV file the column of what stays together, or a regular expression for that in the names of files.
    models : sequence of str
        Names of ``songmap.compare.models.MODELS``, or "all".
    features : sequence of str
        Of a workspace: names of ``songmap.compare.feature_sets.FEATURE_SETS``, "families", "ablation" or "all".
    n_repeats : int
        How often folds are drawn.

    Returns
    -------
    Comparison
        ``scores``, the most accurate first, and ``differences`` of all others from that one.

    Raises
    ------
    UsageError
        For a table that cannot be compared on, or unknown names.
    """
    names = tuple(model_names(list(models)))
    path = source.root if isinstance(source, Workspace) else Path(source).expanduser()
    if label is None and path.suffix.lower() == ".csv" and path.is_file():
        raise UsageError(f"{path}: name the column of genres by label")
    dataset = (
        library_dataset(load_library(Workspace.at(path)), feature_set_names(features), "strictest")
        if label is None
        else csv_dataset(path, CsvOptions(label, group))
    )
    return _compare(None, dataset, Options(names, n_repeats), None)


def write_comparison(
    workspace: Workspace,
    dataset: Dataset,
    options: Options,
    on_progress: OnProgress | None = None,
    csv_kind: CsvKind = CSV_KINDS[0],
) -> Comparison:
    """Compare models on the feature sets of a dataset, and write page and tables.

    Parameters
    ----------
    workspace : Workspace
        Finished fits are kept in its ``outputs/``: a run that is killed goes on there.
    dataset : Dataset
    options : Options
    on_progress : callable, optional
        Called with the numbers of finished and of planned fits.
    csv_kind : "spreadsheet" or "raw"

    Raises
    ------
    UsageError
        Where groups allow no split, or no model is for so many songs.
    """
    comparison = _compare(workspace.fitted_folds, dataset, options, on_progress)
    return replace(comparison, written=write_files(workspace, comparison, csv_kind))


def _compare(
    fitted_folds: Path | None, dataset: Dataset, options: Options, on_progress: OnProgress | None
) -> Comparison:
    n_songs = len(dataset.labels)
    most_columns = max(one.values.shape[1] for one in dataset.features.values())
    names = [
        name
        for name in options.models
        if MODELS[name].most_songs >= n_songs and MODELS[name].most_columns >= most_columns
    ]
    if names in ([], ["majority"]):
        raise UsageError(
            f"nothing to compare: {', '.join(options.models)} on {n_songs:,} rows, {most_columns:,} columns; see --models"
        )
    repeats = dataset.repeats(options.n_repeats, options.seed)
    with (
        open_store(fitted_folds, dataset.key) as store,
        open_evaluator(dataset, options.seed, options.workers, store, on_progress) as evaluator,
    ):
        fits = _fits(evaluator, names, repeats)
        scores = sorted(
            (variant_scores(variant, one, dataset, options.seed) for variant, one in fits.items()),
            key=lambda one: (-one.accuracy, one.log_loss),
        )
        order = [(one.model, one.features) for one in scores]
        fits = {variant: fits[variant] for variant in order}
        best = order[0]
        claims = _claims(evaluator, [one for one in order if one[1] == best[1]], fits, len(repeats[0]))
        sizes = _training_sizes(evaluator, best, repeats[0])
        trees = next((model for model, features in order if features == best[1] and MODELS[model].has_trees), None)
        important = importances(evaluator, [Task(*best, fold) for fold in repeats[0]], trees)
    test_share = float(np.mean([len(test) / n_songs for folds in repeats for _, test in folds]))
    return Comparison(
        data=dataset.summary,
        feature_sets=[_size(name, one.values.shape[1]) for name, one in dataset.features.items()],
        n_folds=len(repeats[0]),
        n_repeats=len(repeats),
        seed=options.seed,
        scores=scores,
        differences=differences(fits, best, test_share),
        choice=choice(list(fits.values()), dataset, options.seed),
        claims=claims,
        training_sizes=sizes,
        confusion=confusions(fits, dataset.labels),
        importances=important,
        left_out=[name for name in options.models if name not in names],
        written=[],
    )


def _size(name: str, n_columns: int) -> FeatureSetSize:
    title = FEATURE_SETS[name].title if name in FEATURE_SETS else ""
    return FeatureSetSize(name, title, n_columns)


def _fits(evaluator: Evaluator, names: Sequence[str], repeats: list[list[Fold]]) -> dict[Variant, VariantFits]:
    """All variants on all folds; ``majority``, which looks at no feature, on the first feature set only."""
    features = list(evaluator.dataset.features)
    variants = [(name, one) for one in features for name in names if name != "majority" or one == features[0]]
    folds = [fold for one in repeats for fold in one]
    tasks = [Task(*variant, fold) for fold in folds for variant in variants]
    n_later = len(_SHARES) + len(names) * evaluator.dataset.is_grouped + 1  # fits of a fold, the last for importances
    evaluator.plan(len(tasks) + len(repeats[0]) * n_later)
    done = evaluator.run(tasks)
    return {
        variant: put_together(done[index :: len(variants)], repeats, evaluator.dataset.labels)
        for index, variant in enumerate(variants)
    }


def _claims(
    evaluator: Evaluator, variants: Sequence[Variant], fits: Mapping[Variant, VariantFits], n_folds: int
) -> list[SplitClaim]:
    """Accuracy in the first repeat, and by folds that split groups; none where no group has several songs."""
    dataset = evaluator.dataset
    folds = dataset.random_folds(evaluator.seed) if dataset.is_grouped else []
    done = evaluator.run([Task(*variant, fold, is_grouped=False) for variant in variants for fold in folds])
    claims = []
    for number, variant in enumerate(variants if folds else ()):
        own = put_together(done[number * len(folds) : (number + 1) * len(folds)], [folds], dataset.labels)
        right = [(one.rounds[0].argmax(axis=1) == dataset.labels).mean() for one in (fits[variant], own)]
        claims.append(SplitClaim(*variant, *map(float, right)))
    return claims


def _training_sizes(evaluator: Evaluator, best: Variant, folds: Sequence[Fold]) -> list[TrainingSize]:
    """Of the best variant, by parts of each fold's training songs, whole groups."""
    labels, groups = evaluator.dataset.labels, evaluator.dataset.groups
    sizes = []
    for share in _SHARES:
        tasks = []
        for train, test in folds:
            part = subsample(labels[train], groups[train], round(share * len(train)), evaluator.seed)
            tasks.append(Task(*best, (train if share == 1 else train[part], test)))
        fits = evaluator.run(tasks)
        right = [fit.proba.argmax(axis=1) == labels[task.fold[1]] for fit, task in zip(fits, tasks, strict=True)]
        sizes.append(
            TrainingSize(
                float(np.mean([len(task.fold[0]) for task in tasks])),
                float(np.concatenate(right).mean()),
                float(np.mean([fit.training_accuracy for fit in fits])),
            )
        )
    return [one for index, one in enumerate(sizes) if one.songs not in [other.songs for other in sizes[:index]]]
