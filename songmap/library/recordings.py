"""Files that hold the same recording: re-encoded, louder or softer, other tags, a little silence more or less.

Songs are compared by what a copy leaves nearly as it is, on fixed scales, so that the result does not depend
on what else is in the library: the mean chroma, and the 75th percentile of the mel bands that every encoder
keeps (centres of 129 to 1956 Hz) less their mean, so that no gain and no other loudest moment moves them. A block's
difference is the root mean square over its columns in units of its scale; the ``distance`` of two songs is the
root mean square of the two differences, and their similarity ``1 / (1 + distance)``: 1 for equal numbers, 0.5
at the limit ``MAX_DISTANCE``. ``benchmarks/duplicates.py`` measured what copies and other songs lie at.

A group is a song and all later, ungrouped songs that are copies of that one. Copies of copies do not join, so
no chain grows: any two members are at most twice the limit apart (triangle inequality).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from songmap.library.schema import block_slice

CHROMA_SCALE = 0.025  # of 0…1
MEL_SCALE_DB = 0.8
MEL_BANDS = slice(4, 64)
MEL_FLOOR_DB = -40.0  # what is softer is what encoders drop first
MAX_DISTANCE = 1.0
MAX_DURATION_DIFFERENCE_S = 4.0  # and at most
MAX_DURATION_DIFFERENCE = 0.1  # of the longer one, so that a short loop is not a copy of itself played twice
_SEARCH_AXES = 8  # of the projection in which candidates are looked for
_SEARCH_ROWS = 32  # looked up at a time: bounds what a library of nothing but copies holds in memory
_ROUNDING = 1e-3  # more than float32 coordinates of copies can err


@dataclass(frozen=True)
class DuplicateGroup:
    """Files of the same recording: ``rows (n,)``, ascending, and their ``similarities (n,)`` to the first."""

    rows: np.ndarray
    similarities: np.ndarray


def coordinates(embeddings: np.ndarray) -> np.ndarray:
    """Points float32 ``(n_songs, 72)`` whose Euclidean distances are the distances of ``embeddings (n_songs, 641)``."""
    chroma = embeddings[:, block_slice("chroma", "mean")]
    mel = embeddings[:, block_slice("mel", "p75")][:, MEL_BANDS].clip(MEL_FLOOR_DB)
    mel = mel - mel.mean(axis=1, keepdims=True)
    scaled = ((chroma, CHROMA_SCALE), (mel, MEL_SCALE_DB))
    blocks = [block / (scale * np.sqrt(2 * block.shape[1])) for block, scale in scaled]
    return np.concatenate(blocks, axis=1, dtype=np.float32)


def find_duplicates(embeddings: np.ndarray, durations_s: np.ndarray) -> list[DuplicateGroup]:
    """Find groups of two or more files that hold the same recording.

    Parameters
    ----------
    embeddings : np.ndarray, (n_songs, 641)
    durations_s : np.ndarray, (n_songs,)
        Seconds.

    Returns
    -------
    list of DuplicateGroup
        Ordered by their first row.

    Notes
    -----
    Candidates are found by a tree in the leading principal axes of the points: a projection makes no distance
    larger, so none is missed. Each candidate is then measured in full.
    """
    from scipy.spatial import KDTree

    if len(embeddings) < 2:
        return []
    points, durations_s = coordinates(embeddings), np.asarray(durations_s, dtype=np.float64)
    points -= points.mean(axis=0)
    places = points @ np.linalg.eigh(points.T @ points)[1][:, -_SEARCH_AXES:]
    tree = KDTree(places, balanced_tree=False)
    grouped = np.zeros(len(points), dtype=bool)
    groups = []
    for start in range(0, len(points), _SEARCH_ROWS):
        rows = start + np.flatnonzero(~grouped[start : start + _SEARCH_ROWS])
        for row, near in zip(rows, tree.query_ball_point(places[rows], MAX_DISTANCE + _ROUNDING), strict=True):
            if len(near) == 1 or grouped[row]:
                continue
            others = np.sort(near)
            others = others[(others > row) & ~grouped[others]]
            longer_s = np.maximum(durations_s[others], durations_s[row])
            allowed_s = np.minimum(MAX_DURATION_DIFFERENCE_S, MAX_DURATION_DIFFERENCE * longer_s)
            others = others[np.abs(durations_s[others] - durations_s[row]) <= allowed_s]
            distances = np.linalg.norm(points[others] - points[row], axis=1)
            others, distances = others[distances <= MAX_DISTANCE], distances[distances <= MAX_DISTANCE]
            if len(others):
                members = np.append(row, others)
                grouped[members] = True
                groups.append(DuplicateGroup(members, 1 / (1 + np.append(0.0, distances))))
    return groups


def duplicate_of(groups: Sequence[DuplicateGroup], songs: pd.DataFrame) -> list[str]:
    """The table's column ``duplicate_of``: the path of a group's first file; empty for that one and for all others."""
    paths, firsts = songs["file_path"].tolist(), [""] * len(songs)
    for group in groups:
        for row in group.rows[1:]:
            firsts[row] = paths[group.rows[0]]
    return firsts


def recordings(songs: pd.DataFrame) -> np.ndarray:
    """For every song the row of the first file with the same recording, int64 ``(n_songs,)``; its own if it is that."""
    row_of = {path: row for row, path in enumerate(songs["file_path"])}
    return np.array([row_of.get(first, row) for row, first in enumerate(songs["duplicate_of"])], dtype=np.int64)
