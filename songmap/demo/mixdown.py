"""A score becomes samples: instruments play, buses are ducked, filtered, echoed, reverberated, mastered."""

from collections.abc import Callable

import numpy as np

from songmap.demo import effects, instruments
from songmap.demo.composer import OPEN_HZ, Score
from songmap.demo.instruments import RATE_HZ

# Amplitude of each part in the mix, before the artist's own mastering.
_LEVELS = {"bass": 0.85, "chords": 0.3, "pad": 0.24, "arp": 0.42, "lead": 0.75}
_DRUM_LEVELS = {"kick": 1.0, "clap": 0.55, "snare": 0.5, "tom": 0.5, "hat": 0.35, "open hat": 0.4, "crash": 0.45}
_TO_ROOM = {"chords": 0.4, "pad": 0.8, "arp": 0.7, "lead": 0.8}
_TO_DELAY = {"arp": 0.7, "lead": 1.0}
_DUCKED = {"bass": 1.0, "chords": 1.0, "pad": 1.0, "arp": 0.6, "lead": 0.4}  # share of the artist's depth


def render(score: Score) -> np.ndarray:
    """The finished track, float32 ``(2, n_samples)`` at 44.1 kHz, peak as planned (below 1).

    Everything random follows from the plan's seed and index: the same score gives the same bits.
    """
    plan, artist = score.plan, score.plan.artist
    n_samples = round(score.duration_s * RATE_HZ)
    beat_s = 60 / plan.tempo_bpm
    drums, kicks = _drums(score, n_samples)
    mix, room = drums, np.zeros_like(drums)
    echo = np.zeros_like(drums)
    synths = np.zeros_like(drums)
    for number, part in enumerate(_LEVELS):
        if not score.notes[part]:
            continue
        bus = _play(score, part, n_samples, np.random.default_rng([plan.seed, plan.index, 2, number]))
        bus *= effects.ducking(kicks, n_samples, artist.duck_depth * _DUCKED[part], 0.8 * beat_s)
        if part == "bass":
            mix += bus
            continue
        synths += bus
        room += np.float32(_TO_ROOM[part]) * bus
        if part in _TO_DELAY:
            echo += np.float32(_TO_DELAY[part] * artist.delay_level) * bus
    moves = [(beat, section) for beat, section in score.starts()]
    if any(section.cutoff_hz != (OPEN_HZ, OPEN_HZ) for _, section in moves):
        ends_s = np.array([(beat, beat + 4 * section.n_bars - 0.01) for beat, section in moves]).ravel() * beat_s
        cutoffs_hz = np.array([section.cutoff_hz for _, section in moves]).ravel()
        synths, room, echo = (effects.sweep(bus, ends_s, cutoffs_hz) for bus in (synths, room, echo))
    echo = effects.ping_pong(echo, artist.delay_beats * beat_s, 0.55)
    room += np.float32(0.4) * echo
    wet = effects.reverberate(room, effects.room(np.random.default_rng([plan.seed, plan.index, 3]), artist.room_s))
    mix += synths
    mix += echo
    wet *= np.float32(artist.room_level)
    mix += wet
    return effects.master(mix, plan.tilt_db, plan.drive, plan.peak)


def _add(bus: np.ndarray, sound: np.ndarray, start_s: float, level: float) -> None:
    """Mix a sound into a bus at a time; what reaches beyond the end is cut."""
    start = round(start_s * RATE_HZ)
    place = bus[:, start : start + sound.shape[-1]]
    place += np.float32(level) * sound[..., : place.shape[1]]


def _play(score: Score, part: str, n_samples: int, rng: np.random.Generator) -> np.ndarray:
    """All notes of a part; equal notes are synthesised once."""
    patch = getattr(score.plan.artist, part)
    beat_s = 60 / score.plan.tempo_bpm
    bus = np.zeros((2, n_samples), dtype=np.float32)
    known: dict[tuple[int, float], np.ndarray] = {}
    for note in score.notes[part]:
        which = (note.pitch, round(note.length, 4))
        if which not in known:
            known[which] = instruments.tone(patch, note.pitch, note.length * beat_s, rng)
        _add(bus, known[which], note.start * beat_s, note.velocity * _LEVELS[part])
    return bus


def _drums(score: Score, n_samples: int) -> tuple[np.ndarray, np.ndarray]:
    """The drum bus, and the samples where kicks start."""
    plan, artist = score.plan, score.plan.artist
    rng = np.random.default_rng([plan.seed, plan.index, 4])
    root_hz = instruments.pitch_hz(28 + (plan.key.tonic - 28) % 12)  # the kick is tuned to the tonic, from E1 up
    makers: dict[str, Callable[[], np.ndarray]] = {
        "kick": lambda: instruments.kick(rng, root_hz, artist.kick_decay_s, artist.kick_click, artist.kick_drive),
        "clap": lambda: instruments.clap(rng, artist.clap_hz),
        "snare": lambda: instruments.snare(rng, artist.clap_hz),
        "tom": lambda: instruments.tom(rng, 2 * root_hz),
        "hat": lambda: instruments.cymbal(rng, artist.hat_hz, 0.03),
        "open hat": lambda: instruments.cymbal(rng, artist.hat_hz, 0.12),
        "crash": lambda: instruments.cymbal(rng, 0.5 * artist.hat_hz, 0.6),
    }
    kit = {drum: make() for drum, make in makers.items()}
    beat_s = 60 / plan.tempo_bpm
    bus = np.zeros((2, n_samples), dtype=np.float32)
    for hit in score.hits:
        _add(bus, kit[hit.drum], hit.start * beat_s, hit.velocity * _DRUM_LEVELS[hit.drum])
    for start, length in score.winds:
        rising = instruments.wind(rng, length * beat_s)
        edges_s = np.array([0, length * beat_s])
        _add(bus, effects.sweep(rising, edges_s, np.array([300, 9000]), band=True), start * beat_s, 1.0)
    kicks = [round(hit.start * beat_s * RATE_HZ) for hit in score.hits if hit.drum == "kick"]
    return bus, np.array(kicks, dtype=np.int64)
