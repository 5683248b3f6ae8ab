"""05 in steps: load or train the classifier, analyse a recording once, find its parts, and what to hear next."""

from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from songmap.core.errors import AudioError, SchemaError
from songmap.core.workspace import Workspace
from songmap.genre.explanation import family_contributions
from songmap.genre.family_attribution import family_attribution
from songmap.genre.fit import one_thread
from songmap.library.display_names import display_title
from songmap.library.genre_model import GenreModel, load_model_files
from songmap.library.keys import LEAST_MARGIN, NO_KEY, estimate_keys, key_margins
from songmap.library.library import load_library, song_table
from songmap.library.segments import SegmentSettings, SongSegments
from songmap.library.segments_file import load_segments
from songmap.library.tempos import tempos_of
from songmap.library.traits import qualities, traits
from songmap.recording.card import training_of
from songmap.recording.image_member import ImageMember, load_image_member
from songmap.recording.members import IMAGE_MEMBER
from songmap.recording.neighbours import Neighbours
from songmap.recording.results import Part, RecordingAnswer, Timeline, Training
from songmap.recording.timeline import LONG_S, parts_of, smooth

if TYPE_CHECKING:
    from songmap.features.analysis import AudioAnalysis
    from songmap.features.frames import SongFrames

HOPS = 3  # segments of a recording per hop of the library's: a finer timeline
N_NEXT, N_NEAREST, N_MOMENTS = 5, 3, 3


@dataclass(frozen=True)
class _Analysed:
    """A recording with its segments' probabilities ``(n, n_genres)`` and distances, and the library's ``copies`` of it.

    ``image_proba`` are those of the network of spectrograms alone, None without one.
    """

    frames: "SongFrames"
    segments: SongSegments
    proba: np.ndarray
    image_proba: np.ndarray | None
    distances: np.ndarray
    copies: np.ndarray


