"""How good the classifier is on songs, and where possible artists, that it has never heard.

Labels are integers ``(n_songs,)``, groups strings ``(n_songs,)``: songs of one group never stand on both
sides of a split. A fold is ``(train, test)``, two arrays of row indices. Scores are fractions 0 … 1.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from songmap.core.errors import UsageError
from songmap.genre.material import Material, copies_note
from songmap.genre.models import probabilities

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

Fold = tuple[np.ndarray, np.ndarray]
FitFunction = Callable[[np.ndarray, np.ndarray], "Pipeline"]

MAX_FOLDS = 5
TEST_FRACTION = 0.2
_TRIES = 10  # shuffles looked at before another number of folds is tried


@dataclass(frozen=True)
class Plan:
    """Which songs train and which test: ``folds`` of the cross-validation and one ``holdout``.

    ``grouping`` says in a sentence what is kept together, ``limits`` what could not be.
    """

    folds: list[Fold]
    holdout: Fold
    grouping: str
    limits: list[str]


@dataclass(frozen=True)
class Evaluation:
    """What models said about songs they were not trained on.

    ``out_of_fold`` float64 ``(n_songs, n_genres)``, probabilities by the fold's model, which did not see
    the song; ``fold_of`` ``(n_songs,)``; ``pipelines`` one per fold; ``held_out`` the holdout's
    probabilities. ``scores`` and ``per_genre`` are records.
    """

    out_of_fold: np.ndarray
    fold_of: np.ndarray
    pipelines: list["Pipeline"]
    held_out: np.ndarray
    scores: list[dict[str, Any]]
    per_genre: list[dict[str, Any]]


def plan_splits(material: Material, seed: int) -> Plan:
    """Folds by group; by song where artists that span genres leave no split with every genre on both sides."""
    labels, groups = material.labels, material.groups
    grouping, limits = material.grouping, list(material.limits)
    folds, holdout = make_folds(labels, groups, seed), make_holdout(labels, groups, seed)
    if not folds or holdout is None:
        groups = material.recordings
        folds, holdout = make_folds(labels, groups, seed), make_holdout(labels, groups, seed)
        grouping = "Songs are split one by one, in each genre's proportion."
        limits.append("artists span genres so that no split keeps them together: tested on unseen songs, not artists")
    if not folds or holdout is None:
        raise UsageError("a genre of one song cannot be split into training and test songs; add songs and run 01 again")
    if len(folds) < MAX_FOLDS:
        counts = {genre: len(set(groups[labels == label])) for label, genre in enumerate(material.genres)}
        scarce = min(counts, key=lambda genre: counts[genre])
        limits.append(
            f"{len(folds)} folds instead of {MAX_FOLDS}: each must test every genre, and {scarce} comes in "
            f"{counts[scarce]} groups (artists, albums or songs)"
        )
    return Plan(folds, holdout, grouping + copies_note(material.recordings), limits)


def make_folds(labels: np.ndarray, groups: np.ndarray, seed: int) -> list[Fold]:
    """At most ``MAX_FOLDS`` folds with every genre in both parts of each; none where the groups allow none."""
    for n_folds in range(min(MAX_FOLDS, _least_groups(labels, groups)), 1, -1):
        for attempt in range(_TRIES):
            folds = _split(labels, groups, n_folds, seed + attempt)
            if all(_is_whole(labels, fold) for fold in folds):
                return folds
    return []


def make_holdout(labels: np.ndarray, groups: np.ndarray, seed: int) -> Fold | None:
    """The split with every genre in both parts whose test part is nearest to ``TEST_FRACTION``, if there is any."""
    if _least_groups(labels, groups) < 2:
        return None
    for n_folds in range(min(round(1 / TEST_FRACTION), int(np.bincount(labels).min()), len(set(groups))), 1, -1):
        for attempt in range(_TRIES):
            whole = [fold for fold in _split(labels, groups, n_folds, seed + attempt) if _is_whole(labels, fold)]
            if whole:
                return min(whole, key=lambda fold: abs(len(fold[1]) / len(labels) - TEST_FRACTION))
    return None


def _least_groups(labels: np.ndarray, groups: np.ndarray) -> int:
    return min(len(set(groups[labels == label])) for label in set(labels))


def _split(labels: np.ndarray, groups: np.ndarray, n_folds: int, seed: int) -> list[Fold]:
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    rows = np.arange(len(labels))
    if len(set(groups)) == len(groups):
        return list(StratifiedKFold(n_folds, shuffle=True, random_state=seed).split(rows, labels))
    return list(StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed).split(rows, labels, groups))


def _is_whole(labels: np.ndarray, fold: Fold) -> bool:
    return all(len(set(labels[part])) == len(set(labels)) for part in fold)


def evaluate(embeddings: np.ndarray, material: Material, plan: Plan, fit: FitFunction) -> Evaluation:
    """Fit and judge ``fit`` on every fold and on the holdout. ``embeddings`` ``(n_songs, 641)`` as ``labels``."""
    labels, n_genres = material.labels, len(material.genres)
    out_of_fold = np.zeros((len(labels), n_genres))
    fold_of = np.zeros(len(labels), int)
    pipelines, rounds = [], []
    for number, (train, test) in enumerate(plan.folds):
        pipeline = fit(embeddings[train], labels[train])
        out_of_fold[test], fold_of[test] = probabilities(pipeline, embeddings[test]), number
        pipelines.append(pipeline)
        rounds.append(_judge(pipeline, embeddings, labels, (train, test), n_genres))
    train, test = plan.holdout
    pipeline = fit(embeddings[train], labels[train])
    held_out = probabilities(pipeline, embeddings[test])
    once = _judge(pipeline, embeddings, labels, plan.holdout, n_genres)
    scores = [
        {"tested_on": f"{len(test)} test songs", **once, "accuracy_std": None, "macro_f1_std": None},
        {
            "tested_on": f"{len(plan.folds)}-fold cross-validation",
            **{name: float(np.mean([one[name] for one in rounds])) for name in once},
            "accuracy_std": float(np.std([one["accuracy"] for one in rounds])),
            "macro_f1_std": float(np.std([one["macro_f1"] for one in rounds])),
        },
    ]
    per_genre = [
        {
            "genre": genre,
            "songs": int((labels == label).sum()),
            **crossed,
            **{f"test_{k}": v for k, v in tested.items()},
        }
        for label, (genre, crossed, tested) in enumerate(
            zip(
                material.genres,
                _per_genre(labels, out_of_fold.argmax(axis=1), n_genres),
                _per_genre(labels[test], held_out.argmax(axis=1), n_genres),
                strict=True,
            )
        )
    ]
    return Evaluation(out_of_fold, fold_of, pipelines, held_out, scores, per_genre)


def _judge(
    pipeline: "Pipeline", embeddings: np.ndarray, labels: np.ndarray, fold: Fold, n_genres: int
) -> dict[str, float]:
    """Scores on the test part, of the model and of always saying the training part's commonest genre."""
    from sklearn.metrics import accuracy_score, f1_score

    train, test = fold
    majority = np.full(len(test), np.bincount(labels[train], minlength=n_genres).argmax())
    guess = probabilities(pipeline, embeddings[test]).argmax(axis=1)
    options = {"labels": range(n_genres), "average": "macro", "zero_division": 0}
    return {
        "accuracy": float(accuracy_score(labels[test], guess)),
        "macro_f1": float(f1_score(labels[test], guess, **options)),
        "train_accuracy": float(
            accuracy_score(labels[train], probabilities(pipeline, embeddings[train]).argmax(axis=1))
        ),
        "baseline_accuracy": float(accuracy_score(labels[test], majority)),
        "baseline_macro_f1": float(f1_score(labels[test], majority, **options)),
    }


