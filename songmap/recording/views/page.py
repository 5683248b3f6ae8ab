"""The answer as a page: the recording plays over its timeline, songs and moments of the library play too.

``recording.html`` is the template, ``recording.css`` the look, ``recording.js`` what moves. Areas are drawn in a square
of 1000 × 1000, which is stretched.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import numpy as np

from songmap.core.pages import audio_address, render
from songmap.core.text import format_duration, percent, readable
from songmap.library.palette import genre_colours
from songmap.library.schema import FAMILIES
from songmap.recording.results import RecordingAnswer, Training
from songmap.recording.views import sentences
from songmap.recording.views.layers import Layer, layers, tick_times_s
from songmap.recording.views.training import reasons_limit, score_rows, training_data_sentence, training_sentence
from songmap.similar.song import Song

_N_TICKS = 7  # that a phone has room for


@dataclass(frozen=True)
class Area:
    """A genre in the picture: the ``points`` of its area, and those of its area before smoothing, ``raw``."""

    name: str
    colour: str
    is_repeated: bool
    share: str
    points: str
    raw: str


def recording_page(answer: RecordingAnswer, training: Training, library_genres: Sequence[str], folder: Path) -> str:
    """The page, which will be in ``folder``; colours are given by ``library_genres``."""
    times_s, stack = layers(answer, library_genres)
    duration_s = answer.duration_s
    address = audio_address(answer.file_path, folder) if answer.file_path else ""
    return render(
        "recording/views/recording.html",
        title=readable(sentences.recording_name(answer)),
        answer=answer,
        address=address,
        areas=_areas(times_s, stack, duration_s),
        ticks=[(100 * time / duration_s, format_duration(time)) for time in tick_times_s(duration_s, _N_TICKS)],
        parts=[_part(answer, place, folder) for place in range(len(answer.parts))],
        colours=genre_colours([*library_genres, *answer.genres]),
        next_songs=[_song(near.song, folder) | {"similarity": near.similarity} for near in answer.next_songs],
        families=FAMILIES,
        scores=score_rows(training),
        reasons_limit=reasons_limit(training),
        training=[training_data_sentence(training), training_sentence(training)],
        sentences=sentences,
        percent=percent,
        length=format_duration(duration_s),
    )


def _areas(times_s: np.ndarray, stack: Sequence[Layer], duration_s: float) -> list[Area]:
    x = 1000 * times_s / duration_s
    smoothed, raw = (_outlines(x, shares) for shares in zip(*((one.smoothed, one.raw) for one in stack), strict=True))
    return [
        Area(layer.name, layer.colour, layer.is_repeated, percent(layer.share), *points)
        for layer, *points in zip(stack, smoothed, raw, strict=True)
    ]


def _outlines(x: np.ndarray, shares: Sequence[np.ndarray]) -> list[str]:
    """The outline of each area, of those that are stacked."""
    tops = accumulate(shares, initial=np.zeros(len(x)))
    return [f"{_points(x, top)} {_points(x[::-1], bottom[::-1])}" for bottom, top in pairwise(tops)]


def _points(x: np.ndarray, shares: np.ndarray) -> str:
    return " ".join(f"{left:.1f},{1000 - 1000 * share:.1f}" for left, share in zip(x, shares, strict=True))


def _part(answer: RecordingAnswer, place: int, folder: Path) -> dict[str, Any]:
    part = answer.parts[place]
    moments = [
        _song(one.song, folder) | {"start_s": one.start_s, "end_s": one.end_s, "similarity": one.similarity,
                                   "time": sentences.time_span(one.start_s, one.end_s)}
        for one in part.moments
    ]  # fmt: skip
    return {
        "part": part,
        "time": sentences.time_span(part.start_s, part.end_s),
        "left": 100 * part.start_s / answer.duration_s,
        "width": 100 * (part.end_s - part.start_s) / answer.duration_s,
        "nearest": [_song(near.song, folder) | {"similarity": near.similarity} for near in part.nearest],
        "moments": moments,
        "points": {one.family: round(100 * one.adds) for one in part.families},
    }


def _song(song: Song, folder: Path) -> dict[str, Any]:
    return {
        "title": readable(song.display_title),
        "artist": readable(song.artist),
        "time": format_duration(song.duration),
        "address": audio_address(song.file_path, folder),
    }
