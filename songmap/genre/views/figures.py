"""Figures of how good the classifier is: results in, a matplotlib Figure out; nothing is shown, saved or loaded.

``library_genres`` are all genres of the library, by which colours are given everywhere.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from songmap.core.figures import (
    MUTED_COLOUR,
    TOWARDS_COLOUR,
    contrast_numbers,
    headline,
    legend_below,
    new_figure,
    short,
)
from songmap.core.text import count_of_songs, shorten
from songmap.genre.comparison_results import CandidateScores
from songmap.genre.results import ConfusionMatrix, Reliability
from songmap.genre.song_results import BoundarySong
from songmap.genre.views.sentences import candidates_phrase, song_label
from songmap.library.palette import genre_colours, genre_markers

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_N_SONGS = 15  # in the figure of songs between genres


def confusion_figure(matrices: Sequence[ConfusionMatrix]) -> "Figure":
    """Confusion matrices of the same genres; colour is the share of the true genre's songs."""
    import seaborn

    genres = matrices[0].genres
    many, stacked = len(genres) > 16, len(genres) > 8
    size = 1.8 + (0.34 if many else 0.5) * len(genres)
    shape = (len(matrices), 1) if stacked else (1, len(matrices))
    figure = new_figure(max(size, 3.2) * shape[1] + 2.5, (size + 0.6) * shape[0])
    axes = figure.subplots(*shape, squeeze=False).ravel()
    names = [short(genre, 18) for genre in genres]
    for axis, matrix in zip(axes, matrices, strict=True):
        counts, first = np.array(matrix.counts), stacked or axis is axes[0]
        share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        seaborn.heatmap(
            share, vmin=0, vmax=1, cmap="Blues", cbar=False, square=True, xticklabels=names, ax=axis, fmt="",
            yticklabels=names if first else False, annot=np.where(counts > 0, counts.astype(str), ""),
            annot_kws={"fontsize": 6 if many else 9},
        )  # fmt: skip
        contrast_numbers(axis)
        axis.tick_params(length=0)
        axis.tick_params(axis="y", rotation=0)
        axis.set_xticks(axis.get_xticks(), names, rotation=40, ha="right", rotation_mode="anchor")
        title = f"{counts.sum()} test songs" if matrix.split == "test" else "Cross-validation"
        axis.set(title=title, xlabel="predicted", ylabel="genre in the library" if first else "")
    label = "share of the genre's songs"
    figure.colorbar(axes[0].collections[0], ax=list(axes), label=label, shrink=0.8 / shape[0])
    return figure


def candidates_figure(candidates: Sequence[CandidateScores], used: str) -> "Figure":
    """Log loss and accuracy of every candidate, with 95 % intervals; the one in use in colour.

    Candidates that were compared on fewer songs than others are named with their number.
    """
    most = max(one.songs for one in candidates)
    ranked = sorted(candidates, key=lambda one: -one.log_loss)
    figure = new_figure(9.5, 1.5 + 0.34 * len(ranked))
    axes = figure.subplots(1, 2, sharey=True)
    for axis, (name, title) in zip(
        axes, {"log_loss": "Log loss (lower is better)", "accuracy": "Accuracy"}.items(), strict=True
    ):
        for row, one in enumerate(ranked):
            colour = TOWARDS_COLOUR if one.model == used else MUTED_COLOUR
            axis.plot(
                [getattr(one, f"{name}_low"), getattr(one, f"{name}_high")], [row, row], color=colour, linewidth=2
            )
            axis.plot(getattr(one, name), row, "o", color=colour, markersize=7)
        name_rows(axis, [_candidate_name(one, most) for one in ranked])
        axis.set(title=title, ylim=(-0.6, len(ranked) - 0.4))
        axis.grid(axis="x")
    axes[0].set_xlim(left=0)
    axes[1].set_xlim(-0.02, 1.02)
    for text, one in zip(axes[0].get_yticklabels(), ranked, strict=True):
        text.set_fontweight("bold" if one.model == used else "normal")
    headline(figure, f"{candidates_phrase(candidates)}. 95 % intervals; the model in use is bold")
    return figure


