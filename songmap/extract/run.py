"""From a folder of music to a library: find, hear, keep, and name what failed."""

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from songmap.core.artifacts import Library, song_table
from songmap.core.config import UNKNOWN_GENRE, AudioConfig, Workspace
from songmap.core.errors import AudioError, UsageError
from songmap.core.schema import N_COLUMNS
from songmap.extract import audio
from songmap.extract.signal import Signal
from songmap.extract.store import Outcome, Store, open_store
from songmap.extract.tags import read_tags, readable

if TYPE_CHECKING:
    from songmap.extract.frames import SongFrames

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Song:
    """A file to extract and the genre its folder gives."""

    path: Path
    genre: str


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


@dataclass(frozen=True)
class Extraction:
    """The result of a run: the library, failures as ``(path, reason)``, and how many songs were already known."""

    library: Library
    failures: list[tuple[Path, str]]
    n_unchanged: int


def find_songs(music: Path) -> list[Song]:
    """All audio files below ``music``, sorted by path. Raises UsageError if there is none.

    The genre is the folder directly below ``music``, in upper case; UNKNOWN for files without one.
    Hidden files and folders are left out.
    """
    if not music.is_dir():
        raise UsageError(f"no folder {music}; put music there as GENRE/song.mp3, or name another with --music DIR")
    root = music.resolve()
    songs = []
    for folder, folders, names in _walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in names:
            path = folder / name
            if path.suffix.lower() in audio.AUDIO_SUFFIXES and not name.startswith("."):
                parts = path.relative_to(root).parts
                songs.append(Song(path, parts[0].upper() if len(parts) > 1 else UNKNOWN_GENRE))
    if not songs:
        kinds = " ".join(sorted(suffix.lstrip(".") for suffix in audio.AUDIO_SUFFIXES))
        raise UsageError(f"no music in {music}: looked for {kinds}; name another folder with --music DIR")
    return sorted(songs, key=lambda song: str(song.path))


def _walk(root: Path) -> Iterator[tuple[Path, list[str], list[str]]]:
    def unreadable(error: OSError) -> None:
        _log.warning("%s cannot be read (%s): left out", error.filename, error.strerror)

    for folder, folders, names in os.walk(root, onerror=unreadable):
        yield Path(folder), folders, names


def hear(path: Path, config: AudioConfig | None = None) -> Heard:
    """Decode and analyse one file. Raises AudioError with the reason."""
    from songmap.extract import frames, statistics

    config = config or AudioConfig()
    signal = audio.load_audio(path, config)
    heard = frames.analyse(signal, config)
    record = {
        # a file name may be any bytes; the path keeps them, what people read does not
        "song_name": readable(path.stem),
        "file_path": str(path),
        "genre": UNKNOWN_GENRE,
        "duration": len(signal) / config.sample_rate_hz,
        **read_tags(path),
        "tempo_bpm": heard.values["tempo_bpm"],
    }
    return Heard(signal, config.sample_rate_hz, heard, statistics.embed(heard), record)


def embed_file(path: Path, config: AudioConfig | None = None) -> tuple[np.ndarray, dict[str, Any]]:
    """Embedding float32 ``(641,)`` and record of one file; its genre is UNKNOWN. Raises AudioError."""
    heard = hear(path, config)
    return heard.embedding, heard.record


def extract_library(
    songs: Sequence[Song],
    workspace: Workspace,
    workers: int,
    config: AudioConfig | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Extraction:
    """Extract every song that the workspace's ledger does not know yet, ``workers`` at a time.

    Rows are in the order of ``songs``, whatever finished first, so the result does not depend on
    ``workers``. BLAS is held to one thread per worker.
    """
    config = config or AudioConfig()
    outcomes: dict[Path, Outcome] = {}
    with open_store(workspace.ledger, config) as store:
        todo = []
        for song in songs:
            known = _known(store, song.path)
            if known is None:
                todo.append(song)
            else:
                outcomes[song.path] = known
        n_unchanged = len(outcomes)
        on_progress(n_unchanged, len(songs))
        for song, identity, outcome in _extract_all(todo, workers, config):
            if identity is not None:
                store.keep(song.path, *identity, outcome)
            outcomes[song.path] = outcome
            on_progress(len(outcomes), len(songs))

    records, embeddings, failures = [], [], []
    for song in songs:
        outcome = outcomes[song.path]
        if outcome.failure is not None:
            failures.append((song.path, outcome.failure))
        else:
            records.append(outcome.record | {"genre": song.genre})
            embeddings.append(outcome.embedding)
    matrix = np.array(embeddings, dtype=np.float32).reshape(-1, N_COLUMNS)
    return Extraction(Library(matrix, song_table(records)), failures, n_unchanged)


def _extract_all(
    songs: Sequence[Song], workers: int, config: AudioConfig
) -> Iterator[tuple[Song, tuple[int, int] | None, Outcome]]:
    """Outcomes as they finish. A bounded window is submitted, so that an interrupt ends soon."""
    from threadpoolctl import threadpool_limits

    from songmap.extract import frames

    if songs:  # compiling is not thread-safe everywhere, so it happens before there are threads
        frames.analyse(Signal.of(np.sin(np.arange(2.0 * config.sample_rate_hz))), config)
    waiting = iter(songs)
    with threadpool_limits(1), ThreadPoolExecutor(workers) as pool:
        running: dict[Future, Song] = {}
        try:
            while True:
                while len(running) < 2 * workers and (song := next(waiting, None)):
                    running[pool.submit(_extract_one, song, config)] = song
                if not running:
                    return
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    yield running.pop(future), *future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _extract_one(song: Song, config: AudioConfig) -> tuple[tuple[int, int] | None, Outcome]:
    identity = _identity(song.path)
    try:
        embedding, record = embed_file(song.path, config)
    except AudioError as error:
        return identity, Outcome(None, None, str(error))
    return identity, Outcome(record, embedding, None)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def _known(store: Store, path: Path) -> Outcome | None:
    identity = _identity(path)
    return store.find(path, *identity) if identity else None
