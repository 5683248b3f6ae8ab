"""The entries of the analysis: a file and samples in memory give the same, with public parts of declared shapes."""

import doctest

import numpy as np
import pytest
import soundfile
from mutagen import File
from signals import RATE_HZ, music, tone

from songmap.core.errors import AudioError, SchemaError
from songmap.features import analysis
from songmap.features.analysis import analyse_file, analyse_samples
from songmap.library.schema import FEATURES, N_COLUMNS, AudioConfig


def test_a_file_has_samples_frames_embedding_and_tags(tmp_path):
    path = tmp_path / "Ann - Song.flac"
    soundfile.write(path, music(4), RATE_HZ)
    tagged = File(path)
    tagged["album"] = "First"
    tagged.save()
    song = analyse_file(path)
    assert (song.embedding.shape, song.embedding.dtype) == ((N_COLUMNS,), np.float32)
    assert (song.sample_rate_hz, song.samples.shape, song.samples.dtype) == (RATE_HZ, (4 * RATE_HZ,), np.float32)
    for feature in FEATURES:
        if feature.statistic == "value":
            assert feature.names[0] in song.frames.values
        else:
            assert song.frames.features[feature.feature].shape[0] == feature.size
    assert (song.tags["artist"], song.tags["title"], song.tags["album"]) == ("Ann", "Song", "First")
    assert song.tags["file_path"] == str(path)
    assert song.record == song.tags | {
        "genre": "UNKNOWN", "duration": 4.0, "tempo_bpm": song.frames.values["refined_tempo_bpm"], "tempo_octave": 1,
        "beat_deviation_s": song.frames.values["beat_deviation_s"],
    }  # fmt: skip
    np.testing.assert_array_equal(analyse_file(str(path)).embedding, song.embedding)


@pytest.mark.parametrize(("rate_hz", "n_channels"), [(22050, 1), (44100, 2), (8000, 1)])
def test_samples_give_the_same_as_their_file(tmp_path, rate_hz, n_channels):
    mono = music(14, rate_hz)  # more than one block
    samples = np.stack([mono, -0.5 * mono + tone(330, 14, rate_hz, 0.01)], axis=1)[:, :n_channels].squeeze()
    soundfile.write(tmp_path / "song.wav", samples, rate_hz, subtype="FLOAT")
    from_file, from_samples = analyse_file(tmp_path / "song.wav"), analyse_samples(samples, rate_hz)
    np.testing.assert_array_equal(from_samples.samples, from_file.samples)
    np.testing.assert_array_equal(from_samples.embedding, from_file.embedding)
    assert from_samples.tags == {}
    assert from_samples.record["duration"] == from_file.record["duration"]


@pytest.mark.parametrize(
    ("samples", "rate_hz", "reason"),
    [
        (tone(440, 1), RATE_HZ, "too short: 1.00 s"),
        (np.zeros(5 * RATE_HZ), RATE_HZ, "silent"),
        (np.full(5 * RATE_HZ, np.nan), RATE_HZ, "not finite"),
        (np.zeros(0), RATE_HZ, "too short"),
        (np.ones(5 * RATE_HZ, np.int16), RATE_HZ, "int16"),
        (np.ones((2, 3, 4)), RATE_HZ, "n_samples, n_channels"),
        (tone(440, 5), 1, "sample rate 1 Hz"),
        (np.ones((100, 2 * RATE_HZ)), RATE_HZ, "44100 channels"),  # transposed
    ],
)
def test_samples_without_an_embedding_are_refused(samples, rate_hz, reason):
    with pytest.raises(AudioError, match=reason):
        analyse_samples(samples, rate_hz)


def test_the_example_runs():
    assert doctest.testmod(analysis).attempted > 0
    assert doctest.testmod(analysis).failed == 0


@pytest.mark.parametrize(
    "setting", [{"hpss_kernel": 30}, {"hop_length": 500}, {"n_mels": 64}, {"sample_rate_hz": 7000}]
)
def test_settings_under_which_columns_mean_something_else_are_refused(setting):
    name, value = next(iter(setting.items()))
    with pytest.raises(SchemaError, match=f"^{name} {value}, the columns of this version need "):
        analyse_samples(tone(440, 4), 22050, AudioConfig(**setting))
