"""Songs in an order: playlists, radio, a way from one song to another, running orders and their transitions."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path

import numpy as np

from songmap.core.errors import QueryError
from songmap.similar import playlists
from songmap.similar.answers import Answer, Answers, Row
from songmap.similar.m3u8 import read_playlist
from songmap.similar.transitions import Tracks, artist_codes, transitions

PLAYLIST_SUFFIXES = (".m3u8", ".m3u")


class Programme:
    """Orders of one library's songs, in the space of ``answers``."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers

    @cached_property
    def tracks(self) -> Tracks:
        """What decides which song goes well after which."""
        answers, library = self.answers, self.answers.library
        artists = artist_codes(library.songs["artist"])
        return Tracks(answers.search, library.column("tempo_bpm"), answers.keys, artists, answers.recordings)

    def playlist(
        self, songs: Sequence[str], number: int, max_per_artist: int, start_bpm: float | None, end_bpm: float | None
    ) -> Answer:
        """``number`` songs like ``songs``, which come first, ordered for good transitions, on request along a tempo ramp."""
        seeds = self.answers.rows(songs)
        found = playlists.playlist(self.tracks, seeds, number, max_per_artist, start_bpm, end_bpm)
        title = f"{len(found.rows)} songs like {' + '.join(self.answers.label(row) for row in seeds)}"
        if len(found.wanted_bpm):
            title += f", {found.wanted_bpm[0]:.0f} to {found.wanted_bpm[-1]:.0f} BPM"
        if len(found.far):
            title += f"; {len(found.far)} of them more than 6 % off, the library has none nearer that fits"
        return self._ordered(found.rows, title)

    def path(self, first: str, last: str, number: int) -> Answer:
        """A smooth way from one song to another."""
        ends = self.answers.rows([first, last])
        rows = playlists.path(self.tracks, *ends, number)
        return self._ordered(rows, f"From {self.answers.label(ends[0])} to {self.answers.label(ends[1])}")

    def order(self, file: Path) -> Answer:
        """The songs of a playlist in the order in which they follow each other best."""
        rows, unknown = self._read(file)
        return self._ordered(
            playlists.running_order(self.tracks, rows), f"{file.name} in its best running order{unknown}"
        )

    def transitions(self, songs: Sequence[str]) -> Answer:
        """How well each song follows the one before, of a playlist file or of songs in the order given."""
        unknown = ""
        if len(songs) == 1 and songs[0].lower().endswith(PLAYLIST_SUFFIXES):
            rows, unknown = self._read(Path(songs[0]).expanduser())
        else:
            rows = self.answers.rows(songs)
        if len(rows) < 2:
            raise QueryError("a transition needs two songs; give A + B, or a playlist that holds some")
        return self._ordered(np.array(rows), f"Transitions, 0 to 1 each{unknown}")

    def radio(self, song: str, seed: int, number: int | None) -> Iterator[Row]:
        """Song after song, drifting slowly, each recording once; all of the library, or ``number`` songs.

        Those yielded so far are the last answer.
        """
        rows = self.answers.rows([song])
        self.answers.last = []
        for row in islice(playlists.radio(self.tracks, *rows, seed), number):
            self.answers.last.append(row)
            yield self.answers.identity_of(row)

    def _read(self, file: Path) -> tuple[list[int], str]:
        rows, unknown = read_playlist(file, self.answers.library.songs["file_path"].tolist())
        if not rows:
            raise QueryError(f"{file} holds no song of the library")
        note = (
            f"; {len(unknown)} entries are no songs of the library, the first is line {unknown[0].line}"
            if unknown
            else ""
        )
        return rows, note

    def _ordered(self, rows: np.ndarray, title: str) -> Answer:
        changes = [None, *transitions(self.tracks, rows)]
        extra = [{"transition": change and change.score, "why": change and change.words} for change in changes]
        records = self.answers.numbered(rows, extra)
        shown = [
            {name: record[name] for name in ("rank", "song_name", "artist", "genre")}
            | {"transition": change and f"{change.score:.2f}", "why": record["why"] or ""}
            for record, change in zip(records, changes, strict=True)
        ]
        scores = [change.score for change in changes if change]
        mean = f"; mean transition {np.mean(scores):.2f}" if scores else ""
        return Answer(records, [(title + mean, shown)])
