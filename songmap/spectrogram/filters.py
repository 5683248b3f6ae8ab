"""What the filters of a layer respond to: in the library's excerpts, and to synthesised sounds. Needs torch.

A correlation over a library does not tell which of several properties that go together a filter responds to: where there
is a kick there is a bass. Pairs of synthesised sounds that differ in one property alone are the second, independent
measure.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from songmap.core.progress import OnProgress, stages
from songmap.features.signal import Signal
from songmap.similar.lookup import Lookup
from songmap.spectrogram.activations import Activations, activations
from songmap.spectrogram.associations import N_PERMUTATIONS, Associations, associations, correlations
from songmap.spectrogram.excerpts import ExcerptKind, Excerpts, band_frequencies_hz, excerpts_of
from songmap.spectrogram.filter_results import (
    FilterDescription,
    FilterMoment,
    LayerDescription,
    ProbeCorrelation,
    SimilarFilter,
)
from songmap.spectrogram.probe_sounds import probe_sounds
from songmap.spectrogram.probes import PROBE_NAMES, probe_values
from songmap.spectrogram.trained import TrainedNetwork
from songmap.spectrogram.untrained import N_UNTRAINED, untrained_limits

MOMENT_S = 6.0  # of a song, to listen to
LIST_SONGS = 5
_ALPHA = 0.05
_LEAST_CORRELATION = 0.3  # below it a property explains less than a tenth of the variance of ranks
_N_PAIRS = 8
_LEAST_AGREEING = 7 / 8  # of pairs; 7 of 8 or more have a probability of 4 % by chance
_N_NEAREST = 3
_TOP_SHARE, _TOP_LEAST = 0.01, 10


@dataclass(frozen=True)
class LayerResponses:
    """The responses of a layer to a library: what lists of songs and pictures are made of."""

    layer: str
    excerpts: Excerpts
    activations: Activations
    receptive: int


def respond(trained: TrainedNetwork, layer: str, excerpts: Excerpts, on_progress: OnProgress | None) -> LayerResponses:
    """Have a layer respond to all excerpts."""
    receptive = trained.network.geometry(layer).receptive
    return LayerResponses(layer, excerpts, activations(trained, layer, excerpts.values, on_progress), receptive)


def describe_layer(
    trained: TrainedNetwork,
    responses: LayerResponses,
    lookup: Lookup,
    seed: int,
    on_progress: OnProgress = lambda done, total: None,
) -> LayerDescription:
    """Describe every filter of a layer.

    Parameters
    ----------
    trained : TrainedNetwork
    responses : LayerResponses
        Of this network.
    lookup : Lookup
        The songs that the excerpts are of.
    seed : int
        Of permutations, random weights and synthesised sounds.
    on_progress : callable, optional
        Called with the numbers of finished and of all steps.
    """
    excerpts, layer = responses.excerpts, responses.layer
    kind = excerpts.kind
    totals = len(excerpts.song), len(PROBE_NAMES), N_UNTRAINED
    of_excerpts, of_sounds, of_networks = stages(on_progress, totals)
    probes = probe_values(excerpts.values, band_frequencies_hz(kind.name), 1 / kind.hop_s, of_excerpts)
    artist = lookup.artist_groups[excerpts.song]
    related = associations(responses.activations.mean, probes, excerpts.song, artist, seed)
    contrasts = sound_contrasts(trained, layer, seed, of_sounds)
    limits = untrained_limits(trained, layer, excerpts.values, probes, seed, of_networks)
    nearest = [_nearest_probes(related, contrasts, limits, number) for number in range(len(contrasts))]
    similar = correlations(responses.activations.mean, responses.activations.mean)
    filters = [
        FilterDescription(
            number=number + 1,
            meaning=next(filter(is_meaning, nearest[number]), None),
            nearest=nearest[number][:_N_NEAREST],
            active_share=float((responses.activations.highest[:, number] > 0).mean()),
            similar=_most_similar(similar[number], number),
            highest=moments(responses, number, lookup, by_mean=False, most=LIST_SONGS),
            mean=moments(responses, number, lookup, by_mean=True, most=LIST_SONGS),
        )
        for number in range(len(contrasts))
    ]
    return LayerDescription(
        network=trained.settings.name,
        layer=layer,
        layers=list(trained.network.layers()),
        receptive_s=responses.receptive * kind.hop_s,
        n_excerpts=len(excerpts.song),
        n_songs=len(np.unique(excerpts.song)),
        n_probes=len(PROBE_NAMES),
        n_permutations=N_PERMUTATIONS,
        largest_by_chance=related.largest_by_chance,
        filters=sorted(filters, key=_rank),
    )


def _rank(one: FilterDescription) -> tuple[bool, float]:
    return one.meaning is None, -abs((one.meaning or one.nearest[0]).correlation)


def is_meaning(one: ProbeCorrelation) -> bool:
    """Whether a correlation is neither by chance, nor negligible, nor one of random weights, and synthesised sounds agree."""
    size = abs(one.correlation)
    is_large = size > one.untrained_limit and size >= _LEAST_CORRELATION
    return is_large and one.p_corrected <= _ALPHA and one.n_pairs_agreeing >= _LEAST_AGREEING * one.n_pairs


def _nearest_probes(
    related: Associations, contrasts: np.ndarray, limits: np.ndarray, number: int
) -> list[ProbeCorrelation]:
    """All probes by the size of their correlation with filter ``number``, counted from 0."""
    result = []
    for probe in np.argsort(-np.abs(related.correlation[number]), kind="stable").tolist():
        correlation, higher = float(related.correlation[number, probe]), float(contrasts[number, probe])
        result.append(
            ProbeCorrelation(
                PROBE_NAMES[probe],
                correlation,
                p_corrected=float(related.p_corrected[number, probe]),
                untrained_limit=float(limits[probe]),
                n_pairs_agreeing=higher if correlation >= 0 else _N_PAIRS - higher,
                n_pairs=_N_PAIRS,
            )
        )
    return result


def sound_contrasts(trained: TrainedNetwork, layer: str, seed: int, on_progress: OnProgress) -> np.ndarray:
    """In how many of the pairs of sounds each filter's mean activation is higher with each probe's property than without.

    float64 ``(n_filters, n_probes)``; equal activations are half a pair.
    """
    columns = []
    for done, values in enumerate(_sound_excerpts(trained.settings.kind, seed), start=1):
        mean = activations(trained, layer, values).mean
        have, lack = mean[:_N_PAIRS], mean[_N_PAIRS:]
        columns.append((have > lack).sum(axis=0) + 0.5 * (have == lack).sum(axis=0))
        on_progress(done, len(PROBE_NAMES))
    return np.stack(columns, axis=1)


def _sound_excerpts(kind: ExcerptKind, seed: int) -> Iterator[np.ndarray]:
    """For each probe the excerpts of its sounds, those with the property first."""
    for probe in PROBE_NAMES:
        sounds = np.concatenate(probe_sounds(probe, kind.length_s, _N_PAIRS, seed))
        yield np.stack([excerpts_of(Signal.of(samples), kind.name)[0][0] for samples in sounds])


def moments(responses: LayerResponses, number: int, lookup: Lookup, *, by_mean: bool, most: int) -> list[FilterMoment]:
    """The songs that a filter, counted from 0, responds to most, each recording once.

    By the mean activation over all excerpts of a song, whose moment is in the excerpt of highest mean; or by the
    activation at a moment.
    """
    one, excerpts = responses.activations, responses.excerpts
    strength = (one.mean if by_mean else one.highest)[:, number]
    best = _best_excerpts(strength, excerpts.song)
    if by_mean:
        sums, counts = np.bincount(excerpts.song, strength), np.bincount(excerpts.song)
        of_song = (sums / np.maximum(counts, 1))[excerpts.song[best]]
    else:
        of_song = strength[best]
    result: list[FilterMoment] = []
    used: set[int] = set()
    for place in np.argsort(-of_song, kind="stable").tolist():
        row = int(excerpts.song[best[place]])
        recording = int(lookup.recordings[row])
        if recording in used:
            continue
        used.add(recording)
        start_s = _moment_start_s(excerpts, int(best[place]), None if by_mean else int(one.frame[best[place], number]))
        end_s = start_s + min(MOMENT_S, excerpts.kind.length_s)
        result.append(FilterMoment(lookup.song(row), start_s, end_s, float(of_song[place])))
        if len(result) == most:
            break
    return result


def top_patches(responses: LayerResponses, number: int) -> np.ndarray:
    """Mean of what the filter, counted from 0, responds to most: float32 ``(n_bands, receptive)`` in dB.

    The excerpts of the highest activation, 1 % of all and 10 at least; of each the frames that this activation depends on.
    """
    one, values = responses.activations, responses.excerpts.values
    size = min(len(values), max(_TOP_LEAST, round(_TOP_SHARE * len(values))))
    rows = np.sort(np.argsort(-one.highest[:, number], kind="stable")[:size])
    width = responses.receptive
    patches = np.full((size, values.shape[1], width), np.nan, np.float32)  # NaN before and after the excerpt
    for patch, row in zip(patches, rows, strict=True):
        first = one.frame[row, number] - width // 2
        low, high = max(0, first), min(values.shape[2], first + width)
        patch[:, low - first : high - first] = values[row, :, low:high]
    counts = np.isfinite(patches).sum(axis=0)
    mean = np.nansum(patches, axis=0) / np.maximum(counts, 1)
    return np.where(counts > 0, mean, np.nan)


def _best_excerpts(strength: np.ndarray, song: np.ndarray) -> np.ndarray:
    """The excerpt of each song with the largest ``strength``, one per song."""
    order = np.lexsort((-strength, song))
    return order[np.unique(song[order], return_index=True)[1]]


def _moment_start_s(excerpts: Excerpts, row: int, frame: int | None) -> float:
    """When to begin to listen, within the excerpt: around a frame, or at its beginning."""
    kind, start_s = excerpts.kind, float(excerpts.start_s[row])
    if frame is None:
        return start_s
    latest_s = max(0.0, kind.length_s - MOMENT_S)
    return start_s + float(np.clip(frame * kind.hop_s - MOMENT_S / 2, 0, latest_s))


def _most_similar(correlations: np.ndarray, number: int, most: int = 3) -> list[SimilarFilter]:
    """The other filters that respond to the same excerpts, most similar first."""
    order: Sequence[int] = [int(one) for one in np.argsort(-correlations, kind="stable") if one != number]
    return [SimilarFilter(one + 1, float(correlations[one])) for one in order[:most]]
