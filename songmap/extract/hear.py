"""One file, heard: decoded, analysed, and described by its tags. The one function other questions need of 01."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from songmap.core.config import UNKNOWN_GENRE, AudioConfig
from songmap.core.tables import readable
from songmap.extract import audio
from songmap.extract.signal import Signal
from songmap.extract.tags import read_tags

if TYPE_CHECKING:
    from songmap.extract.frames import SongFrames

DESCRIPTION_VERSION = 1  # raised when `describe` changes: files are described again, and not decoded


@dataclass(frozen=True)
class Heard:
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


def hear(path: Path, config: AudioConfig | None = None) -> Heard:
    """Decode and analyse one file. Raises AudioError with the reason."""
    from songmap.extract import frames, statistics

    config = config or AudioConfig()
    signal = audio.load_audio(path, config)
    heard = frames.analyse(signal, config)
    record = describe(path) | {
        "genre": UNKNOWN_GENRE,
        "duration": len(signal) / config.sample_rate_hz,
        "tempo_bpm": heard.values["tempo_bpm"],
    }
    return Heard(signal, config.sample_rate_hz, heard, statistics.embed(heard), record)


def embed_file(path: Path, config: AudioConfig | None = None) -> tuple[np.ndarray, dict[str, Any]]:
    """Embedding float32 ``(641,)`` and record of one file; its genre is UNKNOWN. Raises AudioError."""
    heard = hear(path, config)
    return heard.embedding, heard.record


def describe(path: Path) -> dict[str, Any]:
    """What name and tags say of a file, without decoding it."""
    # a file name may be any bytes; the path keeps them, what people read does not
    return {"song_name": readable(path.stem), "file_path": str(path), **read_tags(path)}
