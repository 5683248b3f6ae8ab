"""A library of two genres with short segments, as files, and answers that no recording is behind."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile
from signals import RATE_HZ, clicks, pink_noise, tone

from songmap.genre.song_results import FamilyContribution
from songmap.library.keys import NO_KEY
from songmap.library.segments import SegmentSettings
from songmap.recording.results import ClassifierScore, Moment, NearSong, Part, RecordingAnswer, Timeline, Training
from songmap.recording.timeline import smooth
from songmap.similar.song import Song

BEATS, DRONES = "BEATS", "DRONES"
N_SONGS = 6  # of each genre


def samples(genre: str, seed: int, duration_s: float) -> np.ndarray:
    """Bursts on every beat over a bass, or a chord in noise, float32."""
    root_hz = 110 * 2 ** (5 * seed % 12 / 12)
    if genre == BEATS:
        bass = sum(tone(root_hz * (1 + step), duration_s, level=0.2 / (2 + step + seed)) for step in range(3))
        return clicks(96 + 11 * seed, duration_s) + bass
    chord = sum(tone(root_hz * ratio, duration_s, level=0.08) for ratio in (2, 2.5 + 0.1 * (seed % 3), 3, 4.5))
    return chord + (0.02 + 0.03 * seed) * pink_noise(duration_s, seed=seed)


def write_wav(path: Path, *parts: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.concatenate(parts), RATE_HZ)
    return path


def song(title: str = "Elf Land", artist: str = "Ann", file_path: str = "/music/elf.wav") -> Song:
    return Song("01", artist, BEATS, title, "", 2001, 61.0, 120.0, "measured", "8A", "estimate", file_path)


def near(title: str = "Elf Land", similarity: float = 0.75, **about: str) -> NearSong:
    return NearSong(song(title, **about), similarity)


def part(start_s: float, end_s: float, genre: str, **changes: object) -> Part:
    families = (FamilyContribution("rhythm", 0.31, {genre: 0.31}), FamilyContribution("mel", -0.02, {genre: -0.02}))
    values: dict[str, object] = {
        "start_s": start_s, "end_s": end_s, "genre": genre, "probability": 0.9, "probabilities": {genre: 0.9},
        "tempo_bpm": 120.0, "key": NO_KEY, "is_novel": False, "families": families, "nearest": (near(),),
        "moments": (Moment(song("Far Away", "Bob"), 2.0, 3.0, 0.6),),
    }  # fmt: skip
    return Part(**values | changes)


def answer(genres: Sequence[str], spans: Sequence[tuple[str, float]], **changes: object) -> RecordingAnswer:
    """An answer whose parts are of these genres and end at these times, in seconds, with a segment of 30 s every 5 s."""
    duration_s = spans[-1][1]
    starts_s = np.arange(0.0, max(duration_s - 25.0, 5.0), 5.0)
    ends_s = np.minimum(starts_s + 30.0, duration_s)
    edges_s = [0.0, *(end_s for _, end_s in spans)]
    parts = tuple(part(start_s, end_s, genre) for (genre, end_s), start_s in zip(spans, edges_s[:-1], strict=True))
    rng = np.random.default_rng(0)
    proba = rng.uniform(0.0, 0.4 / len(genres), (len(starts_s), len(genres)))
    place_of = np.searchsorted(edges_s[1:-1], (starts_s + ends_s) / 2)
    best = [genres.index(parts[place].genre) for place in place_of]
    proba[np.arange(len(best)), best] = 0.0
    proba[np.arange(len(best)), best] = 1 - proba.sum(axis=1)
    overall = dict(zip(genres, proba.mean(axis=0).tolist(), strict=True))
    values: dict[str, object] = {
        "file_path": "/music/café.wav", "title": "Battle", "artist": "Ann", "duration_s": duration_s,
        "genres": tuple(genres), "genre": max(overall, key=overall.get), "probabilities": overall,
        "timeline": Timeline(starts_s, ends_s, proba, smooth(proba)), "parts_by": "genre", "parts": parts,
        "next_songs": tuple(near(f"Song {number}", 0.9 - 0.1 * number) for number in range(5)),
        "other_artists_missing": False, "novelty_distance": 0.8, "novelty_threshold": 1.4, "traits": (),
        "in_library": "", "in_training": False,
    }  # fmt: skip
    return RecordingAnswer(**values | changes)


def training(
    by_group: float = 0.77, at_random: float = 0.94, group_by: str = "artist", n_augmented: int = 0
) -> Training:
    scores = [
        ClassifierScore(name, split, accuracy, 0.5, accuracy, 0.4)
        for split, accuracy in (("song", by_group), ("random", at_random))
        for name in ("network", "xgboost", "joined")
    ]
    scores.append(ClassifierScore("Shrinkage LDA", "song", None, None, 0.8, 0.45))
    return Training((BEATS, DRONES), 12, 30, n_augmented, SegmentSettings(), group_by, tuple(scores))
