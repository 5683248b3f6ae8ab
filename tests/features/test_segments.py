"""Segments have the columns of the part cut out of the recording, but for what the definition of a segment excepts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from signals import RATE_HZ, clicks, music, tone

from songmap.core.errors import UsageError
from songmap.features.analysis import analyse_samples
from songmap.features.segments import cut, segment
from songmap.library.schema import COLUMN_FAMILY, AudioConfig, block_slice, column_index
from songmap.library.segments import SegmentSettings, segment_starts_s

CONFIG = AudioConfig()
SETTINGS = SegmentSettings(10, 5)


@given(st.floats(0.5, 4000), st.floats(5, 60), st.floats(0.1, 1), st.floats(0, 100))
def test_segments_cover_a_recording(duration_s, length_s, overlap, skip_intro_s):
    settings = SegmentSettings(length_s, max(1.0, length_s * overlap), skip_intro_s)
    starts_s = segment_starts_s(duration_s, settings)
    assert starts_s[0] == min(skip_intro_s, max(0, duration_s - length_s))
    assert (np.diff(starts_s) > 0).all() and (np.diff(starts_s) <= settings.hop_s + 1e-9).all()
    left_over_s = duration_s - starts_s[-1] - length_s
    assert starts_s[-1] >= 0 and left_over_s <= settings.hop_s / 2 + 1e-9


@pytest.mark.parametrize(
    "wrong", [{"length_s": 4}, {"hop_s": 31}, {"hop_s": 0}, {"skip_intro_s": -1}, {"representative": 0}]
)
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(UsageError):
        SegmentSettings(**wrong)


@pytest.fixture(scope="module")
def song():
    return analyse_samples(np.concatenate([music(14.0, seed=1), music(16.0, seed=7)]), RATE_HZ)


@pytest.fixture(scope="module")
def parts(song):
    """The segments of a song, and analyses of the same audio cut out of it."""
    segments = segment(song.frames, len(song.signal) / RATE_HZ, CONFIG, SETTINGS)
    n_samples = round(10 * RATE_HZ / 512) * 512
    starts = [round(start_s * RATE_HZ / 512) * 512 for start_s in segments.bounds_s[:, 0]]
    return segments, [analyse_samples(song.samples[start : start + n_samples], RATE_HZ) for start in starts]


@pytest.mark.parametrize("name", ["centroid", "rolloff", "bandwidth", "flatness", "zero_crossing_rate", "rms"])
def test_frames_within_a_segment_are_those_of_the_part_cut_out(song, parts, name):
    for (start_s, _), part in zip(parts[0].bounds_s, parts[1], strict=True):
        own, whole = cut(song.frames, start_s, 10, CONFIG).features[name], part.frames.features[name]
        assert own.shape == whole.shape
        np.testing.assert_allclose(own[:, 2:-2], whole[:, 2:-2], rtol=1e-6)


def test_a_segments_columns_are_nearly_those_of_the_part_cut_out(parts):
    """The frames at either edge, 4 of 431, and what refers to the song's maximum and tuning make the difference."""
    segments, whole = (
        parts[0].embeddings.astype(np.float64),
        np.array([part.embedding for part in parts[1]], np.float64),
    )
    apart = np.abs(segments - whole)
    for family, (relative, absolute) in {
        "energy": (0.02, 0), "spectral": (0.05, 0.1), "mel": (0, 4), "harmony": (0, 0.05), "tonnetz": (0, 0.05),
    }.items():  # fmt: skip
        columns = np.array(COLUMN_FAMILY) == family
        assert (apart <= relative * np.abs(whole) + absolute)[:, columns].all(), family
    assert apart[:, block_slice("mel", "mean")].max() < 0.5  # percentiles jump where the two halves of a song do
    assert not apart[:, column_index("tempo_bpm")].any()


def test_a_recording_shorter_than_a_segment_is_one(song):
    segments = segment(song.frames, len(song.signal) / RATE_HZ, CONFIG, SegmentSettings(60, 30))
    np.testing.assert_array_equal(segments.embeddings, [song.embedding])
    np.testing.assert_allclose(segments.bounds_s, [[0, len(song.signal) / RATE_HZ]])


def test_tempo_is_that_of_the_part():
    song = analyse_samples(np.concatenate([clicks(100, 20.0), clicks(150, 20.0)]), RATE_HZ)
    tempos = [cut(song.frames, start_s, 18, CONFIG).values["refined_tempo_bpm"] for start_s in (1.0, 21.0)]
    np.testing.assert_allclose(tempos, [100, 150], atol=1)


def test_silent_segments_are_left_out():
    song = analyse_samples(np.concatenate([tone(440, 12.0), np.zeros(25 * RATE_HZ, np.float32)]), RATE_HZ)
    bounds_s = segment(song.frames, len(song.signal) / RATE_HZ, CONFIG, SETTINGS).bounds_s
    np.testing.assert_allclose(bounds_s, [[0, 10], [5, 15], [10, 20]])
