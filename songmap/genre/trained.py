"""A classifier with all that was found about it, and the model that may judge each song.

A song that was learned from is judged by a model that had not seen it: its fold's, or for the test songs the model of
all others. Any other song is judged by the final model. Rows are the library's.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from songmap.core.defaults import usable_cores
from songmap.genre.conformal import prediction_sets, threshold
from songmap.genre.evaluate import Evaluation
from songmap.genre.families import FamilyAttribution, background_songs, family_shapley
from songmap.genre.learn import Learned, one_thread
from songmap.genre.material import Material
from songmap.genre.splits import Plan
from songmap.genre.words import SongCase, song_case
from songmap.library.genre_model import GenreModel
from songmap.library.library import Library

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

WITH_COMPONENTS = ("pca_xgboost", "published")  # the candidates that are trees on components


@dataclass(frozen=True)
class Judge:
    """``model`` may judge a song; ``name`` says which it is, ``trees`` are those on components for the same songs."""

    model: GenreModel
    name: str
    trees: "Pipeline"


@dataclass(frozen=True)
class Trained:
    """``learned`` from all songs of ``material`` is served; ``components`` are the final trees on components."""

    library: Library
    material: Material
    plan: Plan
    evaluation: Evaluation
    learned: Learned
    components: "Pipeline"
    seed: int

    @cached_property
    def embeddings(self) -> np.ndarray:
        """Of the songs learned from, float32 ``(n_songs, 641)``."""
        return self.library.embeddings[self.material.rows]

    @cached_property
    def found(self) -> np.ndarray:
        """What each song's judge says of it, ``(n_songs, n_genres)``: of one model each, as the served one is."""
        evaluation = self.evaluation
        found = np.empty((len(self.embeddings), len(self.material.genres)))
        for fold, judge in enumerate(evaluation.judges):
            own = evaluation.fold_of == fold
            found[own] = judge.probabilities(self.embeddings[own])
        return found

    @cached_property
    def model(self) -> GenreModel:
        """What is saved and served."""
        labels, genres = self.material.labels, self.material.genres
        medians = np.stack([np.median(self.embeddings[labels == label], axis=0) for label in range(len(genres))])
        return GenreModel(
            self.learned.name,
            self.learned.pipeline,
            genres,
            self.learned.calibration,
            background_songs(self.embeddings, labels, self.seed),
            medians.astype(np.float32),
            threshold(self.found, labels),
        )

    @cached_property
    def sets(self) -> np.ndarray:
        """Conformal sets of the songs learned from, bool ``(n_songs, n_genres)``."""
        return prediction_sets(self.found, self.model.threshold)

    @cached_property
    def _places(self) -> dict[int, int]:
        return {int(row): place for place, row in enumerate(self.material.rows)}

    def place(self, row: int) -> int | None:
        """Where a row of the library stands among the songs learned from."""
        return self._places.get(row)

    def judge(self, row: int) -> Judge:
        """The model that may judge a row of the library."""
        place, evaluation = self.place(row), self.evaluation
        if place is None:
            return Judge(self.model, f"the model of all {len(self.material.rows)} songs", self.components)
        fold = int(evaluation.fold_of[place])
        held_out = fold == len(evaluation.judges) - 1
        name = (
            "the model that never saw the test songs,"
            if held_out
            else f"the model of fold {fold + 1}, trained without it,"
        )
        trees = evaluation.judges if self.learned.name in WITH_COMPONENTS else evaluation.component_judges
        return Judge(self._judge_models[fold], name, trees[fold].pipeline)

    @cached_property
    def _judge_models(self) -> list[GenreModel]:
        return [
            replace(self.model, pipeline=one.pipeline, calibration=one.calibration) for one in self.evaluation.judges
        ]

    def case(self, row: int) -> SongCase:
        """One song of the library before its judge."""
        judge = self.judge(row)
        song = self.library.songs.iloc[row].to_dict()
        return song_case(song, self.library.embeddings[row], judge.model, judge.name, judge.trees)

    def families(self, rows: Sequence[int], on_progress: Callable[..., None]) -> Iterator[FamilyAttribution]:
        """The families' Shapley values for each row by its judge, in order."""

        def explain(row: int) -> FamilyAttribution:
            model = self.judge(row).model
            return family_shapley(model.probabilities, self.library.embeddings[row], model.background)

        with one_thread(), ThreadPoolExecutor(usable_cores(), initializer=one_thread) as pool:
            for number, found in enumerate(pool.map(explain, rows), start=1):
                on_progress(number, len(rows))
                yield found
