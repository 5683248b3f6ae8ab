"""Defaults and paths, in one place. Times in seconds, frequencies in hertz, lengths in samples."""

import os
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
UNKNOWN_GENRE = "UNKNOWN"
DEFAULT_SEED = 42


@dataclass(frozen=True)
class AudioConfig:
    """How audio is analysed. The values are librosa's own defaults; changing one changes the columns' meaning."""

    sample_rate_hz: int = 22050
    n_fft: int = 2048
    hop_length: int = 512
    n_mels: int = 128
    n_mfcc: int = 20
    n_chroma: int = 12
    roll_percent: float = 0.85
    hpss_kernel: int = 31
    min_duration_s: float = 3.0
    silence_peak: float = 1e-4  # -80 dBFS: below this peak a file counts as silent

    @property
    def frame_rate_hz(self) -> float:
        return self.sample_rate_hz / self.hop_length


@dataclass(frozen=True)
class Workspace:
    """A folder holding ``data/ models/ outputs/``; every artifact's path is derived from it."""

    root: Path

    def __str__(self) -> str:
        return str(self.root)

    @property
    def music(self) -> Path:
        return self.root / "data" / "raw"

    @property
    def processed(self) -> Path:
        return self.root / "data" / "processed"

    @property
    def embeddings(self) -> Path:
        return self.processed / "embeddings_matrix.npy"

    @property
    def songs(self) -> Path:
        return self.processed / "song_data.pkl"

    @property
    def manifest(self) -> Path:
        return self.processed / "manifest.json"

    @property
    def ledger(self) -> Path:
        return self.processed / "library.sqlite"

    @property
    def model(self) -> Path:
        return self.root / "models" / "genre_classifier.pkl"

    @property
    def model_card(self) -> Path:
        return self.model.with_suffix(".json")

    @property
    def outputs(self) -> Path:
        return self.root / "outputs"

    @property
    def plots(self) -> Path:
        return self.outputs / "plots"

    @property
    def html(self) -> Path:
        return self.outputs / "html"


def usable_cores() -> int:
    """Cores this process may run on (its affinity, where the system tells)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
