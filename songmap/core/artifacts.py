"""Every save and load of the library and the model; no other module touches those files.

A library is ``embeddings`` float32 ``(n_songs, 641)`` and ``songs``, a DataFrame with the same rows
in sorted path order. ``validate`` runs on save and on load. Files are written to a temporary name
beside their place and moved into it. Unpickling goes through ``load_pickle``: an explicit allow-list
of classes, so a tampered file gets a clear error and runs nothing.
"""

import hashlib
import importlib
import io
import json
import os
import pickle
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd

from songmap.core.blocks import read_blocks
from songmap.core.classifier import Calibration, GenreModel
from songmap.core.config import AudioConfig, Workspace
from songmap.core.errors import SchemaError
from songmap.core.schema import COLUMNS, N_COLUMNS, column_index, fingerprint

NUMBER_COLUMNS = ("duration", "year", "tempo_bpm", "tag_bpm", "replaygain_db")
SONG_COLUMNS = (
    "song_name", "file_path", "genre", "duration", "artist", "title", "album", "album_artist", "year", "key",
    "tempo_bpm", "tag_bpm", "tag_genre", "isrc", "musicbrainz_id", "replaygain_db", "duplicate_of",
)  # fmt: skip
LIBRARIES = ("numpy", "scipy", "pandas", "soundfile", "soxr", "av", "scikit-learn", "xgboost")

_TABLE_CLASSES = {
    ("builtins", "slice"),
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy._core.numeric", "_frombuffer"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy.core.multiarray", "scalar"),
    ("numpy.core.numeric", "_frombuffer"),
    ("pandas", "DataFrame"),
    ("pandas", "Index"),
    ("pandas", "RangeIndex"),
    ("pandas", "StringDtype"),
    ("pandas._libs.arrays", "__pyx_unpickle_NDArrayBacked"),
    ("pandas._libs.internals", "_unpickle_block"),
    ("pandas.arrays", "StringArray"),
    ("pandas.core.arrays.string_", "StringArray"),
    ("pandas.core.arrays.string_", "StringDtype"),
    ("pandas.core.frame", "DataFrame"),
    ("pandas.core.indexes.base", "Index"),
    ("pandas.core.indexes.base", "_new_Index"),
    ("pandas.core.indexes.range", "RangeIndex"),
    ("pandas.core.internals.managers", "BlockManager"),
}
_MODEL_CLASSES = _TABLE_CLASSES | {
    ("builtins", "bytearray"),
    ("sklearn.calibration", "CalibratedClassifierCV"),
    ("sklearn.calibration", "_CalibratedClassifier"),
    ("sklearn.calibration", "_SigmoidCalibration"),
    ("sklearn.decomposition._pca", "PCA"),
    ("sklearn.discriminant_analysis", "LinearDiscriminantAnalysis"),
    ("sklearn.dummy", "DummyClassifier"),
    ("sklearn.linear_model._logistic", "LogisticRegression"),
    ("sklearn.pipeline", "Pipeline"),
    ("sklearn.preprocessing._data", "StandardScaler"),
    ("sklearn.svm._classes", "SVC"),
    ("xgboost.core", "Booster"),
    ("xgboost.sklearn", "XGBClassifier"),
}


@dataclass(frozen=True)
class Library:
    """All songs: ``embeddings`` float32 ``(n_songs, 641)``, ``songs`` a DataFrame of ``SONG_COLUMNS`` and labels.

    Numbers are NaN and text is empty where a tag does not exist; ``duration`` is in seconds. ``tempo_bpm`` is
    measured, ``tag_bpm``, ``tag_genre`` and ``key`` are what the file says. ``duplicate_of`` is the path of the
    first file with the same recording, empty where there is no other.
    """

    embeddings: np.ndarray
    songs: pd.DataFrame

    def __len__(self) -> int:
        return len(self.songs)

    @property
    def genres(self) -> np.ndarray:
        """Genre of every song, ``(n_songs,)`` of str."""
        return self.songs["genre"].to_numpy(dtype=object)

    def column(self, name: str) -> np.ndarray:
        """One named column over all songs, float32 ``(n_songs,)``."""
        return self.embeddings[:, column_index(name)]