@dataclass(frozen=True)
class RecordingClassifier:
    """The model of segments, and the library that answers are from.

    Attributes
    ----------
    model : GenreModel
    card : dict
        What is known of the model: ``training`` with its scores, parameters, versions.
    training : Training
        The same as the card has it.
    neighbours : Neighbours
    image : ImageMember or None
        The network of spectrograms, where it is one of the members.
    """

    model: GenreModel
    card: dict[str, Any]
    training: Training
    neighbours: Neighbours
    image: ImageMember | None = None

    def classify(self, file: Path | str, n_next: int = N_NEXT) -> RecordingAnswer:
        """What a recording is, and what to hear next.

        Parameters
        ----------
        file : path
            Any format that 01 reads.
        n_next : int
            Songs to hear next.

        Raises
        ------
        AudioError
            If it cannot be decoded, is too short or silent.
        """
        from songmap.features.analysis import analyse_file

        with one_thread():  # several wait for each other on a busy machine, and gain little
            return self.answer(analyse_file(file, self.neighbours.library.config), n_next)

    def answer(self, analysis: "AudioAnalysis", n_next: int = N_NEXT) -> RecordingAnswer:
        """As ``classify``, of a recording that is analysed."""
        from songmap.features.segments import segment

        model, record, config = self.model, analysis.record, self.neighbours.library.config
        duration_s = record["duration"]
        settings = SegmentSettings(self.training.settings.length_s, max(1.0, self.training.settings.hop_s / HOPS))
        segments = segment(analysis.frames, duration_s, config, settings)
        if not len(segments):
            raise AudioError("silent but for less than a segment; nothing can be classified")
        image_proba = None if self.image is None else self.image.segment_proba(analysis.signal, segments.bounds_s)
        proba = self._proba(segments.embeddings, image_proba)
        units = self.neighbours.space.units(segments.embeddings)
        centres_s = segments.bounds_s.mean(axis=1)
        distances = model.novelty.distances(segments.embeddings)
        copies = self.neighbours.same_recording(record.get("file_path", ""), analysis.embedding)
        bounds = parts_of(proba, units, centres_s, duration_s)
        edges_s = [0.0, *(float(centres_s[first - 1 : first + 1].mean()) for first, _ in bounds[1:]), duration_s]
        parts = tuple(
            self._part(_Analysed(analysis.frames, segments, proba, image_proba, distances, copies), span, edges)
            for span, edges in zip(bounds, pairwise(edges_s), strict=True)
        )
        overall = proba.mean(axis=0)
        genre = model.genres[int(overall.argmax())]
        next_songs, few_artists = self.neighbours.songs(analysis.embedding, n_next, copies, genre)
        library = self.neighbours.library
        own = qualities(analysis.embedding[np.newaxis], tempos_of(song_table([record]))[0])[0]
        return RecordingAnswer(
            file_path=record.get("file_path", ""),
            title=display_title(*(record.get(name, "") for name in ("song_name", "artist", "title"))),
            artist=record.get("artist", ""),
            duration_s=duration_s,
            genres=tuple(model.genres),
            genre=genre,
            probabilities=dict(zip(model.genres, overall.tolist(), strict=True)),
            timeline=Timeline(segments.bounds_s[:, 0], segments.bounds_s[:, 1], proba, smooth(proba)),
            parts_by="sound" if duration_s >= LONG_S else "genre",
            parts=parts,
            next_songs=next_songs,
            other_artists_missing=few_artists,
            novelty_distance=float(distances.mean()),
            novelty_threshold=model.novelty.threshold,
            traits=traits(own, qualities(library.embeddings, tempos_of(library.songs)[0])),
            in_library=str(library.songs["file_path"].iloc[copies[0]]) if len(copies) else "",
            in_training=bool(np.isin(library.genres[copies], model.genres).any()),
        )

    def _proba(self, embeddings: np.ndarray, image_proba: np.ndarray | None) -> np.ndarray:
        """Probabilities of segments ``embeddings (n, 641)``; ``image_proba`` are one or n rows."""
        if self.image is None or image_proba is None:
            return self.model.predict_proba(embeddings)
        return self.image.joined_proba(self.model, embeddings, image_proba)

    def _part(self, recording: _Analysed, span: tuple[int, int], edges_s: tuple[float, float]) -> Part:
        """The part of segments ``span``, first and last + 1, between two times."""
        from songmap.features.segments import cut
        from songmap.features.statistics import embed

        model, config, own = self.model, self.neighbours.library.config, slice(*span)
        proba = recording.proba[own]
        mean = proba.mean(axis=0)
        predicted = int(mean.argmax())
        frames = cut(recording.frames, edges_s[0], edges_s[1] - edges_s[0], config)
        embedding = embed(frames)
        place = span[0] + int(((proba - mean) ** 2).sum(axis=1).argmin())
        typical = recording.segments.embeddings[place]
        # what families of columns add is added to what the network makes of the segment
        image_proba = None if recording.image_proba is None else recording.image_proba[place]
        predict = partial(self._proba, image_proba=image_proba)
        families = family_attribution(predict, typical, model.background)
        is_clear = key_margins(embedding[np.newaxis])[0] >= LEAST_MARGIN
        return Part(
            start_s=edges_s[0],
            end_s=edges_s[1],
            genre=model.genres[predicted],
            probability=float(mean[predicted]),
            probabilities=dict(zip(model.genres, mean.tolist(), strict=True)),
            tempo_bpm=frames.values["refined_tempo_bpm"],
            key=int(estimate_keys(embedding[np.newaxis])[0][0]) if is_clear else NO_KEY,
            is_novel=bool(recording.distances[own].mean() > model.novelty.threshold),
            families=tuple(family_contributions(families, model.genres, predicted)),
            nearest=self.neighbours.songs(embedding, N_NEAREST, recording.copies)[0],
            moments=self.neighbours.moments(typical, N_MOMENTS, recording.copies),
        )


def load_recording_classifier(workspace: Workspace | Path | str) -> RecordingClassifier:
    """The classifier that 05 saved, with the library that it answers from.

    Parameters
    ----------
    workspace : Workspace or path
        The folder that holds ``data/ models/ outputs/``.

    Raises
    ------
    SchemaError
        If model or library are missing, damaged, or of other columns.
    UsageError
        If the classifier has a network of spectrograms, and torch is not installed.
    """
    workspace = Workspace.at(workspace)
    library = load_library(workspace)
    model, card = load_model_files(workspace.segment_model)
    training = training_of(card)
    image = load_image_member(workspace, card, model.genres) if IMAGE_MEMBER in training.members else None
    try:
        segments = load_segments(workspace, library)
    except SchemaError:  # then there are no similar moments
        segments = None
    return RecordingClassifier(model, card, training, Neighbours(library, segments), image)
