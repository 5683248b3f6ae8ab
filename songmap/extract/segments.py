"""The segments of a library's songs, from the ledger."""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from songmap.core.errors import UsageError
from songmap.core.workspace import Workspace
from songmap.extract.ledger import Ledger
from songmap.library.descriptors import describe
from songmap.library.schema import N_COLUMNS
from songmap.library.segments import SEGMENT_COLUMNS, Segments, SegmentSettings, SongSegments
from songmap.library.segments_file import segment_settings

NO_SEGMENTS = "none"
_LEAST_STD = 1e-9


def length_and_hop(text: str) -> SegmentSettings:
    """ "30/15": seconds of a segment, and from one to the next."""
    length, slash, hop = text.partition("/")
    try:
        return SegmentSettings(float(length), float(hop) if slash else float(length) / 2)
    except (ValueError, UsageError) as error:
        reason = str(error) if isinstance(error, UsageError) else "give seconds of a segment and of the hop, e.g. 30/15"
        raise argparse.ArgumentTypeError(f"{text!r}: {reason}") from None


def requested_segments(
    workspace: Workspace, given: SegmentSettings | str | None, skip_intro_s: float | None, representative: int | None
) -> SegmentSettings | None:
    """How to cut songs: as ``given``, else as in the workspace's library; with what else is given, at least by default."""
    if given == NO_SEGMENTS:
        return None
    base = given if isinstance(given, SegmentSettings) else segment_settings(workspace)
    if base is None and skip_intro_s is None and representative is None:
        return None
    base = base or SegmentSettings()
    skip_intro_s = base.skip_intro_s if skip_intro_s is None else skip_intro_s
    return replace(base, skip_intro_s=skip_intro_s, representative=representative or base.representative)


def assemble_segments(songs: pd.DataFrame, ledger: Ledger, settings: SegmentSettings) -> Segments:
    """The segments of ``songs`` that the ledger has, in their order; of each the representative ones, where so set."""
    content_of = {str(path): outcome.content for path, outcome in ledger.outcomes(list(map(Path, songs["file_path"])))}
    parts = [ledger.segments.get(content_of.get(path), settings) for path in songs["file_path"]]
    rows = [row for row, part in enumerate(parts) if part is not None]
    whole = [part for part in parts if part is not None]
    if settings.representative is not None:
        whole = nearest_to_mean(whole, settings.representative)
    numbers = np.repeat(rows, list(map(len, whole))) if rows else np.empty(0, np.int64)
    table = songs.iloc[numbers][["file_path", "song_name", "genre", "artist"]].reset_index(drop=True)
    bounds_s = np.concatenate([np.empty((0, 2)), *(part.bounds_s for part in whole)])
    table["start_s"], table["end_s"] = bounds_s.T
    embeddings = np.concatenate([np.empty((0, N_COLUMNS), np.float32), *(part.embeddings for part in whole)])
    return Segments(embeddings, table[list(SEGMENT_COLUMNS)], settings)


def nearest_to_mean(songs: list[SongSegments], number: int) -> list[SongSegments]:
    """Of each song the ``number`` segments nearest to the mean of its segments, in their order.

    Distances are Euclidean, of descriptors in units of their standard deviation over all segments.
    """
    if not songs:
        return []
    described = describe(np.concatenate([song.embeddings for song in songs]))
    points = described / np.maximum(described.std(axis=0), _LEAST_STD)
    kept, first = [], 0
    for song in songs:
        own = points[first : first + len(song)]
        distances = np.linalg.norm(own - own.mean(axis=0), axis=1)
        chosen = np.sort(np.argsort(distances, kind="stable")[:number])
        kept.append(SongSegments(song.bounds_s[chosen], song.embeddings[chosen]))
        first += len(song)
    return kept
