"""Keys estimated from mean chroma, and which of them mix well. An estimate: modulating or atonal music has none.

The profile of a key is how well each pitch class fits it, as rated by listeners (Krumhansl & Kessler 1982);
the estimate is the key whose profile correlates best with the song's chroma (Krumhansl & Schmuckler,
in Krumhansl 1990). How sure it is shows the margin, by which it correlates better than the second key.
Keys are numbered 0-23: C major … B major, then C minor … B minor.
"""

import re
from collections.abc import Sequence

import numpy as np

from songmap.library.schema import PITCH_CLASSES, block_slice

KEYS = tuple(f"{pitch} {mode}" for mode in ("major", "minor") for pitch in PITCH_CLASSES)
NO_KEY = -1
TAG, ESTIMATE = "tag", "estimate"  # where a key comes from
# Below it a key is more often wrong than right: of 1,251 excerpts of 2 s of the demo studio's songs, whose keys are known,
# 42 % of the keys below it are right and 73 % of the others; with two other seeds 43 and 75, 47 and 75 %: see
# benchmarks/tempo_key.md
LEAST_MARGIN = 0.03

_PROFILES = (
    (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
)
_FLATS = {"Cb": "B", "Db": "C#", "Eb": "D#", "Fb": "E", "Gb": "F#", "Ab": "G#", "Bb": "A#", "E#": "F", "B#": "C"}
_WRITTEN = re.compile(r"([A-G])\s*([#♯b♭]?)\s*(m|min|minor|maj|major|)", re.IGNORECASE)
_CAMELOT = re.compile(r"0?(\d{1,2})\s*([AB])", re.IGNORECASE)


def estimate_keys(embeddings: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Key number int ``(n_songs,)`` of embeddings ``(n_songs, 641)``, and its correlation -1…1 with the profile.

    ``NO_KEY`` with correlation 0 where chroma is the same for all pitch classes.
    """
    correlations = _correlations(embeddings)
    keys = correlations.argmax(axis=1)
    best = correlations[np.arange(len(keys)), keys]
    return np.where(correlations.any(axis=1), keys, NO_KEY), best


def key_margins(embeddings: np.ndarray) -> np.ndarray:
    """By how much the best key correlates better than the second, 0…2, float64 ``(n_songs,)``."""
    second, best = np.partition(_correlations(embeddings), (-2, -1), axis=1)[:, -2:].T
    return best - second


def keys_of(tags: Sequence[str], embeddings: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The key of each song that counts, and its source: TAG, ESTIMATE, or empty for ``NO_KEY``; both ``(n_songs,)``.

    The tag's, unless the estimate contradicts it: is sure and does not even mix with it. Else the estimate, where it is
    sure: its margin is at least ``LEAST_MARGIN``.
    """
    estimates = np.where(key_margins(embeddings) >= LEAST_MARGIN, estimate_keys(embeddings)[0], NO_KEY)
    of_tag = {tag: key_number(tag) for tag in set(tags)}
    tagged = np.array([of_tag[tag] for tag in tags], dtype=np.int64)
    from_tag = (tagged != NO_KEY) & ((estimates == NO_KEY) | compatible(estimates, tagged))
    keys = np.where(from_tag, tagged, estimates)
    return keys, np.select([from_tag, keys != NO_KEY], [TAG, ESTIMATE], "").astype(object)


def key_number(text: str) -> int:
    """The key that a tag names: "F#m", "Gb minor", "11A" (Camelot); ``NO_KEY`` for anything else."""
    text = text.strip()
    if camelot_code := _CAMELOT.fullmatch(text):
        wanted = f"{int(camelot_code[1])}{camelot_code[2].upper()}"
        return next((key for key in range(len(KEYS)) if camelot(key) == wanted), NO_KEY)
    written = _WRITTEN.fullmatch(text)
    if not written:
        return NO_KEY
    pitch = written[1].upper() + written[2].replace("♯", "#").replace("♭", "b").replace("B", "b")
    pitch = _FLATS.get(pitch, pitch)
    # "M" alone is major, "m" minor
    minor = written[3] == "m" or written[3].lower().startswith("min")
    return KEYS.index(f"{pitch} {'minor' if minor else 'major'}")


def camelot(key: int) -> str:
    """Place on the Camelot wheel: 1A-12A minor, 1B-12B major; neighbours are a fifth apart, A and B relatives."""
    place, minor = camelot_place(key)
    return f"{place}{'A' if minor else 'B'}"


def camelot_place(key: np.ndarray | int) -> tuple[np.ndarray, np.ndarray]:
    """Hour 1-12 on the Camelot wheel and whether minor, of keys of any shape; what ``NO_KEY`` gives means nothing."""
    minor, pitch = np.divmod(np.asarray(key), 12)
    major = (pitch + 3 * minor) % 12  # the relative major's pitch class
    return (7 * major + 7) % 12 + 1, minor == 1


def wheel_steps(key: np.ndarray | int, other: np.ndarray | int) -> tuple[np.ndarray, np.ndarray]:
    """Fifths (0-6) between two keys, or their relatives, and whether their modes differ; shapes broadcast."""
    (place, minor), (other_place, other_minor) = camelot_place(key), camelot_place(other)
    steps = np.abs(place - other_place)
    return np.minimum(steps, 12 - steps), minor != other_minor


def compatible(key: np.ndarray | int, other: np.ndarray | int) -> np.ndarray:
    """Whether DJs mix two keys: the same, a fifth up or down, or the relative of the other mode; shapes broadcast."""
    fifths, other_mode = wheel_steps(key, other)
    return (fifths + other_mode <= 1) & (np.asarray(key) != NO_KEY) & (np.asarray(other) != NO_KEY)


def key_name(key: int) -> str:
    """For people: "8A (A minor)"; empty for ``NO_KEY``."""
    return "" if key == NO_KEY else f"{camelot(key)} ({KEYS[key]})"


def _correlations(embeddings: np.ndarray) -> np.ndarray:
    """Of each song's mean chroma with the profile of each key, ``(n_songs, 24)``; 0 where chroma is the same for all."""
    chroma = np.asarray(embeddings[:, block_slice("chroma", "mean")], dtype=np.float64)
    profiles = np.array([np.roll(profile, shift) for profile in _PROFILES for shift in range(12)])
    return _standardised(chroma) @ _standardised(profiles).T / 12


def _standardised(rows: np.ndarray) -> np.ndarray:
    """Each row to mean 0 and standard deviation 1; 0 where it does not vary."""
    centred = rows - rows.mean(axis=1, keepdims=True)
    deviation = centred.std(axis=1, keepdims=True)
    return np.divide(centred, deviation, out=np.zeros_like(centred), where=deviation > 1e-9)
