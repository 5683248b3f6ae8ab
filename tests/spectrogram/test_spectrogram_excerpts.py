"""Excerpts against plain librosa calls, and the cache that keeps them."""

import os
import subprocess
import sys

import librosa
import numpy as np
import pytest
import soundfile
from signals import RATE_HZ, music, tone
from spectrogram.sounding import analysed, write_song

from songmap.core.arrays import array_file, read_array_file
from songmap.core.errors import SchemaError, UsageError
from songmap.core.files import write_atomically
from songmap.core.workspace import REPOSITORY, Workspace
from songmap.features.signal import Signal
from songmap.library.library import save_library
from songmap.spectrogram import cache
from songmap.spectrogram.cache import build_excerpts, load_excerpts, song_keys
from songmap.spectrogram.excerpts import (
    FLOOR_DB,
    KINDS,
    MOST_EXCERPTS,
    band_frequencies_hz,
    excerpts_of,
    first_frames,
    kind_named,
    mfcc_of,
)

HALF_STEP_DB = 0.04  # of float16 below 128, and a little for rounding


def semitone_powers(power: np.ndarray, freqs_hz: np.ndarray, centres_hz: np.ndarray) -> np.ndarray:
    """Mean power under a triangle on each semitone, whose sides reach one semitone, at least one bin."""
    bands = []
    for centre in centres_hz:
        low = min(centre / 2 ** (1 / 12), centre - freqs_hz[1])
        high = max(centre * 2 ** (1 / 12), centre + freqs_hz[1])
        weights = np.interp(freqs_hz, [low, centre, high], [0, 1, 0])
        bands.append(weights @ power / weights.sum())
    return np.array(bands)


@pytest.mark.parametrize("kind", KINDS)
def test_excerpts_equal_librosa(kind):
    one, samples = KINDS[kind], music(33.0)
    stft = librosa.stft(samples, n_fft=one.n_fft, hop_length=one.hop_length)
    if one.is_log:
        freqs_hz = librosa.fft_frequencies(sr=RATE_HZ, n_fft=one.n_fft)
        power = semitone_powers(np.abs(stft) ** 2, freqs_hz, librosa.midi_to_hz(24 + np.arange(100)))
    else:
        power = librosa.feature.melspectrogram(S=np.abs(stft) ** 2, sr=RATE_HZ, n_fft=one.n_fft, n_mels=one.n_bands)
    expected = librosa.power_to_db(power, ref=np.max, top_db=None).clip(-80, 0)
    values, start_s = excerpts_of(Signal.of(samples), kind)
    assert values.dtype == np.float16
    assert values.shape == (int(33.0 / one.length_s), one.n_bands, one.n_frames)
    for excerpt, start in zip(values, start_s, strict=True):
        first = round(start / one.hop_s)
        np.testing.assert_allclose(excerpt, expected[:, first : first + one.n_frames], atol=HALF_STEP_DB)


def test_lengths_are_as_documented():
    assert [round(one.length_s, 1) for one in KINDS.values()] == [6.0, 13.9, 5.0]
    assert KINDS["image"].hop_s == pytest.approx(0.06)


@pytest.mark.parametrize("kind", KINDS)
def test_a_tone_is_in_the_band_of_its_frequency(kind):
    freqs_hz = band_frequencies_hz(kind)
    values, _ = excerpts_of(Signal.of(tone(freqs_hz[60], 3.0)), kind)
    n_frames = int(2.5 / KINDS[kind].hop_s)
    assert (values[0, :, 4:n_frames].argmax(axis=0) == 60).all()


def test_mfcc_equal_librosa():
    mel = np.random.default_rng(0).uniform(-80, 0, (2, 128, 9)).astype(np.float16)
    expected = librosa.feature.mfcc(S=mel[1].astype(np.float32), n_mfcc=13)
    np.testing.assert_allclose(mfcc_of(mel)[1], expected, rtol=1e-4, atol=1e-3)


def test_a_short_song_is_followed_by_silence():
    values, start_s = excerpts_of(Signal.of(tone(440, 3.0)), "image")
    assert start_s.tolist() == [0]
    assert values[0, :, 49].max() > -20
    assert (values[0, :, 52:] == FLOOR_DB).all()


