"""A plan becomes a score: sections, drum hits and notes, still without sound.

Times are in beats from the start of the track; four beats are a bar. Patterns of one bar are written as
sixteen characters: ``x`` strikes, ``o`` strikes an octave higher, ``-`` holds, ``.`` rests.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from songmap.demo.catalogue import Plan
from songmap.demo.effects import OPEN_HZ
from songmap.demo.harmony import PROGRESSIONS, Key, chord_steps, lead_voices, nearest_in

TAIL_S = 1.4  # the last echoes
BEATS_PER_BAR = 4
_PHRASE_BARS = 8
_BASS_FROM, _CHORDS_FROM, _LEAD_FROM = 33, 52, 60  # lowest MIDI note of the tonic

BASS_LINES = {
    "offbeat": "..x-..x-..x-..x-",
    "gallop": "..xx..xx..xx..xo",
    "octaves": "x.o.x.o.x.o.x.o.",
    "rolling": ".xxx.xxx.xxx.xxx",
    "rolling octaves": ".xxo.xxo.xxo.xox",
}
CHORD_RHYTHMS = {
    "offbeat": ("..x-..x-..x-..x-", "..x-..x-..x-..xx"),
    "clave": ("x--x--x---x-x---", "x--x--x-..x--x--"),
    "gate": ("x.xx.xx.x.xx.xx.", "x.x.xx.x.xx.x.xx"),
}
ARP_SHAPES = {
    "up": (0, 1, 2, 3),
    "updown": (0, 1, 2, 3, 4, 5, 4, 3, 2, 1),
    "broken": (0, 2, 1, 3, 2, 4, 3, 5),
    "skip": (0, 2, 4),
}
HATS = {
    "eighths": "x.x.x.x.x.x.x.x.",
    "sixteenths": "xxxxxxxxxxxxxxxx",
    "shuffle": "x.xxx.xxx.xxx.xx",
    "offbeat": "..x...x...x...x.",
}
HOOK_RHYTHMS = {
    "syncopated": ("x--x--x-x-x-x---", "x-x--x-x--x-x-..", "x--x--x--x--x-x-", "x-xx-xx-x-x-x---", "..x-x-x--x-x-x--"),
    "staccato": ("x.x.xxx.x.x.xx..", "xx.xx.x.x.xx.x..", "x.xx.xx.x.x.x...", "x.x.x.xxx.xx.x..", "x..x..x.xx.x.x.."),
    "soaring": ("x-----x-----x---", "x---x-x---x-x---", "x-------x---x-x-", "x--x--x---x-x---", "x-----------x-x-"),
}
_CONTOURS = {  # scale steps from note to note, and how likely each is
    "syncopated": ((-2, -1, 0, 1, 2, 4), (0.14, 0.27, 0.2, 0.22, 0.12, 0.05)),
    "staccato": ((-2, -1, 0, 1, 2, -3), (0.13, 0.2, 0.32, 0.2, 0.1, 0.05)),
    "soaring": ((-2, -1, 0, 1, 2, 4), (0.18, 0.32, 0.05, 0.25, 0.12, 0.08)),
}
_FILLS = ("........x..x..x.", "............xxxx", "........x.x.xxxx", "..........x.xx.x")
_DRUMS = "kick clap hats open"
_BAND = f"{_DRUMS} bass chords"


@dataclass(frozen=True)
class Section:
    """Some bars with the same parts; the synthesisers' filter moves between two cutoffs."""

    name: str
    n_bars: int
    parts: str
    cutoff_hz: tuple[float, float] = (OPEN_HZ, OPEN_HZ)

    def has(self, part: str) -> bool:
        return part in self.parts.split()


@dataclass(frozen=True)
class Note:
    """A pitch (MIDI) from ``start`` for ``length`` beats, velocity 0…1."""

    start: float
    length: float
    pitch: int
    velocity: float


