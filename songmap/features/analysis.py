"""One audio file analysed: decoded, frame features, embedding, and what its name and tags say."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from songmap.core.text import readable
from songmap.features import decode
from songmap.features.signal import Signal
from songmap.features.tags import read_tags
from songmap.library.schema import UNKNOWN_GENRE, AudioConfig

if TYPE_CHECKING:
    from songmap.features.frames import SongFrames

DESCRIPTION_VERSION = 1  # raised when `describe` changes: files are described again, and not decoded


@dataclass(frozen=True)
class AudioAnalysis:
    """Everything known of one file: its mono ``signal`` at ``sample_rate_hz``, ``frames``, ``embedding (641,)``, ``record``."""

    signal: Signal
    sample_rate_hz: int
    frames: "SongFrames"
    embedding: np.ndarray
    record: dict[str, Any]

    @property
    def samples(self) -> np.ndarray:
        """All samples, mono float32 ``(n,)``."""
        return self.signal.read(0, len(self.signal))


def analyse_file(path: Path, config: AudioConfig | None = None) -> AudioAnalysis:
    """Decode and analyse one file. Raises AudioError with the reason."""
    from songmap.features import frames, statistics

    config = config or AudioConfig()
    signal = decode.load_audio(path, config)
    song_frames = frames.analyse(signal, config)
    record = describe(path) | {
        "genre": UNKNOWN_GENRE,
        "duration": len(signal) / config.sample_rate_hz,
        "tempo_bpm": song_frames.values["tempo_bpm"],
    }
    return AudioAnalysis(signal, config.sample_rate_hz, song_frames, statistics.embed(song_frames), record)


def describe(path: Path) -> dict[str, Any]:
    """What name and tags say of a file, without decoding it."""
    # a file name may be any bytes; the path keeps them, what people read does not
    return {"song_name": readable(path.stem), "file_path": str(path), **read_tags(path)}
