"""Recordings whose truth is known: two genres joined, noise, silence, a genre that was left out."""

import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest
from libraries import labelled_library
from signals import RATE_HZ, clicks, noise, tone

from songmap.core.errors import AudioError
from songmap.core.workspace import Workspace
from songmap.features.analysis import analyse_samples
from songmap.features.segments import segment
from songmap.library.library import Library, save_library, song_table
from songmap.library.schema import N_COLUMNS, AudioConfig
from songmap.library.segments import SEGMENT_COLUMNS, Segments, SegmentSettings
from songmap.recording.degradations import CONDITIONS, degraded_at_random
from songmap.recording.neighbours import Neighbours
from songmap.recording.run import load_recording_classifier
from songmap.recording.timeline import LONG_S
from songmap.recording.training import train_recording_model

SETTINGS = SegmentSettings(8, 4)
CONFIG = AudioConfig()


def organ(duration_s: float, seed: int) -> np.ndarray:
    """Chords of sines."""
    rng = np.random.default_rng(seed)
    root = 220 * 2 ** (rng.integers(0, 12) / 12)
    chord = sum(tone(root * ratio, duration_s, level=0.1 * rng.uniform(0.6, 1.4)) for ratio in (1, 1.25, 1.5, 2))
    return (chord * (1 + 0.3 * np.sin(np.arange(len(chord)) / RATE_HZ))).astype(np.float32)


def drums(duration_s: float, seed: int) -> np.ndarray:
    """Bursts of noise on beats of 110 to 150 BPM."""
    rng = np.random.default_rng(seed)
    bpm, level = rng.uniform(110, 150), rng.uniform(0.5, 1)
    return (level * clicks(bpm, duration_s) + noise(duration_s, level=0.01, seed=seed)).astype(np.float32)


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    """Of eight songs of drums and eight of an organ."""
    records, embeddings, tables = [], [], []
    for number in range(16):
        genre, play = (("DRUMS", drums), ("ORGAN", organ))[number % 2]
        analysis = analyse_samples(play(14.0, number), RATE_HZ)
        path = f"/music/{number:02d}.wav"
        names = {
            "song_name": f"{number:02d}",
            "file_path": path,
            "artist": f"artist {number}",
            "title": "",
            "album": "",
        }
        records.append(analysis.record | names | {"genre": genre, "year": np.nan, "key": "", "duplicate_of": ""})
        embeddings.append(analysis.embedding)
        cut = segment(analysis.frames, 14.0, CONFIG, SETTINGS)
        tables.append((path, cut))
    songs = song_table(records)
    library = Library(np.array(embeddings), songs)
    rows = [row for row, (_, cut) in enumerate(tables) for _ in range(len(cut))]
    table = songs.iloc[rows][["file_path", "song_name", "genre", "artist"]].reset_index(drop=True)
    bounds_s = np.concatenate([cut.bounds_s for _, cut in tables])
    table = table.assign(start_s=bounds_s[:, 0], end_s=bounds_s[:, 1])[list(SEGMENT_COLUMNS)]
    segments = Segments(np.concatenate([cut.embeddings for _, cut in tables]), table, SETTINGS)
    workspace = Workspace(tmp_path_factory.mktemp("recordings"))
    save_library(workspace, library, segments)
    train_recording_model(workspace, library, segments, 0, lambda done, total: None)
    return load_recording_classifier(workspace)


def answer(classifier, samples):
    return classifier.answer(analyse_samples(samples.astype(np.float32), RATE_HZ))


@pytest.mark.parametrize("first", ["DRUMS", "ORGAN"])
def test_a_change_of_genre_is_found_within_one_hop(classifier, first):
    parts = [drums(26.0, 100), organ(23.0, 101)]
    change_s = (26.0, 23.0)[first == "ORGAN"]
    result = answer(classifier, np.concatenate(parts if first == "DRUMS" else parts[::-1]))
    assert [one.genre for one in result.parts] == ([first, "ORGAN"] if first == "DRUMS" else [first, "DRUMS"])
    assert result.parts[0].end_s == pytest.approx(change_s, abs=SETTINGS.hop_s)
    assert [one.start_s for one in result.parts] == [0, result.parts[0].end_s]
    assert result.parts[-1].end_s == pytest.approx(49, abs=0.01)
    assert sum(result.probabilities.values()) == pytest.approx(1)


def test_songs_to_hear_next_are_of_its_genre_by_different_artists(classifier):
    result = answer(classifier, organ(16.0, 200))
    assert result.genre == "ORGAN" and not result.is_novel
    songs = [one.song for one in result.next_songs]
    assert len(songs) == len({song.artist for song in songs}) == 5
    assert {song.genre for song in songs} == {"ORGAN"}
    similarities = [one.similarity for one in result.next_songs]
    assert similarities == sorted(similarities, reverse=True)
    moments = result.parts[0].moments
    assert len(moments) == len({one.song.file_path for one in moments}) == 3
    assert all(one.end_s - one.start_s == pytest.approx(8) for one in moments)
    added = sum(one.adds for one in result.parts[0].families)
    assert -1 <= added <= 1


def test_the_trait_of_tempo_is_of_the_tag_where_that_agrees(classifier):
    """As those of the library's songs are, which it is compared with: 03 and 04 say the same of the file."""
    analysis = analyse_samples(drums(14.0, 3), RATE_HZ)
    measured = analysis.record["tempo_bpm"]
    for tag_bpm, direction in ((measured * 2, "high"), (measured / 2, "low")):
        tagged = replace(analysis, tags={"tag_bpm": tag_bpm})
        traits = {one.quality: one.direction for one in classifier.answer(tagged).traits}
        assert traits["tempo"] == direction


