"""The workspace: a folder with ``data/ models/ outputs/``, and where in it every artifact is."""

from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Workspace:
    """A folder holding ``data/ models/ outputs/``; every artifact's path is derived from it."""

    root: Path

    @classmethod
    def default(cls) -> "Workspace":
        """The current folder if it holds ``data/``, else the checkout that this package is run from, if it is."""
        here = Path.cwd()
        is_checkout = (REPOSITORY / "01_feature_extraction.py").is_file()
        return cls(REPOSITORY if is_checkout and not (here / "data").is_dir() else here)

    def __str__(self) -> str:
        return str(self.root)

    @property
    def music(self) -> Path:
        """Where songs are looked for: ``GENRE/song.mp3``."""
        return self.root / "data" / "raw"

    @property
    def processed(self) -> Path:
        """What 01 leaves for the other scripts."""
        return self.root / "data" / "processed"

    @property
    def embeddings(self) -> Path:
        """The matrix, float32 ``(n_songs, 641)``."""
        return self.processed / "embeddings_matrix.npy"

    @property
    def songs(self) -> Path:
        """The table of songs, a pickled DataFrame with the rows of the matrix."""
        return self.processed / "song_data.pkl"

    @property
    def manifest(self) -> Path:
        """Columns, configuration, versions and checksums of matrix and table."""
        return self.processed / "manifest.json"

    @property
    def ledger(self) -> Path:
        """Every file that 01 has analysed, and its outcome; makes a run resumable."""
        return self.processed / "library.sqlite"

    @property
    def models(self) -> Path:
        """Folder of fitted models, saved maps and indexes."""
        return self.root / "models"

    @property
    def model(self) -> Path:
        """The genre classifier of 03."""
        return self.models / "genre_classifier.pkl"

    @property
    def model_card(self) -> Path:
        """What is known of the classifier: training data, scores, parameters, versions."""
        return self.model.with_suffix(".json")

    def song_map(self, method: str) -> Path:
        """The saved map of one embedding method."""
        return self.models / f"map_{method}.npz"

    def search_index(self, space: str) -> Path:
        """The index of a large library in one space; the ``.npz`` beside it describes its content."""
        return self.models / f"search_{space}.index"

    @property
    def outputs(self) -> Path:
        """Folder of what people open."""
        return self.root / "outputs"

    @property
    def plots(self) -> Path:
        """Folder of pictures."""
        return self.outputs / "plots"

    @property
    def html(self) -> Path:
        """Folder of pages."""
        return self.outputs / "html"

    def table(self, name: str) -> Path:
        """A CSV for people and other tools, such as ``extraction``, ``duplicates`` or ``boundary_songs``."""
        return self.outputs / f"{name}.csv"

    def page(self, name: str) -> Path:
        """A page, such as ``genre_report`` or ``embedding_space_2d``."""
        return self.html / f"{name}.html"

    @property
    def genre_report(self) -> Path:
        """The report of 03 for programs; the page is ``page("genre_report")``."""
        return self.outputs / "genre_report.json"