def test_a_file_may_be_as_short_as_a_library_may_include(tmp_path):
    soundfile.write(tmp_path / "clip.wav", tone(440, 1.0), RATE_HZ)
    values, start_s = excerpts_of(tmp_path / "clip.wav", "image")
    assert start_s.tolist() == [0]
    assert (values[0, :, :16].max(), values[0, :, 18:].max()) == (0, FLOOR_DB)


def test_a_long_song_has_a_limited_number_spread_over_it():
    kind = KINDS["image"]
    first = first_frames(10_000, kind)
    assert len(first) == MOST_EXCERPTS
    assert set(np.diff(first)) == {500}
    assert first[0] == 200
    assert 10_000 - (first[-1] + kind.n_frames) == 200


def test_silent_excerpts_are_left_out():
    samples = np.concatenate([tone(440, 5.8), np.zeros(12 * RATE_HZ, np.float32)])
    values, start_s = excerpts_of(Signal.of(samples), "image")
    assert len(values) == len(start_s) == 1
    with pytest.raises(UsageError, match="no kind of excerpt 'wide'"):
        excerpts_of(Signal.of(samples), "wide")


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    """Four files and their library."""
    folder = tmp_path_factory.mktemp("songs")
    paths = [folder / genre / f"{number:02d}.wav" for genre in ("BEATS", "DRONES") for number in range(2)]
    for path in paths:
        write_song(path, path.parent.name, int(path.stem))
    return paths, analysed(paths)


def same(one, other) -> bool:
    arrays = [(getattr(one, name), getattr(other, name)) for name in ("values", "song", "start_s")]
    return all(np.array_equal(first, second) for first, second in arrays)


def test_the_cache_has_the_excerpts_of_every_song_in_order(songs, tmp_path):
    paths, library = songs
    workspace, seen = Workspace(tmp_path), []
    built = build_excerpts(workspace, library, "mel", lambda *done: seen.append(done), workers=1)
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert isinstance(built.values, np.memmap)
    for row, path in enumerate(sorted(paths)):
        assert np.array_equal(built.values[built.song == row], excerpts_of(path, "mel")[0])
    seen.clear()
    assert same(build_excerpts(workspace, library, "mel", lambda *done: seen.append(done), workers=1), built)
    assert not seen
    assert same(load_excerpts(workspace, library, "mel"), built)
    assert not (workspace.excerpts / "mel" / "songs").exists()


def test_any_number_of_workers_gives_the_same_bytes(songs, tmp_path):
    for workers in (1, 2):
        build_excerpts(Workspace(tmp_path / str(workers)), songs[1], "image", workers=workers)
    one, two = (
        [
            (tmp_path / workers / "data/processed/excerpts/image" / name).read_bytes()
            for name in ("index.npz", "values.npy")
        ]
        for workers in "12"
    )
    assert one == two


