"""The exceptions a user can cause. Each message is one line: what, where, the limit, what to do."""


class SongmapError(Exception):
    """Base of all errors that end a script with one line and exit status 2."""


class UsageError(SongmapError):
    """An argument, or the input it names, cannot be used."""


class AudioError(SongmapError):
    """A file that cannot become an embedding: unreadable, too short, silent, not finite."""


class TooShortError(AudioError):
    """A file of ``duration_s`` seconds, where at least ``least_s`` are needed."""

    def __init__(self, duration_s: float, least_s: float) -> None:
        super().__init__(f"too short: {duration_s:.2f} s, at least {least_s:g} s are needed")
        self.duration_s = duration_s


class SchemaError(SongmapError):
    """An artifact on disk that is missing, of another version, mixed up or tampered with."""


class QueryError(SongmapError):
    """A song, genre or number in a query does not exist, or is ambiguous."""


class WorkerError(SongmapError):
    """A process or machine that analyses songs does not work."""
