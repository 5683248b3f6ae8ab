"""One recording analysed, from a file or from samples: decoding, spectra, frame features, statistics.

Each stage can be used alone: ``decode.load_audio`` → ``frames.analyse`` (which takes ``spectra`` in blocks) →
``statistics.embed``. ``analyse_file`` and ``analyse_samples`` put them together.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from songmap.core.text import readable
from songmap.features import decode
from songmap.features.signal import Signal
from songmap.features.tags import read_tags, tags_of
from songmap.library.schema import UNKNOWN_GENRE, AudioConfig

if TYPE_CHECKING:
    from songmap.features.frames import SongFrames

DESCRIPTION_VERSION = 1  # raised when `describe_file` changes: files are described again, and not decoded


@dataclass(frozen=True)
class AudioAnalysis:
    """All results of analysing one recording.

    Attributes
    ----------
    signal : Signal
        The whole recording, mono at ``sample_rate_hz``; read by range, since it may be longer than memory should hold.
    sample_rate_hz : int
        Samples per second, 22,050 by default.
    frames : SongFrames
        Frame features ``(size, n_frames)`` by name, beats and single numbers.
    embedding : np.ndarray, float32 (641,)
        The columns of ``songmap.library.schema``, in their order and units.
    tags : dict
        What the file's name and tags say: ``song_name, file_path, artist, title, album, year, …``; empty text and NaN
        where they say nothing. An empty dict where there is no file.
    """

    signal: Signal
    sample_rate_hz: int
    frames: "SongFrames"
    embedding: np.ndarray
    tags: dict[str, Any] = field(default_factory=dict)

    @property
    def samples(self) -> np.ndarray:
        """All samples, mono float32 ``(n_samples,)``."""
        return self.signal.read(0, len(self.signal))

    @property
    def record(self) -> dict[str, Any]:
        """A row of the table of songs: ``tags``, ``genre`` (UNKNOWN), ``duration`` in seconds, tempo and beat deviation."""
        values = self.frames.values
        return self.tags | {
            "genre": UNKNOWN_GENRE,
            "duration": len(self.signal) / self.sample_rate_hz,
            "tempo_bpm": values["refined_tempo_bpm"],
            "tempo_octave": 1.0,  # as it is measured; that of its genre is known in a library only
            "beat_deviation_s": values["beat_deviation_s"],
        }


def analyse_file(path: Path | str, config: AudioConfig | None = None) -> AudioAnalysis:
    """Decode and analyse one audio file.

    Parameters
    ----------
    path : Path or str
        A file in any format that libsndfile or FFmpeg reads; its content decides, not its name.
    config : AudioConfig, optional
        How audio is analysed. Only ``min_duration_s`` and ``silence_peak`` may differ from the defaults:
        ``AudioConfig(min_duration_s=1)`` takes clips of 1 to 3 s, too; a library's ``config`` takes what the library has.

    Returns
    -------
    AudioAnalysis

    Raises
    ------
    AudioError
        With the reason in one line: cannot be decoded, too short, silent, not finite.
    """
    path, config = Path(path), config or AudioConfig()
    with decode.opened(path) as file:
        signal, tags = decode.read_audio(file, config), describe(file, path)
    return analyse_signal(signal, config, tags)


def analyse_samples(samples: np.ndarray, sample_rate_hz: int, config: AudioConfig | None = None) -> AudioAnalysis:
    """Analyse samples that are in memory, exactly as those of a file.

    Parameters
    ----------
    samples : np.ndarray, floating, (n_samples,) or (n_samples, n_channels)
        Full scale is 1. Channels are averaged.
    sample_rate_hz : int
        Samples per second, 4,000 to 768,000; resampled to that of ``config``.
    config : AudioConfig, optional
        As for ``analyse_file``.

    Returns
    -------
    AudioAnalysis
        Its ``tags`` are empty.

    Raises
    ------
    AudioError
        With the reason in one line: too short, silent, not finite, not floating.

    Examples
    --------
    >>> import numpy as np
    >>> from songmap.library.schema import column_index
    >>> time_s = np.arange(5 * 22050) / 22050
    >>> song = analyse_samples(0.5 * np.sin(2 * np.pi * 1000 * time_s), 22050)
    >>> song.embedding.shape, song.frames.features["mfcc"].shape
    ((641,), (20, 216))
    >>> round(float(song.embedding[column_index("centroid_mean")]) / 1000, 1)
    1.0
    """
    config = config or AudioConfig()
    return analyse_signal(decode.load_samples(samples, sample_rate_hz, config), config, {})


def describe_file(path: Path) -> dict[str, Any]:
    """Name and tags of a file, without decoding it: ``song_name``, ``file_path`` and those of ``read_tags``."""
    return _named(path) | read_tags(path)


def describe(file: BinaryIO, path: Path, metadata: dict[str, str] | None = None) -> dict[str, Any]:
    """``describe_file`` of a file that is open; ``path`` gives the names only. ``metadata`` is as in ``tags_of``."""
    return _named(path) | tags_of(file, path, metadata)


def analyse_signal(signal: Signal, config: AudioConfig, tags: dict[str, Any]) -> AudioAnalysis:
    """Analyse a signal at the rate of ``config``; ``tags`` are those of its file."""
    from songmap.features import frames, statistics

    song_frames = frames.analyse(signal, config)
    return AudioAnalysis(signal, config.sample_rate_hz, song_frames, statistics.embed(song_frames), tags)


def _named(path: Path) -> dict[str, Any]:
    # a file name may be any bytes; the path keeps them, what people read does not
    return {"song_name": readable(path.stem), "file_path": str(path)}
