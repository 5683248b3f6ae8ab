"""The workspace: a folder with ``data/ models/ outputs/``, and where in it every artifact is."""

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

from songmap.core.file_group import FileGroup
from songmap.core.text import shown_path

REPOSITORY = Path(__file__).resolve().parents[2]


class _Place:
    """A path below the workspace's folder."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __get__(self, workspace: "Workspace", owner: type) -> Path:
        return workspace.root / self.path


@dataclass(frozen=True)
class ModelFiles:
    """The files of a saved model: for this package, as a pickle for other tools, its card; and what replaces them."""

    model: Path
    pickle: Path
    card: Path
    group: FileGroup


@dataclass(frozen=True)
class Workspace:
    """A folder holding ``data/ models/ outputs/``; every artifact's path is derived from it."""

    root: Path

    music = _Place("data/raw")  # where songs are looked for: GENRE/song.mp3
    processed = _Place("data/processed")  # what 01 leaves for the other scripts
    embeddings = _Place("data/processed/embeddings_matrix.npy")  # float32 (n_songs, 641)
    songs = _Place("data/processed/song_table.npz")  # the table with the rows of the matrix: numbers and text alone
    songs_pickle = _Place("data/processed/song_data.pkl")  # the same as a DataFrame; nothing here reads it
    segment_embeddings = _Place("data/processed/segment_embeddings.npy")  # float32 (n_segments, 641), of 01 --segments
    segment_table = _Place("data/processed/segment_table.npz")  # of which song and when: numbers and text alone
    segments_pickle = _Place("data/processed/segment_data.pkl")  # the same as a DataFrame; nothing here reads it
    manifest = _Place("data/processed/manifest.json")  # columns, configuration, versions, checksums of all of these
    ledger = _Place("data/processed/library.sqlite")  # outcome of every file that 01 has analysed, to resume a run
    extraction_lock = _Place("data/processed/.extraction.lock")  # held by a run of 01
    models = _Place("models")  # fitted models and saved maps
    model = _Place("models/genre_classifier.npz")  # of 03: numbers alone, with the card
    model_pickle = _Place("models/genre_classifier.pkl")  # the same for other tools; nothing here reads it
    model_card = _Place("models/genre_classifier.json")  # training data, scores, parameters, versions, to read
    out_of_fold = _Place("models/genre_out_of_fold.npz")  # probabilities of the library's songs by models without them
    label_source = _Place("data/processed/labels.json")  # where genres are from, for runs of 01 without --labels
    recording_model = _Place("models/recording_classifier.npz")  # of 05, as the three of 03
    recording_pickle = _Place("models/recording_classifier.pkl")
    recording_card = _Place("models/recording_classifier.json")
    recording_network = _Place("models/recording_network.safetensors")  # the weights of its network, where it has one
    maps_lock = _Place("models/.maps.lock")  # held by a run of 02
    outputs = _Place("outputs")  # what people open
    recordings = _Place("outputs/recordings")  # from the microphone, of 05
    fitted_folds = _Place("outputs/model_comparison.sqlite")  # finished fits of 06, to resume a run
    excerpts = _Place("data/processed/excerpts")  # spectrograms of excerpts, float16, of 07 and 08: one folder a kind
    networks = _Place("models/spectrogram")  # of 07: weights as .safetensors, with a card each; checkpoints
    autoencoders = _Place("models/autoencoders")  # of 08: the same
    song_spaces = _Place("models/autoencoders/spaces.npz")  # vectors of songs by space, which 08 clusters too
    playlists = _Place("data/playlists")  # playlists of 08, unless others are named
    communities_lock = _Place("outputs/.communities.lock")  # held by a run of 08
    cluster_playlists = _Place("outputs/playlists/clusters")  # of 08: a playlist a cluster
    plots = _Place("outputs/plots")
    html = _Place("outputs/html")
    genre_report = _Place("outputs/genre_report.json")  # of 03 for programs; the page is page("genre_report")

    @classmethod
    def default(cls) -> "Workspace":
        """The current folder if it holds ``data/``, else the checkout that this package is run from, if it is."""
        here = Path.cwd()
        is_checkout = (REPOSITORY / "01_feature_extraction.py").is_file()
        return cls(REPOSITORY if is_checkout and not (here / "data").is_dir() else here)

    @classmethod
    def at(cls, place: "Workspace | Path | str") -> "Workspace":
        """A workspace as it is, or that of a folder."""
        return place if isinstance(place, Workspace) else cls(Path(place).expanduser())

    def __str__(self) -> str:
        return str(self.root)

    def command(self, script: str) -> str:
        """How to run a script on this workspace from the current folder, for people to copy."""
        option = "" if self == Workspace.default() else f" --workspace {shlex.quote(shown_path(self.root))}"
        return f"{shown_path(sys.executable)} {shown_path(REPOSITORY / script)}{option}"

    @property
    def library_files(self) -> FileGroup:
        """Matrix, table and manifest, which are replaced together."""
        return FileGroup(self.root, "data/processed/.library", "01_feature_extraction.py")

    @property
    def genre_files(self) -> FileGroup:
        """Model, card, probabilities out of fold, and all of 03 in ``outputs``, which are replaced together."""
        return FileGroup(self.root, "models/.genre_classifier", "03_genre_classifier.py")

    @property
    def genre_model(self) -> ModelFiles:
        """The model of whole songs, of 03."""
        return ModelFiles(self.model, self.model_pickle, self.model_card, self.genre_files)

    @property
    def segment_model(self) -> ModelFiles:
        """The model of segments, of 05."""
        group = FileGroup(self.root, "models/.recording_classifier", "05_classify_recording.py --train")
        return ModelFiles(self.recording_model, self.recording_pickle, self.recording_card, group)

    def song_map(self, method: str, space: str = "balanced") -> Path:
        """The saved map of one embedding method, of a space that songs are compared in."""
        return self.models / f"map_{method}{'' if space == 'balanced' else f'_{space}'}.npz"

    def table(self, name: str) -> Path:
        """A CSV for people and other tools, such as ``extraction``, ``duplicates`` or ``boundary_songs``."""
        return self.outputs / f"{name}.csv"

    def page(self, name: str) -> Path:
        """A page, such as ``genre_report`` or ``embedding_space_2d``."""
        return self.html / f"{name}.html"
