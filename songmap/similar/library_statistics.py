"""What a library holds and how its songs lie: lists, duplicates, outliers, hubs, and everything known of one song."""

import numpy as np

from songmap.core.progress import OnProgress
from songmap.library.keys import NO_KEY, estimate_keys, key_margins
from songmap.library.recordings import coordinates
from songmap.similar.comparison import Comparison
from songmap.similar.evaluation import NEAREST, k_occurrence, skewness
from songmap.similar.explain import key_values
from songmap.similar.lookup import FoundSong, Lookup
from songmap.similar.results import DuplicatesResult, HubsResult, InfoResult, ModelInUse, OutliersResult

_NOT_TAGS = (  # of a record: what a Song, or another field of a result, holds
    "song_name", "artist", "genre", "title", "album", "year", "duration", "tempo_bpm", "tempo_octave",
    "beat_deviation_s", "file_path", "key", "duplicate_of",
)  # fmt: skip


def song_info(
    lookup: Lookup, found: FoundSong, comparison: Comparison | None, model: ModelInUse | None = None
) -> InfoResult:
    """Everything known of a song; ``comparison`` finds the nearest other one, None where there is none."""
    keys, correlations = estimate_keys(found.embedding[None])
    copies = [] if found.row is None else lookup.copies_of(found.row)
    nearest, similarity = None, None
    if comparison is not None:
        rows, similarities = comparison.search.nearest(comparison.unit(found), 1, lookup.others([found]))
        nearest, similarity = lookup.song(int(rows[0])), float(similarities[0])
    return InfoResult(
        song=found.song,
        tags={name: value for name, value in found.record.items() if name not in _NOT_TAGS},
        measured_tempo_bpm=found.record["tempo_bpm"],
        tempo_octave=found.record["tempo_octave"],
        beat_deviation_s=found.record["beat_deviation_s"],
        key_estimate=int(keys[0]),
        key_correlation=float(correlations[0]) if keys[0] != NO_KEY else None,
        key_margin=float(key_margins(found.embedding[None])[0]) if keys[0] != NO_KEY else None,
        key_tag=found.record.get("key", ""),
        copies=tuple(lookup.song(row).file_path for row in copies),
        nearest=nearest,
        nearest_similarity=similarity,
        traits=lookup.traits(found),
        descriptors=key_values(found, lookup),
        model=model,
    )


def duplicates(lookup: Lookup) -> DuplicatesResult:
    """Files of the same recording in groups, numbered from 1, the first file of each first."""
    members: list[int] = []
    groups: list[int] = []
    similarities: list[float] = []
    rows, counts = np.unique(lookup.recordings, return_counts=True)
    for group, first in enumerate(rows[counts > 1], start=1):
        own = np.flatnonzero(lookup.recordings == first)
        points = coordinates(lookup.library.embeddings[own]).astype(np.float64)
        members += own.tolist()
        groups += [group] * len(own)
        similarities += (1 / (1 + np.linalg.norm(points - points[0], axis=1))).tolist()
    return DuplicatesResult(lookup.songs(members), {"group": groups, "similarity": similarities})


def outliers(comparison: Comparison, number: int, on_progress: OnProgress | None = None) -> OutliersResult:
    """The ``number`` songs with the lowest mean similarity to their ``NEAREST`` nearest."""
    lookup = comparison.lookup
    firsts = lookup.firsts
    _, similarities = comparison.neighbours(NEAREST, on_progress)
    means = np.nanmean(similarities[firsts], axis=1) if len(firsts) > 1 else np.zeros(0)
    order = np.argsort(means, kind="stable")[:number]
    median = float(np.median(means)) if len(means) else None
    figures = {"similarity": means[order].tolist()}
    return OutliersResult(lookup.songs(firsts[order]), figures, NEAREST, median, comparison.setting)


def hubs(comparison: Comparison, number: int, on_progress: OnProgress | None = None) -> HubsResult:
    """The ``number`` songs with the largest k-occurrence: among the ``NEAREST`` nearest of most others."""
    lookup = comparison.lookup
    firsts = lookup.firsts
    found = comparison.neighbours(NEAREST, on_progress)[0][firsts]
    occurrence = k_occurrence(found, len(lookup.library))[firsts]
    order = np.argsort(-occurrence, kind="stable")[:number]
    return HubsResult(
        songs=lookup.songs(firsts[order]),
        figures={"k_occurrence": occurrence[order].tolist()},
        nearest=NEAREST,
        mean=float(occurrence.mean()),
        skewness=skewness(occurrence),
        in_no_list=int((occurrence == 0).sum()),
        n_recordings=len(firsts),
    )
