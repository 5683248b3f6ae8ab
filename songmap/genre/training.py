"""A trained classifier with its evaluation, and the model that classifies each song.

A song of the training data is classified by a model trained without it: its fold's, or for the test songs the model of
all development songs. Any other song is classified by the final model. Rows are the library's.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from songmap.core.defaults import usable_cores
from songmap.core.progress import OnProgress
from songmap.genre.candidates import CANDIDATES, EXPLAINED
from songmap.genre.conformal import prediction_sets, threshold
from songmap.genre.dataset import Dataset
from songmap.genre.evaluation import Evaluation
from songmap.genre.explanation import explain_song
from songmap.genre.family_attribution import FamilyAttribution, background_songs, family_attribution
from songmap.genre.fit import FittedCandidate, one_thread
from songmap.genre.novelty import fit_novelty, song_novelty
from songmap.genre.novelty_results import NoveltyScores, SongNovelty
from songmap.genre.results import FamilyMeans
from songmap.genre.song_lists import label_issues, least_certain, song_list
from songmap.genre.song_results import (
    BoundarySong,
    ClassifiedSong,
    LabelIssue,
    ListedSong,
    ModelReference,
    SongExplanation,
    UnknownSong,
)
from songmap.genre.song_traits import trait_reference
from songmap.genre.splits import Plan
from songmap.library.genre_model import GenreModel, NoveltyDetector
from songmap.library.library import Library
from songmap.library.schema import FAMILIES

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

LISTED_SONGS = 10_000  # least certain ones: with 50 genres all songs of a large library would fill the memory


@dataclass(frozen=True)
class TrainedClassifier:
    """``fitted`` on all songs of ``dataset`` is in use; ``component_pipeline`` has the final trees on components."""

    library: Library
    dataset: Dataset
    plan: Plan
    evaluation: Evaluation
    fitted: FittedCandidate
    component_pipeline: "Pipeline"
    seed: int

    @cached_property
    def embeddings(self) -> np.ndarray:
        """Of the training songs, float32 ``(n_songs, 641)``."""
        return self.library.embeddings[self.dataset.rows]

    @cached_property
    def novelty(self) -> tuple[list[NoveltyDetector], NoveltyScores]:
        """Detectors of all models, the final one's last, and how well they work."""
        dataset = self.dataset
        return fit_novelty(self.embeddings, dataset.labels, dataset.genres, self.evaluation.fold_of)

    @cached_property
    def model(self) -> GenreModel:
        """What is saved and used."""
        labels, genres, fitted = self.dataset.labels, self.dataset.genres, self.fitted
        medians = np.stack([np.median(self.embeddings[labels == label], axis=0) for label in range(len(genres))])
        background = background_songs(self.embeddings, labels, self.seed)
        least = threshold(self.evaluation.out_of_fold, labels)
        return GenreModel(
            fitted.name, fitted.pipelines, genres, fitted.calibration, background, medians.astype(np.float32), least,
            self.novelty[0][-1],
        )  # fmt: skip

    @cached_property
    def component_model(self) -> str:
        """The candidate that the components belong to."""
        return self.fitted.name if CANDIDATES[self.fitted.name].has_components else EXPLAINED

    @cached_property
    def _fold_of_row(self) -> np.ndarray:
        """Index of the model that was trained without each row of the library; -1, the last, for the final one."""
        folds = np.full(len(self.library), -1)
        folds[self.dataset.rows] = self.evaluation.fold_of
        return folds

    @cached_property
    def _models(self) -> list[GenreModel]:
        """Those of the folds, of all development songs, and the final one."""
        fitted = zip(self.evaluation.fold_models, self.novelty[0], strict=False)  # the last detector is the final one
        folds = [
            replace(self.model, pipelines=one.pipelines, calibration=one.calibration, novelty=of) for one, of in fitted
        ]
        return [*folds, self.model]

    def _novelty(self, rows: np.ndarray) -> list[SongNovelty]:
        """By the model trained without each row, or the final one."""
        folds, novelty = self._fold_of_row[rows], dict[int, SongNovelty]()
        for fold in np.unique(folds):
            own = rows[folds == fold]
            songs = song_novelty(self._models[fold].novelty, self.library.embeddings[own])
            novelty |= dict(zip(own.tolist(), songs, strict=True))
        return [novelty[row] for row in rows.tolist()]

    def _reference(self, row: int) -> ModelReference:
        fold = int(self._fold_of_row[row])
        if fold < 0:
            return ModelReference("final", n_songs=len(self.dataset.rows))
        last = len(self.evaluation.fold_models) - 1
        return ModelReference("development") if fold == last else ModelReference("fold", fold=fold + 1)

    def explain(self, row: int) -> SongExplanation:
        """One song of the library, explained with a model trained without it, or the final one."""
        fold, evaluation = self._fold_of_row[row], self.evaluation
        own_trees = CANDIDATES[self.fitted.name].has_components
        models = evaluation.fold_models if own_trees else evaluation.component_models
        trees = [*(one.pipelines[0] for one in models), self.component_pipeline][fold]
        song, embedding = self.library.songs.iloc[row].to_dict(), self.library.embeddings[row]
        explained = explain_song(song, embedding, self._models[fold], self._reference(row), trees)
        return trait_reference(self.library).describe(explained, song, embedding)

    def families(self, rows: Sequence[int], on_progress: OnProgress) -> Iterator[FamilyAttribution]:
        """The families' Shapley values for each row, in order, by a model trained without it, or the final one."""

        def attribute(row: int) -> FamilyAttribution:
            model = self._models[self._fold_of_row[row]]
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

    @property
    def least_certain_row(self) -> int:
        """The row of the training song of highest entropy."""
        return int(self.dataset.rows[least_certain(self.evaluation.out_of_fold)[0]])

    def _listed(self, kind: type[ListedSong], rows: np.ndarray, proba: np.ndarray, **more: Any) -> list[ListedSong]:
        more |= {"sets": prediction_sets(proba, self.model.threshold), "novelty": self._novelty(rows)}
        return song_list(kind, self.library.songs.iloc[rows], self.dataset.genres, proba, **more)

    def boundary_songs(self) -> list[BoundarySong]:
        """The least certain training songs."""
        listed = least_certain(self.evaluation.out_of_fold)[:LISTED_SONGS]
        rows = self.dataset.rows[listed]
        folds = [self._reference(row).fold for row in rows]
        return self._listed(BoundarySong, rows, self.evaluation.out_of_fold[listed], fold=folds)

    def label_issues(self) -> list[LabelIssue]:
        """Songs whose label may be wrong; none if chance explains the predictions, which then prove nothing."""
        if self.evaluation.permutation.significant is False:
            return []
        songs = self.library.songs.iloc[self.dataset.rows]
        return label_issues(songs, self.dataset.genres, self.dataset.labels, self.evaluation.out_of_fold)

    def unknown_songs(self) -> list[UnknownSong]:
        """The library's songs without a genre, classified by the final model."""
        rows = self.dataset.unknown
        songs = self.library.embeddings[rows]
        return self._listed(UnknownSong, rows, self.model.predict_proba(songs)) if len(rows) else []

    def all_songs(self, rows: Sequence[int], attributions: Sequence[FamilyAttribution]) -> list[ClassifiedSong]:
        """Songs with the points that each family adds; these and 100 times ``background`` sum to the probability's."""
        proba = np.stack([one.base + one.values.sum(axis=0) for one in attributions])
        best = list(zip(attributions, proba.argmax(axis=1), strict=True))
        return self._listed(
            ClassifiedSong, np.array(rows), proba,
            fold_model=[self._reference(row) for row in rows],
            background=[float(one.base[genre]) for one, genre in best],
            points=[_points(one.values[:, genre]) for one, genre in best],
        )  # fmt: skip

    def family_means(self, rows: Sequence[int], attributions: Sequence[FamilyAttribution]) -> list[FamilyMeans]:
        """What each family adds towards a genre, mean over the genre's own songs of ``rows``."""
        label_of_row = np.full(len(self.library), -1)
        label_of_row[self.dataset.rows] = self.dataset.labels
        labels = label_of_row[rows]
        means = []
        for label, genre in enumerate(self.dataset.genres):
            own = [attributions[index].values[:, label] for index in np.flatnonzero(labels == label).tolist()]
            means.append(FamilyMeans(genre, len(own), _points(np.mean(own, axis=0))))
        return means


def _points(values: np.ndarray) -> dict[str, float]:
    return dict(zip(FAMILIES, (100 * values).tolist(), strict=True))
