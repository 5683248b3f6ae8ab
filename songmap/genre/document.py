"""What was found about a classifier, as records: for tables, the page, the card and ``--json``."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from songmap.genre.conformal import prediction_sets
from songmap.genre.doubts import set_of, uncertainty, wrong_labels
from songmap.genre.evaluate import SIGNIFICANT
from songmap.genre.families import FamilyAttribution
from songmap.genre.learn import Learned
from songmap.genre.models import CANDIDATES, DEFAULT
from songmap.genre.scores import confidence_bins
from songmap.genre.shapley import Attribution
from songmap.genre.trained import WITH_COMPONENTS, Trained
from songmap.library.library import library_fingerprint
from songmap.library.schema import FAMILIES


def reliability(labels: np.ndarray, found: np.ndarray) -> dict[str, Any]:
    """How often the likeliest genre was right, by how likely it was called: ``bins``, and the ``error`` over them.

    The bins of the expected calibration error (``scores``), with Wilson's 95 % intervals, songs taken for independent.
    """
    from scipy.stats import binomtest

    sure, right = found.max(axis=1), found.argmax(axis=1) == labels
    place, bins = confidence_bins(sure), []
    for number in np.unique(place):
        own = place == number
        interval = binomtest(int(right[own].sum()), int(own.sum())).proportion_ci(method="wilson")
        bins.append(
            {
                "songs": int(own.sum()),
                "confidence": float(sure[own].mean()),
                "accuracy": float(right[own].mean()),
                "accuracy_low": float(interval.low),
                "accuracy_high": float(interval.high),
            }
        )
    error = sum(record["songs"] * abs(record["confidence"] - record["accuracy"]) for record in bins) / len(labels)
    return {"error": error, "bins": bins}


def components_of(trained: Trained) -> str:
    """Which model the components belong to."""
    title = CANDIDATES[trained.learned.name].title
    if trained.learned.name in WITH_COMPONENTS:
        return f"Components of the served model, {title}."
    return (
        f"The served model, {title}, has no components. These are of {CANDIDATES[DEFAULT].title}, learned from the same "
        "songs; it takes no part in the answers."
    )


def family_records(trained: Trained, rows: list[int], values: list[FamilyAttribution]) -> list[dict[str, Any]]:
    """What each family adds towards a genre, in points of probability, mean over the genre's own songs of ``rows``."""
    places = [trained.place(row) for row in rows]
    labels = np.array([-1 if place is None else trained.material.labels[place] for place in places])
    table = []
    for label, genre in enumerate(trained.material.genres):
        own = np.flatnonzero(labels == label)
        points = 100 * np.mean([values[index].values[0, :, label] for index in own], axis=0)
        table.append({"genre": genre, "songs": len(own), **dict(zip(FAMILIES, points.tolist(), strict=True))})
    return table


def component_records(attribution: Attribution, names: list[str]) -> list[dict[str, Any]]:
    """Components by mean absolute SHAP value over songs, summed over genres (one of two), the most important first."""
    sums = attribution.importance.sum(axis=1)
    if attribution.importance.shape[1] == 2:
        sums = sums / 2
    order = np.argsort(-sums, kind="stable")
    return [{"component": names[index], "importance": float(sums[index])} for index in order]


def doubtful_records(trained: Trained) -> list[dict[str, Any]]:
    """Songs whose label is probably wrong: those of confident learning whose other genre is more likely than not.

    None if chance explains what the model knows: such a model has no say in labels.
    """
    material = trained.material
    if trained.evaluation.permutation["p_value"] > SIGNIFICANT:
        return []
    songs = trained.library.songs.iloc[material.rows]
    found = wrong_labels(songs, material.genres, material.labels, trained.found)
    likely = (record for record in found if record["probability"] > 0.5)
    return [record | {"rank": rank} for rank, record in enumerate(likely, start=1)]


