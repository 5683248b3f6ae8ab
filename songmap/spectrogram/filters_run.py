"""What filters respond to, songs that one responds to most, and why a song was given its genre: what 07 calls.

torch is imported where it is first needed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from songmap.core.defaults import DEFAULT_SEED
from songmap.core.errors import QueryError, SchemaError, UsageError
from songmap.core.progress import OnProgress
from songmap.core.workspace import Workspace
from songmap.library.library import Library, load_library
from songmap.similar.lookup import Lookup
from songmap.spectrogram.cache import build_excerpts
from songmap.spectrogram.clips import Clip, ClipKey, cut_clips
from songmap.spectrogram.deep import require_torch
from songmap.spectrogram.excerpts import Excerpts, band_frequencies_hz
from songmap.spectrogram.filter_results import BandReason, ExcerptReason, FilterPlaylist, LayerDescription, SongReasons
from songmap.spectrogram.song_outputs import load_out_of_fold

if TYPE_CHECKING:
    from songmap.genre.song_results import SongExplanation
    from songmap.spectrogram.filters import LayerResponses
    from songmap.spectrogram.trained import TrainedNetwork

PLAYLIST_SONGS = 25
_CLIP_FILTERS, _CLIP_SONGS = 12, 3  # of whose lists the page holds the sound
_BAND_GROUPS = 8
_T = TypeVar("_T")


@dataclass(frozen=True)
class LayerStudy:
    """A layer's description; and for its page the mean spectrogram of each filter's patches, and clips of songs."""

    description: LayerDescription
    patches: dict[int, np.ndarray]
    clips: dict[ClipKey, Clip]


@dataclass(frozen=True)
class SongStudy:
    """Why a song was given its genre; and for its page ``level_db`` and ``attribution``, both ``(n, n_bands, n_frames)``.

    ``columns`` is the explanation by the library's columns, of 03's model; None where there is no model.
    """

    reasons: SongReasons
    level_db: np.ndarray
    attribution: np.ndarray
    columns: "SongExplanation | None"


@dataclass(frozen=True)
class _Opened:
    library: Library
    lookup: Lookup
    trained: "TrainedNetwork"
    excerpts: Excerpts


def study_layer(
    workspace: Workspace, network: str, layer: str | None, on_progress: OnProgress, seed: int = DEFAULT_SEED
) -> LayerStudy:
    """Describe the filters of a layer of a network that 07 trained.

    Parameters
    ----------
    workspace : Workspace
    network : str
        The name of its files: ``image``, ``frames``, ``frames_mfcc`` or ``residual``.
    layer : str, optional
        The last one by default.
    on_progress : callable
    seed : int
        Of permutations, random weights and synthesised sounds.

    Raises
    ------
    UsageError
        For a layer that there is not.
    SchemaError
        If the network is missing or damaged.
    """
    opened, responses = _responses(workspace, network, layer, on_progress)
    from songmap.spectrogram.filters import describe_layer, top_patches

    description = describe_layer(opened.trained, responses, opened.lookup, seed, on_progress)
    best = [moment for one in description.filters[:_CLIP_FILTERS] if one.meaning for moment in
            (*one.highest[:_CLIP_SONGS], *one.mean[:_CLIP_SONGS])]  # fmt: skip
    rows = {path: row for row, path in enumerate(opened.library.songs["file_path"])}
    patches = {one.number: top_patches(responses, one.number - 1) for one in description.filters}
    return LayerStudy(description, patches, cut_clips(best, opened.excerpts, rows))


def filter_songs(
    workspace: Workspace, network: str, layer: str | None, number: int, on_progress: OnProgress
) -> FilterPlaylist:
    """The songs of highest mean activation of one filter, counted from 1. Raises UsageError, SchemaError."""
    opened, responses = _responses(workspace, network, layer, on_progress)
    from songmap.spectrogram.filters import moments

    n_filters = responses.activations.mean.shape[1]
    if not 1 <= number <= n_filters:
        raise UsageError(f"--filter {number}: layer {responses.layer} has filters 1 to {n_filters}")
    songs = moments(responses, number - 1, opened.lookup, by_mean=True, most=PLAYLIST_SONGS)
    return FilterPlaylist(network, responses.layer, number, songs)


def explain_song(workspace: Workspace, network: str, name: str, on_progress: OnProgress) -> SongStudy:
    """Why a network gives a song of the library its genre. Raises UsageError, QueryError, SchemaError."""
    opened = _open(workspace, network)
    from songmap.spectrogram.attribution import TOLERANCE, attribute

    trained, excerpts = opened.trained, opened.excerpts
    row = opened.lookup.rows([name])[0]
    places = np.flatnonzero(excerpts.song == row)
    if not len(places):
        raise QueryError(f"{name} has no excerpts: its file cannot be read any more, or is silent")
    values = np.asarray(excerpts.values[places])
    proba = trained.predict_proba(values)
    mean = proba.mean(axis=0)
    target = int(mean.argmax())
    one = attribute(trained, values, trained.genres[target], on_progress)
    starts_s, length_s = excerpts.start_s[places], excerpts.kind.length_s
    sums = one.values.sum(axis=(1, 2), dtype=np.float64)
    reasons = SongReasons(
        song=opened.lookup.song(row),
        network=network,
        genre=trained.genres[target],
        probabilities=dict(zip(trained.genres, mean.tolist(), strict=True)),
        out_of_fold_probability=_out_of_fold(workspace, opened, row, target),
        attribution=float(sums.mean()),
        logit_difference=float(one.logit_difference.mean()),
        n_steps=one.n_steps,
        completeness_error=one.completeness_error,
        tolerance=TOLERANCE,
        excerpts=[
            ExcerptReason(float(start_s), float(start_s) + length_s, float(share), float(total))
            for start_s, share, total in zip(starts_s, proba[:, target], sums, strict=True)
        ],
        bands=_band_reasons(one.values, band_frequencies_hz(excerpts.kind.name)),
    )
    return SongStudy(reasons, values, one.values, _columns_explanation(workspace, reasons.song.file_path))


def _open(workspace: Workspace, network: str) -> _Opened:
    require_torch()
    from songmap.spectrogram.trained import load_network

    trained, library = load_network(workspace, network), load_library(workspace)
    return _Opened(library, Lookup(library), trained, build_excerpts(workspace, library, trained.kind))


def _responses(
    workspace: Workspace, network: str, layer: str | None, on_progress: OnProgress
) -> "tuple[_Opened, LayerResponses]":
    opened = _open(workspace, network)
    from songmap.spectrogram.activations import layer_named
    from songmap.spectrogram.filters import respond

    chosen = layer_named(opened.trained, layer)
    return opened, respond(opened.trained, chosen, opened.excerpts, on_progress)


def _band_reasons(attribution: np.ndarray, frequencies_hz: np.ndarray) -> list[BandReason]:
    """Equal numbers of bands, low to high."""
    of_band = attribution.sum(axis=2, dtype=np.float64).mean(axis=0)
    groups = np.array_split(np.arange(len(frequencies_hz)), _BAND_GROUPS)
    return [
        BandReason(float(frequencies_hz[group[0]]), float(frequencies_hz[group[-1]]), float(of_band[group].sum()))
        for group in groups
    ]


def _out_of_fold(workspace: Workspace, opened: _Opened, row: int, target: int) -> float | None:
    """The genre's probability by the network that was trained without the song."""
    trained = opened.trained
    wanted = trained.settings.name, len(trained.genres), trained.card["sha256"]
    proba = _unless_missing(lambda: load_out_of_fold(workspace, opened.library, *wanted))
    value = np.nan if proba is None else float(proba[row, target])
    return value if np.isfinite(value) else None


def _columns_explanation(workspace: Workspace, file_path: str) -> "SongExplanation | None":
    """By the model that 03 saved, as it explains new files."""
    from pathlib import Path

    from songmap.genre.predict import classify_files

    classified = _unless_missing(lambda: classify_files(workspace, [Path(file_path)], lambda done, total: None))
    return classified.songs[0] if classified is not None and classified.songs else None


def _unless_missing(load: Callable[[], _T]) -> _T | None:
    """What ``load`` gives; None where it is not there, or of another library."""
    try:
        return load()
    except (SchemaError, UsageError):
        return None
