"""The workspace: a folder with ``data/ models/ outputs/``, and where in it every artifact is."""

from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


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
