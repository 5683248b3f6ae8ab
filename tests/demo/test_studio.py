"""What the studio renders: the planned tempo, key and levels, the same bits each time, files that others read."""

import csv
import io
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import mutagen
import numpy as np
import pytest
import soundfile
from scipy import signal

from songmap.core.workspace import REPOSITORY
from songmap.demo import effects, instruments
from songmap.demo.catalogue import Plan, plan_corpus
from songmap.demo.composer import compose
from songmap.demo.harmony import Key
from songmap.demo.instruments import RATE_HZ, Patch
from songmap.demo.mixdown import render
from songmap.demo.studio import TRUTH_COLUMNS, comment, recipe, render_tracks, truth

# One of each format; both genres, a song, a journey and a hybrid.
CHOSEN = (4, 25, 46, 51)


@pytest.fixture(scope="module")
def plans() -> list[Plan]:
    return [plan_corpus(42)[index] for index in CHOSEN]


@pytest.fixture(scope="module")
def sounds(plans: list[Plan]) -> list[np.ndarray]:
    return [render(compose(plan)) for plan in plans]


@pytest.fixture(scope="module")
def folder(plans: list[Plan], tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("corpus")
    assert render_tracks(place, plans, workers=2) == [place / plan.path for plan in plans]
    return place


def test_same_seed_gives_the_same_bits_and_another_seed_other_music(sounds: list[np.ndarray]) -> None:
    again, other = (render(compose(plan_corpus(seed)[CHOSEN[1]])) for seed in (42, 43))
    assert again.dtype == np.float32
    assert np.array_equal(again, sounds[1])
    n_samples = min(again.shape[1], other.shape[1])
    correlation = np.corrcoef(again[0, :n_samples], other[0, :n_samples])[0, 1]
    assert abs(correlation) < 0.5


def test_levels(plans: list[Plan], sounds: list[np.ndarray]) -> None:
    for plan, sound in zip(plans, sounds, strict=True):
        assert np.isfinite(sound).all()
        peak = np.abs(sound).max()
        assert peak == pytest.approx(plan.peak, rel=1e-3)
        assert peak < 0.9
        assert np.abs(sound.mean(axis=1)).max() < 1e-4, "direct current"
        flat = (
            (np.abs(sound[:, :-2]) > 0.999 * peak)
            & (sound[:, :-2] == sound[:, 1:-1])
            & (sound[:, 1:-1] == sound[:, 2:])
        )
        assert not flat.any(), "clipped"
        rms = np.sqrt(np.mean(sound**2))
        assert 0.08 < rms < 0.4
        assert not np.array_equal(sound[0], sound[1]), "stereo"


def test_the_kicks_grid_has_the_stated_tempo(plans: list[Plan], sounds: list[np.ndarray]) -> None:
    for plan, sound in zip(plans, sounds, strict=True):
        assert _tempo_bpm(sound) == pytest.approx(plan.tempo_bpm, abs=0.5)


def test_harmony_is_within_the_stated_scale(plans: list[Plan], sounds: list[np.ndarray]) -> None:
    for plan, sound in zip(plans, sounds, strict=True):
        chroma = _chroma(sound)
        shares = [sum(chroma[c] for c in Key(tonic, plan.key.mode).pitch_classes) for tonic in range(12)]
        own = shares[plan.key.tonic]
        assert own > 0.75  # noise would give 7/12 = 0.58
        # Keys a fifth away share six of seven notes: a song that avoids the seventh is as much in them.
        assert (int(np.argmax(shares)) - plan.key.tonic) % 12 in (0, 5, 7)
        assert sum(share < own - 0.05 for share in shares) >= 8


def test_files_have_the_planned_length_rate_and_channels(plans: list[Plan], folder: Path) -> None:
    assert {plan.suffix for plan in plans} == {".mp3", ".ogg", ".flac", ".wav"}
    for plan in plans:
        sound, rate_hz = soundfile.read(folder / plan.path, always_2d=True)
        assert rate_hz == RATE_HZ
        assert sound.shape[1] == 2
        assert len(sound) / rate_hz == pytest.approx(compose(plan).duration_s, abs=0.001)
        assert np.abs(sound).max() <= 1


def test_lossless_files_hold_what_was_rendered(plans: list[Plan], sounds: list[np.ndarray], folder: Path) -> None:
    for plan, sound in zip(plans, sounds, strict=True):
        decoded, _ = soundfile.read(folder / plan.path, dtype="float32")
        if plan.suffix in (".flac", ".wav"):
            assert np.abs(decoded.T - sound).max() <= 1 / 2**15
        else:
            assert np.corrcoef(decoded[:, 0], sound[0])[0, 1] > 0.98


def test_tags_are_readable_in_every_format(plans: list[Plan], folder: Path) -> None:
    for plan in plans:
        file = mutagen.File(folder / plan.path)
        assert file is not None
        found = _texts(file.tags)
        assert found == {
            "artist": plan.artist.name, "title": plan.title, "album": plan.album, "year": str(plan.year),
            "bpm": str(plan.tempo_bpm), "key": plan.key.name, "comment": comment(plan),
        }  # fmt: skip
        assert "synthesised" in found["comment"]


def test_workers_change_nothing_in_the_files(plans: list[Plan], folder: Path, tmp_path: Path) -> None:
    render_tracks(tmp_path, plans, workers=1)
    for plan in plans:
        assert (tmp_path / plan.path).read_bytes() == (folder / plan.path).read_bytes(), plan.path


def test_a_second_run_renders_only_what_is_missing_or_of_another_recipe(plans: list[Plan], folder: Path) -> None:
    assert render_tracks(folder, plans, workers=2) == []
    flac, wav = (folder / plan.path for plan in plans[2:])
    flac.unlink()
    wav.write_bytes(b"RIFF, but no sound")
    before = (folder / plans[0].path).stat().st_mtime_ns
    assert render_tracks(folder, plans, workers=1) == [flac, wav]
    assert (folder / plans[0].path).stat().st_mtime_ns == before
    other = plan_corpus(43)[CHOSEN[3]]
    assert other.path == plans[3].path
    assert recipe(other) != recipe(plans[3])
    assert render_tracks(folder, [other], workers=1) == [wav]
    assert render_tracks(folder, plans, workers=1) == [wav]
    assert not [path for path in folder.rglob("*") if path.name.startswith(".")], "temporary files"


def test_truth_names_every_track() -> None:
    plans = plan_corpus(42)
    rows = list(csv.DictReader(io.StringIO(truth(plans))))
    assert tuple(rows[0]) == TRUTH_COLUMNS
    assert [row["path"] for row in rows] == [plan.path for plan in plans]
    assert sum(row["hybrid"] == "1" for row in rows) == 4
    assert all(row["path"].startswith(f"{row['genre']}/{row['artist']} - {row['title']}.") for row in rows)
    assert {row["artist"] for row in rows if row["hybrid"] == "1"} == {"Confine Aperto", "Zwischenraum"}
    assert all(40 <= float(row["duration_s"]) <= 60 for row in rows)
    assert "Città di Notte" in {row["title"] for row in rows}


@pytest.mark.parametrize(
    ("arguments", "message"), [(["--seed", "-1"], "at least 0"), (["--workers", "0"], "at least 1"), ([], "--out")]
)
def test_bad_usage_is_status_2(arguments: list[str], message: str, tmp_path: Path) -> None:
    out = ["--out", str(tmp_path)] if arguments else []
    done = _run_studio(*out, *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_file_where_the_folder_should_be_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    done = _run_studio("--out", str(tmp_path / "taken"), "--workers", "1")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "taken" in done.stderr


@pytest.mark.parametrize("shape", ["saw", "square", "pulse", "triangle", "organ", "piano", "vowel"])
@pytest.mark.parametrize("pitch", [40, 69])
def test_a_tone_has_its_pitch_and_nothing_between_its_partials(shape: str, pitch: int) -> None:
    patch = Patch(shape, bright_hz=8000, dark_hz=8000, decay_s=9, sustain=1)
    sound = instruments.tone(patch, pitch, 1.0, np.random.default_rng(0))[0, 2000:42000]
    power = np.abs(np.fft.rfft(sound * signal.windows.blackmanharris(len(sound)))) ** 2
    frequency_hz = np.fft.rfftfreq(len(sound), 1 / RATE_HZ)
    fundamental_hz = instruments.pitch_hz(pitch)
    near = np.abs(frequency_hz / fundamental_hz - np.round(frequency_hz / fundamental_hz)) * fundamental_hz < 6
    assert power[~near].sum() < 1e-4 * power.sum()
    assert power[np.abs(frequency_hz - fundamental_hz) < 6].sum() > 0.001 * power.sum()


def test_a_kick_rings_at_its_root() -> None:
    sound = instruments.kick(np.random.default_rng(0), 55.0, 0.2, 0.0, 1.0)
    tail = sound[round(0.12 * RATE_HZ) : round(0.3 * RATE_HZ)]
    spectrum = np.abs(np.fft.rfft(tail * np.hanning(len(tail)), 1 << 17))
    assert np.argmax(spectrum) * RATE_HZ / (1 << 17) == pytest.approx(55, abs=2)


def test_an_open_sweep_changes_nothing_and_a_closed_one_removes_the_highs() -> None:
    noise = np.random.default_rng(0).standard_normal((2, 50_000)).astype(np.float32)
    open_, closed = (effects.sweep(noise, np.array([0, 1]), np.array([hz, hz])) for hz in (effects.OPEN_HZ, 500))
    assert np.allclose(open_, noise, atol=1e-5)
    spectrum = np.abs(np.fft.rfft(closed[0])) ** 2
    assert spectrum[np.fft.rfftfreq(50_000, 1 / RATE_HZ) > 2000].sum() < 0.01 * spectrum.sum()


def test_ducking_goes_down_at_the_kick_and_comes_back() -> None:
    gain = effects.ducking(np.array([1000]), 40_000, 0.6, 0.2)
    assert gain[999] == 1
    assert gain[1000] == pytest.approx(0.4)
    assert gain[1000 + round(0.4 * RATE_HZ)] == 1


def test_echoes_stand_at_multiples_of_the_delay() -> None:
    click = np.zeros((2, RATE_HZ), dtype=np.float32)
    click[:, 0] = 1
    echoes = effects.ping_pong(click, 0.1, 0.5, repeats=3)
    assert list(np.flatnonzero(echoes[0])) == [4410, 8820, 13_230]
    assert echoes[1, 4410] > echoes[0, 4410]
    assert echoes[0, 8820] > echoes[1, 8820]


def _run_studio(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "songmap.demo.studio", *arguments]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)


def _texts(tags: Mapping[str, object]) -> dict[str, str]:
    """Tags by plain names, from Vorbis comments or ID3 frames."""
    id3 = {
        "artist": "TPE1",
        "title": "TIT2",
        "album": "TALB",
        "year": "TDRC",
        "bpm": "TBPM",
        "key": "TKEY",
        "comment": "COMM::eng",
    }
    vorbis = {name: name for name in id3} | {"year": "date", "key": "initialkey"}
    names = id3 if "TPE1" in tags else vorbis
    return {name: str(tags[frame][0]) for name, frame in names.items()}


def _tempo_bpm(sound: np.ndarray) -> float:
    """The tempo from 120 to 150 BPM whose beats, half bars, bars and more agree best with the onsets' autocorrelation."""
    hop = 256
    _, _, spectra = signal.stft(sound.mean(axis=0), RATE_HZ, nperseg=1024, noverlap=1024 - hop)
    onsets = np.maximum(np.diff(np.log1p(1000 * np.abs(spectra)), axis=1), 0).sum(axis=0)
    onsets -= onsets.mean()
    similarity = np.fft.irfft(np.abs(np.fft.rfft(onsets, 2 * len(onsets))) ** 2)[: len(onsets)]
    candidates_bpm = np.arange(120, 150.1, 0.25)
    lags = 60 / candidates_bpm * RATE_HZ / hop
    scores = [np.interp(beats * lags, np.arange(len(onsets)), similarity) for beats in (1, 2, 4, 8, 16)]
    return float(candidates_bpm[np.argmax(np.sum(scores, axis=0))])


def _chroma(sound: np.ndarray) -> np.ndarray:
    """Share of the power of each pitch class, 200 to 1000 Hz, ``(12,)``."""
    frequency_hz, _, spectra = signal.stft(sound.mean(axis=0), RATE_HZ, nperseg=16384, noverlap=8192)
    power = (np.abs(spectra) ** 2).sum(axis=1)
    chosen = (frequency_hz > 200) & (frequency_hz < 1000)
    pitch_class = np.round(12 * np.log2(frequency_hz[chosen] / 440) + 69).astype(int) % 12
    chroma = np.bincount(pitch_class, power[chosen], 12)
    return chroma / chroma.sum()
