"""The stacked area of probabilities over time, as both picture and page draw it."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from songmap.library.palette import UNKNOWN_COLOUR, genre_colours
from songmap.recording.results import RecordingAnswer

_LEAST = 0.05  # a genre that never has more is one of the others


@dataclass(frozen=True)
class Layer:
    """A genre: ``smoothed`` and ``raw (n_times,)`` probabilities, ``share`` of all; ``is_repeated`` is its colour."""

    name: str
    colour: str
    is_repeated: bool
    share: float
    smoothed: np.ndarray
    raw: np.ndarray


def layers(answer: RecordingAnswer, library_genres: Iterable[str]) -> tuple[np.ndarray, list[Layer]]:
    """Times in seconds ``(n_times,)`` and the genres, most probable first; those that never matter are one layer.

    A probability is that of its segment's middle; before the first and after the last middle it stays as it is there.
    """
    timeline, colours = answer.timeline, genre_colours([*library_genres, *answer.genres])
    times_s = np.r_[0.0, (timeline.start_s + timeline.end_s) / 2, answer.duration_s]
    smoothed, raw = (np.r_[proba[:1], proba, proba[-1:]] for proba in (timeline.smoothed, timeline.proba))
    order = sorted(range(len(answer.genres)), key=lambda place: -answer.probabilities[answer.genres[place]])
    shown = [place for place in order if max(smoothed[:, place].max(), raw[:, place].max()) >= _LEAST]
    result, used = [], set()
    for place in shown:
        genre = answer.genres[place]
        share, colour = answer.probabilities[genre], colours[genre]
        result.append(Layer(genre, colour, colour in used, share, smoothed[:, place], raw[:, place]))
        used.add(colour)
    others = [place for place in order if place not in shown]
    if others:
        name = answer.genres[others[0]] if len(others) == 1 else f"{len(others)} others"
        colour = colours[name] if len(others) == 1 else UNKNOWN_COLOUR
        share = sum(answer.probabilities[answer.genres[place]] for place in others)
        parts = smoothed[:, others].sum(axis=1), raw[:, others].sum(axis=1)
        result.append(Layer(name, colour, colour in used, share, *parts))
    return times_s, result


def tick_times_s(duration_s: float, most: int) -> list[float]:
    """Round times from 0 on, ``most`` at most."""
    steps = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
    step = next((one for one in steps if duration_s / one < most), duration_s / most)
    return [float(time) for time in np.arange(0, duration_s, step)]
