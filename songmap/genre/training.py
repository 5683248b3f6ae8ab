"""A trained classifier with its evaluation, and the model that may classify each song.

A song of the training data is classified by a model trained without it: its fold's, or for the test songs the model of
all development songs. Any other song is classified by the final model. Rows are the library's.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from songmap.core.defaults import usable_cores
from songmap.core.progress import OnProgress
from songmap.genre.candidates import CANDIDATES, DEFAULT
from songmap.genre.conformal import prediction_sets, threshold
from songmap.genre.dataset import Dataset
from songmap.genre.evaluation import Evaluation
from songmap.genre.explanation import explain_song
from songmap.genre.family_attribution import FamilyAttribution, background_songs, family_attribution
from songmap.genre.fit import FittedCandidate, one_thread
from songmap.genre.label_issues import boundary_songs, label_issues, least_certain, set_of, uncertainty
from songmap.genre.results import FamilyMeans
from songmap.genre.song_results import (
    BoundarySong,
    ClassifiedSong,
    LabelIssue,
    ModelReference,
    SongExplanation,
    UnknownSong,
)
from songmap.genre.splits import Plan
from songmap.library.genre_model import GenreModel
from songmap.library.library import Library
from songmap.library.schema import FAMILIES

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

LISTED_SONGS = 10_000  # least certain ones: with 50 genres all songs of a large library would fill the memory


@dataclass(frozen=True)
class TrainedClassifier:
    """``fitted`` on all songs of ``dataset`` is in use; ``components`` are the final trees on components."""

    library: Library
    dataset: Dataset
    plan: Plan
    evaluation: Evaluation
    fitted: FittedCandidate
    components: "Pipeline"
    seed: int

    @cached_property
    def embeddings(self) -> np.ndarray:
        """Of the training songs, float32 ``(n_songs, 641)``."""
        return self.library.embeddings[self.dataset.rows]

    @cached_property
    def out_of_fold(self) -> np.ndarray:
        """Probabilities of each training song by one model trained without it, ``(n_songs, n_genres)``."""
        evaluation = self.evaluation
        proba = np.empty((len(self.embeddings), len(self.dataset.genres)))
        for fold, model in enumerate(evaluation.fold_models):
            own = evaluation.fold_of == fold
            proba[own] = model.predict_proba(self.embeddings[own])
        return proba

    @cached_property
    def model(self) -> GenreModel:
        """What is saved and used."""
        labels, genres = self.dataset.labels, self.dataset.genres
        medians = np.stack([np.median(self.embeddings[labels == label], axis=0) for label in range(len(genres))])
        return GenreModel(
            self.fitted.name,
            self.fitted.pipeline,
            genres,
            self.fitted.calibration,
            background_songs(self.embeddings, labels, self.seed),
            medians.astype(np.float32),
            threshold(self.out_of_fold, labels),
        )

    @cached_property
    def component_model(self) -> str:
        """The candidate that the components belong to."""
        return self.fitted.name if CANDIDATES[self.fitted.name].has_components else DEFAULT

    @cached_property
    def _places(self) -> dict[int, int]:
        return {int(row): place for place, row in enumerate(self.dataset.rows)}

    @cached_property
    def _fold_models(self) -> list[GenreModel]:
        fitted = self.evaluation.fold_models
        return [replace(self.model, pipeline=one.pipeline, calibration=one.calibration) for one in fitted]

    def _fold(self, row: int) -> int | None:
        """Index of the model that was trained without a row of the library; None for the final one."""
        place = self._places.get(row)
        return None if place is None else int(self.evaluation.fold_of[place])

    def _model(self, row: int) -> GenreModel:
        fold = self._fold(row)
        return self.model if fold is None else self._fold_models[fold]

    def _reference(self, row: int) -> ModelReference:
        fold = self._fold(row)
        if fold is None:
            return ModelReference("final", n_songs=len(self.dataset.rows))
        if fold == len(self._fold_models) - 1:
            return ModelReference("development")
        return ModelReference("fold", fold=fold + 1)

    def explain(self, row: int) -> SongExplanation:
        """One song of the library, explained with the model that may classify it."""
        fold, trees = self._fold(row), self.components
        if fold is not None:
            own_trees = CANDIDATES[self.fitted.name].has_components
            models = self.evaluation.fold_models if own_trees else self.evaluation.component_models
            trees = models[fold].pipeline
        song = self.library.songs.iloc[row].to_dict()
        return explain_song(song, self.library.embeddings[row], self._model(row), self._reference(row), trees)

    def families(self, rows: Sequence[int], on_progress: OnProgress) -> Iterator[FamilyAttribution]:
        """The families' Shapley values for each row by the model that may classify it, in order."""

        def attribute(row: int) -> FamilyAttribution:
            model = self._model(row)
            return family_attribution(model.predict_proba, self.library.embeddings[row], model.background)

        with one_thread(), ThreadPoolExecutor(usable_cores(), initializer=one_thread) as pool:
            for number, attribution in enumerate(pool.map(attribute, rows), start=1):
                on_progress(number, len(rows))
                yield attribution

    def sample(self, number: int) -> list[int]:
        """At most about ``number`` rows of training songs, as many of each genre as it has, drawn by the seed."""
        rng, chosen = np.random.default_rng(self.seed), []
        each = max(4, number // len(self.dataset.genres))
        for label in range(len(self.dataset.genres)):
            places = np.flatnonzero(self.dataset.labels == label)  # in path order, whatever the library's
            chosen += self.dataset.rows[np.sort(rng.permutation(places)[:each])].tolist()
        return chosen

    def least_certain_row(self) -> int:
        """The row of the training song of highest entropy."""
        return int(self.dataset.rows[least_certain(self.out_of_fold)[0]])

    def boundary_songs(self) -> list[BoundarySong]:
        """The least certain training songs."""
        listed = least_certain(self.out_of_fold)[:LISTED_SONGS]
        songs, proba = self.library.songs.iloc[self.dataset.rows[listed]], self.out_of_fold[listed]
        folds = [self._reference(int(row)).fold for row in self.dataset.rows[listed]]
        return boundary_songs(songs, self.dataset.genres, proba, prediction_sets(proba, self.model.threshold), folds)

    def label_issues(self) -> list[LabelIssue]:
        """Songs whose predicted genre is more probable than not, though it is not their label.

        None if chance explains the predictions: those of such a model prove nothing.
        """
        if self.evaluation.permutation.significant is False:
            return []
        songs, dataset = self.library.songs.iloc[self.dataset.rows], self.dataset
        issues = label_issues(songs, dataset.genres, dataset.labels, self.out_of_fold)
        probable = (one for one in issues if one.probability > 0.5)
        return [replace(one, rank=rank) for rank, one in enumerate(probable, start=1)]

    def unknown_songs(self) -> list[UnknownSong]:
        """The library's songs without a genre, classified by the final model."""
        rows, model = self.dataset.unknown, self.model
        if not len(rows):
            return []
        proba = model.predict_proba(self.library.embeddings[rows])
        songs, sets = self.library.songs.iloc[rows], prediction_sets(proba, model.threshold)
        return [
            UnknownSong(
                song_name=songs["song_name"].iloc[place],
                artist=songs["artist"].iloc[place],
                predicted_genre=model.genres[int(proba[place].argmax())],
                probability=float(proba[place].max()),
                probabilities=dict(zip(model.genres, proba[place].tolist(), strict=True)),
                genre_set=set_of(model.genres, proba[place], sets[place]),
                file_path=songs["file_path"].iloc[place],
            )
            for place in range(len(rows))
        ]

    def classified_songs(self, rows: Sequence[int], attributions: Sequence[FamilyAttribution]) -> list[ClassifiedSong]:
        """Songs with the points that each family adds; these and 100 times ``background`` sum to the probability's."""
        table, genres = [], self.dataset.genres
        for row, attribution in zip(rows, attributions, strict=True):
            song = self.library.songs.iloc[row]
            proba = attribution.base + attribution.values[0].sum(axis=0)
            best = int(proba.argmax())
            points = [float(100 * value) for value in attribution.values[0, :, best]]
            table.append(
                ClassifiedSong(
                    song_name=song["song_name"],
                    artist=song["artist"],
                    genre=song["genre"],
                    predicted_genre=genres[best],
                    probability=float(proba[best]),
                    genre_set=set_of(genres, proba, prediction_sets(proba[np.newaxis], self.model.threshold)[0]),
                    normalised_entropy=float(uncertainty(proba[np.newaxis])[0][0]),
                    fold_model=self._reference(row),
                    background=float(attribution.base[best]),
                    points=dict(zip(FAMILIES, points, strict=True)),
                    file_path=song["file_path"],
                )
            )
        return table

    def family_means(self, rows: Sequence[int], attributions: Sequence[FamilyAttribution]) -> list[FamilyMeans]:
        """What each family adds towards a genre, mean over the genre's own songs of ``rows``."""
        places = [self._places.get(row) for row in rows]
        labels = np.array([-1 if place is None else self.dataset.labels[place] for place in places])
        means = []
        for label, genre in enumerate(self.dataset.genres):
            own = np.flatnonzero(labels == label).tolist()
            points = 100 * np.mean([attributions[index].values[0, :, label] for index in own], axis=0)
            means.append(FamilyMeans(genre, len(own), dict(zip(FAMILIES, points.tolist(), strict=True))))
        return means
