"""How an extraction runs: options that the script, the worker pool and the worker processes share."""

from dataclasses import dataclass, field, replace
from importlib.util import find_spec

from songmap.core.errors import UsageError
from songmap.library.schema import DEFAULT_ENGINE, ENGINES, LEAST_DURATION_S, N_COLUMNS, AudioConfig
from songmap.library.segments import SegmentSettings

EXECUTORS = ("threads", "processes", "dask")


@dataclass(frozen=True)
class ExtractionOptions:
    """How songs are analysed, and by how many workers.

    Attributes
    ----------
    workers : int
        Songs analysed in parallel. A dask cluster decides by itself.
    executor : str
        One of ``EXECUTORS``; ``scheduler`` is the address of dask's.
    timeout_s : float
        Seconds per song before it counts as failed.
    nice : int
        Priority of the worker processes, 0 (high) to 19 (low).
    retry_failed : bool
        Whether files that failed before and have not changed are tried again.
    limit : int, optional
        The most files to decode in this run.
    engine : str
        One of ``schema.ENGINES``: what computes columns 0-633.
    labels : str
        Where genres are from, as ``label_songs`` takes it; ``labels_kept``: an earlier run chose it.
    min_duration_s, max_duration_s : float, optional
        Songs outside are left out of the library. A minimum below that of ``config`` becomes that of ``config``.
    keep_speech : bool
        Whether files whose genre is speech, such as audiobooks, are songs.
    segments : SegmentSettings, optional
        How songs are cut into segments; by default they are not.
    config : AudioConfig
        How audio is analysed.

    Raises
    ------
    UsageError
        If options do not fit together, or the engine is not there.
    """

    workers: int = 1
    executor: str = "threads"
    scheduler: str | None = None
    timeout_s: float = 600.0
    nice: int = 0
    retry_failed: bool = False
    limit: int | None = None
    engine: str = DEFAULT_ENGINE
    labels: str = "folder"
    labels_kept: bool = False
    min_duration_s: float | None = None
    max_duration_s: float | None = None
    keep_speech: bool = False
    segments: SegmentSettings | None = None
    config: AudioConfig = field(default_factory=AudioConfig)

    def __post_init__(self) -> None:
        if self.executor not in EXECUTORS:
            raise UsageError(f"there is no executor {self.executor!r}; choose from {', '.join(EXECUTORS)}")
        if (self.executor == "dask") != (self.scheduler is not None):
            raise UsageError("--executor dask and --scheduler tcp://HOST:PORT belong together; give both or neither")
        if self.min_duration_s is not None and self.min_duration_s < self.config.min_duration_s:
            object.__setattr__(self, "config", replace(self.config, min_duration_s=self.min_duration_s))
        if self.least_duration_s < LEAST_DURATION_S:
            raise UsageError(
                f"songs of {self.least_duration_s:g} s have no {N_COLUMNS} columns; give a --min-duration of at least "
                f"{LEAST_DURATION_S:g} s"
            )
        if self.max_duration_s is not None and self.max_duration_s < self.least_duration_s:
            raise UsageError(
                f"no song is at least {self.least_duration_s:g} s and at most {self.max_duration_s:g} s long; "
                "give a --max-duration above --min-duration"
            )
        if self.engine not in ENGINES:
            raise UsageError(f"there is no engine {self.engine!r}; choose from {', '.join(ENGINES)}")
        if self.engine == "librosa" and find_spec("librosa") is None:
            raise UsageError("--engine librosa and --verify need librosa, which is not installed: pip install librosa")
        if self.engine == "librosa" and self.segments:
            raise UsageError("--segments are cut by the engine songmap only; leave out --engine, or give --no-segments")
        if self.engine == "librosa" and self.config.column_settings() != AudioConfig().column_settings():
            raise UsageError("the engine librosa has the default audio configuration only")

    @property
    def least_duration_s(self) -> float:
        """Seconds from which on songs are in the library."""
        return self.config.min_duration_s if self.min_duration_s is None else self.min_duration_s
