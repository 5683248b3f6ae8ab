"""New audio files → their genres, by the saved model, explained as songs of the library are."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from songmap.core.errors import AudioError, SchemaError
from songmap.core.progress import OnProgress
from songmap.core.workspace import Workspace
from songmap.genre.candidates import CANDIDATES
from songmap.genre.explanation import explain_song
from songmap.genre.limits import limit_from
from songmap.genre.results import FileClassification
from songmap.genre.song_results import ModelReference, SongExplanation
from songmap.library.genre_model import GenreModel, load_model
from songmap.library.library import Library, library_fingerprint, load_library
from songmap.library.recordings import MAX_DISTANCE, coordinates
from songmap.library.schema import N_COLUMNS

if TYPE_CHECKING:
    import pandas as pd

    from songmap.features.analysis import AudioAnalysis


@dataclass(frozen=True)
class GenreClassifier:
    """A saved model, ready to classify audio files and embeddings.

    Attributes
    ----------
    model : GenreModel
    card : dict
        What is known of the model: its scores, parameters, versions and limits.
    """

    model: GenreModel
    card: dict[str, Any]

    @property
    def genres(self) -> list[str]:
        """The genres, in the order of the columns of ``predict_proba``."""
        return self.model.genres

    def predict(self, files: Sequence[Path | str]) -> "pd.DataFrame":
        """Classify audio files.

        Parameters
        ----------
        files : sequence of path

        Returns
        -------
        pandas.DataFrame
            One row per file: ``file_path``, ``predicted_genre``, its ``probability``, and the calibrated probability of
            every genre as ``proba_GENRE``; ``novelty_distance`` to the nearest genre, and whether that is above the
            ``novelty_threshold``: ``is_novel``, the file sounds like none of the genres.

        Raises
        ------
        AudioError
            If a file cannot be analysed; the message names it.
        """
        import pandas as pd

        embeddings = np.empty((len(files), N_COLUMNS), np.float32)
        for row, file in enumerate(files):
            try:
                embeddings[row] = _analyse(file).embedding
            except AudioError as error:
                raise AudioError(f"{file}: {error}") from error
        proba = self.predict_proba(embeddings) if len(files) else np.empty((0, len(self.genres)))
        table = pd.DataFrame({"file_path": [str(file) for file in files]}, dtype=object)
        table["predicted_genre"] = [self.genres[index] for index in proba.argmax(axis=1)]
        table["probability"] = proba.max(axis=1)
        table = table.assign(**{f"proba_{genre}": column for genre, column in zip(self.genres, proba.T, strict=True)})
        detector = self.model.novelty
        distances = detector.distances(embeddings)
        is_novel = distances > detector.threshold
        return table.assign(novelty_distance=distances, novelty_threshold=detector.threshold, is_novel=is_novel)

    def predict_proba(self, embeddings: np.ndarray) -> np.ndarray:
        """Calibrated probabilities.

        Parameters
        ----------
        embeddings : np.ndarray, shape (n_songs, 641)

        Returns
        -------
        np.ndarray, shape (n_songs, n_genres), float64
            In the order of ``genres``; rows sum to 1.
        """
        return self.model.predict_proba(embeddings)

    def explain(self, analysis: "AudioAnalysis", training: np.ndarray) -> SongExplanation:
        """Explain an analysed file; ``training`` are coordinates of the training songs, as far as they are there."""
        distances = np.linalg.norm(training - coordinates(analysis.embedding[np.newaxis]), axis=1)
        n_songs, includes_song = sum(self.card["songs_per_genre"].values()), bool((distances <= MAX_DISTANCE).any())
        reference = ModelReference("final", n_songs=n_songs, includes_song=includes_song)
        trees = self.model.pipelines[0] if CANDIDATES[self.model.name].has_components else None
        return explain_song(analysis.record, analysis.embedding, self.model, reference, trees)


def load_genre_model(workspace: Workspace | Path | str) -> GenreClassifier:
    """The classifier that 03 saved in a workspace.

    Parameters
    ----------
    workspace : Workspace or path
        The folder that holds ``data/ models/ outputs/``.

    Raises
    ------
    SchemaError
        If there is none, or it is of other columns or versions, or was tampered with.
    """
    if not isinstance(workspace, Workspace):
        workspace = Workspace(Path(workspace).expanduser())
    classifier = GenreClassifier(*load_model(workspace))
    try:
        n_songs = list(classifier.card["songs_per_genre"].values())
        if not all(isinstance(one, int) for one in n_songs) or not isinstance(classifier.card["data"], str):
            raise TypeError("songs per genre, or the fingerprint of the training data")
        for record in classifier.card["limits"]:
            limit_from(record)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SchemaError(f"{workspace.model} has no card of this version; run 03_genre_classifier.py again") from error
    return classifier


def classify_files(workspace: Workspace, files: Sequence[Path], on_progress: OnProgress) -> FileClassification:
    """Analyse, classify and explain files. Raises SchemaError when there is no usable saved model."""
    classifier = load_genre_model(workspace)
    library, state, error = _training_library(workspace, classifier.card["data"])
    training, songs, failures = np.empty((0, N_COLUMNS), np.float32), [], []
    if library is not None:
        training = library.embeddings[np.isin(library.genres, classifier.genres)]
    training = coordinates(training)
    for number, file in enumerate(files, start=1):
        try:
            songs.append(classifier.explain(_analyse(file), training))
        except AudioError as problem:
            failures.append((file, str(problem)))
        on_progress(number, len(files))
    limits = [limit_from(record) for record in classifier.card["limits"]]
    return FileClassification(songs, failures, limits, state, error)


def _analyse(file: Path | str) -> "AudioAnalysis":
    from songmap.features.analysis import analyse_file

    return analyse_file(Path(file))


def _training_library(workspace: Workspace, fingerprint: str) -> tuple[Library | None, Any, str]:
    """The workspace's library if it is the training data as it was; the state and error of a FileClassification."""
    if not workspace.manifest.is_file():
        return None, "missing", ""
    try:
        library = load_library(workspace)
    except SchemaError as error:
        return None, "unreadable", str(error)
    return (library, "same", "") if library_fingerprint(library) == fingerprint else (None, "changed", "")
