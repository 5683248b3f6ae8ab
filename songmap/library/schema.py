"""The 641 columns of an embedding, declared once; names, families, units and the README's table derive from it.

Columns 0-633 equal what plain librosa calls give at 22,050 Hz mono, ``n_fft`` 2048, hop 512. Columns
634-640 complete them and belong to families that begin earlier, so a family is a set of column
indices, not a slice. Standard deviations are of the population (``ddof=0``), as ``numpy.std`` gives.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from songmap.core.errors import SchemaError

FAMILIES = ("timbre", "harmony", "spectral", "rhythm", "energy", "tonnetz", "mel")
PITCH_CLASSES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
UNKNOWN_GENRE = "UNKNOWN"
# of the table of songs, measured since version 0.3; tables made before lack them
MEASURED_SINCE = ("tempo_octave", "beat_deviation_s")
NUMBER_COLUMNS = ("duration", "year", "tempo_bpm", "tag_bpm", "replaygain_db", *MEASURED_SINCE)
SONG_COLUMNS = (
    "song_name", "file_path", "genre", "duration", "artist", "title", "album", "album_artist", "year", "key",
    "tempo_bpm", "tag_bpm", "tag_genre", "isrc", "musicbrainz_id", "replaygain_db", "duplicate_of",
    *MEASURED_SINCE,
)  # fmt: skip
# seconds: from nine frames on, which a delta needs (0.186 s), all columns are defined, and equal to librosa's
LEAST_DURATION_S = 0.2
LARGEST = 1e15  # of columns, and of numbers in a model: squares and sums of such do not overflow in float32
N_LIBROSA = 634
N_COLUMNS = 641
ENGINES = ("songmap", "librosa")  # what computes columns 0-633
DEFAULT_ENGINE = "songmap"


@dataclass(frozen=True)
class AudioConfig:
    """How audio is analysed. The values are librosa's own defaults, and those of the columns.

    Only ``min_duration_s`` and ``silence_peak`` may be others where an embedding is computed.
    """

    sample_rate_hz: int = 22050
    n_fft: int = 2048
    hop_length: int = 512
    n_mels: int = 128
    n_mfcc: int = 20
    n_chroma: int = 12
    roll_percent: float = 0.85
    hpss_kernel: int = 31
    min_duration_s: float = 3.0  # what is shorter than LEAST_DURATION_S is refused in any case
    silence_peak: float = 1e-4  # -80 dBFS: below this peak a file counts as silent

    @property
    def frame_rate_hz(self) -> float:
        return self.sample_rate_hz / self.hop_length

    def column_settings(self) -> dict[str, float]:
        """The values that the columns' meaning depends on; the others decide which files are songs."""
        return {name: value for name, value in asdict(self).items() if name not in ("min_duration_s", "silence_peak")}

    def other_setting(self) -> str:
        """The first setting under which the columns would mean something else; empty where there is none."""
        for name, value in AudioConfig().column_settings().items():
            if (used := getattr(self, name)) != value:
                return f"{name} {used}, the columns of this version need {value}"
        return ""


@dataclass(frozen=True)
class Feature:
    """One block of columns: a statistic of a frame feature, or a single number.

    ``feature`` names the frame feature ``(size, n_frames)``, ``statistic`` what is taken over its
    frames: ``mean``, ``std``, ``p25``, ``p50``, ``p75``, or ``value`` for one number per song.
    ``labels`` name the rows of the feature (empty: one row). ``source`` is the definition.
    """

    feature: str
    statistic: str
    family: str
    unit: str
    source: str
    labels: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        return len(self.labels) or 1

    @property
    def names(self) -> tuple[str, ...]:
        suffix = "" if self.statistic == "value" else f"_{self.statistic}"
        return tuple(f"{self.feature}_{label}{suffix}" for label in self.labels) or (f"{self.feature}{suffix}",)


def _numbered(count: int, first: int = 1) -> tuple[str, ...]:
    width = len(str(count))
    return tuple(str(number).zfill(width) for number in range(first, first + count))