def test_songs_whose_artists_are_unknown_are_by_different_ones():
    embeddings = np.random.default_rng(0).random((8, N_COLUMNS))
    near, is_filled = Neighbours(labelled_library(embeddings, ["A"] * 8), None).songs(embeddings[0], 5, np.array([0]))
    assert len(near) == 5
    assert not is_filled


def test_noise_sounds_like_nothing_in_the_library(classifier):
    assert answer(classifier, noise(16.0, level=0.3)).is_novel
    assert not answer(classifier, drums(16.0, 300)).is_novel


def test_a_genre_that_was_left_out_sounds_like_nothing_in_the_library(classifier):
    """Detuned saw waves with vibrato: neither drums nor an organ."""
    time_s = np.arange(16 * RATE_HZ) / RATE_HZ
    phases = [110 * ratio * time_s + 0.3 * np.sin(2 * np.pi * 5 * time_s) for ratio in (1, 1.01, 1.26, 1.5, 1.51)]
    assert answer(classifier, sum(0.1 * (2 * (phase % 1) - 1) for phase in phases)).is_novel


@pytest.mark.skipif(not shutil.which("espeak-ng"), reason="speech is synthesised by espeak-ng")
def test_speech_sounds_like_nothing_in_the_library(classifier, tmp_path):
    text = "The quick brown fox jumps over the lazy dog, and then it runs back over the hills and far away. " * 2
    subprocess.run(["espeak-ng", "-w", tmp_path / "speech.wav", text], check=True)
    assert classifier.classify(tmp_path / "speech.wav").is_novel


def test_a_song_of_the_library_is_not_its_own_neighbour(classifier):
    result = answer(classifier, organ(14.0, 1))
    assert result.in_library == "/music/01.wav"
    assert "/music/01.wav" not in {one.song.file_path for one in (*result.next_songs, *result.parts[0].nearest)}
    assert "/music/01.wav" not in {one.song.file_path for one in result.parts[0].moments}


def test_a_recording_shorter_than_a_segment_is_one_part(classifier):
    result = answer(classifier, organ(4.0, 400))
    assert (len(result.parts), len(result.timeline.start_s)) == (1, 1)


@pytest.mark.parametrize("samples", [organ(1.0, 0), np.zeros(30 * RATE_HZ)])
def test_what_cannot_be_analysed_is_one_line(classifier, samples):
    with pytest.raises(AudioError, match=r"too short|silent"):
        answer(classifier, samples)


def test_a_silent_half_has_no_segments(classifier):
    result = answer(classifier, np.concatenate([organ(16.0, 500), np.zeros(20 * RATE_HZ)]))
    assert result.genre == "ORGAN"
    assert result.timeline.start_s.max() < 17


@pytest.mark.slow
def test_a_long_recording_has_parts_by_sound(classifier):
    songs = [(drums, organ)[number % 2](100.0, 600 + number) for number in range(10)]
    result = answer(classifier, np.concatenate(songs))
    assert result.duration_s >= LONG_S and result.parts_by == "sound"
    assert [one.genre for one in result.parts] == ["DRUMS", "ORGAN"] * 5
    np.testing.assert_allclose([one.end_s for one in result.parts], 100 * np.arange(1, 11), atol=SETTINGS.hop_s)
    assert all(one.tempo_bpm > 0 for one in result.parts if one.genre == "DRUMS")


# --- degraded copies


@pytest.mark.parametrize("name", CONDITIONS)
def test_degradations_do_what_they_say(name):
    samples = noise(12.0)
    changed = CONDITIONS[name](samples, np.random.default_rng(0))
    assert changed.dtype == np.float32 and np.isfinite(changed).all()
    length = {"3 % faster": len(samples) / 1.03, "3 % slower": len(samples) / 0.97, "10 s only": 10 * RATE_HZ}
    assert len(changed) == pytest.approx(length.get(name, len(samples)), abs=3000)
    if name.startswith("noise"):
        added = changed - samples
        snr_db = 10 * np.log10(np.mean(samples**2) / np.mean(added**2))
        assert snr_db == pytest.approx(float(name.split()[1]), abs=0.1)
    if name == "telephone band":
        spectrum = np.abs(np.fft.rfft(changed)) ** 2
        freqs_hz = np.fft.rfftfreq(len(changed), 1 / RATE_HZ)
        inside = (freqs_hz > 300) & (freqs_hz < 3400)
        assert spectrum[inside].sum() > 0.9 * spectrum.sum()


def test_a_reverb_decays_by_60_db_in_its_time():
    impulse = np.zeros(RATE_HZ, np.float32)
    impulse[0] = 1
    response = CONDITIONS["reverb 0.6 s"](impulse, np.random.default_rng(0)).astype(np.float64)
    early, late = (np.mean(response[int(at * RATE_HZ) :][:1000] ** 2) for at in (0.05, 0.5))
    assert 10 * np.log10(early / late) == pytest.approx(60 * 0.45 / 0.6, abs=2)


def test_copies_are_drawn_by_the_generator():
    samples = organ(4.0, 1)
    first, again, other = (degraded_at_random(samples, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert len(first) != len(other) or not np.array_equal(first, other)
