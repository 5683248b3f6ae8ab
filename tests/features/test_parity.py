"""Golden: every slice of the embedding against the plain librosa calls."""

import librosa
import numpy as np
import pytest
import soundfile
from scipy.signal import chirp
from signals import RATE_HZ, clicks, music, noise, tone

from songmap.features import decode, frames, signal, statistics
from songmap.features.reference import deviation, plain_columns
from songmap.features.signal import Signal
from songmap.library.schema import COLUMNS, FEATURES, N_LIBROSA, AudioConfig, column_index

CONFIG = AudioConfig()
SIGNALS = {
    "music": lambda: music(9),
    "tones": lambda: tone(447, 4) + tone(1320, 4, level=0.2),
    "chirp": lambda: (0.5 * chirp(np.arange(4 * RATE_HZ) / RATE_HZ, 40, 4, 10_000)).astype(np.float32),
    "noise": lambda: noise(4),
    "clicks": lambda: clicks(150, 7),
    "silence with a tail": lambda: np.concatenate([np.zeros(3 * RATE_HZ, np.float32), music(3)]),
    "clipped": lambda: np.clip(6 * music(4), -1, 1),
    "offset": lambda: music(4) + np.float32(0.3),
}


def embedding_of(decoded: Signal) -> np.ndarray:
    return statistics.embed(frames.analyse(decoded, CONFIG))


def assert_parity(ours: np.ndarray, samples: np.ndarray) -> None:
    theirs = plain_columns(samples)
    assert len(theirs) == N_LIBROSA
    excess = deviation(ours[:N_LIBROSA], theirs)
    start, wrong = 0, {}
    for block in FEATURES:
        part = excess[start : start + block.size]
        if part.size and part.max() > 1:
            wrong[block.names[int(part.argmax())]] = float(part.max())
        start += block.size
    assert not wrong, f"beyond 1e-4 + 1e-3 of the value, by factors of {wrong}"
    assert ours[column_index("tempo_bpm")] == np.float32(theirs[COLUMNS.index("tempo_bpm")])


@pytest.mark.parametrize("name", SIGNALS)
def test_columns_equal_plain_librosa(name):
    samples = SIGNALS[name]()
    assert_parity(embedding_of(Signal.of(samples)), samples)


@pytest.mark.parametrize(
    ("suffix", "rate_hz", "channels"),
    [("wav", 8000, 1), ("flac", 96000, 2), ("mp3", 44100, 2), ("ogg", 48000, 1), ("aiff", 22050, 2)],
)
def test_files_equal_plain_librosa(tmp_path, suffix, rate_hz, channels):
    path = tmp_path / f"song.{suffix}"
    left = music(5, rate_hz)
    right = -0.5 * left + noise(5, rate_hz, 0.02)  # partly opposite phases
    soundfile.write(path, np.stack([left, right], axis=1)[:, :channels], rate_hz)
    samples, _ = librosa.load(path, sr=RATE_HZ)
    decoded = decode.load_audio(path, CONFIG)
    np.testing.assert_array_equal(decoded.read(0, len(decoded)), samples)
    assert_parity(embedding_of(decoded), samples)


def test_completing_columns_equal_their_definitions():
    samples = music(12)
    embedding = embedding_of(Signal.of(samples))
    envelope = librosa.onset.onset_strength(y=samples, sr=RATE_HZ, aggregate=np.median)
    beats_s = librosa.beat.beat_track(y=samples, sr=RATE_HZ, units="time")[1]
    expected = {
        "flatness_std": librosa.feature.spectral_flatness(y=samples).std(),
        "onset_strength_mean": envelope.mean(),
        "onset_strength_std": envelope.std(),
        "beat_interval_std_s": np.diff(beats_s).std(),
        "harmonic_rms_mean": librosa.feature.rms(y=librosa.effects.harmonic(samples)).mean(),
        "percussive_rms_mean": librosa.feature.rms(y=librosa.effects.percussive(samples)).mean(),
    }
    for name, value in expected.items():
        assert deviation(embedding[column_index(name)], value) <= 1, name


@pytest.mark.parametrize("block_frames", [37, 100_000])
def test_block_size_changes_no_bit(block_frames):
    samples = music(6)
    np.testing.assert_array_equal(
        embedding_of(Signal.of(samples)), statistics.embed(frames.analyse(Signal.of(samples), CONFIG, block_frames))
    )


def test_a_long_recording_on_disk_gives_the_same_bits(monkeypatch, tmp_path):
    path = tmp_path / "song.flac"
    soundfile.write(path, music(7, 32000), 32000)
    in_memory = embedding_of(decode.load_audio(path, CONFIG))
    monkeypatch.setattr(signal, "IN_MEMORY_SAMPLES", 1000)
    np.testing.assert_array_equal(in_memory, embedding_of(decode.load_audio(path, CONFIG)))