_MFCC, _CONTRAST, _TONNETZ, _MEL = _numbered(20), _numbered(7), _numbered(6), _numbered(128)
_DECLARED: tuple[tuple[str, str, str, str, str, tuple[str, ...]], ...] = (  # statistics by blanks, a block each
    ("mfcc", "mean std", "timbre", "dB", "librosa.feature.mfcc", _MFCC),
    ("mfcc_delta", "mean", "timbre", "dB/frame", "librosa.feature.delta of mfcc", _MFCC),
    ("chroma", "mean std", "harmony", "0…1", "librosa.feature.chroma_cqt", PITCH_CLASSES),
    ("centroid", "mean std", "spectral", "Hz", "librosa.feature.spectral_centroid", ()),
    ("rolloff", "mean std", "spectral", "Hz", "librosa.feature.spectral_rolloff, 85 %", ()),
    ("bandwidth", "mean std", "spectral", "Hz", "librosa.feature.spectral_bandwidth", ()),
    ("contrast", "mean std", "spectral", "dB", "librosa.feature.spectral_contrast", _CONTRAST),
    ("flatness", "mean", "spectral", "0…1", "librosa.feature.spectral_flatness", ()),
    ("zero_crossing_rate", "mean std", "rhythm", "per sample", "librosa.feature.zero_crossing_rate", ()),
    ("tempo_bpm", "value", "rhythm", "BPM", "librosa.beat.beat_track", ()),
    ("rms", "mean std", "energy", "amplitude", "librosa.feature.rms", ()),
    ("tonnetz", "mean", "tonnetz", "-1…1", "librosa.feature.tonnetz of effects.harmonic", _TONNETZ),
    ("tonnetz", "std", "tonnetz", "0…1", "librosa.feature.tonnetz of effects.harmonic", _TONNETZ),
    ("mel", "mean p25 p50 p75", "mel", "dB below maximum", "power_to_db(melspectrogram, ref=np.max)", _MEL),
    ("flatness", "std", "spectral", "0…1", "librosa.feature.spectral_flatness", ()),
    ("onset_strength", "mean std", "rhythm", "dB/frame", "librosa.onset.onset_strength, median over bands", ()),
    ("beat_interval_std_s", "value", "rhythm", "s", "std of times between beats; 0 below three beats", ()),
    ("pulse_clarity", "value", "rhythm", "0…1", "Lartillot et al. 2008, lags of 30-300 BPM", ()),
    ("harmonic_rms_mean", "value", "energy", "amplitude", "mean RMS of the HPSS harmonic part", ()),
    ("percussive_rms_mean", "value", "energy", "amplitude", "mean RMS of the HPSS percussive part", ()),
)
FEATURES: tuple[Feature, ...] = tuple(
    Feature(name, statistic, family, unit, source, labels)
    for name, statistics, family, unit, source, labels in _DECLARED
    for statistic in statistics.split()
)
COLUMNS: tuple[str, ...] = tuple(name for block in FEATURES for name in block.names)
COLUMN_FAMILY: tuple[str, ...] = tuple(block.family for block in FEATURES for _ in block.names)
COLUMN_UNIT: tuple[str, ...] = tuple(block.unit for block in FEATURES for _ in block.names)


def family_indices(family: str) -> np.ndarray:
    """Column indices of one of ``FAMILIES``, ascending, int64 ``(n,)``."""
    if family not in FAMILIES:
        raise SchemaError(f"there is no column family {family!r}; the families are {', '.join(FAMILIES)}")
    return np.array([index for index, name in enumerate(COLUMN_FAMILY) if name == family])


def block_slice(feature: str, statistic: str) -> slice:
    """Columns of one declared block, e.g. ``block_slice("mfcc", "mean")``."""
    start = 0
    for block in FEATURES:
        if (block.feature, block.statistic) == (feature, statistic):
            return slice(start, start + block.size)
        start += block.size
    raise SchemaError(f"there are no columns {feature!r} {statistic!r} among the {N_COLUMNS}")


def column_index(name: str) -> int:
    """Index of a column by its name, 0-640."""
    try:
        return COLUMNS.index(name)
    except ValueError:
        raise SchemaError(f"there is no column {name!r} among the {N_COLUMNS}") from None


def fingerprint(columns: Sequence[str] = COLUMNS) -> str:
    """SHA-256 over names and definitions: two libraries compare only where it is equal."""
    definitions = [f"{block.source}|{block.unit}" for block in FEATURES] if columns is COLUMNS else []
    return hashlib.sha256("\n".join([*columns, *definitions]).encode()).hexdigest()