@dataclass(frozen=True)
class Hit:
    """A drum at ``start`` beats, velocity 0…1."""

    start: float
    drum: str
    velocity: float


@dataclass(frozen=True)
class Score:
    """A whole track as written: ``notes`` by part, drum ``hits``, ``winds`` (start, length) in beats."""

    plan: Plan
    sections: tuple[Section, ...]
    notes: dict[str, tuple[Note, ...]]
    hits: tuple[Hit, ...]
    winds: tuple[tuple[float, float], ...]

    @property
    def n_beats(self) -> int:
        return BEATS_PER_BAR * sum(section.n_bars for section in self.sections)

    @property
    def duration_s(self) -> float:
        return self.n_beats * 60 / self.plan.tempo_bpm + TAIL_S

    def starts(self) -> Iterator[tuple[int, Section]]:
        """Each section with the beat where it begins."""
        beat = 0
        for section in self.sections:
            yield beat, section
            beat += BEATS_PER_BAR * section.n_bars


_INTRO = Section("intro", 4, "kick hats bass")
_HOOK, _FINALE = Section("hook", 8, f"{_BAND} lead"), Section("hook", 8, f"{_BAND} lead double")
_CLIMAX = Section("climax", 8, f"{_BAND} arp pad lead double")
FORMS: dict[str, tuple[tuple[Section, ...], ...]] = {
    "song": (
        (Section("intro", 4, "kick hats chords", (900, 9000)), Section("verse", 2, _BAND), _HOOK,
         Section("break", 6, "chords pad soft"), _FINALE),
        (Section("riff", 4, "chords lead", (1500, OPEN_HZ)), _HOOK, Section("verse", 4, f"{_DRUMS} bass arp"),
         Section("break", 4, "chords soft roll"), _FINALE),
        (_INTRO, _HOOK, Section("break", 6, "pad chords soft"), Section("hook", 8, f"{_BAND} arp lead double")),
    ),
    "journey": (
        (_INTRO, Section("groove", 4, f"{_DRUMS} bass arp", (600, 9000)),
         Section("breakdown", 6, "pad soft", (1500, 12_000)), Section("build-up", 2, "pad arp roll", (2500, OPEN_HZ)),
         Section("climax", 8, f"{_BAND} arp pad lead"), Section("outro", 2, "kick hats bass arp", (9000, 1200))),
        (Section("opening", 4, "pad arp", (500, 6000)), Section("groove", 6, f"{_DRUMS} bass arp pad"),
         Section("breakdown", 4, "pad arp soft", (1800, 9000)),
         Section("build-up", 4, "hats pad arp soft roll", (2500, OPEN_HZ)), _CLIMAX),
        (Section("groove", 8, f"{_DRUMS} bass arp pad", (500, OPEN_HZ)),
         Section("breakdown", 4, "pad soft", (2000, 12_000)),
         Section("build-up", 4, "chords arp roll", (2500, OPEN_HZ)), _CLIMAX,
        Section("outro", 2, "kick hats open bass")),
    ),
    "mixed": (
        (_INTRO, _HOOK, Section("breakdown", 4, "pad soft", (1800, 12_000)),
         Section("build-up", 2, "pad chords roll", (3000, OPEN_HZ)), Section("climax", 8, f"{_BAND} arp lead double")),
        (Section("opening", 4, "pad arp", (900, 9000)), Section("groove", 4, f"{_BAND} arp"),
         Section("break", 4, "chords pad soft"), Section("build-up", 2, "chords arp roll", (3000, OPEN_HZ)), _FINALE,
         Section("outro", 4, "kick clap hats bass chords", (OPEN_HZ, 1500))),
    ),
}  # fmt: skip


def strikes(pattern: str) -> Iterator[tuple[int, int, str]]:
    """Start, length (both in sixteenths) and sign of every strike of a pattern."""
    for start, sign in enumerate(pattern):
        if sign in "xo":
            held = pattern[start + 1 :]
            yield start, 1 + len(held) - len(held.lstrip("-")), sign


