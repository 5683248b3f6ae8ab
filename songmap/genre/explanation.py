"""The numbers that explain one classified song: families, descriptors, the smallest change, components."""

from typing import TYPE_CHECKING, Any

import numpy as np

from songmap.genre import song_results as results
from songmap.genre.component_attribution import component_attribution, components_of
from songmap.genre.conformal import prediction_sets
from songmap.genre.family_attribution import FamilyAttribution, family_attribution, smallest_change
from songmap.genre.novelty import song_novelty
from songmap.genre.song_lists import set_of
from songmap.library.descriptors import descriptors_of
from songmap.library.genre_model import GenreModel
from songmap.library.schema import COLUMNS, FAMILIES, PITCH_CLASSES, block_slice

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

_N_FAMILIES, _N_DESCRIPTORS, _N_PITCH_CLASSES = 3, 2, 3
_LEAST_CONTRIBUTION = 0.005  # half a point of probability: families below are not looked into


def explain_song(
    song: dict[str, Any],
    embedding: np.ndarray,
    model: GenreModel,
    fold_model: results.ModelReference,
    trees: "Pipeline | None" = None,
) -> results.SongExplanation:
    """Classify one song and explain the prediction.

    Parameters
    ----------
    song : dict
        Its ``song_name``, ``artist``, ``title``, ``genre`` and ``file_path``; empty where unknown.
    embedding : np.ndarray, shape (641,)
        Raw columns.
    model : GenreModel
    fold_model : ModelReference
        Which model that is.
    trees : Pipeline, optional
        PCA and trees: that of ``model`` where that has components, or those of a second model.
    """
    genres, label = model.genres, song["genre"]
    proba = model.predict_proba(embedding)[0]
    predicted = int(proba.argmax())
    agrees = label == genres[predicted] if label in genres else None
    rival = genres.index(label) if agrees is False else int(np.argsort(-proba, kind="stable")[1])
    families = family_attribution(model.predict_proba, embedding, model.background)
    contributions = family_contributions(families, genres, predicted)
    leading = [one.family for one in contributions[:_N_FAMILIES] if abs(one.adds) > _LEAST_CONTRIBUTION]
    pair = {genres[index]: index for index in (predicted, rival)}
    pitch_medians = {genre: strongest_pitch_classes(model.medians[row]) for genre, row in pair.items()}
    pitch_classes = results.PitchClasses(strongest_pitch_classes(embedding), pitch_medians)
    return results.SongExplanation(
        file_path=song["file_path"],
        predicted_genre=genres[predicted],
        probability=float(proba[predicted]),
        probabilities=dict(zip(genres, proba.tolist(), strict=True)),
        song_name=song["song_name"],
        artist=song["artist"],
        title=song["title"],
        genre=label,
        genre_set=set_of(genres, proba, prediction_sets(proba[np.newaxis], model.threshold)[0]),
        set_threshold=model.threshold,
        agrees=agrees,
        compared_genre=genres[rival],
        fold_model=fold_model,
        background=dict(zip(genres, families.base.tolist(), strict=True)),
        n_background=len(model.background),
        novelty=song_novelty(model.novelty, embedding)[0],
        families=contributions,
        leading_families=leading,
        descriptors=[one for family in leading for one in compare_descriptors(family, embedding, model, pair)],
        pitch_classes=pitch_classes if "harmony" in leading else None,
        smallest_change=smallest_change(model.predict_proba, embedding, model.medians, genres),
        components=None if trees is None else _components(trees, embedding, model, predicted),
    )


def family_contributions(
    families: FamilyAttribution, genres: list[str], predicted: int
) -> list[results.FamilyContribution]:
    """Of one song, by the size of what a family adds to the predicted genre's probability, largest first."""
    values = families.values
    order = np.argsort(-np.abs(values[:, predicted]), kind="stable")
    added = [(FAMILIES[index], values[index].tolist()) for index in order]
    return [
        results.FamilyContribution(name, adds[predicted], dict(zip(genres, adds, strict=True))) for name, adds in added
    ]


def compare_descriptors(
    family: str, embedding: np.ndarray, model: GenreModel, pair: dict[str, int], number: int = _N_DESCRIPTORS
) -> list[results.DescriptorComparison]:
    """The ``number`` descriptors of a family in which two genres differ most, with a song's value.

    ``pair`` names two rows of the model's medians. Differences are in standard deviations of the model's background;
    a descriptor of several columns is computed from their medians. Descriptors that do not differ are left out.
    """
    comparisons = []
    for descriptor in descriptors_of(family):
        medians = {genre: float(descriptor.values(model.medians[row])) for genre, row in pair.items()}
        spread = float(descriptor.values(model.background).std())
        first, second = medians.values()
        difference = abs(first - second)
        if spread > 0 and difference > 0:
            columns = [COLUMNS[index] for index in (*descriptor.columns, *descriptor.minus)]
            value = float(descriptor.values(embedding))
            about = (family, descriptor.name, columns, descriptor.unit)
            comparisons.append(results.DescriptorComparison(*about, value, medians, difference / spread))
    return sorted(comparisons, key=lambda one: -one.difference_sd)[:number]


def strongest_pitch_classes(embedding: np.ndarray, number: int = _N_PITCH_CLASSES) -> list[str]:
    """The pitch classes with the largest mean chroma of raw columns ``(641,)``, strongest first."""
    chroma = embedding[block_slice("chroma", "mean")]
    return [PITCH_CLASSES[index] for index in np.argsort(-chroma, kind="stable")[:number]]


def _components(
    trees: "Pipeline", embedding: np.ndarray, model: GenreModel, predicted: int
) -> results.ComponentExplanation:
    """The components by the size of their SHAP value towards the predicted genre, largest first."""
    attribution, components = component_attribution(trees, embedding), components_of(trees)
    margins = attribution.base + attribution.values[0].sum(axis=0)
    towards = attribution.values[0, :, predicted]
    contributions = [
        results.ComponentContribution(components[index], float(attribution.deviations[0, index]), float(towards[index]))
        for index in np.argsort(-np.abs(towards), kind="stable")
    ]
    base, margin, largest = float(attribution.base[predicted]), float(margins[predicted]), int(margins.argmax())
    return results.ComponentExplanation(trees is model.pipelines[0], base, margin, model.genres[largest], contributions)