def validate(embeddings: np.ndarray, songs: pd.DataFrame) -> None:
    """Raise SchemaError unless matrix and table are whole, finite, of this version and belong together."""
    if embeddings.ndim != 2 or embeddings.shape[1] != N_COLUMNS or embeddings.dtype != np.float32:
        raise SchemaError(
            f"embeddings are {embeddings.dtype} {embeddings.shape}, not float32 (n_songs, {N_COLUMNS}); run 01 again"
        )
    if len(embeddings) != len(songs):
        raise SchemaError(f"{len(embeddings)} embeddings but {len(songs)} songs: mixed-up files? run 01 again")
    missing = [name for name in SONG_COLUMNS if name not in songs.columns]
    if missing:
        raise SchemaError(f"song_data.pkl lacks {', '.join(missing)}: made by another version? run 01 again")
    for rows, block in read_blocks(embeddings):
        if not np.isfinite(block).all():
            row, column = np.argwhere(~np.isfinite(block))[0]
            path = songs["file_path"].iloc[rows.start + row]
            raise SchemaError(f"{COLUMNS[column]} of {path} is not finite; run 01 again")
    paths = songs["file_path"]
    if paths.duplicated().any():
        raise SchemaError(f"{paths[paths.duplicated()].iloc[0]} is listed twice; run 01 again")
    if not paths.is_monotonic_increasing:
        raise SchemaError("the songs are not in path order: mixed-up files? run 01 again")


