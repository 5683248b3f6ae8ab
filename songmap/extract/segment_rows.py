"""The ledger's rows of segments: those of a song by its content, for each of the settings it was cut with."""

import sqlite3
from dataclasses import dataclass

import numpy as np

from songmap.extract.checksums import row_checksum
from songmap.library.schema import N_COLUMNS
from songmap.library.segments import SegmentSettings, SongSegments

TABLE = """CREATE TABLE IF NOT EXISTS segments (
        analysis TEXT NOT NULL, content TEXT NOT NULL, settings TEXT NOT NULL, bounds BLOB NOT NULL,
        embeddings BLOB NOT NULL, checksum BLOB, PRIMARY KEY (analysis, content, settings))"""
_NAMES = "analysis, content, settings, bounds, embeddings"
_BOUNDS_BYTES, _EMBEDDING_BYTES = 2 * 8, N_COLUMNS * 4


@dataclass(frozen=True)
class SegmentRows:
    """Rows of one analysis in an open ledger. Whoever writes holds the transaction."""

    connection: sqlite3.Connection
    analysis: str

    def keep(self, content: str, settings: SegmentSettings, segments: SongSegments) -> None:
        """Insert the segments of a song."""
        numbers = segments.bounds_s.astype(np.float64).tobytes(), segments.embeddings.astype(np.float32).tobytes()
        row = (self.analysis, content, settings.key, *numbers)
        query = f"INSERT OR REPLACE INTO segments ({_NAMES}, checksum) VALUES (?, ?, ?, ?, ?, ?)"
        self.connection.execute(query, (*row, row_checksum(row)))

    def contents(self, settings: SegmentSettings) -> set[str]:
        """Contents of the songs that have segments."""
        query = "SELECT content FROM segments WHERE analysis=? AND settings=?"
        return {content for (content,) in self.connection.execute(query, (self.analysis, settings.key))}

    def get(self, content: str | None, settings: SegmentSettings) -> SongSegments | None:
        """The segments of a song; None if there are none, or their row is damaged."""
        query = f"SELECT {_NAMES}, checksum FROM segments WHERE analysis=? AND content=? AND settings=?"
        for *row, checksum in self.connection.execute(query, (self.analysis, content, settings.key)):
            bounds, embeddings = row[3:]
            if checksum == row_checksum(row) and len(bounds) * _EMBEDDING_BYTES == len(embeddings) * _BOUNDS_BYTES:
                bounds_s = np.frombuffer(bounds, np.float64).reshape(-1, 2)
                return SongSegments(bounds_s, np.frombuffer(embeddings, np.float32).reshape(-1, N_COLUMNS))
        return None