def unknown_records(trained: Trained) -> list[dict[str, Any]]:
    """The library's songs without a genre, classified by the final model."""
    rows, model = trained.material.unknown, trained.model
    if not len(rows):
        return []
    found = model.probabilities(trained.library.embeddings[rows])
    songs, sets = trained.library.songs.iloc[rows], prediction_sets(found, model.threshold)
    return [
        {
            "song_name": songs["song_name"].iloc[place],
            "artist": songs["artist"].iloc[place],
            "predicted_genre": model.genres[int(found[place].argmax())],
            "probability": float(found[place].max()),
            "probabilities": dict(zip(model.genres, found[place].tolist(), strict=True)),
            "genre_set": set_of(model.genres, found[place], sets[place]),
            "file_path": songs["file_path"].iloc[place],
        }
        for place in range(len(rows))
    ]


def set_in_words(genres: Sequence[str]) -> str:
    """ "A, B or C"; of more than three genres the first two and how many others."""
    named = list(genres) if len(genres) <= 3 else [*genres[:2], f"{len(genres) - 2} others"]
    return f"{', '.join(named[:-1])} or {named[-1]}" if len(named) > 1 else named[0]


def song_records(trained: Trained, rows: list[int], values: list[FamilyAttribution]) -> list[dict[str, Any]]:
    """Every song with its judge's answer, and the points that each family adds to it.

    The points sum to the probability less ``average``, what the judge says of the background, times 100.
    """
    table = []
    for row, families in zip(rows, values, strict=True):
        judge, song = trained.judge(row), trained.library.songs.iloc[row]
        found = families.base + families.values[0].sum(axis=0)
        best = int(found.argmax())
        chosen = prediction_sets(found[np.newaxis], judge.model.threshold)[0]
        table.append(
            {
                "song_name": song["song_name"],
                "artist": song["artist"],
                "genre": song["genre"],
                "predicted_genre": judge.model.genres[best],
                "probability": float(found[best]),
                "genre_set": set_of(judge.model.genres, found, chosen),
                "normalised_entropy": float(uncertainty(found[np.newaxis])[0][0]),
                "judged_by": judge.name.rstrip(","),
                "average": float(families.base[best]),
                **{
                    f"{family}_points": float(100 * families.values[0, index, best])
                    for index, family in enumerate(FAMILIES)
                },
                "file_path": song["file_path"],
            }
        )
    return table


def card(trained: Trained, document: dict[str, Any]) -> dict[str, Any]:
    """What somebody who gets the model needs to know; the artifact adds columns, versions and checksum."""
    learned, calibration = trained.learned, trained.learned.calibration
    told = (
        "reason",
        "grouping",
        "limits",
        "scores",
        "candidates",
        "leakage",
        "gap",
        "permutation",
        "conformal",
        "per_genre",
    )
    return {
        "data": library_fingerprint(trained.library),
        "model": learned.name,
        "title": CANDIDATES[learned.name].title,
        "genres": trained.material.genres,
        "songs_per_genre": {record["genre"]: record["songs"] for record in document["per_genre"]},
        "chosen_by_inner_folds": learned.parameters,
        "parameters": fitted_parameters(learned),
        "calibration": {
            "temperature": calibration.temperature,
            "prior_weight": calibration.prior_weight,
            "shares": calibration.shares.tolist(),
        },
        "set_threshold": trained.model.threshold,
        "group_by": trained.plan.group_by,
        "seed": trained.seed,
        **{name: document[name] for name in told},
    }


def fitted_parameters(learned: Learned) -> dict[str, Any]:
    """What the fitted classifier was given besides its library's defaults, and the number of components."""
    classifier, pca = learned.pipeline[-1], learned.pipeline.named_steps.get("pca")
    defaults = type(classifier)().get_params(deep=False)
    given = {
        name: value
        for name, value in classifier.get_params(deep=False).items()
        if isinstance(value, int | float | str) and value == value and value != defaults[name]
    }
    return given if pca is None else {"components": int(pca.n_components_), **given}
