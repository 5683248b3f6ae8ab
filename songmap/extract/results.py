"""What an extraction is going to do, and what came out of it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from songmap.library.library import Library
from songmap.library.recordings import DuplicateGroup
from songmap.library.segments import Segments

Reason = Literal["too_short", "too_long", "speech"]


@dataclass(frozen=True)
class ExtractionPlan:
    """What there is to do for each file.

    ``unchanged`` and ``failed_before`` files have an outcome already; ``changed_or_moved`` ones may be known under
    another name, time or tags; ``new`` ones must be decoded, ``outdated`` ones again: an older version measured less, and those
    ``without_segments`` again where segments are wanted.
    """

    unchanged: set[Path] = field(default_factory=set)
    failed_before: set[Path] = field(default_factory=set)
    changed_or_moved: list[Path] = field(default_factory=list)
    new: list[Path] = field(default_factory=list)
    outdated: list[Path] = field(default_factory=list)
    without_segments: list[Path] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """The number of files of each kind."""
        return {kind: len(paths) for kind, paths in vars(self).items()}


@dataclass(frozen=True)
class LabelSource:
    """Where genres are from: ``used`` is ``folder``, ``tag`` or the path of a table.

    ``reason``: it was ``given``; it is ``kept`` from an earlier run; the folders are ``artists`` and tags name genres;
    else folders are the ``default``.
    """

    used: str
    reason: Literal["given", "kept", "artists", "default"]


@dataclass(frozen=True)
class Failure:
    """A file that has no embedding, and the reason in one line."""

    path: Path
    reason: str


@dataclass(frozen=True)
class LeftOut:
    """A song that could be analysed and is not in the library: outside the range of durations, or speech."""

    path: Path
    reason: Reason


@dataclass(frozen=True)
class ExtractionTally:
    """How the songs of a run came about.

    ``n_recognised`` were known by their content under another name, time or tags; ``n_left`` were not reached.
    ``audio_s`` is the duration of what was decoded in this run, ``elapsed_s`` what the run took, both in seconds.
    """

    n_extracted: int
    n_recognised: int
    n_unchanged: int
    n_left: int
    audio_s: float
    elapsed_s: float


@dataclass(frozen=True)
class Extraction:
    """The result of a run: library, groups of files with the same recording, failures, how the songs came about, labels.

    ``segments`` are None unless they were wanted and the library has songs.
    """

    library: Library
    duplicates: list[DuplicateGroup]
    failures: list[Failure]
    tally: ExtractionTally
    labels: LabelSource
    left_out: list[LeftOut] = field(default_factory=list)
    segments: Segments | None = None

    def records(self) -> list[dict[str, Any]]:
        """Every song with a ``failure`` of None, then every file that failed with its reason."""
        songs = self.library.songs.assign(failure=None).to_dict("records")
        return songs + [{"file_path": str(failure.path), "failure": failure.reason} for failure in self.failures]


@dataclass(frozen=True)
class SongDeviation:
    """The column of one song that differs most from the reference.

    ``deviation`` is the difference as a multiple of the tolerance, 1e-4 + 1e-3 of the reference's value. A file that
    cannot be analysed has a ``failure`` and no numbers.
    """

    file_path: str
    deviation: float | None = None
    column: str | None = None
    value: float | None = None
    reference: float | None = None
    failure: str | None = None


@dataclass(frozen=True)
class Verification:
    """Some songs of a library compared with librosa: the largest deviation of all, and of each song."""

    n_songs: int
    largest: SongDeviation | None
    songs: tuple[SongDeviation, ...]
    passed: bool
