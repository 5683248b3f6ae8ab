"""Keys, chords and voice leading of the demo studio.

A *degree* counts scale steps from the tonic (0) of a reference octave, upwards without end: 7 is the
tonic an octave higher. What is written in degrees stays within the key.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from songmap.library.schema import PITCH_CLASSES

SCALES = {"minor": (0, 2, 3, 5, 7, 8, 10), "major": (0, 2, 4, 5, 7, 9, 11)}

# Root degrees, one chord per step; the diminished triad (minor: 1, major: 6) is left out.
PROGRESSIONS = {
    "minor": (
        (0, 5, 2, 6), (0, 6, 5, 6), (0, 3, 5, 6), (0, 4, 5, 6), (5, 6, 0, 0), (0, 2, 6, 5), (3, 5, 0, 6), (5, 2, 6, 0),
    ),
    "major": ((0, 4, 5, 3), (5, 3, 0, 4), (0, 5, 3, 4), (3, 4, 5, 4), (0, 2, 3, 4)),
}  # fmt: skip


@dataclass(frozen=True)
class Key:
    """A tonic (pitch class, C is 0) and a mode, ``minor`` (natural) or ``major``."""

    tonic: int
    mode: str

    @property
    def name(self) -> str:
        """As in tags: ``F#m``, ``C``."""
        return PITCH_CLASSES[self.tonic] + ("m" if self.mode == "minor" else "")

    @property
    def pitch_classes(self) -> frozenset[int]:
        """The seven pitch classes of the scale."""
        return frozenset((self.tonic + step) % 12 for step in SCALES[self.mode])

    def pitch(self, degree: int, lowest: int) -> int:
        """MIDI note number of a degree; degree 0 is the first tonic at or above ``lowest``."""
        octave, step = divmod(degree, 7)
        return lowest + (self.tonic - lowest) % 12 + 12 * octave + SCALES[self.mode][step]


def chord_steps(root: int, *, seventh: bool = False) -> tuple[int, ...]:
    """Degrees modulo 7 of the triad (or seventh chord) on a root degree."""
    return tuple((root + third) % 7 for third in ((0, 2, 4, 6) if seventh else (0, 2, 4)))


def voice(root: int, previous: Sequence[int] | None, lowest: int = -3, *, seventh: bool = False) -> tuple[int, ...]:
    """Four ascending degrees of the chord on ``root``: of all inversions, the one nearest to the chord before."""
    steps = chord_steps(root, seventh=seventh)
    candidates = []
    for bottom in range(lowest, lowest + 7):
        if bottom % 7 in steps:
            above = [degree for degree in range(bottom, bottom + 14) if degree % 7 in steps]
            candidates.append(tuple(above[:4]))
    goal = previous or (0, 2, 4, 7)
    return min(candidates, key=lambda chord: (sum(abs(a - b) for a, b in zip(chord, goal, strict=True)), chord))


def lead_voices(roots: Sequence[int], *, seventh: bool = False) -> tuple[tuple[int, ...], ...]:
    """A voicing for each root of a progression, each led from the one before."""
    chords: list[tuple[int, ...]] = []
    for root in roots:
        chords.append(voice(root, chords[-1] if chords else None, seventh=seventh))
    return tuple(chords)


def nearest_in(steps: Sequence[int], degree: int) -> int:
    """The degree nearest to ``degree`` (upwards at equal distance) whose scale step is one of ``steps``."""
    return min((degree + away for away in (0, 1, -1, 2, -2, 3, -3) if (degree + away) % 7 in steps),
               key=lambda candidate: abs(candidate - degree))  # fmt: skip
