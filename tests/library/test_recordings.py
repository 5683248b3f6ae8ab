"""Copies of the same recording are found, other recordings are not, whatever else the library holds."""

import numpy as np
import pandas as pd
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from songmap.features.analysis import analyse_file
from songmap.library.recordings import (
    CHROMA_SCALE,
    MAX_DISTANCE,
    MAX_DURATION_DIFFERENCE,
    MAX_DURATION_DIFFERENCE_S,
    MEL_BANDS,
    MEL_SCALE_DB,
    coordinates,
    duplicate_of,
    find_duplicates,
)
from songmap.library.schema import COLUMN_FAMILY, N_COLUMNS, block_slice
from tests.signals import RATE_HZ, music, noise

DIRECTION = np.zeros(N_COLUMNS)  # one step along it is a distance of 1
DIRECTION[block_slice("chroma", "mean")] = CHROMA_SCALE * np.sqrt(2)


def at(places) -> np.ndarray:
    """Embeddings at these distances along one line."""
    return (np.outer(places, DIRECTION)).astype(np.float32)


def found(embeddings, durations_s=None) -> list[list[int]]:
    durations_s = np.full(len(embeddings), 60.0) if durations_s is None else np.asarray(durations_s, float)
    return [group.rows.tolist() for group in find_duplicates(embeddings, durations_s)]


def test_the_distance_is_measured_in_scales_of_the_blocks():
    points = coordinates(at([0, 0.25, 3]))
    assert np.linalg.norm(points[1:] - points[0], axis=1) == pytest.approx([0.25, 3], rel=1e-6)
    moved = np.zeros((2, N_COLUMNS), np.float32)
    moved[1, np.arange(N_COLUMNS)[block_slice("mel", "p75")][MEL_BANDS]] = MEL_SCALE_DB * np.resize([1, -1], 60)
    assert np.linalg.norm(np.subtract(*coordinates(moved))) == pytest.approx(0.5**0.5, rel=1e-6)


def test_level_and_the_beat_trackers_tempo_are_not_looked_at():
    embeddings = np.zeros((2, N_COLUMNS), np.float32)
    embeddings[1, [family in ("energy", "rhythm") for family in COLUMN_FAMILY]] = 1000
    embeddings[1, block_slice("mel", "p75")] = -6
    assert found(embeddings) == [[0, 1]]


def test_the_limits_of_distance_and_duration():
    assert found(at([0, 0.99 * MAX_DISTANCE])) == [[0, 1]]
    assert found(at([0, 1.01 * MAX_DISTANCE])) == []
    assert found(at([0, 0]), [9, 10]) == [[0, 1]]
    assert found(at([0, 0]), [8.9, 10]) == []
    assert found(at([0, 0]), [60, 60 + MAX_DURATION_DIFFERENCE_S]) == [[0, 1]]
    assert found(at([0, 0]), [60, 60.1 + MAX_DURATION_DIFFERENCE_S]) == []


def test_similarity_is_one_for_equal_numbers_and_a_half_at_the_limit():
    (group,) = find_duplicates(at([0, 0, 0.999 * MAX_DISTANCE]), np.full(3, 60))
    assert group.similarities[:2].tolist() == [1, 1]
    assert group.similarities[2] == pytest.approx(0.5, abs=1e-3)


def test_a_chain_of_copies_does_not_become_one_group():
    """Neighbours are copies of each other, the ends are not: a group is what is near its first song."""
    assert found(at(0.8 * MAX_DISTANCE * np.arange(5))) == [[0, 1], [2, 3]]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 60))
def test_groups_equal_those_of_a_plain_double_loop(seed, n_songs):
    rng = np.random.default_rng(seed)
    embeddings = rng.standard_normal((n_songs, N_COLUMNS)) * np.where(rng.random(N_COLUMNS) < 0.5, 0.3, 2)
    copied = rng.integers(0, n_songs, n_songs)  # of near copies some are inside the limit, some outside
    embeddings = embeddings[copied] * 3 + np.outer(rng.normal(0, 0.6 * MAX_DISTANCE, n_songs), DIRECTION)
    durations_s = rng.uniform(30, 42, n_songs)
    embeddings = embeddings.astype(np.float32)
    points, left, expected = coordinates(embeddings), set(range(n_songs)), []
    for row in range(n_songs):
        if row in left:
            near = [
                other
                for other in sorted(left)
                if other >= row
                and np.linalg.norm(points[other] - points[row]) <= MAX_DISTANCE
                and abs(durations_s[other] - durations_s[row])
                <= min(MAX_DURATION_DIFFERENCE_S, MAX_DURATION_DIFFERENCE * max(durations_s[[other, row]]))
            ]
            left -= set(near)
            expected += [near] if len(near) > 1 else []
    assert found(embeddings, durations_s) == expected


def test_a_library_of_copies_only_is_one_group():
    (group,) = find_duplicates(np.ones((20_000, N_COLUMNS), np.float32), np.zeros(20_000))
    assert len(group.rows) == 20_000


@pytest.mark.parametrize("n_songs", [0, 1])
def test_libraries_too_small_for_copies(n_songs):
    assert found(at(np.zeros(n_songs))) == []


def test_copies_name_the_first_file():
    songs = pd.DataFrame({
        "song_name": ["a", "b", "c"], "genre": ["X", "X", "Y"], "file_path": ["/a", "/b", "/c"], "duration": [60.0, 61.0, 62.0],
    })  # fmt: skip
    groups = find_duplicates(at([0, 9, 0]), songs["duration"].to_numpy())
    assert duplicate_of(groups, songs) == ["", "", "/a"]


def test_real_files_of_one_recording(tmp_path):
    """Encoded, softer, padded with silence: one group of a library of two recordings."""
    one = music(20.0) + noise(20.0, level=0.03)
    other = np.interp(np.arange(0, 20 * RATE_HZ, 1.06), np.arange(20 * RATE_HZ), one)  # a semitone higher
    silence = np.zeros(RATE_HZ // 4, np.float32)
    files = {
        "1.wav": one, "2.mp3": one, "3.ogg": one, "4.flac": one / 2, "5.wav": np.concatenate([silence, one]),
        "6.wav": other, "7.mp3": other,
    }  # fmt: skip
    embeddings, durations_s = [], []
    for name, samples in files.items():
        soundfile.write(tmp_path / name, samples, RATE_HZ)
        analysis = analyse_file(tmp_path / name)
        embedding, record = analysis.embedding, analysis.record
        embeddings.append(embedding)
        durations_s.append(record["duration"])
    assert found(np.array(embeddings), durations_s) == [[0, 1, 2, 3, 4], [5, 6]]
