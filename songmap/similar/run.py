"""Search for notebooks and programs: songs by name or path, results as DataFrames."""

from typing import TYPE_CHECKING

from songmap.core.workspace import Workspace
from songmap.library.library import Library
from songmap.similar.requests import Filters, Setting, SimilarRequest, WhyRequest
from songmap.similar.session import Session
from songmap.similar.views.records import records

if TYPE_CHECKING:
    import pandas as pd


class LibrarySearch:
    """The songs of a library compared in one setting; see ``search``."""

    def __init__(self, session: Session, setting: Setting) -> None:
        self._session, self._setting = session, setting

    def similar(self, song: str, n: int = 10, filters: Filters | None = None) -> "pd.DataFrame":
        """The songs most similar to one.

        Parameters
        ----------
        song : str
            A name, a part of one, a title, "artist - title", or the path of any audio file.
        n : int
            Songs wanted.
        filters : Filters, optional
            By default at most two songs of one artist.

        Returns
        -------
        pandas.DataFrame
            A row per song, nearest first: rank, song_name, artist, genre, similarity (cosine, -1 to 1), title, album,
            year, duration (s), tempo_bpm and its source, key (Camelot) and its source, file_path.

        Raises
        ------
        SongmapError
            If the name is ambiguous or unknown, or the file cannot be analysed.
        """
        return self._frame(SimilarRequest((song,), (), n, filters or Filters()))

    def diverse(self, song: str, n: int = 10, diversity: float = 0.5, filters: Filters | None = None) -> "pd.DataFrame":
        """Songs similar to one, but not to each other (``diversity`` 0 to 1); otherwise as ``similar``."""
        return self._frame(SimilarRequest((song,), (), n, filters or Filters(), diversity))

    def why(self, a: str, b: str) -> "pd.DataFrame":
        """What each family adds to the similarity of two songs.

        Parameters
        ----------
        a, b : str
            Two songs, as in ``similar``.

        Returns
        -------
        pandas.DataFrame
            A row per family: family, coordinates (how many), contribution, agreement (the cosine within the family alone).
            The contributions add up to the similarity, the last row, whose family is "all".
        """
        frame = self._frame(WhyRequest(a, b))
        return frame[["family", "coordinates", "contribution", "agreement"]]

    def _frame(self, request: SimilarRequest | WhyRequest) -> "pd.DataFrame":
        import pandas as pd

        return pd.DataFrame.from_records(records(self._session.run(request, self._setting)))


def search(library: Library, space: str = "balanced", workspace: Workspace | None = None) -> LibrarySearch:
    """Compare the songs of a library.

    Parameters
    ----------
    library : Library
    space : str
        balanced, scaled, balanced641, classifier or cnn, see ``songmap.library.spaces``.
    workspace : Workspace, optional
        Where the genre model of the classifier space and the vectors of the cnn space are.

    Returns
    -------
    LibrarySearch

    Raises
    ------
    QueryError
        If the library is empty.
    """
    return LibrarySearch(Session(library, workspace), Setting(space))
