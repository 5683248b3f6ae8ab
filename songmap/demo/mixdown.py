"""A score becomes samples: instruments play, buses are ducked, filtered, echoed, reverberated, mastered."""

import numpy as np

from songmap.demo import effects, instruments
from songmap.demo.composer import Score
from songmap.demo.instruments import RATE_HZ

# Amplitude of each part in the mix, before the artist's own mastering.
_LEVELS = {"bass": 1.4, "chords": 0.45, "pad": 0.36, "arp": 0.9, "lead": 1.05}
_DRUM_LEVELS = {"kick": 1.0, "clap": 0.75, "snare": 0.65, "tom": 0.55, "hat": 0.5, "open hat": 0.55, "crash": 0.6}
_DUCKED = {"bass": 1.0, "chords": 1.0, "pad": 1.0, "arp": 0.6, "lead": 0.4}  # share of the artist's depth


def render(score: Score) -> np.ndarray:
    """The finished track, float32 ``(2, n_samples)`` at 44.1 kHz, peak as planned (below 1).

    Everything random follows from the plan's seed and index: the same score gives the same bits.
    """
    plan, artist = score.plan, score.plan.artist
    n_samples = round(score.duration_s * RATE_HZ)
    beat_s = 60 / plan.tempo_bpm
    mix, kicks = _drums(score, n_samples)
    melodic, harmonic = np.zeros_like(mix), np.zeros_like(mix)
    bus_of = {"bass": mix, "chords": harmonic, "pad": harmonic, "arp": melodic, "lead": melodic}
    for number, (part, bus) in enumerate(bus_of.items()):
        sound = _play(score, part, n_samples, np.random.default_rng([plan.seed, plan.index, 2, number]))
        sound *= effects.ducking(kicks, n_samples, artist.duck_depth * _DUCKED[part], 0.8 * beat_s)
        bus += sound
    ends_s = np.array([(beat, beat + 4 * section.n_bars - 0.01) for beat, section in score.starts()]).ravel() * beat_s
    cutoffs_hz = np.array([section.cutoff_hz for section in score.sections]).ravel()
    melodic, harmonic = (effects.sweep(bus, ends_s, cutoffs_hz) for bus in (melodic, harmonic))
    echo = effects.ping_pong(melodic, artist.delay_beats * beat_s, 0.55)
    echo *= np.float32(artist.delay_level)
    room = effects.room(np.random.default_rng([plan.seed, plan.index, 3]), artist.room_s)
    room *= np.float32(artist.room_level)
    mix += harmonic
    mix += melodic
    mix += echo
    melodic += echo
    melodic += harmonic
    mix += effects.reverberate(melodic, room)
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
    kit = {
        "kick": instruments.kick(rng, root_hz, artist.kick_decay_s, artist.kick_click, artist.kick_drive),
        "clap": instruments.clap(rng, artist.clap_hz),
        "snare": instruments.snare(rng, artist.clap_hz),
        "tom": instruments.tom(rng, 2 * root_hz),
        "hat": instruments.cymbal(rng, artist.hat_hz, 0.03),
        "open hat": instruments.cymbal(rng, artist.hat_hz, 0.12),
        "crash": instruments.cymbal(rng, 0.5 * artist.hat_hz, 0.6),
    }
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