def test_a_run_that_was_stopped_goes_on(songs, tmp_path, monkeypatch):
    workspace, whole, library = Workspace(tmp_path / "a"), Workspace(tmp_path / "b"), songs[1]

    def stop(done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_excerpts(workspace, library, "mel", stop, workers=1)
    with pytest.raises(SchemaError, match="does not exist; run 07"):
        load_excerpts(workspace, library, "mel")
    computed = []
    monkeypatch.setattr(cache, "excerpts_of", lambda *file: (computed.append(file), excerpts_of(*file))[1])
    resumed = build_excerpts(workspace, library, "mel", workers=1)
    assert len(computed) == 2
    assert same(resumed, build_excerpts(whole, library, "mel", workers=1))


def test_a_song_that_changed_is_computed_again_the_others_are_not(songs, tmp_path, monkeypatch):
    paths = [tmp_path / "songs" / path.parent.name / path.name for path in songs[0]]
    for old, new in zip(songs[0], paths, strict=True):
        new.parent.mkdir(parents=True, exist_ok=True)
        new.write_bytes(old.read_bytes())
    workspace = Workspace(tmp_path)
    build_excerpts(workspace, songs[1], "mel", workers=1)
    write_song(paths[1], "BEATS", 9)
    computed = []
    monkeypatch.setattr(cache, "excerpts_of", lambda *file: (computed.append(file[0]), excerpts_of(*file))[1])
    changed = analysed(paths)
    with pytest.raises(SchemaError, match="of another library"):
        load_excerpts(workspace, changed, "mel")
    renewed = build_excerpts(workspace, changed, "mel", workers=1)
    assert computed == [str(paths[1])]
    assert same(renewed, build_excerpts(Workspace(tmp_path / "fresh"), changed, "mel", workers=1))


def test_files_that_cannot_be_read_are_named_and_tried_again(songs, tmp_path):
    paths, library = songs
    content = paths[0].read_bytes()
    try:
        paths[0].unlink()
        built = build_excerpts(Workspace(tmp_path), library, "mel", workers=1)
        assert [(one.file_path, one.reason) for one in built.failed] == [(str(paths[0]), "does not exist")]
        assert sorted(set(built.song)) == [1, 2, 3]
    finally:
        paths[0].write_bytes(content)
    assert sorted(set(build_excerpts(Workspace(tmp_path), library, "mel", workers=1).song)) == [0, 1, 2, 3]


def test_without_any_file_there_is_one_line(tmp_path):
    path = tmp_path / "BEATS" / "00.wav"
    write_song(path, "BEATS", 0)
    library = analysed([path])
    path.unlink()
    with pytest.raises(UsageError, match=r"no song of the library has excerpts .*00\.wav: does not exist"):
        build_excerpts(Workspace(tmp_path), library, "mel", workers=1)


def test_a_damaged_cache_is_computed_again(songs, tmp_path):
    workspace, library = Workspace(tmp_path), songs[1]
    before = build_excerpts(workspace, library, "mel", workers=1).values.copy()
    values = workspace.excerpts / "mel" / "values.npy"
    values.write_bytes(values.read_bytes()[:-100])
    with pytest.raises(SchemaError, match="damaged"):
        load_excerpts(workspace, library, "mel")
    assert np.array_equal(build_excerpts(workspace, library, "mel", workers=1).values, before)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("counts", lambda counts: counts.astype(str)),
        ("counts", lambda counts: np.array([2**62, 2**62, 2**62, 2**62 + counts.sum()])),  # whose sum is right
        ("counts", lambda counts: counts.astype(float)),
        ("start_s", lambda start_s: start_s * np.nan),
        ("keys", lambda keys: keys.astype(float)),
    ],
)
def test_a_forged_index_is_refused(songs, tmp_path, name, change):
    workspace, library = Workspace(tmp_path), songs[1]
    build_excerpts(workspace, library, "mel", workers=1)
    index = workspace.excerpts / "mel" / "index.npz"
    arrays, document = read_array_file(index, index.read_bytes(), "07")
    index.write_bytes(array_file(arrays | {name: change(arrays[name])}, document))
    with pytest.raises(SchemaError, match="does not hold excerpts"):
        load_excerpts(workspace, library, "mel")


@pytest.mark.parametrize("arrays", [{}, {"values": np.zeros((1, 3, 3)), "start_s": np.zeros(1)}])
def test_a_forged_finished_song_is_one_line_and_then_computed(songs, tmp_path, arrays):
    workspace, library = Workspace(tmp_path), songs[1]
    key = song_keys(library, kind_named("mel"))[0].tobytes().hex()
    write_atomically(workspace.excerpts / "mel" / "songs" / f"{key}.npz", array_file(arrays, {}))
    with pytest.raises(SchemaError, match="does not hold excerpts"):
        build_excerpts(workspace, library, "mel", workers=1)
    assert len(build_excerpts(workspace, library, "mel", workers=1).song)


def test_a_killed_run_leaves_finished_songs(songs, tmp_path):
    workspace, library = Workspace(tmp_path), songs[1]
    save_library(workspace, library)
    program = (
        "import os, signal\n"
        "from songmap.library.library import load_library\n"
        "from songmap.spectrogram.cache import build_excerpts\n"
        "from songmap.core.workspace import Workspace\n"
        f"workspace = Workspace.at({str(tmp_path)!r})\n"
        "def kill(done, total):\n    if done == 3: os.kill(os.getpid(), signal.SIGKILL)\n"
        "build_excerpts(workspace, load_library(workspace), 'mel', kill, workers=1)\n"
    )
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    assert subprocess.run([sys.executable, "-c", program], env=environment, timeout=120).returncode == -9
    assert len(list((workspace.excerpts / "mel" / "songs").glob("*.npz"))) == 3
    seen = []
    build_excerpts(workspace, library, "mel", lambda *done: seen.append(done), workers=1)
    assert seen == [(1, 1)]
