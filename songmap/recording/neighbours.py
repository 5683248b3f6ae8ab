"""Songs of the library near to a recording or a part of it, and similar moments: cosines in the balanced space."""

from functools import cached_property

import numpy as np

from songmap.library.library import Library
from songmap.library.recordings import MAX_DISTANCE, coordinates
from songmap.library.search import Search
from songmap.library.segments import Segments, song_rows
from songmap.library.spaces import build_space
from songmap.recording.results import Moment, NearSong
from songmap.similar.lookup import Lookup

LEAST_SONGS = 3  # to hear next
_POOL = 30  # segments looked at for each song


class Neighbours:
    """The library's songs, and segments where it has some, as neighbours of embeddings ``(641,)``."""

    def __init__(self, library: Library, segments: Segments | None) -> None:
        self.library, self._segments = library, segments
        self._lookup = Lookup(library)
        self.space = build_space(library.embeddings)
        self._songs = Search(self.space.units(library.embeddings), self.space)

    @cached_property
    def _moments(self) -> tuple[Search, np.ndarray, np.ndarray] | None:
        """Search of segments, the row of each one's song, and where in it they are."""
        if self._segments is None or not len(self._segments):
            return None
        search = Search(self.space.units(self._segments.embeddings), self.space)
        bounds_s = self._segments.table[["start_s", "end_s"]].to_numpy()
        return search, song_rows(self._segments, self.library.songs), bounds_s

    def same_recording(self, file_path: str, embedding: np.ndarray) -> np.ndarray:
        """Rows of the songs that are the same file or the same recording, ascending."""
        distances = np.linalg.norm(coordinates(self.library.embeddings) - coordinates(embedding[np.newaxis]), axis=1)
        same = self.library.songs["file_path"].to_numpy(dtype=object) == file_path
        rows = np.flatnonzero(same | (distances <= MAX_DISTANCE))
        return np.flatnonzero(np.isin(self._lookup.recordings, self._lookup.recordings[rows]))

    def songs(
        self, embedding: np.ndarray, number: int, excluded: np.ndarray, genre: str | None = None
    ) -> tuple[tuple[NearSong, ...], bool]:
        """The nearest songs, one per artist, and whether some are of the same artist, since there are too few others.

        Parameters
        ----------
        embedding : np.ndarray, shape (641,)
        number : int
        excluded : np.ndarray of int
            Rows to leave out.
        genre : str, optional
            Only songs of this genre.
        """
        allowed = np.zeros(len(self.library), bool)
        allowed[self._lookup.firsts] = True
        allowed[excluded] = False
        if genre is not None:
            allowed &= self.library.genres == genre
        rows, similarities = self._songs.nearest(self._songs.unit(embedding), int(allowed.sum()), allowed)
        artists = self._lookup.artist_groups[rows]
        first = np.sort(np.unique(artists, return_index=True)[1])[:number]
        chosen = first.tolist()
        least = min(number, LEAST_SONGS)
        filled = [place for place in range(len(rows)) if place not in set(chosen)][: max(0, least - len(chosen))]
        places = sorted(chosen + filled)
        near = tuple(NearSong(self._lookup.song(int(rows[place])), float(similarities[place])) for place in places)
        return near, bool(filled)

    def moments(self, embedding: np.ndarray, number: int, excluded: np.ndarray) -> tuple[Moment, ...]:
        """The library's segments nearest to one, of different songs."""
        if self._moments is None:
            return ()
        search, song_of, bounds_s = self._moments
        allowed = ~np.isin(song_of, excluded)
        rows, similarities = search.nearest(search.unit(embedding), _POOL * number, allowed)
        chosen = np.sort(np.unique(song_of[rows], return_index=True)[1])[:number]
        return tuple(
            Moment(
                self._lookup.song(int(song_of[row])),
                float(bounds_s[row, 0]),
                float(bounds_s[row, 1]),
                float(similarity),
            )
            for row, similarity in zip(rows[chosen], similarities[chosen], strict=True)
        )