def _candidate_name(one: CandidateScores, most_songs: int) -> str:
    songs = f" ({count_of_songs(one.songs)})" if one.songs < most_songs else ""
    return f"{short(one.title, 44 - len(songs))}{songs}"


def reliability_figure(reliability: Reliability) -> "Figure":
    """Accuracy by predicted probability; calibrated probabilities are on the diagonal."""
    figure, bins = new_figure(5.0, 4.4), pd.DataFrame(reliability.bins)
    axis = figure.subplots()
    axis.plot([0, 1], [0, 1], color=MUTED_COLOUR, linestyle=":", linewidth=1)
    axis.vlines(bins.confidence, bins.accuracy_low, bins.accuracy_high, color=TOWARDS_COLOUR, linewidth=1.5)
    axis.plot(bins.confidence, bins.accuracy, "o", color=TOWARDS_COLOUR, markersize=6)
    size = " to ".join(map(str, sorted({bins.songs.min(), bins.songs.max()})))
    axis.set(xlim=(0, 1.02), ylim=(-0.02, 1.02), ylabel="accuracy, with 95 % interval")
    axis.set_xlabel(f"probability of the predicted genre; each dot: mean of {size} songs")
    axis.grid()
    error, calibrated = reliability.error, reliability.calibrated_error
    headline(
        figure, f"Calibration error {error:.2f}; a perfectly calibrated model shows {calibrated:.2f} on as many songs"
    )
    return figure


def boundary_figure(songs: Sequence[BoundarySong], library_genres: Iterable[str]) -> "Figure":
    """Probabilities of the songs between genres, else of the least certain one; the least certain on top."""
    shown = [song for song in songs if song.is_between][:_N_SONGS] or songs[:1]
    genres = list(shown[0].probabilities)
    proba = np.array([list(song.probabilities.values()) for song in shown])
    figure = new_figure(9.5, 1.5 + 0.34 * len(shown) + 0.25 * np.ceil(len(genres) / 5))
    axis = figure.subplots()
    stacked_bars(axis, proba, genres, library_genres)
    name_rows(axis, [short(f"{shorten(song_label(song), 45)} [{song.genre}]", 65) for song in shown])
    axis.set_xlim(0, 1)
    title = (
        "Songs between genres" if shown[0].is_between else "No song is between genres; this one is the least certain"
    )
    axis.set(title=title, xlabel="probability by models trained without the song")
    legend_below(figure, *axis.get_legend_handles_labels())
    return figure


def stacked_bars(axis: "Axes", widths: np.ndarray, genres: Sequence[str], library_genres: Iterable[str]) -> None:
    """One bar a row from parts ``(n_rows, n_genres)`` in the genres' colours; hatched where colours repeat."""
    colours, markers = genre_colours(library_genres), genre_markers(library_genres)
    left = np.zeros(len(widths))
    for index, genre in enumerate(genres):
        axis.barh(
            range(len(widths)), widths[:, index], left=left, height=0.72, color=colours[genre], label=short(genre, 18),
            hatch=None if markers[genre] == "o" else "////", edgecolor="white", linewidth=0,
        )  # fmt: skip
        left += widths[:, index]


def name_rows(axis: "Axes", names: Sequence[str]) -> None:
    """Names of an axis' rows, the first on top."""
    axis.set_yticks(range(len(names)), names)
    axis.set_ylim(len(names) - 0.4, -0.6)
    axis.tick_params(axis="y", length=0)


def panels(figure: "Figure", number: int, most_columns: int, **options: bool) -> list["Axes"]:
    """Axes side by side, at most ``most_columns`` in a row; of the last row some may stay empty."""
    columns = min(most_columns, number)
    axes = figure.subplots(-(-number // columns), columns, squeeze=False, **options).ravel().tolist()
    for axis in axes[number:]:
        axis.set_visible(False)
    return axes[:number]
