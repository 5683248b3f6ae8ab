"""The model card: what somebody who gets the model needs to know; ``save_model`` adds columns, versions, checksum."""

from dataclasses import fields
from typing import Any

from songmap.core.serialise import plain
from songmap.genre.candidates import CANDIDATES
from songmap.genre.fit import FittedCandidate
from songmap.genre.results import ClassifierScores
from songmap.genre.training import TrainedClassifier
from songmap.library.library import library_fingerprint


def model_card(trained: TrainedClassifier) -> dict[str, Any]:
    """The card of a trained classifier, as JSON can hold it: what the model is, and its scores."""
    fitted, evaluation = trained.fitted, trained.evaluation
    scores = [one.name for one in fields(ClassifierScores) if one.name not in ("reliability", "confusion")]
    return {
        "data": library_fingerprint(trained.library),
        "model": fitted.name,
        "title": CANDIDATES[fitted.name].title,
        "genres": trained.dataset.genres,
        "songs_per_genre": {one.genre: one.songs for one in evaluation.per_genre},
        "chosen_by_cross_validation": fitted.parameters,
        "parameters": fitted_parameters(fitted),
        "calibration": plain(fitted.calibration),
        "set_threshold": trained.model.threshold,
        "novelty": plain(trained.novelty[1]),
        "group_by": trained.plan.grouping.group_by,
        "seed": trained.seed,
        **{name: plain(getattr(evaluation, name)) for name in scores},
    }


def fitted_parameters(fitted: FittedCandidate) -> dict[str, Any]:
    """Parameters of the fitted classifiers that differ from their library's defaults, and the number of components."""
    from songmap.library.model_file import KernelMargins

    given: dict[str, Any] = {}
    for pipeline in fitted.pipelines:
        if "pca" in pipeline.named_steps:
            given["components"] = int(pipeline.named_steps["pca"].n_components_)
        classifier = pipeline[-1]
        if isinstance(classifier, KernelMargins):
            given |= {"kernel": "rbf", "gamma": float(classifier.gamma), **fitted.parameters}
            continue
        defaults = type(classifier)().get_params(deep=False)
        given |= {
            name: value
            for name, value in classifier.get_params(deep=False).items()
            if isinstance(value, int | float | str) and value == value and value != defaults[name]
        }
    return given
