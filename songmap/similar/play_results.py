"""What `play` and `stop` return."""

from dataclasses import dataclass

from songmap.similar.song import Song


@dataclass(frozen=True)
class PlayResult:
    """What is played, a ``song`` or a playlist file, and by which command; None where there is no player."""

    file_path: str
    player: str | None
    song: Song | None


@dataclass(frozen=True)
class StopResult:
    """Whether something was playing."""

    stopped: bool