def song_table(records: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """A DataFrame of ``SONG_COLUMNS``, then of whatever else the records hold as text, by name.

    Where a record lacks one it is empty, or NaN. The table's pickle depends on its values only: equal
    strings become one object, since pickle writes a shared object once, and which strings are shared
    would otherwise depend on how they were made.
    """
    shared: dict[str, str] = {}
    rows = list(records)
    table: dict[str, pd.Series] = {}
    labels = sorted({name for row in rows for name in row} - set(SONG_COLUMNS))
    for name in (*SONG_COLUMNS, *labels):
        if name in NUMBER_COLUMNS:
            table[name] = pd.Series([row.get(name, np.nan) for row in rows], dtype=np.float64)
        else:  # plain str objects: not every path is UTF-8, which other string types need
            texts = (row.get(name, "") for row in rows)
            table[name] = pd.Series([shared.setdefault(text, text) for text in texts], dtype=object)
    songs = pd.DataFrame(table)
    songs.columns = pd.Index(list(table), dtype=object)
    return songs


def write_atomically(path: Path, content: bytes | Callable[[Path], None]) -> None:
    """Write bytes, or let a function write a file, under a temporary name; then move it to ``path``.

    An interrupted write leaves the old file. The suffix is kept, since some writers look at it. Bytes that
    are there already are left alone, so that a file's time says when its content changed.
    """
    if not callable(content) and path.is_file() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}.", suffix=path.suffix, dir=path.parent)
    temporary = Path(name)
    try:
        if callable(content):
            os.close(handle)
            content(temporary)
        else:
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: Path, document: Any) -> None:
    """Write one JSON document, readable and with a final newline, atomically."""
    write_atomically(path, (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode())


def save_library(workspace: Workspace, library: Library, config: AudioConfig) -> None:
    """Validate and write matrix, table and manifest (last, so that a torn save is noticed on load)."""
    validate(library.embeddings, library.songs)
    stream = io.BytesIO()
    np.save(stream, np.ascontiguousarray(library.embeddings), allow_pickle=False)
    matrix, table = stream.getvalue(), pickle.dumps(library.songs, protocol=5)
    write_atomically(workspace.embeddings, matrix)
    write_atomically(workspace.songs, table)
    write_json(
        workspace.manifest,
        {
            "columns": fingerprint(),
            "n_songs": len(library),
            "audio": asdict(config),
            "versions": library_versions(),
            "sha256": {
                workspace.embeddings.name: hashlib.sha256(matrix).hexdigest(),
                workspace.songs.name: hashlib.sha256(table).hexdigest(),
            },
        },
    )


def load_library(workspace: Workspace) -> Library:
    """Read and validate what 01 wrote. Raises SchemaError with what to do when it cannot be used.

    The matrix is mapped into memory, for reading: a large one takes no more of it than is looked at.
    """
    manifest = _read_json(workspace.manifest, "run 01_feature_extraction.py first")
    table = _read_bytes(workspace.songs, "run 01_feature_extraction.py first")
    found = {
        workspace.embeddings.name: _sha256(workspace.embeddings, "run 01_feature_extraction.py first"),
        workspace.songs.name: hashlib.sha256(table).hexdigest(),
    }
    if manifest.get("columns") != fingerprint():
        raise SchemaError(f"{workspace.manifest} is of another version (other columns); run 01 again")
    checksums = manifest.get("sha256")
    for name, checksum in found.items():
        if not isinstance(checksums, dict) or checksums.get(name) != checksum:
            raise SchemaError(
                f"{workspace.processed / name} is not the file that manifest.json describes "
                "(changed, or from another run); run 01 again"
            )
    try:
        embeddings = np.load(workspace.embeddings, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise SchemaError(f"{workspace.embeddings} is no .npy matrix ({error}); run 01 again") from error
    songs = load_pickle(workspace.songs, table, _TABLE_CLASSES)
    if not isinstance(songs, pd.DataFrame):
        raise SchemaError(f"{workspace.songs} holds a {type(songs).__name__}, not a DataFrame; run 01 again")
    validate(embeddings, songs)
    return Library(embeddings, songs)


def library_fingerprint(library: Library) -> str:
    """SHA-256 of what a model learns from: numbers, paths, genres, and which files are copies."""
    digest = hashlib.sha256()
    for _, block in read_blocks(library.embeddings):
        digest.update(np.ascontiguousarray(block))
    for name in ("file_path", "genre", "duplicate_of"):
        digest.update("\n".join(library.songs[name]).encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def save_model(workspace: Workspace, model: GenreModel, card: dict[str, Any]) -> dict[str, Any]:
    """Write the model as a dict of its fields, and its card, which carries the checksum and is returned whole."""
    content = pickle.dumps(vars(model) | {"calibration": vars(model.calibration)}, protocol=5)
    write_atomically(workspace.model, content)
    card = {"columns": fingerprint(), "sha256": hashlib.sha256(content).hexdigest()} | card
    card |= {"versions": library_versions()}
    write_json(workspace.model_card, card)
    return card


def load_model(workspace: Workspace) -> tuple[GenreModel, dict[str, Any]]:
    """The saved model and its card. Raises SchemaError if missing, tampered or for other columns or versions.

    What the card says is checked before the file is unpickled.
    """
    card = _read_json(workspace.model_card, "run 03_genre_classifier.py first")
    content = _read_bytes(workspace.model, "run 03_genre_classifier.py first")
    if card.get("columns") != fingerprint():
        raise SchemaError(f"{workspace.model} was trained on other columns; run 03_genre_classifier.py again")
    versions = card.get("versions")
    for name in ("scikit-learn", "xgboost"):
        trained = versions.get(name) if isinstance(versions, dict) else None
        if trained != version(name):
            raise SchemaError(
                f"{workspace.model} was trained with {name} {trained}, here is {version(name)}; "
                "run 03_genre_classifier.py again"
            )
    if card.get("sha256") != hashlib.sha256(content).hexdigest():
        raise SchemaError(
            f"{workspace.model} is not the file that its card describes (tampered with, or from another run): "
            "nothing of it was run; run 03_genre_classifier.py again"
        )
    kept = load_pickle(workspace.model, content, _MODEL_CLASSES)
    try:
        return GenreModel(**kept | {"calibration": Calibration(**kept["calibration"])}), card
    except (TypeError, KeyError) as error:
        raise SchemaError(f"{workspace.model} is of another version; run 03_genre_classifier.py again") from error


def load_pickle(path: Path, content: bytes, allowed: set[tuple[str, str]]) -> Any:
    """Unpickle ``content`` of ``path``; a class outside ``allowed`` raises SchemaError before it is imported."""
    try:
        return _AllowListUnpickler(io.BytesIO(content), path, allowed).load()
    except SchemaError:
        raise
    except Exception as error:  # a damaged pickle can raise anything; nothing outside the list has run
        raise SchemaError(f"{path} cannot be read ({type(error).__name__}: {error}); make it again") from error


class _AllowListUnpickler(pickle.Unpickler):
    def __init__(self, stream: io.BytesIO, path: Path, allowed: set[tuple[str, str]]) -> None:
        super().__init__(stream)
        self._path, self._allowed = path, allowed

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self._allowed:
            raise SchemaError(
                f"{self._path} asks for {module}.{name}, which does not belong there: "
                "tampered with, or from another version; nothing of it was run"
            )
        return getattr(importlib.import_module(module), name)


def library_versions() -> dict[str, str]:
    """Versions of the libraries whose numbers or files end up in artifacts."""
    return {name: version(name) for name in LIBRARIES}


def _read_bytes(path: Path, advice: str) -> bytes:
    with _reading(path, advice) as stream:
        return stream.read()


def _sha256(path: Path, advice: str) -> str:
    with _reading(path, advice) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def _reading(path: Path, advice: str) -> Iterator[BinaryIO]:
    try:
        with path.open("rb") as stream:
            yield stream
    except FileNotFoundError:
        raise SchemaError(f"{path} does not exist; {advice}") from None
    except OSError as error:
        raise SchemaError(f"{path} cannot be read: {error.strerror}") from error


def _read_json(path: Path, advice: str) -> dict[str, Any]:
    try:
        document = json.loads(_read_bytes(path, advice))
    except ValueError as error:
        raise SchemaError(f"{path} is no JSON ({error}); {advice.replace(' first', ' again')}") from error
    if not isinstance(document, dict):
        raise SchemaError(f"{path} is no JSON object; {advice.replace(' first', ' again')}")
    return document
