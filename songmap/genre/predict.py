"""New audio files → their genres, by the saved model, explained as songs of the library are."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from songmap.core.defaults import usable_cores
from songmap.core.errors import AudioError, SchemaError, UsageError
from songmap.core.progress import OnProgress
from songmap.core.workspace import Workspace
from songmap.features.audio_files import audio_files
from songmap.genre.candidates import CANDIDATES
from songmap.genre.explanation import explain_song
from songmap.genre.fit import one_thread
from songmap.genre.limits import limit_from
from songmap.genre.results import FileClassification
from songmap.genre.song_results import ModelReference, SongExplanation
from songmap.genre.song_traits import TraitReference, trait_reference
from songmap.library.genre_model import GenreModel, load_model
from songmap.library.library import Library, library_fingerprint, load_library
from songmap.library.recordings import MAX_DISTANCE, coordinates
from songmap.library.schema import N_COLUMNS, AudioConfig

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

    def predict(self, files: Sequence[Path | str] | Path | str, config: AudioConfig | None = None) -> "pd.DataFrame":
        """Classify audio files.

        Parameters
        ----------
        files : sequence of path, or a path
        config : AudioConfig, optional
            How audio is analysed, e.g. ``config`` of a library of clips below 3 s.

        Returns
        -------
        pandas.DataFrame
            One row per file: ``file_path``, ``predicted_genre``, its ``probability``, and the calibrated probability of
            every genre as ``proba_GENRE``; ``novelty_distance`` to the nearest genre, and whether that is above the
            ``novelty_threshold``: ``is_novel``, the file is unlike the training data.

        Raises
        ------
        AudioError
            If a file cannot be analysed; the message names it.
        """
        import pandas as pd

        if isinstance(files, str | Path):
            files = [files]
        embeddings = np.empty((len(files), N_COLUMNS), np.float32)
        for row, file in enumerate(files):
            try:
                embeddings[row] = _analyse(file, config).embedding
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

    def explain(
        self, analysis: "AudioAnalysis", training: np.ndarray, traits: TraitReference | None = None
    ) -> SongExplanation:
        """Explain an analysed file.

        ``training`` are coordinates of the training songs, as far as they are there, ``traits`` what it is compared with.
        """
        distances = np.linalg.norm(training - coordinates(analysis.embedding[np.newaxis]), axis=1)
        n_songs, includes_song = sum(self.card["songs_per_genre"].values()), bool((distances <= MAX_DISTANCE).any())
        reference = ModelReference("final", n_songs=n_songs, includes_song=includes_song)
        trees = self.model.pipelines[0] if CANDIDATES[self.model.name].has_components else None
        song = explain_song(analysis.record, analysis.embedding, self.model, reference, trees)
        return song if traits is None else traits.describe(song, analysis.record, analysis.embedding)


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
    workspace = Workspace.at(workspace)
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


def classify_files(workspace: Workspace, paths: Sequence[Path], on_progress: OnProgress) -> FileClassification:
    """Analyse, classify and explain audio files, several at a time.

    Parameters
    ----------
    workspace : Workspace
        Of the saved model, and of the library that songs are compared with.
    paths : sequence of Path
        Files, and folders of which all audio files are taken.
    on_progress : callable

    Returns
    -------
    FileClassification
        Songs and failures sorted by path.

    Raises
    ------
    SchemaError
        When there is no usable saved model.
    UsageError
        When there is no audio file in a folder.
    """
    classifier = load_genre_model(workspace)
    files = sorted(files_to_classify(paths), key=str)
    library, state, error = _library(workspace, classifier.card["data"])
    training, traits = np.empty((0, N_COLUMNS), np.float32), None
    if library is not None:
        traits = trait_reference(library)
        training = library.embeddings[np.isin(library.genres, classifier.genres)] if state == "same" else training
    training = coordinates(training)

    def classified(file: Path) -> SongExplanation | tuple[Path, str]:
        try:
            analysis = _analyse(file, None if library is None else library.config)
        except AudioError as problem:
            return file, str(problem)
        return classifier.explain(analysis, training, traits)

    songs: list[SongExplanation] = []
    failures: list[tuple[Path, str]] = []
    with one_thread(), ThreadPoolExecutor(usable_cores(), initializer=one_thread) as pool:
        for number, outcome in enumerate(pool.map(classified, files), start=1):
            if isinstance(outcome, SongExplanation):
                songs.append(outcome)
            else:
                failures.append(outcome)
            on_progress(number, len(files))
    limits = [limit_from(record) for record in classifier.card["limits"]]
    return FileClassification(songs, failures, limits, state, error)


def files_to_classify(paths: Sequence[Path]) -> list[Path]:
    """The files of ``paths`` and all audio files in its folders, each once.

    Raises
    ------
    UsageError
        When there is no audio file in a folder.
    """
    files: list[Path] = []
    for path in paths:
        inside = audio_files(path) if path.is_dir() else [path]
        if not inside:
            raise UsageError(f"there is no audio file in {path}; name a folder of music, or files")
        files += inside
    return list(dict.fromkeys(files))


def _analyse(file: Path | str, config: AudioConfig | None) -> "AudioAnalysis":
    from songmap.features.analysis import analyse_file

    return analyse_file(Path(file), config)


def _library(workspace: Workspace, fingerprint: str) -> tuple[Library | None, Any, str]:
    """The workspace's library; whether it is the training data, and an error, as a FileClassification has them."""
    if not workspace.manifest.is_file():
        return None, "missing", ""
    try:
        library = load_library(workspace)
    except SchemaError as error:
        return None, "unreadable", str(error)
    return library, "same" if library_fingerprint(library) == fingerprint else "changed", ""