def write_hook(rng: Generator, style: str, progression: Sequence[int]) -> list[tuple[float, float, int]]:
    """An eight-bar melody A A A B over a progression: (start, length in beats, degree).

    A motif keeps rhythm and contour when it comes back; notes on the beat are tones of the chord there.
    """
    steps, weights = _CONTOURS[style]

    def new_motif() -> list[tuple[int, int, int]]:
        first, second = rng.choice(len(HOOK_RHYTHMS[style]), 2)
        pattern = HOOK_RHYTHMS[style][first] + HOOK_RHYTHMS[style][second]
        return [(start, length, int(rng.choice(steps, p=weights))) for start, length, _ in strikes(pattern)]

    motif, answer = new_motif(), new_motif()
    opening = int(rng.integers(3, 8))
    melody: list[tuple[float, float, int]] = []
    for half, phrase in enumerate((motif, motif, motif, answer)):
        degree = opening
        for start, length, step in phrase:
            degree += step if 0 <= degree + step <= 11 else -step
            chord = chord_steps(progression[(2 * half + start // 16) % len(progression)])
            if start % 4 == 0:
                degree = nearest_in(chord, degree)
            melody.append((8 * half + start / 4, length / 4, degree))
    last_start, _, last_degree = melody[-1]
    closing = chord_steps(progression[(_PHRASE_BARS - 1) % len(progression)])
    melody[-1] = (last_start, 4 * _PHRASE_BARS - last_start, nearest_in((0,) if 0 in closing else closing, last_degree))
    return melody


def compose(plan: Plan) -> Score:
    """The score of a planned track; the same plan gives the same score."""
    rng = np.random.default_rng([plan.seed, plan.index, 1])
    artist, key = plan.artist, plan.key
    progression = PROGRESSIONS[key.mode][rng.integers(len(PROGRESSIONS[key.mode]))]
    forms = FORMS[artist.form]
    sections = forms[rng.integers(len(forms))]
    chords = lead_voices(progression, seventh=bool(rng.random() < 0.3))
    hook = write_hook(rng, artist.hook, progression)
    rhythms = CHORD_RHYTHMS[artist.chord_rhythm]
    rhythm = rhythms[rng.integers(len(rhythms))]
    notes: dict[str, list[Note]] = {part: [] for part in ("bass", "chords", "pad", "arp", "lead")}
    hits: list[Hit] = []
    winds: list[tuple[float, float]] = []
    beat = 0.0
    for section in sections:
        for bar in range(section.n_bars):
            root, chord = progression[bar % len(progression)], chords[bar % len(chords)]
            if section.has("bass"):
                notes["bass"] += _bass_bar(key, beat, root, BASS_LINES[artist.bass_line])
            if section.has("chords"):
                notes["chords"] += _chord_bar(key, beat, chord, rhythm)
            if section.has("pad"):
                notes["pad"] += _chord_bar(key, beat, chord, "x" + 15 * "-")
            if section.has("arp"):
                notes["arp"] += _arp_bar(key, beat, bar, chord, ARP_SHAPES[artist.arp_shape])
            last = bar == section.n_bars - 1
            hits += _drum_bar(rng, beat, section, HATS[artist.hats], first=bar == 0, fill=last)
            beat += BEATS_PER_BAR
        start, length = beat - BEATS_PER_BAR * section.n_bars, float(BEATS_PER_BAR * section.n_bars)
        notes["lead"] += _lead_section(key, start, length, section, hook)
        if section.has("roll"):
            hits += _snare_roll(start, length)
            winds.append((start, length))
    ordered = {part: tuple(sorted(written, key=lambda n: (n.start, n.pitch))) for part, written in notes.items()}
    return Score(plan, sections, ordered, tuple(sorted(hits, key=lambda hit: hit.start)), tuple(winds))


def _bass_bar(key: Key, beat: float, root: int, pattern: str) -> Iterator[Note]:
    degree = root if root < 4 else root - 7
    for start, length, sign in strikes(pattern):
        pitch = key.pitch(degree + 7 * (sign == "o"), _BASS_FROM)
        yield Note(beat + start / 4, 0.9 * length / 4, pitch, 1.0 if start % 4 == 2 else 0.85)


def _chord_bar(key: Key, beat: float, chord: Sequence[int], pattern: str) -> Iterator[Note]:
    for start, length, _ in strikes(pattern):
        for degree in chord:
            yield Note(beat + start / 4, 0.95 * length / 4, key.pitch(degree, _CHORDS_FROM), 1.0)


def _arp_bar(key: Key, beat: float, bar: int, chord: Sequence[int], shape: Sequence[int]) -> Iterator[Note]:
    ladder = [*chord, *(degree + 7 for degree in chord if degree + 7 > chord[-1])]
    for step in range(16):
        degree = ladder[shape[(16 * bar + step) % len(shape)] % len(ladder)] + 7
        yield Note(beat + step / 4, 0.14, key.pitch(degree, _CHORDS_FROM), (1.0, 0.65, 0.8, 0.65)[step % 4])


def _lead_section(
    key: Key, start: float, length: float, section: Section, hook: Sequence[tuple[float, float, int]]
) -> Iterator[Note]:
    """The melody as far as the section goes; ``soft``: only its notes on the beat, held; ``double``: with octave."""
    if section.has("soft"):
        on_beat = [(at, degree) for at, _, degree in hook if at == int(at)]
        ends = [at for at, _ in on_beat[1:]] + [float(BEATS_PER_BAR * _PHRASE_BARS)]
        for (at, degree), end in zip(on_beat, ends, strict=True):
            if at < length:
                yield Note(start + at, min(end, length) - at, key.pitch(degree, _LEAD_FROM), 0.6)
    elif section.has("lead"):
        for at, held, degree in hook:
            if at < length:
                velocity = 1.0 if at == int(at) else 0.85
                yield Note(start + at, 0.95 * min(held, length - at), key.pitch(degree, _LEAD_FROM), velocity)
                if section.has("double"):
                    yield Note(start + at, 0.95 * min(held, length - at), key.pitch(degree - 7, _LEAD_FROM), 0.5)


def _drum_bar(rng: Generator, beat: float, section: Section, hats: str, *, first: bool, fill: bool) -> Iterator[Hit]:
    filled = fill and section.has("clap")
    if first and section.has("kick"):
        yield Hit(beat, "crash", 0.8)
    for quarter in range(BEATS_PER_BAR):
        if section.has("kick") and not (filled and quarter == 3):
            yield Hit(beat + quarter, "kick", 1.0)
        if section.has("clap") and quarter % 2:
            yield Hit(beat + quarter, "clap", 1.0)
        if section.has("open"):
            yield Hit(beat + quarter + 0.5, "open hat", 0.9)
    if section.has("hats"):
        for start, _, _ in strikes(hats):
            if not (section.has("open") and start % 4 == 2):
                yield Hit(beat + start / 4, "hat", (0.9, 0.45, 0.75, 0.5)[start % 4] + float(rng.uniform(-0.05, 0.05)))
    if filled:
        for start, _, _ in strikes(_FILLS[rng.integers(len(_FILLS))]):
            yield Hit(beat + start / 4, "tom" if rng.random() < 0.4 else "snare", 0.5 + 0.03 * start)


def _snare_roll(start: float, length: float) -> Iterator[Hit]:
    """Quarters, then eighths, then sixteenths, ever louder."""
    at = 0.0
    while at < length:
        progress = at / length
        yield Hit(start + at, "snare", 0.25 + 0.6 * progress)
        at += 1.0 if progress < 0.5 else 0.5 if progress < 0.75 else 0.25