def _per_genre(labels: np.ndarray, guess: np.ndarray, n_genres: int) -> list[dict[str, float]]:
    from sklearn.metrics import precision_recall_fscore_support

    values = precision_recall_fscore_support(labels, guess, labels=range(n_genres), zero_division=0)
    return [
        {"precision": float(precision), "recall": float(recall), "f1": float(f1)}
        for precision, recall, f1, _ in zip(*values, strict=True)
    ]


def confusion(labels: np.ndarray, guess: np.ndarray, n_genres: int) -> np.ndarray:
    """How often a song of genre ``row`` was taken for genre ``column``, int ``(n_genres, n_genres)``."""
    counts = np.zeros((n_genres, n_genres), int)
    np.add.at(counts, (labels, guess), 1)
    return counts


def uncertainty(found: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Normalised entropy (0 sure … 1 even) and margin between the two likeliest genres, each ``(n_songs,)``.

    ``found`` are probabilities ``(n_songs, n_genres)``. Shannon 1948: entropy divided by that of even odds.
    """
    logs = np.log(found, out=np.zeros_like(found), where=found > 0)
    entropy = -(found * logs).sum(axis=1) / np.log(found.shape[1])
    ordered = np.sort(found, axis=1)
    return np.clip(entropy, 0.0, 1.0), ordered[:, -1] - ordered[:, -2]
